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
  private var waiting: [RequestID: Waiting] = [:]
  private var deadlines: [EventToken: RequestID] = [:]
  private let reloader: Reloader
  /// Where the server listens first.
  private var address: ListenAddress?
  /// What was last missing to read everything that is wanted.
  private var missing: [Capability] = []
  private var own: OwnState
  private var scrapes: [String: UInt64] = [:]
  private var census = Collector.Census()
  private var isReady = false
  private var failure: Failure?

  /// A request that waits for a collection.
  private struct Waiting {
    let isScrape: Bool
    let seconds: Double
    let deadline: EventToken
    let answer: (Collector.Outcome) -> Response
  }

  /// Opens everything that can fail before the daemon serves.
  ///
  /// - Throws: `Failure`.
  init(source: SourceOptions, web: WebOptions, log: LogOptions) throws {
    self.source = source
    self.web = web
    configurationFile = source.configurationFile
    ownPid = source.ownPid
    let maxConnections = web.maxConnections
    let load = { @Sendable [source, configurationFile, ownPid] in
      Result {
        var configuration = try source.settings(configurationFile, ownPid: ownPid)
        configuration.collector.limits.keptDescriptors = try Self.affordable(
          configuration.collector.limits.keptDescriptors, maxConnections)
        return configuration
      }.mapError { $0 as? Failure ?? .running("\($0)") }
    }
    let configuration = try load().get()
    let settings = configuration.collector
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
      reloader = try Reloader(loop, read: load)
      sampler = try Sampler(
        procPath: source.procPath, cgroupPath: source.cgroupPath, facts: .current(),
        settings: settings, replies: replies)
    } catch {
      throw Failure.running("cannot start: \(error)")
    }
    try listen(addresses)
  }

  /// How many files of /proc may stay open besides connections and one descriptor pair a process.
  private static func affordable(_ wanted: Int, _ connections: Int) throws(Errno) -> Int {
    let limit = try raiseDescriptorLimit(to: 1 << 20)
    let reserve = 64
    return max(0, min(wanted, (limit - connections - reserve) / 2))
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
        if self.address == nil { self.address = real }
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
      reloader.willBegin = { [unowned self] in willReload() }
      reloader.didEnd = { [unowned self] outcome in didReload(outcome) }
      startWatchdog()
      log.notice("started", metadata: ["version": "\(Version.number)"])
      for (option, reason) in source.processExporter.ineffective {
        log.warning(
          "option without effect", metadata: ["option": "\(option)", "reason": "\(reason)"])
      }
      // Nobody waits for the first one, only for what follows from it.
      collect(for: .page)
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
    } else if let id = deadlines[token] {
      queue.remove(id)
      finish(id) {
        .text(.serviceUnavailable, "Exceeded configured timeout of \($0.seconds)s.\n")
      }
    }
  }

  private func handle(_ signal: Signal) {
    switch signal {
    case .hangUp: reloader.request()
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
      for id in queue.finish() { finish(id) { $0.answer(outcome) } }
      if let rights = outcome.health?.rights, missing != rights.missing { tell(rights) }
      let isNew = census != outcome.census
      census = outcome.census
      if !isReady {
        isReady = true
        notifier.ready(status: status)
        log.info("ready")
      } else if isNew {
        notifier.status(status)
      }
      collect()
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

  private func willReload() {
    // Before the daemon is ready nobody waits for the end of a reload.
    if isReady { notifier.reloading() }
  }

  private func didReload(_ outcome: Reloader.Outcome) {
    // Whoever asks from now on is answered by what is configured now.
    queue.close()
    switch outcome {
    case .success(let configuration):
      let settings = configuration.collector
      sampler.configure(settings)
      own.configIsCurrent = true
      own.configLoadedSeconds = Self.now()
      log.notice("configuration reloaded", metadata: ["targets": "\(settings.targets.count)"])
    case .failure(let failure):
      own.configIsCurrent = false
      for line in failure.description.split(separator: "\n") {
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
    case "/probe": answer = { self.probe(request, id) }
    case "/sd": answer = { self.discover(request, id) }
    case "/health":
      answer = { self.wait(request, id, .page) { .health($0.health ?? Health()) } }
    case "/api/v1/targets":
      answer = { self.wait(request, id, .details) { .json(TargetsPage.text($0.details)) } }
    case "/-/reload": return reload(request, id)
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
  private static let reloadMethods: [Method] = [.post, .put, .options]

  private func probe(_ request: Request, _ id: RequestID) -> Answer {
    do throws(ProbeQuery.Failure) {
      let probe = try ProbeQuery(request.query).probe
      return wait(request, id, .probe(probe)) { .probe(probe, $0) }
    } catch {
      return .now(.badProbe(error))
    }
  }

  private func scrape(_ request: Request, _ id: RequestID) -> Answer {
    guard let wanted = request.query.first(where: { $0.name == "names" })?.value else {
      return wait(request, id, .page) { .metrics($0.page) }
    }
    guard let names = Names(rawValue: wanted) else {
      let known = Names.allCases.map(\.rawValue).joined(separator: " or ")
      count(code: 400)
      return .now(.text(.badRequest, "The parameter names is \(known).\n"))
    }
    return wait(request, id, .named(names)) { .metrics($0.pages[names] ?? []) }
  }

  private func discover(_ request: Request, _ id: RequestID) -> Answer {
    let address = ServiceDiscovery.address(authority: request.authority, listening: address)
    return wait(request, id, .list) {
      .json(ServiceDiscovery.json($0.targets, address: address).line + "\n")
    }
  }

  private func reload(_ request: Request, _ id: RequestID) -> Answer {
    switch request.method {
    case .post, .put:
      if !web.enablesLifecycle {
        return .now(.text(.forbidden, "Lifecycle API is not enabled.\n"))
      }
      reloader.request { [unowned self] outcome in server?.answer(id, .reload(outcome)) }
      return .later
    case .options: return .now(.options(allow: Self.reloadMethods))
    default: return .now(.methodNotAllowed(allow: Self.reloadMethods))
    }
  }

  /// Lets a request wait for a collection.
  private func wait(
    _ request: Request, _ id: RequestID, _ wish: Wish,
    _ answer: @escaping (Collector.Outcome) -> Response
  ) -> Answer {
    let isScrape = request.path == web.telemetryPath
    guard queue.add(id, wish) else {
      if isScrape { count(code: 503) }
      return .now(
        .text(
          .serviceUnavailable,
          "Limit of concurrent requests reached (\(web.maxRequests)), try again later.\n",
          fields: [("Retry-After", "1")]))
    }
    let seconds = Self.timeout(request.field("X-Prometheus-Scrape-Timeout-Seconds"))
    let token = loop.add(self)
    deadlines[token] = id
    loop.setDeadline(token, .now + .nanoseconds(Int64(seconds * 1e9)))
    waiting[id] = Waiting(isScrape: isScrape, seconds: seconds, deadline: token, answer: answer)
    collect()
    return .later
  }

  /// What the client grants, less the way back; our own limit when it says nothing sensible.
  private static func timeout(_ field: String?) -> Double {
    let own = scrapeTimeout.seconds
    guard let granted = field.flatMap(Double.init), granted > 0 else { return own }
    return min(own, max(shortestScrapeTimeout, granted - scrapeTimeoutMargin))
  }

  /// Starts a collection if somebody waits for one, and none is under way.
  ///
  /// - Parameter wish: What is wanted by nobody who waits.
  private func collect(for wish: Wish? = nil) {
    guard let wishes = queue.start(for: wish) else { return }
    var own = own
    own.scrapesInFlight = UInt64(queue.count)
    own.scrapes = scrapes.map { OwnState.Scrapes(format: "text", code: $0.key, count: $0.value) }
    if let statistics = server?.statistics {
      own.connections = statistics.open.counts
      own.connectionsRejected = statistics.rejectedCounts
    }
    sampler.collect(own, wishes)
  }

  /// Answers a request that has waited.
  private func finish(_ id: RequestID, _ answer: (Waiting) -> Response) {
    guard let entry = release(id) else { return }
    let response = answer(entry)
    if entry.isScrape { count(code: response.status.code) }
    server?.answer(id, response)
  }

  private func count(code: Int) { scrapes[String(code), default: 0] += 1 }

  /// Nobody waits for this answer any more.
  private func forget(_ id: RequestID) {
    queue.remove(id)
    _ = release(id)
  }

  private func release(_ id: RequestID) -> Waiting? {
    guard let entry = waiting.removeValue(forKey: id) else { return nil }
    deadlines[entry.deadline] = nil
    loop.remove(entry.deadline)
    return entry
  }

  private static func now() -> Double { Double(wallClockNanoseconds()) / 1e9 }
}
