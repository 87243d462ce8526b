/// Where one field line's name and value stand in the bytes of a header section.
struct FieldLine: Sendable {
  private let nameStart: Int32
  private let nameEnd: Int32
  private let valueStart: Int32
  private let valueEnd: Int32

  var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
  var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

  /// Splits a field line; its characters have been checked already.
  ///
  /// - Source: RFC 9112, section 5.
  init(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(RequestError) {
    if bytes[line.lowerBound].isBlank {
      throw .malformed("a field line begins with a blank: obsolete folding is not accepted")
    }
    let token = CharacterSet.token
    var colon = line.lowerBound
    while colon < line.upperBound, token.contains(bytes[colon]) { colon += 1 }
    guard colon < line.upperBound, bytes[colon] == .colon else {
      throw .malformed("a field line must be a name, directly followed by a colon, and a value")
    }
    if colon == line.lowerBound { throw .malformed("a field line has no name") }
    let value = bytes.trimmingBlanks(colon + 1..<line.upperBound)
    nameStart = Int32(clamping: line.lowerBound)
    nameEnd = Int32(clamping: colon)
    valueStart = Int32(clamping: value.lowerBound)
    valueEnd = Int32(clamping: value.upperBound)
  }
}

/// What the header section says about the message and the connection, as opposed to the resource.
struct Framing {
  enum Body: Equatable {
    case none
    case sized(Int)
    case chunked
  }

  private(set) var body = Body.none
  private(set) var host: Range<Int>?
  private(set) var expectsContinue = false
  /// Whether the client will use the connection for another request.
  private(set) var keepsAlive: Bool

  private var contentLength: Int?
  private var hasTransferEncoding = false
  private var hasKnownExpectation = true

  /// Reads and checks the fields that frame a message.
  ///
  /// - Source: RFC 9112, sections 3.2 and 6; RFC 9110, sections 7.2, 8.6 and 10.1.1.
  init(
    _ bytes: Span<UInt8>, _ fields: [FieldLine], _ version: Version, _ limits: Limits
  ) throws(RequestError) {
    keepsAlive = version == .http11
    var closes = false
    for field in fields {
      let value = field.value
      // Most fields are told apart by their length alone.
      switch field.name.count {
      case 4 where bytes.equalsIgnoringCase(field.name, "host"):
        if host != nil { throw .malformed("there is more than one Host field") }
        guard isAuthority(bytes, value) else {
          throw .malformed("the Host field must be one host, optionally with a port")
        }
        host = value
      case 14 where bytes.equalsIgnoringCase(field.name, "content-length"):
        if contentLength != nil { throw .malformed("there is more than one Content-Length field") }
        contentLength = try Self.length(bytes, value)
      case 17 where bytes.equalsIgnoringCase(field.name, "transfer-encoding"):
        if hasTransferEncoding {
          throw .malformed("there is more than one Transfer-Encoding field")
        }
        hasTransferEncoding = true
        try Self.checkTransferCodings(bytes, value)
      case 10 where bytes.equalsIgnoringCase(field.name, "connection"):
        bytes.forEachMember(of: value) { member in
          if bytes.equalsIgnoringCase(member, "close") { closes = true }
          if bytes.equalsIgnoringCase(member, "keep-alive") { keepsAlive = true }
        }
      case 6 where bytes.equalsIgnoringCase(field.name, "expect"):
        bytes.forEachMember(of: value) { member in
          if bytes.equalsIgnoringCase(member, "100-continue") {
            expectsContinue = true
          } else {
            hasKnownExpectation = false
          }
        }
      default: break
      }
    }
    if closes { keepsAlive = false }
    try finish(version, limits)
  }

  /// The rules that need the whole header section.
  private mutating func finish(_ version: Version, _ limits: Limits) throws(RequestError) {
    if version == .http11, host == nil { throw .malformed("the Host field is missing") }
    if hasTransferEncoding {
      if contentLength != nil {
        throw .malformed("Content-Length and Transfer-Encoding exclude one another")
      }
      if version == .http10 { throw .malformed("version 1.0 has no Transfer-Encoding") }
      body = .chunked
    } else if let contentLength {
      if contentLength > limits.bodyBytes { throw .bodyTooLarge }
      body = contentLength == 0 ? .none : .sized(contentLength)
    }
    // HTTP/1.0 knows neither expectations nor interim answers.
    if version == .http10 {
      expectsContinue = false
    } else if !hasKnownExpectation {
      throw .unknownExpectation
    }
  }

  private static func length(
    _ bytes: Span<UInt8>, _ value: Range<Int>
  ) throws(RequestError) -> Int {
    if value.isEmpty { throw .malformed("Content-Length has no value") }
    if bytes[value.lowerBound] == UInt8(ascii: "0"), value.count > 1 {
      throw .malformed("Content-Length has leading zeros")
    }
    var length = 0
    for index in value {
      guard bytes[index].isDigit else { throw .malformed("Content-Length must be one number") }
      let (product, tooLarge) = length.multipliedReportingOverflow(by: 10)
      let (sum, tooLargeToo) = product.addingReportingOverflow(Int(bytes[index] - 48))
      if tooLarge || tooLargeToo { throw .malformed("Content-Length does not fit 63 bits") }
      length = sum
    }
    return length
  }

  /// Accepts exactly `chunked`; tells codings that are merely unknown from broken syntax.
  private static func checkTransferCodings(
    _ bytes: Span<UInt8>, _ value: Range<Int>
  ) throws(RequestError) {
    var count = 0
    var chunked = 0
    var endsChunked = false
    try bytes.forEachMember(of: value) { member throws(RequestError) in
      guard bytes.isToken(member) else {
        throw .malformed("Transfer-Encoding must be a list of codings without parameters")
      }
      count += 1
      endsChunked = bytes.equalsIgnoringCase(member, "chunked")
      if endsChunked { chunked += 1 }
    }
    guard endsChunked, chunked == 1 else {
      throw .malformed("Transfer-Encoding must end in chunked and name it once")
    }
    if count > 1 { throw .unknownTransferCoding }
  }
}

/// Whether the bytes are a host, optionally followed by a colon and a port; no user information.
///
/// - Source: RFC 3986, section 3.2.
func isAuthority(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
  var index = range.lowerBound
  let end = range.upperBound
  guard index < end else { return false }
  if bytes[index] == UInt8(ascii: "[") {
    let literal = CharacterSet.ipv6Literal
    index += 1
    let start = index
    while index < end, literal.contains(bytes[index]) { index += 1 }
    // "::" is the shortest address.
    guard index - start >= 2, index < end, bytes[index] == UInt8(ascii: "]") else { return false }
    index += 1
  } else {
    let name = CharacterSet.registeredName
    while index < end, name.contains(bytes[index]) {
      if bytes[index] == .percent {
        guard end - index > 2, bytes[index + 1].hexDigitValue != nil,
          bytes[index + 2].hexDigitValue != nil
        else { return false }
      }
      index += 1
    }
    if index == range.lowerBound { return false }
  }
  if index == end { return true }
  guard bytes[index] == .colon else { return false }
  var port = 0
  for digit in index + 1..<end {
    guard bytes[digit].isDigit else { return false }
    port = port * 10 + Int(bytes[digit] - 48)
    if port > 65_535 { return false }
  }
  return true
}
