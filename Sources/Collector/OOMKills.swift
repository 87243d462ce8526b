import Linux
import ProcFS
import Targets

/// Finds out which of the processes that SIGKILL ended the kernel killed for memory.
///
/// The kernel counts such ends by control group and for all of the machine, and does not say whose
/// they were. So an end by SIGKILL is taken for one if the count has risen since a collection that
/// was not the last one before it (the last one may have been under way). Each rise explains one
/// end, the first one after it.
final class OOMKills {
  private struct Count {
    /// As of the last collection and of the one before.
    var latest, previous: UInt64
    /// Up to which number ends are explained.
    var explained: UInt64 = 0
    var round: UInt64

    /// Whether a rise since an earlier count is left for one more end.
    mutating func explains(since start: UInt64, now: UInt64) -> Bool {
      let number = max(start, explained)
      if now <= number { return false }
      explained = number + 1
      return true
    }
  }

  /// Where a process' end by the kernel is counted.
  private struct Group {
    var path: CgroupPath
    var inode: UInt64
  }

  private struct Ending {
    let process: ProcessIdentity
    let target: Target
    var group: (Group, since: UInt64)?
    let machine: UInt64?
    /// How it ended, once that is known.
    var exit: Exit?
  }

  /// Collections that look at some targets only follow each other so fast that several can pass
  /// between a kill and the end of the process; less than this apart they count as one.
  private static let least = Duration.seconds(1)

  private var round: UInt64 = 0
  private var machine: Count?
  /// When the machine's count was last put behind the one before.
  private var movedAt = Instant(nanoseconds: 0)
  /// By inode.
  private var groups: [UInt64: Count] = [:]
  /// By the members' slots.
  private var bySlot: [Group?] = []
  /// The last answer of this collection: most processes are where the one before was.
  private var last: (membership: CgroupMembership, group: Group?)?
  /// Processes that have ended, in that order, until it is known how they and those before did.
  private var endings: [Ending] = []

  /// Starts a collection.
  ///
  /// - Parameters:
  ///   - kills: What the machine has counted; nil if it does not tell.
  ///   - looksAtAll: Whether it looks at all targets.
  func begin(_ kills: UInt64?, looksAtAll: Bool) {
    round &+= 1
    last = nil
    if !looksAtAll, let kills, machine != nil, .now < movedAt + Self.least {
      machine?.latest = kills
    } else {
      machine = kills.map { observed(machine, $0) }
      movedAt = .now
    }
  }

  private func observed(_ before: Count?, _ kills: UInt64) -> Count {
    guard var count = before else { return Count(latest: kills, previous: kills, round: round) }
    if count.round == round { return count }
    count.previous = count.latest
    count.latest = kills
    count.round = round
    return count
  }

  /// Remembers in which control group a process would be killed.
  func visit(_ member: Member, _ target: Target, _ reader: CgroupReader) {
    while bySlot.count <= member.slot { bySlot.append(nil) }
    bySlot[member.slot] = nil
    guard let membership = reader.membership(member, target) else { return }
    if last?.membership !== membership { last = (membership, group(membership, reader)) }
    bySlot[member.slot] = last?.group
  }

  private func group(_ membership: CgroupMembership, _ reader: CgroupReader) -> Group? {
    guard let path = membership.memory, reader.exists(path),
      let group = reader.nearest(path, { reader.oomKills($0) != nil }),
      let kills = reader.oomKills(group), let inode = reader.inode(group)
    else { return nil }
    groups[inode] = observed(groups[inode], kills)
    return Group(path: group, inode: inode)
  }

  /// Ends a collection: groups without processes are forgotten.
  func finish() {
    if groups.isEmpty { return }
    var needed = Set(endings.compactMap { $0.group?.0.inode })
    for case let group? in bySlot { needed.insert(group.inode) }
    groups = groups.filter { needed.contains($0.key) }
  }

  /// A process has ended; how comes later.
  func leave(_ member: Member, _ target: Target) {
    var ending = Ending(process: member.identity, target: target, machine: machine?.previous)
    if member.slot < bySlot.count, let group = bySlot[member.slot],
      let count = groups[group.inode]
    {
      ending.group = (group, count.previous)
    }
    forget(member)
    endings.append(ending)
  }

  /// A process has left its target; another one can get its slot.
  func forget(_ member: Member) {
    if member.slot < bySlot.count { bySlot[member.slot] = nil }
  }

  /// It is known how a process ended.
  ///
  /// - Parameters:
  ///   - process: One for which ``leave(_:_:)`` was called.
  ///   - exit: How it ended.
  ///   - reader: Reads control groups.
  ///   - machineNow: Reads what the machine has counted.
  /// - Returns: The targets of processes that are known now to have been killed for memory.
  func ended(
    _ process: ProcessIdentity, _ exit: Exit, _ reader: CgroupReader,
    machineNow: () -> UInt64?
  ) -> [Target] {
    guard let index = endings.firstIndex(where: { $0.process == process }) else { return [] }
    endings[index].exit = exit
    let known = endings.prefix { $0.exit != nil }
    endings.removeFirst(known.count)
    return known.filter { $0.exit?.status == "SIGKILL" && isKill($0, reader, machineNow) }
      .map(\.target)
  }

  private func isKill(
    _ ending: Ending, _ reader: CgroupReader, _ machineNow: () -> UInt64?
  ) -> Bool {
    if let (group, since) = ending.group,
      let now = reader.oomKillsNow(group.path, inode: group.inode)
    {
      guard groups[group.inode]?.explains(since: since, now: now) == true else { return false }
      // The machine has counted it, too.
      if let since = ending.machine { _ = machine?.explains(since: since, now: .max) }
      return true
    }
    // Whoever started it has removed its group already.
    guard let since = ending.machine, let now = machineNow() else { return false }
    return machine?.explains(since: since, now: now) == true
  }
}
