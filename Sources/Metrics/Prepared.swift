/// How names, labels and numbers are written; formats of one style differ in what is around them.
package enum Style: Int, Sendable, CaseIterable {
  case text, protobuf, json
}

/// What of a family is the same on every page of a format, rendered once.
package struct PreparedFamily: Sendable {
  /// What stands before the samples and behind them.
  let header, trailer: [UInt8]
  /// What each sample begins with.
  let name: [UInt8]
  /// What tells since when the family counts begins with; empty where nothing does.
  let createdName: [UInt8]
  let isCounter: Bool
  let distribution: PreparedDistribution

  /// A family without a name, of which nothing is written.
  init() {
    (header, trailer, name, createdName, isCounter) = ([], [], [], [], false)
    distribution = PreparedDistribution()
  }

  /// Renders a family.
  ///
  /// - Parameters:
  ///   - family: The family.
  ///   - format: For which format.
  ///   - others: Names of families that are on the same pages: OpenMetrics takes `_total` off the
  ///     names of counters, and what is left must not be one of them.
  package init(_ family: Family, _ format: Format, others: Set<String> = []) {
    isCounter = family.kind == .counter
    distribution = PreparedDistribution(family, format)
    var header: [UInt8] = []
    var trailer: [UInt8] = []
    var createdName = ""
    switch format {
    case .text, .text1:
      header += "# HELP \(family.name) ".utf8
      appendEscaped(family.help, &header)
      header += "\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8
    case .openMetrics0, .openMetrics1:
      // A counter with another name has no place here, and must not get another name either.
      let shortName = String(family.name.dropLast("_total".utf8.count))
      let isTotal =
        isCounter && family.name.hasSuffix("_total") && !others.contains(shortName)
      let name = isTotal ? shortName : family.name
      let type = isCounter && !isTotal ? "unknown" : family.kind.rawValue
      header += "# TYPE \(name) \(type)\n".utf8
      if family.unit != .none, name.hasSuffix(family.unit.rawValue) {
        header += "# UNIT \(name) \(family.unit.rawValue)\n".utf8
      }
      header += "# HELP \(name) ".utf8
      appendEscaped(family.help, quotes: true, &header)
      header.append(UInt8(ascii: "\n"))
      if isTotal || family.kind.pointLabel != nil { createdName = name + "_created" }
    case .protobuf:
      appendField(1, family.name, &header)
      appendField(2, family.help, &header)
      let type: UInt8 =
        switch family.kind {
        case .counter: 0
        case .gauge: 1
        case .summary: 2
        case .histogram: 4
        }
      header += [3 << 3, type]
      if family.unit != .none { appendField(5, family.unit.rawValue, &trailer) }
    case .json:
      header += "{\"name\":\"\(family.name)\",\"type\":\"\(family.kind.rawValue)\"".utf8
      header += ",\"unit\":\"\(family.unit.rawValue)\",\"help\":\"".utf8
      appendEscaped(family.help, quotes: true, controls: true, &header)
      header += "\",\"samples\":[".utf8
      trailer += "]}".utf8
    }
    self.header = header
    self.trailer = trailer
    self.createdName = Array(createdName.utf8)
    name = Array(family.name.utf8)
  }

  /// Renders families that are on the same pages.
  package static func all(_ families: [Family], _ format: Format) -> [PreparedFamily] {
    let names = Set(families.map(\.name))
    return families.map { PreparedFamily($0, format, others: names) }
  }
}

/// The labels of a series in one style, rendered once: `{a="b",c="d"` or nothing, members of an
/// object, or messages of type `LabelPair`.
package struct PreparedLabels: Sendable, Hashable {
  private(set) var bytes: [UInt8] = []

  package init(_ labels: [Label] = [], _ style: Style = .text) {
    for label in labels { append(label.name, label.value, style) }
  }

  /// Makes it the same as another one, in the memory that it has.
  mutating func copy(_ other: PreparedLabels) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: other.bytes)
  }

  /// Adds one more label behind the others, which are of the same style.
  package mutating func append(_ name: String, _ value: String, _ style: Style) {
    switch style {
    case .text:
      bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
      bytes.append(contentsOf: name.utf8)
      bytes.append(UInt8(ascii: "="))
      bytes.append(UInt8(ascii: "\""))
      appendEscaped(value, quotes: true, &bytes)
      bytes.append(UInt8(ascii: "\""))
    case .json:
      if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
      bytes.append(UInt8(ascii: "\""))
      bytes.append(contentsOf: name.utf8)
      bytes.append(contentsOf: "\":\"".utf8)
      appendEscaped(value, quotes: true, controls: true, &bytes)
      bytes.append(UInt8(ascii: "\""))
    case .protobuf:
      appendTag(1, ofBytes: fieldSize(name) + fieldSize(value), &bytes)
      appendField(1, name, &bytes)
      appendField(2, value, &bytes)
    }
  }
}

/// The labels of a series in those styles that somebody asked for.
package struct LabelCache: Sendable {
  private var rendered = InlineArray<3, PreparedLabels?>(repeating: nil)

  package init() {}

  /// The labels in a style, which are rendered if they are not yet.
  package mutating func callAsFunction(
    _ style: Style, _ labels: @autoclosure () -> [Label]
  ) -> PreparedLabels {
    if let known = rendered[style.rawValue] { return known }
    let new = PreparedLabels(labels(), style)
    rendered[style.rawValue] = new
    return new
  }
}

/// Escapes backslash and line feed, where it is said so the double quote, and as RFC 8259 wants it
/// the other control characters.
private func appendEscaped(
  _ text: String, quotes: Bool = false, controls: Bool = false, _ bytes: inout [UInt8]
) {
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
    case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
    case UInt8(ascii: "\"") where quotes: bytes.append(contentsOf: "\\\"".utf8)
    case 0..<0x20 where controls:
      let digits = Array("0123456789abcdef".utf8)
      bytes.append(contentsOf: "\\u00".utf8)
      bytes.append(digits[Int(byte >> 4)])
      bytes.append(digits[Int(byte & 15)])
    default: bytes.append(byte)
    }
  }
}
