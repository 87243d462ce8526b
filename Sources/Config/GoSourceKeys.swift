import GoReports
import HTTPClient
import Linux
import Targets

/// What holds for Go figures that programs tell themselves, of targets that do not say otherwise.
struct GoDefaults: Sendable, Hashable {
  var allowsRemote = false
  var timeout = Duration.seconds(1)
}

extension Draft.Target {
  /// What its keys `go` come to.
  func goSource(_ defaults: GoDefaults) -> GoSource? {
    guard let kind: GoSource.Kind = goExpvar != nil ? .expvar : goMetrics != nil ? .metrics : nil
    else { return nil }
    return GoSource(
      kind, allowsRemote: goAllowsRemote ?? defaults.allowsRemote,
      timeout: goTimeout ?? defaults.timeout)
  }
}

extension KeyTable {
  /// What can hold for all targets.
  static var goDefaults: [Key] {
    [
      .mapping("defaults.go", "Go figures that programs tell themselves."),
      Key(
        "defaults.go.remote", .boolean, into: \.goDefaults.allowsRemote, example: "true",
        """
        Whether hosts may be other machines than this one. Whoever may write the configuration, and \
        whoever answers for a host's name, decides then whom procvitals asks.
        """),
      Key(
        "defaults.go.timeout", goTimeout, into: \.goDefaults.timeout, example: "500ms",
        "How long a program may take to answer."),
    ]
  }

  static var goSources: [Key] {
    [
      .mapping(
        "targets[].go",
        """
        Where the program tells its own Go figures over HTTP; they are taken instead of those in its \
        memory, and the group `go` is collected. Processes with the same URL are one program.
        """),
      Key(
        "targets[].go.expvar", .goURL("/debug/vars"), into: \.target.goExpvar,
        example: "\"http://127.0.0.1:8080/debug/vars\"", otherwise: "instead of `metrics`",
        """
        The URL of Go's package expvar, which has memory and garbage collection. Variables may \
        stand behind the host.
        """),
      Key(
        "targets[].go.metrics", .goURL("/metrics"), into: \.target.goMetrics,
        example: "\"http://127.0.0.1:8080/metrics\"", otherwise: "none",
        """
        The URL of the program's own page in Prometheus' text format, of which the families are \
        taken that procvitals has in its groups of Go. Variables may stand behind the host.
        """),
      Key(
        "targets[].go.remote", .boolean, into: \.target.goAllowsRemote, example: "true",
        otherwise: "as in `defaults`", "Whether the host may be another machine."),
      Key(
        "targets[].go.timeout", goTimeout, into: \.target.goTimeout, example: "500ms",
        otherwise: "as in `defaults`",
        """
        How long the program may take to answer. An answer that takes longer than 0.1 s comes with \
        the next scrape.
        """),
    ]
  }

  private static var goTimeout: ValueType<Duration> {
    .duration(.milliseconds(10)...(.seconds(30)))
  }
}

extension ValueType where Value == Template {
  /// A URL with variables behind its host.
  static func goURL(_ path: String) -> Self {
    let expected = "a URL, for example http://127.0.0.1:8080\(path)"
    return scalar("URL, with variables", expected: expected, show: { $0.description }) {
      text throws(Mismatch) in
      let template = try Template(text: text)
      let endpoint: Endpoint
      do throws(Endpoint.ParseError) {
        endpoint = try template.endpoint(each: "1")
        // A process must not choose whom to ask.
        if try template.endpoint(each: "2").host != endpoint.host { throw .host }
      } catch {
        switch error {
        case .scheme:
          throw .unexpected(
            hint: text.lowercased().hasPrefix("https:")
              ? "programs are asked over http:// only" : "write http:// in front")
        case .userInformation:
          throw .impossible("expected no user or password in a URL, where others would see them")
        case .host: throw .unexpected(hint: "the host is a name or an address without variables")
        case .port: throw .unexpected(hint: "a port is 1 to 65535")
        case .target: throw .unexpected(hint: "what is not ASCII is written as %XX")
        }
      }
      return template
    }
  }
}

extension Template {
  func endpoint(each value: String) throws(Endpoint.ParseError) -> Endpoint {
    try Endpoint(expanded { _ in value })
  }
}

extension Reader {
  /// Reports two URLs, settings without a URL, and addresses of other machines.
  mutating func checkGoSource(_ entry: Entry) {
    let target = entry.target
    let given = entry.given
    let (expvar, metrics) = (given[\Draft.target.goExpvar], given[\Draft.target.goMetrics])
    if let expvar, let metrics {
      let later = max(expvar.position, metrics.position)
      problems.add(
        later, "go: expvar and metrics are both given; expected one of them, keep the one to take")
      return
    }
    guard let url = target.goExpvar ?? target.goMetrics else {
      if let place = given[\Draft.target.goAllowsRemote] ?? given[\Draft.target.goTimeout] {
        problems.add(place.position, "go: there is no URL; expected expvar or metrics beside this")
      }
      return
    }
    if target.goSource(draft.goDefaults)?.allowsRemote == true { return }
    // Names are looked up when they are asked for.
    guard let endpoint = try? url.endpoint(each: "1"),
      endpoint.host.contains(":") || endpoint.host.utf8.allSatisfy({ $0 < UInt8(ascii: ":") }),
      let addresses = try? PeerAddress.resolve(endpoint.host, port: endpoint.port),
      !addresses.allSatisfy(\.isLoopback)
    else { return }
    problems.add(
      (expvar ?? metrics)?.position,
      "go: \(quoted(endpoint.host)) is not this machine; expected a loopback address, or"
        + " remote: true if the program runs there")
  }
}
