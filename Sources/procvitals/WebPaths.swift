import Linux

/// Where the endpoints are: for requests that come in, and for links that go out.
struct WebPaths: Equatable {
  /// Stands before the path of every endpoint: empty, or `/…` without a slash at the end.
  let prefix: String
  /// How others reach this, if they were told; nil if it is as they asked.
  let external: ExternalURL?

  /// - Throws: `Failure`.
  init(externalURL: String?, routePrefix: String?) throws {
    external = try externalURL.map { text in
      guard let url = ExternalURL(text) else {
        throw Failure.usage(
          "--web.external-url=\(text): expected a URL like https://example.org/procvitals")
      }
      return url
    }
    if let routePrefix {
      guard routePrefix.isEmpty || Self.isPath(routePrefix) else {
        throw Failure.usage("--web.route-prefix=\(routePrefix): expected a path like /procvitals")
      }
      prefix = Self.trimmed(routePrefix)
    } else {
      prefix = external?.path ?? ""
    }
  }

  /// The endpoint that a request's path means, as it is without the prefix; nil if it is outside.
  func endpoint(_ path: String) -> String? {
    if prefix.isEmpty { return path }
    guard path.hasPrefix(prefix) else { return nil }
    let rest = path.dropFirst(prefix.count)
    if rest.isEmpty { return "/" }
    return rest.hasPrefix("/") ? String(rest) : nil
  }

  /// An endpoint's path as others have to ask for it.
  func link(_ endpoint: String) -> String { (external?.path ?? prefix) + endpoint }

  static func trimmed(_ path: String) -> String {
    var path = path
    while path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Whether a text is a path that needs no encoding, neither as a target nor in HTML.
  static func isPath(_ text: String) -> Bool {
    let slash = UInt8(ascii: "/")
    return text.hasPrefix("/") && text.utf8.allSatisfy { $0.isUnreserved || $0 == slash }
      && !zip(text.utf8, text.utf8.dropFirst()).contains { ($0, $1) == (slash, slash) }
  }
}

/// The URL that others reach this at.
struct ExternalURL: Equatable {
  /// `http` or `https`.
  let scheme: String
  /// Host, and port if it is given.
  let authority: String
  /// Empty, or `/…` without a slash at the end.
  let path: String

  /// Understands `http://HOST[:PORT][/PATH]` and the same with `https`; nil for anything else.
  init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[0] == "http:" || parts[0] == "https:", parts[1].isEmpty,
      !parts[2].isEmpty,
      parts[2].utf8.allSatisfy({ $0.isAlphanumeric || "-._:[]".utf8.contains($0) })
    else { return nil }
    let path = parts.count == 4 ? "/" + parts[3] : ""
    guard path.isEmpty || WebPaths.isPath(path) else { return nil }
    scheme = String(parts[0].dropLast())
    authority = String(parts[2])
    self.path = WebPaths.trimmed(path)
  }

  /// Host and port.
  var address: String {
    let hasPort = authority.drop { $0 != "]" }.contains(":") || isNameWithPort
    return hasPort ? authority : authority + (scheme == "https" ? ":443" : ":80")
  }

  private var isNameWithPort: Bool { !authority.hasPrefix("[") && authority.contains(":") }
}

/// The hosts that requests may be for.
///
/// A page of somebody else whose name has come to mean this machine would still have that name.
struct AllowedHosts {
  /// In lower case, without port; empty for all.
  private let names: Set<String>

  init(_ names: [String]) { self.names = Set(names.map { $0.lowercased() }) }

  /// Whether a request may be answered.
  ///
  /// - Parameter authority: Its host and port; nil if it has none, which browsers never do.
  /// - Returns: True if it is for one of the hosts, or all are allowed.
  func include(_ authority: String?) -> Bool {
    guard !names.isEmpty, let authority else { return true }
    return names.contains(Self.host(authority).lowercased())
  }

  /// Whether a text is a name or address without a port.
  static func isHost(_ text: String) -> Bool { !text.isEmpty && host(text) == text }

  private static func host(_ authority: String) -> Substring {
    if let bracket = authority.lastIndex(of: "]") { return authority[...bracket] }
    return authority.prefix { $0 != ":" }
  }
}
