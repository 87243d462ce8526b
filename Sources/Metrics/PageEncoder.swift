/// Writes a page in any of the formats into one growing buffer.
///
/// Families come one after another, each with all its samples; the caller keeps their order. The
/// buffer is reused: ``begin(_:writesCreated:)`` keeps its memory as long as nobody else holds the
/// finished page, and no sample takes memory besides.
///
/// - Source: "Exposition formats" of the Prometheus documentation; OpenMetrics 1.0; `metrics.proto`
///   of prometheus/client_model.
/// - Shape of JSON: an array of families, each with `name`, `type`, `unit`, `help` and `samples`,
///   each of which has an object `labels` and a `value`: a number, or one of the texts `NaN`,
///   `+Inf` and `-Inf`. Instead of the value a summary has an object `quantiles` of values, a
///   histogram an object `buckets` of counts by upper bound, and both have `sum` and `count`.
package struct PageEncoder: Sendable {
  /// The page so far.
  package private(set) var page: [UInt8] = []

  private var format = Format.text
  private var writesCreated = false
  private var family = PreparedFamily()
  /// Whether the family has a sample, and where its first byte is.
  private var isOpen = false
  private var start = 0
  private var labels = PreparedLabels()
  private var digits = ""

  package init() {}

  /// Starts a new page in the same memory.
  ///
  /// - Parameters:
  ///   - format: How it is written.
  ///   - writesCreated: Whether OpenMetrics has samples that tell since when counters count.
  package mutating func begin(_ format: Format, writesCreated: Bool = false) {
    self.format = format
    self.writesCreated = writesCreated
    isOpen = false
    page.removeAll(keepingCapacity: true)
    if format == .json { page.append(UInt8(ascii: "[")) }
  }

  /// Starts a family, of which nothing is written before its first sample; ends the one before.
  package mutating func begin(_ family: PreparedFamily) {
    endFamily()
    self.family = family
  }

  /// Ends the page.
  package mutating func end() {
    endFamily()
    switch format {
    case .text, .text1, .protobuf: break
    case .openMetrics0, .openMetrics1: page.append(contentsOf: "# EOF\n".utf8)
    case .json: page.append(contentsOf: "\n]\n".utf8)
    }
  }

  /// Writes one sample; an absent one leaves no trace.
  ///
  /// - Parameters:
  ///   - labels: Its labels, in the style of the format.
  ///   - names: The names of labels behind them.
  ///   - values: The values of these.
  ///   - reading: The number.
  ///   - created: Since when a counter counts, in seconds since 1970.
  package mutating func sample(
    _ labels: PreparedLabels, _ names: ArraySlice<String>, _ values: [String],
    _ reading: Reading, created: Double? = nil
  ) {
    if case .absent = reading { return }
    self.labels.copy(labels)
    for (name, value) in zip(names, values) { self.labels.append(name, value, format.style) }
    sample(self.labels, reading, created: created)
  }

  /// Writes one sample without labels of its own.
  package mutating func sample(
    _ labels: PreparedLabels, _ reading: Reading, created: Double? = nil
  ) {
    guard let number = reading.number else { return }
    beginSample()
    switch format.style {
    case .text:
      append(line: family.name, labels, reading)
      append(created: created, labels)
    case .protobuf:
      append(metric: labels, number, isCounter: family.isCounter, created)
    case .json:
      page.append(contentsOf: "{\"labels\":{".utf8)
      page.append(contentsOf: labels.bytes)
      page.append(contentsOf: "},\"value\":".utf8)
      append(json: reading)
      page.append(UInt8(ascii: "}"))
    }
  }

  /// Writes one sample of a summary or a histogram.
  ///
  /// - Parameters:
  ///   - labels: Its labels, in the style of the format.
  ///   - sample: The numbers, as many as the family has points.
  ///   - created: Since when it counts, in seconds since 1970.
  package mutating func sample(
    _ labels: PreparedLabels, _ sample: Distribution, created: Double? = nil
  ) {
    beginSample()
    switch format.style {
    case .text:
      for (place, point) in family.distribution.points.enumerated()
      where sample[place] != .absent {
        page.append(contentsOf: family.distribution.pointName)
        page.append(contentsOf: labels.bytes)
        page.append(labels.bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
        page.append(contentsOf: point)
        append(sample[place])
        page.append(UInt8(ascii: "\n"))
      }
      append(line: family.distribution.sumName, labels, .real(sample.sum))
      append(line: family.distribution.countName, labels, .whole(sample.count))
      append(created: created, labels)
    case .protobuf:
      append(metric: labels, sample, isHistogram: family.distribution.isHistogram, created)
    case .json:
      let name = family.distribution.isHistogram ? "buckets" : "quantiles"
      page.append(contentsOf: "{\"labels\":{".utf8)
      page.append(contentsOf: labels.bytes)
      page.append(contentsOf: "},\"".utf8)
      page.append(contentsOf: name.utf8)
      page.append(contentsOf: "\":{".utf8)
      for (place, point) in family.distribution.points.enumerated()
      where sample[place] != .absent {
        if page.last != UInt8(ascii: "{") { page.append(UInt8(ascii: ",")) }
        page.append(contentsOf: point)
        append(json: sample[place])
      }
      page.append(contentsOf: "},\"sum\":".utf8)
      append(json: .real(sample.sum))
      page.append(contentsOf: ",\"count\":".utf8)
      append(.whole(sample.count))
      page.append(UInt8(ascii: "}"))
    }
  }

  /// Writes what stands before a sample: if it is the first one, what the family begins with.
  private mutating func beginSample() {
    if isOpen {
      if format == .json { page.append(UInt8(ascii: ",")) }
      return
    }
    isOpen = true
    if format == .json {
      if page.count > 1 { page.append(UInt8(ascii: ",")) }
      page.append(UInt8(ascii: "\n"))
    }
    start = page.count
    page.append(contentsOf: family.header)
  }

  private mutating func endFamily() {
    guard isOpen else { return }
    isOpen = false
    page.append(contentsOf: family.trailer)
    if format == .protobuf {
      var size: [UInt8] = []
      appendVarint(UInt64(page.count - start), &size)
      page.insert(contentsOf: size, at: start)
    }
  }

  private mutating func append(line name: [UInt8], _ labels: PreparedLabels, _ reading: Reading) {
    page.append(contentsOf: name)
    if !labels.bytes.isEmpty {
      page.append(contentsOf: labels.bytes)
      page.append(UInt8(ascii: "}"))
    }
    page.append(UInt8(ascii: " "))
    append(reading)
    page.append(UInt8(ascii: "\n"))
  }

  private mutating func append(created: Double?, _ labels: PreparedLabels) {
    guard writesCreated, !family.createdName.isEmpty, let created else { return }
    // As exact as in protobuf, and as Prometheus keeps it.
    append(line: family.createdName, labels, .real((created * 1000).rounded() / 1000))
  }

  private mutating func append(_ reading: Reading) {
    switch reading {
    case .absent: break
    case .whole(let value): appendDecimal(value, to: &page)
    case .real(let value): appendNumber(value, to: &page, digits: &digits)
    }
  }

  private mutating func append(json reading: Reading) {
    let isText = reading.number?.isFinite == false
    if isText { page.append(UInt8(ascii: "\"")) }
    append(reading)
    if isText { page.append(UInt8(ascii: "\"")) }
  }

  /// Appends a message of type `Metric` with a `Counter` or a `Gauge`.
  private mutating func append(
    metric labels: PreparedLabels, _ number: Double, isCounter: Bool, _ created: Double?
  ) {
    let timestamp = isCounter ? created.flatMap(ProtobufTimestamp.init) : nil
    let size = 9 + (timestamp?.size ?? 0)
    begin(metric: labels, value: isCounter ? 3 : 2, size)
    appendField(1, number, &page)
    timestamp?.append(as: 3, to: &page)
  }

  /// Appends a message of type `Metric` with a `Summary` or a `Histogram`.
  private mutating func append(
    metric labels: PreparedLabels, _ sample: Distribution, isHistogram: Bool, _ created: Double?
  ) {
    let timestamp = created.flatMap(ProtobufTimestamp.init)
    let points = family.distribution.points
    var size = 1 + varintSize(sample.count) + 9 + (timestamp?.size ?? 0)
    for place in points.indices where sample[place] != .absent {
      size += 2 + pointSize(sample, place)
    }
    begin(metric: labels, value: isHistogram ? 7 : 4, size)
    appendField(1, sample.count, &page)
    appendField(2, sample.sum, &page)
    for (place, point) in points.enumerated() where sample[place] != .absent {
      appendTag(3, ofBytes: pointSize(sample, place), &page)
      if isHistogram { appendField(1, sample.observations(place), &page) }
      page.append(contentsOf: point)
      if !isHistogram { appendField(2, sample[place].number ?? .nan, &page) }
    }
    timestamp?.append(as: isHistogram ? 15 : 4, to: &page)
  }

  /// How many bytes the content of a `Quantile` or a `Bucket` takes.
  private func pointSize(_ sample: Distribution, _ place: Int) -> Int {
    family.distribution.isHistogram ? 10 + varintSize(sample.observations(place)) : 18
  }

  /// Appends a message of type `Metric` up to the content of its value.
  private mutating func begin(metric labels: PreparedLabels, value: UInt8, _ size: Int) {
    let valueSize = 1 + varintSize(UInt64(size)) + size
    appendTag(4, ofBytes: labels.bytes.count + valueSize, &page)
    page.append(contentsOf: labels.bytes)
    appendTag(value, ofBytes: size, &page)
  }
}
