/// The request methods that handlers see; others are answered by the server.
package enum Method: String, Sendable, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case options = "OPTIONS"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"

  /// The method that a token names, case included.
  init?(_ token: Span<UInt8>) {
    for method in Self.allCases where token.isExactly(method.rawValue) {
      self = method
      return
    }
    return nil
  }
}

/// The HTTP versions that are spoken; a later 1.x counts as 1.1 (RFC 9110, section 2.5).
package enum Version: Sendable {
  case http10
  case http11
}

/// Names one request as long as it waits for its answer; never used again.
package struct RequestID: Hashable, Sendable {
  /// Where its connection stands in the server's table.
  let slot: Int32
  let number: UInt64

  /// Names no request: what is answered to it goes nowhere.
  package static let none = RequestID(slot: -1, number: 0)
}

/// A complete, checked request.
package struct Request: Sendable {
  package let method: Method
  package let version: Version
  /// The path, percent-decoded once, dot segments resolved; `%2F` stays encoded.
  package let path: String
  /// The body, decoded if it came in chunks; empty if ``Limits/keepsBodies`` is off.
  package let body: [UInt8]

  /// Request line and header section as they came.
  let head: [UInt8]
  let targetRange: Range<Int>
  let queryRange: Range<Int>?
  let authorityRange: Range<Int>?
  let fieldLines: [FieldLine]
  let keepsAlive: Bool

  /// The request target as it came.
  package var target: String { text(targetRange) }

  /// Host and port: from the target if it has them, otherwise from the Host field (RFC 9112, 3.3).
  package var authority: String? { authorityRange.map(text) }

  /// The query's names and values, decoded, in order; a name without `=` has an empty value.
  package var query: [(name: String, value: String)] {
    guard let queryRange else { return [] }
    var items: [(name: String, value: String)] = []
    for item in head[queryRange].split(separator: UInt8(ascii: "&")) {
      let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
      let valueStart = min(equals + 1, item.endIndex)
      items.append((decoded(item.startIndex..<equals), decoded(valueStart..<item.endIndex)))
    }
    return items
  }

  /// All fields in the order they came.
  package var fields: [(name: String, value: String)] {
    fieldLines.map { (text($0.name), text($0.value)) }
  }

  /// The value of the first field with a name.
  ///
  /// - Parameter name: The field's name; the case of letters does not matter.
  /// - Returns: The value without blanks around it, or nil. Bytes that are not UTF-8 are replaced.
  package func field(_ name: String) -> String? {
    for line in fieldLines where head.span.equalsIgnoringCase(line.name, name) {
      return text(line.value)
    }
    return nil
  }

  /// The values of all fields with a name, in order.
  ///
  /// - Parameter name: The field's name; the case of letters does not matter.
  /// - Returns: One value for each line.
  package func fieldValues(_ name: String) -> [String] {
    fieldLines.filter { head.span.equalsIgnoringCase($0.name, name) }.map { text($0.value) }
  }

  func text(_ range: Range<Int>) -> String { String(decoding: head[range], as: UTF8.self) }

  private func decoded(_ range: Range<Int>) -> String {
    // The parser has decoded the whole query once already.
    String(decoding: (try? percentDecode(head.span, range, .query)) ?? [], as: UTF8.self)
  }
}
