import Collector
import Linux
import Targets

/// The line of `systemctl status`: how many targets there are, and what is wrong with them.
struct StatusLine {
  /// Bytes of the line; the service manager ignores a message of more than 4,096 (`PIPE_BUF`).
  static let limit = 200
  /// How many names one kind of trouble lists, and the bytes of each.
  static let nameCount = 3
  static let nameLimit = 32

  var census = Collector.Census()
  /// As of the last collection that looked at all targets; see ``troubles(of:)``.
  var troubles: [String] = []
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
    return (parts + troubles).joined(separator: "; ").cut(toBytes: Self.limit)
  }

  /// What is wrong with targets, a part of the line for each kind.
  static func troubles(of health: Health) -> [String] {
    list("down", health.targets.filter { $0.processes == 0 }.map { ($0, $0.troubles.first) })
      + list(
        "above a threshold",
        health.targets.compactMap { target -> (name: String, threshold: String)? in
          let worst = target.thresholds.max { $0.status < $1.status }
          guard target.processes > 0, let worst, worst.status != .ok else { return nil }
          return (target.name, worst.name)
        }
      ) { "\($0.name.cut(toBytes: nameLimit)) (\($0.threshold))" }
      + running(health, "late") { $0.reason == .late }
      + list("denied", health.rights.gaps.map(\.source)) { $0 }
      + running(health, "incomplete") {
        $0.reason != .late && $0.reason != .denied && !$0.isFactOfKernel
      }
  }

  private typealias Named = (target: Health.TargetHealth, trouble: Trouble?)

  /// Targets that run and have trouble of a kind.
  private static func running(
    _ health: Health, _ what: String, _ isMeant: (Trouble) -> Bool
  ) -> [String] {
    let found: [Named] = health.targets.filter { $0.processes > 0 }.compactMap { target in
      target.troubles.first(where: isMeant).map { (target, $0) }
    }
    return list(what, found)
  }

  private static func list(_ what: String, _ targets: [Named]) -> [String] {
    list(what, targets) { named in
      let name = named.target.name.cut(toBytes: nameLimit)
      return named.trouble.map { "\(name) (\($0.source.label) \($0.reason.rawValue))" } ?? name
    }
  }

  private static func list<Item>(
    _ what: String, _ items: [Item], _ name: (Item) -> String
  ) -> [String] {
    if items.isEmpty { return [] }
    let more = items.count - nameCount
    return [
      "\(what): " + items.prefix(nameCount).map(name).joined(separator: ", ")
        + (more > 0 ? " and \(more) more" : "")
    ]
  }
}
