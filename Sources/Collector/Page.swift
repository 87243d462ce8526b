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
  mutating func write(_ states: [TargetState], _ own: OwnState, _ facts: SystemFacts) -> [UInt8] {
    encoder.reset()
    let noLabels = TextEncoder.PreparedLabels([])
    for (rows, family) in plan {
      var isEmpty = true
      switch rows {
      case .process(let index):
        let row = Catalogue.process[index]
        for state in states {
          let reading = Self.scaled(state.tally.values[index], row.grain, facts)
          if case .absent = reading { continue }
          begin(family, &isEmpty)
          encoder.sample(family, state.labels, reading)
        }
      case .target(let row):
        for state in states where state.serves(row) {
          write(row.value, state.sample, row.family, family, state.labels, &isEmpty) {
            Self.scaled($0, row.grain, facts)
          }
        }
      case .exporter(let row):
        write(row.value, own, row.family, family, noLabels, &isEmpty) { $0 }
      }
    }
    return encoder.page
  }

  private mutating func begin(_ family: TextEncoder.PreparedFamily, _ isEmpty: inout Bool) {
    if isEmpty { encoder.begin(family) }
    isEmpty = false
  }

  private mutating func write<Subject>(
    _ value: Samples<Subject>, _ subject: Subject, _ family: Family,
    _ prepared: TextEncoder.PreparedFamily, _ labels: TextEncoder.PreparedLabels,
    _ isEmpty: inout Bool, _ scaled: (Reading) -> Reading
  ) {
    switch value {
    case .single(let read):
      let reading = scaled(read(subject))
      if case .absent = reading { return }
      begin(prepared, &isEmpty)
      encoder.sample(prepared, labels, reading)
    case .labelled(let read):
      let samples = read(subject).sorted { $0.values.lexicographicallyPrecedes($1.values) }
      for (values, reading) in samples {
        if case .absent = reading { continue }
        var own = labels
        for (name, value) in zip(family.labels, values) { own.append(Label(name, value)) }
        begin(prepared, &isEmpty)
        encoder.sample(prepared, own, scaled(reading))
      }
    }
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
