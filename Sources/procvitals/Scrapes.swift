import Collector
import HTTPServer
import Linux
import Metrics
import Page

/// The requests that wait for a collection, until it is there or their time is over.
///
/// Belongs to the loop.
final class Scrapes: EventHandler {
  /// How long one may take when Prometheus does not say.
  private static let timeout = Duration.seconds(10)
  /// Left of the time that Prometheus gives, for the way of the answer.
  private static let timeoutMargin = 0.5
  private static let shortestTimeout = 0.1
  /// How much more time one must have than the collection had that it shared, to get another one
  /// where that was not complete.
  private static let worthAnother = Duration.seconds(1)
  /// How long a collection may take to come to its end once the time for reading is over: the target
  /// that it is at, and its pages.
  private static let endingTime = Duration.milliseconds(400)

  /// Starts a collection, which has until then to read.
  var collect: (Set<Wish>, Instant) -> Void = { _, _ in }
  /// Told of the status of a scrape that failed.
  var didFail: (Int) -> Void = { _ in }
  /// Takes a page that is pushed; nil if nothing was collected in time.
  var push: ([UInt8]?) -> Void = { _ in }
  /// Answers a request.
  var answer: (RequestID, Response) -> Void = { _, _ in }

  private let loop: EventLoop
  private let limit: Int
  private var queue: ScrapeQueue<RequestID>
  private var waiting: [RequestID: Waiting] = [:]
  /// What is wanted for a push, and whether the collection under way is for it.
  private var pushed: (wish: Wish, isServed: Bool)?
  /// When the collection under way should be done with reading.
  private var until = Instant.now
  private var deadlines: [EventToken: RequestID] = [:]
  /// Answered scrapes.
  private(set) var answered: [Kind: UInt64] = [:]

  struct Kind: Hashable {
    /// The format that was asked for.
    let format: Format
    /// The status.
    let code: Int
  }

  private struct Waiting {
    let wish: Wish
    let format: Format?
    let seconds: Double
    /// When the collection should be done with reading.
    let until: Instant
    let deadline: EventToken
    let answer: (Report) -> Response?

    var tooLate: Response {
      let time = seconds.rounded() == seconds ? "\(Int(seconds))" : "\(seconds)"
      return .text(.serviceUnavailable, "Exceeded configured timeout of \(time)s.\n")
    }
  }

  /// Nobody waits yet.
  ///
  /// - Parameters:
  ///   - loop: Where deadlines are kept.
  ///   - limit: How many may wait.
  init(_ loop: EventLoop, limit: Int) {
    self.loop = loop
    self.limit = limit
    queue = ScrapeQueue(limit: limit, looks: PageLimits.looks)
  }

  /// How many wait.
  var count: Int { queue.count }

  /// Lets a request wait for a collection.
  ///
  /// - Parameters:
  ///   - id: The request.
  ///   - wish: What it wants of the collection.
  ///   - format: The format if it is a scrape of the metrics; others are not counted.
  ///   - timeout: How long the client waits, in seconds, as it says itself.
  ///   - answer: Makes the answer; nil if nothing was collected in time.
  /// - Returns: What the server is to do now.
  func wait(
    _ id: RequestID, _ wish: Wish, format: Format?, timeout: String?,
    _ answer: @escaping (Report) -> Response?
  ) -> Answer {
    guard queue.hasRoom(for: wish) else {
      return .now(.tryLater("Limit of different looks at a time reached (\(PageLimits.looks))"))
    }
    guard queue.add(id, wish) else {
      if let format { count(format, code: 503) }
      return .now(.tryLater("Limit of concurrent requests reached (\(limit))"))
    }
    let seconds = Self.seconds(granted: timeout)
    let token = loop.add(self)
    deadlines[token] = id
    let until = Instant.now + .nanoseconds(Int64(seconds * 1e9))
    loop.setDeadline(token, until + Self.endingTime)
    waiting[id] = Waiting(
      wish: wish, format: format, seconds: seconds, until: until, deadline: token, answer: answer)
    start()
    return .later
  }

  /// What the client grants, less the way back; our own limit when it says nothing sensible.
  static func seconds(granted field: String?) -> Double {
    let own = timeout.seconds
    guard let granted = field.flatMap(Double.init), granted > 0 else { return own }
    return min(own, max(shortestTimeout, granted - timeoutMargin))
  }

  /// Starts a collection if somebody waits for one, and none is under way.
  ///
  /// - Parameter wish: What is wanted by nobody who waits.
  /// - Returns: Whether one was started.
  @discardableResult
  func start(for wish: Wish? = nil) -> Bool {
    guard let wishes = queue.start(for: wish ?? pushed?.wish) else { return false }
    if let wish = pushed?.wish, wishes.contains(wish) { pushed?.isServed = true }
    // Of those who share it whoever has most time decides.
    until = waiting.values.map(\.until).max() ?? .now + Self.timeout
    collect(wishes, until)
    return true
  }

  /// Collects for a push, now or after the collection under way.
  func start(pushing push: Push) {
    pushed = (.push(push), false)
    start()
  }

  /// Answers those whom a collection was for.
  func finish(_ report: Report) {
    if let (wish, isServed) = pushed, isServed {
      pushed = nil
      push(report.isLate ? nil : report.document(wish))
    }
    for id in queue.finish() {
      // One that joined a collection for those in a hurry has time for another one.
      if report.hasLate, let entry = waiting[id], entry.until - until > Self.worthAnother,
        queue.add(id, entry.wish)
      {
        continue
      }
      finish(id) { $0.answer(report) ?? $0.tooLate }
    }
  }

  /// Makes whoever comes from now on wait for the next collection, see ``ScrapeQueue/close()``.
  func close() { queue.close() }

  /// Nobody waits for this answer any more.
  func forget(_ id: RequestID) {
    queue.remove(id)
    _ = release(id)
  }

  /// Counts an answered scrape.
  func count(_ format: Format, code: Int) {
    answered[Kind(format: format, code: code), default: 0] &+= 1
    if code >= 400 { didFail(code) }
  }

  func ready(_ token: EventToken, _ readiness: Readiness) {}

  /// The time of a request is over.
  func expired(_ token: EventToken) {
    guard let id = deadlines[token] else { return }
    queue.remove(id)
    finish(id, \.tooLate)
  }

  private func finish(_ id: RequestID, _ makeResponse: (Waiting) -> Response) {
    guard let entry = release(id) else { return }
    let response = makeResponse(entry)
    if let format = entry.format { count(format, code: response.status.code) }
    answer(id, response)
  }

  private func release(_ id: RequestID) -> Waiting? {
    guard let entry = waiting.removeValue(forKey: id) else { return nil }
    deadlines[entry.deadline] = nil
    loop.remove(entry.deadline)
    return entry
  }
}
