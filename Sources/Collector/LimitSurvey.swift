import ProcFS
import Targets

/// The tightest limits of a target's processes; without those that are "unlimited".
package struct LimitSurvey {
  private(set) var soft: [ResourceLimits.Resource: UInt64] = [:]
  private(set) var hard: [ResourceLimits.Resource: UInt64] = [:]

  mutating func begin() {
    soft = [:]
    hard = [:]
  }

  mutating func visit(_ member: Member, _ target: Target, _ reader: ProcessReader) {
    // Read each time: a limit can change without an exec, by prlimit(1) for one.
    for (resource, pair) in reader.limits(member, target) {
      if let limit = pair.soft { soft[resource] = min(limit, soft[resource] ?? limit) }
      if let limit = pair.hard { hard[resource] = min(limit, hard[resource] ?? limit) }
    }
  }
}
