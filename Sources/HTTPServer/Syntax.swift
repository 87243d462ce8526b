/// A set of ASCII characters.
struct CharacterSet {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  private init(_ characters: String) {
    for byte in characters.utf8 where byte < 128 {
      if byte < 64 { low |= 1 << byte } else { high |= 1 << (byte - 64) }
    }
  }

  func contains(_ byte: UInt8) -> Bool {
    if byte < 64 { return low >> byte & 1 == 1 }
    return byte < 128 && high >> (byte - 64) & 1 == 1
  }

  private static let alphanumeric =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  /// `tchar` (RFC 9110, section 5.6.2).
  static let token = CharacterSet(alphanumeric + "!#$%&'*+-.^_`|~")
  /// `reg-name` (RFC 3986, section 3.2.2) without the comma, which would make a list of hosts.
  static let registeredName = CharacterSet(alphanumeric + "-._~%!$&'()*+;=")
  /// The inside of an IPv6 literal.
  static let ipv6Literal = CharacterSet("0123456789ABCDEFabcdef:.")
}

extension UInt8 {
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let carriageReturn = UInt8(ascii: "\r")
  static let lineFeed = UInt8(ascii: "\n")
  static let comma = UInt8(ascii: ",")
  static let colon = UInt8(ascii: ":")
  static let slash = UInt8(ascii: "/")
  static let percent = UInt8(ascii: "%")

  /// `OWS`: space or horizontal tab.
  var isBlank: Bool { self == .space || self == .tab }
  var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

  var hexDigitValue: UInt8? {
    if isDigit { return self - UInt8(ascii: "0") }
    let letter = (self | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : nil
  }

  var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }

  /// Whether a header field may hold the byte: visible, blank or above ASCII.
  var isFieldCharacter: Bool { (self >= 0x20 && self != 0x7f) || self == .tab }
}

extension Span where Element == UInt8 {
  /// Whether a part of the bytes spells the text, if the case of letters does not matter.
  func equalsIgnoringCase(_ range: Range<Int>, _ text: String) -> Bool {
    if range.count != text.utf8.count { return false }
    var index = range.lowerBound
    for byte in text.utf8 {
      if self[index].lowercased != byte.lowercased { return false }
      index += 1
    }
    return true
  }

  /// The range without blanks at its ends.
  func trimmingBlanks(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, self[start].isBlank { start += 1 }
    while start < end, self[end - 1].isBlank { end -= 1 }
    return start..<end
  }

  /// Whether the range is one or more `tchar`.
  func isToken(_ range: Range<Int>) -> Bool {
    let token = CharacterSet.token
    for index in range where !token.contains(self[index]) { return false }
    return !range.isEmpty
  }

  /// Calls `body` with each member of a comma-separated list, blanks removed, empty ones included.
  func forEachMember<Failure: Error>(
    of range: Range<Int>, _ body: (Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    var start = range.lowerBound
    for index in range where self[index] == .comma {
      try body(trimmingBlanks(start..<index))
      start = index + 1
    }
    try body(trimmingBlanks(start..<range.upperBound))
  }
}
