import COpenSSL

/// Why a client did not get an encrypted connection.
package enum HandshakeError: String, Error, CaseIterable, Sendable {
  /// No version or group of the key exchange that both speak.
  case version
  /// No cipher suite that both have.
  case cipher
  /// No certificate came, or not the right one.
  case clientCertificate = "client_certificate"
  /// The client says that it cannot go on: often it does not trust the server's certificate.
  case alert
  /// The client went away in the middle.
  case closed
  /// A request that is not encrypted.
  case plainHTTP = "plain_http"
  /// What came is no handshake, or has an error.
  case malformed

  /// - Parameter reason: The number that OpenSSL gives, `openssl/sslerr.h`.
  init(reason: Int32) {
    switch reason {
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_NO_PROTOCOLS_AVAILABLE,
      SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_APPLICATION_PROTOCOL:
      self = .version
    case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: self = .cipher
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, SSL_R_CERTIFICATE_VERIFY_FAILED:
      self = .clientCertificate
    // Alerts that came are numbered from SSL_AD_REASON_OFFSET.
    case SSL_AD_REASON_OFFSET..<SSL_AD_REASON_OFFSET + 256: self = .alert
    default: self = .malformed
    }
  }
}
