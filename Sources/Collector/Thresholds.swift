import GoRuntime
import Linux
import Metrics
import Targets

/// A figure of a target that may be too high: a row of ``all``.
package struct Threshold: Sendable {
  /// How its numbers are written in a configuration.
  package enum Unit: Sendable {
    /// Above 0, at most 1.
    case ratio
    case bytes
    case count(ClosedRange<Int>)
    case duration
  }

  /// What the figure may be before the target is degraded, and before it is failing, in base units.
  package struct Levels: Sendable, Hashable {
    package var degraded: Double?
    package var failing: Double?

    /// Levels; without any, the threshold is off.
    package init(degraded: Double? = nil, failing: Double? = nil) {
      (self.degraded, self.failing) = (degraded, failing)
    }

    package var isOff: Bool { self == Levels() }

    func limit(_ status: Health.Status) -> Double? {
      switch status {
      case .ok: nil
      case .degraded: degraded
      case .failing: failing
      }
    }
  }

  /// What became of it in a collection.
  package struct Finding: Sendable, Equatable {
    package let name: String
    package let levels: Levels
    /// Nil if it is not known, which is above nothing.
    package let value: Double?

    package init(name: String, levels: Levels, value: Double?) {
      (self.name, self.levels, self.value) = (name, levels, value)
    }

    package var status: Health.Status {
      [.failing, .degraded].first { isAbove($0) == true } ?? .ok
    }

    /// Nil if it is not known, or there is no such level.
    func isAbove(_ level: Health.Status) -> Bool? {
      guard let value, let limit = levels.limit(level) else { return nil }
      return value > limit
    }

    /// "open_fds_ratio is 0.93, above 0.9 (degraded)".
    package var sentence: String { sentence(status, "above") }

    /// The same of a level that it is not above any longer.
    package func sentence(after status: Health.Status) -> String {
      sentence(status, "no longer above")
    }

    private func sentence(_ level: Health.Status, _ how: String) -> String {
      let limit = levels.limit(level).map(Self.digits) ?? "a threshold"
      return
        "\(name) is \(value.map(Self.digits) ?? "not known"), \(how) \(limit) (\(level.rawValue))"
    }

    /// A number with four digits behind the point, if it needs them.
    private static func digits(_ number: Double) -> String {
      if let whole = Int(exactly: number) { return String(whole) }
      return ((number * 1e4).rounded() / 1e4).description
    }
  }

  /// In configurations, at `/health` and as a label's value.
  package let name: String
  package let unit: Unit
  /// What has to be collected, or it is never known.
  package let groups: [Group]
  /// A sentence for the reference.
  package let meaning: String
  /// In base units; nil if it is not known.
  let read: @Sendable (TargetState) -> Double?

  package static let all = [
    Threshold(
      name: "open_fds_ratio", unit: .ratio, groups: [.core],
      meaning: "Open descriptors divided by their limit, of the process where that is most."
    ) { $0.figure(descriptorRatio) },
    Threshold(
      name: "resident_memory_bytes", unit: .bytes, groups: [.core],
      meaning: "Resident memory of all processes."
    ) { $0.figure(residentBytes) },
    Threshold(
      name: "resident_memory_ratio", unit: .ratio, groups: [.core, .cgroup],
      meaning: "The same, divided by what their control groups allow."
    ) { state in
      guard let bytes = state.figure(residentBytes),
        let limit = state.sample.cgroups?.memoryLimitBytes, limit > 0
      else { return nil }
      return bytes / Double(limit)
    },
    Threshold(
      name: "go_goroutines", unit: .count(1...1_000_000_000), groups: [.go],
      meaning: "Goroutines of all processes."
    ) { $0.goroutines },
    Threshold(
      name: "go_heap_bytes", unit: .bytes, groups: [.go],
      meaning: "Objects on the heaps of all processes, as `go_memstats_alloc_bytes` has them."
    ) { $0.heapBytes },
    Threshold(
      name: "go_gc_pause_seconds", unit: .duration, groups: [.go],
      meaning: """
        The longest time that a garbage collection stopped a program, of those that ended since the \
        look before, 256 at most; 0 if none did.
        """
    ) { state in
      state.isFresh ? state.sample.go?.longestPause.map { Double($0) / 1e9 } : nil
    },
    Threshold(
      name: "restarts", unit: .count(1...100), groups: [],
      meaning: "Restarts within `health.restart_interval`, as `process_restarts_total` counts them."
    ) { Double($0.recentRestarts.count) },
  ]

  /// Whether a selection has what it needs.
  package func applies(to selection: Selection) -> Bool {
    groups.allSatisfy { selection.has($0) }
  }

  private static let descriptorRatio = Catalogue.place("process_fd_usage_ratio")
  private static let residentBytes = Catalogue.place("process_resident_memory_bytes")
}

/// Levels by the places of their thresholds in ``Threshold/all``.
package typealias Thresholds = [Int: Threshold.Levels]

extension Thresholds {
  /// Those that are on and can be known with a selection.
  package func inForce(_ selection: Selection) -> Thresholds {
    filter { !$0.value.isOff && Threshold.all[$0.key].applies(to: selection) }
  }
}

/// The thresholds of a target, and what the log knows of them.
struct ThresholdSurvey {
  private var levels: [(place: Int, levels: Threshold.Levels)]
  /// Those of the last collection, in the order of ``Threshold/all``.
  private(set) var findings: [Threshold.Finding] = []
  /// By places; what is not above any level is not there.
  private var told: [Int: Health.Status] = [:]

  /// What is known of the same target so far goes on.
  init(_ thresholds: Thresholds, after before: ThresholdSurvey?) {
    levels = thresholds.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    if let before { told = before.told.filter { thresholds[$0.key] != nil } }
  }

  mutating func finish(_ state: TargetState) {
    findings = levels.map { place, levels in
      let threshold = Threshold.all[place]
      return Threshold.Finding(name: threshold.name, levels: levels, value: threshold.read(state))
    }
  }

  /// What is above another level than the log knows, with that level; what is not known any more may
  /// still be above it.
  mutating func takeChanges() -> [(finding: Threshold.Finding, before: Health.Status)] {
    var changes: [(finding: Threshold.Finding, before: Health.Status)] = []
    for (finding, (place, _)) in zip(findings, levels) where finding.value != nil {
      let (before, now) = (told[place] ?? .ok, finding.status)
      if before == now { continue }
      told[place] = now == .ok ? nil : now
      changes.append((finding, before))
    }
    return changes
  }

  /// Samples of `procvitals_threshold_crossed`.
  var samples: [(values: [String], reading: Reading)] {
    findings.flatMap { finding in
      [Health.Status.degraded, .failing].compactMap { level in
        finding.isAbove(level).map { ([finding.name, level.rawValue], .whole($0 ? 1 : 0)) }
      }
    }
  }
}

/// How often a target has restarted lately.
struct RestartHistory {
  /// Looks with restarts that are remembered: more than the highest threshold.
  static let limit = 128

  private var events: [(at: Instant, count: UInt64)] = []
  /// As of the last look.
  private var total: UInt64?

  /// Those within the interval of the last look; at least that many if it was more than ``limit``.
  var count: UInt64 { events.reduce(0) { $0 &+ $1.count } }

  /// Takes note of a look.
  ///
  /// - Parameters:
  ///   - total: Restarts ever.
  ///   - now: When it is.
  ///   - interval: How long a restart counts.
  mutating func note(_ total: UInt64, at now: Instant, within interval: Duration) {
    let new = total &- (self.total ?? total)
    self.total = total
    if new > 0 { events.append((now, new)) }
    let old = events.firstIndex { now - $0.at < interval } ?? events.count
    events.removeFirst(max(old, events.count - Self.limit))
  }
}

extension Catalogue {
  /// Where the row of a family stands in ``process``.
  static func place(_ name: String) -> Int? { process.firstIndex { $0.family.name == name } }
}

extension TargetState {
  /// Whether what is known of its processes is of this collection.
  var isFresh: Bool { !sample.isLate && !target.members.isEmpty }

  /// The value of a row of ``Catalogue/process`` in this collection.
  func figure(_ place: Int?) -> Double? {
    isFresh ? place.flatMap { tally.values[$0].number } : nil
  }

  var goroutines: Double? {
    isFresh ? sample.go?.scheduler.map { Double($0.sum(\.goroutines)) } : nil
  }

  var heapBytes: Double? {
    isFresh ? sample.go?.heap.map { Double($0.sum(\.allocated)) } : nil
  }

  /// What is above a threshold.
  var crossed: [Threshold.Finding] {
    (sample.thresholds?.findings ?? []).filter { $0.status != .ok }
  }

  /// Compares what a collection found with the thresholds.
  ///
  /// - Parameters:
  ///   - now: When the collection began.
  ///   - interval: How long a restart counts.
  func judge(at now: Instant, within interval: Duration) {
    // Away while the rest of the sample is looked at.
    guard var survey = sample.thresholds.take() else { return }
    recentRestarts.note(target.restarts, at: now, within: interval)
    survey.finish(self)
    sample.thresholds = survey
  }
}
