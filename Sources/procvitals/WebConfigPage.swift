import Config
import HTTPServer
import Linux

/// The web configuration as it is told at `/api/v1/config`; see ``ConfigPage``.
///
/// What lets somebody in is not there: keys, and the hashes of passwords.
extension WebConfiguration {
  /// The settings without secrets.
  ///
  /// - Parameters:
  ///   - file: Where it stands.
  ///   - loadedSeconds: When it was read, in seconds since 1970.
  ///   - error: What was wrong with the files when they were last read.
  ///   - waiting: Sections of the files that are not in force before the next start.
  /// - Returns: The member `web_config`.
  func json(
    _ file: String, loadedSeconds: Double, error: String?, waiting: [String] = []
  ) -> JSON {
    let users = gate.users.map { (String(decoding: $0.key, as: UTF8.self), $0.value.description) }
    return .object([
      "file": .text(file),
      "loaded": .real(loadedSeconds),
      "current": .truth(error == nil && waiting.isEmpty),
      "error": error.map(JSON.text) ?? .null,
      "next_start": .texts(waiting),
      "tls": tls?.json ?? .null,
      "headers": .members(gate.fields.map { ($0.name, .text($0.value)) }),
      "users": .members(users.sorted { $0.0 < $1.0 }.map { ($0.0, .text($0.1)) }),
      "rate_limit": rateLimit.map {
        .object(["interval": .real($0.interval.seconds), "burst": .whole($0.burst)])
      } ?? .null,
    ])
  }
}

extension TLSSettings {
  fileprivate var json: JSON {
    .object([
      "key": .text(privateKey.description),
      "client_auth_type": .text(clientAuthentication.rawValue),
      "client_allowed_sans": .texts(allowedClientNames),
      "min_version": .text(minimumVersion.rawValue),
      "max_version": .text(maximumVersion.rawValue),
      "cipher_suites": .texts(cipherSuites.map(\.rawValue)),
      "prefer_server_cipher_suites": .truth(prefersServerCiphers),
      "curve_preferences": .texts(curves.map(\.rawValue)),
    ])
  }
}
