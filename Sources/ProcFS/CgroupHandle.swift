package import Linux

/// One control group, held so that its path cannot come to mean another one.
///
/// Reads go through the directory's descriptor, or through files that are kept open: once the group
/// was removed they fail, whatever is at its path by then.
///
/// - Kernel: `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/`; `cgroups(7)`.
/// - Cost: 7 microseconds a file, 1 when it is kept open. Never waits.
/// - Permission: any user.
package final class CgroupHandle {
  /// Tells it from every other group of its hierarchy that there was or will be.
  package let inode: UInt64
  private let directory: OwnedFD
  private let isVersion2: Bool
  private var kept: [CgroupFile: Kept] = [:]

  /// A reference to a descriptor, for a dictionary.
  private final class Kept {
    let file: OwnedFD

    init(_ file: consuming OwnedFD) { self.file = file }
  }

  init(_ directory: consuming OwnedFD, _ inode: UInt64, _ hierarchy: CgroupHierarchy) {
    self.directory = directory
    self.inode = inode
    isVersion2 = hierarchy.isVersion2
  }

  /// How many files are kept open beside the directory.
  package var keptDescriptors: Int { kept.count }

  // MARK: What is in it

  /// Reads what memory it uses.
  ///
  /// - Parameters:
  ///   - buffer: Memory for the files' content.
  ///   - keep: Whether files may stay open for the next time.
  /// - Returns: The record; nil if its memory is not accounted for by itself.
  /// - Throws: `gone` (the group was removed), `denied`, `malformed`, `io`.
  package func memory(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> CgroupMemory? {
    guard let usage = try number(isVersion2 ? .memoryCurrent : .memoryUsage, &buffer, keep)
    else { return nil }
    var memory = CgroupMemory(usageBytes: usage)
    memory.peakBytes = try number(isVersion2 ? .memoryPeak : .memoryMaxUsage, &buffer, keep)
    if isVersion2 {
      memory.swapBytes = try number(.memorySwapCurrent, &buffer, keep)
      memory.events =
        try read(.memoryEvents, &buffer, keep) { bytes throws(ParseError) in
          try CgroupMemoryEvents(bytes)
        } ?? memory.events
    } else {
      // Not the usage of both less that of memory: the two are not of the same moment.
      memory.swapBytes = try read(.memoryStat, &buffer, keep) { bytes throws(ParseError) in
        try keyedNumber("total_swap", bytes)
      }
      memory.events.max = try number(.memoryFailures, &buffer, keep)
      memory.events.oomKill = try oomKills(&buffer, keep: keep)
    }
    return memory
  }

  /// Reads how many of its own processes the kernel has killed for memory; nil if it does not tell.
  ///
  /// Parameters and errors as in ``memory(_:keep:)``.
  package func oomKills(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> UInt64? {
    let files: [CgroupFile] =
      isVersion2 ? [.memoryEventsLocal, .memoryEvents] : [.memoryOOMControl]
    for file in files {
      let kills = try read(file, &buffer, keep) { bytes throws(ParseError) in
        try keyedNumber("oom_kill", bytes)
      }
      if let kills { return kills }
    }
    return nil
  }

  /// Reads how it is held back from the CPU; nil if it is not by itself.
  ///
  /// Parameters and errors as in ``memory(_:keep:)``.
  package func bandwidth(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> CgroupBandwidth? {
    guard let limit = try cpuLimit(&buffer, keep: keep) else { return nil }
    let isVersion2 = isVersion2
    return try read(.cpuStat, &buffer, keep) { bytes throws(ParseError) in
      var bandwidth = CgroupBandwidth(limitCores: limit)
      bandwidth.periods = try keyedNumber("nr_periods", bytes)
      bandwidth.throttledPeriods = try keyedNumber("nr_throttled", bytes)
      bandwidth.throttledNanoseconds =
        isVersion2
        ? try keyedNumber("throttled_usec", bytes).map { $0 &* 1000 }
        : try keyedNumber("throttled_time", bytes)
      return bandwidth
    }
  }

  /// Reads the CPU time of its processes, in nanoseconds; nil if it is not accounted for.
  ///
  /// Parameters and errors as in ``memory(_:keep:)``.
  package func cpuNanoseconds(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> UInt64? {
    if !isVersion2 { return try number(.cpuacctUsage, &buffer, keep) }
    return try read(.cpuStat, &buffer, keep) { bytes throws(ParseError) in
      try keyedNumber("usage_usec", bytes).map { $0 &* 1000 }
    }
  }

  /// Reads how many tasks there are; nil if they are not counted.
  ///
  /// Parameters and errors as in ``memory(_:keep:)``.
  package func tasks(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> CgroupTasks? {
    guard let count = try number(.pidsCurrent, &buffer, keep) else { return nil }
    return CgroupTasks(count: count, limit: try limit(.pidsMax, &buffer, keep))
  }

  /// Reads how long tasks had to wait; parameters and errors as in ``memory(_:keep:)``.
  package func pressure(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> CgroupPressure {
    func totals(_ file: CgroupFile) throws(ProcError) -> PressureTotals? {
      try read(file, &buffer, keep) { bytes throws(ParseError) in try PressureTotals(bytes) }
    }
    return CgroupPressure(
      cpu: try totals(.cpuPressure), io: try totals(.ioPressure),
      memory: try totals(.memoryPressure))
  }

  // MARK: What it limits

  /// Reads its own limits of memory; parameters and errors as in ``memory(_:keep:)``.
  package func memoryLimits(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> CgroupMemoryLimits {
    var limits = CgroupMemoryLimits()
    if isVersion2 {
      limits.bytes = try limit(.memoryMax, &buffer, keep)
      limits.highBytes = try limit(.memoryHigh, &buffer, keep)
      limits.swapBytes = try limit(.memorySwapMax, &buffer, keep)
    } else {
      limits.bytes = try limit(.memoryLimit, &buffer, keep)
      limits.withSwapBytes = try limit(.memoryWithSwapLimit, &buffer, keep)
    }
    return limits
  }

  /// Reads its own limit of tasks, nil for none; parameters and errors as in ``memory(_:keep:)``.
  package func taskLimit(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> UInt64? {
    try limit(.pidsMax, &buffer, keep)
  }

  /// Reads its own limit of CPU time in cores, infinity for none; nil if it cannot have one.
  ///
  /// Parameters and errors as in ``memory(_:keep:)``.
  package func cpuLimit(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> Double? {
    if isVersion2 {
      return try read(.cpuMax, &buffer, keep) { bytes throws(ParseError) in
        try CgroupNumber.cores(bytes)
      }
    }
    let quota = try read(.cpuQuota, &buffer, keep) { bytes throws(ParseError) in
      var at = Cursor()
      return try at.signed(bytes, CgroupFile.cpuQuota.rawValue)
    }
    guard let quota else { return nil }
    guard quota >= 0, let period = try number(.cpuPeriod, &buffer, keep), period > 0
    else { return .infinity }
    return Double(quota) / Double(period)
  }

  // MARK: Files

  private func number(
    _ file: CgroupFile, _ buffer: inout ReadBuffer, _ keep: Bool
  ) throws(ProcError) -> UInt64? {
    try read(file, &buffer, keep) { bytes throws(ParseError) in
      var at = Cursor()
      return try at.number(bytes, file.rawValue)
    }
  }

  private func limit(
    _ file: CgroupFile, _ buffer: inout ReadBuffer, _ keep: Bool
  ) throws(ProcError) -> UInt64? {
    try read(file, &buffer, keep) { bytes throws(ParseError) in
      try CgroupNumber.limit(bytes, file.rawValue)
    }
  }

  /// Reads a file and takes it apart; nil if there is none, or if the kernel has it for show only.
  private func read<Record>(
    _ file: CgroupFile, _ buffer: inout ReadBuffer, _ keep: Bool,
    _ body: (Span<UInt8>) throws(ParseError) -> Record?
  ) throws(ProcError) -> Record? {
    do throws(Errno) {
      if let kept = kept[file] {
        try buffer.readRecord(kept.file)
        if !keep { self.kept[file] = nil }
      } else {
        let opened = try openFile(file.rawValue.description, in: directory)
        try buffer.readRecord(opened)
        if keep { kept[file] = Kept(opened) }
      }
    } catch .notFound {
      return nil
    } catch .notSupported {
      return nil
    } catch .noDevice {
      throw .gone
    } catch {
      kept[file] = nil
      throw ProcError(file.source, error)
    }
    return try parse(file.source, buffer) { bytes throws(ParseError) in try body(bytes) }
  }
}

/// A file of a control group.
enum CgroupFile: StaticName, CaseIterable {
  // Version 2.
  case memoryCurrent = "memory.current"
  case memoryPeak = "memory.peak"
  case memorySwapCurrent = "memory.swap.current"
  case memoryEvents = "memory.events"
  case memoryEventsLocal = "memory.events.local"
  case memoryMax = "memory.max"
  case memoryHigh = "memory.high"
  case memorySwapMax = "memory.swap.max"
  case cpuMax = "cpu.max"
  case cpuPressure = "cpu.pressure"
  case ioPressure = "io.pressure"
  case memoryPressure = "memory.pressure"
  // Version 1.
  case memoryUsage = "memory.usage_in_bytes"
  case memoryMaxUsage = "memory.max_usage_in_bytes"
  case memoryStat = "memory.stat"
  case memoryFailures = "memory.failcnt"
  case memoryOOMControl = "memory.oom_control"
  case memoryLimit = "memory.limit_in_bytes"
  case memoryWithSwapLimit = "memory.memsw.limit_in_bytes"
  case cpuQuota = "cpu.cfs_quota_us"
  case cpuPeriod = "cpu.cfs_period_us"
  case cpuacctUsage = "cpuacct.usage"
  // Both.
  case cpuStat = "cpu.stat"
  case pidsCurrent = "pids.current"
  case pidsMax = "pids.max"

  var source: SourceFile {
    switch self {
    case .cpuPressure, .ioPressure, .memoryPressure: .pressure
    case .memoryEventsLocal, .memoryOOMControl: .oomKills
    default: .cgroupFiles
    }
  }
}
