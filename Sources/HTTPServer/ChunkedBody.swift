/// Takes the chunks of a body apart, whatever pieces they arrive in; the trailer section follows.
///
/// - Source: RFC 9112, section 7.1.
struct ChunkedBody {
  private enum Place {
    case size
    /// After a `;`: the extension's name is still to come.
    case extensionStart
    case extensionName
    /// After a name and a blank, where only blanks, `=` or `;` may stand.
    case afterName
    /// After `=`.
    case valueStart
    case value
    case quoted
    case quotedPair
    /// After a quoted value, where a blank, `;` or the end of the line may stand.
    case afterValue
    /// After a value and a blank, where only blanks or `;` may stand.
    case beforeExtension
    case sizeLineFeed
    case data
    case dataReturn
    case dataLineFeed
  }

  private var place = Place.size
  /// The chunk's size so far, later how much of it is still to come.
  private var size = 0
  private var digits = 0
  private var extensionBytes = 0
  private var total = 0

  /// Decodes as much as there is.
  ///
  /// - Parameters:
  ///   - input: Received bytes.
  ///   - position: Where to go on; moved behind what was used.
  ///   - end: Where the received bytes end.
  ///   - body: Gets the content.
  ///   - limits: The bounds to keep.
  /// - Returns: Whether the last chunk has come; the trailer section begins at `position` then.
  /// - Throws: The rule that is broken.
  mutating func decode(
    _ input: [UInt8], _ position: inout Int, _ end: Int, into body: inout [UInt8],
    _ limits: Limits
  ) throws(RequestError) -> Bool {
    while position < end {
      if place == .data {
        let count = min(size, end - position)
        if limits.keepsBodies { body.append(contentsOf: input[position..<position + count]) }
        position += count
        size -= count
        if size == 0 { place = .dataReturn }
        continue
      }
      let byte = input[position]
      position += 1
      switch place {
      case .size: try takeSize(byte, limits)
      case .sizeLineFeed:
        try expect(byte, .lineFeed)
        if size == 0 { return true }
        (total, _) = total.addingReportingOverflow(size)
        if total > limits.bodyBytes { throw .bodyTooLarge }
        place = .data
      case .dataReturn:
        guard byte == .carriageReturn else {
          throw .malformed("chunk data is longer than its chunk size")
        }
        place = .dataLineFeed
      case .dataLineFeed:
        try expect(byte, .lineFeed)
        (place, digits) = (.size, 0)
      default: try takeExtension(byte, limits)
      }
    }
    return false
  }

  private mutating func takeSize(_ byte: UInt8, _ limits: Limits) throws(RequestError) {
    if let digit = byte.hexDigitValue {
      digits += 1
      size = size << 4 | Int(digit)
      if digits > limits.chunkSizeDigits || size > limits.chunkSizeBytes {
        throw .malformed("a chunk size is too large")
      }
    } else if digits == 0 {
      throw .malformed("a chunk must begin with its size in hexadecimal digits")
    } else if byte == .carriageReturn {
      place = .sizeLineFeed
    } else if byte == UInt8(ascii: ";") {
      try countExtension(limits)
      place = .extensionStart
    } else {
      throw .malformed("a chunk size must be followed by CR LF or an extension")
    }
  }

  private mutating func takeExtension(_ byte: UInt8, _ limits: Limits) throws(RequestError) {
    try countExtension(limits)
    let isToken = CharacterSet.token.contains(byte)
    switch place {
    case .extensionStart where isToken: place = .extensionName
    case .extensionStart where byte.isBlank: break
    case .extensionName where isToken: break
    case .valueStart where byte == UInt8(ascii: "\""): place = .quoted
    case .valueStart where isToken: place = .value
    case .valueStart where byte.isBlank: break
    case .value where isToken: break
    case .quoted where byte == UInt8(ascii: "\""): place = .afterValue
    case .quoted where byte == UInt8(ascii: "\\"): place = .quotedPair
    case .quoted where byte.isFieldCharacter: break
    case .quotedPair where byte.isFieldCharacter: place = .quoted
    case .extensionName where byte.isBlank: place = .afterName
    case .extensionName where byte == UInt8(ascii: "="),
      .afterName where byte == UInt8(ascii: "="):
      place = .valueStart
    case .extensionName where byte == UInt8(ascii: ";"),
      .afterName where byte == UInt8(ascii: ";"), .value where byte == UInt8(ascii: ";"),
      .afterValue where byte == UInt8(ascii: ";"),
      .beforeExtension where byte == UInt8(ascii: ";"):
      place = .extensionStart
    case .extensionName where byte == .carriageReturn, .value where byte == .carriageReturn,
      .afterValue where byte == .carriageReturn:
      place = .sizeLineFeed
    case .afterName where byte.isBlank, .beforeExtension where byte.isBlank: break
    case .value where byte.isBlank, .afterValue where byte.isBlank: place = .beforeExtension
    default: throw .malformed("a chunk extension must be ;name or ;name=value")
    }
  }

  private mutating func countExtension(_ limits: Limits) throws(RequestError) {
    extensionBytes += 1
    if extensionBytes > limits.chunkExtensionBytes {
      throw .malformed("the chunk extensions are too long")
    }
  }

  private func expect(_ byte: UInt8, _ wanted: UInt8) throws(RequestError) {
    if byte != wanted { throw .malformed("CR must be followed by LF") }
  }
}
