/// How connections are encrypted and clients have to identify themselves; values that nobody has
/// tried yet: whether the key fits the certificate is found out when they are used.
///
/// - Source: the section `tls_server_config` of exporter-toolkit's web configuration.
package struct TLSSettings: Sendable, Hashable {
  /// The server's certificate and those between it and its authority, PEM.
  package var certificateChain: [UInt8]
  /// The key of the first certificate, PEM.
  package var privateKey: Secret
  /// The certificates of the authorities of clients, PEM; nil for those that the system trusts.
  package var clientAuthorities: [UInt8]?
  package var clientAuthentication = ClientAuthentication.none
  /// If not empty, one of the alternative names of the client's certificate has to be among these:
  /// a DNS name, e-mail address, IP address or URI, compared as text.
  package var allowedClientNames: [String] = []
  package var minimumVersion = Version.tls12
  package var maximumVersion = Version.tls13
  /// For versions before 1.3; empty for the defaults.
  package var cipherSuites: [CipherSuite] = []
  package var prefersServerCiphers = true
  /// The preferred ones first; empty for the defaults.
  package var curves: [Curve] = []

  package init(certificateChain: [UInt8], privateKey: Secret) {
    self.certificateChain = certificateChain
    self.privateKey = privateKey
  }

  /// What is asked of clients, in the words of the web configuration.
  package enum ClientAuthentication: String, Sendable, Hashable, CaseIterable {
    case none = "NoClientCert"
    /// Asked for; neither needed nor verified.
    case request = "RequestClientCert"
    /// Needed, not verified.
    case requireAny = "RequireAnyClientCert"
    case verifyIfGiven = "VerifyClientCertIfGiven"
    case requireAndVerify = "RequireAndVerifyClientCert"
  }

  /// A version of the protocol; the order of the cases is that of time.
  package enum Version: String, Sendable, Hashable, CaseIterable, Comparable {
    case tls10 = "TLS10"
    case tls11 = "TLS11"
    case tls12 = "TLS12"
    case tls13 = "TLS13"

    package static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
  }

  /// A cipher suite under its IANA name: those that Go's `crypto/tls` calls secure.
  package enum CipherSuite: String, Sendable, Hashable, CaseIterable {
    case aes128GCM = "TLS_AES_128_GCM_SHA256"
    case aes256GCM = "TLS_AES_256_GCM_SHA384"
    case chaCha20 = "TLS_CHACHA20_POLY1305_SHA256"
    case ecdsaAES128CBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
    case ecdsaAES256CBC = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
    case rsaAES128CBC = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
    case rsaAES256CBC = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
    case ecdsaAES128GCM = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    case ecdsaAES256GCM = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    case rsaAES128GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    case rsaAES256GCM = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    case rsaChaCha20 = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
    case ecdsaChaCha20 = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
  }

  /// A group for the key exchange.
  package enum Curve: String, Sendable, Hashable, CaseIterable {
    case p256 = "CurveP256"
    case p384 = "CurveP384"
    case p521 = "CurveP521"
    case x25519 = "X25519"
  }
}
