import GoRuntime
import Metrics

/// What the groups ``Group/goLatencies`` and ``Group/goCPU`` count in one run of a program.
struct GoExtraCounts: Cumulative {
  var latencies = TimeHistogram()
  var pauses = TimeHistogram()
  var cpuTimes = CPUTimes()
  var cgoCalls: UInt64 = 0

  static let zero = GoExtraCounts()

  static func + (left: GoExtraCounts, right: GoExtraCounts) -> GoExtraCounts {
    left.combined(with: right) { $0 &+ $1 }
  }

  func continues(_ before: GoExtraCounts) -> Bool { true }

  func combined(
    with other: GoExtraCounts, _ combine: (UInt64, UInt64) -> UInt64
  ) -> GoExtraCounts {
    var result = self
    for index in latencies.counts.indices {
      result.latencies.counts[index] = combine(
        latencies.counts[index], other.latencies.counts[index])
      result.pauses.counts[index] = combine(pauses.counts[index], other.pauses.counts[index])
    }
    for field in CPUTimes.fields {
      result.cpuTimes[keyPath: field] = combine(
        cpuTimes[keyPath: field], other.cpuTimes[keyPath: field])
    }
    result.cgoCalls = combine(cgoCalls, other.cgoCalls)
    return result
  }
}

extension CPUTimes {
  fileprivate static var fields: [WritableKeyPath<CPUTimes, UInt64>] {
    [
      \.assist, \.dedicated, \.idleMark, \.pause, \.collection, \.scavengeAssist,
      \.scavengeBackground, \.scavenge, \.idle, \.user, \.total,
    ]
  }
}

/// Distributions as Go's client library has them.
enum GoDistributions {
  /// The pauses of garbage collections.
  ///
  /// - Parameters:
  ///   - latest: The latest pauses of each process, in nanoseconds, of which the quantiles are; nil if
  ///     they are not known.
  ///   - total: Nanoseconds of all that there ever were.
  ///   - cycles: How many there ever were.
  /// - Returns: The summary; its quantiles are 0 before the first cycle.
  /// - Source: `runtime/debug/garbage.go`, `ReadGCStats()`.
  static func pauses(latest: [[UInt64]]?, total: UInt64, cycles: UInt64) -> Distribution {
    let sorted = latest?.joined().sorted() ?? []
    let last = CollectorFigures.pauseQuantiles.count - 1
    let points = (0...last).map { index -> Reading in
      if latest == nil { return .absent }
      if sorted.isEmpty { return .whole(0) }
      return .real(Double(sorted[min(sorted.count * index / last, sorted.count - 1)]) / 1e9)
    }
    return Distribution(points: points, sum: Double(total) / 1e9, count: cycles)
  }

  static func histogram(_ histogram: TimeHistogram) -> Distribution {
    Distribution(buckets: histogram.counts, sum: histogram.sum)
  }
}

extension Catalogue {
  /// How long the latest garbage collections stopped the program.
  static let goPauseSummary: TargetRow = .distribution(
    "go_gc_duration_seconds", .summary, .seconds, .go, points: CollectorFigures.pauseQuantiles,
    from: .go,
    "Time that the program was stopped for each of the latest 256 garbage collections, with sum and number of all there ever were (pause_ns, pause_total_ns and numgc of runtime.memstats)."
  ) { $0.pauseSummary }

  /// What only tells of waiting.
  static let goLatencies: [TargetRow] = [
    .distribution(
      "go_sched_latencies_seconds", .histogram, .seconds, .goLatencies,
      points: TimeHistogram.bounds, from: .go,
      otel: Convention("go.schedule.duration", "s", .histogram),
      "Time that goroutines waited to run, of one in eight times; the sum is the least that it can be (timeToRun of runtime.sched)."
    ) { $0.extraCounts(.latencies).map { GoDistributions.histogram($0.latencies) } },
    .distribution(
      "go_sched_pauses_total_gc_seconds", .histogram, .seconds, .goLatencies,
      points: TimeHistogram.bounds, from: .go,
      otel: Convention("go.memory.gc.pause.duration", "s", .histogram),
      "Time that the program was stopped for garbage collection, twice in a cycle; the sum is the least that it can be (stwTotalTimeGC of runtime.sched, since Go 1.22)."
    ) { $0.extraCounts(.pauses).map { GoDistributions.histogram($0.pauses) } },
  ]

  /// What CPU time went into.
  static let goCPU: [TargetRow] = [
    .cpu(
      "gc_mark_assist", "goroutines that had to help garbage collection before they could allocate",
      "GCAssistTime", \.assist),
    .cpu(
      "gc_mark_dedicated", "garbage collection on processors of its own", "GCDedicatedTime",
      \.dedicated),
    .cpu(
      "gc_mark_idle", "garbage collection on processors that had nothing else to do", "GCIdleTime",
      \.idleMark),
    .cpu("gc_pause", "pauses for garbage collection, of all processors", "GCPauseTime", \.pause),
    .cpu("gc_total", "garbage collection", "GCTotalTime", \.collection, state: "gc"),
    .cpu("idle", "nothing", "IdleTime", \.idle, state: "idle"),
    .cpu(
      "scavenge_assist", "returning memory before more could be taken", "ScavengeAssistTime",
      \.scavengeAssist),
    .cpu(
      "scavenge_background", "returning memory in the background", "ScavengeBgTime",
      \.scavengeBackground),
    .cpu("scavenge_total", "returning memory", "ScavengeTotalTime", \.scavenge, state: "scavenge"),
    .cpu("total", "anything or nothing: GOMAXPROCS times the clock", "TotalTime", \.total),
    .cpu("user", "the program itself", "UserTime", \.user, state: "user"),
  ]

  /// Calls of C functions.
  static let goCgo: TargetRow = .single(
    "go_cgo_calls_total", .counter, .none, .goCgo, from: .go,
    "Calls of C functions, of programs with symbols (runtime.ncgocall, and ncgocall of each thread)."
  ) { .init($0.extraCounts(.cgoCalls)?.cgoCalls) }

  /// What a selection needs beyond the group go.
  static func goExtras(_ selection: Selection) -> GoExtras {
    var extras: GoExtras = []
    for (row, extra) in zip(goLatencies, [GoExtras.latencies, .pauses])
    where includes(row, selection) {
      extras.insert(extra)
    }
    if goCPU.contains(where: { includes($0, selection) }) { extras.insert(.cpuTimes) }
    if includes(goCgo, selection) { extras.insert(.cgoCalls) }
    return extras
  }
}

extension TargetRow {
  fileprivate static func cpu(
    _ name: String, _ what: String, _ field: String,
    _ value: any KeyPath<CPUTimes, UInt64> & Sendable, state: String? = nil
  ) -> TargetRow {
    .single(
      "go_cpu_classes_\(name)_cpu_seconds_total", .counter, .seconds, .goCPU, from: .go,
      in: .nanoseconds, otel: state.map { .sum("go.cpu.time", "s", "go.cpu.state", $0) },
      "CPU time that went into \(what), as of the last garbage collection (\(field) of runtime.work.cpuStats, since Go 1.20)."
    ) { .init($0.extraCounts(.cpuTimes)?.cpuTimes[keyPath: value]) }
  }
}
