import Metrics
import ProcFS
package import Targets

/// The few figures of a target that a person looks at; nil is what is not known now.
package struct Vitals: Sendable {
  /// Numbers of processes that are told.
  private static let pidLimit = 5

  package var key: TargetKey
  package var status: Health.Status
  /// Which processes are wanted.
  package var selector = Selector()
  package var processes = 0
  /// The first of them.
  package var pids: [Int32] = []
  /// The name of the first process.
  package var command = ""
  /// Its command line, cut; nil if that is not told.
  package var commandLine: String?
  /// Whether more processes or targets fit than its limits let in.
  package var isAmbiguous = false
  /// How many processes are in which state, without those that none is in.
  package var states: [(name: String, count: Int)] = []
  /// When the oldest process started, in seconds since 1970.
  package var startSeconds: Double?
  package var restarts: UInt64 = 0
  /// What could not be found out, with a sentence each.
  package var troubles: [(trouble: Trouble, detail: String)] = []
  /// What is above a threshold.
  package var crossed: [Threshold.Finding] = []

  // Sums over all processes there ever were.
  package var cpuSeconds, storageBytes, majorFaults, switches: Double?
  package var residentBytes, openDescriptors, threads, goroutines, heapBytes: Double?
  /// How much memory the control groups let them use.
  package var memoryLimitBytes: Double?
  /// How many descriptors a process may have, and what share of that the worst one has.
  package var descriptorLimit, descriptorRatio: Double?

  package init(key: TargetKey, status: Health.Status) {
    self.key = key
    self.status = status
  }

  init(_ state: TargetState, _ facts: SystemFacts, _ lines: CommandLines) {
    let target = state.target
    key = target.key
    selector = target.rule.selector
    troubles = target.standingTroubles.sorted { $0.sortKey < $1.sortKey }
      .map { ($0, target.detail(of: $0)) }
    processes = target.processes
    crossed = state.crossed
    status =
      Health.TargetHealth(
        name: key.name, processes: processes, troubles: troubles.map(\.trouble),
        thresholds: crossed
      ).status
    pids = target.members.prefix(Self.pidLimit).map(\.pid)
    command =
      target.members.first.map { String(decoding: $0.stat.name.bytes, as: UTF8.self) } ?? ""
    commandLine = lines[target.members.first]
    isAmbiguous =
      target.leavesOut || target.standingTroubles.contains(Trouble(.target, .limit))
    let letters = target.members.map(\.stat.state)
    states = ThreadState.allCases.map { name in
      (name.rawValue, letters.count { ThreadState(letter: $0) == name })
    }.filter { $0.count > 0 }
    startSeconds = target.members.map(\.identity.startTicks).min().map(facts.epochSeconds)
    restarts = target.restarts
    // Sums of those that ended are no figures of a target that has nobody or was not looked at.
    if !state.isFresh { return }
    let figures = Self.places.map(state.figure)
    residentBytes = figures[1]
    openDescriptors = figures[2]
    descriptorLimit = figures[3]
    descriptorRatio = figures[4]
    threads = figures[5]
    memoryLimitBytes = state.sample.cgroups?.memoryLimitBytes.map { Double($0) }
    goroutines = state.goroutines
    heapBytes = state.heapBytes
    // A sum that stands still because a process could not be read is no rate of 0.
    guard target.members.allSatisfy(\.hasFreshStat) else { return }
    cpuSeconds = figures[0].map { $0 / Double(facts.ticksPerSecond) }
    majorFaults = figures[6]
    storageBytes = Self.sum(figures[7], figures[8])
    switches = Self.sum(figures[9], figures[10])
  }

  private static func sum(_ left: Double?, _ right: Double?) -> Double? {
    left == nil && right == nil ? nil : (left ?? 0) + (right ?? 0)
  }

  /// Where figures stand in ``Catalogue/process``.
  private static let places = [
    "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
    "process_max_fds", "process_fd_usage_ratio", "process_threads",
    "process_major_page_faults_total", "process_io_storage_read_bytes_total",
    "process_io_storage_written_bytes_total", "process_context_switches_voluntary_total",
    "process_context_switches_involuntary_total",
  ].map(Catalogue.place)
}

/// What this program itself uses.
package struct OwnUsage: Sendable, Equatable {
  package var cpuSeconds: Double
  package var residentBytes: Double
  package var openDescriptors: Double?

  package init(cpuSeconds: Double, residentBytes: Double, openDescriptors: Double?) {
    self.cpuSeconds = cpuSeconds
    self.residentBytes = residentBytes
    self.openDescriptors = openDescriptors
  }
}

extension OwnUsage {
  init(_ stat: Stat, _ openDescriptors: UInt64?, _ facts: SystemFacts) {
    self.init(
      cpuSeconds: facts.seconds(ticks: stat.userTicks &+ stat.systemTicks),
      residentBytes: Double(stat.residentBytes), openDescriptors: openDescriptors.map { Double($0) }
    )
  }
}

extension Sight {
  /// What is to be told of targets after a collection, and of this program itself.
  init(
    _ seconds: Double, _ states: [TargetState], _ facts: SystemFacts, _ wantsLines: Bool,
    _ lines: CommandLines, _ own: () -> (stat: Stat, openDescriptors: UInt64?)?
  ) {
    let shown = states.filter(\.target.isShown)
    if wantsLines { lines.read(shown.compactMap(\.target.members.first)) }
    self.init(
      seconds: seconds, targets: shown.map { Vitals($0, facts, lines) },
      own: own().map { OwnUsage($0.stat, $0.openDescriptors, facts) })
  }
}

/// What a collection found for those who look.
package struct Sight: Sendable {
  /// When, in seconds since 1970.
  package var seconds: Double
  /// In the order of the page.
  package var targets: [Vitals]
  package var own: OwnUsage?

  package init(seconds: Double, targets: [Vitals], own: OwnUsage? = nil) {
    self.seconds = seconds
    self.targets = targets
    self.own = own
  }
}
