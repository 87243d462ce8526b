import TestSupport
import Testing

@testable import ProcFS

/// Bytes that no kernel writes: every parser returns a record or an error, and never traps.
@Suite struct HostileTests {
  struct Parser: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sample: [UInt8]
    let parse: @Sendable ([UInt8]) throws -> Void

    init(_ name: String, _ sample: String, _ parse: @escaping @Sendable ([UInt8]) throws -> Void) {
      testDescription = name
      self.sample = Array(sample.utf8)
      self.parse = parse
    }
  }

  static let parsers = [
    Parser("stat", StatTests.recorded) { _ = try Stat($0.span, facts) },
    Parser("statm", "11253 3839 1593 1315 0 9427 0\n") { _ = try Statm($0.span, facts) },
    Parser("status", StatusTests.recorded) { _ = try Status($0.span) },
    Parser("io", IOTests.recorded) { _ = try IO($0.span) },
    Parser("limits", ResourceLimitsTests.recorded) { _ = try ResourceLimits($0.span) },
    Parser("limits, every line", ResourceLimitsTests.recorded) {
      try ResourceLimits.read($0.span) { _, _ in }
    },
    Parser("smaps_rollup", testSmapsRollup(proportional: 206)) { _ = try SmapsRollup($0.span) },
    Parser("users", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:\n") {
      _ = AccountNames($0.span)
    },
    Parser("cmdline", "/usr/bin/app\0--serve\0") { bytes in
      let line = CommandLine(bytes)
      #expect(line.text.count <= bytes.count && line.firstArgument.count <= bytes.count)
    },
    Parser("environ", "PATH=/bin\0HOME=/\0") { _ = Environment($0.span, ["PATH", "", "HOME"]) },
    Parser("package note", PackageNoteTests.text) { bytes in
      let version = PackageNote.version(json: bytes.span)
      #expect(version.map { (1...127).contains($0.utf8.count) } ?? true)
    },
    Parser("schedstat", "225222221 13037638 395\n") { _ = try Schedstat($0.span) },
    Parser("cgroup", "12:cpu,cpuacct:/docker\n0::/x\n") { _ = try Cgroup($0.span) },
    Parser("memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n") {
      _ = try CgroupMemoryEvents($0.span)
    },
    Parser("memory.max", "1073741824\n") { _ = try CgroupNumber.limit($0.span, "memory.max") },
    Parser("pids.max", "max\n") { _ = try CgroupNumber.limit($0.span, "pids.max") },
    Parser("cpu.max", "50000 100000\n") { _ = try CgroupNumber.cores($0.span) },
    Parser(
      "cpu.pressure",
      "some avg10=0.00 avg60=1.25 avg300=0.10 total=12345\nfull avg10=0.00 avg60=0.00 total=9\n"
    ) { _ = try PressureTotals($0.span) },
    Parser("memory.stat", "cache 1\ntotal_swap 4096\n") {
      _ = try keyedNumber("total_swap", $0.span)
    },
    Parser("netstat", NetStatisticsTests.recorded) { _ = try NetStatistics($0.span) },
    Parser("name", "a name") { #expect(ProcessName($0.span).bytes.count <= 15) },
  ]

  /// The only error there is names a field.
  private func check(_ parser: Parser, _ bytes: [UInt8], _ comment: @autoclosure () -> Comment) {
    do {
      try parser.parse(bytes)
    } catch let error as ParseError {
      if error.field.description.isEmpty { Issue.record(comment()) }
    } catch {
      Issue.record(error, comment())
    }
  }

  @Test(arguments: parsers)
  func sampleParses(parser: Parser) throws {
    try parser.parse(parser.sample)
  }

  @Test(arguments: parsers)
  func truncatedAfterEveryByte(parser: Parser) {
    for length in 0...parser.sample.count {
      check(parser, Array(parser.sample.prefix(length)), "length \(length)")
    }
  }

  @Test(arguments: parsers)
  func everyByteReplaced(parser: Parser) {
    for index in parser.sample.indices {
      var bytes = parser.sample
      for byte in Array("\0\t\n\r -9x:()".utf8) + [0x80, 0xFF] {
        bytes[index] = byte
        check(parser, bytes, "byte \(byte) at \(index)")
      }
    }
  }

  @Test(arguments: parsers)
  func randomBytes(parser: Parser) {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<2000 {
      check(parser, random.bytes(round % 300), "seed \(seed), round \(round)")
    }
  }

  @Test(arguments: parsers)
  func randomChanges(parser: Parser) {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<2000 {
      check(parser, random.mutated(parser.sample), "seed \(seed), round \(round)")
    }
  }
}
