import COpenSSL

/// What all encrypted connections with the same settings share; does not change once the first
/// session is made.
///
/// There is no compression and no renegotiation, and no session is remembered.
///
/// - Source: `ssl(7)`, OpenSSL 3.0.
@safe package class Context: @unchecked Sendable {
  /// Where distributions keep the authorities that they trust.
  private static let systemBundles = [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
  ]

  let library: Library
  let context: OpaquePointer
  /// When the first of the certificates expires that say who this is, in seconds since 1970.
  package private(set) var expirationSeconds: Double?

  init(isServer: Bool) throws(ContextError) {
    let library = try Library.get()
    library.clearErrors()
    let functions = unsafe library.functions
    let method =
      unsafe isServer
      ? functions.pointee.TLS_server_method() : functions.pointee.TLS_client_method()
    guard let context = unsafe functions.pointee.SSL_CTX_new(method) else {
      throw .unusable("tls: \(library.sentence)")
    }
    self.library = library
    unsafe self.context = context
    _ = unsafe functions.pointee.SSL_CTX_set_options(context, copenssl_fixed_options)
    control(SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF))
    control(
      SSL_CTRL_MODE,
      Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN))
  }

  deinit { unsafe library.functions.pointee.SSL_CTX_free(context) }

  @discardableResult
  func control(_ command: Int32, _ number: Int) -> Bool { unsafe control(command, number, nil) }

  func control(_ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?) -> Bool {
    unsafe library.functions.pointee.SSL_CTX_ctrl(context, command, number, pointer) > 0
  }

  /// Chooses who this is.
  ///
  /// - Parameters:
  ///   - chain: PEM: the certificate, then those between it and its authority.
  ///   - privateKey: PEM, not encrypted.
  /// - Throws: What is wrong with them.
  package func identify(chain: [UInt8], privateKey: [UInt8]) throws(ContextError) {
    var certificates = try CertificateList(chain, library, "certificate")
    expirationSeconds = certificates.expirationSeconds
    let leaf = unsafe certificates.removeFirst()
    defer { unsafe library.functions.pointee.X509_free(leaf) }
    let key = try unsafe readKey(privateKey)
    defer { unsafe library.functions.pointee.EVP_PKEY_free(key) }
    let functions = unsafe library.functions
    guard unsafe functions.pointee.X509_check_private_key(leaf, key) == 1 else {
      throw .unusable("tls: private key does not match public key")
    }
    library.clearErrors()
    guard unsafe functions.pointee.SSL_CTX_use_certificate(context, leaf) == 1,
      unsafe functions.pointee.SSL_CTX_use_PrivateKey(context, key) == 1
    else { throw .unusable("tls: the certificate cannot be used: \(library.sentence)") }
    while !certificates.isEmpty {
      let next = unsafe certificates.removeFirst()
      if unsafe !control(SSL_CTRL_CHAIN_CERT, 0, UnsafeMutableRawPointer(next)) {
        unsafe functions.pointee.X509_free(next)
        throw .unusable("tls: the certificate chain cannot be used: \(library.sentence)")
      }
    }
  }

  private func readKey(_ pem: [UInt8]) throws(ContextError) -> OpaquePointer {
    library.clearErrors()
    let key = unsafe library.withPEM(pem) { bio in
      // Without an answer to the question for a passphrase, OpenSSL would ask at the terminal.
      unsafe library.functions.pointee.PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, nil)
    }
    if let key = unsafe key { return unsafe key }
    throw .unusable(
      "tls: failed to find a private key in the key input: \(library.sentence); expected PEM that is not encrypted"
    )
  }

  /// Chooses the versions of the protocol.
  ///
  /// - Parameters:
  ///   - minimum: The number of the oldest one, 0x0301 to 0x0304.
  ///   - maximum: The number of the newest one.
  /// - Throws: That OpenSSL does not have them.
  package func setVersions(minimum: Int, maximum: Int) throws(ContextError) {
    if !control(SSL_CTRL_SET_MIN_PROTO_VERSION, minimum)
      || !control(SSL_CTRL_SET_MAX_PROTO_VERSION, maximum)
    {
      throw .unusable("tls: OpenSSL does not have these versions")
    }
  }

  /// Trusts the authorities that the system trusts.
  ///
  /// Reads the bundle, not the directory, in which OpenSSL would look during each handshake.
  /// - Returns: Whether there is a bundle.
  @discardableResult
  func trustSystem() -> Bool {
    Self.systemBundles.contains {
      unsafe library.functions.pointee.SSL_CTX_load_verify_file(context, $0) == 1
    }
  }
}

func refusePassphrase(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32,
  _ argument: UnsafeMutableRawPointer?
) -> Int32 { -1 }
