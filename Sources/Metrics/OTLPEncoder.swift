/// What of a metric is the same in every request, rendered once.
package struct PreparedMetric: Sendable {
  package let name: String
  fileprivate let header, trailer: [UInt8]
  /// The field of the data, and that of the attributes in a data point.
  fileprivate let data, attributes: UInt8
  fileprivate let instrument: Convention.Instrument
  fileprivate let factor: Double
  fileprivate let points: [Double]
  /// That which tells its series from those of other families.
  fileprivate let attribute: [UInt8]

  /// Renders a metric.
  ///
  /// - Parameters:
  ///   - family: The family that it shows.
  ///   - convention: What it is called; nil for the family's own convention, or its name.
  package init(_ family: Family, as convention: Convention? = nil) {
    let convention = convention ?? family.convention ?? Convention(family)
    name = convention.name
    instrument = convention.instrument
    factor = convention.factor
    points = family.points
    var header: [UInt8] = []
    appendField(1, name, &header)
    // What stands for a part of the metric does not describe it.
    if convention.attribute == nil { appendField(2, family.help, &header) }
    if !convention.unit.isEmpty { appendField(3, convention.unit, &header) }
    self.header = header
    let isCumulative: [UInt8] = [2 << 3, 2]
    switch instrument {
    case .gauge, .age: (data, trailer) = (5, [])
    case .sum: (data, trailer) = (7, isCumulative + [3 << 3, 1])
    case .upDownSum: (data, trailer) = (7, isCumulative)
    case .histogram: (data, trailer) = (9, isCumulative)
    case .summary: (data, trailer) = (11, [])
    }
    attributes = instrument == .histogram ? 9 : 7
    var attribute: [UInt8] = []
    if let own = convention.attribute {
      appendAttribute(attributes, own.name, own.value, &attribute)
    }
    self.attribute = attribute
  }
}

/// Writes an `ExportMetricsServiceRequest` into one growing buffer, which is used again as long as
/// nobody else holds the finished request.
///
/// Resources come one after another, in each of them metrics, in each of those data points. What has
/// no data point is left out.
///
/// - Source: `metrics_service.proto`, `metrics.proto`, `resource.proto` and `common.proto` of
///   open-telemetry/opentelemetry-proto, version 1.
package struct OTLPEncoder: Sendable {
  /// The request so far.
  package private(set) var page: [UInt8] = []

  private let version: String
  /// When the values were read.
  private var nanoseconds: UInt64 = 0
  /// Where the contents of the open messages begin.
  private var resource = 0
  private var scope = 0
  private var metricStart = 0
  private var data = 0
  private var metric: PreparedMetric?
  private var isOpen = false
  private var isEmpty = true

  /// An encoder.
  ///
  /// - Parameter version: Of this program, which is the scope of all metrics.
  package init(version: String) { self.version = version }

  /// Starts a new request in the same memory.
  ///
  /// - Parameter seconds: When the values were read, since 1970.
  package mutating func begin(seconds: Double) {
    nanoseconds = Self.nanoseconds(seconds)
    page.removeAll(keepingCapacity: true)
  }

  /// Starts a resource, behind the end of the one before.
  package mutating func begin(resource attributes: [(name: String, value: Attribute)]) {
    resource = open(1)
    isEmpty = true
    let start = open(1)
    for attribute in attributes {
      switch attribute.value {
      case .text(let text): appendAttribute(1, attribute.name, text, &page)
      case .whole(let number): appendAttribute(1, attribute.name, number, &page)
      }
    }
    close(start)
    scope = open(2)
    appendTag(1, ofBytes: fieldSize("procvitals") + fieldSize(version), &page)
    appendField(1, "procvitals", &page)
    appendField(2, version, &page)
  }

  /// The value of an attribute of a resource.
  package enum Attribute: Sendable, Equatable {
    case text(String)
    case whole(UInt64)
  }

  /// Ends the resource.
  package mutating func endResource() {
    endMetric()
    if isEmpty {
      page.removeLast(page.count - resource + 1)
    } else {
      close(scope)
      close(resource)
    }
  }

  /// Starts a metric, or goes on with one of the same name; ends the one before.
  package mutating func begin(_ metric: PreparedMetric) {
    if self.metric?.name != metric.name { endMetric() }
    self.metric = metric
  }

  private mutating func endMetric() {
    if isOpen, let metric {
      page.append(contentsOf: metric.trailer)
      close(data)
      close(metricStart)
    }
    isOpen = false
    metric = nil
  }

  /// Writes a number; an absent one leaves no trace.
  package mutating func point(_ reading: Reading, created: Double?) {
    point([], [], reading, created: created)
  }

  /// Writes a number with attributes of its own; an absent one leaves no trace.
  ///
  /// - Parameters:
  ///   - names: The names of its attributes.
  ///   - values: Their values.
  ///   - reading: The number.
  ///   - created: Since when it counts if it is a sum, in seconds since 1970.
  package mutating func point(
    _ names: [String], _ values: [String], _ reading: Reading, created: Double?
  ) {
    guard let metric, let number = reading.number else { return }
    let point = beginPoint(metric, names, values)
    switch metric.instrument {
    case .sum, .upDownSum: appendTimes(since: created)
    case .gauge, .age, .summary, .histogram: appendTimes(since: nil)
    }
    if case .age = metric.instrument {
      appendField(4, max(0, Double(nanoseconds) / 1e9 - number), &page)
    } else if case .whole(let whole) = reading, metric.factor == 1, whole <= Int64.max {
      appendFixed(6, whole, &page)
    } else {
      appendField(4, number * metric.factor, &page)
    }
    close(point)
  }

  /// Writes a summary or a histogram.
  ///
  /// - Parameters:
  ///   - sample: The numbers, as many as the family has points.
  ///   - created: Since when it counts, in seconds since 1970.
  package mutating func point(_ sample: Distribution, created: Double?) {
    guard let metric else { return }
    let point = beginPoint(metric, [], [])
    appendTimes(since: created)
    appendFixed(4, sample.count, &page)
    let sum = sample.sum * metric.factor
    appendField(5, sum, &page)
    let known = metric.points.indices.filter { sample[$0] != .absent }
    switch metric.instrument {
    case .histogram:
      var before: UInt64 = 0
      appendTag(6, ofBytes: 8 * (known.count + 1), &page)
      for place in known + [metric.points.count] {
        let count = sample.observations(place)
        appendBytes(count &- before, &page)
        before = count
      }
      appendTag(7, ofBytes: 8 * known.count, &page)
      for place in known { appendBytes((metric.points[place] * metric.factor).bitPattern, &page) }
    default:
      for place in known {
        appendTag(6, ofBytes: 18, &page)
        appendField(1, metric.points[place], &page)
        appendField(2, (sample[place].number ?? .nan) * metric.factor, &page)
      }
    }
    close(point)
  }

  private mutating func beginPoint(
    _ metric: PreparedMetric, _ names: [String], _ values: [String]
  ) -> Int {
    if !isOpen {
      metricStart = open(2)
      page.append(contentsOf: metric.header)
      data = open(metric.data)
      isOpen = true
      isEmpty = false
    }
    let point = open(1)
    page.append(contentsOf: metric.attribute)
    for (name, value) in zip(names, values) {
      appendAttribute(metric.attributes, name, value, &page)
    }
    return point
  }

  private mutating func appendTimes(since created: Double?) {
    if let created { appendFixed(2, min(Self.nanoseconds(created), nanoseconds), &page) }
    appendFixed(3, nanoseconds, &page)
  }

  private static func nanoseconds(_ seconds: Double) -> UInt64 {
    UInt64(exactly: (seconds * 1e9).rounded()) ?? 0
  }

  // MARK: Messages inside messages

  /// Starts a field with a message; returns where its content begins.
  private mutating func open(_ field: UInt8) -> Int {
    page.append(field << 3 | 2)
    return page.count
  }

  /// Ends the message: its size goes before its content.
  private mutating func close(_ start: Int) {
    let size = UInt64(page.count - start)
    for group in (0..<varintSize(size)).reversed() {
      let more: UInt8 = group == varintSize(size) - 1 ? 0 : 0x80
      page.insert(UInt8(size >> (7 * UInt64(group)) & 0x7f) | more, at: start)
    }
  }
}

/// Appends a `KeyValue` with a text.
private func appendAttribute(
  _ field: UInt8, _ name: String, _ value: String, _ bytes: inout [UInt8]
) {
  let size = fieldSize(value)
  appendTag(field, ofBytes: fieldSize(name) + 1 + varintSize(UInt64(size)) + size, &bytes)
  appendField(1, name, &bytes)
  appendTag(2, ofBytes: size, &bytes)
  appendField(1, value, &bytes)
}

/// Appends a `KeyValue` with a number.
private func appendAttribute(
  _ field: UInt8, _ name: String, _ value: UInt64, _ bytes: inout [UInt8]
) {
  let size = 1 + varintSize(value)
  appendTag(field, ofBytes: fieldSize(name) + 1 + varintSize(UInt64(size)) + size, &bytes)
  appendField(1, name, &bytes)
  appendTag(2, ofBytes: size, &bytes)
  appendField(3, value, &bytes)
}
