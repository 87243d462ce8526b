package import Metrics
package import ProcFS
import Targets

/// What is known of one process in one collection; nil is what could not be read.
package struct ProcessSample {
  package let facts: SystemFacts
  package internal(set) var stat: Stat
  package internal(set) var status: Status?
  package internal(set) var io: IO?
  package internal(set) var limits: ResourceLimits?
  package internal(set) var openDescriptors: UInt64?
  package internal(set) var switches: Switches?
  package internal(set) var oomScore: Int64?
  package internal(set) var oomScoreAdjustment: Int64?
  package internal(set) var runTimes: RunTimes?
  package internal(set) var delays: Delays?
}

/// A row about processes.
package typealias ProcessRow = Row<ProcessValue, Group, SourceFile>
/// A row about a target as a whole; one without a group is always on.
package typealias TargetRow = Row<Samples<TargetSample>, Group?, SourceFile>
/// A row about the exporter itself.
package typealias ExporterRow = Row<Samples<OwnState>, Never?, Never>

/// How a row takes its number out of a record; the type of the record is that of its source.
package enum ProcessValue: Sendable {
  case stat(@Sendable (Stat) -> UInt64?)
  case status(@Sendable (Status) -> UInt64?)
  case io(@Sendable (IO) -> UInt64?)
  case limits(@Sendable (ResourceLimits) -> UInt64?)
  case descriptors(@Sendable (UInt64) -> UInt64?)
  case switches(@Sendable (Switches) -> UInt64?)
  case runTimes(@Sendable (RunTimes) -> UInt64?)
  case delays(@Sendable (Delays) -> UInt64?)
  /// More than one record, or the machine's facts beside one; the number need not be whole.
  case sample(@Sendable (ProcessSample) -> Double?)
}

/// Where a row takes its number from: files, and the record that they are made into.
struct Origin<Record>: Sendable {
  let files: [SourceFile]
  let value: @Sendable (@escaping @Sendable (Record) -> UInt64?) -> ProcessValue
}

extension Origin where Record == Stat {
  static var stat: Self { Origin(files: [.stat]) { .stat($0) } }
}
extension Origin where Record == Status {
  static var status: Self { Origin(files: [.status]) { .status($0) } }
}
extension Origin where Record == IO {
  static var io: Self { Origin(files: [.io]) { .io($0) } }
}
extension Origin where Record == ResourceLimits {
  static var limits: Self { Origin(files: [.limits]) { .limits($0) } }
}
extension Origin where Record == UInt64 {
  static var descriptors: Self { Origin(files: [.fd]) { .descriptors($0) } }
}
extension Origin where Record == Switches {
  static var switches: Self { Origin(files: [.status, .task]) { .switches($0) } }
}
extension Origin where Record == RunTimes {
  static var runTimes: Self { Origin(files: [.schedstat, .task]) { .runTimes($0) } }
}
extension Origin where Record == Delays {
  // A read through the process' directory behind the question shows that its number still meant it.
  static var delays: Self { Origin(files: [.taskstats, .status]) { .delays($0) } }
}

extension ProcessRow {
  /// A row whose number only rises while the process lives.
  static func counter<Record>(
    _ name: String, _ unit: Unit, _ group: Group, isDefault: Bool? = nil,
    from origin: Origin<Record>, in grain: Grain = .unit, otel: Convention? = nil, _ help: String,
    value: @escaping @Sendable (Record) -> UInt64?
  ) -> ProcessRow {
    ProcessRow(
      Family(name, .counter, unit, otel: otel, help: help), group: group,
      isDefault: isDefault ?? group.isDefault,
      sources: origin.files, grain: grain, value: origin.value(value))
  }

  /// A row whose number goes up and down.
  static func gauge<Record>(
    _ name: String, _ unit: Unit, _ group: Group, isDefault: Bool? = nil,
    from origin: Origin<Record>, over: Combination = .sum, otel: Convention? = nil, _ help: String,
    value: @escaping @Sendable (Record) -> UInt64?
  ) -> ProcessRow {
    ProcessRow(
      Family(name, .gauge, unit, otel: otel, help: help), group: group,
      isDefault: isDefault ?? group.isDefault,
      sources: origin.files, over: over, value: origin.value(value))
  }

  /// A row whose number is made of more than one record, or is not a whole one.
  static func derived(
    _ name: String, _ unit: Unit, _ group: Group, isDefault: Bool? = nil,
    from files: [SourceFile], over: Combination, otel: Convention? = nil, _ help: String,
    value: @escaping @Sendable (ProcessSample) -> Double?
  ) -> ProcessRow {
    ProcessRow(
      Family(name, .gauge, unit, otel: otel, help: help), group: group,
      isDefault: isDefault ?? group.isDefault, sources: files, over: over, value: .sample(value))
  }
}

/// Where a row about a target takes its samples from: a survey, and the files that it reads.
struct Aspect<Record>: Sendable {
  let files: [SourceFile]
  let record: @Sendable (TargetSample) -> Record?
}

extension Aspect where Record == Target {
  static var roster: Self { Aspect(files: []) { $0.target } }
  static var exitRecords: Self { Aspect(files: [.taskstats]) { $0.target } }
}
extension Aspect where Record == TargetSample {
  static var page: Self { Aspect(files: []) { $0 } }
}
extension Aspect where Record == DescriptorSurvey {
  static var descriptors: Self { Aspect(files: [.fdLinks]) { $0.descriptors } }
}
extension Aspect where Record == CgroupSurvey {
  static var cgroups: Self { Aspect(files: [.cgroup, .cgroupFiles]) { $0.cgroups } }
  static var pressure: Self { Aspect(files: [.cgroup, .pressure]) { $0.cgroups } }
}
extension Aspect where Record == UInt64 {
  static var oomKills: Self { Aspect(files: [.cgroup, .oomKills]) { $0.oomKills } }
}

extension Reading {
  /// A number that may not be known.
  init(_ number: UInt64?) { self = number.map { .whole($0) } ?? .absent }
}

extension Aspect where Record == LimitSurvey {
  static var limits: Self { Aspect(files: [.limits]) { $0.limits } }
}
extension Aspect where Record == MapSurvey {
  static var maps: Self { Aspect(files: [.maps]) { $0.maps } }
}
extension Aspect where Record == ProportionalSurvey {
  static var proportional: Self { Aspect(files: [.smapsRollup]) { $0.proportional } }
}
extension Aspect where Record == InfoSurvey {
  static var info: Self { Aspect(files: [.exe, .status, .cgroup]) { $0.info } }
}
extension Aspect where Record == GoSurvey {
  static var go: Self { Aspect(files: [.mem]) { $0.go } }
}
extension Aspect where Record == ThreadSurvey {
  /// What threads are and used, from files of each.
  static func threads(_ files: SourceFile...) -> Self {
    Aspect(files: files + [.task]) { $0.threads }
  }
}
extension Aspect where Record == SocketSurvey {
  static var sockets: Self { Aspect(files: [.sockets]) { $0.sockets } }
}
extension Aspect where Record == NetworkSurvey {
  static var network: Self { Aspect(files: [.netStatistics]) { $0.network } }
}

extension TargetRow {
  /// A row with one sample for each combination of values of its labels.
  static func labelled<Record>(
    _ name: String, _ kind: Kind, _ unit: Unit, _ group: Group, isDefault: Bool? = nil,
    labels: [String], from aspect: Aspect<Record>, in grain: Grain = .unit,
    over: Combination = .sum, _ help: String,
    value: @escaping @Sendable (Record) -> [(values: [String], reading: Reading)]
  ) -> TargetRow {
    TargetRow(
      Family(name, kind, unit, labels: labels, help: help), group: group,
      isDefault: isDefault ?? group?.isDefault ?? true, sources: aspect.files, over: over,
      grain: grain, value: .labelled { aspect.record($0).map(value) ?? [] })
  }

  /// A row with one sample.
  static func single<Record>(
    _ name: String, _ kind: Kind, _ unit: Unit, _ group: Group, isDefault: Bool? = nil,
    from aspect: Aspect<Record>, in grain: Grain = .unit, over: Combination = .sum,
    otel: Convention? = nil, _ help: String, value: @escaping @Sendable (Record) -> Reading
  ) -> TargetRow {
    TargetRow(
      Family(name, kind, unit, otel: otel, help: help), group: group,
      isDefault: isDefault ?? group?.isDefault ?? true, sources: aspect.files, over: over,
      grain: grain, value: .single { aspect.record($0).map(value) ?? .absent })
  }
}

extension TargetRow {
  /// A row with one summary or histogram.
  static func distribution<Record>(
    _ name: String, _ kind: Kind, _ unit: Unit, _ group: Group, points: [Double],
    from aspect: Aspect<Record>, otel: Convention? = nil, _ help: String,
    value: @escaping @Sendable (Record) -> Distribution?
  ) -> TargetRow {
    TargetRow(
      Family(name, kind, unit, points: points, otel: otel, help: help), group: group,
      isDefault: group?.isDefault ?? true, sources: aspect.files,
      value: .distribution { aspect.record($0).flatMap(value) })
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
