import Metrics
import ProcFS
import Targets

/// Writes the page: every family that has samples, by name.
struct Page {
  private enum Rows {
    /// A row of ``Catalogue/process``, by its place.
    case process(Int)
    case target(TargetRow)
    case exporter(ExporterRow)
    case named(NamedSamples)
  }

  private let plan: [(rows: Rows, family: TextEncoder.PreparedFamily)]
  private var encoder = TextEncoder()
  /// Has memory of its own: a page of one target is small, and should not be held in that of all.
  private var probeEncoder = TextEncoder()
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
    var named: [(Family, Rows)] = Catalogue.exporter.map { ($0.family, .exporter($0)) }
    switch names {
    case .process:
      named += Catalogue.process.indices.map { (Catalogue.process[$0].family, .process($0)) }
      named += Catalogue.target.map { ($0.family, .target($0)) }
    case .namedprocess:
      named += Catalogue.namedprocess.map { ($0.family, .named(NamedSamples($0))) }
      named += Catalogue.processExporter.map { ($0.family, .exporter($0)) }
      // What the exporter says about a target has no other name.
      named += Catalogue.presence.map { ($0.family, .target($0)) }
    }
    named.sort { $0.0.name < $1.0.name }
    plan = named.map { ($0.1, TextEncoder.PreparedFamily($0.0)) }
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
  ///   - limit: Samples of one target; what is beyond is left out.
  ///   - isCounted: Whether that, and what is not, is counted.
  /// - Returns: The page.
  mutating func write(
    _ form: Form, _ states: [TargetState], _ own: OwnState?, _ facts: SystemFacts, limit: Int,
    isCounted: Bool
  ) -> [UInt8] {
    let isWhole = own != nil && form.filter.isEmpty
    if !isWhole { swap(&encoder, &probeEncoder) }
    defer { if !isWhole { swap(&encoder, &probeEncoder) } }
    encoder.reset()
    fill(states, own, facts, limit: limit, isCounted: isCounted)
    return encoder.page
  }

  private mutating func fill(
    _ states: [TargetState], _ own: OwnState?, _ facts: SystemFacts, limit: Int, isCounted: Bool
  ) {
    let noLabels = TextEncoder.PreparedLabels([])
    for state in states {
      let plain = isGrouped ? 0 : state.plainSamples
      state.beginPage(limit: limit, plain: plain, isCounted: isCounted)
    }
    if isGrouped {
      group(states)
      for group in groups {
        group[0].beginPage(limit: limit, plain: plainSamples(group), isCounted: isCounted)
      }
    }
    for (place, (rows, family)) in plan.enumerated() {
      var isEmpty = true
      switch rows {
      case .process(let index):
        let row = Catalogue.process[index]
        for state in states {
          let reading = Self.scaled(state.tally.values[index], row.grain, facts)
          if case .absent = reading { continue }
          if state.hasRoom(labelled: false) {
            write(family, own == nil ? noLabels : state.labels, reading, &isEmpty)
          }
        }
      case .target(let row):
        if own == nil, row.group == nil { continue }
        for state in states where state.serves(row) && state.isCurrent(row) {
          // What the exporter says about a target is never left out.
          let isLimited = row.group != nil
          let isLabelled = !row.family.labels.isEmpty
          let labels = own == nil ? noLabels : state.labels
          write(row.value, state.sample, row.family, family, labels, &isEmpty) {
            isLimited && !state.hasRoom(labelled: isLabelled)
              ? .absent : Self.scaled($0, row.grain, facts)
          }
        }
      case .exporter(let row):
        guard let own else { continue }
        write(row.value, own, row.family, family, noLabels, &isEmpty) { $0 }
      case .named(let samples): write(samples, at: place, states, family, facts, &isEmpty)
      }
    }
  }

  /// Writes a family by another name: one group after another, of states that are sorted by name.
  private mutating func write(
    _ samples: NamedSamples, at place: Int, _ states: [TargetState],
    _ prepared: TextEncoder.PreparedFamily, _ facts: SystemFacts, _ isEmpty: inout Bool
  ) {
    guard samples.isAboutGroups else {
      for (_, reading) in samples.readings(states, formerOfAll[place] ?? [[]: .whole(0)]) {
        write(prepared, TextEncoder.PreparedLabels([]), reading, &isEmpty)
      }
      return
    }
    for group in groups {
      let former = former[group[0].target.name]?[place] ?? [:]
      for (values, reading) in samples.readings(group, former, group[0].group) {
        guard group[0].hasRoom(labelled: samples.isOpen) else { continue }
        var labels = group[0].groupLabels
        for (name, value) in zip(samples.labels, values) { labels.append(Label(name, value)) }
        write(prepared, labels, Self.scaled(reading, samples.grain, facts), &isEmpty)
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
    _ value: Samples<Subject>, _ subject: Subject, _ family: Family,
    _ prepared: TextEncoder.PreparedFamily, _ labels: TextEncoder.PreparedLabels,
    _ isEmpty: inout Bool, _ admitted: (Reading) -> Reading
  ) {
    switch value {
    case .single(let read):
      let reading = read(subject)
      if reading != .absent { write(prepared, labels, admitted(reading), &isEmpty) }
    case .labelled(let read):
      let samples = read(subject).sorted { $0.values.lexicographicallyPrecedes($1.values) }
      for (values, reading) in samples where reading != .absent {
        var own = labels
        for (name, value) in zip(family.labels, values) { own.append(Label(name, value)) }
        write(prepared, own, admitted(reading), &isEmpty)
      }
    }
  }

  private mutating func write(
    _ family: TextEncoder.PreparedFamily, _ labels: TextEncoder.PreparedLabels,
    _ reading: Reading, _ isEmpty: inout Bool
  ) {
    if case .absent = reading { return }
    if isEmpty { encoder.begin(family) }
    isEmpty = false
    encoder.sample(family, labels, reading)
  }

  private static func scaled(_ reading: Reading, _ grain: Grain, _ facts: SystemFacts) -> Reading {
    guard case .whole(let number) = reading else { return reading }
    switch grain {
    case .unit: return reading
    case .ticks: return .real(facts.seconds(ticks: number))
    case .microseconds: return .real(Double(number) / 1e6)
    case .nanoseconds: return .real(Double(number) / 1e9)
    }
  }
}
