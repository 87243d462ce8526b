package import TLS

extension TLSSettings {
  /// Tries the settings out.
  ///
  /// Reads the file of the authorities that the system trusts, if clients are checked against
  /// those.
  /// - Returns: What ``Server/useTLS(_:)`` takes.
  /// - Throws: What is wrong with them, or that OpenSSL is not there.
  package func context() throws(ContextError) -> ServerContext {
    let context = try ServerContext(certificateListBytes: Limits().clientCertificateBytes)
    try context.identify(chain: certificateChain, privateKey: privateKey.bytes)
    // Suites that only 1.3 has leave only 1.3.
    let chosen = cipherSuites.compactMap(\.nameBefore13)
    let minimum = chosen.isEmpty && !cipherSuites.isEmpty ? .tls13 : minimumVersion
    if minimum > maximumVersion {
      throw .unusable(
        minimumVersion > maximumVersion
          ? "tls: min_version \(minimumVersion.rawValue) is above max_version \(maximumVersion.rawValue)"
          : "tls: the cipher_suites are those of TLS13, which is above max_version")
    }
    try context.setVersions(minimum: minimum.number, maximum: maximumVersion.number)
    var suites = chosen
    if suites.isEmpty {
      suites = CipherSuite.defaults.compactMap(\.nameBefore13)
      if minimum < .tls12 { suites += CipherSuite.old.compactMap(\.nameBefore13) }
    }
    // OpenSSL 3 has versions before 1.2 on its lowest level of security only.
    if minimum < .tls12 { suites.append("@SECLEVEL=0") }
    try context.setCiphers(suites, serverDecides: prefersServerCiphers)
    try context.setGroups((curves.isEmpty ? Curve.defaults : curves).map(\.name))
    if clientAuthentication != .none {
      try context.askClients(
        ServerContext.ClientCheck(
          isRequired: [.requireAny, .requireAndVerify].contains(clientAuthentication),
          isVerified: [.verifyIfGiven, .requireAndVerify].contains(clientAuthentication),
          allowedNames: allowedClientNames),
        authorities: clientAuthorities)
    }
    return context
  }
}

extension TLSSettings.Version {
  /// The number in the protocol.
  fileprivate var number: Int {
    switch self {
    case .tls10: 0x0301
    case .tls11: 0x0302
    case .tls12: 0x0303
    case .tls13: 0x0304
    }
  }
}

extension TLSSettings.CipherSuite {
  /// Those with forward secrecy and authenticated encryption, the preferred ones first.
  fileprivate static let defaults: [Self] = [
    .ecdsaAES128GCM, .rsaAES128GCM, .ecdsaAES256GCM, .rsaAES256GCM, .ecdsaChaCha20, .rsaChaCha20,
  ]
  /// What versions before 1.2 have instead.
  fileprivate static let old: [Self] = [
    .ecdsaAES128CBC, .rsaAES128CBC, .ecdsaAES256CBC, .rsaAES256CBC,
  ]

  /// OpenSSL's name; nil for those of 1.3, which cannot be chosen from, as in Go.
  fileprivate var nameBefore13: String? {
    switch self {
    case .aes128GCM, .aes256GCM, .chaCha20: nil
    case .ecdsaAES128CBC: "ECDHE-ECDSA-AES128-SHA"
    case .ecdsaAES256CBC: "ECDHE-ECDSA-AES256-SHA"
    case .rsaAES128CBC: "ECDHE-RSA-AES128-SHA"
    case .rsaAES256CBC: "ECDHE-RSA-AES256-SHA"
    case .ecdsaAES128GCM: "ECDHE-ECDSA-AES128-GCM-SHA256"
    case .ecdsaAES256GCM: "ECDHE-ECDSA-AES256-GCM-SHA384"
    case .rsaAES128GCM: "ECDHE-RSA-AES128-GCM-SHA256"
    case .rsaAES256GCM: "ECDHE-RSA-AES256-GCM-SHA384"
    case .rsaChaCha20: "ECDHE-RSA-CHACHA20-POLY1305"
    case .ecdsaChaCha20: "ECDHE-ECDSA-CHACHA20-POLY1305"
    }
  }
}

extension TLSSettings.Curve {
  fileprivate static let defaults: [Self] = [.x25519, .p256, .p384]

  /// OpenSSL's name.
  fileprivate var name: String {
    switch self {
    case .p256: "P-256"
    case .p384: "P-384"
    case .p521: "P-521"
    case .x25519: "X25519"
    }
  }
}
