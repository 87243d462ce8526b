package import HTTPServer
import Linux

/// A checked web configuration, as exporter-toolkit knows it: encryption, users, fields, rate.
package struct WebConfiguration: Sendable, Hashable {
  /// Nil for connections that are not encrypted.
  package var tls: TLSSettings?
  package var gate = GateSettings()
  /// Nil for none.
  package var rateLimit: RateLimit?
  /// Read, but without effect: only HTTP/1.1 is spoken.
  package var http2 = true
  /// Where the certificate's and the key's texts or paths stand, for what is found out about them
  /// later.
  package var keyPosition: Position?

  package init() {}
}

/// The files of a web configuration, which are looked at again and again.
package struct WebConfigurationFiles: Sendable {
  package typealias Outcome = Result<WebConfiguration, ConfigError>

  package let path: String
  /// What was read last time, in which version; nil for what could not be.
  private var files: [(path: String, version: FileVersion?)] = []
  /// Whether every file was left alone for so long that its version tells whether it is the same.
  private var isSettled = false

  /// Files that nobody has looked at.
  ///
  /// - Parameter path: The configuration file; links are followed.
  package init(path: String) {
    self.path = path
  }

  /// Reads and checks the files, if they may have changed since the last time.
  ///
  /// - Parameter isForced: Whether they are read even so.
  /// - Returns: What stands there; nil when it is sure to be the same as the last time.
  package mutating func check(isForced: Bool = false) -> Outcome? {
    if !isForced, isSettled, files.allSatisfy({ $0.version == version(ofPath: $0.path) }) {
      return nil
    }
    return read()
  }

  /// Reads and checks the files.
  package mutating func read() -> Outcome {
    let now = wallClockNanoseconds()
    var reader = WebReader(path: path)
    let outcome = reader.read()
    files = reader.files
    isSettled = files.allSatisfy { $0.version?.isSettled(at: now) ?? true }
    return outcome
  }

  private func version(ofPath path: String) -> FileVersion? { try? FileVersion(path: path) }
}

extension WebConfiguration {
  /// Something about the certificate or key of a web configuration that is wrong, at its place.
  package static func error(
    _ path: String, _ position: Position?, _ message: String
  ) -> ConfigError {
    ConfigError(
      problems: [Problem(source: path, position: position, message: message)], total: 1)
  }
}
