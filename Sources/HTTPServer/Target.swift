import Linux

/// The request target: what is asked for.
///
/// - Source: RFC 9112, section 3.2; RFC 3986, sections 2.1 and 5.2.4.
struct Target {
  /// The path, decoded once, without dot segments; `*` for the asterisk form, empty for CONNECT.
  let path: String
  /// The query as it was sent, without the question mark.
  let query: Range<Int>?
  /// Host and port of the absolute form, which override the Host field.
  let authority: Range<Int>?

  /// Understands the target of a request; only visible ASCII characters are left to be checked.
  init(
    _ bytes: Span<UInt8>, _ target: Range<Int>, method: Span<UInt8>
  ) throws(RequestError) {
    for index in target {
      switch bytes[index] {
      case UInt8(ascii: "#"): throw .malformed("the request target has a fragment")
      case UInt8(ascii: "\\"): throw .malformed("the request target has a backslash")
      default: continue
      }
    }
    let isOptions = method.isExactly("OPTIONS")
    if method.isExactly("CONNECT") {
      guard isAuthority(bytes, target) else {
        throw .malformed("the target of CONNECT must be a host and a port")
      }
      (path, query, authority) = ("", nil, target)
    } else if bytes[target.lowerBound] == .slash {
      (path, query) = try Self.split(bytes, target)
      authority = nil
    } else if target.count == 1, bytes[target.lowerBound] == UInt8(ascii: "*") {
      if !isOptions { throw .malformed("the target * belongs to OPTIONS") }
      (path, query, authority) = ("*", nil, nil)
    } else {
      // Both mean this server: a proxy may encrypt on its own.
      let start = target.lowerBound
      let schemes = ["http://", "https://"].map { name in
        (range: start..<min(start + name.utf8.count, target.upperBound), name: name)
      }
      guard let (scheme, _) = schemes.first(where: { bytes.equalsIgnoringCase($0, $1) }) else {
        throw .malformed("the request target must be a path or an http URI")
      }
      var end = scheme.upperBound
      while end < target.upperBound, bytes[end] != .slash, bytes[end] != UInt8(ascii: "?") {
        end += 1
      }
      let authority = scheme.upperBound..<end
      guard isAuthority(bytes, authority) else {
        throw .malformed("the request target's host is invalid")
      }
      self.authority = authority
      let (path, query) = try Self.split(bytes, end..<target.upperBound)
      // An absolute form without a path stands for `*` with OPTIONS, for the root otherwise.
      self.path = !path.isEmpty ? path : isOptions && query == nil ? "*" : "/"
      self.query = query
    }
  }

  private static func split(
    _ bytes: Span<UInt8>, _ target: Range<Int>
  ) throws(RequestError) -> (path: String, query: Range<Int>?) {
    var end = target.lowerBound
    var isPlain = true
    while end < target.upperBound, bytes[end] != UInt8(ascii: "?") {
      if bytes[end] == .percent || bytes[end] == UInt8(ascii: ".") { isPlain = false }
      end += 1
    }
    let path =
      try isPlain
      ? bytes.extracting(target.lowerBound..<end).lossyText
      : decodedPath(bytes, target.lowerBound..<end)
    if end == target.upperBound { return (path, nil) }
    let query = end + 1..<target.upperBound
    // Checked here as a whole, so that taking it apart later cannot fail.
    let decoded = try percentDecode(bytes, query, .query)
    guard String(validating: decoded, as: UTF8.self) != nil else {
      throw .malformed("the query is not valid UTF-8")
    }
    return (path, query)
  }

  private static func decodedPath(
    _ bytes: Span<UInt8>, _ range: Range<Int>
  ) throws(RequestError) -> String {
    var path = try percentDecode(bytes, range, .path)
    removeDotSegments(&path)
    guard let text = String(validating: path, as: UTF8.self) else {
      throw .malformed("the path is not valid UTF-8")
    }
    return text
  }
}

enum TargetPart {
  /// `%2F` stays as it is: a slash that was escaped separates nothing.
  case path
  /// `+` is a space.
  case query
}

/// Resolves percent-encoding once.
func percentDecode(
  _ bytes: Span<UInt8>, _ range: Range<Int>, _ part: TargetPart
) throws(RequestError) -> [UInt8] {
  var decoded: [UInt8] = []
  decoded.reserveCapacity(range.count)
  var index = range.lowerBound
  while index < range.upperBound {
    let byte = bytes[index]
    index += 1
    if byte == UInt8(ascii: "+"), part == .query {
      decoded.append(.space)
    } else if byte != .percent {
      decoded.append(byte)
    } else {
      guard range.upperBound - index >= 2, let high = bytes[index].hexDigitValue,
        let low = bytes[index + 1].hexDigitValue
      else { throw .malformed("the request target has a percent sign without two hex digits") }
      let value = high << 4 | low
      if value == 0 { throw .malformed("the request target has an encoded NUL") }
      if value == .slash, part == .path {
        decoded.append(.percent)
        decoded.append(bytes[index])
        decoded.append(bytes[index + 1])
      } else {
        decoded.append(value)
      }
      index += 2
    }
  }
  return decoded
}

/// Resolves `.` and `..` segments; above the root there is only the root.
private func removeDotSegments(_ path: inout [UInt8]) {
  let dot = UInt8(ascii: ".")
  guard path.contains(dot) else { return }
  var result: [UInt8] = []
  result.reserveCapacity(path.count)
  let segments = path.dropFirst().split(separator: .slash, omittingEmptySubsequences: false)
  for (index, segment) in segments.enumerated() {
    let isLast = index == segments.count - 1
    if segment.elementsEqual([dot, dot]) {
      if let slash = result.lastIndex(of: .slash) { result.removeSubrange(slash...) }
      if isLast { result.append(.slash) }
    } else if segment.elementsEqual([dot]) {
      if isLast { result.append(.slash) }
    } else {
      result.append(.slash)
      result.append(contentsOf: segment)
    }
  }
  path = result
}

extension Span where Element == UInt8 {
  /// Whether the bytes spell the text, case included.
  func isExactly(_ text: String) -> Bool {
    if count != text.utf8.count { return false }
    var index = 0
    for byte in text.utf8 {
      if self[index] != byte { return false }
      index += 1
    }
    return true
  }
}
