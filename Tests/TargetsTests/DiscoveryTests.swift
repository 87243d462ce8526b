import Foundation
import TestSupport
import Testing

@testable import Linux
@testable import ProcFS
@testable import Targets

/// A machine that gives numbers in order.
private final class Fake {
  var now: UInt64 = 100_000
  var lastPid: Int32? = 1000
  var processes: Set<Int32> = []
  /// Numbers whose process cannot be seen yet.
  var unseen: Set<Int32> = []
  var held: Set<Int32> = []
  var listing: Result<Void, Errno> = .success(())
  private(set) var lists = 0
  private(set) var tries: [Int32] = []
  let discovery: Discovery

  init(_ processes: some Sequence<Int32> = []) throws {
    discovery = Discovery(try EventLoop(), ticksPerSecond: 100)
    self.processes = Set(processes)
  }

  private var machine: Discovery.Machine {
    Discovery.Machine(
      now: now, lastPid: { self.lastPid },
      isProcess: { pid in
        self.tries.append(pid)
        return self.processes.contains(pid) && !self.unseen.contains(pid)
      }
    ) { (body: (Int32) -> Void) throws(Errno) in
      try self.listing.get()
      self.lists += 1
      for pid in self.processes where !self.unseen.contains(pid) { body(pid) }
    }
  }

  /// Starts a collection; what is due, and how many listings and tries that took.
  func due() throws -> (pids: Set<Int32>, lists: Int, tries: Int) {
    now += 100
    (lists, tries) = (0, [])
    let pids = try discovery.begin(machine) { held.contains($0) }
    #expect(Set(pids).count == pids.count)
    return (Set(pids), lists, tries.count)
  }

  /// A collection in which everything that is due is read and fits no rule.
  @discardableResult func collect() throws -> (pids: Set<Int32>, lists: Int, tries: Int) {
    let result = try due()
    for pid in result.pids { try answer(pid) }
    return result
  }

  func answer(_ pid: Int32) throws {
    if processes.contains(pid), !unseen.contains(pid) {
      // As old as can be, so that only its turn brings it back.
      discovery.note(pid, try stat(start: 0))
    } else {
      discovery.end(pid)
    }
  }

  /// New processes, after so many threads; their numbers.
  @discardableResult func fork(_ count: Int = 1, threads: Int32 = 0) -> [Int32] {
    var number = (lastPid ?? 0) + threads
    var new: [Int32] = []
    while new.count < count {
      number += 1
      if !processes.contains(number) { new.append(number) }
    }
    lastPid = number
    processes.formUnion(new)
    return new
  }

  /// Many collections after the start.
  func settle() throws {
    for _ in 0..<4 { try collect() }
  }
}

@Suite(.timeLimit(.minutes(1))) struct DiscoveryTests {
  private static let tries = Discovery.tries

  @Test func allAreReadAtFirstAndThenOnlyTurns() throws {
    let fake = try Fake(1...900)
    #expect(try fake.collect().pids == Set(1...900))
    for _ in 0..<50 {
      let (pids, lists, _) = try fake.collect()
      #expect(pids.count <= Strangers.turns && lists == 0)
    }
  }

  @Test func whatIsNewIsFoundByItsNumber() throws {
    let fake = try Fake(1...900)
    try fake.settle()
    for (count, threads) in [(1, 0), (1, 500), (200, 0), (3, 10)] {
      let new = fake.fork(count, threads: Int32(threads))
      let (pids, lists, tries) = try fake.collect()
      #expect(pids.isSuperset(of: new) && pids.count <= count + Strangers.turns)
      #expect(lists == 0 && tries <= Int(Self.tries))
    }
    // Numbers are tried twice, and no more.
    try fake.collect()
    #expect(try fake.collect().tries == 0)
  }

  @Test func aProcessThatIsNotThereYetWhenItsNumberIsTriedIsFoundTheNextTime() throws {
    let fake = try Fake(1...900)
    fake.unseen = Set(fake.fork())
    try fake.collect()
    fake.unseen = []
    #expect(try fake.collect().pids.contains(1001))
    try fake.settle()
    fake.unseen = Set(fake.fork())
    try fake.collect()
    fake.unseen = []
    #expect(try fake.collect().pids.contains(1002))
  }

  @Test func manyNewNumbersMakeAListing() throws {
    let fake = try Fake(1...900)
    try fake.settle()
    let new = fake.fork(2, threads: Self.tries)
    let (pids, lists, tries) = try fake.collect()
    #expect(pids.isSuperset(of: new) && lists == 1 && tries == 0)
    #expect(try fake.collect().lists == 0)
  }

  @Test func numbersThatBeganAnewMakeAllVoid() throws {
    let fake = try Fake(1...900)
    try fake.settle()
    fake.lastPid = 400
    let (pids, lists, _) = try fake.collect()
    #expect(pids == Set(1...900) && lists == 1)
    #expect(try fake.collect().lists == 0)
    // One that had been read since then, and whose number is given anew.
    fake.processes.remove(401)
    #expect(fake.fork() == [401])
    #expect(try fake.collect().pids.contains(401))
    fake.processes.remove(700)
    #expect(fake.fork(1, threads: 3000).count == 1)
    fake.processes.insert(700)
    #expect(try fake.collect().pids.contains(700))
  }

  @Test func whereNumbersAreNotToldAllAreReadEachTime() throws {
    let fake = try Fake(1...100)
    fake.lastPid = nil
    for _ in 0..<3 {
      let (pids, lists, _) = try fake.collect()
      #expect(pids == Set(1...100) && lists == 1)
    }
  }

  @Test func allAreListedNowAndThen() throws {
    let fake = try Fake(1...900)
    try fake.settle()
    // One that got its number in no order, and one that ended.
    fake.processes.insert(5000)
    fake.processes.remove(1)
    var rounds: UInt64 = 0
    while try fake.collect().lists == 0 { rounds += 1 }
    #expect(rounds <= Discovery.listingSeconds)
    #expect(fake.discovery.parent(of: 5000) == 1)
    #expect(fake.discovery.parent(of: 1) == nil)
  }

  @Test func aTableOfEndedOnesMakesAListing() throws {
    let fake = try Fake(1...10)
    try fake.settle()
    var lists = 0
    for _ in 0..<20 {
      let new = fake.fork(200)
      lists += try fake.collect().lists
      fake.processes.subtract(new)
    }
    #expect(lists > 0)
    #expect(fake.discovery.pids.reduce(0) { count, _ in count + 1 } < 2000)
  }

  @Test func aListingThatFailsIsTriedAgain() throws {
    let fake = try Fake(1...9)
    fake.listing = .failure(.noMemory)
    #expect(throws: Errno.noMemory) { try fake.collect() }
    fake.listing = .success(())
    #expect(try fake.collect().pids == Set(1...9))
  }

  @Test func whatIsNotSettledIsReadAgain() throws {
    let fake = try Fake(1...900)
    try fake.settle()
    let new = fake.fork(3)
    let (unknown, fits, leaves) = (new[0], new[1], new[2])
    #expect(try fake.due().pids.isSuperset(of: new))
    // Nobody knows about the first one; the others fit a rule, but only one of them could be held.
    fake.discovery.forget(fits)
    fake.discovery.forget(leaves)
    fake.held = [leaves]
    #expect(try fake.due().pids.intersection(new) == [unknown, fits])
    fake.held = []
    fake.discovery.forget(leaves)
    #expect(try fake.collect().pids.isSuperset(of: new))
    #expect(try fake.collect().pids.isDisjoint(with: new))
  }

  @Test func otherRulesMakeAllVoid() throws {
    let fake = try Fake(1...900)
    try fake.settle()
    fake.held = [5]
    fake.discovery.reset()
    #expect(try fake.collect().pids == Set(1...900).subtracting([5]))
  }

  // MARK: Events

  @Test(.enabled(if: canListen, "the proc connector needs Linux 6.6 or CAP_NET_ADMIN"))
  func eventsSayWhatToRead() throws {
    let fake = try Fake(1...900)
    fake.discovery.listen(true)
    #expect(fake.discovery.isListening)
    #expect(try fake.collect().pids == Set(1...900))
    try fake.settle()
    fake.held = [50]
    // Without an event a number says nothing.
    fake.fork(threads: 5)
    for (kind, pid) in [
      (ProcessEvent.Kind.began, Int32(1007)), (.changed, 800), (.changed, 50), (.began, 1008),
      (.ended, 1008),
    ] {
      fake.discovery.take(ProcessEvent(kind, pid))
    }
    fake.processes.insert(1007)
    let (pids, lists, tries) = try fake.collect()
    #expect(pids.isSuperset(of: [1007, 800]) && pids.isDisjoint(with: [50, 1006, 1008]))
    #expect(pids.count <= 2 + Strangers.turns && lists == 0 && tries == 0)
    #expect(fake.discovery.changedPids == [50])
    try fake.collect()
    #expect(fake.discovery.changedPids == [])
    // The end of one that is remembered, and a number that is given anew.
    fake.discovery.take(ProcessEvent(.ended, 800))
    #expect(fake.discovery.parent(of: 800) == nil)
    fake.discovery.take(ProcessEvent(.began, 801))
    #expect(fake.discovery.parent(of: 801) == nil)
    #expect(try fake.collect().pids.contains(801))
  }

  @Test(.enabled(if: canListen, "the proc connector needs Linux 6.6 or CAP_NET_ADMIN"))
  func lostEventsMakeAListing() throws {
    let fake = try Fake(1...900)
    fake.discovery.listen(true)
    try fake.settle()
    fake.held = [50]
    let new = fake.fork(2)
    fake.discovery.take(ProcessEvent(.changed, 800))
    fake.discovery.lose()
    let (pids, lists, _) = try fake.collect()
    #expect(pids.isSuperset(of: new + [800]) && pids.count <= 3 + Strangers.turns && lists == 1)
    #expect(fake.discovery.changedPids == [] && fake.discovery.hasMissedChanges)
    #expect(try fake.collect().lists == 0)
    #expect(!fake.discovery.hasMissedChanges)
    // Numbers that began anew meanwhile.
    fake.lastPid = 400
    fake.discovery.lose()
    #expect(try fake.collect().pids == fake.processes.subtracting([50]))
    // More than can be remembered.
    for pid in 1...Int32(70_000) { fake.discovery.take(ProcessEvent(.changed, pid)) }
    #expect(try fake.collect().lists == 1)
  }

  @Test(.enabled(if: canListen, "the proc connector needs Linux 6.6 or CAP_NET_ADMIN"))
  func whoStopsListeningLooksByItself() throws {
    let fake = try Fake(1...900)
    fake.discovery.listen(true)
    try fake.settle()
    fake.discovery.listen(false)
    let new = fake.fork(2)
    let (pids, lists, _) = try fake.collect()
    #expect(pids.isSuperset(of: new) && lists == 1)
    #expect(fake.discovery.failure == nil)
  }

  // MARK: Model

  /// Whatever happens, each process is read soon after it began, and none is read for ever.
  @Test func nothingThatLivesIsMissed() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<30 {
      let fake = try Fake(1...50)
      /// Collections since a process began, until it is read.
      var unread = Dictionary(uniqueKeysWithValues: fake.processes.map { ($0, 0) })
      for _ in 0..<200 {
        fake.unseen = []
        switch Int.random(in: 0...9, using: &random) {
        case 0...4:
          let new = fake.fork(
            Int.random(in: 1...40, using: &random),
            threads: Int32.random(in: 0...60, using: &random))
          for pid in new { unread[pid] = 0 }
          if Bool.random(using: &random) { fake.unseen = Set(new.suffix(2)) }
        case 5: fake.fork(1, threads: 3000).forEach { unread[$0] = 0 }
        case 6:
          for pid in fake.processes where Bool.random(using: &random) {
            fake.processes.remove(pid)
            unread[pid] = nil
          }
        case 7 where fake.lastPid ?? 0 > 5000:
          fake.lastPid = 300
          for pid in fake.fork(10) { unread[pid] = 0 }
        default: break
        }
        let due = try fake.due().pids
        for pid in due.union(unread.keys) {
          if due.contains(pid), !fake.unseen.contains(pid) {
            unread[pid] = nil
            // Some answer late.
            if Int.random(in: 0...9, using: &random) == 0 { continue }
          } else if let count = unread[pid] {
            unread[pid] = count + 1
          }
          if due.contains(pid) { try fake.answer(pid) }
        }
        #expect(unread.values.allSatisfy { $0 <= 1 }, "seed \(seed)")
      }
      for _ in 0..<3 { try fake.collect() }
      let (pids, lists, tries) = try fake.collect()
      #expect(pids.count <= Strangers.turns && lists <= 1 && tries == 0, "seed \(seed)")
    }
  }

  // MARK: Live

  @Test(arguments: [true, false]) func aRosterSeesForksExecsAndNames(listens: Bool) throws {
    guard canListen || !listens else {
      print("SKIPPED: the proc connector needs Linux 6.6 or CAP_NET_ADMIN")
      return
    }
    let scratch = try Scratch()
    let name = uniqueName()
    let roster = try Roster.live([.name("t", name)])
    if !listens { roster.discovery.listen(false) }
    for _ in 0..<3 { roster.refresh() }
    #expect(roster.discovery.isListening == listens)

    // A program that is there from the start.
    let child = try Child(sleepingAs: name, in: scratch)
    #expect(eventually { sleeps(child.pid, as: name) })
    roster.refresh()
    #expect(roster.pids("t") == [child.pid])
    child.kill()
    roster.refresh()
    #expect(roster.pids("t") == [])

    // A shell that becomes one, and one that takes the name.
    try Child(sleepingAs: name, in: scratch).kill()  // makes the program
    let scripts = [
      "read line; exec \(scratch.file(name)) 60",
      "read line; printf \(name) > /proc/$$/comm; read line",
    ]
    let inputs = scripts.map { _ in Pipe() }
    let shells = try zip(scripts, inputs).map {
      try Child(["dash", "-c", $0], input: $1.fileHandleForReading.fileDescriptor)
    }
    for _ in 0..<3 { roster.refresh() }
    #expect(roster.pids("t") == [])
    for input in inputs { try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8)) }
    #expect(eventually { shells.allSatisfy { sleeps($0.pid, as: name) } })
    if listens {
      roster.refresh()
      #expect(roster.pids("t") == shells.map(\.pid).sorted())
    } else {
      // A quarter of a short life.
      #expect(
        eventually {
          roster.refresh()
          return roster.pids("t") == shells.map(\.pid).sorted()
        })
    }
  }

  /// Whether a process has a name and waits; it has been told of by then.
  private func sleeps(_ pid: Int32, as name: String) -> Bool {
    guard let stat = try? contents("/proc/\(pid)/stat") else { return false }
    return String(decoding: stat, as: UTF8.self).contains("(\(name)) S ")
  }
}

/// Whether this process may listen to process events.
private let canListen: Bool = (try? ProcessEvents(queueBytes: 4096)) != nil
