package import GoRuntime
import HTTPClient
package import Linux
package import Targets

/// How a target's programs tell their own Go figures, instead of their memory being read; the URL is
/// that of the target's rule.
package struct GoSource: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// `/debug/vars` of Go's package expvar.
    case expvar
    /// A page in Prometheus' text format.
    case metrics
  }

  package var kind: Kind
  /// Whether other machines may be asked.
  package var allowsRemote: Bool
  package var timeout: Duration

  package init(_ kind: Kind, allowsRemote: Bool = false, timeout: Duration = .seconds(1)) {
    self.kind = kind
    self.allowsRemote = allowsRemote
    self.timeout = timeout
  }
}

/// A place where a program tells its own Go figures.
package struct GoAddress: Sendable, Hashable {
  package let source: GoSource
  package let url: String

  package init(source: GoSource, url: String) {
    self.source = source
    self.url = url
  }

  /// The same place, however it is asked.
  package var place: GoAddress { GoAddress(source: GoSource(source.kind), url: url) }

  package struct Failure: Error, Equatable {
    package var reason: Trouble.Reason
    /// What is wrong, in words.
    package var detail: String

    package init(_ reason: Trouble.Reason, _ detail: String) {
      self.reason = reason
      self.detail = detail
    }
  }

  /// Asks there and waits for the answer.
  package typealias Ask = @Sendable (GoAddress, Instant) throws(Failure) -> [UInt8]

  /// Asks over HTTP: one GET request, no redirects, nothing that the configuration does not say.
  package static let overHTTP: Ask = { address, deadline throws(Failure) in
    let endpoint: Endpoint
    do throws(Endpoint.ParseError) {
      endpoint = try Endpoint(address.url)
    } catch {
      throw Failure(.malformed, "what its variables came to is no URL: \(error) is not as expected")
    }
    let client = Client(
      isLoopbackOnly: !address.source.allowsRemote, bodyLimit: address.source.kind.bodyLimit)
    let answer: Client.Answer
    do throws(Client.Failure) {
      answer = try client.ask(
        endpoint, fields: [(name: "Accept", value: address.source.kind.accepts)], until: deadline)
    } catch {
      switch error {
      case .network(.timedOut):
        throw Failure(.late, "no answer in time (go.timeout)")
      case .network(let error) where error == .tooManyOpenFiles:
        throw Failure(.descriptors, "\(error)")
      case .network(let error): throw Failure(.failed, "\(error)")
      case .tls(let refusal): throw Failure(.failed, "\(refusal)")
      case .notLoopback:
        throw Failure(.untrusted, "the host is not this machine; go.remote: true would allow it")
      case .malformed(let part): throw Failure(.malformed, "the answer is not HTTP: \(part)")
      case .tooLarge(let limit):
        throw Failure(.tooLarge, "the answer has more than \(limit) bytes")
      }
    }
    switch answer.status {
    case 200: return answer.body
    case 300..<400:
      throw Failure(.failed, "status \(answer.status); redirects are not followed")
    case 401, 403: throw Failure(.denied, "status \(answer.status)")
    case 404, 410: throw Failure(.missing, "status \(answer.status)")
    default: throw Failure(.failed, "status \(answer.status), expected 200")
    }
  }

  fileprivate func sample(_ body: [UInt8]) throws(Failure) -> GoSample {
    do throws(Refusal) {
      switch source.kind {
      case .expvar: return try GoSample(expvar: body)
      case .metrics: return try GoPage(body).sample
      }
    } catch {
      throw Failure(.malformed, "\(source.kind.expected), found \(error)")
    }
  }

  /// For messages: a query may hold what is nobody's business.
  package var shown: Substring { url.prefix { $0 != "?" } }
}

extension GoSource.Kind {
  /// Bytes of an answer.
  fileprivate var bodyLimit: Int {
    switch self {
    case .expvar: 1 << 20
    case .metrics: 4 << 20
    }
  }

  fileprivate var accepts: String {
    switch self {
    case .expvar: "application/json"
    case .metrics: "text/plain;version=0.0.4"
    }
  }

  fileprivate var expected: String {
    switch self {
    case .expvar: "expected /debug/vars of Go's package expvar"
    case .metrics: "expected a page in Prometheus' text format"
    }
  }

  /// What it tells.
  package var groups: [FigureGroup] {
    switch self {
    case .expvar: [.heap, .gc]
    case .metrics: FigureGroup.always
    }
  }
}

/// Keeps away from whoever fails again and again: asks after a time that doubles up to the longest.
package struct Breaker {
  /// Failures in succession from which on that is so.
  package static let patience = 3
  private static let firstRest = Duration.seconds(10)
  private static let longestRest = Duration.seconds(300)

  private var failures = 0
  private var restsUntil = Instant(nanoseconds: 0)

  package init() {}

  package func isOpen(_ now: Instant) -> Bool { now < restsUntil }

  /// - Returns: Whether it is left alone for a while now.
  @discardableResult package mutating func note(isFailure: Bool) -> Bool {
    failures = isFailure ? failures + 1 : 0
    if failures < Self.patience { return false }
    let doublings = min(failures - Self.patience, 8)
    restsUntil = .now + min(Self.firstRest * (1 << doublings), Self.longestRest)
    return true
  }
}

/// Asks programs for their own Go figures, on a waiter: each place once in a collection.
package final class GoSourceReader {
  /// A sample in a box, because findings are handed around a lot.
  package final class Told: Sendable {
    package let sample: GoSample

    init(_ sample: GoSample) { self.sample = sample }
  }

  package enum Finding: Sendable {
    /// There is no answer yet that was not told.
    case pending
    case sample(Told)
    case failure(GoAddress.Failure)
  }

  private struct Entry {
    var finding = Finding.pending
    /// The collection that the finding is told in.
    var round: UInt64 = 0
    var isLate = false
    var breaker = Breaker()
    /// When it was last wanted.
    var wanted: UInt64 = 0
  }

  private struct Answer: Sendable {
    var address: GoAddress
    var finding: Finding
  }

  /// Beyond how many places those that were not wanted lately are forgotten.
  private static let memory = 1000

  private let asks: Inquiries<GoAddress, Answer>
  private let ask: GoAddress.Ask
  private var entries: [GoAddress: Entry] = [:]
  private var round: UInt64 = 0

  /// A reader that has asked nobody.
  ///
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(_ waiter: Waiter, _ ask: @escaping GoAddress.Ask) throws(Errno) {
    asks = try Inquiries(waiter)
    self.ask = ask
  }

  package func begin() {
    if entries.count > Self.memory { entries = entries.filter { $0.value.wanted == round } }
    round &+= 1
    // What was late for the last collection stands in if it is late again.
    take(asks.begin(), isLate: true)
  }

  /// Asks, unless somebody else wants the same or it has failed too often.
  package func want(_ address: GoAddress) {
    var entry = entries[address] ?? Entry()
    defer { entries[address] = entry }
    if entry.wanted == round { return }
    entry.wanted = round
    if entry.breaker.isOpen(.now) {
      // The reason stays while it is not asked.
      if case .failure = entry.finding { (entry.round, entry.isLate) = (round, false) }
      return
    }
    if entry.round != round { (entry.finding, entry.isLate) = (.pending, true) }
    asks.ask(address) { [ask] answer in
      do throws(GoAddress.Failure) {
        let body = try ask(address, .now + address.source.timeout)
        answer(Answer(address: address, finding: .sample(Told(try address.sample(body)))))
      } catch {
        answer(Answer(address: address, finding: .failure(error)))
      }
    }
  }

  package func collect(until deadline: Instant) {
    take(asks.collect(until: deadline), isLate: false)
  }

  /// What was found out in this collection, and whether that is of an earlier one.
  package func finding(_ address: GoAddress) -> (finding: Finding, isLate: Bool) {
    guard let entry = entries[address] else { return (.pending, true) }
    return (entry.finding, entry.isLate)
  }

  private func take(_ answers: [Answer], isLate: Bool) {
    for answer in answers {
      guard var entry = entries[answer.address] else { continue }
      (entry.round, entry.isLate) = (round, isLate)
      entry.finding = answer.finding
      if case .failure = answer.finding {
        entry.breaker.note(isFailure: true)
      } else {
        entry.breaker.note(isFailure: false)
      }
      entries[answer.address] = entry
    }
  }
}
