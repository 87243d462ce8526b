/// What an `http://` or `https://` URL says: whom to ask for what.
///
/// - Source: RFC 3986, RFC 9110 section 4.2.
package struct Endpoint: Sendable, Hashable {
  /// Whether TLS is spoken there.
  package let isEncrypted: Bool
  /// A name or an address, without brackets.
  package let host: String
  package let port: UInt16
  /// Path and query, at least "/".
  package let target: String
  /// As the field `Host` has it.
  let authority: String

  package enum ParseError: Error, Equatable, Sendable {
    case scheme, userInformation, host, port, target
  }

  /// Takes a URL apart.
  ///
  /// - Parameters:
  ///   - url: The URL.
  ///   - takesTLS: Whether it may be one with `https://`.
  ///   - path: What is added to its path, unless that ends so.
  /// - Throws: The part that is not as expected.
  package init(
    _ url: String, takesTLS: Bool = false, adding path: String = ""
  ) throws(ParseError) {
    let scheme = url.prefix(8).lowercased()
    isEncrypted = takesTLS && scheme == "https://"
    guard isEncrypted || scheme.hasPrefix("http://") else { throw .scheme }
    let rest = url.dropFirst(isEncrypted ? 8 : 7)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if authority.contains("@") { throw .userInformation }
    var target = rest.dropFirst(authority.count).prefix { $0 != "#" }
    if target.first != "/" { target = "/" + target }
    let query = target.drop { $0 != "?" }
    let ownPath = target.dropLast(query.count)
    if !ownPath.hasSuffix(path) {
      target = ownPath + path.dropFirst(ownPath.last == "/" ? 1 : 0) + query
    }
    guard target.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), target.utf8.count <= 2048 else {
      throw .target
    }
    var host = authority
    var portText: Substring?
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { throw .host }
      host = authority[authority.index(after: authority.startIndex)..<end]
      let behind = authority[authority.index(after: end)...]
      if !behind.isEmpty {
        guard behind.first == ":" else { throw .host }
        portText = behind.dropFirst()
      }
    } else if let colon = authority.firstIndex(of: ":") {
      host = authority[..<colon]
      portText = authority[authority.index(after: colon)...]
    }
    guard (1...253).contains(host.utf8.count),
      host.utf8.allSatisfy({ Self.isHostByte($0, isAddress: authority.first == "[") })
    else { throw .host }
    if let portText {
      guard let number = UInt16(portText), number > 0, portText.first != "+" else { throw .port }
      port = number
    } else {
      port = isEncrypted ? 443 : 80
    }
    self.host = String(host)
    self.target = String(target)
    self.authority = String(authority)
  }

  private static func isHostByte(_ byte: UInt8, isAddress: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"):
      true
    case UInt8(ascii: ":"): isAddress
    default: false
    }
  }
}
