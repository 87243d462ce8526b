/// What was read of one Go runtime at one moment; a group that did not pass its checks says why.
package struct GoSample: Sendable {
  /// As `runtime.Version()` has it.
  package var version: String
  package var heap: Result<HeapFigures, Refusal>
  package var scheduler: Result<SchedulerFigures, Refusal>
  package var collector: Result<CollectorFigures, Refusal>
  /// Nil if they were not asked for, or if this version has none.
  package var latencies: Result<TimeHistogram, Refusal>?
  package var pauses: Result<TimeHistogram, Refusal>?
  package var cpuTimes: Result<CPUTimes, Refusal>?
  package var cgoCalls: Result<UInt64, Refusal>?

  package init(
    version: String, heap: Result<HeapFigures, Refusal>,
    scheduler: Result<SchedulerFigures, Refusal>, collector: Result<CollectorFigures, Refusal>
  ) {
    self.version = version
    self.heap = heap
    self.scheduler = scheduler
    self.collector = collector
  }
}

/// A group of figures that is checked as a whole; the value of the label `group`.
package enum FigureGroup: String, Sendable {
  case heap, scheduler, gc
  case latencies, pauses, cpu, cgo

  /// Those that are always read.
  package static let always: [FigureGroup] = [.heap, .scheduler, .gc]
}

extension GoSample {
  /// What became of each group that was read: nil, or why it was refused.
  package var groups: [(group: FigureGroup, refusal: Refusal?)] {
    func refusal<Figures>(_ figures: Result<Figures, Refusal>) -> Refusal? {
      if case .failure(let refusal) = figures { refusal } else { nil }
    }
    var groups: [(group: FigureGroup, refusal: Refusal?)] = [(.heap, refusal(heap))]
    if refusal(scheduler) != .notTold { groups.append((.scheduler, refusal(scheduler))) }
    groups.append((.gc, refusal(collector)))
    if let latencies { groups.append((.latencies, refusal(latencies))) }
    if let pauses { groups.append((.pauses, refusal(pauses))) }
    if let cpuTimes { groups.append((.cpu, refusal(cpuTimes))) }
    if let cgoCalls { groups.append((.cgo, refusal(cgoCalls))) }
    return groups
  }
}

/// Why figures are not given.
package enum Refusal: Error, Hashable, Sendable {
  /// Whoever was asked has no such figures.
  case notTold
  case notRead
  /// Where the runtime keeps them was not found (yet).
  case notLocated(String)
  /// A check failed each time: the check, in words.
  case inconsistent(String)
}

/// Memory as `runtime/metrics` has it.
///
/// In bytes, or objects where that is said.
package struct HeapFigures: Sendable, Equatable {
  package var allocatedBytes: UInt64 = 0
  package var freedBytes: UInt64 = 0
  /// Objects, without tiny ones.
  package var allocatedObjects: UInt64 = 0
  package var freedObjects: UInt64 = 0
  /// Objects that were put together with others.
  package var tinyObjects: UInt64 = 0
  /// Spans that objects are in.
  package var inUse: UInt64 = 0
  package var released: UInt64 = 0
  package var free: UInt64 = 0
  package var stacksInUse: UInt64 = 0
  /// Stacks that the operating system has given to threads.
  package var stacksSys: UInt64 = 0
  package var spansInUse: UInt64 = 0
  package var spansSys: UInt64 = 0
  package var cachesInUse: UInt64 = 0
  package var cachesSys: UInt64 = 0
  package var buckHashSys: UInt64 = 0
  package var gcSys: UInt64 = 0
  package var otherSys: UInt64 = 0
  /// Everything that was obtained from the operating system.
  package var sys: UInt64 = 0
  /// At what size of the heap the next cycle ends.
  package var goal: UInt64 = 0
  /// What the last cycle found alive.
  package var marked: UInt64 = 0

  package init() {}
}

extension HeapFigures {
  /// Bytes of objects that were not freed.
  package var allocated: UInt64 { allocatedBytes &- freedBytes }
  package var objects: UInt64 { allocatedObjects &- freedObjects }
  package var mallocs: UInt64 { allocatedObjects &+ tinyObjects }
  package var frees: UInt64 { freedObjects &+ tinyObjects }
  package var idle: UInt64 { released &+ free }
  /// What the heap has of the operating system's memory, returned parts included.
  package var heapSys: UInt64 { inUse &+ idle }
  package var stackSys: UInt64 { stacksInUse &+ stacksSys }
}

/// Goroutines and threads.
package struct SchedulerFigures: Sendable, Equatable {
  /// Without the runtime's own.
  package var goroutines: UInt64 = 0
  package var threads: UInt64 = 0
  /// GOMAXPROCS; 0 if it is not told.
  package var processors: UInt64 = 0

  package init(goroutines: UInt64 = 0, threads: UInt64 = 0, processors: UInt64 = 0) {
    self.goroutines = goroutines
    self.threads = threads
    self.processors = processors
  }
}

/// The garbage collector.
package struct CollectorFigures: Sendable, Equatable {
  package var cycles: UInt64 = 0
  package var forcedCycles: UInt64 = 0
  /// Nanoseconds since 1970; 0 before the first.
  package var lastEnd: UInt64 = 0
  /// Nanoseconds.
  package var pauseTotal: UInt64 = 0
  /// Nanoseconds of the latest cycles, the latest first, at most 256.
  package var pauses: [UInt64] = []
  /// Share of the CPU since the start of the program, 0 to 1; not a number if it is not told.
  package var cpuFraction: Double = 0
  /// GOGC; -1 for off.
  package var percent: Int32 = 0
  /// GOMEMLIMIT, bytes; the largest number if it is not set.
  package var memoryLimit: Int64 = 0

  package init() {}

  /// Which quantiles of the pauses Go's client library tells.
  package static let pauseQuantiles = [0, 0.25, 0.5, 0.75, 1]

  /// Nanoseconds; 0 before the first cycle.
  package var averagePause: UInt64 { cycles == 0 ? 0 : pauseTotal / cycles }
}

extension Refusal: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notTold: "it is not told"
    case .notRead: "GOMAXPROCS changed each time that it was read"
    case .notLocated(let what): "\(what) was not found in the program's memory"
    case .inconsistent(let what): "\(what)"
    }
  }
}
