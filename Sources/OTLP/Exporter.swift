package import Linux

/// Pushes pages at regular times, as long as there are settings for it.
///
/// Belongs to a loop. What waits for the network is on a thread of its own, which the first push
/// starts. There is at most one page at a time, and none while a receiver is away: sums go on from
/// the start, so the next page that arrives has all that earlier ones had.
package final class Exporter: EventHandler {
  /// Asks for a page, for which ``take(_:)`` is called.
  package var collect: () -> Void = {}
  /// Called when pushes come to another outcome than before.
  package var didChange: (Verdict) -> Void = { _ in }
  /// Pushes by their outcome.
  package private(set) var counts = [UInt64](repeating: 0, count: Verdict.Outcome.allCases.count)
  /// Data points that were not taken although the others were.
  package private(set) var rejectedPoints: UInt64 = 0
  /// When a push last succeeded, seconds since 1970.
  package private(set) var lastSuccess: Double?
  /// Nil if nothing is pushed.
  package private(set) var settings: Settings?

  private enum Phase { case waiting, collecting, sending }

  private let loop: EventLoop
  private let waiter: Waiter
  private let answers: Mailbox<Verdict>
  private let send: @Sendable ([UInt8], Settings, Instant) -> Verdict
  private let now: () -> Instant
  private var timer: EventToken?
  /// When it does something by itself again.
  private(set) var due: Instant?
  private var answerToken: EventToken?
  private var phase = Phase.waiting
  /// When the last page was asked for.
  private var lastDue: Instant
  /// Pushes in a row that can be tried again.
  private var failures = 0
  private var outcome: Verdict.Outcome?
  /// Whether new settings came since the page was asked for.
  private var isNew = false
  /// Who waits for the last push, and until when.
  private var ending: (deadline: Instant, then: () -> Void)?

  /// An exporter without settings, which does nothing.
  ///
  /// - Parameters:
  ///   - loop: Where it belongs.
  ///   - send: Pushes a page, on another thread; nil for the way over the network.
  ///   - now: The clock.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(
    _ loop: EventLoop,
    send: (@Sendable ([UInt8], Settings, Instant) -> Verdict)? = nil,
    now: @escaping () -> Instant = { .now }
  ) throws(Errno) {
    self.loop = loop
    self.now = now
    lastDue = now()
    waiter = try Waiter(threads: 1, queueLimit: 1)
    answers = try Mailbox()
    let transport = Transport()
    self.send = send ?? { transport.push($0, $1, until: $2) }
    timer = loop.add(self)
    answerToken = try loop.add(answers.wake.fd, .readable, self)
  }

  /// Takes over settings; the same ones as before change nothing.
  ///
  /// - Parameter new: Where to and how.
  package func configure(_ new: Settings) {
    let new = new.receiver == nil ? nil : new
    if new == settings { return }
    settings = new
    failures = 0
    outcome = nil
    isNew = phase != .waiting
    if phase == .waiting { wait(until: new == nil ? nil : now()) }
  }

  /// Pushes the page that was asked for; nil if there is none.
  package func take(_ page: [UInt8]?) {
    guard phase == .collecting else { return }
    // One that was asked for with other settings may be written otherwise.
    guard let page, let settings, !isNew else { return schedule(after: nil) }
    phase = .sending
    let limit = now() + settings.timeout
    let deadline = min(limit, ending?.deadline ?? limit)
    let isAccepted = waiter.submit { [answers, send] in
      answers.post(send(page, settings, deadline))
    }
    if !isAccepted { note(.unavailable("no thread can be started for it")) }
  }

  /// Pushes once more, if it pushes at all, and stops.
  ///
  /// - Parameters:
  ///   - time: How long that may take.
  ///   - then: Called at the end.
  package func finish(within time: Duration, then: @escaping () -> Void) {
    guard settings != nil, ending == nil else { return then() }
    ending = (now() + time, then)
    wait(until: ending?.deadline)
    // What is being sent is older than the end.
    if phase == .sending { isNew = true }
    ask()
  }

  package func ready(_ token: EventToken, _ readiness: Readiness) {
    for verdict in answers.drain() where phase == .sending { note(verdict) }
  }

  package func expired(_ token: EventToken) {
    if ending != nil { end() } else { ask() }
  }

  private func ask() {
    guard phase == .waiting, settings != nil else { return }
    phase = .collecting
    isNew = false
    lastDue = now()
    collect()
  }

  private func note(_ verdict: Verdict) {
    counts[verdict.outcome.rawValue] &+= 1
    failures = verdict.outcome == .unavailable ? failures + 1 : 0
    if case .partial(let rejected, _) = verdict { rejectedPoints &+= rejected }
    if verdict.outcome == .success || verdict.outcome == .partial {
      lastSuccess = wallClockSeconds()
    }
    if !isNew, outcome != verdict.outcome {
      outcome = verdict.outcome
      didChange(verdict)
    }
    schedule(after: verdict)
  }

  /// Goes on to wait for the next time.
  private func schedule(after verdict: Verdict?) {
    phase = .waiting
    if ending != nil { return isNew ? ask() : end() }
    guard let settings else { return wait(until: nil) }
    let now = self.now()
    if isNew {
      failures = 0
      wait(until: now)
    } else if case .unavailable(_, let asked)? = verdict {
      // Whoever asks for nothing at all, or for a time that is over, does not mean at once.
      wait(until: now + max(asked ?? .zero, Self.wait(failures, random: .random(in: 0.5...1))))
    } else {
      wait(until: max(now, lastDue + settings.interval))
    }
  }

  private func wait(until moment: Instant?) {
    due = moment
    if let timer { loop.setDeadline(timer, moment) }
  }

  private func end() {
    guard let then = ending?.then else { return }
    ending = nil
    settings = nil
    wait(until: nil)
    waiter.stop()
    then()
  }

  /// How long to wait after some failures in a row.
  static func wait(_ failures: Int, random: Double) -> Duration {
    let factor = Double(1 << min(max(0, failures - 1), 16))
    return .nanoseconds(
      Int64(
        min(Limits.firstWait.seconds * factor, Limits.longestWait.seconds) * random * 1e9))
  }
}
