import Linux

/// A file's content does not have the documented shape; the name is that of the first field that
/// could not be read.
package struct ParseError: Error, Equatable, Sendable {
  package let field: StaticName
}

/// The name of a field, comparable and printable without allocation.
package struct StaticName: Equatable, Sendable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  let text: StaticString

  package init(stringLiteral text: StaticString) { self.text = text }

  package var description: String { text.description }

  package static func == (left: StaticName, right: StaticName) -> Bool {
    left.description == right.description
  }
}

/// A place in the bytes of a /proc file, moved on by what is read there.
///
/// Nothing traps, whatever the bytes are: a number that is missing or too large throws.
struct Cursor {
  var index: Int

  init(at index: Int = 0) { self.index = index }

  /// Skips blanks (space and tab).
  mutating func skipBlanks(_ bytes: Span<UInt8>) {
    while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
  }

  /// Skips everything up to the next blank or line end.
  mutating func skipWord(_ bytes: Span<UInt8>) {
    while index < bytes.count, bytes[index] > 0x20 { index += 1 }
  }

  /// Skips whole words and the blanks before them.
  mutating func skipWords(_ count: Int, _ bytes: Span<UInt8>) {
    for _ in 0..<count {
      skipBlanks(bytes)
      skipWord(bytes)
    }
  }

  /// Moves behind the next line feed; false at the end of the bytes.
  mutating func nextLine(_ bytes: Span<UInt8>) -> Bool {
    guard index < bytes.count, let end = bytes.firstIndex(of: 0x0a, from: index) else {
      index = bytes.count
      return false
    }
    index = end + 1
    return index < bytes.count
  }

  /// Reads an unsigned decimal number after blanks.
  mutating func number(
    _ bytes: Span<UInt8>, _ field: StaticName
  ) throws(ParseError) -> UInt64 {
    skipBlanks(bytes)
    var value: UInt64 = 0
    let start = index
    while index < bytes.count {
      let digit = bytes[index] &- UInt8(ascii: "0")
      if digit > 9 { break }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if overflow || carry { throw ParseError(field: field) }
      value = sum
      index += 1
    }
    // A number ends at a blank or line end; digits glued to something else are not one.
    guard index > start, index == bytes.count || bytes[index] <= 0x20 else {
      throw ParseError(field: field)
    }
    return value
  }

  /// Reads a decimal number that may be negative.
  mutating func signed(_ bytes: Span<UInt8>, _ field: StaticName) throws(ParseError) -> Int64 {
    skipBlanks(bytes)
    let isNegative = index < bytes.count && bytes[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    let magnitude = try number(bytes, field)
    guard let value = Int64(exactly: magnitude) else { throw ParseError(field: field) }
    return isNegative ? -value : value
  }

  /// Reads a number of kibibytes (`1234 kB`) as bytes.
  mutating func kibibytes(
    _ bytes: Span<UInt8>, _ field: StaticName
  ) throws(ParseError) -> UInt64 {
    let (value, overflow) = try number(bytes, field).multipliedReportingOverflow(by: 1024)
    if overflow { throw ParseError(field: field) }
    return value
  }
}

/// The number behind a key in a file of lines `key number`; nil if there is no such line.
func keyedNumber(_ key: StaticName, _ bytes: Span<UInt8>) throws(ParseError) -> UInt64? {
  var at = Cursor()
  repeat {
    let end = at.index + key.text.utf8CodeUnitCount
    if bytes.hasPrefix(key.text, at: at.index), end < bytes.count, bytes[end] == 0x20 {
      at.index = end
      return try at.number(bytes, key)
    }
  } while at.nextLine(bytes)
  return nil
}
