/// An `ExportMetricsServiceRequest` as lines, one for each resource, metric and data point.
///
/// It reads what OTLP has, not only what we write; fields that are not known are an error.
package func listingOfOTLP(_ bytes: [UInt8]) throws -> String {
  var text = ""
  for case .bytes(1, let resource) in try known(bytes[...], 1...1) {
    for field in try known(resource, 1...2) {
      switch field {
      case .bytes(1, let content):
        text += "resource\(try attributes(of: content, in: 1))\n"
      case .bytes(_, let scope): text += try listing(scope: scope)
      default: throw Unreadable(description: "\(field)")
      }
    }
  }
  return text
}

/// The fields of a message, if their numbers are within a range.
private func known(_ bytes: ArraySlice<UInt8>, _ range: ClosedRange<Int>) throws -> [Field] {
  let all = try fields(bytes)
  for field in all where !range.contains(field.number) {
    throw Unreadable(description: "unknown field \(field)")
  }
  return all
}

extension Field {
  fileprivate var number: Int {
    switch self {
    case .number(let field, _), .double(let field, _), .bytes(let field, _): field
    }
  }
}

private func text(_ bytes: ArraySlice<UInt8>) throws -> String {
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw Unreadable(description: "no UTF-8: \(bytes)")
  }
  return text
}

private func attributes(of message: ArraySlice<UInt8>, in number: Int) throws -> String {
  var pairs: [String] = []
  for case .bytes(number, let content) in try fields(message) {
    var (name, value) = ("", "")
    for field in try known(content, 1...2) {
      guard case .bytes(let place, let bytes) = field else {
        throw Unreadable(description: "\(field)")
      }
      if place == 1 {
        name = try text(bytes)
      } else {
        switch try fields(bytes).first {
        case .bytes(1, let bytes): value = try text(bytes).debugDescription
        case .number(3, let whole): value = "\(whole)"
        case let other: throw Unreadable(description: "value \(String(describing: other))")
        }
      }
    }
    pairs.append("\(name)=\(value)")
  }
  guard Set(pairs.map { $0.prefix { $0 != "=" } }).count == pairs.count else {
    throw Unreadable(description: "an attribute twice: \(pairs)")
  }
  return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
}

private func listing(scope: ArraySlice<UInt8>) throws -> String {
  var lines = ""
  for field in try known(scope, 1...2) {
    switch field {
    case .bytes(1, let content):
      let parts = try known(content, 1...2).map { field -> String in
        guard case .bytes(_, let bytes) = field else {
          throw Unreadable(description: "\(field)")
        }
        return try text(bytes)
      }
      lines += "scope \(parts.joined(separator: " "))\n"
    case .bytes(_, let metric): lines += try listing(metric: metric)
    default: throw Unreadable(description: "\(field)")
    }
  }
  return lines
}

private func listing(metric: ArraySlice<UInt8>) throws -> String {
  var (name, description, unit, kind) = ("", "", "", "")
  var points: [String] = []
  for field in try known(metric, 1...11) {
    guard case .bytes(let number, let bytes) = field else {
      throw Unreadable(description: "\(field)")
    }
    switch number {
    case 1: name = try text(bytes)
    case 2: description = try text(bytes)
    case 3: unit = try text(bytes)
    default:
      guard kind.isEmpty,
        let known = [5: "gauge", 7: "sum", 9: "histogram", 11: "summary"][number]
      else { throw Unreadable(description: "data \(number)") }
      kind = known
      for part in try fields(bytes) {
        switch part {
        case .bytes(1, let point): points.append(try listing(point: point, kind))
        case .number(2, 2): kind += " cumulative"
        case .number(3, 1): kind += " monotonic"
        default: throw Unreadable(description: "\(part)")
        }
      }
    }
  }
  return "# \(name) \(kind) \"\(unit)\" \(description)\n"
    + points.map { "\(name)\($0)\n" }.joined()
}

private func listing(point: ArraySlice<UInt8>, _ kind: String) throws -> String {
  let isHistogram = kind.hasPrefix("histogram")
  let isNumber = !isHistogram && kind != "summary"
  var (start, time, value) = ("", "", "")
  for field in try known(point, 1...9) {
    switch field {
    case .bytes(isHistogram ? 9 : 7, _): break
    case .double(2, let bits): start = " since \(bits.bitPattern)"
    case .double(3, let bits): time = " at \(bits.bitPattern)"
    case .double(4, let number) where isNumber: value += " \(number)"
    case .double(6, let bits) where isNumber: value += " \(Int64(bitPattern: bits.bitPattern))"
    case .double(4, let bits): value += " count \(bits.bitPattern)"
    case .double(5, let sum): value += " sum \(sum)"
    case .bytes(6, let list) where isHistogram:
      value += " buckets \(words(list).map { Int64(bitPattern: $0) })"
    case .bytes(7, let list) where isHistogram:
      value += " bounds \(words(list).map { Double(bitPattern: $0) })"
    case .bytes(6, let quantile):
      for case .double(let place, let number) in try known(quantile, 1...2) {
        value += place == 1 ? " \(number):" : "\(number)"
      }
    default: throw Unreadable(description: "\(field) of a point")
    }
  }
  return try attributes(of: point, in: isHistogram ? 9 : 7) + start + time + value
}

private func words(_ bytes: ArraySlice<UInt8>) -> [UInt64] {
  stride(from: bytes.startIndex, to: bytes.endIndex, by: 8).map { start in
    bytes[start..<min(start + 8, bytes.endIndex)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
