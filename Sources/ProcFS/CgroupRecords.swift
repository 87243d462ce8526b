import Linux

/// Memory that the processes of a control group and of the groups in it are charged for.
package struct CgroupMemory: Sendable, Equatable {
  /// `memory.current` or `memory.usage_in_bytes`.
  package var usageBytes: UInt64
  /// `memory.peak` (Linux 5.19) or `memory.max_usage_in_bytes`.
  package var peakBytes: UInt64?
  /// `memory.swap.current` or `total_swap` of `memory.stat`.
  package var swapBytes: UInt64?
  package var events = CgroupMemoryEvents()
}

/// How often memory was short in a control group, from `memory.events`.
///
/// - Shape: lines `key number`. Version 1 has `max` as `memory.failcnt` and `oomKill` in
///   `memory.oom_control` (Linux 4.13), both without the groups in it.
package struct CgroupMemoryEvents: Sendable, Equatable {
  package var low, high, max, oom, oomKill, oomGroupKill: UInt64?

  init() {}

  init(_ bytes: Span<UInt8>) throws(ParseError) {
    low = try keyedNumber("low", bytes)
    high = try keyedNumber("high", bytes)
    max = try keyedNumber("max", bytes)
    oom = try keyedNumber("oom", bytes)
    oomKill = try keyedNumber("oom_kill", bytes)
    oomGroupKill = try keyedNumber("oom_group_kill", bytes)
  }
}

/// What a control group itself limits memory to; nil is not at all.
package struct CgroupMemoryLimits: Sendable, Equatable {
  /// `memory.max` or `memory.limit_in_bytes`.
  package var bytes: UInt64?
  /// `memory.high`.
  package var highBytes: UInt64?
  /// `memory.swap.max`.
  package var swapBytes: UInt64?
  /// `memory.memsw.limit_in_bytes`, which version 1 has instead.
  package var withSwapBytes: UInt64?
}

/// CPU bandwidth of a control group itself, from `cpu.max` (or `cpu.cfs_*`) and `cpu.stat`.
package struct CgroupBandwidth: Sendable, Equatable {
  /// Quota divided by period; infinity is no limit.
  package var limitCores: Double
  package var periods: UInt64?
  package var throttledPeriods: UInt64?
  package var throttledNanoseconds: UInt64?
}

/// Processes and threads in a control group and in the groups in it, and what it limits them to.
package struct CgroupTasks: Sendable, Equatable {
  package var count: UInt64
  package var limit: UInt64?
}

/// Time in which some, or all, tasks that had something to do waited, in microseconds.
///
/// - Shape: `some avg10=… avg60=… avg300=… total=N`, and a line `full` alike.
package struct PressureTotals: Sendable, Equatable {
  package var someMicroseconds: UInt64
  /// Missing for the CPU before Linux 5.13.
  package var fullMicroseconds: UInt64?

  init(_ bytes: Span<UInt8>) throws(ParseError) {
    guard let some = try Self.total("some ", "some", bytes) else {
      throw ParseError(field: "some")
    }
    someMicroseconds = some
    fullMicroseconds = try Self.total("full ", "full", bytes)
  }

  private static func total(
    _ kind: StaticString, _ field: StaticName, _ bytes: Span<UInt8>
  ) throws(ParseError) -> UInt64? {
    var at = Cursor()
    repeat {
      guard bytes.hasPrefix(kind, at: at.index) else { continue }
      while at.index < bytes.count, bytes[at.index] != 0x0a {
        at.skipBlanks(bytes)
        if bytes.hasPrefix("total=", at: at.index) {
          at.index += 6
          return try at.number(bytes, field)
        }
        let before = at.index
        at.skipWord(bytes)
        // A control character, which is neither blank nor part of a word.
        if at.index == before { break }
      }
      throw ParseError(field: field)
    } while at.nextLine(bytes)
    return nil
  }
}

/// The pressure of a control group and the groups in it; nil is what its kernel does not tell.
package struct CgroupPressure: Sendable, Equatable {
  package var cpu, io, memory: PressureTotals?
}

/// The texts of single numbers.
enum CgroupNumber {
  /// Version 1 writes "no limit" as the largest number of whole pages that 63 bits hold; pages have
  /// at most a mebibyte.
  private static let leastUnlimited: UInt64 = (1 << 63) - (1 << 20)

  /// A number, or `max` and what stands for it: nil.
  static func limit(_ bytes: Span<UInt8>, _ field: StaticName) throws(ParseError) -> UInt64? {
    if bytes.hasPrefix("max"), bytes.count == 3 || bytes[3] <= 0x20 { return nil }
    var at = Cursor()
    let value = try at.number(bytes, field)
    return value >= leastUnlimited ? nil : value
  }

  /// `cpu.max`: a quota, which may be `max`, and a period.
  static func cores(_ bytes: Span<UInt8>) throws(ParseError) -> Double {
    if bytes.hasPrefix("max ") { return .infinity }
    var at = Cursor()
    let quota = try at.number(bytes, "cpu.max")
    let period = try at.number(bytes, "cpu.max")
    if period == 0 { throw ParseError(field: "cpu.max") }
    return Double(quota) / Double(period)
  }
}
