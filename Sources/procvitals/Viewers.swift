import Collector
import Config
import HTTPServer
import Linux
import Page

/// Those who look at the page: how often figures are read for them, and when they have gone.
///
/// Nothing happens while nobody looks. Belongs to the loop.
final class Viewers: EventHandler {
  /// Called some time after the last look; returns whether that could be done.
  var haveGone: () -> Bool = { true }

  private let loop: EventLoop
  private var token: EventToken?
  private var lastReading: Instant?

  init(_ loop: EventLoop) { self.loop = loop }

  /// Takes note of a look.
  ///
  /// - Parameter now: When it is.
  /// - Returns: Whether figures are to be read for it.
  func look(at now: Instant) -> Bool {
    let token = self.token ?? loop.add(self)
    self.token = token
    loop.setDeadline(token, now + PageLimits.patience)
    return lastReading.map { now - $0 >= PageLimits.interval } ?? true
  }

  /// Takes note that figures are being read; a look that asked for them may have gone without.
  func didStartReading(at now: Instant) { lastReading = now }

  func ready(_ token: EventToken, _ readiness: Readiness) {}

  func expired(_ token: EventToken) {
    guard haveGone() else { return loop.setDeadline(token, .now + PageLimits.interval) }
    loop.remove(token)
    self.token = nil
  }
}

/// What of a look a request asks for.
///
/// - Shape: `span=SECONDS`, 1 to 900; `since=MILLISECONDS` since 1970; `target=NAME`;
///   `metric=NAME,NAME…`, which repeats. Other parameters are no concern of this.
struct LookQuery {
  var span = PageLimits.spans[1]
  var since: Int64?
  var target: String?
  var metrics: Set<String>?

  /// The next of those that the page offers.
  var spanOfPage: Int { PageLimits.spans.first { $0 >= span } ?? span }

  init(_ query: [(name: String, value: String)]) throws(PageQuery.Failure) {
    for (name, value) in query {
      switch name {
      case "span":
        guard let span = Int(value), 1...Int(PageLimits.historySeconds) ~= span else {
          throw PageQuery.Failure(
            sentence: "The parameter span is a number of seconds, 1 to 900.")
        }
        self.span = span
      case "since":
        guard let since = Int64(value), since >= 0 else {
          throw PageQuery.Failure(
            sentence: "The parameter since is a number of milliseconds since 1970.")
        }
        self.since = since
      case "target": target = value
      case "metric":
        let names = Set(
          value.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
        let known = Measure.keys
        if let wrong = names.first(where: { !known.contains($0) }) {
          throw PageQuery.Failure(
            sentence:
              "There is no metric \(JSON.quoted(wrong)); there are \(known.joined(separator: ", "))."
          )
        }
        metrics = names.union(metrics ?? [])
      default: break
      }
    }
  }
}

extension Daemon {
  /// Answers somebody who looks at the page, or a program that does.
  func look(_ view: Look.View, _ request: Request, _ id: RequestID) -> Answer {
    do throws(PageQuery.Failure) {
      let query = try LookQuery(request.query)
      let address = reachableAddress(request) ?? "localhost"
      let look = Look(
        view, span: view == .page ? query.spanOfPage : query.span,
        since: view == .page ? nil : query.since, target: view == .page ? nil : query.target,
        metrics: view == .page ? nil : query.metrics,
        access: Access(
          address: view == .page ? address : "", probe: paths.link("/probe"),
          isSecure: paths.external.map { $0.scheme == "https" } ?? isEncrypted),
        isCompressed: request.contentCoding(offered: ["gzip"]) == "gzip",
        tellsCommandLines: needsPassword, isFresh: viewers.look(at: .now))
      return scrapes.wait(id, .look(look), format: nil, timeout: nil) {
        view == .page ? .html($0.document(.look(look))) : .history($0.document(.look(look)))
      }
    } catch {
      return .now(.text(.badRequest, error.sentence + "\n"))
    }
  }

  private var needsPassword: Bool { webGate?.gate.settings.users.isEmpty == false }

  /// What the page says beside the targets.
  var surroundings: Surroundings {
    var around = Surroundings(links: links)
    let now = wallClockSeconds()
    around.version = Version.number
    around.host = hostName()
    around.startSeconds = startSeconds
    around.listening = addresses.map { "\($0)" }
    around.settings = Surroundings.Settings(
      files: settings.configuration.files, loadedSeconds: settings.loadedSeconds,
      error: settings.error)
    around.webSettings = webGate.map {
      Surroundings.Settings(
        files: [$0.path], loadedSeconds: $0.load.loadedSeconds, error: $0.error)
    }
    around.isEncrypted = isEncrypted
    around.certificateExpiration = certificateExpiration
    around.needsPassword = needsPassword
    around.scrape = activity.scrape
    around.scrapesPerMinute = activity.scrapesPerMinute(at: now)
    around.quantiles = activity.quantiles
    around.failures = activity.failures
    return around
  }

  /// Lets the page tell of what goes wrong.
  func watchFailures() {
    scrapes.didFail = { [unowned self] code in
      activity.note(
        "scrape",
        code == 503
          ? "answered 503: not done in time, or too many waited"
          : "answered \(code): the request was wrong", at: wallClockSeconds())
    }
    webGate?.gate.didRefuse = { [unowned self] in
      activity.note("login", "wrong user or password", at: wallClockSeconds())
    }
    viewers.haveGone = { [unowned self] in scrapes.start(for: .nobodyLooks) }
  }
}
