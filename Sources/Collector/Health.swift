package import Linux
import Metrics
import ProcFS
package import Targets

/// How the targets are, and what cannot be seen of them.
package struct Health: Sendable, Equatable {
  package enum Status: String, Sendable, Comparable {
    /// Everything that is wanted can be read.
    case ok
    /// A target runs, but something about it cannot be found out, or is above a threshold.
    case degraded
    /// A target has no process, or is above a threshold that is critical.
    case failing

    package static func < (left: Status, right: Status) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .ok: 0
      case .degraded: 1
      case .failing: 2
      }
    }
  }

  /// One target.
  package struct TargetHealth: Sendable, Equatable {
    package var name: String
    package var processes: Int
    /// What could not be found out at the last collection, by what was read and why.
    package var troubles: [Trouble]
    /// The thresholds in force, and what they come to.
    package var thresholds: [Threshold.Finding] = []

    package var status: Status {
      if processes == 0 { return .failing }
      let worst = thresholds.map(\.status).max() ?? .ok
      return max(worst, troubles.allSatisfy(\.isFactOfKernel) ? .ok : .degraded)
    }
  }

  /// By name.
  package var targets: [TargetHealth] = []
  package var rights = Rights()

  /// That of the target which is worst.
  package var status: Status { targets.map(\.status).max() ?? .ok }

  package init() {}
}

/// What cannot be read for lack of rights, and what would allow it.
package struct Rights: Sendable, Equatable {
  /// One source that is denied for some targets.
  package struct Gap: Sendable, Equatable {
    package var source: String
    /// The targets' names.
    package var targets: [String]
    /// What is absent, or incomplete, on the page.
    package var families: [String]
    /// What would allow it.
    package var needs: [Capability]

    package init(
      source: String, targets: [String] = [], families: [String] = [], needs: [Capability]
    ) {
      (self.source, self.targets, self.families, self.needs) = (source, targets, families, needs)
    }
  }

  package var effective: Set<Capability> = []
  package var gaps: [Gap] = []

  package init() {}

  /// What the gaps need and the daemon does not have.
  package var missing: [Capability] {
    var missing = Set(gaps.flatMap(\.needs)).subtracting(effective)
    // Whoever may trace a process may also look at its memory maps.
    if missing.contains(.sysPtrace) || effective.contains(.sysPtrace) { missing.remove(.perfmon) }
    return missing.sorted()
  }

  /// The lines of a drop-in for the systemd unit that would close the gaps; nil if capabilities
  /// cannot, because there are no gaps or the daemon has what they need: then a security module, a
  /// system call filter or a user namespace is in the way.
  package var dropIn: String? {
    if missing.isEmpty { return nil }
    let names = (missing + effective).sorted().map(\.rawValue).joined(separator: " ")
    var lines = ["[Service]", "AmbientCapabilities=\(names)", "CapabilityBoundingSet=\(names)"]
    if missing.contains(.sysAdmin) {
      lines += ["RestrictNamespaces=net", "SystemCallFilter=setns"]
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Health {
  /// How targets are after a collection.
  init(_ states: [TargetState], effective: Set<Capability>) {
    rights.effective = effective
    var denied: [Trouble.Source: [TargetState]] = [:]
    for state in states where state.target.isShown || !state.target.standingTroubles.isEmpty {
      let troubles = state.target.standingTroubles.sorted { $0.sortKey < $1.sortKey }
      targets.append(
        TargetHealth(
          name: state.target.name, processes: state.target.processes, troubles: troubles,
          thresholds: state.sample.thresholds?.findings ?? []))
      for trouble in troubles where trouble.reason == .denied {
        denied[trouble.source, default: []].append(state)
      }
    }
    rights.gaps = denied.map { source, states in
      Rights.Gap(
        source: source.label, targets: states.map(\.target.name),
        families: Self.families(source, states), needs: source.needs)
    }.sorted { $0.source < $1.source }
  }

  /// The families of some targets that take their numbers from a source.
  private static func families(_ source: Trouble.Source, _ states: [TargetState]) -> [String] {
    guard case .file(let file) = source else { return [] }
    let process = Set(states.flatMap { $0.rows.map(\.index) }).map { Catalogue.process[$0] }
      .filter { $0.sources.contains(file) }.map(\.family.name)
    let target = Catalogue.target.filter { row in
      row.sources.contains(file) && states.contains { $0.serves(row) }
    }.map(\.family.name)
    return (process + target).sorted()
  }
}

extension Trouble {
  /// Whether this kernel, or how it is set up, just does not have it; the target is as it should be.
  package var isFactOfKernel: Bool {
    if case .file = source { reason == .missing } else { false }
  }

  var sortKey: String { "\(source.label) \(reason.rawValue)" }
}
