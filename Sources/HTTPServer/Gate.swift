package import Linux

/// Stands before a handler: limits the rate, lets the settings be brought up to date, adds fields to
/// answers, and asks clients for a user and password.
///
/// Passwords are compared on a thread of its own, one at a time, while the requests wait; the loop
/// does not. Belongs to the loop.
///
/// - Source: `web/handler.go` of prometheus/exporter-toolkit.
package final class Gate: EventHandler {
  /// Whether a password is the one of a hash; takes its time.
  package typealias Compare = @Sendable (_ password: [UInt8], _ hash: [UInt8]) -> Bool

  /// Who claims to be whom, with which password, and what it is compared with.
  private struct Claim: Hashable, Sendable {
    let credentials: Credentials
    let hash: Secret
    /// Whether there is such a user at all.
    let isKnown: Bool
  }

  private struct Visitor {
    let request: Request
    /// What has to be found out; nil while the settings are brought up to date.
    var claim: Claim?
  }

  /// What users that do not exist are compared with, so that the time tells nothing: "fakepassword",
  /// which lets nobody in.
  private static let nobody = Array(
    "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi".utf8)
  /// Where the two digits of the cost stand.
  private static let cost = 4..<6

  /// For requests that come from now on.
  package var settings: GateSettings { didSet { nobody = Secret(Self.nobody(for: settings)) } }
  /// Answers a request that had to wait.
  package var answer: (RequestID, Response) -> Void = { _, _ in }
  /// Calls back as soon as ``settings`` are what they should be, now or later; nil if they always
  /// are.
  package var refresh: ((_ then: @escaping () -> Void) -> Void)?

  /// Told of each user and password that are wrong.
  package var didRefuse: () -> Void = {}

  private let loop: EventLoop
  private let limits: Limits
  private let challenge: String
  private let handler: (Request, RequestID) -> Answer
  private let compare: Compare
  private var rateLimit: RateLimit?
  private var nobody: Secret
  private var visitors: [RequestID: Visitor] = [:]
  /// Claims that nobody has looked at; behind the first one if that is being looked at.
  private var queue: [Claim] = []
  private var askers: [Claim: [RequestID]] = [:]
  private var isComparing = false
  private var verdicts: [Claim: Bool] = [:]
  private let waiter: Waiter
  private let results: Mailbox<Bool>
  private var token: EventToken?

  /// A gate before a handler.
  ///
  /// - Parameters:
  ///   - loop: The loop of the server.
  ///   - limits: Its bounds.
  ///   - realm: What the users are users of; without quotation marks.
  ///   - settings: What holds at first.
  ///   - rateLimit: How many requests are let in; nil for all.
  ///   - compare: Compares passwords, on another thread.
  ///   - handler: Answers who is let in.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(
    loop: EventLoop, limits: Limits, realm: String, settings: GateSettings,
    rateLimit: RateLimit? = nil, compare: @escaping Compare,
    handler: @escaping (Request, RequestID) -> Answer
  ) throws(Errno) {
    waiter = try Waiter(threads: 1, queueLimit: 1)
    results = try Mailbox()
    self.loop = loop
    self.limits = limits
    challenge = "Basic realm=\"\(realm)\", charset=\"UTF-8\""
    self.settings = settings
    self.rateLimit = rateLimit
    self.compare = compare
    self.handler = handler
    nobody = Secret(Self.nobody(for: settings))
    token = try loop.add(results.wake.fd, .readable, self)
  }

  /// Ends; the loop and this hold each other.
  package func stop() {
    waiter.stop()
    if let token { loop.remove(token) }
    token = nil
  }

  /// Decides what a request is answered, as a ``Server`` asks its handler.
  package func admit(_ request: Request, _ id: RequestID) -> Answer {
    // The start of this turn of the loop may be long ago where many requests came at once.
    if let isLet = rateLimit?.take(at: .now), !isLet {
      return .now(
        .text(.tooManyRequests, "Too Many Requests\n", fields: [("Retry-After", retryAfter)]))
    }
    visitors[id] = Visitor(request: request)
    if let refresh {
      refresh { [weak self] in self?.proceed(id) }
    } else {
      proceed(id)
    }
    return .later
  }

  /// Nobody wants the answer to a request any more.
  package func forget(_ id: RequestID) {
    guard let claim = visitors.removeValue(forKey: id)?.claim else { return }
    askers[claim]?.removeAll { $0 == id }
    guard askers[claim]?.isEmpty == true else { return }
    // What is being compared goes on, and its outcome is kept for the next time.
    if isComparing, queue.first == claim { return }
    askers[claim] = nil
    queue.removeAll { $0 == claim }
  }

  /// An answer of the handler with the fields that all get.
  package func dressed(_ response: Response) -> Response {
    if settings.fields.isEmpty { return response }
    var response = response
    for field in settings.fields {
      let name = field.name.lowercased()
      response.fields.removeAll { $0.name.lowercased() == name }
      response.fields.append((field.name, field.value))
    }
    return response
  }

  /// A comparison is done.
  package func ready(_ token: EventToken, _ readiness: Readiness) {
    for matches in results.drain() {
      isComparing = false
      let claim = queue.removeFirst()
      let isRight = matches && claim.isKnown
      remember(claim, isRight)
      let told = askers.removeValue(forKey: claim) ?? []
      begin()
      for id in told {
        guard let visitor = visitors.removeValue(forKey: id) else { continue }
        if isRight { pass(visitor.request, id) } else { refuseLogin(id) }
      }
    }
  }

  package func expired(_ token: EventToken) {}

  // MARK: Users

  private func proceed(_ id: RequestID) {
    guard let request = visitors[id]?.request else { return }
    if settings.users.isEmpty {
      visitors[id] = nil
      return pass(request, id)
    }
    guard let credentials = request.field("Authorization").flatMap(Credentials.init) else {
      visitors[id] = nil
      return refuse(id)
    }
    let hash = settings.users[credentials.user]
    let claim = Claim(
      credentials: credentials, hash: hash ?? nobody, isKnown: hash != nil)
    if let isRight = verdicts[claim] {
      visitors[id] = nil
      return isRight ? pass(request, id) : refuseLogin(id)
    }
    guard let displaced = makeRoom(for: claim) else {
      visitors[id] = nil
      return putOff([id])
    }
    visitors[id]?.claim = claim
    if askers[claim] == nil { queue.append(claim) }
    askers[claim, default: []].append(id)
    begin()
    putOff(displaced)
  }

  /// Lets some give up their places to a claim, at random: those who guess could hold all of them
  /// against somebody who knows the password.
  ///
  /// - Returns: The requests that have lost theirs; nil if there is no room.
  private func makeRoom(for claim: Claim) -> [RequestID]? {
    var displaced: [RequestID] = []
    if askers[claim] == nil, queue.count >= limits.passwordQueue {
      // What is being compared cannot be taken back.
      guard let victim = queue.dropFirst(isComparing ? 1 : 0).randomElement() else { return nil }
      displaced = askers[victim] ?? []
    } else if askers.values.reduce(0, { $0 + $1.count }) >= limits.passwordAskers {
      guard let victim = askers.values.joined().randomElement() else { return nil }
      displaced = [victim]
    }
    for id in displaced { forget(id) }
    return displaced
  }

  /// Has the first claim looked at, unless that happens already.
  private func begin() {
    guard !isComparing, let claim = queue.first else { return }
    isComparing = waiter.submit { [results, compare] in
      results.post(compare(claim.credentials.password.bytes, claim.hash.bytes))
    }
    if isComparing { return }
    // The system has no room for a thread; the next request tries again.
    let waiting = queue.flatMap { askers[$0] ?? [] }
    for id in waiting { forget(id) }
    putOff(waiting)
  }

  /// Keeps an outcome; what was wrong makes room first, so that guessing does not cost those who
  /// know their password.
  private func remember(_ claim: Claim, _ isRight: Bool) {
    if verdicts.count >= limits.passwordVerdicts {
      let wrong = verdicts.filter { !$0.value }
      if let victim = (wrong.isEmpty ? verdicts : wrong).randomElement() {
        verdicts[victim.key] = nil
      }
    }
    verdicts[claim] = isRight
  }

  /// The hash for users that do not exist: one that takes as long as the quickest of the others.
  private static func nobody(for settings: GateSettings) -> [UInt8] {
    var hash = nobody
    let costs = settings.users.values.lazy.filter { $0.bytes.count > cost.upperBound }
      .map { $0.bytes[cost] }
    if let least = costs.min(by: { $0.lexicographicallyPrecedes($1) }) {
      hash.replaceSubrange(cost, with: least)
    }
    return hash
  }

  // MARK: Answers

  private func pass(_ request: Request, _ id: RequestID) {
    if case .now(let response) = handler(request, id) { answer(id, dressed(response)) }
  }

  /// Lets the clients of requests that are forgotten try again.
  private func putOff(_ ids: [RequestID]) {
    for id in ids { answer(id, dressed(.tryLater("Too many passwords are being checked"))) }
  }

  private func refuseLogin(_ id: RequestID) {
    didRefuse()
    refuse(id)
  }

  private func refuse(_ id: RequestID) {
    let fields = [("WWW-Authenticate", challenge)]
    answer(id, dressed(.text(.unauthorized, "Unauthorized\n", fields: fields)))
  }

  private var retryAfter: String {
    let nanoseconds = rateLimit?.interval.nanoseconds ?? 0
    return String(max(1, nanoseconds / 1_000_000_000))
  }
}
