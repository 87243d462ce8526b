import COpenSSL

/// What all encrypted connections to this program with the same settings share: certificate, key,
/// what is asked of clients; does not change once the first session is made.
///
/// Clients cannot renegotiate, and there are no session tickets: there is no key that would open
/// recorded sessions later, and nothing to remember per client.
@safe package final class ServerContext: Context, @unchecked Sendable {
  /// What is asked of clients.
  package struct ClientCheck: Sendable {
    /// Whether a client without a certificate is turned away.
    package var isRequired: Bool
    /// Whether the certificate has to come from one of the authorities.
    package var isVerified: Bool
    /// If not empty, one of the certificate's alternative names has to be among these.
    package var allowedNames: [String]

    package init(isRequired: Bool, isVerified: Bool, allowedNames: [String]) {
      self.isRequired = isRequired
      self.isVerified = isVerified
      self.allowedNames = allowedNames
    }
  }

  private(set) var clientCheck: ClientCheck?

  /// A context without a certificate.
  ///
  /// - Parameter certificateListBytes: The most that a client's certificate and those above it may
  ///   have.
  /// - Throws: ``ContextError``.
  package init(certificateListBytes: Int) throws(ContextError) {
    try super.init(isServer: true)
    let functions = unsafe library.functions
    _ = unsafe functions.pointee.SSL_CTX_set_num_tickets(context, 0)
    control(SSL_CTRL_SET_MAX_CERT_LIST, certificateListBytes)
    // One record a call: without this a client that sends without end would never let go.
    control(SSL_CTRL_CLEAR_MODE, Int(SSL_MODE_AUTO_RETRY))
    unsafe functions.pointee.SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
  }

  // MARK: Settings

  /// Chooses what is asked of clients; without this they are not asked for a certificate.
  ///
  /// - Parameters:
  ///   - check: What is asked.
  ///   - authorities: PEM: whose certificates are accepted; nil for those that the system trusts.
  /// - Throws: What is wrong with the authorities.
  package func askClients(
    _ check: ClientCheck, authorities: [UInt8]?
  ) throws(ContextError) {
    let functions = unsafe library.functions
    clientCheck = check
    // A client without a certificate has no name that could be allowed.
    let isRequired = check.isRequired || !check.allowedNames.isEmpty
    let mode = SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
    unsafe functions.pointee.SSL_CTX_set_verify(context, mode, nil)
    // SAFETY: every session holds its context, and only sessions call back.
    unsafe functions.pointee.SSL_CTX_set_cert_verify_callback(
      context, checkClient, Unmanaged.passUnretained(self).toOpaque())
    guard let authorities else {
      // The bundle, not the directory, in which OpenSSL would look during each handshake.
      if check.isVerified {
        trustSystem()
      }
      return
    }
    var certificates = try CertificateList(authorities, library, "client CA")
    let store = unsafe functions.pointee.SSL_CTX_get_cert_store(context)
    // A certificate of the list is trusted even if it is not its own authority, as in Go.
    _ = unsafe functions.pointee.X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    let names = unsafe functions.pointee.OPENSSL_sk_new_null()
    while !certificates.isEmpty {
      let certificate = unsafe certificates.removeFirst()
      _ = unsafe functions.pointee.X509_STORE_add_cert(store, certificate)
      let name = unsafe functions.pointee.X509_NAME_dup(
        functions.pointee.X509_get_subject_name(certificate))
      _ = unsafe functions.pointee.OPENSSL_sk_push(names, name.map { unsafe UnsafeRawPointer($0) })
      unsafe functions.pointee.X509_free(certificate)
    }
    unsafe functions.pointee.SSL_CTX_set_client_CA_list(context, names)
  }

  /// Chooses the cipher suites of versions before 1.3, under OpenSSL's names.
  ///
  /// - Parameters:
  ///   - names: The preferred ones first.
  ///   - serverDecides: Whether the server's order counts, or else that of the client.
  /// - Throws: That there are none of them.
  package func setCiphers(_ names: [String], serverDecides: Bool) throws(ContextError) {
    library.clearErrors()
    let list = names.joined(separator: ":")
    if unsafe library.functions.pointee.SSL_CTX_set_cipher_list(context, list) != 1 {
      throw .unusable("tls: the cipher suites cannot be used: \(library.sentence)")
    }
    if serverDecides {
      _ = unsafe library.functions.pointee.SSL_CTX_set_options(
        context, copenssl_server_preference)
    }
  }

  /// Chooses the groups of the key exchange, under OpenSSL's names.
  ///
  /// - Parameter names: The preferred ones first.
  /// - Throws: That OpenSSL does not have them.
  package func setGroups(_ names: [String]) throws(ContextError) {
    library.clearErrors()
    var list = names.joined(separator: ":").utf8CString
    let isSet = unsafe list.withUnsafeMutableBytes {
      unsafe control(SSL_CTRL_SET_GROUPS_LIST, 0, $0.baseAddress)
    }
    if !isSet { throw .unusable("tls: the curves cannot be used: \(library.sentence)") }
  }
}

/// Chooses HTTP/1.1 where a client offers protocols; one that does not offer it is turned away.
///
/// - Source: RFC 7301, section 3.2.
private func chooseProtocol(
  _ ssl: OpaquePointer?, _ out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
  _ outCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ count: UInt32,
  _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  let offer = unsafe UnsafeBufferPointer(start: offered, count: Int(count))
  var index = 0
  while index < offer.count {
    let length = Int(unsafe offer[index])
    let end = index + 1 + length
    if end > offer.count { break }
    if unsafe offer[index + 1..<end].elementsEqual("http/1.1".utf8) {
      // SAFETY: OpenSSL copies the name from its own list before that goes.
      unsafe out?.pointee = offered?.advanced(by: index + 1)
      unsafe outCount?.pointee = UInt8(length)
      return SSL_TLSEXT_ERR_OK
    }
    index = end
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// Decides about the certificate that a client has sent.
private func checkClient(
  _ store: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let argument = unsafe argument else { return 0 }
  // SAFETY: the argument is the context, which the session that asks keeps alive.
  let context = unsafe Unmanaged<ServerContext>.fromOpaque(argument).takeUnretainedValue()
  let functions = unsafe context.library.functions
  guard let check = context.clientCheck,
    unsafe !check.isVerified || functions.pointee.X509_verify_cert(store) == 1
  else { return 0 }
  if check.allowedNames.isEmpty { return 1 }
  let leaf = unsafe functions.pointee.X509_STORE_CTX_get0_cert(store)
  let names = unsafe alternativeNames(leaf, context.library)
  if names.contains(where: { name in check.allowedNames.contains { name.elementsEqual($0.utf8) } })
  {
    return 1
  }
  unsafe functions.pointee.X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
  return 0
}
