import Metrics
import ProcFS
import Targets

/// What a collection remembers of a process for the next one.
struct ProcessState {
  var counters = Tally.none
  var threads = ThreadHistory()

  /// Goes on where another target of the same group left off.
  mutating func resume(_ before: ProcessState) {
    for index in counters.indices {
      counters[index] = Combination.largest(counters[index], before.counters[index])
    }
    threads = before.threads
  }
}

/// What targets of one name, which are one group by process-exporter's names, have in common.
final class TargetGroup {
  /// How many processes are remembered that left; when there are more, all of them are forgotten.
  private static let memory = 4096

  /// What the counters of vanished targets add to the sum over the present ones, less what targets
  /// keep of processes that count in another one since; wraps, by places in ``Catalogue/process``.
  private var balance = [UInt64](repeating: 0, count: Catalogue.process.count)
  /// Since when its counters count, in seconds since 1970; the same as long as there is a target.
  var createdSeconds: Double?
  /// Processes that left a target of the group alive and have not joined one since.
  private var left: [ProcessIdentity: ProcessState] = [:]

  /// The sum of a counter over all processes that ever belonged to a target of the group.
  ///
  /// - Parameters:
  ///   - sum: That over the targets.
  ///   - place: The row's place in the catalogue.
  /// - Returns: What the group has.
  func total(_ sum: Reading, _ place: Int) -> Reading {
    let balance = balance[place]
    if balance == 0 { return sum }
    switch sum {
    case .whole(let number): return .whole(UInt64(max(0, Int64(bitPattern: number &+ balance))))
    case .absent where Int64(bitPattern: balance) > 0: return .whole(balance)
    default: return sum
    }
  }

  /// Keeps the counters of a target that is no longer there.
  func retire(_ state: TargetState) {
    for row in state.rows where row.isCounter {
      if case .whole(let number) = state.tally.former[row.index] { balance[row.index] &+= number }
    }
  }

  /// Remembers a process that leaves alive: its target keeps its counters.
  func leave(_ process: ProcessIdentity, _ state: ProcessState) {
    if left.count >= Self.memory { left = [:] }
    left[process] = state
  }

  /// Takes out what a target keeps of a process that joins one of the group again.
  ///
  /// - Parameters:
  ///   - process: The process.
  ///   - state: The target that it joins.
  ///   - returned: What that one kept of it, and does no longer.
  /// - Returns: What it had when it left; nil if it never did.
  func join(
    _ process: ProcessIdentity, _ state: TargetState, returned: ProcessState? = nil
  ) -> ProcessState? {
    guard !left.isEmpty, let before = left.removeValue(forKey: process) else { return nil }
    for row in state.rows where row.isCounter {
      if case .whole(let number)? = returned?.counters[row.index] { balance[row.index] &+= number }
      if case .whole(let number) = before.counters[row.index] { balance[row.index] &-= number }
    }
    return before
  }
}

/// What of a page is counted for its targets.
enum Counting {
  case nothing
  /// What there is no room for, in the counter that pages have of it.
  case dropped
  /// That, and how many samples a target has.
  case everything
}

/// A target with all that a collection keeps about it.
final class TargetState {
  let target: Target
  let group: TargetGroup
  var sample: TargetSample
  private var labels = LabelCache()
  private var groupLabels = LabelCache()
  /// The rows that are on, and the files they need.
  private(set) var rows: [ActiveRow] = []
  private(set) var wanted = Wanted()
  var tally = Tally()
  /// Processes that left the target alive, by number, in case they come back.
  var departed: [Int32: ProcessState] = [:]
  private(set) var selection = Selection()
  /// Nil before the first look at it.
  var created: Created?
  var carry = CPUCarry()
  var shortLives = ShortLives()
  var recentRestarts = RestartHistory()

  /// How many samples the rows about the target as a whole have that are on and have no labels of
  /// their own.
  private var plainRows: [@Sendable (TargetSample) -> Int] = []
  /// Samples that the page still has room for.
  private var room = (plain: 0, labelled: 0)
  private var counting = Counting.everything
  /// Samples on the last page of which everything is counted, and what it had no room for.
  private(set) var series = 0
  private(set) var dropped = 0

  /// What the last collection told the log.
  var processes = 0
  var starts: UInt64 = 0
  var exits: [Exit: UInt64] = [:]

  /// What a probe can ask for; nil for what only stands for a rule.
  var probeKey: TargetKey? { target.kind == .rule ? nil : target.key }

  init(_ target: Target, _ group: TargetGroup, _ settings: CollectorSettings) {
    self.target = target
    self.group = group
    sample = TargetSample(target)
    configure(settings)
  }

  func configure(_ settings: CollectorSettings) {
    labels = LabelCache()
    groupLabels = LabelCache()
    // What only stands for a rule has no values of its own.
    let own = target.kind == .rule ? nil : settings.targets[target.ruleIndex]
    selection = own?.selection ?? Selection(includesDefault: false)
    let enabled = Catalogue.enabled(selection)
    rows = enabled.map(ActiveRow.init)
    sample.configure(selection, own?.goSource, own?.thresholds ?? [:])
    // What happens while nobody asks is not known later.
    if sample.thresholds == nil { recentRestarts = RestartHistory() }
    wanted = Catalogue.wanted(selection)
    wanted.files.formUnion(sample.files)
    plainRows = Catalogue.target.compactMap { row in
      guard row.group != nil, serves(row) else { return nil }
      switch row.value {
      case .single(let read): return { read($0) == .absent ? 0 : 1 }
      case .distribution(let read):
        let series = row.family.seriesOfDistribution
        return { read($0) == nil ? 0 : series }
      case .labelled: return nil
      }
    }
  }

  /// The labels of all its samples.
  func labels(_ style: Style) -> PreparedLabels {
    labels(
      style,
      [Label("target", target.name)] + target.key.labels.map { Label($0.name, $0.value) })
  }

  /// The labels of its group where families go by process-exporter's names.
  func groupLabels(_ style: Style) -> PreparedLabels {
    groupLabels(style, [Label(NamedRow.group, target.name)])
  }

  /// Whether rows are on that only exit records can fill.
  var wantsShortLived: Bool {
    Catalogue.lifecycle.contains { $0.sources.contains(.taskstats) && serves($0) }
  }

  /// Whether a family about the target as a whole is on.
  func serves(_ row: TargetRow) -> Bool { Catalogue.includes(row, selection) }

  /// Whether what a family says is of this collection: surveys keep what they found until the next.
  func isCurrent(_ row: TargetRow) -> Bool {
    !sample.isLate || row.group == nil || row.family.kind != .gauge
  }

  /// How many samples without labels of their own there are.
  var plainSamples: Int {
    rows.count { tally.values[$0.index] != .absent } + plainRows.reduce(0) { $0 + $1(sample) }
  }

  /// Starts a page on which the target has at most `limit` samples.
  ///
  /// - Parameters:
  ///   - limit: How many there may be.
  ///   - plain: How many there are without labels of their own.
  ///   - counting: What of it is counted.
  func beginPage(limit: Int, plain: Int, counting: Counting) {
    room = (plain: limit, labelled: max(0, limit - plain))
    self.counting = counting
    if counting == .everything { (series, dropped) = (0, 0) }
  }

  /// Whether the page has room for a sample of that many series; if not, that is counted.
  ///
  /// Labels are what makes series many, so samples without labels of their own come first.
  func hasRoom(labelled: Bool, series count: Int = 1) -> Bool {
    if (labelled ? room.labelled : room.plain) < count {
      if counting != .nothing { sample.droppedSeries += UInt64(count) }
      if counting == .everything { dropped += count }
      return false
    }
    if counting == .everything { series += count }
    if labelled { room.labelled -= count } else { room.plain -= count }
    return true
  }

  /// How processes ended since the last collection, for the log: "exited 1", "SIGKILL ×2".
  func endings() -> String {
    var parts: [String] = []
    for (exit, count) in target.exits {
      let new = count - exits[exit, default: 0]
      if new == 0 { continue }
      let how =
        switch exit.reason {
        case .exited: "exited \(exit.status)"
        case .signalled: exit.status
        case .dumped: "\(exit.status), core dumped"
        case .unknown: "unknown"
        }
      parts.append(new == 1 ? how : "\(how) ×\(new)")
    }
    return parts.sorted().joined(separator: ", ")
  }
}
