/// A family as a reader of a page sees it, whatever the format.
package struct ReadFamily: Equatable, Sendable {
  /// As in the text format: with `_total`.
  package var name: String
  package var type = ""
  package var unit = ""
  package var help = ""
  package var samples: [ReadSample] = []

  package init(_ name: String) { self.name = name }
}

/// One sample of a family.
package struct ReadSample: Equatable, Sendable {
  package var labels: [ReadLabel] = []
  package var value: Double
  /// Since when a counter counts, where the page says so.
  package var created: Double?
  /// What a summary or a histogram has instead of a value.
  package var distribution: ReadDistribution?

  package init(labels: [ReadLabel] = [], value: Double, created: Double? = nil) {
    self.labels = labels
    self.value = value
    self.created = created
  }
}

/// What a summary or a histogram says.
package struct ReadDistribution: Equatable, Sendable {
  package struct Point: Equatable, Sendable {
    /// The quantile, or the upper bound of the bucket; its text where it is one.
    package var at: Double
    package var text: String?
    package var value: Double

    package init(at: Double, text: String? = nil, value: Double) {
      self.at = at
      self.text = text
      self.value = value
    }
  }

  package var points: [Point] = []
  package var sum: Double?
  package var count: Double?

  package init() {}
}

package struct ReadLabel: Equatable, Sendable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// Why a page cannot be read.
package struct Unreadable: Error, CustomStringConvertible {
  package let description: String
}

/// Reads a page in the Prometheus text format or in OpenMetrics as strictly as their definitions
/// are about what the other formats have too.
package func readText(_ bytes: [UInt8], isOpenMetrics: Bool) throws -> [ReadFamily] {
  guard let text = String(validating: bytes, as: UTF8.self), text.utf8.last == 0x0A || text.isEmpty
  else { throw Unreadable(description: "no text that ends with a line feed") }
  var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
    .map { String(Substring($0)) }
  lines.removeLast()
  if isOpenMetrics, lines.popLast() != "# EOF" { throw Unreadable(description: "no # EOF") }
  var families: [ReadFamily] = []
  var words: [String] = []
  for line in lines {
    if line.hasPrefix("# ") {
      let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4 else { throw Unreadable(description: line) }
      let (word, name, rest) = (String(parts[1]), String(parts[2]), String(parts[3]))
      if word == (isOpenMetrics ? "TYPE" : "HELP") {
        families.append(ReadFamily(name))
        words = []
      }
      guard var family = families.last, family.name == name, family.samples.isEmpty,
        !words.contains(word)
      else { throw Unreadable(description: "out of place: \(line)") }
      words.append(word)
      switch word {
      case "TYPE": family.type = rest
      case "HELP": family.help = try unescaped(rest, quotes: isOpenMetrics)
      case "UNIT" where isOpenMetrics: family.unit = rest
      default: throw Unreadable(description: line)
      }
      families[families.count - 1] = family
    } else {
      try readSample(line, isOpenMetrics, &families)
    }
  }
  if isOpenMetrics {
    for index in families.indices where families[index].type == "counter" {
      families[index].name += "_total"
    }
  }
  return families
}

private func readSample(
  _ line: String, _ isOpenMetrics: Bool, _ families: inout [ReadFamily]
) throws {
  guard var family = families.popLast() else { throw Unreadable(description: line) }
  var rest = Substring(line)
  let name = rest.prefix { $0 != "{" && $0 != " " }
  rest = rest.dropFirst(name.count)
  var sample = ReadSample(value: 0)
  if rest.first == "{" {
    rest = rest.dropFirst()
    while true {
      let label = rest.prefix { $0 != "=" }
      rest = rest.dropFirst(label.count + 2)
      var value = ""
      var scalars = rest.unicodeScalars
      while let scalar = scalars.popFirst(), scalar != "\"" {
        value.unicodeScalars.append(scalar)
        if scalar == "\\", let next = scalars.popFirst() { value.unicodeScalars.append(next) }
      }
      sample.labels.append(
        ReadLabel(String(label), try unescaped(value, quotes: true)))
      rest = Substring(scalars)
      let separator = rest.first
      rest = rest.dropFirst()
      if separator == "}" { break }
      guard separator == "," else { throw Unreadable(description: line) }
    }
  }
  guard rest.first == " ", let number = Double(rest.dropFirst()) else {
    throw Unreadable(description: line)
  }
  let isTotal = isOpenMetrics && family.type == "counter"
  if family.type == "summary" || family.type == "histogram" {
    try add(name.dropFirst(family.name.count), sample.labels, number, isOpenMetrics, to: &family)
  } else if isTotal, name == family.name + "_created" {
    guard let last = family.samples.indices.last, family.samples[last].labels == sample.labels,
      family.samples[last].created == nil
    else { throw Unreadable(description: "out of place: \(line)") }
    family.samples[last].created = number
  } else if name == family.name + (isTotal ? "_total" : "") {
    sample.value = number
    family.samples.append(sample)
  } else {
    throw Unreadable(description: "out of place: \(line)")
  }
  families.append(family)
}

/// Adds a line of a summary or a histogram, whose points come first, then sum, count and since when.
private func add(
  _ suffix: Substring, _ labels: [ReadLabel], _ number: Double, _ isOpenMetrics: Bool,
  to family: inout ReadFamily
) throws {
  let label = family.type == "summary" ? "quantile" : "le"
  let wrong = Unreadable(description: "out of place: \(family.name)\(suffix)\(labels)")
  var last = family.samples.popLast()
  var distribution = last?.distribution ?? ReadDistribution()
  switch suffix {
  case family.type == "summary" ? "" : "_bucket":
    guard let point = labels.last, point.name == label, let at = Double(point.value) else {
      throw wrong
    }
    if let known = last, distribution.count != nil {
      family.samples.append(known)
      last = nil
    }
    if last == nil {
      last = ReadSample(labels: labels.dropLast(), value: 0)
      distribution = ReadDistribution()
    }
    guard last?.labels == labels.dropLast(), distribution.sum == nil else { throw wrong }
    distribution.points.append(.init(at: at, text: point.value, value: number))
  case "_sum":
    guard last?.labels == labels, distribution.sum == nil else { throw wrong }
    distribution.sum = number
  case "_count":
    guard last?.labels == labels, distribution.sum != nil, distribution.count == nil else {
      throw wrong
    }
    distribution.count = number
  case "_created" where isOpenMetrics:
    guard last?.labels == labels, distribution.count != nil, last?.created == nil else {
      throw wrong
    }
    last?.created = number
  default: throw wrong
  }
  last?.distribution = distribution
  if let last { family.samples.append(last) }
}

private func unescaped(_ text: String, quotes: Bool) throws -> String {
  var result = ""
  var scalars = text.unicodeScalars[...]
  while let scalar = scalars.popFirst() {
    switch scalar {
    case "\\":
      switch scalars.popFirst() {
      case "n": result += "\n"
      case "\\": result += "\\"
      case "\"" where quotes: result += "\""
      default: throw Unreadable(description: "no such escape: \(text)")
      }
    case "\"" where quotes: throw Unreadable(description: "a bare quote: \(text)")
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// Reads length-delimited messages of type `io.prometheus.client.MetricFamily`.
package func readProtobuf(_ bytes: [UInt8]) throws -> [ReadFamily] {
  var rest = bytes[...]
  var families: [ReadFamily] = []
  while !rest.isEmpty {
    var family = ReadFamily("")
    for field in try fields(try delimited(&rest)) {
      switch field {
      case .bytes(1, let bytes): family.name = String(decoding: bytes, as: UTF8.self)
      case .bytes(2, let bytes): family.help = String(decoding: bytes, as: UTF8.self)
      case .number(3, 0): family.type = "counter"
      case .number(3, 1): family.type = "gauge"
      case .number(3, 2): family.type = "summary"
      case .number(3, 4): family.type = "histogram"
      case .bytes(4, let bytes): family.samples.append(try readMetric(bytes, family.type))
      case .bytes(5, let bytes): family.unit = String(decoding: bytes, as: UTF8.self)
      default: throw Unreadable(description: "MetricFamily: \(field)")
      }
    }
    families.append(family)
  }
  return families
}

private func readMetric(_ bytes: ArraySlice<UInt8>, _ type: String) throws -> ReadSample {
  var sample = ReadSample(value: .nan)
  for field in try fields(bytes) {
    switch field {
    case .bytes(1, let bytes):
      let pair = try fields(bytes)
      guard pair.count == 2, case .bytes(1, let name) = pair[0], case .bytes(2, let value) = pair[1]
      else { throw Unreadable(description: "LabelPair: \(pair)") }
      sample.labels.append(
        ReadLabel(
          String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
    case .bytes(type == "counter" ? 3 : 2, let bytes):
      for field in try fields(bytes) {
        switch field {
        case .double(1, let value): sample.value = value
        case .bytes(3, let time) where type == "counter": sample.created = try readTime(time)
        default: throw Unreadable(description: "value: \(field)")
        }
      }
    case .bytes(4, let bytes) where type == "summary",
      .bytes(7, let bytes) where type == "histogram":
      sample.value = 0
      try read(bytes, isHistogram: type == "histogram", &sample)
    default: throw Unreadable(description: "Metric: \(field)")
    }
  }
  return sample
}

private func readTime(_ bytes: ArraySlice<UInt8>) throws -> Double {
  var parts = [UInt64](repeating: 0, count: 3)
  for case .number(let field, let value) in try fields(bytes) { parts[field] = value }
  return Double(parts[1]) + Double(parts[2]) / 1e9
}

/// Reads a `Summary` or a `Histogram`; the bucket without a bound goes without saying.
private func read(
  _ bytes: ArraySlice<UInt8>, isHistogram: Bool, _ sample: inout ReadSample
) throws {
  var distribution = ReadDistribution()
  for field in try fields(bytes) {
    switch field {
    case .number(1, let count): distribution.count = Double(count)
    case .double(2, let sum): distribution.sum = sum
    case .bytes(3, let point):
      switch (isHistogram, try fields(point)) {
      case (false, let parts):
        guard parts.count == 2, case .double(1, let at) = parts[0],
          case .double(2, let value) = parts[1]
        else { throw Unreadable(description: "Quantile: \(parts)") }
        distribution.points.append(.init(at: at, value: value))
      case (true, let parts):
        guard parts.count == 2, case .number(1, let count) = parts[0],
          case .double(2, let at) = parts[1]
        else { throw Unreadable(description: "Bucket: \(parts)") }
        distribution.points.append(.init(at: at, value: Double(count)))
      }
    case .bytes(isHistogram ? 15 : 4, let time): sample.created = try readTime(time)
    default: throw Unreadable(description: "distribution: \(field)")
    }
  }
  if isHistogram, let count = distribution.count {
    distribution.points.append(.init(at: .infinity, value: count))
  }
  sample.distribution = distribution
}

enum Field {
  case number(Int, UInt64)
  case double(Int, Double)
  case bytes(Int, ArraySlice<UInt8>)
}

func fields(_ message: ArraySlice<UInt8>) throws -> [Field] {
  var rest = message
  var fields: [Field] = []
  while !rest.isEmpty {
    let tag = try varint(&rest)
    let field = Int(tag >> 3)
    switch tag & 7 {
    case 0: fields.append(.number(field, try varint(&rest)))
    case 1:
      guard rest.count >= 8 else { throw Unreadable(description: "a double that is cut") }
      let bits = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      fields.append(.double(field, Double(bitPattern: bits)))
      rest = rest.dropFirst(8)
    case 2: fields.append(.bytes(field, try delimited(&rest)))
    default: throw Unreadable(description: "wire type \(tag & 7)")
    }
  }
  return fields
}

private func delimited(_ rest: inout ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
  let count = Int(try varint(&rest))
  guard rest.count >= count else { throw Unreadable(description: "\(count) bytes that are cut") }
  defer { rest = rest.dropFirst(count) }
  return rest.prefix(count)
}

private func varint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
  var value: UInt64 = 0
  for shift in stride(from: UInt64(0), to: 64, by: 7) {
    guard let byte = rest.popFirst() else { break }
    value |= UInt64(byte & 0x7F) << shift
    if byte < 0x80 { return value }
  }
  throw Unreadable(description: "a number that does not end")
}
