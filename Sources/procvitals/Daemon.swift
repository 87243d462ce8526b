import Collector
import Config
import HTTPServer
import Linux
import Logging
import ProcFS
import Systemd

/// The running daemon: everything that happens on the loop, and nothing that waits.
///
/// /proc is read by the sampler's thread; the loop passes requests to it and pages back.
final class Daemon: EventHandler {
  /// How long a scrape may take when Prometheus does not say.
  private static let scrapeTimeout = Duration.seconds(10)
  /// Left of the time that Prometheus gives, for the way of the answer.
  private static let scrapeTimeoutMargin = 0.5
  private static let shortestScrapeTimeout = 0.1
  /// How long answers that are under way may take at the end.
  private static let drainTime = Duration.seconds(5)
  /// How long the last log lines may take.
  private static let flushTime = Duration.seconds(1)

  private let source: SourceOptions
  /// Found out at the start: a file that is gone at a reload is an error then.
  private let configurationFile: String?
  private let ownPid: Int32
  private let sink: LogSink
  private let web: WebOptions
  private let log: Logger
  private let notifier = Notifier()

  private let loop: EventLoop
  private let signals: SignalFD
  private let replies: Mailbox<Sampler.Reply>
  private let sampler: Sampler
  private var server: Server?

  private var signalToken: EventToken?
  private var replyToken: EventToken?
  private var watchdogToken: EventToken?
  private var queue: ScrapeQueue<RequestID>
  private var deadlines: [EventToken: (id: RequestID, seconds: Double)] = [:]
  /// Those among the waiting requests that want to know how the targets are, not the metrics.
  private var inquiries: Set<RequestID> = []
  /// The names that waiting requests ask for, where they ask for some.
  private var wantedNames: [RequestID: Names] = [:]
  /// What was last missing to read everything that is wanted.
  private var missing: [Capability] = []
  private var own: OwnState
  private var scrapes: [String: UInt64] = [:]
  private var census = Collector.Census()
  private var isReady = false
  private var failure: Failure?

  /// Opens everything that can fail before the daemon serves.
  ///
  /// - Throws: `Failure`.
  init(source: SourceOptions, web: WebOptions, log: LogOptions) throws {
    self.source = source
    self.web = web
    configurationFile = source.configurationFile
    ownPid = source.ownPid
    let configuration = try source.settings(configurationFile, ownPid: ownPid)
    var settings = configuration.collector
    let addresses = try web.addresses(likeProcessExporter: configuration.isProcessExporter)
    queue = ScrapeQueue(limit: web.maxRequests)
    own = OwnState(version: Version.number)
    own.configLoadedSeconds = Self.now()
    do throws(Errno) {
      // Before any thread starts, so that all of them leave signals to the loop.
      signals = try SignalFD(Signal.allCases)
      sink = try LogSink(log.style)
      self.log = log.logger(sink)
      loop = try EventLoop()
      replies = try Mailbox()
      settings.limits.keptDescriptors = try Self.affordable(settings.limits.keptDescriptors, web)
      sampler = try Sampler(
        procPath: source.procPath, cgroupPath: source.cgroupPath, facts: .current(),
        settings: settings, replies: replies)
    } catch {
      throw Failure.running("cannot start: \(error)")
    }
    try listen(addresses)
  }

  /// How many files of /proc may stay open besides connections and one descriptor pair a process.
  private static func affordable(_ wanted: Int, _ web: WebOptions) throws(Errno) -> Int {
    let limit = try raiseDescriptorLimit(to: 1 << 20)
    let reserve = 64
    return max(0, min(wanted, (limit - web.maxConnections - reserve) / 2))
  }

  private func listen(_ addresses: [ListenAddress]) throws {
    var limits = Limits()
    limits.maxConnections = web.maxConnections
    limits.keepsBodies = false
    let server = Server(
      loop: loop, limits: limits,
      handler: { [unowned self] request, id in answer(request, id) },
      abandoned: { [unowned self] id in forget(id) })
    for address in addresses {
      do throws(Errno) {
        let real = try server.listen(on: address)
        log.info(
          "listening", metadata: ["address": "\(real)", "metrics": "\(url(real))"])
      } catch {
        let hint =
          error == .addressInUse ? "; is another exporter running there?" : ""
        throw Failure.usage("--web.listen-address=\(address): cannot listen there: \(error)\(hint)")
      }
    }
    self.server = server
  }

  /// Where the metrics are, for a person on this machine.
  private func url(_ address: ListenAddress) -> String {
    switch address {
    case .any(let port): "http://localhost:\(port)\(web.telemetryPath)"
    case .unix(let path): "unix:\(path)"
    default: "http://\(address)\(web.telemetryPath)"
    }
  }

  /// Serves until a signal ends it.
  ///
  /// - Throws: `Failure`.
  func run() throws {
    do throws(Errno) {
      signalToken = try loop.add(signals.fd, .readable, self)
      replyToken = try loop.add(replies.wake.fd, .readable, self)
      startWatchdog()
      log.notice("started", metadata: ["version": "\(Version.number)"])
      for (option, reason) in source.processExporter.ineffective {
        log.warning(
          "option without effect", metadata: ["option": "\(option)", "reason": "\(reason)"])
      }
      collect()
      try loop.run()
    } catch {
      throw Failure.running("the event loop failed: \(error)")
    }
    if failure == nil { log.notice("stopped") }
    sink.flush(atMost: Self.flushTime)
    if let failure { throw failure }
  }

  // MARK: Events

  func ready(_ token: EventToken, _ readiness: Readiness) {
    if token == signalToken {
      while let signal = signals.next() { handle(signal) }
    } else if token == replyToken {
      for reply in replies.drain() { handle(reply) }
    }
  }

  func expired(_ token: EventToken) {
    if token == watchdogToken {
      startWatchdog()
    } else if let (id, seconds) = deadlines[token] {
      queue.remove(id)
      removeDeadline(id)
      scrapeDone(
        id, .text(.serviceUnavailable, "Exceeded configured timeout of \(seconds)s.\n"))
    }
  }

  private func handle(_ signal: Signal) {
    switch signal {
    case .hangUp: reload()
    case .interrupt, .terminate: stop()
    }
  }

  private func handle(_ reply: Sampler.Reply) {
    switch reply {
    case .failed(let message):
      failure = .running(message)
      loop.stop()
    case .page(let outcome):
      for notice in outcome.notices { log.tell(notice) }
      for id in queue.finish() {
        guard let page = wantedNames[id].map({ outcome.pages[$0] }) ?? outcome.page else {
          // It came when a collection without its names was under way.
          if queue.add(id) == .first { requestPage() }
          continue
        }
        removeDeadline(id)
        let isInquiry = inquiries.contains(id)
        scrapeDone(id, isInquiry ? .health(outcome.health) : Self.response(page))
      }
      if missing != outcome.health.rights.missing { tell(outcome.health.rights) }
      let isNew = census != outcome.census
      census = outcome.census
      if !isReady {
        isReady = true
        notifier.ready(status: status)
        log.info("ready")
      } else if isNew {
        notifier.status(status)
      }
    }
  }

  /// The line of `systemctl status`.
  private var status: String {
    let trouble = own.configIsCurrent ? "" : "; the new configuration has errors, the old one holds"
    return "\(census.up) of \(census.targets) targets up, \(census.processes) processes\(trouble)"
  }

  private func tell(_ rights: Rights) {
    missing = rights.missing
    if missing.isEmpty { return }
    let sources = rights.gaps.map(\.source).joined(separator: " ")
    log.warning(
      "some families cannot be read; /health says which, and the drop-in for the unit that allows it",
      metadata: [
        "sources": "\(sources)",
        "needs": "\(missing.map(\.rawValue).joined(separator: " "))",
      ])
  }

  private func startWatchdog() {
    guard let timeout = notifier.watchdogTimeout else { return }
    notifier.watchdog()
    let token = watchdogToken ?? loop.add(self)
    watchdogToken = token
    loop.setDeadline(token, .now + timeout / 2)
  }

  private func stop() {
    log.notice("stopping")
    notifier.stopping()
    server?.drain(within: Self.drainTime) { [unowned self] in
      sampler.stop()
      loop.stop()
    }
  }

  // MARK: Configuration

  private func reload() {
    // Before the daemon is ready nobody waits for the end of a reload.
    if isReady { notifier.reloading() }
    do {
      var settings = try source.settings(configurationFile, ownPid: ownPid).collector
      settings.limits.keptDescriptors = try Self.affordable(settings.limits.keptDescriptors, web)
      sampler.configure(settings)
      own.configIsCurrent = true
      own.configLoadedSeconds = Self.now()
      log.notice("configuration reloaded", metadata: ["targets": "\(settings.targets.count)"])
    } catch {
      own.configIsCurrent = false
      for line in "\(error)".split(separator: "\n") {
        log.error("configuration not reloaded, the old one stays", metadata: ["error": "\(line)"])
      }
    }
    // Whatever came of it: without this, `systemctl reload` would wait for ever.
    if isReady { notifier.ready(status: status) }
  }

  // MARK: Requests

  private func answer(_ request: Request, _ id: RequestID) -> Answer {
    let answer: () -> Answer
    switch request.path {
    case web.telemetryPath: answer = { self.scrape(request, id) }
    case "/health": answer = { self.inquire(request, id) }
    case "/-/healthy": answer = { .now(.text(.ok, "OK\n")) }
    case "/-/ready":
      answer = {
        .now(
          self.isReady
            ? .text(.ok, "OK\n")
            : .text(.serviceUnavailable, "The first collection is not done yet.\n"))
      }
    case "/": answer = { .now(Landing.page(metrics: self.web.telemetryPath)) }
    default:
      return .now(.text(.notFound, "There is nothing here; metrics are at \(web.telemetryPath).\n"))
    }
    switch request.method {
    case .get, .head: return answer()
    case .options: return .now(.options(allow: Self.methods))
    default: return .now(.methodNotAllowed(allow: Self.methods))
    }
  }

  private static let methods: [Method] = [.get, .head, .options]

  private func scrape(_ request: Request, _ id: RequestID) -> Answer {
    if let wanted = request.query.first(where: { $0.name == "names" })?.value {
      guard let names = Names(rawValue: wanted) else {
        let known = Names.allCases.map(\.rawValue).joined(separator: " or ")
        return .now(.text(.badRequest, "The parameter names is \(known).\n"))
      }
      wantedNames[id] = names
    }
    let answer = wait(request, id)
    if case .now(let response) = answer {
      wantedNames[id] = nil
      count(code: response.status.code)
    }
    return answer
  }

  /// How the targets are is found out anew, as metrics are.
  private func inquire(_ request: Request, _ id: RequestID) -> Answer {
    let answer = wait(request, id)
    if case .later = answer { inquiries.insert(id) }
    return answer
  }

  /// Lets a request wait for the next collection.
  private func wait(_ request: Request, _ id: RequestID) -> Answer {
    switch queue.add(id) {
    case .refused:
      return .now(
        .text(
          .serviceUnavailable,
          "Limit of concurrent requests reached (\(web.maxRequests)), try again later.\n",
          fields: [("Retry-After", "1")]))
    case .first: requestPage()
    case .shares: break
    }
    let seconds = Self.timeout(request.field("X-Prometheus-Scrape-Timeout-Seconds"))
    let token = loop.add(self)
    deadlines[token] = (id, seconds)
    loop.setDeadline(token, .now + .nanoseconds(Int64(seconds * 1e9)))
    return .later
  }

  /// What the client grants, less the way back; our own limit when it says nothing sensible.
  private static func timeout(_ field: String?) -> Double {
    let own = scrapeTimeout.seconds
    guard let granted = field.flatMap(Double.init), granted > 0 else { return own }
    return min(own, max(shortestScrapeTimeout, granted - scrapeTimeoutMargin))
  }

  /// Starts a collection that no scrape waits for.
  private func collect() {
    if queue.start() { requestPage() }
  }

  private func requestPage() {
    var own = own
    own.scrapesInFlight = UInt64(queue.count)
    own.scrapes = scrapes.map { OwnState.Scrapes(format: "text", code: $0.key, count: $0.value) }
    if let statistics = server?.statistics {
      own.connections = statistics.open.counts
      own.connectionsRejected = statistics.rejectedCounts
    }
    sampler.collect(own, others: Set(wantedNames.values))
  }

  private func scrapeDone(_ id: RequestID, _ response: Response) {
    wantedNames[id] = nil
    if inquiries.remove(id) == nil { count(code: response.status.code) }
    server?.answer(id, response)
  }

  private func count(code: Int) { scrapes[String(code), default: 0] += 1 }

  /// Nobody waits for this scrape any more.
  private func forget(_ id: RequestID) {
    queue.remove(id)
    inquiries.remove(id)
    wantedNames[id] = nil
    removeDeadline(id)
  }

  private func removeDeadline(_ id: RequestID) {
    guard let token = deadlines.first(where: { $0.value.id == id })?.key else { return }
    deadlines[token] = nil
    loop.remove(token)
  }

  private static func response(_ page: [UInt8]) -> Response {
    Response(
      .ok, contentType: Collector.contentType, body: page, fields: Response.fresh)
  }

  private static func now() -> Double { Double(wallClockNanoseconds()) / 1e9 }
}
