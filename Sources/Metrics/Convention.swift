/// What OpenTelemetry's semantic conventions call a family, or one series of a metric that several
/// families make up.
///
/// - Source: `docs/system/process-metrics.md` and `docs/runtime/go-metrics.md` of
///   open-telemetry/semantic-conventions.
package struct Convention: Sendable, Hashable {
  package enum Instrument: Sendable {
    /// Only rises.
    case sum
    /// Goes up and down, and values of several resources can be added up.
    case upDownSum
    case gauge
    /// A gauge: how long ago the family's value is, which is a time.
    case age
    case summary, histogram
  }

  package let name: String
  /// A unit of UCUM.
  package let unit: String
  package let instrument: Instrument
  /// An attribute that tells the series from those of other families.
  package let attribute: Label?
  /// What the family's values are multiplied by.
  package let factor: Double

  package init(
    _ name: String, _ unit: String, _ instrument: Instrument, _ attribute: Label? = nil,
    factor: Double = 1
  ) {
    self.name = name
    self.unit = unit
    self.instrument = instrument
    self.attribute = attribute
    self.factor = factor
  }

  /// For a family that no convention is about: its own name.
  init(_ family: Family) {
    let unit =
      switch family.unit {
      case .none: ""
      case .bytes: "By"
      case .seconds: "s"
      case .ratio: "1"
      case .cores: "{cpu}"
      }
    let instrument: Instrument =
      switch family.kind {
      case .counter: .sum
      case .gauge: .gauge
      case .summary: .summary
      case .histogram: .histogram
      }
    self.init(family.name, unit, instrument)
  }
}
