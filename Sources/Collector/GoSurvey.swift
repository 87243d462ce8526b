import GoReports
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

  /// One run of a program.
  private enum Run: Hashable, Sendable {
    case process(GoReader.Run)
    /// Of one that tells its figures; there is another number when they begin anew.
    case address(GoAddress, UInt64)
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
  /// That of the cycles that ended since the collection before, in nanoseconds; 0 if there was none,
  /// nil if it is not known.
  private(set) var longestPause: UInt64?
  private(set) var versions: Set<String> = []
  /// Whether each group could be read of all of them; empty if there are none.
  private var acceptance: [FigureGroup: Bool] = [:]

  /// Where figures come from, if not from memory.
  var source: GoSource?
  private var processes: [ProcessIdentity] = []
  /// Where its processes tell their figures; those that name the same place are one program.
  private var addresses: Set<GoAddress> = []
  /// The numbers of the runs there, and the last that was given.
  private var runs: [GoAddress: UInt64] = [:]
  private var lastRun: UInt64 = 0
  private var ledger = Ledger<Run, Counts>(memory: memory)
  private var progress: [Run: Progress] = [:]
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
    (heap, scheduler, collector, longestPause) = (nil, nil, nil, nil)
    versions = []
    acceptance = [:]
    processes = []
    addresses = []
    lacks = (false, false)
    lacksExtras = []
    ledger.begin()
  }

  mutating func visit(_ member: Member, _ target: Target, _ patient: PatientReader) {
    // The kernel's own threads have no memory of their own.
    if member.stat.isKernelThread { return }
    if let source {
      guard let url = member.url(target) else { return }
      let address = GoAddress(source: source, url: url)
      addresses.insert(address)
      return patient.goSources.want(address)
    }
    processes.append(member.identity)
    patient.go.want(member, target, extras)
  }

  mutating func finish(_ target: Target, _ patient: PatientReader) {
    var alive: Set<Run> = []
    for process in processes {
      guard let (finding, processRun, isLate) = patient.go.finding(process) else { continue }
      if isLate { target.note(.late(.mem), pid: process.pid) }
      let run = Run.process(processRun)
      switch finding {
      case .other: continue
      case .sample(let sample): take(sample, run, target)
      case .failure(let error): target.note(error, pid: process.pid)
      case .unreadable(let why): note(why, run, target)
      case .pending: break
      }
      if case .sample = finding {} else { refuse(FigureGroup.always) }
      alive.insert(run)
    }
    for address in addresses {
      let (finding, isLate) = patient.goSources.finding(address)
      if isLate { note(address, .init(.late, "no answer within the time of the scrape"), target) }
      switch finding {
      case .sample(let told):
        let number = runNumber(address.place, told.sample)
        take(told.sample, .address(address.place, number), target)
      case .failure(let failure): note(address, failure, target)
      case .pending: break
      }
      if case .sample = finding {} else { refuse(address.source.kind.groups) }
      alive.insert(.address(address.place, runs[address.place] ?? 0))
    }
    for run in alive {
      ledger.keep(run)
      let known = progress[run] ?? Progress()
      lacks.heap = lacks.heap || !known.knowsHeap
      lacks.collector = lacks.collector || !known.knowsCollector
      lacksExtras.formUnion(extras.subtracting(known.knowsExtras))
    }
    ledger.finish()
    if acceptance[.heap] == false { heap = nil }
    if acceptance[.scheduler] == false { scheduler = nil }
    if acceptance[.gc] == false { (collector, longestPause) = (nil, nil) }
    // Sum and count only rise, so they are there without quantiles of this collection, too.
    pauseSummary = collectorCounts.map {
      GoDistributions.pauses(
        latest: collector?.map(\.pauses), total: $0.pauseNanoseconds, cycles: $0.cycles)
    }
    if progress.count > alive.count + Self.memory {
      progress = progress.filter { alive.contains($0.key) }
      let places = Set(addresses.map(\.place))
      runs = runs.filter { places.contains($0.key) }
    }
  }

  /// The number of the run that a sample is of: what has fallen is another run's.
  private mutating func runNumber(_ place: GoAddress, _ sample: GoSample) -> UInt64 {
    if let number = runs[place], let before = progress[.address(place, number)]?.counts {
      var counts = before
      counts.take(sample)
      var highest = counts
      highest.raise(to: before)
      // Times that go into CPU classes are estimates.
      highest.extras = counts.extras
      if counts == highest { return number }
    }
    lastRun += 1
    runs[place] = lastRun
    return lastRun
  }

  private mutating func take(_ sample: GoSample, _ run: Run, _ target: Target) {
    if !sample.version.isEmpty { versions.insert(sample.version) }
    var known = progress[run] ?? Progress()
    var counts = Counts.zero
    counts.take(sample)
    if case .success(let figures) = sample.heap {
      heap = (heap ?? []) + [figures]
      known.knowsHeap = true
      knows.heap = true
    }
    if case .success(let figures) = sample.scheduler { scheduler = (scheduler ?? []) + [figures] }
    if case .success(let figures) = sample.collector {
      collector = (collector ?? []) + [figures]
      if known.knowsCollector { note(figures, run, since: known.counts.cycles) }
      known.knowsCollector = true
      knows.collector = true
    }
    if case .success = sample.latencies { known.knowsExtras.insert(.latencies) }
    if case .success = sample.pauses { known.knowsExtras.insert(.pauses) }
    if case .success = sample.cpuTimes { known.knowsExtras.insert(.cpuTimes) }
    if case .success = sample.cgoCalls { known.knowsExtras.insert(.cgoCalls) }
    knowsExtras.formUnion(known.knowsExtras)
    known.counts.raise(to: counts)
    progress[run] = known
    ledger.note(run, known.counts)
    for (group, refusal) in sample.groups {
      acceptance[group] = refusal == nil && acceptance[group] ?? true
      if let refusal { note("\(group.rawValue): \(refusal)", run, target) }
    }
  }

  /// Looks for the longest pause of the cycles that ended since there were that many.
  private mutating func note(_ figures: CollectorFigures, _ run: Run, since cycles: UInt64) {
    // A page has quantiles of the latest pauses, of whatever cycle.
    if case .address(let address, _) = run, address.source.kind == .metrics { return }
    let new = Int(clamping: figures.cycles - min(figures.cycles, cycles))
    longestPause = max(longestPause ?? 0, figures.pauses.prefix(new).max() ?? 0)
  }

  private mutating func refuse(_ groups: [FigureGroup]) {
    for group in groups { acceptance[group] = false }
  }

  private func note(_ why: String, _ run: Run, _ target: Target) {
    switch run {
    case .process(let run):
      target.note(
        Trouble(.file(.mem), .malformed),
        "process \(run.process.pid): figures of its Go runtime are left out, because what is in its "
          + "memory is not as it should be: \(why)")
    case .address(let address, _): note(address, .init(.malformed, why), target)
    }
  }

  private func note(_ address: GoAddress, _ failure: GoAddress.Failure, _ target: Target) {
    target.note(
      Trouble(.goURL, failure.reason),
      "\(address.shown): no figures of the Go runtime: \(failure.detail)")
  }
}

extension GoSurvey.Counts {
  /// Takes what a sample has.
  fileprivate mutating func take(_ sample: GoSample) {
    if case .success(let figures) = sample.heap {
      allocatedBytes = figures.allocatedBytes
      allocations = figures.mallocs
      objects = figures.allocatedObjects
      frees = figures.frees
    }
    if case .success(let figures) = sample.collector {
      cycles = figures.cycles
      pauseNanoseconds = figures.pauseTotal
    }
    if case .success(let found) = sample.latencies { extras.latencies = found }
    if case .success(let found) = sample.pauses { extras.pauses = found }
    if case .success(let found) = sample.cpuTimes { extras.cpuTimes = found }
    if case .success(let found) = sample.cgoCalls { extras.cgoCalls = found }
  }
}
