/// A text of somebody else's on one line of a terminal: what would end the line or steer the
/// terminal is written as its number.
func printable(_ bytes: [UInt8]) -> String {
  String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
    JSON.isControl(scalar)
      ? "\\u{\(String(scalar.value, radix: 16))}" : String(Character(scalar))
  }.joined()
}

/// The same of a text.
func printable(_ text: String) -> String { printable(Array(text.utf8)) }
