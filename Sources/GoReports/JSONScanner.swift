/// Why a text is no JSON, or is more than is looked at.
struct JSONError: Error, Equatable {
  /// The byte at which it is wrong.
  let offset: Int
}

/// Goes through a JSON text once, and keeps nothing of it.
///
/// - Source: RFC 8259.
struct JSONScanner {
  /// Arrays and objects inside each other.
  static let depthLimit = 64

  let bytes: [UInt8]
  private(set) var at = 0
  private var depth = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Goes through the whole text, which must be one object.
  ///
  /// - Parameter member: See ``object(_:)``.
  /// - Throws: Where it is something else.
  mutating func document(
    _ member: (Range<Int>, inout JSONScanner) throws(JSONError) -> Void
  ) throws(JSONError) {
    skipBlanks()
    guard next == UInt8(ascii: "{") else { throw wrong }
    try object(member)
    skipBlanks()
    if at < bytes.count { throw wrong }
  }

  /// Goes through the object that begins here.
  ///
  /// - Parameter member: Gets each name, without its quotes and as it is written, and goes through the
  ///   value.
  /// - Throws: Where it is no object.
  mutating func object(
    _ member: (Range<Int>, inout JSONScanner) throws(JSONError) -> Void
  ) throws(JSONError) {
    try items(from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { scanner throws(JSONError) in
      let name = try scanner.string()
      scanner.skipBlanks()
      try scanner.take(UInt8(ascii: ":"))
      scanner.skipBlanks()
      try member(name, &scanner)
    }
  }

  /// Goes through the array that begins here.
  ///
  /// - Parameter item: Goes through a value.
  /// - Throws: Where it is no array.
  mutating func array(
    _ item: (inout JSONScanner) throws(JSONError) -> Void
  ) throws(JSONError) {
    try items(from: UInt8(ascii: "["), to: UInt8(ascii: "]"), item)
  }

  /// Goes through the value that begins here, whatever it is.
  ///
  /// - Returns: Where it stands.
  /// - Throws: Where it is none.
  @discardableResult mutating func value() throws(JSONError) -> Range<Int> {
    let start = at
    switch next {
    case UInt8(ascii: "{"):
      try object { _, scanner throws(JSONError) in try scanner.value() }
    case UInt8(ascii: "["): try array { scanner throws(JSONError) in try scanner.value() }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: try number()
    }
    return start..<at
  }

  /// The byte that comes next; 0, which no value begins with, at the end.
  var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

  private var wrong: JSONError { JSONError(offset: at) }

  private mutating func items(
    from first: UInt8, to last: UInt8, _ item: (inout JSONScanner) throws(JSONError) -> Void
  ) throws(JSONError) {
    if depth == Self.depthLimit { throw wrong }
    depth += 1
    try take(first)
    skipBlanks()
    if next == last {
      at += 1
    } else {
      while true {
        try item(&self)
        skipBlanks()
        if next == last {
          at += 1
          break
        }
        try take(UInt8(ascii: ","))
        skipBlanks()
      }
    }
    depth -= 1
  }

  private mutating func take(_ byte: UInt8) throws(JSONError) {
    guard next == byte else { throw wrong }
    at += 1
  }

  private mutating func word(_ word: String) throws(JSONError) {
    for byte in word.utf8 { try take(byte) }
  }

  private mutating func skipBlanks() {
    while next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { at += 1 }
  }

  /// - Returns: Where it stands, without the quotes.
  private mutating func string() throws(JSONError) -> Range<Int> {
    try take(UInt8(ascii: "\""))
    let start = at
    while next != UInt8(ascii: "\"") {
      guard next >= 0x20 else { throw wrong }
      if next == UInt8(ascii: "\\") {
        at += 1
        switch next {
        case UInt8(ascii: "u"):
          for _ in 0..<4 {
            at += 1
            guard Self.isHexadecimal(next) else { throw wrong }
          }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
          UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
          break
        default: throw wrong
        }
      }
      at += 1
    }
    at += 1
    return start..<(at - 1)
  }

  private mutating func number() throws(JSONError) {
    if next == UInt8(ascii: "-") { at += 1 }
    if next == UInt8(ascii: "0") { at += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      at += 1
      try digits()
    }
    if next | 0x20 == UInt8(ascii: "e") {
      at += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(JSONError) {
    guard Self.isDigit(next) else { throw wrong }
    while Self.isDigit(next) { at += 1 }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }
}
