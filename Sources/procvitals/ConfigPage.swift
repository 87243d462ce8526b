import Collector
import Config
import Page
import Targets

/// What is answered at `/api/v1/config`.
///
/// - Shape:
///
///       {"version": 1,
///        "files": ["/etc/procvitals/procvitals.yaml"],
///        "loaded": 1700000000.5, "current": true, "error": null,
///        "settings": {"defaults.collect": "[default]", "limits.targets": "10000"},
///        "targets": [
///          {"name": "db-${port}", "labels": {"port": "${port}"},
///           "selectors": ["process_name: postgres", "environment: PGDATA=<secret>"],
///           "exclude": [["user: backup"]], "children": false, "per_process": false,
///           "groups": ["core", "cpu"],
///           "thresholds": {"open_fds_ratio": {"degraded": 0.9, "failing": null}}}],
///        "omitted": 0,
///        "web": {"listen_addresses": ["127.0.0.1:9656"], "telemetry_path": "/metrics",
///                "route_prefix": "", "external_url": null, "allowed_hosts": [],
///                "max_requests": 40, "max_connections": 512, "lifecycle": false},
///        "web_config": {"file": "/etc/procvitals/web.yml",
///                       "loaded": 1700000000.5, "current": true, "error": null,
///                       "next_start": [],
///                       "tls": {"key": "<secret>", "client_auth_type": "NoClientCert",
///                               "client_allowed_sans": [], "min_version": "TLS12",
///                               "max_version": "TLS13", "cipher_suites": [],
///                               "prefer_server_cipher_suites": true, "curve_preferences": []},
///                       "headers": {"X-Frame-Options": "deny"},
///                       "users": {"prometheus": "<secret>"},
///                       "rate_limit": {"interval": 0.1, "burst": 20}}}
///
///   `loaded` is when the settings were read, in seconds since 1970; `current` says whether they are
///   those of the files, `error` why not. Settings are written as in a file. Targets come in the order
///   of the files; `omitted` is how many have no place in ``targetLimit``. `web_config` is null
///   without one, and `tls` and `rate_limit` are null where they are off; empty lists are the
///   defaults, and an interval is in seconds. `next_start` names the sections of its file that change
///   at the next start only: until then `current` is false. What a later version adds are new members
///   only.
struct ConfigPage {
  /// How many targets are told.
  static let targetLimit = 1000

  var configuration: Configuration
  var loadedSeconds: Double
  /// What was wrong with the files when they were last read.
  var error: String?

  func text(
    _ web: WebOptions, _ paths: WebPaths, listening: [String], webConfig: JSON
  ) -> String {
    let targets = configuration.collector.targets
    return JSON.object([
      "version": .whole(1),
      "files": .texts(configuration.files),
      "loaded": .real(loadedSeconds),
      "current": .truth(error == nil),
      "error": error.map(JSON.text) ?? .null,
      "settings": .members(configuration.settings.map { ($0.path, .text($0.value)) }),
      "targets": .list(targets.prefix(Self.targetLimit).map(\.json)),
      "omitted": .whole(max(0, targets.count - Self.targetLimit)),
      "web": .object([
        "listen_addresses": .texts(listening),
        "telemetry_path": .text(web.telemetryPath),
        "route_prefix": .text(paths.prefix),
        "external_url": web.externalURL.map(JSON.text) ?? .null,
        "allowed_hosts": .texts(web.allowedHosts),
        "max_requests": .whole(web.maxRequests),
        "max_connections": .whole(web.maxConnections),
        "lifecycle": .truth(web.enablesLifecycle),
      ]),
      "web_config": webConfig,
    ]).line + "\n"
  }
}

extension TargetSettings {
  fileprivate var json: JSON {
    .object([
      "name": .text(rule.name.description),
      "labels": .members(rule.labels.map { ($0.name, .text($0.value.description)) }),
      "selectors": .texts(rule.selector.words),
      "exclude": .list(rule.exclusions.map { .texts($0.words) }),
      "children": .truth(rule.includesChildren),
      "per_process": .truth(rule.isPerProcess),
      "groups": .texts(Catalogue.groups(selection).map(\.rawValue)),
      "thresholds": .members(
        thresholds.sorted { $0.key < $1.key }.map { place, levels in
          (
            Threshold.all[place].name,
            .object([
              "degraded": .number(levels.degraded), "failing": .number(levels.failing),
            ])
          )
        }),
    ])
  }
}
