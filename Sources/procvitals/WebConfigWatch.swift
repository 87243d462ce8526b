import Config
import HTTPServer
import Linux
import Synchronization
import TLS

/// Keeps the web configuration in step with its files, away from the loop: the file system that
/// they are on may hang.
///
/// Whoever asks is told once a look at the files that began after the question is done, so that a
/// change is in force for the next request. All who ask meanwhile share the next look.
final class WebConfigWatch: EventHandler {
  typealias Outcome = Result<LoadedWebConfiguration, Failure>

  /// How long a request waits for the files; after that the old configuration holds.
  static let requestPatience = Duration.milliseconds(100)
  /// How long somebody waits who wants them to be read.
  static let reloadPatience = Duration.seconds(5)

  /// Called when something else stands in the files than before, or they cannot be used any more.
  var didChange: (Outcome) -> Void = { _ in }
  /// Called when the files were read because somebody wanted that, and say what they said before.
  var didConfirm: () -> Void = {}

  private let loop: EventLoop
  private let requestPatience: Duration
  private let reloadPatience: Duration
  private let look: @Sendable (_ isForced: Bool) -> Outcome?
  private let waiter: Waiter
  private let answers: Mailbox<(isForced: Bool, outcome: Outcome?)>
  private var token: EventToken?
  /// What stood in the files last, good or bad.
  private var last: Outcome

  private var isLooking = false
  /// Whether the look takes longer than requests wait.
  private var isLate = false
  /// Whether it takes longer than those wait who want it, which has been told.
  private var isHung = false
  private var waiting: [() -> Void] = []
  private var nextWaiting: [() -> Void] = []
  private var askers: [(Failure?) -> Void] = []
  private var nextAskers: [(Failure?) -> Void] = []

  /// A watch over files that have just been read.
  ///
  /// - Parameters:
  ///   - loop: Where questions come from and answers go.
  ///   - initial: What stands in the files.
  ///   - requestPatience: See ``WebConfigWatch/requestPatience``.
  ///   - reloadPatience: See ``WebConfigWatch/reloadPatience``.
  ///   - look: Looks at the files, on another thread; nil if they are sure to be the same.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(
    _ loop: EventLoop, initial: LoadedWebConfiguration, requestPatience: Duration = requestPatience,
    reloadPatience: Duration = reloadPatience,
    look: @escaping @Sendable (_ isForced: Bool) -> Outcome?
  ) throws(Errno) {
    waiter = try Waiter(threads: 1, queueLimit: 1)
    answers = try Mailbox()
    self.loop = loop
    self.requestPatience = requestPatience
    self.reloadPatience = reloadPatience
    self.look = look
    last = .success(initial)
    token = try loop.add(answers.wake.fd, .readable, self)
  }

  /// Ends; the loop and this hold each other.
  func stop() {
    waiter.stop()
    if let token { loop.remove(token) }
    token = nil
  }

  /// Calls back once the configuration is that of the files; at once while they cannot be looked at.
  func whenCurrent(_ then: @escaping () -> Void) {
    if isLate { return then() }
    nextWaiting.append(then)
    begin()
  }

  /// Reads the files, whether they have changed or not.
  ///
  /// - Parameter then: Told what is wrong with them; nil if nothing is.
  func reload(_ then: @escaping (Failure?) -> Void = { _ in }) {
    nextAskers.append(then)
    if isHung, nextAskers.count == 1, let token {
      loop.setDeadline(token, .now + reloadPatience)
    }
    begin()
  }

  func ready(_ token: EventToken, _ readiness: Readiness) {
    for answer in answers.drain() {
      isLooking = false
      isLate = false
      loop.setDeadline(token, nil)
      take(answer.outcome, isForced: answer.isForced)
      release()
      if !nextWaiting.isEmpty || !nextAskers.isEmpty { begin() }
    }
  }

  func expired(_ token: EventToken) {
    if isLate {
      let told = askers + nextAskers
      (askers, nextAskers) = ([], [])
      let failure = Failure.running(
        "reading the web configuration took longer than \(reloadPatience.components.seconds)"
          + " s; look at the file system that it is on, and reload again")
      if !isHung { didChange(.failure(failure)) }
      isHung = true
      for then in told { then(failure) }
    } else {
      isLate = true
      loop.setDeadline(token, .now + reloadPatience)
      let told = waiting + nextWaiting
      (waiting, nextWaiting) = ([], [])
      for then in told { then() }
    }
  }

  private func begin() {
    if isLooking { return }
    isLooking = true
    (waiting, nextWaiting) = (nextWaiting, [])
    (askers, nextAskers) = (nextAskers, [])
    let isForced = !askers.isEmpty
    if waiter.submit({ [answers, look] in answers.post((isForced, look(isForced))) }) {
      if let token { loop.setDeadline(token, .now + requestPatience) }
    } else {
      // The next one who asks tries again.
      isLooking = false
      release(.noThread("web configuration"))
    }
  }

  private func take(_ outcome: Outcome?, isForced: Bool) {
    let wasHung = isHung
    isHung = false
    // What holds after all is news, too, once it was said that nobody knows.
    if let outcome = outcome ?? (wasHung ? last : nil), wasHung || !Self.isSame(outcome, last) {
      last = outcome
      didChange(outcome)
    } else if isForced {
      didConfirm()
    }
  }

  /// Tells those who waited for this look.
  private func release(_ trouble: Failure? = nil) {
    let (waiting, askers) = (waiting, askers)
    (self.waiting, self.askers) = ([], [])
    var failure = trouble
    if failure == nil, case .failure(let found) = last { failure = found }
    for then in waiting { then() }
    for then in askers { then(failure) }
  }

  private static func isSame(_ left: Outcome, _ right: Outcome) -> Bool {
    switch (left, right) {
    case (.success(let left), .success(let right)): left.configuration == right.configuration
    case (.failure(let left), .failure(let right)): left.description == right.description
    default: false
    }
  }
}

/// A web configuration and what it takes to use it.
struct LoadedWebConfiguration: Sendable {
  let configuration: WebConfiguration
  /// For connections that are encrypted.
  var context: ServerContext?
}

/// Reads the web configuration and prepares what it takes to use it.
final class WebConfigSource: Sendable {
  private struct State {
    var files: WebConfigurationFiles
    var last: LoadedWebConfiguration?
  }

  let path: String
  private let state: Mutex<State>

  init(path: String) {
    self.path = path
    state = Mutex(State(files: WebConfigurationFiles(path: path)))
  }

  /// Reads it for the first time.
  ///
  /// - Throws: What is wrong with it.
  func read() throws(Failure) -> LoadedWebConfiguration {
    try state.withLock { Self.prepare($0.files.read(), &$0) }.get()
  }

  /// Reads it again, if it may have changed.
  func look(isForced: Bool) -> WebConfigWatch.Outcome? {
    state.withLock { state in
      state.files.check(isForced: isForced).map { Self.prepare($0, &state) }
    }
  }

  /// A configuration that cannot be used is as bad as a wrong one.
  private static func prepare(
    _ outcome: WebConfigurationFiles.Outcome, _ state: inout State
  ) -> WebConfigWatch.Outcome {
    let configuration: WebConfiguration
    switch outcome {
    case .success(let read): configuration = read
    case .failure(let error): return .failure(.usage(error.description))
    }
    if let last = state.last, last.configuration == configuration { return .success(last) }
    var loaded = LoadedWebConfiguration(configuration: configuration)
    if !configuration.gate.users.isEmpty, let failure = PasswordCheck.load() {
      return .failure(failure)
    }
    if let tls = configuration.tls {
      do throws(ContextError) {
        loaded.context = try tls.context()
      } catch {
        let error = WebConfiguration.error(
          state.files.path, configuration.keyPosition, "\(error)")
        return .failure(.usage(error.description))
      }
    }
    state.last = loaded
    return .success(loaded)
  }
}
