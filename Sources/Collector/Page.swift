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
  }

  private let plan: [(rows: Rows, family: TextEncoder.PreparedFamily)]
  private var encoder = TextEncoder()
  /// Has memory of its own: a page of one target is small, and should not be held in that of all.
  private var probeEncoder = TextEncoder()

  init() {
    var named: [(Family, Rows)] = Catalogue.process.indices.map {
      (Catalogue.process[$0].family, .process($0))
    }
    named += Catalogue.target.map { ($0.family, .target($0)) }
    named += Catalogue.exporter.map { ($0.family, .exporter($0)) }
    named.sort { $0.0.name < $1.0.name }
    plan = named.map { ($0.1, TextEncoder.PreparedFamily($0.0)) }
  }

  /// Makes the page in the memory of the last one, unless that is still being sent.
  ///
  /// - Parameters:
  ///   - states: The targets by name.
  ///   - own: What the exporter knows about itself.
  ///   - facts: The machine's units.
  ///   - limit: Samples of one target; what is beyond is left out and counted.
  /// - Returns: The page in the text format.
  mutating func write(
    _ states: [TargetState], _ own: OwnState, _ facts: SystemFacts, limit: Int
  ) -> [UInt8] {
    encoder.reset()
    fill(states, own, facts, limit: limit)
    return encoder.page
  }

  /// Makes the page of one target, as a library in the program itself would have written it: without
  /// the labels of the target and without `procvitals_…`.
  mutating func write(_ state: TargetState, _ facts: SystemFacts, limit: Int) -> [UInt8] {
    swap(&encoder, &probeEncoder)
    defer { swap(&encoder, &probeEncoder) }
    encoder.reset()
    fill([state], nil, facts, limit: limit)
    return encoder.page
  }

  private mutating func fill(
    _ states: [TargetState], _ own: OwnState?, _ facts: SystemFacts, limit: Int
  ) {
    let noLabels = TextEncoder.PreparedLabels([])
    for state in states { state.beginPage(limit: limit) }
    for (rows, family) in plan {
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
        for state in states where state.serves(row) {
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
