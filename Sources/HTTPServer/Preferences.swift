import Linux

/// One member of a field like Accept or Accept-Encoding: something that the client takes.
package struct Preference: Sendable {
  /// A media range such as `text/plain` or `*/*`, or a content coding, in lower case.
  package let value: String
  /// Without `q`, in order; names in lower case, values as they came, quotes resolved.
  package let parameters: [(name: String, value: String)]
  /// How much it is wanted, in thousandths; 0 excludes it.
  package let quality: Int

  /// Most members of one field that are looked at, all its lines together.
  static let limit = 64
  /// Most parameters of one member; one with more is ignored.
  static let parameterLimit = 16

  /// The value of a parameter whose name is in lower case.
  package subscript(_ parameter: String) -> String? {
    parameters.first { $0.name == parameter }?.value
  }
}

extension Request {
  /// What the client prefers.
  ///
  /// - Parameter field: `Accept` or another field of members with weights.
  /// - Returns: The members of all lines in order, without those that break the rules; nil without
  ///   the field.
  /// - Source: RFC 9110, sections 5.6.6, 12.4.2 and 12.5.1.
  package func preferences(_ field: String) -> [Preference]? {
    var found: [Preference]?
    for line in fieldLines where head.span.equalsIgnoringCase(line.name, field) {
      var reader = MemberReader(index: line.value.lowerBound, end: line.value.upperBound)
      var members = found ?? []
      while reader.index < reader.end, members.count < Preference.limit {
        if let member = reader.next(head.span) { members.append(member) }
      }
      found = members
    }
    return found
  }

  /// The content coding to answer with.
  ///
  /// - Parameter offered: Codings that the answer can have, the best one first.
  /// - Returns: One of them, or `identity` if the client wants none of them more. Nothing is ever
  ///   refused for want of a coding.
  /// - Source: RFC 9110, section 12.5.3.
  package func contentCoding(offered: [String]) -> String {
    guard let preferences = preferences("Accept-Encoding") else { return "identity" }
    func quality(_ coding: String) -> Int {
      let named = preferences.filter { $0.value == coding || $0.value == "x-" + coding }
      return (named.isEmpty ? preferences.filter { $0.value == "*" } : named)
        .map(\.quality).max() ?? 0
    }
    var best = (coding: "identity", quality: 0)
    for coding in offered + ["identity"] where quality(coding) > best.quality {
      best = (coding, quality(coding))
    }
    return best.coding
  }

  /// Whether the client has what an entity tag names, so that 304 is the answer.
  ///
  /// - Parameter tag: A strong entity tag, quotes included.
  /// - Returns: Whether If-None-Match names it, or anything.
  /// - Source: RFC 9110, sections 8.8.3 and 13.1.2.
  package func alreadyHas(tag: String) -> Bool {
    for line in fieldLines where head.span.equalsIgnoringCase(line.name, "If-None-Match") {
      // Tags are told apart by the weak comparison, and those of this program have no comma.
      let isThere = text(line.value).split(separator: ",").contains { member in
        var member = member.drop { $0 == " " || $0 == "\t" }
        while member.last == " " || member.last == "\t" { member.removeLast() }
        return member == "*" || member == tag || member == "W/" + tag
      }
      if isThere { return true }
    }
    return false
  }
}

/// Takes the members out of one line, one after another.
private struct MemberReader {
  var index: Int
  let end: Int

  /// Reads up to the comma behind a member, and over it.
  ///
  /// - Returns: The member; nil for an empty one and for one that breaks the rules.
  mutating func next(_ bytes: Span<UInt8>) -> Preference? {
    let member = read(bytes)
    skipBlanks(bytes)
    let isWhole = index == end || bytes[index] == .comma
    skipToComma(bytes)
    return isWhole ? member : nil
  }

  private mutating func read(_ bytes: Span<UInt8>) -> Preference? {
    skipBlanks(bytes)
    guard var value = token(bytes)?.lowercased() else { return nil }
    if take(.slash, bytes) {
      guard let subtype = token(bytes) else { return nil }
      value += "/" + subtype.lowercased()
    }
    var parameters: [(name: String, value: String)] = []
    var quality: Int?
    while true {
      skipBlanks(bytes)
      guard take(UInt8(ascii: ";"), bytes) else { break }
      skipBlanks(bytes)
      // A semicolon may stand alone.
      guard let name = token(bytes)?.lowercased() else { continue }
      skipBlanks(bytes)
      guard take(UInt8(ascii: "="), bytes) else { return nil }
      skipBlanks(bytes)
      guard let text = quoted(bytes) ?? token(bytes) else { return nil }
      if name == "q" {
        guard quality == nil, let weight = Self.weight(text) else { return nil }
        quality = weight
      } else {
        guard parameters.count < Preference.parameterLimit,
          !parameters.contains(where: { $0.name == name })
        else { return nil }
        parameters.append((name, text))
      }
    }
    return Preference(value: value, parameters: parameters, quality: quality ?? 1000)
  }

  private mutating func skipBlanks(_ bytes: Span<UInt8>) {
    while index < end, bytes[index].isBlank { index += 1 }
  }

  private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
    guard index < end, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func token(_ bytes: Span<UInt8>) -> String? {
    let start = index
    while index < end, CharacterSet.token.contains(bytes[index]) { index += 1 }
    return index == start ? nil : bytes.extracting(start..<index).lossyText
  }

  /// A quoted string; nil if there is none here, or it does not end.
  private mutating func quoted(_ bytes: Span<UInt8>) -> String? {
    guard take(UInt8(ascii: "\""), bytes) else { return nil }
    var text: [UInt8] = []
    while index < end {
      var byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      if byte == UInt8(ascii: "\\"), index < end {
        byte = bytes[index]
        index += 1
      }
      text.append(byte)
    }
    return nil
  }

  /// Goes behind the comma that ends a member; one within quotes ends nothing.
  private mutating func skipToComma(_ bytes: Span<UInt8>) {
    while index < end {
      if take(.comma, bytes) { return }
      if quoted(bytes) == nil, index < end { index += 1 }
    }
  }

  /// `qvalue` in thousandths: `0`, `1`, and at most three digits behind the point.
  private static func weight(_ text: String) -> Int? {
    let digits = Array(text.utf8)
    guard let first = digits.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1"),
      digits.count <= 5, digits.count == 1 || digits[1] == UInt8(ascii: ".")
    else { return nil }
    var weight = Int(first - 48) * 1000
    var grain = 100
    for digit in digits.dropFirst(2) {
      guard digit.isDigit else { return nil }
      weight += Int(digit - 48) * grain
      grain /= 10
    }
    return weight <= 1000 ? weight : nil
  }
}
