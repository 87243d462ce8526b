import Linux

/// Memory of a process with its fair share of what it shares with others, from
/// `/proc/PID/smaps_rollup`, since Linux 4.14.
///
/// - Kernel: `fs/proc/task_mmu.c`, `show_smaps_rollup()`; `Documentation/filesystems/proc.rst`.
/// - Shape: a line with the range of addresses, then lines of `Name:   number kB`.
/// - Cost: walks the page tables, about 60 milliseconds for each GiB resident in small pages; holds
///   the process' mmap lock for reading meanwhile, and waits for it.
/// - Permission: same user, else CAP_SYS_PTRACE or CAP_PERFMON.
package struct SmapsRollup: Sendable, Equatable {
  /// Pss: each resident page divided by the number of processes that map it.
  package var proportionalBytes: UInt64
  /// SwapPss: the same of pages in swap.
  package var proportionalSwapBytes: UInt64?
  /// Private_Clean and Private_Dirty: resident pages that no other process maps.
  package var uniqueBytes: UInt64

  /// Reads the lines that are known and passes over the others.
  ///
  /// - Throws: A line that is missing or not a number.
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    var proportional: UInt64?
    var clean: UInt64?
    var dirty: UInt64?
    var at = Cursor()
    while at.nextLine(bytes) {
      try Self.read(bytes, &at, "Pss:", "Pss", &proportional)
      try Self.read(bytes, &at, "SwapPss:", "SwapPss", &proportionalSwapBytes)
      try Self.read(bytes, &at, "Private_Clean:", "Private_Clean", &clean)
      try Self.read(bytes, &at, "Private_Dirty:", "Private_Dirty", &dirty)
    }
    guard let proportional else { throw ParseError(field: "Pss") }
    guard let clean else { throw ParseError(field: "Private_Clean") }
    guard let dirty else { throw ParseError(field: "Private_Dirty") }
    proportionalBytes = proportional
    uniqueBytes = clean &+ dirty
  }

  private static func read(
    _ bytes: Span<UInt8>, _ at: inout Cursor, _ key: StaticString, _ field: StaticName,
    _ value: inout UInt64?
  ) throws(ParseError) {
    guard bytes.hasPrefix(key, at: at.index) else { return }
    at.skipWord(bytes)
    value = try at.kibibytes(bytes, field)
  }
}
