import Foundation
import Glibc
import Linux
import ProcFS
import TestSupport
import Testing

@testable import Targets

@Suite struct ListenPortsTests {
  /// The table with what it is asked through, and a clock that stands still.
  final class Asked {
    let table: ListenPorts
    let root: ProcRoot
    var now: UInt64
    var ports: Set<UInt16>
    private let descriptors: Int

    init(_ ports: Set<UInt16>, descriptors: Int = 50_000) throws {
      var limits = ListenPorts.Limits()
      limits.descriptors = descriptors
      table = ListenPorts(limits)
      root = try ProcRoot(path: "/proc", facts: .current())
      now = root.facts.ticks(nanoseconds: bootClockNanoseconds())
      self.ports = ports
      self.descriptors = descriptors
    }

    func begin() {
      table.begin(ports, in: root, now: now) { process in
        (try? stat(process.pid)).map { $0.startTicks == process.startTicks && !$0.hasEnded }
          ?? false
      }
    }

    private func stat(_ pid: Int32) throws -> Stat {
      let text = try Array(Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/stat")))
      return try Stat(text.span, root.facts)
    }

    /// How many descriptors have been looked at in this collection, with one more for each walk.
    var looks: Int { descriptors - table.left }

    func identity(_ pid: Int32) throws -> ProcessIdentity {
      ProcessIdentity(pid: pid, startTicks: try stat(pid).startTicks)
    }

    func answer(_ pid: Int32, _ ports: UInt16...) throws -> Bool? {
      table.isListening(try identity(pid), on: ports, in: root)
    }
  }

  /// A child that has these descriptors open, and no others.
  private func child(with descriptors: Int32...) throws -> Child {
    try Child(["sleep", "1000"], input: nil, open: descriptors)
  }

  private let sockets = TestSockets()

  private func listener() throws -> (number: Int32, port: UInt16) {
    let number = try sockets.listener(backlog: 5)
    return (number, TestSockets.port(number))
  }

  @Test func whoListensOnWhichPort() throws {
    let (a, b, c) = (try listener(), try listener(), try listener())
    let none = try child()
    let first = try child(with: a.number)
    let both = try child(with: a.number, b.number)
    let asked = try Asked([a.port, b.port])
    asked.begin()
    #expect(try asked.answer(none.pid, a.port, b.port) == false)
    #expect(try asked.answer(first.pid, a.port) == true)
    #expect(try asked.answer(first.pid, b.port) == false)
    #expect(try asked.answer(first.pid, b.port, a.port) == true)
    #expect(try asked.answer(both.pid, a.port) == true)
    #expect(try asked.answer(both.pid, b.port) == true)
    #expect(try asked.answer(getpid(), a.port) == true)
    #expect(asked.table.trouble(on: [a.port, b.port]) == nil)
    // Nobody has asked for it.
    #expect(try asked.answer(getpid(), c.port) == false)
  }

  @Test func connectionsAndBoundSocketsDoNotListen() throws {
    let here = try listener()
    let connected = try sockets.connected(SOCK_STREAM, to: here.port)
    let accepted = try sockets.accepted(from: here.number)
    let bound = try sockets.bound(SOCK_STREAM)
    let datagram = try sockets.bound(SOCK_DGRAM)
    let child = try child(with: connected, accepted, bound, datagram)
    let ports = [here.port, TestSockets.port(bound), TestSockets.port(datagram)]
    let asked = try Asked(Set(ports))
    asked.begin()
    for port in ports { #expect(try asked.answer(child.pid, port) == false) }
  }

  @Test func versionSix() throws {
    let number = try sockets.open(AF_INET6, SOCK_STREAM)
    try #require(listen(number, 5) == 0)
    // The port is at the same place of both kinds of address.
    let port = TestSockets.port(number)
    let child = try child(with: number)
    let asked = try Asked([port])
    asked.begin()
    #expect(try asked.answer(child.pid, port) == true)
  }

  @Test func oftenNobodyIsLookedAt() throws {
    let here = try listener()
    let owner = try child(with: here.number)
    let none = try child()
    let asked = try Asked([here.port])
    for round in 0..<4 {
      asked.begin()
      #expect(try asked.answer(owner.pid, here.port) == true)
      #expect(try asked.answer(none.pid, here.port) == false)
      #expect((asked.looks == 0) == (round > 0))
      #expect(!asked.table.isSearching)
    }
  }

  @Test func newWorkersOfAListenerAreFound() throws {
    let here = try listener()
    let asked = try Asked([here.port])
    var workers: [Child] = []
    for _ in 0..<3 {
      workers.append(try child(with: here.number))
      asked.begin()
      for worker in workers { #expect(try asked.answer(worker.pid, here.port) == true) }
    }
  }

  @Test func aPortThatMoves() throws {
    let here = try listener()
    let old = try child(with: here.number)
    let other = try child()
    let asked = try Asked([here.port])
    asked.begin()
    #expect(try asked.answer(old.pid, here.port) == true)
    #expect(try asked.answer(other.pid, here.port) == false)
    // The number of the ended one could be taken by another process.
    let identity = try asked.identity(old.pid)
    old.send(SIGKILL)
    old.reap()
    let new = try child(with: here.number)
    asked.begin()
    let impostor = ProcessIdentity(pid: new.pid, startTicks: identity.startTicks &+ 1)
    _ = asked.table.isListening(impostor, on: [here.port], in: asked.root)
    #expect(try asked.answer(new.pid, here.port) == true)
    #expect(try asked.answer(other.pid, here.port) == false)
    #expect(!asked.table.isSearching)
  }

  /// This process, which is known not to listen, begins to.
  @Test func aProcessThatListensLaterIsSearchedFor() throws {
    let port = TestSockets.port(try sockets.bound(SOCK_STREAM))
    let other = try child()
    let asked = try Asked([port])
    asked.begin()
    // So that it is looked at although nobody listens yet.
    let elsewhere = try listener()
    asked.ports = [port, elsewhere.port]
    asked.begin()
    #expect(try asked.answer(getpid(), elsewhere.port) == true)
    #expect(try asked.answer(other.pid, elsewhere.port) == false)

    try #require(listen(sockets.all[0], 5) == 0)
    asked.begin()
    // First only new processes are looked at.
    #expect(try asked.answer(getpid(), port) == false)
    #expect(asked.looks == 0 && !asked.table.isSearching)
    asked.begin()
    #expect(asked.table.isSearching)
    #expect(try asked.answer(getpid(), port) == true)
    #expect(!asked.table.isSearching)
    let looks = asked.looks
    #expect(try asked.answer(other.pid, port) == false)
    #expect(looks > 0 && asked.looks == looks)
  }

  @Test func aSocketThatNobodyHasIsNotSearchedForAgain() throws {
    let here = try listener()
    let none = try child()
    let asked = try Asked([here.port])
    for round in 0..<5 {
      asked.begin()
      #expect(asked.table.isSearching == (round == 1))
      #expect(try asked.answer(none.pid, here.port) == false)
      #expect((asked.looks > 0) == (round == 0))
    }
    // Nothing was denied, so it is just not theirs.
    #expect(asked.table.trouble(on: [here.port]) == nil)
  }

  @Test func aSocketWhoseOwnerHasEndedIsSearchedFor() throws {
    let here = try listener()
    let (none, owner) = (try child(), try child(with: here.number))
    let asked = try Asked([here.port])
    asked.begin()
    #expect(try asked.answer(none.pid, here.port) == false)
    #expect(try asked.answer(owner.pid, here.port) == true)
    owner.send(SIGKILL)
    owner.waitForEnd()
    var searched: [Bool] = []
    for _ in 0..<4 {
      asked.begin()
      searched.append(asked.table.isSearching)
      #expect(try asked.answer(none.pid, here.port) == false)
    }
    #expect(searched == [false, true, false, false])
  }

  @Test func anotherOwnerIsOneToo() throws {
    let here = try listener()
    let owners = [try child(with: here.number), try child(with: here.number)]
    let asked = try Asked([here.port])
    asked.begin()
    for owner in owners { #expect(try asked.answer(owner.pid, here.port) == true) }
    owners[1].send(SIGKILL)
    owners[1].reap()
    for _ in 0..<3 {
      asked.begin()
      #expect(!asked.table.isSearching)
      #expect(try asked.answer(owners[0].pid, here.port) == true)
      #expect(asked.looks == 0)
    }
  }

  @Test func whatIsAQuarterOlderIsLookedAtAgain() throws {
    let here = try listener()
    let shared = dup(here.number)
    let other = try child(with: here.number)
    let asked = try Asked([here.port])
    let age = asked.now - (try asked.identity(getpid()).startTicks)
    asked.begin()
    #expect(try asked.answer(getpid(), here.port) == true)
    #expect(try asked.answer(other.pid, here.port) == true)
    close(shared)
    // The number goes to something else, since the table of the test closes it once more.
    try #require(dup2(try sockets.open(AF_UNIX, SOCK_STREAM), here.number) == here.number)
    for (later, isListening) in [(0, true), (max(1, age / 4) - 1, true), (age / 4 + 1, false)] {
      asked.now += later
      asked.begin()
      #expect(try asked.answer(getpid(), here.port) == isListening, "\(later) of \(age)")
      asked.now -= later
    }
  }

  /// The kernel then shows none of its descriptors, although other threads use them.
  @Test(.enabled(if: program("python3") != nil, "needs python3"))
  func aProcessWithoutItsFirstThreadListensOn() throws {
    let here = try listener()
    let script = """
      import ctypes, signal, threading, time
      signal.signal(signal.SIGUSR1, lambda *_: ctypes.CDLL(None).syscall(60, 0))
      threading.Thread(target=time.sleep, args=(1000,)).start()
      while True: signal.pause()
      """
    let child = try Child(["python3", "-c", script], input: nil, open: [here.number])
    let asked = try Asked([here.port])
    func now() throws -> Stat {
      let text = try contents("/proc/\(child.pid)/stat")
      return try Stat(text.span, asked.root.facts)
    }
    let hasThread = try eventually { try now().threads == 2 }
    #expect(hasThread)
    asked.begin()
    #expect(try asked.answer(child.pid, here.port) == true)
    child.send(SIGUSR1)
    let hasEnded = try eventually { try now().firstThreadHasEnded }
    #expect(hasEnded)
    asked.now += 1_000_000
    asked.begin()
    #expect(try asked.answer(child.pid, here.port) == true)
    #expect(asked.looks > 0)
  }

  @Test func whatNoLongerListensIsNobodys() throws {
    let here = try listener()
    let owner = try child(with: here.number)
    let asked = try Asked([here.port])
    asked.begin()
    #expect(try asked.answer(owner.pid, here.port) == true)
    shutdown(here.number, Int32(SHUT_RDWR))
    asked.begin()
    #expect(try asked.answer(owner.pid, here.port) == false)
    #expect(asked.looks == 0)
  }

  @Test func aCollectionLooksAtSoMuchAndNoMore() throws {
    let here = try listener()
    let owners = try (0..<3).map { _ in try child(with: here.number) }
    let asked = try Asked([here.port], descriptors: 1)
    for round in 0..<3 {
      asked.begin()
      let answers = try owners.map { try asked.answer($0.pid, here.port) }
      #expect(answers == (0..<3).map { $0 <= round ? true : nil })
    }
  }

  @Test(.enabled(if: isRoot, "needs root, to be somebody else"))
  func whatIsDeniedIsNotKnown() throws {
    let here = try listener()
    let visible = try listener()
    let child = try child(with: here.number)
    let free = TestSockets.port(try sockets.bound(SOCK_STREAM))
    let pid = child.pid
    let (port, seen) = (here.port, visible.port)
    let asked = try Asked([port, seen, free])
    asked.begin()
    let looker = try self.child(with: visible.number)
    #expect(try asked.answer(looker.pid, seen) == true)
    nonisolated(unsafe) let table = asked
    try asNobody {
      for round in 0..<4 {
        table.begin()
        let answers = [
          try table.answer(pid, port), try table.answer(pid, free), try table.answer(pid, seen),
        ]
        #expect(answers == [nil, false, false], "\(round)")
        #expect((table.table.trouble(on: [port]) != nil) == (round > 0))
        #expect(table.table.trouble(on: [seen, free]) == nil)
      }
    }
    let (trouble, detail) = try #require(asked.table.trouble(on: [port]))
    #expect(trouble == Trouble(.file(.fdLinks), .denied))
    #expect(detail.contains("port \(port) is not known"))
  }

  @Test func aRecordedTreeHasNoSockets() throws {
    let here = try listener()
    let tree = try TestProc().process(getpid())
    let table = ListenPorts()
    let root = try ProcRoot(path: tree.path, facts: .current())
    table.begin([here.port], in: root, now: 1000) { _ in true }
    let process = ProcessIdentity(pid: getpid(), startTicks: 100)
    #expect(table.isListening(process, on: [here.port], in: root) == false)
    #expect(table.trouble(on: [here.port]) == nil)
  }
}
