import Collector
import HTTPServer
import Linux
import Targets

/// What Prometheus reads at `/sd` to scrape each target by itself.
///
/// - Shape: one entry a target, which makes Prometheus ask for `/probe` at the address that it has
///   asked this. `__param_LABEL` is there for labels that tell targets of one name apart.
/// - Source: "Writing HTTP service discovery" of the Prometheus documentation.
struct ServiceDiscovery {
  /// Bytes of the host and port that a request is for, which each entry repeats.
  ///
  /// A name has 253 at most (RFC 1035, section 2.3.4), a port five.
  static let authorityLimit = 253 + 1 + 5

  /// Of each target the end of its entry, which is the same whoever asks.
  private let endings: [[UInt8]]

  /// Writes what all lists have in common.
  ///
  /// - Parameter targets: The targets.
  init(_ targets: [TargetKey]) {
    let named = Dictionary(grouping: targets, by: \.name)
    let distinguishing = named.compactMapValues { keys in
      keys.count > 1 ? TargetKey.distinguishing(keys) : nil
    }
    endings = targets.map { key in
      let parameters = distinguishing[key.name] ?? []
      var labels: [(key: String, value: JSON)] = [("__param_target", .text(key.name))]
      for label in key.labels where parameters.contains(label.name) && !label.value.isEmpty {
        labels.append(("__param_\(label.name)", .text(label.value)))
      }
      labels.append(("target", .text(key.name)))
      labels += key.labels.map { ($0.name, .text($0.value)) }
      return Array((JSON.members(labels).line.dropFirst() + "}").utf8)
    }
  }

  /// Writes the list for somebody.
  ///
  /// - Parameter access: How this is reached.
  /// - Returns: JSON, as UTF-8.
  func document(_ access: Access) -> [UInt8] {
    var labels: [(key: String, value: JSON)] = [("__metrics_path__", .text(access.probe))]
    if access.isSecure { labels.append(("__scheme__", .text("https"))) }
    let entry = JSON.object(["targets": .texts([access.address]), "labels": .members(labels)])
    // Without the two brackets that the ending closes.
    let beginning = Array((entry.line.dropLast(2) + ",").utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(
      endings.reduce(3) { $0 + $1.count + 1 } + endings.count * beginning.count)
    bytes.append(UInt8(ascii: "["))
    for (place, ending) in endings.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes += beginning
      bytes += ending
    }
    bytes += "]\n".utf8
    return bytes
  }

  /// Where whoever made a request can reach this: host and port.
  ///
  /// - Parameters:
  ///   - authority: Host and port as the request has them; nil if it has none (HTTP/1.0).
  ///   - listening: Where the server listens.
  ///   - isSecure: Whether it speaks https.
  /// - Returns: `HOST:PORT`; nil if the request's are longer than any can be.
  static func address(
    authority: String?, listening: ListenAddress?, isSecure: Bool = false
  ) -> String? {
    let standard = isSecure ? "443" : "80"
    if let authority, !authority.isEmpty {
      if authority.utf8.count > authorityLimit { return nil }
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
