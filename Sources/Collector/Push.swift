package import Metrics
import ProcFS
import Targets

/// What a page for an OpenTelemetry receiver has beside the values.
package struct Push: Hashable, Sendable {
  /// The name of the machine.
  package var host: String
  /// Attributes of every resource, unless a target has others of these names.
  package var attributes: [Label]
  /// Whether the names `runtime.go.…` are there too, which were usual before `go.…`.
  package var hasOlderGoNames: Bool

  package init(host: String = "", attributes: [Label] = [], hasOlderGoNames: Bool = false) {
    self.host = host
    self.attributes = attributes
    self.hasOlderGoNames = hasOlderGoNames
  }
}

/// Writes pages for an OpenTelemetry receiver: an `ExportMetricsServiceRequest` with a resource for
/// each target, and one for the exporter itself.
struct PushedPage {
  private enum Rows {
    /// A row of ``Catalogue/process``, by its place.
    case process(Int)
    case target(TargetRow)
  }

  private struct Item {
    let rows: Rows
    let metric: PreparedMetric
  }

  private var encoder: OTLPEncoder
  /// Sorted by the metrics' names, since several rows can make up one metric.
  private let items: [Item]
  private let olderItems: [Item]
  private let own: [(row: ExporterRow, metric: PreparedMetric)]
  private let version: String

  init(version: String) {
    self.version = version
    encoder = OTLPEncoder(version: version)
    let items =
      Catalogue.process.enumerated().map {
        Item(rows: .process($0), metric: PreparedMetric($1.family))
      }
      + (Catalogue.target + Catalogue.conventional).map {
        Item(rows: .target($0), metric: PreparedMetric($0.family))
      }
    self.items = items.sorted { $0.metric.name < $1.metric.name }
    olderItems = Catalogue.olderGoNames.map {
      Item(rows: .target($0.row), metric: PreparedMetric($0.row.family, as: $0.convention))
    }
    own = Catalogue.exporter.map { ($0, PreparedMetric($0.family)) }
  }

  /// Makes a page in the memory of the last one, unless that is still being sent.
  ///
  /// - Parameters:
  ///   - push: What it has beside the values.
  ///   - states: The targets.
  ///   - own: What the exporter knows about itself.
  ///   - seconds: When the values were read, since 1970.
  ///   - facts: The machine's units.
  ///   - limit: How many samples a target may have; what is beyond is left out.
  ///   - counting: What of that is counted.
  /// - Returns: The page.
  mutating func write(
    _ push: Push, _ states: [TargetState], _ own: OwnState, seconds: Double, _ facts: SystemFacts,
    limit: Int, _ counting: Counting
  ) -> [UInt8] {
    encoder.begin(seconds: seconds)
    encoder.begin(resource: ownResource(push))
    for (row, metric) in self.own {
      encoder.begin(metric)
      write(row.value, own, row.family, created: own.startSeconds, { $0 }, hasRoom: { _ in true })
    }
    encoder.endResource()
    for state in states {
      encoder.begin(resource: resource(push, state))
      state.beginPage(limit: limit, plain: state.plainSamples, counting: counting)
      for item in items { write(item, state, facts) }
      if push.hasOlderGoNames { for item in olderItems { write(item, state, facts) } }
      encoder.endResource()
    }
    return encoder.page
  }

  private mutating func write(_ item: Item, _ state: TargetState, _ facts: SystemFacts) {
    encoder.begin(item.metric)
    switch item.rows {
    case .process(let index):
      let reading = state.tally.values[index].scaled(Catalogue.process[index].grain, facts)
      if reading != .absent, state.hasRoom(labelled: false) {
        encoder.point(reading, created: state.created?.processes)
      }
    case .target(let row):
      guard state.serves(row), state.isCurrent(row) else { return }
      let isLimited = row.group != nil
      let isLabelled = !row.family.labels.isEmpty
      write(
        row.value, state.sample, row.family, created: state.created?.of(row.group),
        { $0.scaled(row.grain, facts) }
      ) {
        !isLimited || state.hasRoom(labelled: isLabelled, series: $0)
      }
    }
  }

  private mutating func write<Subject>(
    _ value: Samples<Subject>, _ subject: Subject, _ family: Family, created: Double?,
    _ scaled: (Reading) -> Reading, hasRoom: (Int) -> Bool
  ) {
    switch value {
    case .single(let read):
      let reading = read(subject)
      if reading != .absent, hasRoom(1) { encoder.point(scaled(reading), created: created) }
    case .labelled(let read):
      for (values, reading) in read(subject).sorted(by: {
        $0.values.lexicographicallyPrecedes($1.values)
      }) where reading != .absent && hasRoom(1) {
        encoder.point(family.labels, values, scaled(reading), created: created)
      }
    case .distribution(let read):
      if let sample = read(subject), hasRoom(family.seriesOfDistribution) {
        encoder.point(sample, created: created)
      }
    }
  }

  // MARK: Resources

  private typealias Attributes = [(name: String, value: OTLPEncoder.Attribute)]

  private func ownResource(_ push: Push) -> Attributes {
    join([
      push.attributes,
      [
        Label("service.name", "procvitals"), Label("service.version", version),
        Label("service.instance.id", push.host), Label("host.name", push.host),
      ],
    ])
  }

  private func resource(_ push: Push, _ state: TargetState) -> Attributes {
    let target = state.target
    let labels = target.key.labels.map { Label($0.name, $0.value) }
    // Unlike the service's name it is nobody else's, here and on other machines.
    let instance = ([push.host, target.name] + labels.map { "\($0.name)=\($0.value)" })
      .joined(separator: "/")
    var attributes = join([
      push.attributes, labels.filter { $0.name != "service" },
      [
        Label("target", target.name), Label("host.name", push.host),
        Label("service.name", labels.first { $0.name == "service" }?.value ?? target.name),
        Label("service.instance.id", instance),
      ],
    ])
    if let first = target.members.first,
      !target.members.contains(where: { $0.stat.name != first.stat.name })
    {
      attributes.append(("process.executable.name", .text(Self.program(first))))
      if target.members.count == 1 {
        attributes.append(("process.pid", .whole(UInt64(max(0, first.pid)))))
      }
    }
    return attributes
  }

  /// The name of the file that a process runs; that of the process where it cannot be read.
  private static func program(_ member: Member) -> String {
    guard let path = try? member.handle.executable() else {
      return String(decoding: member.stat.name.bytes, as: UTF8.self)
    }
    let text = InfoSurvey.text(path: path)
    return text.split(separator: "/").last.map(String.init) ?? text
  }

  /// Attributes of which a later one replaces an earlier one of its name.
  private func join(_ lists: [[Label]]) -> Attributes {
    var joined: Attributes = []
    for label in lists.joined() {
      joined.removeAll { $0.name == label.name }
      joined.append((label.name, .text(label.value)))
    }
    return joined
  }
}

extension Reading {
  /// A number that counts something, in the family's unit.
  func scaled(_ grain: Grain, _ facts: SystemFacts) -> Reading {
    guard case .whole(let number) = self else { return self }
    switch grain {
    case .unit: return self
    case .ticks: return .real(facts.seconds(ticks: number))
    case .microseconds: return .real(Double(number) / 1e6)
    case .nanoseconds: return .real(Double(number) / 1e9)
    }
  }
}
