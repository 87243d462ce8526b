import Config
import HTTPServer
import Linux

/// Reads the configuration when somebody asks for it, away from the loop: the file system that it is
/// on may hang.
///
/// There is one reading at a time. Whoever asks meanwhile may have changed the file after it was
/// read, so one more follows for all of them together.
final class Reloader: EventHandler {
  typealias Outcome = Result<Configuration, Failure>

  /// How long a reading may take; after that the old configuration stays.
  static let patience = Duration.seconds(5)

  private let loop: EventLoop
  /// For the next reading; ``Reloader/patience`` but in tests.
  var patience: Duration
  private let read: @Sendable () -> Outcome
  private let waiter: Waiter
  private let answers: Mailbox<(number: UInt64, outcome: Outcome)>
  private var token: EventToken?

  /// Called for each request, at once: whether a reading will follow from it, or it shares one that
  /// others wait for.
  var willRead: (_ isAnother: Bool) -> Void = { _ in }
  /// Called when a reading is over, one way or the other.
  var didEnd: (Outcome) -> Void = { _ in }

  private var isUnderWay = false
  /// Readings that have been asked for and have not answered, of whatever number.
  private var pending = 0
  private var number: UInt64 = 0
  private var askers: [(Outcome) -> Void] = []
  /// Whether there was another request meanwhile, and who wants to know what comes of it.
  private var isWantedAgain = false
  private var nextAskers: [(Outcome) -> Void] = []

  /// A reader that has been asked nothing.
  ///
  /// - Parameters:
  ///   - loop: Where requests come from and outcomes go.
  ///   - patience: How long a reading may take.
  ///   - read: Reads the configuration, on another thread.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(
    _ loop: EventLoop, patience: Duration = patience, read: @escaping @Sendable () -> Outcome
  ) throws(Errno) {
    // A reading that waits behind one that hangs serves whoever asks meanwhile.
    waiter = try Waiter(threads: 1, queueLimit: 1)
    answers = try Mailbox()
    self.loop = loop
    self.patience = patience
    self.read = read
    token = try loop.add(answers.wake.fd, .readable, self)
  }

  /// Reads the configuration, now or once more when the present reading is over.
  ///
  /// - Parameter then: Told what came of it.
  func request(_ then: ((Outcome) -> Void)? = nil) {
    if isUnderWay {
      willRead(!isWantedAgain)
      isWantedAgain = true
      if let then { nextAskers.append(then) }
    } else {
      willRead(true)
      begin(then.map { [$0] } ?? [])
    }
  }

  /// Ends; the loop and this hold each other.
  func stop() {
    waiter.stop()
    if let token { loop.remove(token) }
    token = nil
  }

  func ready(_ token: EventToken, _ readiness: Readiness) {
    for answer in answers.drain() {
      pending -= 1
      if !isUnderWay { continue }
      // What a late one has read is of the past.
      if answer.number == number { end(answer.outcome) } else { ask() }
    }
  }

  func expired(_ token: EventToken) {
    end(
      .failure(
        .running(
          "reading and checking the configuration took longer than \(patience.components.seconds) s; look at "
            + "its size and at the file system that it is on, and reload again")))
  }

  private func begin(_ askers: [(Outcome) -> Void]) {
    isUnderWay = true
    number += 1
    self.askers = askers
    if let token { loop.setDeadline(token, .now + patience) }
    ask()
  }

  private func ask() {
    if waiter.submit({ [answers, number, read] in answers.post((number, read())) }) {
      pending += 1
    } else if pending == 0 {
      end(.failure(.noThread("configuration")))
    }
  }

  private func end(_ outcome: Outcome) {
    isUnderWay = false
    if let token { loop.setDeadline(token, nil) }
    let told = askers
    askers = []
    didEnd(outcome)
    for then in told { then(outcome) }
    // An answer may let the next request of its client in, which begins anew.
    if isWantedAgain, !isUnderWay {
      let next = nextAskers
      (isWantedAgain, nextAskers) = (false, [])
      begin(next)
    }
  }
}

extension Failure {
  /// The system has no room for another thread.
  static func noThread(_ what: String) -> Failure {
    .running(
      "the \(what) cannot be read, because no thread can be started; look at TasksMax= and at the"
        + " limit of processes (ulimit -u), and reload again")
  }

  /// Bytes of what is wrong with a configuration.
  private static let complaintLimit = 16 << 10

  /// What goes into an answer.
  var shortDescription: String { description.cut(toBytes: Self.complaintLimit) }
}

extension Response {
  /// The answer at `/-/reload`.
  ///
  /// - Parameters:
  ///   - outcome: What came of the configuration.
  ///   - web: What is wrong with the web configuration, if there is one.
  /// - Returns: 200, or 500 with all that is wrong.
  static func reload(_ outcome: Reloader.Outcome, web: Failure? = nil) -> Response {
    var text = ""
    if case .failure(let failure) = outcome {
      text = "The configuration is not reloaded, the old one stays:\n\(failure.shortDescription)\n"
    }
    if let web {
      text += "The web configuration is not reloaded, the old one stays:\n\(web.shortDescription)\n"
    }
    return text.isEmpty
      ? .text(.ok, "The configuration is reloaded.\n") : .text(.internalServerError, text)
  }
}
