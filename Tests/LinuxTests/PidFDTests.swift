import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite struct PidFDTests {
  private func isReadable(_ pidfd: PidFD, atMost milliseconds: Int32 = 0) -> Bool {
    var entry = pollfd(fd: pidfd.fd.raw, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, milliseconds) == 1
  }

  /// Whether the kernel tells how a process ended (since Linux 6.15).
  private static let kernelTells: Bool = {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: &name.release) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    let numbers = release.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
    return (numbers.first ?? 0, numbers.dropFirst().first ?? 0) >= (6, 15)
  }()

  @Test(arguments: [
    ("exit 0", Linux.ExitStatus.exited(code: 0)), ("exit 1", .exited(code: 1)),
    ("exit 255", .exited(code: 255)), ("exit 256", .exited(code: 0)),
    ("kill -9 $$", .signalled(signal: 9, coreDumped: false)),
    ("kill -15 $$", .signalled(signal: 15, coreDumped: false)),
    ("ulimit -c 0; kill -6 $$", .signalled(signal: 6, coreDumped: false)),
  ])
  func tellsTheEnd(script: String, expected: Linux.ExitStatus) throws {
    let child = try Child("echo ready; read line; \(script)")
    let pidfd = try PidFD(pid: child.pid)
    #expect(!isReadable(pidfd))
    #expect(pidfd.exitStatus() == nil)
    child.writeLine()
    #expect(isReadable(pidfd, atMost: 30_000), "readable before its parent reaps it")
    #expect(Linux.ExitStatus(waitStatus: child.reap()) == expected)
    #expect(isReadable(pidfd))
    #expect(pidfd.exitStatus() == (Self.kernelTells ? expected : nil))
  }

  @Test(
    arguments: [
      (0x0000, Linux.ExitStatus.exited(code: 0)), (0x0100, .exited(code: 1)),
      (0x7f00, .exited(code: 127)), (0xff00, .exited(code: 255)),
      (0x0009, .signalled(signal: 9, coreDumped: false)),
      (0x008b, .signalled(signal: 11, coreDumped: true)),
      (0x0086, .signalled(signal: 6, coreDumped: true)),
      (0x0040, .signalled(signal: 64, coreDumped: false)),
    ] as [(Int32, Linux.ExitStatus)])
  func statusOfWait(status: Int32, expected: Linux.ExitStatus) {
    #expect(Linux.ExitStatus(waitStatus: status) == expected)
  }

  @Test func endedProcess() throws {
    let child = try Child("echo ready")
    child.reap()
    #expect(throws: Errno.noSuchProcess) { _ = try PidFD(pid: child.pid) }
  }

  @Test(arguments: [(Int32.max, Errno.noSuchProcess), (0, .invalid), (-1, .invalid)])
  func noProcess(pid: Int32, expected: Errno) {
    #expect(throws: expected) { _ = try PidFD(pid: pid) }
  }

  @Test func thread() throws {
    let ready = try EventFD()
    let done = try EventFD()
    let number = Atomic<Int32>(0)
    let thread = try Thread(name: "thread") {
      number.store(currentThreadID(), ordering: .sequentiallyConsistent)
      ready.signal()
      _ = done.wait(atMost: nil)
    }
    #expect(ready.wait(atMost: .seconds(30)))
    let error = #expect(throws: Errno.self) {
      _ = try PidFD(pid: number.load(ordering: .sequentiallyConsistent))
    }
    // ENOENT since Linux 6.15.
    #expect(error == .invalid || error == .notFound)
    done.signal()
    thread.join()
  }
}
