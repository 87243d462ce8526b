import ProcFS
import Targets

/// Since when the counters of a target count, in seconds since 1970.
///
/// It is found out once, at the first look at the target, and stays as long as its counters go on:
/// a later time would tell that they had begun anew.
struct Created {
  /// The last collection before the first look: then they were 0.
  let target: Double
  /// The start of the process that was the oldest then; that look if there was none.
  let processes: Double
  /// The start of the machine: control groups and network namespaces can be older than processes.
  let machine: Double

  /// Finds it out.
  ///
  /// - Parameters:
  ///   - target: The target.
  ///   - facts: The machine's units.
  ///   - before: The end of the last collection, or the start of the exporter.
  ///   - now: The time.
  init(_ target: Target, _ facts: SystemFacts, before: Double, now: Double) {
    let starts = target.members.map { facts.epochSeconds(startTicks: $0.identity.startTicks) }
    self.target = min(before, now)
    processes = min(starts.min() ?? now, now)
    machine = min(facts.epochSeconds(startTicks: 0), processes)
  }

  /// That of the rows of a group; without one they are what the exporter says about the target.
  func of(_ group: Group?) -> Double {
    switch group {
    case nil: target
    case .cgroup, .pressure, .network: machine
    default: processes
    }
  }
}
