import Collector
import HTTPServer
import Linux
import Targets

/// What Prometheus reads at `/sd` to scrape each target by itself.
///
/// - Shape: one entry a target, which makes Prometheus ask for `/probe` at the address that it has
///   asked this. `__param_LABEL` is there for labels that tell targets of one name apart.
/// - Source: "Writing HTTP service discovery" of the Prometheus documentation.
enum ServiceDiscovery {
  /// - Parameters:
  ///   - targets: The targets.
  ///   - access: How this is reached.
  /// - Returns: The document.
  static func json(_ targets: [TargetKey], _ access: Access) -> JSON {
    let named = Dictionary(grouping: targets, by: \.name)
    let distinguishing = named.compactMapValues { keys in
      keys.count > 1 ? TargetKey.distinguishing(keys) : nil
    }
    return .list(
      targets.map { key in
        let parameters = distinguishing[key.name] ?? []
        var labels: [(key: String, value: JSON)] = [
          ("__metrics_path__", .text(access.probe)), ("__param_target", .text(key.name)),
        ]
        if access.isSecure { labels.append(("__scheme__", .text("https"))) }
        for label in key.labels where parameters.contains(label.name) && !label.value.isEmpty {
          labels.append(("__param_\(label.name)", .text(label.value)))
        }
        labels.append(("target", .text(key.name)))
        labels += key.labels.map { ($0.name, .text($0.value)) }
        return .object(["targets": .texts([access.address]), "labels": .members(labels)])
      })
  }

  /// Where whoever made a request can reach this: host and port.
  ///
  /// - Parameters:
  ///   - authority: Host and port as the request has them; nil if it has none (HTTP/1.0).
  ///   - listening: Where the server listens.
  ///   - isSecure: Whether it speaks https.
  /// - Returns: `HOST:PORT`.
  static func address(
    authority: String?, listening: ListenAddress?, isSecure: Bool = false
  ) -> String {
    let standard = isSecure ? "443" : "80"
    if let authority, !authority.isEmpty {
      let port =
        authority.drop { $0 != "]" }.isEmpty ? authority[...] : authority.drop { $0 != "]" }
      guard let colon = port.lastIndex(of: ":") else { return "\(authority):\(standard)" }
      return port[colon...] == ":" ? authority + standard : authority
    }
    switch listening {
    case .any(let port), .ipv4(0, let port): return "localhost:\(port)"
    case .ipv4, .ipv6: return listening.map { "\($0)" } ?? ""
    case .unix, .vsock, nil: return "localhost:\(standard)"
    }
  }
}
