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
  private let now: @Sendable () -> Int64
  /// What was read last time, in which version; nil for what could not be.
  private var files: [(path: String, version: FileFacts?)] = []
  /// Whether every file was left alone for so long that its version tells whether it is the same.
  private var isSettled = false
  /// What was read last without errors.
  private var held: WebConfiguration?

  /// Files that nobody has looked at.
  ///
  /// - Parameters:
  ///   - path: The configuration file; links are followed.
  ///   - now: Wall-clock time, nanoseconds since 1970.
  package init(path: String, now: @escaping @Sendable () -> Int64 = wallClockNanoseconds) {
    self.path = path
    self.now = now
  }

  /// Reads and checks the files while a configuration is in force, if they may have changed since
  /// the last time.
  ///
  /// What has no content is wrong, and what protects less than before counts only once the files
  /// have been left alone for ``Limits/webCalm``, which is waited for here.
  /// - Parameter isForced: Whether they are read even so.
  /// - Returns: What stands there; nil when it is sure to be the same as the last time, or when it
  ///   does not come to rest.
  package mutating func check(isForced: Bool = false) -> Outcome? {
    if !isForced, isSettled, files.allSatisfy({ $0.version == version(ofPath: $0.path) }) {
      return nil
    }
    let held = held
    var outcome = read(needsContent: true)
    for _ in 0..<Limits.webCalmReadings {
      guard let held, case .success(let read) = outcome, read.protectsLess(than: held) else {
        return outcome
      }
      let before = files
      pause(for: Limits.webCalm)
      outcome = self.read(needsContent: true)
      let isCalm =
        files.elementsEqual(before, by: ==)
        && files.allSatisfy { $0.version == version(ofPath: $0.path) }
      if isCalm { return outcome }
    }
    self.held = held
    isSettled = false
    return nil
  }

  /// Reads and checks the files for the first time.
  package mutating func read() -> Outcome { read(needsContent: false) }

  private mutating func read(needsContent: Bool) -> Outcome {
    let now = now()
    var reader = WebReader(path: path, needsContent: needsContent)
    let outcome = reader.read()
    files = reader.files
    isSettled = files.allSatisfy { $0.version?.isSettled(at: now) ?? true }
    if case .success(let read) = outcome { held = read }
    return outcome
  }

  private func version(ofPath path: String) -> FileFacts? { try? fileFacts(path) }
}

extension WebConfiguration {
  /// Whether something that keeps clients out, or is on answers, is there no more.
  fileprivate func protectsLess(than other: WebConfiguration) -> Bool {
    if gate.users.isEmpty, !other.gate.users.isEmpty { return true }
    if gate.fields.count < other.gate.fields.count { return true }
    guard let before = other.tls else { return false }
    guard let tls else { return true }
    return tls.clientAuthentication != before.clientAuthentication
      || tls.clientAuthorities == nil && before.clientAuthorities != nil
      || tls.allowedClientNames.isEmpty && !before.allowedClientNames.isEmpty
      || tls.minimumVersion < before.minimumVersion
  }

  /// Something about the certificate or key of a web configuration that is wrong, at its place.
  package static func error(
    _ path: String, _ position: Position?, _ message: String
  ) -> ConfigError {
    ConfigError(
      problems: [Problem(source: path, position: position, message: message)], total: 1)
  }
}
