package import Linux
package import ProcFS

/// All targets and their processes: finds them, holds them and sees them end.
///
/// Belongs to the sampler thread. Between collections only ends of processes arrive, by pidfds.
package final class Roster: EventHandler {
  /// Numbers that bound what the roster holds.
  package struct Limits: Sendable {
    /// Files of /proc that may stay open.
    package var keptDescriptors: Int
    package var processesPerTarget: Int
    /// Targets, those that variables make included.
    package var targets: Int
    /// How long a collection waits for pid files.
    package var pidFilePatience: Duration
    /// How long it waits for command lines, environments and the names of users.
    package var textPatience: Duration

    package init(
      keptDescriptors: Int, processesPerTarget: Int, targets: Int = 10_000,
      pidFilePatience: Duration = .milliseconds(100), textPatience: Duration = .milliseconds(100)
    ) {
      self.keptDescriptors = keptDescriptors
      self.processesPerTarget = processesPerTarget
      self.targets = targets
      self.pidFilePatience = pidFilePatience
      self.textPatience = textPatience
    }
  }

  /// Files that a held process keeps open at most: stat, status, io, cgroup.
  static let keptPerProcess = 4

  var table = TargetTable()
  /// Those of the rules in their order, then those that variables made.
  package var targets: [Target] { table.all }
  /// Called when variables have made a target.
  package var didAppear: (Target) -> Void = { _ in }
  /// Called when a target is no longer there; it has no processes then.
  package var didVanish: (Target) -> Void = { _ in }
  /// Called before a process leaves its target, so that what it used stays in the sums.
  package var willLeave: (Target, Member) -> Void = { _, _ in }
  /// Called after a process that had left its target alive joined it again.
  package var didReturn: (Target, Member) -> Void = { _, _ in }
  /// Called when it is known how a process ended, some time after it has left its target.
  package var didEnd: (Target, ProcessIdentity, Exit) -> Void {
    get { endings.didEnd }
    set { endings.didEnd = newValue }
  }

  package let root: ProcRoot
  let loop: EventLoop
  private(set) var limits: Limits
  let endings: Endings
  var resolver: Resolver
  var members: [Int32: (member: Member, target: Target)] = [:]
  var watched: [EventToken: Int32] = [:]
  var keptFiles = 0
  var slots = SlotPool()
  var strangers = Strangers()
  /// Whose children those of a young process are that is not held; see ``claim(ended:name:parent:)``.
  var kin: [Int32: Target?] = [:]
  var doubts = Doubts()
  let texts: TextReader
  /// Ticks since the machine started, at this collection.
  private(set) var now: UInt64 = 0
  /// Processes that joined in this collection and whose descendants belong to their target.
  var newAncestors: Set<Int32> = []
  /// When processes that were not chosen have to be looked at again, in ticks.
  var waiting: [Int32: UInt64] = [:]
  /// Processes whose texts have been asked for and have not come yet.
  var unanswered: Set<Int32> = []
  /// What was found out in this collection about processes that no rule fits by themselves.
  var judged: [Int32: (verdict: Resolver.Verdict, subject: Subject)] = [:]
  var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
  private var lister = DirectoryReader()

  /// A roster without targets.
  ///
  /// - Parameters:
  ///   - root: Where processes appear.
  ///   - loop: The sampler's loop.
  ///   - waiter: Where pid files are read.
  ///   - limits: Bounds.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(
    root: consuming ProcRoot, loop: EventLoop, waiter: Waiter, limits: Limits
  ) throws(Errno) {
    resolver = try Resolver(waiter)
    texts = try TextReader(waiter)
    self.root = root
    self.loop = loop
    self.limits = limits
    endings = Endings(loop)
  }

  /// The held process that has a number.
  package func member(_ pid: Int32) -> Member? { members[pid]?.member }

  /// Takes over new rules.
  ///
  /// A target whose name stays keeps its counts.
  package func setRules(_ rules: [Rule], _ limits: Limits) {
    self.limits = limits
    let gone = table.setRules(rules)
    for target in gone {
      for member in target.members { leave(member, target) }
      didVanish(target)
    }
    table.limit = limits.targets
    strangers = Strangers()
    doubts = Doubts()
    resolver.setRules(rules)
    texts.variables = resolver.variables
  }

  /// Brings the targets up to date: looks at every held process, finds new ones, lets go of others.
  package func refresh() {
    now = root.facts.ticks(nanoseconds: bootClockNanoseconds())
    resolver.begin()
    texts.begin(accounts: resolver.usesAccounts)
    kin = [:]
    rereadMembers()
    let strangers = resolver.scans ? scan() : [:]
    resolver.collectPidFiles(until: .now + limits.pidFilePatience)
    settle(strangers)
    for target in table.forget(now: .now) { didVanish(target) }
  }

  // MARK: Looking

  private func rereadMembers() {
    for target in targets {
      for member in target.members {
        do throws(ProcError) {
          member.hasFreshStat = false
          member.stat = try member.handle.stat(&buffer, keep: member.keepsFiles)
          member.hasFreshStat = true
          if member.stat.hasEnded { end(member, target) }
        } catch .gone {
          end(member, target)
        } catch {
          target.note(error, pid: member.pid)
        }
      }
    }
  }

  /// `stat` of the processes that are not held and that may fit a rule now.
  private func scan() -> [Int32: Stat] {
    strangers.begin(now: now, lastPid: root.lastPid(&buffer))
    var due: [Int32] = []
    do throws(Errno) {
      try root.processes(&lister) { pid in
        if members[pid] == nil, strangers.isDue(pid) { due.append(pid) }
        return true
      }
    } catch {
      for target in targets where !target.rule.selector.isNumbered {
        target.note(
          Trouble(.process, Trouble.reason(code: error.code)),
          "the list of processes cannot be read: \(error)")
      }
    }
    strangers.end()
    return stats(due)
  }

  func stats(_ pids: some Sequence<Int32>) -> [Int32: Stat] {
    var stats: [Int32: Stat] = [:]
    for pid in pids {
      // A process that ended since it was listed, or that hidepid hides, is none of ours.
      if let stat = try? livingStat(pid) { stats[pid] = stat }
    }
    return stats
  }

  func livingStat(_ pid: Int32) throws(ProcError) -> Stat {
    let stat = try root.stat(pid: pid, &buffer)
    if stat.hasEnded { throw .gone }
    return stat
  }

  // MARK: Events

  package func ready(_ token: EventToken, _ readiness: Readiness) {
    if let pid = watched[token], let entry = members[pid] {
      // Until the parent has fetched the status, the final numbers can still be read.
      if let last = try? entry.member.handle.stat(&buffer, keep: false) { entry.member.stat = last }
      end(entry.member, entry.target)
    }
  }

  package func expired(_ token: EventToken) {}
}
