/// What a client says about who it is: user and password of the scheme Basic.
///
/// - Source: RFC 7617; `parseBasicAuth` of Go's net/http.
struct Credentials: Hashable, Sendable {
  let user: [UInt8]
  let password: Secret

  /// Reads the value of a field `Authorization`.
  ///
  /// - Returns: Nil for other schemes, for what is not Base64 and for what has no colon.
  init?(_ field: String) {
    let scheme = "basic "
    let prefix = field.utf8.prefix(scheme.utf8.count)
    guard prefix.map({ $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }) == Array(scheme.utf8),
      let text = decodeBase64(field.utf8.dropFirst(scheme.utf8.count)),
      let colon = text.firstIndex(of: .colon)
    else { return nil }
    user = Array(text[..<colon])
    password = Secret(Array(text[(colon + 1)...]))
  }
}

/// The bytes that a text in Base64 with padding stands for; nil for what is none.
///
/// - Source: RFC 4648, section 4. Bits behind the last byte are ignored, as Go does.
func decodeBase64(_ text: Substring.UTF8View) -> [UInt8]? {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.count / 4 * 3)
  var group: UInt32 = 0
  var count = 0
  var padding = 0
  for byte in text {
    let value: UInt8
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte + 4
    case UInt8(ascii: "+"): value = 62
    case UInt8(ascii: "/"): value = 63
    case UInt8(ascii: "=") where count >= 2:
      padding += 1
      value = 0
    default: return nil
    }
    // Nothing follows padding, not even in the next group.
    if padding > 0, byte != UInt8(ascii: "=") { return nil }
    group = group << 6 | UInt32(value)
    count += 1
    if count == 4 {
      for index in 0..<(3 - padding) {
        bytes.append(UInt8(truncatingIfNeeded: group >> (16 - 8 * UInt32(index))))
      }
      (group, count) = (0, 0)
    }
  }
  return count == 0 ? bytes : nil
}
