import Collector
import Config
import HTTPServer
import Linux
import Logging
import Passwords

/// Compares passwords with the hashes of the web configuration.
enum PasswordCheck {
  /// Makes it possible; may wait for the file system.
  ///
  /// - Returns: Why it is not possible; nil if it is.
  static func load() -> Failure? {
    do throws(Bcrypt.LoadError) {
      _ = try Bcrypt()
      return nil
    } catch {
      return .running(
        "basic_auth_users needs libcrypt (Debian: libcrypt1), which cannot be loaded:"
          + " \(error.reason)")
    }
  }

  /// False too where it was never possible.
  @Sendable static func compare(_ password: [UInt8], _ hash: [UInt8]) -> Bool {
    (try? Bcrypt())?.matches(password, hash) ?? false
  }
}

/// What the web configuration does to the server, and what it has come to.
///
/// Belongs to the loop.
final class WebGate {
  /// As it is on the exporter's own page.
  private(set) var load: OwnState.Load
  /// Called when that has changed.
  var didTake: () -> Void = {}

  let gate: Gate
  /// Whether all connections are.
  var isEncrypted: Bool { initial.tls != nil }
  private unowned let server: Server
  private let watch: WebConfigWatch
  private let log: Logger
  /// What holds until the end, because the server cannot change it while it serves.
  private let initial: WebConfiguration
  /// What stands in the files instead of it, and was told.
  private var fixed: Set<String> = []
  /// What holds now.
  private var current: WebConfiguration
  let path: String
  /// What was wrong with the files when they were last read.
  private(set) var error: String?

  /// Reads the configuration anew for each request, if it has changed.
  ///
  /// - Throws: `EMFILE`, `ENFILE`.
  init(
    _ server: Server, _ loop: EventLoop, _ limits: HTTPServer.Limits,
    _ loaded: LoadedWebConfiguration, _ source: WebConfigSource, _ log: Logger,
    handler: @escaping (Request, RequestID) -> Answer
  ) throws(Errno) {
    let configuration = loaded.configuration
    gate = try Gate(
      loop: loop, limits: limits, realm: "procvitals", settings: configuration.gate,
      rateLimit: configuration.rateLimit, compare: PasswordCheck.compare, handler: handler)
    watch = try WebConfigWatch(loop, initial: loaded) { source.look(isForced: $0) }
    self.log = log
    initial = configuration
    current = configuration
    path = source.path
    load = OwnState.Load(loadedSeconds: wallClockSeconds())
    self.server = server
    let watch = watch
    gate.refresh = { watch.whenCurrent($0) }
    gate.answer = { [unowned server] id, response in server.answer(id, response) }
    if let context = loaded.context {
      server.useTLS(context)
      server.refreshTLS = { watch.whenCurrent($0) }
    }
    watch.didChange = { [unowned self] in take($0) }
    watch.didConfirm = { [unowned self] in
      if load.isCurrent { load.loadedSeconds = wallClockSeconds() }
      didChange()
    }
  }

  /// Called when ``json`` may have changed.
  var didChange: () -> Void = {}

  /// What holds now and what has come of the files.
  var json: JSON {
    current.json(path, loadedSeconds: load.loadedSeconds, error: error, waiting: fixed.sorted())
  }

  /// Reads the configuration whether it has changed or not.
  ///
  /// - Parameter then: Told what is wrong with it; nil if nothing is.
  func reload(_ then: @escaping (Failure?) -> Void = { _ in }) { watch.reload(then) }

  private func take(_ outcome: WebConfigWatch.Outcome) {
    defer { didChange() }
    switch outcome {
    case .success(let loaded):
      let configuration = loaded.configuration
      if let context = loaded.context, initial.tls != nil { server.useTLS(context) }
      gate.settings = configuration.gate
      current.gate = configuration.gate
      if initial.tls != nil, let tls = configuration.tls { current.tls = tls }
      error = nil
      load = OwnState.Load(loadedSeconds: wallClockSeconds())
      log.notice(
        "web configuration reloaded", metadata: ["users": "\(configuration.gate.users.count)"])
      tell(
        fixed: [
          ((configuration.tls == nil) != (initial.tls == nil), "tls_server_config"),
          (configuration.rateLimit != initial.rateLimit, "rate_limit"),
        ].filter(\.0).map(\.1))
    case .failure(let failure):
      load.isCurrent = false
      error = failure.shortDescription
      log.tell(failure, "web configuration not reloaded, the old one stays")
    }
    didTake()
  }

  private func tell(fixed sections: [String]) {
    let told = fixed
    fixed = Set(sections)
    for section in sections where !told.contains(section) {
      log.warning(
        "this part of the web configuration changes at the next start only",
        metadata: ["section": "\(section)"])
    }
  }
}
