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
///   `+Inf` and `-Inf`.
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
    let isFirst = !isOpen
    if isFirst { open() }
    switch format.style {
    case .text:
      begin(line: family.name, labels)
      append(reading)
      page.append(UInt8(ascii: "\n"))
      if writesCreated, !family.createdName.isEmpty, let created {
        begin(line: family.createdName, labels)
        // As exact as in protobuf, and as Prometheus keeps it.
        append(.real((created * 1000).rounded() / 1000))
        page.append(UInt8(ascii: "\n"))
      }
    case .protobuf:
      append(metric: labels, number, isCounter: family.isCounter, created)
    case .json:
      if !isFirst { page.append(UInt8(ascii: ",")) }
      page.append(contentsOf: "{\"labels\":{".utf8)
      page.append(contentsOf: labels.bytes)
      page.append(contentsOf: "},\"value\":".utf8)
      if !number.isFinite { page.append(UInt8(ascii: "\"")) }
      append(reading)
      if !number.isFinite { page.append(UInt8(ascii: "\"")) }
      page.append(UInt8(ascii: "}"))
    }
  }

  private mutating func open() {
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

  private mutating func begin(line name: [UInt8], _ labels: PreparedLabels) {
    page.append(contentsOf: name)
    if !labels.bytes.isEmpty {
      page.append(contentsOf: labels.bytes)
      page.append(UInt8(ascii: "}"))
    }
    page.append(UInt8(ascii: " "))
  }

  private mutating func append(_ reading: Reading) {
    switch reading {
    case .absent: break
    case .whole(let value): appendDecimal(value, to: &page)
    case .real(let value): appendNumber(value, to: &page, digits: &digits)
    }
  }

  /// Appends a message of type `Metric` with a `Counter` or a `Gauge`.
  private mutating func append(
    metric labels: PreparedLabels, _ number: Double, isCounter: Bool, _ created: Double?
  ) {
    let timestamp = isCounter ? created.flatMap(ProtobufTimestamp.init) : nil
    let valueSize = 9 + (timestamp.map { 2 + $0.size } ?? 0)
    appendTag(4, ofBytes: labels.bytes.count + 2 + valueSize, &page)
    page.append(contentsOf: labels.bytes)
    appendTag(isCounter ? 3 : 2, ofBytes: valueSize, &page)
    appendField(1, number, &page)
    if let timestamp {
      appendTag(3, ofBytes: timestamp.size, &page)
      timestamp.append(to: &page)
    }
  }
}
