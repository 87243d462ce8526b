import Metrics
import ProcFS
import Targets

/// Writes the page: every family that has samples, by name.
struct Page {
  fileprivate enum Rows {
    /// A row of ``Catalogue/process``, by its place.
    case process(Int)
    case target(TargetRow)
    case exporter(ExporterRow)
    case named(NamedSamples)
  }

  /// A family of the page, and the groups that switch it on.
  fileprivate struct Item {
    let rows: Rows
    let family: Family
    let groups: [Group]
  }

  fileprivate let plan: [Item]
  /// By places in the plan, for each format that somebody asked for.
  private var prepared: [Format: [PreparedFamily]] = [:]
  private var encoder = PageEncoder()
  /// Has memory of its own: a page of one target or with a filter is small, and should not be held
  /// in that of all.
  private var smallEncoder = PageEncoder()
  private let isGrouped: Bool
  /// Targets of the same name, where that is one group.
  private var groups: [[TargetState]] = []
  /// Counters with labels of their own of targets that are no longer there, by group, place in the
  /// plan and labels' values.
  private var former: [String: [Int: [[String]: Reading]]] = [:]
  /// Counters about all targets together of those that are no longer there, by place in the plan.
  private var formerOfAll: [Int: [[String]: Reading]] = [:]
  /// How many of them are kept of a group and a family; the others are forgotten.
  private static let formerLimit = 10_000

  init(_ names: Names = .process) {
    isGrouped = names == .namedprocess
    var plan = Catalogue.exporter.map { Item(rows: .exporter($0), family: $0.family, groups: []) }
    let targetItem = { (row: TargetRow) in
      Item(rows: .target(row), family: row.family, groups: row.group.map { [$0] } ?? [])
    }
    switch names {
    case .process:
      plan += Catalogue.process.enumerated().map {
        Item(rows: .process($0), family: $1.family, groups: [$1.group])
      }
      plan += Catalogue.target.map(targetItem)
    case .namedprocess:
      plan += Catalogue.namedprocess.map { row in
        let samples = NamedSamples(row)
        return Item(rows: .named(samples), family: row.family, groups: samples.groups)
      }
      plan += Catalogue.processExporter.map {
        Item(rows: .exporter($0), family: $0.family, groups: [])
      }
      // What the exporter says about a target has no other name.
      plan += Catalogue.presence.map(targetItem)
    }
    self.plan = plan.sorted { $0.family.name < $1.family.name }
  }

  /// Makes a page in the memory of the last one, unless that is still being sent.
  ///
  /// - Parameters:
  ///   - form: How it is written, and what of it.
  ///   - states: The targets by name.
  ///   - own: What the exporter knows about itself; nil for the page of one target as a library in
  ///     the program itself would have written it: without the labels of the target and without
  ///     `procvitals_…`.
  ///   - facts: The machine's units.
  ///   - settings: How many samples a target may have; what is beyond is left out.
  ///   - counting: What of that is counted.
  /// - Returns: The page.
  mutating func write(
    _ form: Form, _ states: [TargetState], _ own: OwnState?, _ facts: SystemFacts,
    _ settings: CollectorSettings, _ counting: Counting
  ) -> [UInt8] {
    let isSmall = own == nil || !form.filter.isEmpty
    if isSmall { swap(&encoder, &smallEncoder) }
    defer { if isSmall { swap(&encoder, &smallEncoder) } }
    let families =
      prepared[form.format] ?? PreparedFamily.all(plan.map(\.family), form.format)
    prepared[form.format] = families
    encoder.begin(form.format, writesCreated: settings.writesCreated)
    begin(states, limit: settings.limits.seriesPerTarget, counting)
    for (place, item) in plan.enumerated()
    where form.filter.includes(item.family, item.groups) {
      encoder.begin(families[place])
      fill(place, states, own, facts, form.format.style)
    }
    encoder.end()
    return encoder.page
  }

  private mutating func begin(_ states: [TargetState], limit: Int, _ counting: Counting) {
    for state in states {
      let plain = isGrouped ? 0 : state.plainSamples
      state.beginPage(limit: limit, plain: plain, counting: counting)
    }
    if isGrouped {
      group(states)
      for group in groups {
        group[0].beginPage(limit: limit, plain: plainSamples(group), counting: counting)
      }
    }
  }

  private mutating func fill(
    _ place: Int, _ states: [TargetState], _ own: OwnState?, _ facts: SystemFacts, _ style: Style
  ) {
    let noLabels = PreparedLabels()
    switch plan[place].rows {
    case .process(let index):
      let row = Catalogue.process[index]
      for state in states {
        let reading = state.tally.values[index].scaled(row.grain, facts)
        if case .absent = reading { continue }
        if state.hasRoom(labelled: false) {
          encoder.sample(
            own == nil ? noLabels : state.labels(style), reading,
            created: state.created?.processes)
        }
      }
    case .target(let row):
      if own == nil, row.group == nil { return }
      for state in states where state.serves(row) && state.isCurrent(row) {
        // What the exporter says about a target is never left out.
        let isLimited = row.group != nil
        let isLabelled = !row.family.labels.isEmpty
        write(
          row.value, state.sample, row.family, own == nil ? noLabels : state.labels(style),
          created: state.created?.of(row.group), { $0.scaled(row.grain, facts) }
        ) {
          !isLimited || state.hasRoom(labelled: isLabelled, series: $0)
        }
      }
    case .exporter(let row):
      guard let own else { return }
      write(
        row.value, own, row.family, noLabels, created: own.startSeconds, { $0 },
        hasRoom: { _ in true })
    case .named(let samples): write(samples, at: place, states, own, facts, style)
    }
  }

  /// Writes a family by another name: one group after another, of states that are sorted by name.
  private mutating func write(
    _ samples: NamedSamples, at place: Int, _ states: [TargetState], _ own: OwnState?,
    _ facts: SystemFacts, _ style: Style
  ) {
    guard samples.isAboutGroups else {
      for (_, reading) in samples.readings(states, formerOfAll[place] ?? [[]: .whole(0)]) {
        encoder.sample(PreparedLabels(), reading, created: own?.startSeconds)
      }
      return
    }
    for group in groups {
      let former = former[group[0].target.name]?[place] ?? [:]
      for (values, reading) in samples.readings(group, former, group[0].group) {
        guard group[0].hasRoom(labelled: samples.isOpen) else { continue }
        encoder.sample(
          group[0].groupLabels(style), samples.labels, values,
          reading.scaled(samples.grain, facts), created: group[0].group.createdSeconds)
      }
    }
  }

  /// How many samples of a group there are whose number the row says.
  private func plainSamples(_ group: [TargetState]) -> Int {
    plan.reduce(0) { sum, item in
      guard case .named(let samples) = item.rows, samples.isAboutGroups, !samples.isOpen else {
        return sum
      }
      return sum + samples.readings(group, [:], group[0].group).count
    }
  }

  /// Puts targets of the same name together.
  private mutating func group(_ states: [TargetState]) {
    groups = []
    var rest = states[...]
    while let name = rest.first?.target.name {
      let end = rest.firstIndex { $0.target.name != name } ?? rest.endIndex
      // What only stands for a rule counts the processes of the others again.
      let own = rest[..<end].filter { $0.target.kind != .rule }
      groups.append(own.isEmpty ? Array(rest[..<end]) : own)
      let group = rest[rest.startIndex].group
      group.createdSeconds =
        group.createdSeconds ?? rest[..<end].compactMap(\.created?.processes).min()
      rest = rest[end...]
    }
    if former.isEmpty { return }
    let names = Set(groups.map { $0[0].target.name })
    former = former.filter { names.contains($0.key) }
  }

  /// Keeps the counters of a target that is no longer there and that have labels of their own, for
  /// its group if others are in it; ``TargetGroup`` keeps the others.
  mutating func retire(_ state: TargetState) {
    for (place, item) in plan.enumerated() {
      guard case .named(let samples) = item.rows, samples.isCounter, samples.isOpen else {
        continue
      }
      guard samples.isAboutGroups else {
        formerOfAll[place] = [
          []: samples.readings([state], formerOfAll[place] ?? [:]).first?.reading ?? .absent
        ]
        continue
      }
      let name = state.target.name
      for (values, reading) in samples.readings([state], former[name]?[place] ?? [:]) {
        if former[name]?[place]?.count ?? 0 >= Self.formerLimit { break }
        former[name, default: [:]][place, default: [:]][values] = reading
      }
    }
  }

  /// Writes the samples of a family in the order of their labels' values.
  private mutating func write<Subject>(
    _ value: Samples<Subject>, _ subject: Subject, _ family: Family, _ labels: PreparedLabels,
    created: Double?, _ scaled: (Reading) -> Reading, hasRoom: (Int) -> Bool
  ) {
    switch value {
    case .single(let read):
      let reading = read(subject)
      if reading != .absent, hasRoom(1) {
        encoder.sample(labels, scaled(reading), created: created)
      }
    case .labelled(let read):
      var samples = read(subject)
      samples.sort { $0.values.lexicographicallyPrecedes($1.values) }
      for (values, reading) in samples where reading != .absent && hasRoom(1) {
        encoder.sample(labels, family.labels[...], values, scaled(reading), created: created)
      }
    case .distribution(let read):
      if let sample = read(subject), hasRoom(family.seriesOfDistribution) {
        encoder.sample(labels, sample, created: created)
      }
    }
  }
}

extension Catalogue {
  /// The families of a page, in its order.
  static func families(_ names: Names) -> [Family] { Page(names).plan.map(\.family) }
}
