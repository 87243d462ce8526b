import Testing

@testable import ProcFS

@Suite struct StatusTests {
  static let recorded = """
    Name:\tapp
    Umask:\t0022
    State:\tS (sleeping)
    Tgid:\t1
    PPid:\t0
    Uid:\t1000\t0\t0\t0
    Gid:\t1000\t33\t33\t33
    FDSize:\t512
    Groups:\t\u{20}
    VmPeak:\t   49960 kB
    VmSize:\t   45012 kB
    VmLck:\t   44980 kB
    VmPin:\t       0 kB
    VmHWM:\t   17500 kB
    VmRSS:\t   15356 kB
    RssAnon:\t    8984 kB
    RssFile:\t       8 kB
    RssShmem:\t    6364 kB
    VmData:\t   37576 kB
    VmStk:\t     132 kB
    VmExe:\t    5260 kB
    VmLib:\t       9 kB
    VmPTE:\t     128 kB
    VmSwap:\t       1 kB
    HugetlbPages:\t    2048 kB
    CoreDumping:\t0
    Threads:\t13
    SigQ:\t1/96365
    NoNewPrivs:\t0
    Mems_allowed_list:\t0
    voluntary_ctxt_switches:\t337
    nonvoluntary_ctxt_switches:\t58

    """

  private func status(_ text: String) throws(ParseError) -> Status {
    try parse(text) { bytes throws(ParseError) in try Status(bytes) }
  }

  @Test func readsARecordedFile() throws {
    let status = try status(Self.recorded)
    #expect(status.peakVirtualBytes == 49960 << 10)
    #expect(status.lockedBytes == 44980 << 10)
    #expect(status.peakResidentBytes == 17500 << 10)
    #expect(status.anonymousBytes == 8984 << 10)
    #expect(status.fileBytes == 8 << 10)
    #expect(status.sharedBytes == 6364 << 10)
    #expect(status.dataBytes == 37576 << 10)
    #expect(status.stackBytes == 132 << 10)
    #expect(status.textBytes == 5260 << 10)
    #expect(status.libraryBytes == 9 << 10)
    #expect(status.pageTableBytes == 128 << 10)
    #expect(status.swapBytes == 1 << 10)
    #expect(status.hugetlbBytes == 2048 << 10)
    #expect(status.voluntarySwitches == 337)
    #expect(status.involuntarySwitches == 58)
  }

  @Test func kernelThreadsAndZombiesHaveNoMemory() throws {
    let status = try status(
      "Name:\tkthreadd\nState:\tS (sleeping)\nKthread:\t1\nThreads:\t1\n"
        + "voluntary_ctxt_switches:\t79\nnonvoluntary_ctxt_switches:\t0\n")
    #expect(status.voluntarySwitches == 79 && status.involuntarySwitches == 0)
    #expect(status.peakVirtualBytes == nil && status.swapBytes == nil)
    #expect(status.anonymousBytes == nil && status.hugetlbBytes == nil)
  }

  @Test func linesOfAnOlderKernelAreAbsent() throws {
    let older = Self.recorded.split(separator: "\n").filter { !$0.hasPrefix("Rss") }
    let status = try status(older.joined(separator: "\n"))
    #expect(status.anonymousBytes == nil && status.fileBytes == nil && status.sharedBytes == nil)
    #expect(status.peakResidentBytes == 17500 << 10)
  }

  @Test func futureLinesArePassedOver() throws {
    let more = "VmNew:\tx\nV\nVm\nRssNew:\t1 kB\nHugetlb\nvoluntary\nnon\n\n\n\u{1F4A5}:\t9\n"
    let text = Self.recorded.replacing("CoreDumping", with: more + "CoreDumping")
    #expect(try status(text) == status(Self.recorded))
    #expect(try status(Self.recorded + more) == status(Self.recorded))
  }

  /// The kernel escapes line feeds here; a name cannot pose as another line.
  @Test func nameIsPassedOver() throws {
    let ugly = Self.recorded.replacing("\tapp\n", with: "\ta\\nVmHWM: 1 kB ) (\\x{FF}\n")
    #expect(try status(ugly) == status(Self.recorded))
  }

  @Test func carriageReturnsEndNumbers() throws {
    let text = Self.recorded.replacing("\n", with: "\r\n")
    #expect(try status(text) == status(Self.recorded))
  }

  @Test func largestNumbers() throws {
    let most = UInt64.max >> 10
    let switches = try status("Name:\ta\nvoluntary_ctxt_switches:\t18446744073709551615\n")
    #expect(switches.voluntarySwitches == .max)
    #expect(try status("Name:\ta\nVmHWM:\t\(most) kB\n").peakResidentBytes == most << 10)
    #expect(throws: ParseError(field: "VmHWM")) { try status("Name:\ta\nVmHWM:\t\(most + 1) kB\n") }
  }

  @Test(
    arguments: [
      ("VmPeak:", "VmPeak"), ("VmLck:", "VmLck"), ("VmHWM:", "VmHWM"), ("RssAnon:", "RssAnon"),
      ("RssFile:", "RssFile"), ("RssShmem:", "RssShmem"), ("VmData:", "VmData"),
      ("VmStk:", "VmStk"), ("VmExe:", "VmExe"), ("VmLib:", "VmLib"), ("VmPTE:", "VmPTE"),
      ("VmSwap:", "VmSwap"), ("HugetlbPages:", "HugetlbPages"),
      ("voluntary_ctxt_switches:", "voluntary_ctxt_switches"),
      ("nonvoluntary_ctxt_switches:", "nonvoluntary_ctxt_switches"), ("Uid:", "Uid"),
      ("Uid:\t7", "Uid"), ("Gid:", "Gid"), ("Gid:\t7", "Gid"), ("SigQ:", "SigQ"),
      ("SigQ:\t7/", "SigQ"),
    ] as [(String, StaticName)], ["", " ", "-1 kB", "x kB", "12kB", twoToThe64])
  func valuesThatAreNoNumbers(line: (key: String, field: StaticName), value: String) {
    #expect(throws: ParseError(field: line.field)) {
      try status("Name:\ta\n\(line.key)\t\(value)\nThreads:\t1\n")
    }
  }

  @Test(
    arguments: [
      ("0/0", 0, 0), ("2/96365", 2, 96365), ("7/18446744073709551615", 7, nil),
    ] as [(String, UInt64, UInt64?)])
  func pendingSignals(text: String, pending: UInt64, limit: UInt64?) throws {
    let status = try status("Name:\ta\nSeccomp:\t0\nSigQ:\t\(text)\nSigPnd:\t00\n")
    #expect(status.pendingSignals == pending && status.pendingSignalsLimit == limit)
  }

  @Test func realUserComesBeforeTheEffectiveOne() throws {
    let status = try status("Name:\ta\nUmask:\t0\nUid:\t7\t8\t9\t10\nGid:\t1\t2\t3\t4\n")
    #expect(status.userID == 7 && status.effectiveUserID == 8 && status.effectiveGroupID == 2)
    #expect(try self.status("Name:\ta\nUid:\t4294967295\t8\n").userID == .max)
    #expect(try self.status("Name:\ta\nTgid:\t812\nPid:\t813\n").threadGroup == 812)
    #expect(try self.status("Name:\ta\nThreads:\t2\n").threadGroup == nil)
    let none = try self.status("Name:\ta\nGroups:\t4 5\n")
    #expect(none.userID == nil && none.effectiveUserID == nil && none.effectiveGroupID == nil)
    for line in ["Uid:\t4294967296\t8", "Uid:\t8\t4294967296"] {
      #expect(throws: ParseError(field: "Uid")) { try self.status("Name:\ta\n\(line)\n") }
    }
  }

  @Test(arguments: ["", "\n", "Name", "VmHWM:\t1 kB\n", " Name:\ta\n", "\0"])
  func firstLineIsTheName(text: String) {
    #expect(throws: ParseError(field: "Name")) { try status(text) }
  }
}
