import HTTPServer

/// The section of a web configuration about TLS.
extension WebReader {
  private static let keys = [
    "cert", "cert_file", "key", "key_file", "client_ca", "client_ca_file", "client_auth_type",
    "client_allowed_sans", "min_version", "max_version", "cipher_suites",
    "prefer_server_cipher_suites", "curve_preferences",
  ]

  private typealias Text = (text: String, position: Position)

  mutating func readTLS(_ section: Node.Entry) {
    var tls = TLSSettings(certificateChain: [], privateKey: Secret([]))
    var texts: [String: Text] = [:]
    var versions: [String: Position] = [:]
    for entry in entries(of: section.value, section.key, Self.keys) {
      switch entry.key {
      case "client_allowed_sans":
        tls.allowedClientNames = self.texts(entry).map(\.text)
        if tls.allowedClientNames.isEmpty, !entry.value.isNull, !entry.value.isInvalid {
          problems.add(
            entry.value.position,
            "client_allowed_sans: expected at least one name, because with none nobody could"
              + " connect; leave the key out to allow all")
        }
      case "min_version", "max_version":
        versions[entry.key] = entry.value.position
        guard let version: TLSSettings.Version = word(entry, "TLS version") else { continue }
        if entry.key == "min_version" {
          tls.minimumVersion = version
        } else {
          tls.maximumVersion = version
        }
      case "cipher_suites": tls.cipherSuites = words(entry, "cipher")
      case "curve_preferences": tls.curves = words(entry, "curve")
      case "prefer_server_cipher_suites":
        tls.prefersServerCiphers = boolean(entry, true)
      default:
        if let text = text(entry.key, entry.value), !text.isEmpty {
          texts[entry.key] = (text, entry.value.position)
        }
      }
    }
    if tls.minimumVersion > tls.maximumVersion {
      let position = versions["min_version"] ?? versions["max_version"]
      problems.add(
        position,
        "min_version \(tls.minimumVersion.rawValue) is above max_version"
          + " \(tls.maximumVersion.rawValue), so that nobody could connect")
    }
    if !texts.isEmpty { finishTLS(&tls, texts, section.position) }
  }

  private mutating func finishTLS(
    _ tls: inout TLSSettings, _ texts: [String: Text], _ position: Position
  ) {
    tls.certificateChain = needed("cert", texts, position)
    tls.privateKey = Secret(needed("key", texts, position))
    configuration.keyPosition = (texts["key_file"] ?? texts["key"])?.position
    let authorities = content("client_ca", texts)
    tls.clientAuthorities = authorities
    if let (text, position) = texts["client_auth_type"] {
      // An earlier name of what it means.
      let name = text == "RequireClientCert" ? "RequireAnyClientCert" : text
      if let type = TLSSettings.ClientAuthentication(rawValue: name) {
        tls.clientAuthentication = type
      } else {
        let known = TLSSettings.ClientAuthentication.allCases.map(\.rawValue)
        problems.add(
          position, "invalid ClientAuth: \(shown(text)); expected \(alternatives(known))")
      }
    }
    let hasAuthorities = texts["client_ca"] ?? texts["client_ca_file"]
    if let authority = hasAuthorities, tls.clientAuthentication == .none,
      texts["client_auth_type"].map({ $0.text == "NoClientCert" }) ?? true
    {
      problems.add(
        authority.position,
        "client CA's have been configured without a Client Auth Policy; add client_auth_type")
    }
    configuration.tls = tls
  }

  private mutating func needed(
    _ key: String, _ texts: [String: Text], _ position: Position
  ) -> [UInt8] {
    if texts[key] == nil, texts[key + "_file"] == nil {
      problems.add(position, "missing one of \(key) or \(key)_file")
    }
    return content(key, texts) ?? []
  }

  /// What a file holds, or else what stands in the configuration itself.
  private mutating func content(_ key: String, _ texts: [String: Text]) -> [UInt8]? {
    guard let (name, position) = texts[key + "_file"] else {
      return texts[key].map { Array($0.text.utf8) }
    }
    if name.utf8.indices.contains(where: { name.utf8[$0...].starts(with: "-----BEGIN".utf8) }) {
      problems.add(position, "\(key)_file: expected a path, found PEM; its key is \(key)")
      return nil
    }
    let path = joined(name)
    do throws(FileTrouble) {
      return try content(of: path)
    } catch {
      problems.add(position, "failed to read \(key)_file (\(shown(path))): \(error.message)")
      return nil
    }
  }

  /// A word of a fixed set.
  private mutating func word<Word: CaseIterable & RawRepresentable>(
    _ entry: Node.Entry, _ what: String
  ) -> Word? where Word.RawValue == String {
    if entry.value.isNull { return nil }
    guard let text = text(entry.key, entry.value) else { return nil }
    return word(text, entry.value.position, what)
  }

  private mutating func words<Word: CaseIterable & RawRepresentable>(
    _ entry: Node.Entry, _ what: String
  ) -> [Word] where Word.RawValue == String {
    var words: [Word] = []
    for (text, position) in texts(entry) {
      if let word: Word = word(text, position, what) { words.append(word) }
    }
    return words
  }

  private mutating func word<Word: CaseIterable & RawRepresentable>(
    _ text: String, _ position: Position, _ what: String
  ) -> Word? where Word.RawValue == String {
    if let word = Word(rawValue: text) { return word }
    let known = Word.allCases.map(\.rawValue)
    let hint = suggestion(for: text, among: known).map { "did you mean \($0)?" }
    problems.add(
      position, "unknown \(what): \(shown(text)); \(hint ?? "expected \(alternatives(known))")")
    return nil
  }
}
