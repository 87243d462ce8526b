package import Metrics
package import ProcFS
package import Targets

/// What is known of one process in one collection; nil is what could not be read.
package struct ProcessSample {
  package let facts: SystemFacts
  package let stat: Stat
  package internal(set) var status: Status?
  package internal(set) var io: IO?
  package internal(set) var limits: ResourceLimits?
  package internal(set) var openDescriptors: UInt64?
  package internal(set) var switches: Switches?
}

/// A row about processes.
package typealias ProcessRow = Row<ProcessSample, Group, SourceFile>
/// A row about a target as a whole.
package typealias TargetRow = Row<Target, Group, SourceFile>
/// A row about the exporter itself.
package typealias ExporterRow = Row<OwnState, Never?, Never>

/// Where a row takes its number from: a record, and the files that it is made of.
struct Origin<Record>: Sendable {
  let files: [SourceFile]
  let record: @Sendable (ProcessSample) -> Record?
}

extension Origin where Record == Stat {
  static var stat: Self { Origin(files: [.stat]) { $0.stat } }
}
extension Origin where Record == Status {
  static var status: Self { Origin(files: [.status]) { $0.status } }
}
extension Origin where Record == IO {
  static var io: Self { Origin(files: [.io]) { $0.io } }
}
extension Origin where Record == ResourceLimits {
  static var limits: Self { Origin(files: [.limits]) { $0.limits } }
}
extension Origin where Record == UInt64 {
  static var descriptors: Self { Origin(files: [.fd]) { $0.openDescriptors } }
}
extension Origin where Record == Switches {
  static var switches: Self { Origin(files: [.status, .task]) { $0.switches } }
}
extension Origin where Record == ProcessSample {
  /// More than one file, or the machine's facts beside one.
  static func sample(_ files: SourceFile...) -> Self { Origin(files: files) { $0 } }
}

extension ProcessRow {
  /// A row whose number only rises while the process lives.
  static func counter<Record>(
    _ name: String, _ unit: Unit, _ group: Group, isDefault: Bool = true,
    from source: Origin<Record>, in grain: Grain = .unit, _ help: String,
    value: @escaping @Sendable (Record) -> UInt64?
  ) -> ProcessRow {
    ProcessRow(
      Family(name, .counter, unit, help: help), group: group, isDefault: isDefault,
      sources: source.files, grain: grain,
      value: .single { source.record($0).flatMap(value).map(Reading.whole) ?? .absent })
  }

  /// A row whose number goes up and down.
  static func gauge<Record>(
    _ name: String, _ unit: Unit, _ group: Group, isDefault: Bool = true,
    from source: Origin<Record>, over: Combination = .sum, _ help: String,
    value: @escaping @Sendable (Record) -> UInt64?
  ) -> ProcessRow {
    ProcessRow(
      Family(name, .gauge, unit, help: help), group: group, isDefault: isDefault,
      sources: source.files, over: over,
      value: .single { source.record($0).flatMap(value).map(Reading.whole) ?? .absent })
  }

  /// A row whose number is not a whole one.
  static func measure<Record>(
    _ name: String, _ unit: Unit, _ group: Group, from source: Origin<Record>, over: Combination,
    _ help: String, value: @escaping @Sendable (Record) -> Double?
  ) -> ProcessRow {
    ProcessRow(
      Family(name, .gauge, unit, help: help), group: group, sources: source.files, over: over,
      value: .single { source.record($0).flatMap(value).map(Reading.real) ?? .absent })
  }
}

extension TargetRow {
  static func target(
    _ name: String, _ kind: Kind, labels: [String] = [], _ help: String,
    value: @escaping @Sendable (Target) -> [(values: [String], reading: Reading)]
  ) -> TargetRow {
    TargetRow(
      Family(name, kind, .none, labels: labels, help: help), group: .lifecycle,
      value: .labelled(value))
  }
}

extension ExporterRow {
  static func own(
    _ name: String, _ kind: Kind, _ unit: Unit, labels: [String], _ help: String,
    value: @escaping @Sendable (OwnState) -> [(values: [String], reading: Reading)]
  ) -> ExporterRow {
    ExporterRow(
      Family(name, kind, unit, labels: labels, help: help), group: nil, value: .labelled(value))
  }

  static func own(
    _ name: String, _ kind: Kind, _ unit: Unit, _ help: String,
    value: @escaping @Sendable (OwnState) -> Reading
  ) -> ExporterRow {
    ExporterRow(Family(name, kind, unit, help: help), group: nil, value: .single(value))
  }
}
