import Collector
import Targets

/// The line of `systemctl status`: how many targets there are, and what is wrong with them.
struct StatusLine {
  /// Characters of the line.
  static let limit = 200
  /// How many names one kind of trouble lists, and the characters of each.
  static let nameCount = 3
  static let nameLimit = 32

  var census = Collector.Census()
  /// As of the last collection that looked at all targets.
  var health = Health()
  /// Whether what stands in the files is in force.
  var isConfigurationCurrent = true
  var isWebConfigurationCurrent = true

  var text: String {
    var parts = ["\(census.up) of \(census.targets) targets up, \(census.processes) processes"]
    if !isConfigurationCurrent {
      parts.append("the new configuration has errors, the old one holds")
    }
    if !isWebConfigurationCurrent {
      parts.append("the new web configuration has errors, the old one holds")
    }
    let down = health.targets.filter { $0.status == .failing }
    parts += Self.list("down", down.map { Self.name($0, $0.troubles.first) })
    parts += trouble("late") { $0.reason == .late }
    parts += Self.list("denied", health.rights.gaps.map(\.source))
    parts += trouble("incomplete") {
      $0.reason != .late && $0.reason != .denied && !$0.isFactOfKernel
    }
    return Self.cut(parts.joined(separator: "; "), to: Self.limit)
  }

  /// Targets that run and have trouble of a kind.
  private func trouble(_ what: String, _ isMeant: (Trouble) -> Bool) -> [String] {
    let names = health.targets.filter { $0.status == .degraded }.compactMap { target in
      target.troubles.first(where: isMeant).map { Self.name(target, $0) }
    }
    return Self.list(what, names)
  }

  private static func name(_ target: Health.TargetHealth, _ trouble: Trouble?) -> String {
    let name = cut(target.name, to: nameLimit)
    return trouble.map { "\(name) (\($0.source.label) \($0.reason.rawValue))" } ?? name
  }

  private static func list(_ what: String, _ names: [String]) -> [String] {
    if names.isEmpty { return [] }
    let more = names.count - nameCount
    return [
      "\(what): " + names.prefix(nameCount).joined(separator: ", ")
        + (more > 0 ? " and \(more) more" : "")
    ]
  }

  private static func cut(_ text: String, to limit: Int) -> String {
    text.count <= limit ? text : text.prefix(limit - 1) + "…"
  }
}
