package import Linux
import ProcFS

/// Processes that ended before a look at /proc could find them, as exit records tell of them.
extension Roster {
  /// Whose process one was that nobody held.
  package enum Claim {
    /// Its name fits the target's rule by itself, or it descends from a process of the target.
    case target(Target, isInherited: Bool)
    case nobody
    /// Its parent has ended too, and nobody knows yet whose that was.
    case unknown
    /// A rule that comes first asks for more than the name, which nobody knows any more.
    case ambiguous
    /// Too many parents are unknown.
    case overflow
  }

  /// Young processes whose target is remembered until the next look.
  static let kinLimit = 4096

  /// Whether the kernel measures the delays of processes; see ``ProcRoot/accountsDelays(_:)``.
  package func accountsDelays() -> Bool { root.accountsDelays(&buffer) }

  /// Whether there are rules that a process can fit which is only known from its exit record.
  package var canClaim: Bool { resolver.canClaim }

  /// Decides whose process one was that has ended and that is not held.
  ///
  /// The first rule in file order counts that names nothing but process names; what else a rule can
  /// ask for is not in an exit record. Then come its ancestors.
  package func claim(ended pid: Int32, name: [UInt8], parent: Int32) -> Claim {
    // The number may come to mean another process from now on.
    kin[pid] = nil
    discovery.end(pid)
    if let rule = resolver.rule(name: name) {
      if resolver.mayFit(name: name, before: rule) { return .ambiguous }
      return admit(pid, table.ofRule[rule], isInherited: false)
    }
    guard resolver.hasChildrenRules else { return .nobody }
    switch heritage(parent) {
    case .target(let target, _):
      if resolver.mayFit(name: name, before: nil) { return .ambiguous }
      return admit(pid, target, isInherited: true)
    case let other: return other
    }
  }

  /// Lets children be claimed, while `body` runs, of an ended process that was claimed itself.
  package func remember(_ pid: Int32, heirs claim: Claim, _ body: () -> Void) {
    if case .target(let target, _) = claim, target.rule.includesChildren {
      kin[pid] = .some(target)
    } else {
      kin[pid] = .some(nil)
    }
    body()
    kin[pid] = nil
  }

  /// Counts a process that started and ended unseen.
  package func countShortLived(_ target: Target, isInherited: Bool, _ status: ExitStatus) {
    target.noteShortLived(isInherited: isInherited)
    target.exits[Exit(status), default: 0] += 1
  }

  private func admit(_ pid: Int32, _ target: Target, isInherited: Bool) -> Claim {
    // One that had left the target counted until then; and of those that a limit leaves out,
    // nobody could tell which were counted.
    if target.departed.removeValue(forKey: pid) != nil || target.leavesOut { return .nobody }
    return .target(target, isInherited: isInherited)
  }

  /// The target that takes along the children of a process.
  private func heritage(_ parent: Int32) -> Claim {
    var pid = parent
    var young: [Int32] = []
    var found: Target?
    for _ in 0..<1000 where pid > 0 {
      if let (member, target) = members[pid] {
        if target.rule.includesChildren, !member.isDoubtful {
          found = target
          break
        }
        pid = member.stat.parent
      } else if let known = kin[pid] {
        found = known
        break
      } else if let next = discovery.parent(of: pid) {
        pid = next
      } else if kin.count + young.count >= Self.kinLimit {
        return .overflow
      } else if let stat = try? livingStat(pid) {
        young.append(pid)
        if let rule = resolver.rule(name: stat.name.bytes), resolver.rules[rule].includesChildren {
          found = table.ofRule[rule]
          break
        }
        pid = stat.parent
      } else {
        return .unknown
      }
    }
    for pid in young { kin[pid] = .some(found) }
    return found.map { .target($0, isInherited: true) } ?? .nobody
  }
}
