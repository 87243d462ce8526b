import Config
import Foundation
import Linux
import Testing

@Suite struct LoadTests {
  /// A directory that is removed after the test.
  private final class Directory {
    let path: String
    init() throws {
      path = FileManager.default.temporaryDirectory.path + "/config-" + UUID().uuidString
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ text: [UInt8]) throws -> String {
      try Data(text).write(to: URL(fileURLWithPath: path + "/c.yaml"))
      return path + "/c.yaml"
    }
  }

  private func problem(_ path: String) -> String? {
    #expect(throws: ConfigError.self) { try Configuration.load(path: path) }?.description
  }

  @Test func readsAFile() throws {
    let directory = try Directory()
    let path = try directory.file(Array("targets: [{name: a, pid: 1}]".utf8))
    #expect(
      try Configuration.load(path: path).collector.targets.map(\.rule.name.description) == ["a"])
    let link = directory.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(
      try Configuration.load(path: link).collector.targets.map(\.rule.name.description) == ["a"])
  }

  @Test func problemsNameTheFile() throws {
    let directory = try Directory()
    let path = try directory.file(Array("a: 1".utf8))
    #expect(
      problem(path) == "\(path):1:1: unknown key \"a\"; expected \(ProblemTests.keys(of: ""))")
  }

  @Test func otherThingsThanFiles() throws {
    let directory = try Directory()
    #expect(
      problem(directory.path)
        == "\(directory.path): expected a regular file, found a directory")
    #expect(problem("/dev/null") == "/dev/null: expected a regular file, found a device")
    let fifo = directory.path + "/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    #expect(problem(fifo) == "\(fifo): expected a regular file, found a FIFO")
    let missing = directory.path + "/none"
    #expect(
      problem(missing)
        == "\(missing): the file does not exist; create it, or name another one with --config.file")
    #expect(problem(missing + "/x")?.hasPrefix("\(missing)/x: the file does not exist") == true)
  }

  @Test func sizeIsLimited() throws {
    let directory = try Directory()
    let largest = [UInt8](repeating: 0x0A, count: 4 << 20)
    #expect(
      try Configuration.load(path: try directory.file(largest)).collector
        == Configuration().collector)
    let path = try directory.file(largest + [0x0A])
    #expect(problem(path) == "\(path): the file is longer than 4194304 bytes")
  }

  #if DEBUG
    @Test(
      arguments: [
        (
          .open, .accessDenied, "permission denied; the daemon's user must be able to read the file"
        ),
        (.open, .tooManyOpenFiles, "cannot read the file: Too many open files"),
        (.open, .noDeviceOrAddress, "expected a regular file, found a socket or device"),
        (.stat, .inputOutput, "cannot read the file: Input/output error"),
        (.read, .inputOutput, "cannot read the file: Input/output error"),
        (.read, .noMemory, "cannot read the file: Cannot allocate memory"),
      ] as [(SystemCall, Errno, String)])
    func faults(call: SystemCall, errno: Errno, expected: String) throws {
      let directory = try Directory()
      let path = try directory.file(Array("{}".utf8))
      #expect(Faults.force(call, errno) { problem(path) } == "\(path): \(expected)")
    }

    @Test func interruptedCallsAreRepeated() throws {
      let directory = try Directory()
      let path = try directory.file(Array("{}".utf8))
      for call in [SystemCall.open, .stat, .read] {
        let configuration = try Faults.force(call, .interrupted, times: 3) {
          try Configuration.load(path: path)
        }
        #expect(configuration.files == [path])
      }
    }

    @Test func failureAfterTheFirstRead() throws {
      let directory = try Directory()
      let path = try directory.file([UInt8](repeating: 0x0A, count: 100_000))
      #expect(
        Faults.force(.read, .inputOutput, skip: 2) { problem(path) }
          == "\(path): cannot read the file: Input/output error")
    }
  #endif
}
