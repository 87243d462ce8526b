import Metrics

/// Takes the samples of a ``NamedRow`` from what is known of targets.
struct NamedSamples {
  private enum Source {
    /// A row of ``Catalogue/process``, by its place.
    case process(Int)
    case target(TargetRow)
  }

  private let parts: [(source: Source, over: Combination, place: NamedRow.Part.Place)]
  /// The labels behind that of the group.
  let labels: ArraySlice<String>
  let isAboutGroups: Bool
  let isCounter: Bool
  /// Whether there are as many samples as the target has things, not as many as the row says.
  let isOpen: Bool
  /// Those of the rows that they are taken from.
  let groups: [Group]
  /// What whole numbers count, in all parts alike.
  let grain: Grain

  init(_ row: NamedRow) {
    isAboutGroups = row.isAboutGroups
    isCounter = row.family.kind == .counter
    labels = row.family.labels.dropFirst()
    var grains: [Grain] = []
    var groups: [Group] = []
    var isOpen = false
    parts = row.parts.compactMap { part in
      if case .each = part.place { isOpen = true }
      if let place = Catalogue.process.firstIndex(where: { $0.family.name == part.source }) {
        let row = Catalogue.process[place]
        grains.append(row.grain)
        groups.append(row.group)
        return (.process(place), row.over, part.place)
      }
      guard let row = Catalogue.target.first(where: { $0.family.name == part.source }) else {
        return nil
      }
      grains.append(row.grain)
      if let group = row.group { groups.append(group) }
      return (.target(row), row.over, part.place)
    }
    grain = grains.first ?? .unit
    self.groups = groups
    self.isOpen = isOpen
  }

  typealias Sample = (values: [String], reading: Reading)

  /// The samples of targets that are one group, in the order of their labels' values.
  ///
  /// - Parameters:
  ///   - states: The targets.
  ///   - former: What there is before the first one.
  ///   - group: What they have in common.
  /// - Returns: The values of the labels behind that of the group, and the number.
  func readings(
    _ states: some Sequence<TargetState>, _ former: [[String]: Reading], _ group: TargetGroup? = nil
  ) -> [Sample] {
    var samples: [Sample] = []
    for part in parts where isWhole(part.source, states) {
      switch part.place {
      case .fixed(let values):
        var sum = former[values] ?? .absent
        for state in states {
          for (_, reading) in readings(part.source, state) { sum = part.over(sum, reading) }
        }
        if isCounter, case .process(let place) = part.source, let group {
          sum = group.total(sum, place)
        }
        if sum != .absent { samples.append((values, sum)) }
      case .each(let place):
        var sums = former
        for state in states {
          for (own, reading) in readings(part.source, state) {
            guard let values = place(own) else { continue }
            sums[values] = part.over(sums[values] ?? .absent, reading)
          }
        }
        samples += sums.map { ($0.key, $0.value) }
          .sorted { $0.values.lexicographicallyPrecedes($1.values) }
      }
    }
    return samples
  }

  /// Whether a sum is that over all targets that have a part in it: of those that are late nothing is
  /// known but counters.
  private func isWhole(_ source: Source, _ states: some Sequence<TargetState>) -> Bool {
    if isCounter { return true }
    return states.allSatisfy { state in
      switch source {
      case .process(let place):
        !state.sample.isLate || !state.rows.contains { $0.index == place }
      case .target(let row): state.isCurrent(row) || !state.serves(row)
      }
    }
  }

  private func readings(_ source: Source, _ state: TargetState) -> [Sample] {
    switch source {
    case .process(let place): return [([], state.tally.values[place])]
    case .target(let row):
      guard state.serves(row), state.isCurrent(row) else { return [] }
      return switch row.value {
      case .single(let read): [([], read(state.sample))]
      case .labelled(let read): read(state.sample)
      case .distribution: []
      }
    }
  }
}
