import Glibc
import TestSupport
import Testing

@testable import ProcFS

@Suite struct ResourceLimitsTests {
  static let recorded = """
    Limit                     Soft Limit           Hard Limit           Units\("     ")
    Max cpu time              unlimited            unlimited            seconds\("   ")
    Max stack size            8388608              unlimited            bytes\("     ")
    Max processes             96365                96365                processes\(" ")
    Max open files            1024                 524288               files\("     ")
    Max locked memory         8388608              8388608              bytes\("     ")
    Max address space         unlimited            unlimited            bytes\("     ")
    Max file locks            unlimited            unlimited            locks\("     ")
    Max nice priority         0                    0\("                    ")
    Max realtime timeout      unlimited            unlimited            us\("        ")

    """

  private func limits(_ text: String) throws(ParseError) -> ResourceLimits {
    try parse(text) { bytes throws(ParseError) in try ResourceLimits(bytes) }
  }

  @Test func readsARecordedFile() throws {
    let limits = try limits(Self.recorded)
    #expect(limits.openFiles == .init(soft: 1024, hard: 524288))
    #expect(limits.addressSpaceBytes == .init(soft: nil, hard: nil))
  }

  @Test(
    arguments: [
      ("0", 0), ("1", 1), ("unlimited", nil), ("18446744073709551614", UInt64.max - 1),
      // What RLIM_INFINITY would be as a number; the kernel writes a word for it.
      ("18446744073709551615", .max),
    ] as [(String, UInt64?)])
  func values(text: String, value: UInt64?) throws {
    let limits = try limits(testLimits(openFiles: text, addressSpace: text))
    #expect(limits.openFiles == .init(soft: value, hard: 32768))
    #expect(limits.addressSpaceBytes == .init(soft: value, hard: nil))
  }

  @Test(
    arguments: [("Max open files", "1024"), ("Max address space", "unlimited")]
      as [(StaticName, String)],
    ["", "-1", "x", "Unlimited", twoToThe64])
  func valuesThatAreNoLimits(line: (field: StaticName, value: String), text: String) {
    let rows = Self.recorded.split(separator: "\n").map { row in
      row.hasPrefix(line.field.description) ? "\(line.field)   \(text)\n" : "\(row)\n"
    }
    #expect(throws: ParseError(field: line.field)) { try limits(rows.joined()) }
  }

  @Test(arguments: ["Max open files", "Max address space"])
  func bothLinesAreNeeded(name: String) {
    let rows = Self.recorded.split(separator: "\n").filter { !$0.hasPrefix(name) }
    #expect(throws: ParseError.self) { try limits(rows.joined(separator: "\n")) }
  }

  private func everyLine(
    _ text: String
  ) throws(ParseError) -> [ResourceLimits.Resource: ResourceLimits.Pair] {
    var found: [ResourceLimits.Resource: ResourceLimits.Pair] = [:]
    try parse(text) { bytes throws(ParseError) in
      try ResourceLimits.read(bytes) { found[$0] = $1 }
    }
    return found
  }

  /// What this very process' file says, by `ulimit` in the words of another program.
  @Test func everyLineOfALiveProcess() throws {
    let found = try everyLine(String(decoding: try contents("/proc/self/limits"), as: UTF8.self))
    #expect(Set(found.keys) == Set(ResourceLimits.Resource.allCases))
    let numbers = [
      RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, __RLIMIT_RSS,
      __RLIMIT_NPROC, RLIMIT_NOFILE, __RLIMIT_MEMLOCK, RLIMIT_AS, __RLIMIT_LOCKS,
      __RLIMIT_SIGPENDING, __RLIMIT_MSGQUEUE, __RLIMIT_NICE, __RLIMIT_RTPRIO, __RLIMIT_RTTIME,
    ]
    for (resource, number) in zip(ResourceLimits.Resource.allCases, numbers) {
      var limit = rlimit()
      #expect(getrlimit(__rlimit_resource_t(number.rawValue), &limit) == 0)
      let pair = ResourceLimits.Pair(
        soft: limit.rlim_cur == .max ? nil : UInt64(limit.rlim_cur),
        hard: limit.rlim_max == .max ? nil : UInt64(limit.rlim_max))
      #expect(found[resource] == pair, "\(resource)")
    }
  }

  @Test func everyLineOfARecordedFile() throws {
    let found = try everyLine(Self.recorded)
    #expect(found.count == 9)
    #expect(found[.cpuSeconds] == .init())
    #expect(found[.stackBytes] == .init(soft: 8_388_608))
    #expect(found[.nicePriority] == .init(soft: 0, hard: 0))
    #expect(found[.memlockBytes] == .init(soft: 8_388_608, hard: 8_388_608))
    #expect(found[.fileSizeBytes] == nil)
  }

  @Test func futureLinesArePassedOver() throws {
    #expect(try limits(Self.recorded + "Max dreams   x y\n") == limits(Self.recorded))
  }

  @Test(arguments: ["", "\n", "Limit", "Max open files 1 1\nMax address space 1 1\n"])
  func headingIsNeeded(text: String) {
    #expect(throws: ParseError.self) { try limits(text) }
  }
}
