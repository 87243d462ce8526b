import COpenSSL

/// What all encrypted connections from this program with the same settings share: whom it trusts,
/// and who it is; TLS 1.2 and later.
@safe package final class ClientContext: Context, @unchecked Sendable {
  /// Whether servers have to show a certificate of an authority that is trusted, for their name.
  package let isVerified: Bool

  /// A context without a certificate of its own.
  ///
  /// - Parameters:
  ///   - isVerified: See ``isVerified``.
  ///   - authorities: PEM: whose certificates are accepted; nil for those that the system trusts.
  /// - Throws: ``ContextError``.
  package init(isVerified: Bool, authorities: [UInt8]? = nil) throws(ContextError) {
    self.isVerified = isVerified
    try super.init(isServer: false)
    try setVersions(minimum: 0x0303, maximum: 0x0304)
    let functions = unsafe library.functions
    guard isVerified else { return }
    unsafe functions.pointee.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    guard let authorities else {
      if trustSystem() { return }
      throw .unusable(
        "tls: no bundle of trusted authorities is installed; install ca-certificates, or set ca_file"
      )
    }
    var certificates = try CertificateList(authorities, library, "CA")
    let store = unsafe functions.pointee.SSL_CTX_get_cert_store(context)
    // A certificate of the list is trusted even if it is not its own authority, as in Go.
    _ = unsafe functions.pointee.X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    while !certificates.isEmpty {
      let certificate = unsafe certificates.removeFirst()
      _ = unsafe functions.pointee.X509_STORE_add_cert(store, certificate)
      unsafe functions.pointee.X509_free(certificate)
    }
  }
}

/// Why there is no encrypted connection to a server.
package enum ServerRefusal: Error, Hashable, Sendable {
  /// Its certificate was not accepted; OpenSSL's words.
  case untrusted(String)
  /// The two do not understand each other, or it did not accept ours; OpenSSL's words.
  case failed(String)
  /// The connection ended.
  case closed
}
