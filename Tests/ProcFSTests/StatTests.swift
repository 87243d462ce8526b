import Testing

@testable import ProcFS

@Suite struct StatTests {
  static let recorded =
    "1 (systemd) S 0 1 1 0 -1 4194560 36498 15838370 17 3632 487 1868 86493 11453 20 0 13 0 30 "
    + "46092288 3785 18446744073709551615 1 1 0 0 0 0 0 4096 1256 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

  private func stat(_ text: String) throws(ParseError) -> Stat {
    try parse(text) { bytes throws(ParseError) in try Stat(bytes, facts) }
  }

  private func name(_ comm: [UInt8]) throws -> [UInt8] {
    let line = Array("812 (".utf8) + comm + Array(Self.recorded.utf8.drop { $0 != 0x29 })
    let stat = try parse(line) { bytes throws(ParseError) in try Stat(bytes, facts) }
    // Whatever the name is, the fields behind it are the same.
    #expect(stat.userTicks == 487 && stat.threads == 13, "\(comm)")
    return stat.name.bytes
  }

  @Test func readsARecordedLine() throws {
    let stat = try stat(Self.recorded)
    #expect(stat.name.bytes == Array("systemd".utf8))
    #expect(stat.state == UInt8(ascii: "S"))
    #expect(stat.parent == 0)
    #expect(stat.minorFaults == 36498)
    #expect(stat.majorFaults == 17)
    #expect(stat.userTicks == 487)
    #expect(stat.systemTicks == 1868)
    #expect(stat.childrenUserTicks == 86493)
    #expect(stat.childrenSystemTicks == 11453)
    #expect(stat.threads == 13)
    #expect(stat.startTicks == 30)
    #expect(stat.virtualBytes == 46_092_288)
    #expect(stat.residentBytes == 3785 * 16384)
    #expect(stat.nice == 0 && stat.realtimePriority == 0 && stat.schedulingPolicy == 0)
    #expect(!stat.hasEnded)
  }

  @Test(arguments: [
    "a b ) ( c d", ")", "(", "))", ") S 1", "", " ", "a\nb", "\t", "\\", "\"", "kworker/u8:1-e",
  ])
  func namesWithSyntax(comm: String) throws {
    #expect(try name(Array(comm.utf8)) == Array(comm.utf8))
  }

  @Test func namesThatAreNoText() throws {
    #expect(try name([0xFF, 0xC3, 0x28, 0x80]) == [0xFF, 0xC3, 0x28, 0x80])
  }

  @Test func longNamesOfKernelWorkersAreCut() throws {
    #expect(try name(Array("kworker/u16:2-events_unbound".utf8)) == Array("kworker/u16:2-e".utf8))
  }

  @Test func kernelThread() throws {
    let stat = try stat(
      "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 30 0 0 18446744073709551615 "
        + "0 0 0 0 0 0 0 2147483647 0 1 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n")
    #expect(stat.virtualBytes == 0 && stat.residentBytes == 0 && stat.threads == 1)
  }

  @Test(
    arguments: [
      ("S", 1, false), ("R", 1, false), ("D", 1, false), ("T", 1, false), ("t", 1, false),
      ("Z", 1, true), ("X", 1, true), ("x", 1, true), ("Z", 0, true),
      // Only the first thread has ended; others run.
      ("Z", 2, false),
      // It is gone; perhaps another one has taken its place.
      ("X", 0, false), ("x", 0, false), ("X", 2, false),
    ] as [(String, UInt64, Bool)])
  func hasEnded(state: String, threads: UInt64, ended: Bool) throws {
    let line =
      "7 (a) \(state) 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 \(threads) 0 30 0 0"
      + String(repeating: " 0", count: 28) + "\n"
    let stat = try stat(line)
    #expect(stat.hasEnded == ended)
    #expect(stat.isSuperseded == (threads == 0 && state.lowercased() == "x"))
  }

  /// PF_EXITING says so before the state does; with other threads it is about the first one only.
  @Test(
    arguments: [
      ("R", 4, 1, true), ("R", 0x40_0100, 1, false), ("R", 0x40_0104, 2, false), ("Z", 0, 1, true),
    ] as [(String, UInt64, UInt64, Bool)])
  func isEnding(state: String, flags: UInt64, threads: UInt64, ending: Bool) throws {
    let line =
      "7 (a) \(state) 1 1 1 0 -1 \(flags) 0 0 0 0 0 0 0 0 20 0 \(threads) 0 30 0 0"
      + String(repeating: " 0", count: 28) + "\n"
    #expect(try stat(line).isEnding == ending)
  }

  @Test func futureFieldsArePassedOver() throws {
    let longer = Self.recorded.dropLast() + " 7 8 9 words too\n"
    #expect(try stat(String(longer)) == stat(Self.recorded))
  }

  @Test func carriageReturnEndsTheLine() throws {
    #expect(try stat(String(Self.recorded.dropLast()) + "\r\n") == stat(Self.recorded))
  }

  /// Fields of the line, by their numbers in proc(5).
  private func replacing(_ field: Int, with text: String) -> String {
    var words = Self.recorded.split(separator: " ").map(String.init)
    words[field - 1] = text
    return words.joined(separator: " ")
  }

  @Test(arguments: [(19, -20), (19, 19), (40, 99), (41, 7)])
  func scheduling(field: Int, number: Int) throws {
    let stat = try stat(replacing(field, with: "\(number)"))
    #expect(Int(stat.nice) == (field == 19 ? number : 0))
    #expect(Int(stat.realtimePriority) == (field == 40 ? number : 0))
    #expect(Int(stat.schedulingPolicy) == (field == 41 ? number : 0))
  }

  @Test(arguments: [10, 12, 14, 15, 16, 17, 20, 22, 23, 40, 41])
  func largestNumber(field: Int) throws {
    let stat = try stat(replacing(field, with: "18446744073709551615"))
    let values = [
      stat.minorFaults, stat.majorFaults, stat.userTicks, stat.systemTicks, stat.childrenUserTicks,
      stat.childrenSystemTicks, stat.threads, stat.startTicks, stat.virtualBytes,
      stat.realtimePriority, stat.schedulingPolicy,
    ]
    #expect(values.count { $0 == .max } == 1)
  }

  @Test(
    arguments: [
      (4, "ppid"), (10, "minflt"), (12, "majflt"), (14, "utime"), (15, "stime"), (16, "cutime"),
      (17, "cstime"), (19, "nice"), (20, "num_threads"), (22, "starttime"), (23, "vsize"),
      (24, "rss"), (40, "rt_priority"), (41, "policy"),
    ] as [(Int, StaticName)],
    [twoToThe64, "99999999999999999999999999999999999999", "x", "12x", "0x1f", "1.5", "--1", "+1"])
  func fieldsThatAreNoNumbers(field: (number: Int, name: StaticName), text: String) {
    #expect(throws: ParseError(field: field.name)) {
      try stat(replacing(field.number, with: text))
    }
  }

  @Test(arguments: [10, 12, 14, 15, 20, 22, 23, 24, 40, 41])
  func negativeNumbersAreErrors(field: Int) {
    #expect(throws: ParseError.self) { try stat(replacing(field, with: "-1")) }
  }

  @Test func parentMayBeNegativeButNotHuge() throws {
    #expect(try stat(replacing(4, with: "-1")).parent == -1)
    #expect(try stat(replacing(4, with: "2147483647")).parent == .max)
    for huge in ["2147483648", "-2147483649", "-9223372036854775808", "9223372036854775808"] {
      #expect(throws: ParseError(field: "ppid")) { try stat(replacing(4, with: huge)) }
    }
  }

  /// A line cut inside its last field that is read has a smaller number there; cut before that, it
  /// is an error.
  @Test func truncatedAfterEveryByte() throws {
    let whole = try stat(Self.recorded)
    let bytes = Array(Self.recorded.utf8)
    // Field 41 stands behind the fortieth blank.
    let lastField = bytes.indices.filter { bytes[$0] == 0x20 }[39] + 1
    for length in 0...bytes.count {
      let cut = try? parse(Array(bytes.prefix(length))) { bytes throws(ParseError) in
        try Stat(bytes, facts)
      }
      #expect((cut != nil) == (length > lastField), "length \(length)")
      if let cut { #expect(cut == whole, "length \(length)") }
    }
  }

  @Test(arguments: [
    "", "\n", "(", ")", "()", "1 (a)", "1 (a) ", "1 (a) S", "1 (a) S 1", "1 )a( S 1",
  ])
  func fragments(text: String) {
    #expect(throws: ParseError.self) { try stat(text) }
  }
}
