import Page

/// A value as RFC 8259 writes it.
indirect enum JSON {
  case text(String)
  case whole(Int)
  /// A finite number.
  case real(Double)
  case truth(Bool)
  case list([JSON])
  /// Members in the order they are written.
  case object(KeyValuePairs<String, JSON>)
  /// The same, with names that are only known now.
  case members([(key: String, value: JSON)])
  case null

  static func texts(_ texts: [String]) -> JSON { .list(texts.map(JSON.text)) }

  /// A finite number, if it is known.
  static func number(_ number: Double?) -> JSON {
    number.map { number in Int(exactly: number).map(JSON.whole) ?? .real(number) } ?? .null
  }

  /// The text of the value, in one line.
  var line: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .whole(let number): String(number)
    case .list(let values): "[" + values.map(\.line).joined(separator: ",") + "]"
    case .real(let number): number.isFinite ? number.description : "null"
    case .truth(let isTrue): isTrue ? "true" : "false"
    case .object(let members): Self.line(members)
    case .members(let members): Self.line(members)
    case .null: "null"
    }
  }

  private static func line(_ members: some Sequence<(key: String, value: JSON)>) -> String {
    "{" + members.map { "\(quoted($0.key)):\($0.value.line)" }.joined(separator: ",") + "}"
  }

  /// A text in quotes, without what would end the line or steer a terminal.
  static func quoted(_ text: String) -> String { Page.quoted(text) }

  static func isControl(_ scalar: Unicode.Scalar) -> Bool { Page.isControl(scalar) }
}
