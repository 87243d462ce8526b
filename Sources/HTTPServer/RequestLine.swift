/// The first line of a request.
///
/// - Source: RFC 9112, section 3.
struct RequestLine {
  /// Nil if the token is not one of the methods that handlers see.
  let method: Method?
  let version: Version
  let targetRange: Range<Int>
  let target: Target

  /// Understands a line whose bytes are visible ASCII or spaces.
  init(_ bytes: Span<UInt8>, _ line: Range<Int>, _ limits: Limits) throws(RequestError) {
    guard let methodEnd = bytes.index(of: .space, in: line),
      let targetEnd = bytes.index(of: .space, in: methodEnd + 1..<line.upperBound),
      methodEnd > line.lowerBound, targetEnd > methodEnd + 1
    else {
      throw .malformed("the request line must be method, target and version with single spaces")
    }
    let token = bytes.extracting(line.lowerBound..<methodEnd)
    guard bytes.isToken(line.lowerBound..<methodEnd) else {
      throw .malformed("the method has characters that are not allowed")
    }
    if token.count > limits.methodBytes { throw .malformed("the method is too long") }
    version = try Self.version(bytes, targetEnd + 1..<line.upperBound)
    targetRange = methodEnd + 1..<targetEnd
    target = try Target(bytes, targetRange, method: token)
    method = Method(token)
  }

  private static func version(
    _ bytes: Span<UInt8>, _ range: Range<Int>
  ) throws(RequestError) -> Version {
    let start = range.lowerBound
    guard range.count == 8, bytes.extracting(start..<start + 5).isExactly("HTTP/"),
      bytes[start + 5].isDigit, bytes[start + 6] == UInt8(ascii: "."), bytes[start + 7].isDigit
    else { throw .malformed("the version in the request line must be HTTP/digit.digit") }
    guard bytes[start + 5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
    return bytes[start + 7] == UInt8(ascii: "0") ? .http10 : .http11
  }
}

extension Span where Element == UInt8 {
  /// Where a byte first stands in a range.
  fileprivate func index(of byte: UInt8, in range: Range<Int>) -> Int? {
    for index in range where self[index] == byte { return index }
    return nil
  }
}
