import Collector
import Config
import HTTPServer
import Linux
import Logging
import Metrics
import Page
import ProcFS
import Systemd

/// The running daemon: everything that happens on the loop, and nothing that waits.
///
/// /proc is read by the sampler's thread; the loop passes requests to it and pages back.
final class Daemon: EventHandler {
  /// How long answers that are under way may take at the end.
  private static let drainTime = Duration.seconds(5)
  /// How long the last log lines may take.
  private static let flushTime = Duration.seconds(1)
  /// Descriptors left to everything but connections and kept files of /proc.
  private static let reserve = 64

  private let source: SourceOptions
  /// Found out at the start: a file that is gone at a reload is an error then.
  private let configurationFile: String?
  private let ownPid: Int32
  private let sink: LogSink
  let web: WebOptions
  private let maxConnections: Int
  let paths: WebPaths
  let hosts: AllowedHosts
  let links: Surroundings.Links
  let style = Asset(Assets.style, contentType: "text/css; charset=utf-8")
  let script = Asset(Assets.script, contentType: "text/javascript; charset=utf-8")
  /// When this started, in seconds since 1970.
  let startSeconds = wallClockSeconds()
  private let log: Logger
  private let manager: ServiceManager

  private let loop: EventLoop
  private let signals: SignalFD
  private let replies: Mailbox<Sampler<Report>.Reply>
  private let sampler: Sampler<Report>
  private var server: Server?
  private(set) var webGate: WebGate?
  private let desk: PageDesk
  let viewers: Viewers
  /// For the page.
  var activity = Activity()
  /// When the collection under way began.
  private var collectionStart = Instant.now
  private var isPageUnderWay = false

  private var signalToken: EventToken?
  private var replyToken: EventToken?
  let scrapes: Scrapes
  let reloader: Reloader
  private let pusher: Pusher
  /// Where the server listens first.
  var address: ListenAddress? { addresses.first }
  private(set) var addresses: [ListenAddress] = []
  private(set) var settings: ConfigPage { didSet { settingsText = nil } }
  /// Kept until something changes: it grows with the number of targets.
  private var settingsText: [UInt8]?
  /// What was missing at some time to read everything that is wanted.
  private var missing: Set<Capability> = []
  private var own: OwnState
  private var line = StatusLine()
  private(set) var isReady = false
  private var isStopping = false
  private var failure: Failure?

  /// Opens everything that can fail before the daemon serves.
  ///
  /// - Parameters:
  ///   - source: Which processes, and where they appear.
  ///   - web: How the daemon serves.
  ///   - log: What is logged, and how.
  ///   - sockets: Where it listens if the options say that the service manager decides that.
  /// - Throws: `Failure`.
  init(
    source: SourceOptions, web: WebOptions, log: LogOptions, sockets: [PassedSocket]
  ) throws {
    self.source = source
    self.web = web
    paths = try web.paths()
    hosts = AllowedHosts(web.allowedHosts)
    links = Surroundings.Links(prefix: paths.link(""), metrics: web.telemetryPath)
    desk = PageDesk(Surroundings(links: links))
    configurationFile = source.configurationFile
    ownPid = source.ownPid
    let maxConnections = Self.affordableConnections(web.maxConnections)
    self.maxConnections = maxConnections
    let writesCreated = web.writesCreated
    let newsDesk = NewsDesk(log.level.level)
    let load = { @Sendable [source, configurationFile, ownPid] in
      Result {
        var configuration = try source.settings(configurationFile, ownPid: ownPid)
        configuration.collector.limits.keptDescriptors = try Self.affordable(
          configuration.collector.limits.keptDescriptors, maxConnections)
        configuration.collector.writesCreated = writesCreated
        return configuration
      }.mapError { $0 as? Failure ?? .running("\($0)") }
    }
    let configuration = try load().get()
    let settings = configuration.collector
    let addresses =
      web.takesSystemdSockets
      ? [] : try web.addresses(likeProcessExporter: configuration.isProcessExporter)
    let webSource = web.config.path.map { WebConfigSource(path: $0) }
    let webConfiguration = try webSource?.read()
    own = OwnState(version: Version.number)
    own.startSeconds = startSeconds
    own.config.loadedSeconds = wallClockSeconds()
    self.settings = ConfigPage(
      configuration: configuration, loadedSeconds: own.config.loadedSeconds)
    do throws(Errno) {
      // Before any thread starts, so that all of them leave signals to the loop.
      signals = try SignalFD([.hangUp, .interrupt, .terminate])
      sink = try LogSink(log.style)
      self.log = log.logger(sink)
      loop = try EventLoop()
      manager = ServiceManager(loop)
      replies = try Mailbox()
      scrapes = Scrapes(loop, limit: web.maxRequests)
      viewers = Viewers(loop)
      reloader = try Reloader(loop, read: load)
      pusher = try Pusher(loop, scrapes, self.log)
      sampler = try Sampler(
        procPath: source.procPath, cgroupPath: source.cgroupPath, facts: .current(),
        settings: settings, replies: replies
      ) { [paths, desk] outcome, wishes in
        Report(outcome, wishes, paths, newsDesk.news(outcome.notices, at: .now), desk: desk)
      }
    } catch {
      throw Failure.running("cannot start: \(error)")
    }
    try listen(addresses, sockets, webSource, webConfiguration)
  }

  /// How many files of /proc may stay open besides connections and one descriptor pair a process.
  private static func affordable(_ wanted: Int, _ connections: Int) throws(Errno) -> Int {
    let limit = try raiseDescriptorLimit(to: 1 << 20)
    return max(0, min(wanted, (limit - connections - reserve) / 2))
  }

  /// How many connections leave a collection the descriptors that it cannot do without.
  private static func affordableConnections(_ wanted: Int) -> Int {
    guard let limit = try? raiseDescriptorLimit(to: 1 << 20) else { return wanted }
    return max(1, min(wanted, limit - 2 * reserve))
  }

  private func listen(
    _ addresses: [ListenAddress], _ sockets: [PassedSocket], _ source: WebConfigSource?,
    _ loaded: LoadedWebConfiguration?
  ) throws {
    var limits = Limits()
    web.times.apply(to: &limits)
    limits.maxConnections = maxConnections
    if maxConnections < web.maxConnections {
      log.warning(
        "fewer connections than --web.max-connections, because of the limit of open files",
        metadata: ["connections": "\(maxConnections)", "limit": "LimitNOFILE= or ulimit -n"])
    }
    limits.keepsBodies = false
    let server = Server(
      loop: loop, limits: limits,
      handler: { [unowned self] request, id in
        webGate?.gate.admit(request, id) ?? answer(request, id)
      },
      abandoned: { [unowned self] id in
        webGate?.gate.forget(id)
        scrapes.forget(id)
      })
    if let source, let loaded {
      do throws(Errno) {
        webGate = try WebGate(server, loop, limits, loaded, source, log) {
          [unowned self] request, id in answer(request, id)
        }
        webGate?.didChange = { [unowned self] in settingsText = nil }
      } catch {
        throw Failure.running("cannot start: \(error)")
      }
    } else {
      // Behind a gate nothing is answered before it is known who asks.
      server.refusal = { [unowned self] request in refusal(request) }
    }
    for address in addresses {
      do throws(Errno) {
        tell(try server.listen(on: address), server)
      } catch {
        let hint =
          error == .addressInUse ? "; is another exporter running there?" : ""
        throw Failure.running(
          "--web.listen-address=\(address): cannot listen there: \(error)\(hint)")
      }
    }
    for socket in sockets {
      guard let fd = socket.take() else { continue }
      do throws(Errno) {
        tell(try server.listen(on: ListenSocket(adopting: fd)), server)
      } catch {
        throw Failure.running(
          "--web.systemd-socket: cannot accept connections from the socket \"\(socket.name)\": \(error); expected ListenStream= and Accept=no in its unit"
        )
      }
    }
    if address == nil {
      throw Failure.running(
        "--web.systemd-socket: no socket activation file descriptors found; start procvitals.socket"
      )
    }
    self.server = server
  }

  var isEncrypted: Bool { server?.isEncrypted == true }
  var certificateExpiration: Double? { server?.certificateExpiration }

  private func tell(_ address: ListenAddress, _ server: Server) {
    addresses.append(address)
    let url = url(address, isEncrypted: server.isEncrypted)
    log.info("listening", metadata: ["address": "\(address)", "metrics": "\(url)"])
  }

  /// Where the metrics are, for a person on this machine.
  private func url(_ address: ListenAddress, isEncrypted: Bool) -> String {
    let scheme = isEncrypted ? "https" : "http"
    let path = paths.prefix + web.telemetryPath
    return switch address {
    case .any(let port): "\(scheme)://localhost:\(port)\(path)"
    case .unix, .vsock: "\(address)"
    default: "\(scheme)://\(address)\(path)"
    }
  }

  /// Serves until a signal ends it.
  ///
  /// - Throws: `Failure`.
  func run() throws {
    do throws(Errno) {
      signalToken = try loop.add(signals.fd, .readable, self)
      replyToken = try loop.add(replies.wake.fd, .readable, self)
      reloader.willRead = { [unowned self] in manager.willReload(isAnother: $0) }
      reloader.didEnd = { [unowned self] outcome in didReload(outcome) }
      scrapes.collect = { [unowned self] wishes, deadline in collect(wishes, deadline) }
      scrapes.answer = { [unowned self] id, response in send(id, response) }
      webGate?.didTake = { [unowned self] in
        if let error = webGate?.error {
          activity.note("web configuration", error, at: wallClockSeconds())
        }
        manager.update(status)
      }
      watchFailures()
      manager.start()
      log.notice("started", metadata: ["version": "\(Version.number)"])
      for (option, reason) in source.processExporter.ineffective {
        log.warning(
          "option without effect", metadata: ["option": "\(option)", "reason": "\(reason)"])
      }
      // Nobody waits for the first one, only for what follows from it.
      scrapes.start(for: .health)
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

  func expired(_ token: EventToken) {}

  private func handle(_ signal: Signal) {
    switch signal {
    case .hangUp:
      if let webGate {
        manager.willReload()
        webGate.reload { [unowned self] _ in manager.didReload(status) }
      }
      reloader.request()
    case .interrupt, .terminate: stop()
    case .windowChange: break
    }
  }

  private func handle(_ reply: Sampler<Report>.Reply) {
    switch reply {
    case .failed(let message):
      failure = .running(message)
      manager.stop("failed: \(message)")
      loop.stop()
    case .page(let report):
      log.tell(report.news)
      if isPageUnderWay { activity.note(collection: (.now - collectionStart).seconds) }
      scrapes.finish(report)
      if let denial = report.denial { tell(denial) }
      if let troubles = report.troubles { line.troubles = troubles }
      line.census = report.census
      manager.serve(status)
      if !isReady {
        isReady = true
        log.info("ready")
        pusher.configure(settings.configuration.pushing)
      }
      scrapes.start()
    }
  }

  /// The line of `systemctl status`.
  private var status: String {
    var line = line
    line.isConfigurationCurrent = own.config.isCurrent
    line.isWebConfigurationCurrent = webGate?.load.isCurrent ?? true
    return line.text
  }

  /// Says what would make everything readable, once for each of it.
  private func tell(_ denial: Report.Denial) {
    if missing.isSuperset(of: denial.missing) { return }
    missing.formUnion(denial.missing)
    log.warning(
      "some families cannot be read; /health says which, and the drop-in for the unit that allows it",
      metadata: [
        "sources": "\(denial.sources.joined(separator: " "))",
        "needs": "\(denial.missing.map(\.rawValue).joined(separator: " "))",
      ])
  }

  private func stop() {
    if isStopping { return }
    isStopping = true
    log.notice("stopping")
    manager.stop("finishing what is in flight")
    var left = 2
    let end = { [unowned self] in
      left -= 1
      if left > 0 { return }
      sampler.stop()
      loop.stop()
    }
    pusher.finish(then: end)
    server?.drain(within: Self.drainTime, then: end)
  }

  // MARK: Configuration

  private func didReload(_ outcome: Reloader.Outcome) {
    // Whoever asks from now on is answered by what is configured now.
    scrapes.close()
    switch outcome {
    case .success(let configuration):
      let settings = configuration.collector
      sampler.configure(settings)
      if isReady, !isStopping { pusher.configure(configuration.pushing) }
      own.config.isCurrent = true
      own.config.loadedSeconds = wallClockSeconds()
      self.settings = ConfigPage(
        configuration: configuration, loadedSeconds: own.config.loadedSeconds)
      log.notice("configuration reloaded", metadata: ["targets": "\(settings.targets.count)"])
    case .failure(let failure):
      own.config.isCurrent = false
      self.settings.error = failure.shortDescription
      activity.note("configuration", failure.shortDescription, at: wallClockSeconds())
      log.tell(failure, "configuration not reloaded, the old one stays")
    }
    manager.didReload(status)
  }

  // MARK: Collections

  private func collect(_ wishes: Set<Wish>, _ deadline: Instant) {
    let looks = wishes.compactMap(\.look)
    if !looks.isEmpty { desk.update(surroundings) }
    if looks.contains(where: \.isFresh) { viewers.didStartReading(at: .now) }
    collectionStart = .now
    isPageUnderWay = wishes.contains { if case .page = $0 { true } else { false } }
    var own = own
    own.webConfig = webGate?.load
    own.certificateExpiration = certificateExpiration
    own.exports = pusher.exports
    own.scrapesInFlight = UInt64(scrapes.count)
    own.scrapes = scrapes.answered.map {
      OwnState.Scrapes(
        format: $0.key.format.rawValue, code: String($0.key.code), count: $0.value)
    }
    if let statistics = server?.statistics {
      own.connections = statistics.open.counts
      own.connectionsRejected = statistics.rejectedCounts
      if isEncrypted { own.connectionsRejected += statistics.handshakeCounts }
    }
    sampler.collect(own, wishes, until: deadline)
  }

  /// What is answered at `/api/v1/config`.
  var settingsPage: [UInt8] {
    if let settingsText { return settingsText }
    let text = settings.text(
      web, paths, listening: addresses.map { "\($0)" }, webConfig: webGate?.json ?? .null)
    let bytes = Array(text.utf8)
    settingsText = bytes
    return bytes
  }

  /// Reads the configuration anew for somebody who waits for the outcome.
  func reload(for id: RequestID) {
    reloader.request { [unowned self] outcome in
      guard let webGate else { return send(id, .reload(outcome)) }
      webGate.reload { [unowned self] failure in send(id, .reload(outcome, web: failure)) }
    }
  }

  /// Answers a request whose answer had to wait.
  private func send(_ id: RequestID, _ response: Response) {
    server?.answer(id, webGate?.gate.dressed(response) ?? response)
  }
}
