import Collector
import Gzip
import HTTPServer
import Linux
import Metrics
import Page

/// Which path is answered with what.
extension Daemon {
  /// Characters that are kept of what a client calls itself.
  private static let clientLimit = 100

  /// Decides what a request is answered.
  func answer(_ request: Request, _ id: RequestID) -> Answer {
    guard hosts.include(request.authority) else {
      return .now(
        .text(.misdirectedRequest, "This answers only for the hosts of --web.allowed-hosts.\n"))
    }
    let answer: () -> Answer
    var methods: [Method] = [.get, .head, .options]
    switch paths.endpoint(request.path) {
    case web.telemetryPath: answer = { self.scrape(request, id) }
    case "/probe": answer = { self.probe(request, id) }
    case "/sd": answer = { self.discover(request, id) }
    case "/health":
      answer = {
        self.wait(request, id, .health) {
          .json($0.document(.health), $0.health == .failing ? .serviceUnavailable : .ok)
        }
      }
    case "/api/v1/targets":
      answer = { self.wait(request, id, .details) { .json($0.document(.details)) } }
    case "/api/v1/config": answer = { .now(.json(self.settingsPage)) }
    case "/-/reload":
      methods = [.post, .put, .options]
      answer = { self.reload(id) }
    case "/-/healthy": answer = { .now(.text(.ok, "OK\n")) }
    case "/-/ready":
      answer = {
        .now(
          self.isReady
            ? .text(.ok, "OK\n")
            : .text(.serviceUnavailable, "The first collection is not done yet.\n"))
      }
    case "/": answer = { self.look(.page, request, id) }
    case "/api/v1/history": answer = { self.look(.history, request, id) }
    case "/assets/page.css": answer = { .now(self.style.answer(request)) }
    case "/assets/page.js": answer = { .now(self.script.answer(request)) }
    default:
      let metrics = paths.link(web.telemetryPath)
      return .now(.text(.notFound, "There is nothing here; metrics are at \(metrics).\n"))
    }
    if request.method == .options { return .now(.options(allow: methods)) }
    return methods.contains(request.method) ? answer() : .now(.methodNotAllowed(allow: methods))
  }

  /// The answer that no body changes, for a client that asks before it sends one.
  func refusal(_ request: Request) -> Response? {
    if [.get, .head, .options].contains(request.method) { return nil }
    if paths.endpoint(request.path) == "/-/reload", web.enablesLifecycle { return nil }
    guard case .now(let response) = answer(request, .none) else { return nil }
    return response
  }

  private func probe(_ request: Request, _ id: RequestID) -> Answer {
    do throws(PageQuery.Failure) {
      let probe = try ProbeQuery(request.query, paths).probe
      let (form, negotiation) = try form(request)
      return wait(request, id, .probe(probe, form)) { [startSeconds, paths] report in
        .probe(probe, form, report, paths) { .metrics($0, negotiation, start: startSeconds) }
      }
    } catch {
      return .now(.text(.badRequest, error.sentence + "\n"))
    }
  }

  private func scrape(_ request: Request, _ id: RequestID) -> Answer {
    var names: Names?
    if let wanted = request.query.first(where: { $0.name == "names" })?.value {
      names = Names(rawValue: wanted)
      if names == nil {
        let known = Names.allCases.map(\.rawValue).joined(separator: " or ")
        return refuse(request, "The parameter names is \(known).")
      }
    }
    do throws(PageQuery.Failure) {
      var (form, negotiation) = try form(request)
      form.names = names
      let (wanted, began) = (form, Instant.now)
      let client = String((request.field("User-Agent") ?? "").prefix(Self.clientLimit))
      return wait(request, id, .page(form), format: form.format) { [unowned self] report in
        // What the exporter says about itself is no reason to say that all is well.
        if report.isLate { return nil }
        let page = report.pages[wanted] ?? []
        activity.note(
          Activity.Scrape(
            client: client, seconds: wallClockSeconds(), duration: (.now - began).seconds,
            format: wanted.format.rawValue, isCompressed: Compressor.isMember(page),
            bytes: page.count))
        return .metrics(page, negotiation, start: startSeconds)
      }
    } catch {
      return refuse(request, error.sentence)
    }
  }

  /// What page a request asks for.
  private func form(_ request: Request) throws(PageQuery.Failure) -> (Form, Negotiation) {
    let negotiation = Negotiation(request.preferences("Accept") ?? [])
    let form = Form(
      format: negotiation.format,
      isCompressed: request.contentCoding(offered: ["gzip"]) == "gzip",
      filter: try PageQuery(request.query).filter)
    return (form, negotiation)
  }

  private func refuse(_ request: Request, _ sentence: String) -> Answer {
    scrapes.count(Negotiation(request.preferences("Accept") ?? []).format, code: 400)
    return .now(.text(.badRequest, sentence + "\n"))
  }

  private func discover(_ request: Request, _ id: RequestID) -> Answer {
    guard let address = reachableAddress(request) else {
      return .now(
        .text(
          .badRequest,
          "A host and port have \(ServiceDiscovery.authorityLimit) characters at most.\n"))
    }
    let list = Wish.list(
      Access(
        address: address, probe: paths.link("/probe"),
        isSecure: paths.external.map { $0.scheme == "https" } ?? isEncrypted))
    return wait(request, id, list) { .json($0.document(list)) }
  }

  /// Where whoever made a request reaches this: host and port; nil if its own name is too long.
  func reachableAddress(_ request: Request) -> String? {
    paths.external?.address
      ?? ServiceDiscovery.address(
        authority: request.authority, listening: address, isSecure: isEncrypted)
  }

  private func reload(_ id: RequestID) -> Answer {
    if !web.enablesLifecycle { return .now(.text(.forbidden, "Lifecycle API is not enabled.\n")) }
    reload(for: id)
    return .later
  }

  private func wait(
    _ request: Request, _ id: RequestID, _ wish: Wish, format: Format? = nil,
    _ answer: @escaping (Report) -> Response?
  ) -> Answer {
    scrapes.wait(
      id, wish, format: format,
      timeout: request.field("X-Prometheus-Scrape-Timeout-Seconds"), answer)
  }
}
