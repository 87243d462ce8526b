import Collector
import HTTPServer
import Metrics

/// Which path is answered with what.
extension Daemon {
  /// Decides what a request is answered.
  func answer(_ request: Request, _ id: RequestID) -> Answer {
    let answer: () -> Answer
    switch request.path {
    case web.telemetryPath: answer = { self.scrape(request, id) }
    case "/probe": answer = { self.probe(request, id) }
    case "/sd": answer = { self.discover(request, id) }
    case "/health":
      answer = { self.wait(request, id, .health) { .health($0.health ?? Health()) } }
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

  /// The answer that no body changes, for a client that asks before it sends one.
  func refusal(_ request: Request) -> Response? {
    if [.get, .head, .options].contains(request.method) { return nil }
    if request.path == "/-/reload", web.enablesLifecycle { return nil }
    guard case .now(let response) = answer(request, .none) else { return nil }
    return response
  }

  private static let methods: [Method] = [.get, .head, .options]
  private static let reloadMethods: [Method] = [.post, .put, .options]

  private func probe(_ request: Request, _ id: RequestID) -> Answer {
    do throws(ProbeQuery.Failure) {
      let probe = try ProbeQuery(request.query).probe
      return wait(request, id, .probe(probe, Form())) { .probe(probe, Form(), $0) }
    } catch {
      return .now(.badProbe(error))
    }
  }

  private func scrape(_ request: Request, _ id: RequestID) -> Answer {
    guard let wanted = request.query.first(where: { $0.name == "names" })?.value else {
      return scrape(request, id, Form())
    }
    guard let names = Names(rawValue: wanted) else {
      let known = Names.allCases.map(\.rawValue).joined(separator: " or ")
      scrapes.count(.text, code: 400)
      return .now(.text(.badRequest, "The parameter names is \(known).\n"))
    }
    return scrape(request, id, Form(names: names))
  }

  private func scrape(_ request: Request, _ id: RequestID, _ form: Form) -> Answer {
    wait(request, id, .page(form), format: form.format) { .metrics($0.pages[form] ?? [], form) }
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
      reload(for: id)
      return .later
    case .options: return .now(.options(allow: Self.reloadMethods))
    default: return .now(.methodNotAllowed(allow: Self.reloadMethods))
    }
  }

  private func wait(
    _ request: Request, _ id: RequestID, _ wish: Wish, format: Format? = nil,
    _ answer: @escaping (Collector.Outcome) -> Response
  ) -> Answer {
    scrapes.wait(
      id, wish, format: format,
      timeout: request.field("X-Prometheus-Scrape-Timeout-Seconds"), answer)
  }
}
