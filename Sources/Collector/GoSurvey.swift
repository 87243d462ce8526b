package import GoRuntime
import Linux
import Metrics
import ProcFS
import Targets

/// What the Go runtimes of a target's processes say of themselves; processes that run no Go program
/// do not matter.
package struct GoSurvey {
  /// What only rises in one run of a program.
  struct Counts: Cumulative {
    var allocatedBytes: UInt64 = 0
    var allocations: UInt64 = 0
    /// Without those of tiny objects.
    var objects: UInt64 = 0
    var frees: UInt64 = 0
    var cycles: UInt64 = 0
    var pauseNanoseconds: UInt64 = 0
    var extras = GoExtraCounts.zero

    static let zero = Counts()

    static func + (left: Counts, right: Counts) -> Counts {
      left.combined(with: right) { $0 &+ $1 }
    }

    /// A run that goes on is never another one: ``GoReader/Run`` tells them apart.
    func continues(_ before: Counts) -> Bool { true }

    /// The highest that is known; what is read of memory that changes meanwhile must not fall.
    mutating func raise(to other: Counts) { self = combined(with: other, max) }

    private func combined(
      with other: Counts, _ combine: (UInt64, UInt64) -> UInt64
    ) -> Counts {
      Counts(
        allocatedBytes: combine(allocatedBytes, other.allocatedBytes),
        allocations: combine(allocations, other.allocations),
        objects: combine(objects, other.objects), frees: combine(frees, other.frees),
        cycles: combine(cycles, other.cycles),
        pauseNanoseconds: combine(pauseNanoseconds, other.pauseNanoseconds),
        extras: extras.combined(with: other.extras, combine))
    }
  }

  /// What was ever known of a run.
  private struct Progress {
    var counts = Counts.zero
    var knowsHeap = false
    var knowsCollector = false
    var knowsExtras: GoExtras = []
  }

  /// How many runs that are over are remembered in case their processes come back.
  private static let memory = 4096

  /// Those of each Go process; nil unless all of them were accepted.
  package private(set) var heap: [HeapFigures]?
  package private(set) var scheduler: [SchedulerFigures]?
  package private(set) var collector: [CollectorFigures]?
  private(set) var versions: Set<String> = []
  /// Whether each group could be read of all of them; empty if there are none.
  private var acceptance: [FigureGroup: Bool] = [:]

  private var processes: [ProcessIdentity] = []
  private var ledger = Ledger<GoReader.Run, Counts>(memory: memory)
  private var progress: [GoReader.Run: Progress] = [:]
  private var knows = (heap: false, collector: false)
  private var lacks = (heap: false, collector: false)

  /// What is read beyond the group go, what was ever read of it, and what was not of each run.
  var extras: GoExtras = []
  private var knowsExtras: GoExtras = []
  private var lacksExtras: GoExtras = []
  private(set) var pauseSummary: Distribution?

  /// Of all runs that were ever seen; nil as long as one has not been read.
  var heapCounts: Counts? { knows.heap && !lacks.heap ? ledger.sum : nil }
  var collectorCounts: Counts? { knows.collector && !lacks.collector ? ledger.sum : nil }

  var groups: [(name: String, isAccepted: Bool)] {
    acceptance.map { ($0.key.rawValue, $0.value) }
  }

  /// Those of all runs that were ever seen; nil as long as one of them has not been read.
  func extraCounts(_ extra: GoExtras) -> GoExtraCounts? {
    knowsExtras.subtracting(lacksExtras).contains(extra) ? ledger.sum.extras : nil
  }

  mutating func begin() {
    (heap, scheduler, collector) = (nil, nil, nil)
    versions = []
    acceptance = [:]
    processes = []
    lacks = (false, false)
    lacksExtras = []
    ledger.begin()
  }

  mutating func visit(_ member: Member, _ target: Target, _ patient: PatientReader) {
    // The kernel's own threads have no memory of their own.
    if member.stat.isKernelThread { return }
    processes.append(member.identity)
    patient.go.want(member, target, extras)
  }

  mutating func finish(_ target: Target, _ patient: PatientReader) {
    var alive: Set<GoReader.Run> = []
    for process in processes {
      guard let (finding, run, isLate) = patient.go.finding(process) else { continue }
      if isLate { target.note(.late(.mem), pid: process.pid) }
      switch finding {
      case .other: continue
      case .sample(let sample): take(sample, run, target)
      case .failure(let error): target.note(error, pid: process.pid)
      case .unreadable(let why): note(why, run, target)
      case .pending: break
      }
      alive.insert(run)
      if case .sample = finding {} else { refuseAll() }
      ledger.keep(run)
      let known = progress[run] ?? Progress()
      lacks.heap = lacks.heap || !known.knowsHeap
      lacks.collector = lacks.collector || !known.knowsCollector
      lacksExtras.formUnion(extras.subtracting(known.knowsExtras))
    }
    ledger.finish()
    if acceptance[.heap] == false { heap = nil }
    if acceptance[.scheduler] == false { scheduler = nil }
    if acceptance[.gc] == false { collector = nil }
    // Sum and count only rise, so they are there without quantiles of this collection, too.
    pauseSummary = collectorCounts.map {
      GoDistributions.pauses(
        latest: collector?.map(\.pauses), total: $0.pauseNanoseconds, cycles: $0.cycles)
    }
    if progress.count > alive.count + Self.memory {
      progress = progress.filter { alive.contains($0.key) }
    }
  }

  private mutating func take(_ sample: GoSample, _ run: GoReader.Run, _ target: Target) {
    versions.insert(sample.version)
    var known = progress[run] ?? Progress()
    var counts = Counts.zero
    if case .success(let figures) = sample.heap {
      heap = (heap ?? []) + [figures]
      counts.allocatedBytes = figures.allocatedBytes
      counts.allocations = figures.allocatedObjects &+ figures.tinyObjects
      counts.objects = figures.allocatedObjects
      counts.frees = figures.freedObjects &+ figures.tinyObjects
      known.knowsHeap = true
      knows.heap = true
    }
    if case .success(let figures) = sample.scheduler { scheduler = (scheduler ?? []) + [figures] }
    if case .success(let figures) = sample.collector {
      collector = (collector ?? []) + [figures]
      counts.cycles = figures.cycles
      counts.pauseNanoseconds = figures.pauseTotal
      known.knowsCollector = true
      knows.collector = true
    }
    if case .success(let found) = sample.latencies {
      counts.extras.latencies = found
      known.knowsExtras.insert(.latencies)
    }
    if case .success(let found) = sample.pauses {
      counts.extras.pauses = found
      known.knowsExtras.insert(.pauses)
    }
    if case .success(let found) = sample.cpuTimes {
      counts.extras.cpuTimes = found
      known.knowsExtras.insert(.cpuTimes)
    }
    if case .success(let found) = sample.cgoCalls {
      counts.extras.cgoCalls = found
      known.knowsExtras.insert(.cgoCalls)
    }
    knowsExtras.formUnion(known.knowsExtras)
    known.counts.raise(to: counts)
    progress[run] = known
    ledger.note(run, known.counts)
    for (group, refusal) in sample.groups {
      acceptance[group] = refusal == nil && acceptance[group] ?? true
      if let refusal { note("\(group.rawValue): \(refusal)", run, target) }
    }
  }

  private mutating func refuseAll() {
    for group in FigureGroup.always { acceptance[group] = false }
  }

  private func note(_ why: String, _ run: GoReader.Run, _ target: Target) {
    target.note(
      Trouble(.file(.mem), .malformed),
      "process \(run.process.pid): figures of its Go runtime are left out, because what is in its "
        + "memory is not as it should be: \(why)")
  }
}
