import Foundation
import Glibc
import Testing

@testable import Linux

/// One wrapper, and how many system calls of a kind it makes when all goes well.
struct Wrapper: Sendable, CustomTestStringConvertible {
  var name: String
  var call: SystemCall
  var calls: Int
  var run: @Sendable () throws -> Void

  init(
    _ name: String, _ call: SystemCall, _ calls: Int, _ run: @escaping @Sendable () throws -> Void
  ) {
    self.name = name
    self.call = call
    self.calls = calls
    self.run = run
  }

  var testDescription: String { "\(name) \(call)" }
}

private func null() throws(Errno) -> OwnedFD { try openFile("/dev/null", .read) }
private func proc() throws(Errno) -> OwnedFD { try openFile("/proc", [.read, .directory]) }

private final class Nobody: EventHandler {
  func ready(_ token: EventToken, _ readiness: Readiness) {}
  func expired(_ token: EventToken) {}
}

private let loopback = ListenAddress.ipv4(0x7f00_0001, port: 0)

private func listenOnUnix() throws {
  let directory = try TemporaryDirectory()
  _ = try ListenSocket(.unix(path: "\(directory.path)/s"))
}

let wrappers: [Wrapper] = [
  Wrapper("openFile", .open, 1) { _ = try openFile("/dev/null", .read) },
  Wrapper("openFile in", .open, 2) { _ = try openFile("version", in: try proc()) },
  Wrapper("readRecord", .read, 1) {
    var buffer = ReadBuffer(capacity: 4096, limit: 4096)
    try buffer.readRecord(try openFile("/proc/self/stat", .read))
  },
  Wrapper("readAll", .read, 2) {
    var buffer = ReadBuffer(capacity: 4096, limit: 4096)
    try buffer.readAll(try openFile("/proc/self/stat", .read))
  },
  Wrapper("fileFacts", .stat, 1) { _ = try fileFacts(try null()) },
  Wrapper("fileFacts in", .stat, 1) { _ = try fileFacts("version", in: try proc()) },
  Wrapper("standardErrorFacts", .stat, 1) { _ = try standardErrorFacts() },
  Wrapper("fileSystemMagic", .stat, 1) { _ = try fileSystemMagic(try null()) },
  Wrapper("linkTarget", .readlink, 1) { _ = try linkTarget("self/exe", in: try proc()) },
  Wrapper("numbers", .list, 2) {
    var reader = DirectoryReader()
    try reader.numbers(in: try proc()) { _ in false }
  },
  Wrapper("writeAll", .write, 1) {
    let pipe = try Pipe()
    try writeAll([1, 2, 3], to: pipe.input.raw)
  },
  Wrapper("listen ipv4", .socket, 6) { _ = try ListenSocket(loopback) },
  Wrapper("listen unix", .socket, 7) { try listenOnUnix() },
  Wrapper("accept", .accept, 1) {
    let socket = try ListenSocket(loopback)
    let client = try connect(to: socket.address)
    _ = try socket.accept()
    _ = client.raw
  },
  Wrapper("receive", .receive, 1) {
    let pair = try SocketPair()
    var buffer: [UInt8] = [0]
    _ = Glibc.write(pair.left.raw, "x", 1)
    _ = try receive(pair.right, into: &buffer)
  },
  Wrapper("send", .send, 1) {
    let pair = try SocketPair()
    _ = try send(pair.left, head: [1], body: [2], from: 0)
  },
  Wrapper("EventLoop", .epoll, 2) { _ = try EventLoop() },
  Wrapper("EventLoop", .other, 1) { _ = try EventLoop() },
  Wrapper("add", .epoll, 3) { _ = try EventLoop().add(try Pipe().output, .readable, Nobody()) },
  Wrapper("turn", .epoll, 3) { try turnOnce() },
  Wrapper("turn", .other, 2) { try turnOnce() },
  Wrapper("EventFD", .other, 1) { _ = try EventFD() },
  Wrapper("Mailbox", .other, 1) { _ = try Mailbox<Int>() },
  Wrapper("Waiter", .other, 2) { _ = try Waiter() },
  Wrapper("PidFD", .pidfd, 1) { _ = try PidFD(pid: processID()) },
  Wrapper("SignalFD", .other, 1) { _ = try SignalFD([]) },
  Wrapper("duplicate", .other, 1) { _ = try (try null()).duplicate() },
  Wrapper("raiseDescriptorLimit", .other, 1) { _ = try raiseDescriptorLimit(to: 0) },
  Wrapper("resourceLimit", .other, 1) {
    _ = try resourceLimit(.openFiles, pid: processID())
  },
]

private func turnOnce() throws(Errno) {
  let loop = try EventLoop()
  loop.setDeadline(loop.add(Nobody()), Instant(nanoseconds: 0))
  try loop.turn()
}

@Suite struct SystemCallTests {
  @Test(arguments: wrappers)
  func interruptionIsRetried(wrapper: Wrapper) throws {
    for skip in 0..<wrapper.calls {
      try Faults.force(wrapper.call, .interrupted, skip: skip, times: 3) { try wrapper.run() }
    }
  }

  @Test(arguments: wrappers)
  func failureIsPassedOn(wrapper: Wrapper) throws {
    for skip in 0..<wrapper.calls {
      #expect(throws: Errno.inputOutput, "call \(skip)") {
        try Faults.force(wrapper.call, .inputOutput, skip: skip) { try wrapper.run() }
      }
    }
    // No call beyond the last one.
    try Faults.force(wrapper.call, .inputOutput, skip: wrapper.calls) { try wrapper.run() }
  }

  @Test func failureLeavesNoDescriptorOpen() async {
    await #expect(processExitsWith: .success) {
      let count = { (0..<1024).count { fcntl($0, F_GETFD) >= 0 } }
      for wrapper in wrappers {
        for skip in 0...wrapper.calls {
          // Many times, because the test runner has files of its own that come and go.
          let before = count()
          for _ in 0..<20 {
            try? Faults.force(wrapper.call, .tooManyOpenFiles, skip: skip) { try wrapper.run() }
          }
          #expect(count() < before + 20, "\(wrapper.name), call \(skip)")
        }
      }
    }
  }

  @Test func everyDescriptorIsClosedOnExec() async {
    await #expect(processExitsWith: .success) {
      let inheritable = {
        let numbers = (0..<1024).filter { (number: Int32) -> Bool in
          let flags = fcntl(number, F_GETFD)
          return flags >= 0 && flags & FD_CLOEXEC == 0
        }
        return Set(numbers)
      }
      let before = inheritable()
      let file = try null()
      let copy = try file.duplicate()
      let below = try openFile("version", in: try proc())
      let listener = try ListenSocket(loopback)
      let client = try connect(to: listener.address)
      let accepted = try listener.accept()
      let signals = try SignalFD([])
      let kept: [Any] = [
        try EventLoop(), try EventFD(), try PidFD(pid: processID()), try Waiter(),
      ]
      // The test runner has files of its own that come and go.
      #expect(eventually { before.isSuperset(of: inheritable()) })
      _ = (file.raw, copy.raw, below.raw, listener.fd.raw, client.raw, accepted.raw, signals.fd.raw)
      _ = kept.count
    }
  }

  @Test func skipAndTimesAreCounted() throws {
    var outcomes: [Bool] = []
    Faults.force(.open, .accessDenied, skip: 2, times: 3) {
      for _ in 0..<7 { outcomes.append((try? null()) != nil) }
    }
    #expect(outcomes == [true, true, false, false, false, true, true])
    _ = try null()
  }

  @Test func plansNestAndEndWithTheirBody() throws {
    Faults.force(.open, .accessDenied, skip: 1) {
      Faults.force(.stat, .inputOutput) {
        _ = #expect(throws: Errno.inputOutput) { try fileFacts(try null()) }
      }
      _ = #expect(throws: Errno.accessDenied) { _ = try null() }
    }
    Faults.force(.stat, .inputOutput) {}
    _ = try fileFacts(try null())
  }

  @Test func faultsAreSeenByTheirThreadOnly() throws {
    try Faults.force(.open, .accessDenied) {
      try onOwnThread { #expect(throws: Never.self) { _ = try null() } }
      #expect(throws: Errno.accessDenied) { _ = try null() }
    }
  }

  @Test func callIsRepeatedWhenItSaysInterrupted() throws {
    var outcomes = [(-1, EINTR), (-1, EINTR), (7, 0), (-1, EIO), (0, 0)].makeIterator()
    let call = {
      guard let (result, code) = outcomes.next() else { return -1 }
      errno = code
      return result
    }
    #expect(try attempt(.other, call) == 7)
    #expect(throws: Errno.inputOutput) { try attempt(.other, call) }
    #expect(try attempt(.other, call) == 0)
  }

  @Test func lostDescriptorTraps() async {
    await #expect(processExitsWith: .failure) {
      let file = try null()
      close(file.raw)
      _ = try? fileFacts(file)
      exit(0)
    }
  }

  @Test func lostMemoryTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = try? attempt(.other) { pipe(UnsafeMutablePointer<Int32>(bitPattern: 8)) }
      exit(0)
    }
  }
}

/// A blocking connection to a listening socket.
func connect(to address: ListenAddress) throws -> OwnedFD {
  switch address {
  case .ipv4(let host, let port):
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = host.bigEndian
    return try connect(AF_INET, &name)
  case .ipv6(let host, let port):
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: host) }
    return try connect(AF_INET6, &name)
  case .any(let port): return try connect(to: .ipv4(0x7f00_0001, port: port))
  case .unix(let path):
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    return try connect(AF_UNIX, &name)
  case .vsock: throw Errno.addressFamilyNotSupported
  }
}

private func connect<Name>(_ family: Int32, _ name: inout Name) throws -> OwnedFD {
  let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
  let client = OwnedFD(adopting: socket(family, kind, 0))
  let code = withUnsafePointer(to: &name) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      Glibc.connect(client.raw, $0, socklen_t(MemoryLayout<Name>.size))
    }
  }
  if code != 0 { throw Errno(errno) }
  return client
}
