/// Text that is written piece by piece: HTML, SVG or JSON, as UTF-8.
struct Markup {
  private(set) var bytes: [UInt8] = []

  /// Something that is markup already.
  mutating func raw(_ markup: String) { bytes.append(contentsOf: markup.utf8) }

  mutating func raw(_ number: Int) { bytes.append(contentsOf: String(number).utf8) }

  /// Text that others may have chosen, in an element or a quoted attribute.
  mutating func text(_ text: String) {
    for scalar in text.unicodeScalars.prefix(PageLimits.characters) {
      switch scalar {
      case "&": raw("&amp;")
      case "<": raw("&lt;")
      case ">": raw("&gt;")
      case "\"": raw("&quot;")
      case "'": raw("&#39;")
      case _ where isControl(scalar): raw("\u{fffd}")
      default: bytes.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
      }
    }
  }

  /// A text as JSON has it.
  mutating func json(_ text: String) { raw(quoted(text)) }

  /// A number as JSON has it; null for one that is not known.
  mutating func json(_ number: Double?) {
    guard let number, number.isFinite else { return raw("null") }
    if let whole = Int64(exactly: number) { raw(String(whole)) } else { raw("\(number)") }
  }
}

/// A text in quotes as JSON has it, without what would end the line or steer a terminal.
package func quoted(_ text: String) -> String {
  let isPlain = text.utf8.allSatisfy {
    $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
  }
  if isPlain { return "\"\(text)\"" }
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case _ where isControl(scalar):
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// Whether a character would steer a terminal, end a line or turn the direction of text.
package func isControl(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    || (0x200e...0x200f).contains(scalar.value) || (0x2028...0x202e).contains(scalar.value)
    || (0x2066...0x2069).contains(scalar.value)
}
