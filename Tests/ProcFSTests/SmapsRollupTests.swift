import TestSupport
import Testing

@testable import ProcFS

@Suite struct SmapsRollupTests {
  private func rollup(_ text: String) throws(ParseError) -> SmapsRollup {
    try parse(text) { bytes throws(ParseError) in try SmapsRollup(bytes) }
  }

  @Test func readsARecordedFile() throws {
    let rollup = try rollup(testSmapsRollup(proportional: 206, clean: 40, dirty: 116, swap: 3))
    #expect(rollup.proportionalBytes == 206 << 10)
    #expect(rollup.uniqueBytes == 156 << 10)
    #expect(rollup.proportionalSwapBytes == 3 << 10)
  }

  @Test func swapMayBeMissing() throws {
    let text = testSmapsRollup(proportional: 1).replacing("SwapPss", with: "Other")
    #expect(try rollup(text).proportionalSwapBytes == nil)
  }

  @Test(arguments: ["Pss", "Private_Clean", "Private_Dirty"] as [StaticName])
  func lineIsNeeded(field: StaticName) {
    let text = testSmapsRollup(proportional: 1).replacing("\n\(field):", with: "\nX:")
    #expect(throws: ParseError(field: field)) { try rollup(text) }
  }

  @Test(
    arguments: ["Pss", "SwapPss", "Private_Clean", "Private_Dirty"] as [StaticName],
    ["", " kB", "-1 kB", "x kB", twoToThe64, "18446744073709551615 kB"])
  func valuesThatAreNoNumbers(field: StaticName, value: String) {
    #expect(throws: ParseError(field: field)) {
      try rollup("1-2 [rollup]\n\(field): \(value)\nPss: 1 kB\n")
    }
  }

  @Test func largestNumbersDoNotTrap() throws {
    let most = UInt64.max >> 10
    let rollup = try rollup(testSmapsRollup(proportional: most, clean: most, dirty: most))
    #expect(rollup.proportionalBytes == most << 10)
  }

  /// A process that has ended leaves the file empty, or the read fails.
  @Test func emptyFileMeansThatTheProcessIsGone() throws {
    let held = try Held(7, in: TestProc().process(7).file("smaps_rollup", ""))
    #expect(throws: ProcError.gone) { try held.handle.hold.smapsRollup() }
  }

  @Test func kernelWithoutTheFileIsNoEndedProcess() throws {
    let held = try Held(7, in: TestProc().process(7).remove("smaps_rollup").remove("maps"))
    #expect(throws: ProcError.io(.smapsRollup, code: 2)) { try held.handle.hold.smapsRollup() }
    #expect(throws: ProcError.io(.maps, code: 2)) { try held.handle.hold.memoryMaps() }
  }

  /// The same as another reader of the other file, `smaps`, gets by adding up.
  @Test func ownMemoryIsWhatItsPartsAddUpTo() throws {
    let child = try Child("sleep", "1000")
    var held = try Held(child.pid, in: "/proc", facts: .current())
    let runs = try eventually {
      try held.handle.stat(&held.buffer, keep: false).name.bytes == Array("sleep".utf8)
    }
    #expect(runs)
    var sums: [Substring: UInt64] = [:]
    let agree = try eventually {
      let rollup = try held.handle.hold.smapsRollup()
      sums = [:]
      let text = String(decoding: try contents("/proc/\(child.pid)/smaps"), as: UTF8.self)
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.count == 3, words[2] == "kB", let number = UInt64(words[1]) {
          sums[words[0], default: 0] += number << 10
        }
      }
      // Each part is rounded down by itself, and others map and unmap what is shared.
      let slack = UInt64(text.split(separator: "VmFlags").count) << 10
      let proportional = sums["Pss:", default: 0]
      let unique = sums["Private_Clean:", default: 0] + sums["Private_Dirty:", default: 0]
      return rollup.uniqueBytes == unique && rollup.proportionalBytes >= proportional
        && rollup.proportionalBytes <= proportional + slack
    }
    #expect(agree, "\(sums)")
  }

  @Test func mapsAreCounted() throws {
    let tree = try TestProc().process(7)
    for count in [0, 1, 300] {
      try tree.file("maps", testMaps(count))
      #expect(try Held(7, in: tree).handle.hold.memoryMaps() == UInt64(count))
    }
    let child = try Child("sleep", "1000")
    let held = try Held(child.pid, in: "/proc", facts: .current())
    let agree = try eventually {
      let text = try contents("/proc/\(child.pid)/maps")
      return try held.handle.hold.memoryMaps() == UInt64(text.count { $0 == 0x0a })
    }
    #expect(agree)
  }
}
