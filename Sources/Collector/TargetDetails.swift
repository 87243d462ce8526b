import Metrics
import ProcFS
package import Targets

/// All that is known of one target, for people and programs that want to understand it.
package struct TargetDetails: Sendable {
  package struct Process: Sendable, Equatable {
    package let pid: Int32
    /// Seconds since 1970.
    package let startSeconds: Double
    /// The process name.
    package let name: String
    /// Whether it belongs to the target because an ancestor does.
    package let isInherited: Bool
  }

  /// Something that could not be read.
  package struct Failure: Sendable, Equatable {
    package let trouble: Trouble
    /// How often, ever since.
    package let count: UInt64
    /// Whether it was so at the last collection.
    package let isStanding: Bool
  }

  /// Processes that are told of one target.
  package static let processLimit = 100

  package let key: TargetKey
  package let rule: Rule
  /// The groups of which a family is on.
  package let groups: [Group]
  package let processCount: Int
  /// The first ``processLimit`` by number.
  package let processes: [Process]
  package let starts: UInt64
  package let restarts: UInt64
  package let exits: [(exit: Exit, count: UInt64)]
  package let failures: [Failure]
  /// What is above a threshold.
  package let crossed: [Threshold.Finding]
  /// Samples on the last page, without those of `procvitals_…`.
  package let series: Int

  init(_ state: TargetState, _ facts: SystemFacts, groups: [Group]) {
    let target = state.target
    key = target.key
    rule = target.rule
    self.groups = groups
    processCount = target.processes
    processes = target.members.prefix(Self.processLimit).map { member in
      Process(
        pid: member.pid,
        startSeconds: facts.epochSeconds(startTicks: member.identity.startTicks),
        name: String(decoding: member.stat.name.bytes, as: UTF8.self),
        isInherited: member.isInherited)
    }
    starts = target.starts
    restarts = target.restarts
    exits = target.exits.map { ($0.key, $0.value) }.sorted {
      ($0.0.reason.rawValue, $0.0.status) < ($1.0.reason.rawValue, $1.0.status)
    }
    failures = target.troubles.map { trouble, count in
      Failure(
        trouble: trouble, count: count, isStanding: target.standingTroubles.contains(trouble))
    }.sorted { $0.trouble.sortKey < $1.trouble.sortKey }
    crossed = state.crossed
    series = state.series
  }

  /// Those of all targets, in the order of the page.
  static func all(_ states: [TargetState], _ facts: SystemFacts) -> [TargetDetails] {
    var known: [Selection: [Group]] = [:]
    return states.filter(\.target.isShown).map { state in
      let groups = known[state.selection] ?? Catalogue.groups(state.selection)
      known[state.selection] = groups
      return TargetDetails(state, facts, groups: groups)
    }
  }
}

extension Catalogue {
  /// The groups of which a selection switches on a family.
  package static func groups(_ selection: Selection) -> [Group] {
    let on = Set(
      process.filter { selection.includes($0.family, $0.group, isDefault: $0.isDefault) }
        .map(\.group)
        + target.filter { includes($0, selection) }.compactMap(\.group))
    return Group.allCases.filter(on.contains)
  }
}
