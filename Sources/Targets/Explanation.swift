package import Linux
package import ProcFS

/// Why a process belongs to a target, or to none.
package struct Explanation: Sendable {
  /// What became of one rule.
  package enum Verdict: Sendable, Equatable {
    case fits
    /// The first condition that does not hold.
    case fails(Condition)
    /// A condition that cannot be checked, and why.
    case unsure(Condition, Trouble)
    /// The process did not say what it was started with in time.
    case late
  }

  package let pid: Int32
  package let name: ProcessName
  /// The target that it belongs to, and whether it only does because an ancestor does.
  package let target: (key: TargetKey, isInherited: Bool)?
  /// By the places of the rules.
  package let rules: [Verdict]
}

extension Roster {
  /// Explains processes as they are after the last collection.
  ///
  /// It reads what any rule asks for, also behind the first one that fits.
  ///
  /// - Parameters:
  ///   - pids: The processes; nil for all.
  ///   - deadline: How long those may be waited for that have to say what they were started with.
  /// - Returns: What is known of those that there are.
  /// - Throws: What the kernel reports on listing them.
  package func explain(
    _ pids: [Int32]? = nil, until deadline: Instant
  ) throws(Errno) -> [Explanation] {
    var all = pids ?? []
    if pids == nil {
      try root.processes(&lister) {
        all.append($0)
        return true
      }
    }
    texts.begin(accounts: resolver.usesAccounts)
    let found = stats(all).sorted { $0.key < $1.key }
    // The first round asks for what only other threads may read.
    for (pid, stat) in found { _ = explain(pid, stat) }
    texts.collect(until: deadline)
    return found.map { explain($0.key, $0.value) }
  }

  private func explain(_ pid: Int32, _ stat: Stat) -> Explanation {
    let held = members[pid]
    var subject = Subject(pid, stat, held?.member)
    return Explanation(
      pid: pid, name: stat.name,
      target: held.map { ($0.target.key, $0.member.isInherited) },
      rules: resolver.explain(&subject, self))
  }
}
