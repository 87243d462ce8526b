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
  /// Called when variables have made a target, or make one again that was there.
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
  package let reads: ProcessReads
  let loop: EventLoop
  private(set) var limits: Limits
  let endings: Endings
  var resolver: Resolver
  var members: [Int32: (member: Member, target: Target)] = [:]
  var watched: [EventToken: Int32] = [:]
  var keptFiles = 0
  var slots = SlotPool()
  package let discovery: Discovery
  /// Whose children those of a young process are that is not held; see ``claim(ended:name:parent:)``.
  var kin: [Int32: Target?] = [:]
  var doubts = Doubts()
  let texts: TextReader
  let listenPorts = ListenPorts()
  /// Ticks since the machine started, at this collection.
  private(set) var now: UInt64 = 0
  /// Processes that joined in this collection and whose descendants belong to their target.
  var newAncestors: Set<Int32> = []
  /// Processes that joined a target which is somebody's `parent`.
  var newParents: Set<Int32> = []
  /// When processes that were not chosen have to be looked at again, in ticks.
  var waiting: [Int32: UInt64] = [:]
  /// Those that have to be looked at again in the next collection.
  var undecided: Set<Int32> = []
  /// Processes whose texts have been asked for and have not come yet.
  var unanswered: Set<Int32> = []
  /// What was found out in this collection about processes that no rule fits by themselves.
  var judged: [Int32: (verdict: Resolver.Verdict, subject: Subject)] = [:]
  var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
  var lister = DirectoryReader()

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
    reads = try ProcessReads()
    self.root = root
    self.loop = loop
    self.limits = limits
    endings = Endings(loop)
    discovery = Discovery(loop, ticksPerSecond: self.root.facts.ticksPerSecond)
    discovery.didEnd = { [unowned self] pid in doubts.forget(pid) }
  }

  /// The held process that has a number.
  package func member(_ pid: Int32) -> Member? { members[pid]?.member }

  /// Takes over new rules.
  ///
  /// A target whose name stays keeps its counts.
  package func setRules(_ rules: [Rule], _ limits: Limits) {
    self.limits = limits
    let gone = table.setRules(rules)
    table.limit = limits.targets
    // Rules and targets change together: what leaves may need both.
    resolver.setRules(rules)
    kin = [:]
    doubts = Doubts()
    if texts.variables != resolver.variables {
      texts.variables = resolver.variables
      for (member, _) in members.values { member.texts = nil }
    }
    for target in gone {
      for member in target.members { leave(member, target) }
      didVanish(target)
    }
    discovery.reset()
    discovery.listen(resolver.scans && root.numbersAreOwn)
  }

  /// Brings the targets up to date: looks at held processes, finds new ones, lets go of others.
  ///
  /// - Parameter isWanted: Whose held processes are looked at; that others end is known by their
  ///   pidfds.
  package func refresh(_ isWanted: (Target) -> Bool = { _ in true }) {
    now = root.facts.ticks(nanoseconds: bootClockNanoseconds())
    resolver.begin()
    texts.begin(accounts: resolver.usesAccounts)
    kin = [:]
    discovery.drain()
    rereadMembers(isWanted)
    listenPorts.begin(resolver.ports, in: root, now: now) { process in
      if let member = members[process.pid]?.member { return member.identity == process }
      return (try? livingStat(process.pid))?.startTicks == process.startTicks
    }
    let strangers = resolver.scans ? scan() : [:]
    resolver.collectPidFiles(until: .now + limits.pidFilePatience)
    settle(strangers, isWanted)
    for target in table.forget(now: .now, wasSettled: isWanted) { didVanish(target) }
  }

  // MARK: Looking

  private func rereadMembers(_ isWanted: (Target) -> Bool) {
    let all = targets.filter(isWanted).flatMap { target in target.members.map { ($0, target) } }
    reads.stats(all) { member, target, result in
      member.hasFreshStat = false
      switch result {
      case .success(let stat):
        member.stat = stat
        member.hasFreshStat = true
        if stat.hasEnded { end(member, target) }
      case .failure(.gone): end(member, target)
      case .failure(let error): target.note(error, pid: member.pid)
      }
    }
  }

  /// `stat` of the processes that are not held and that may fit a rule now.
  private func scan() -> [Int32: Stat] {
    let machine = Discovery.Machine(
      now: now, lastPid: { self.root.lastPid(&self.buffer) }, isProcess: isProcess
    ) { (body: (Int32) -> Void) throws(Errno) in
      try self.root.processes(&self.lister) { pid in
        body(pid)
        return true
      }
    }
    do throws(Errno) {
      let due = try discovery.begin(machine) { members[$0] != nil }
      for pid in discovery.changedPids { members[pid]?.member.hasNewProgram = true }
      if discovery.hasMissedChanges {
        for (member, _) in members.values { member.hasNewProgram = true }
      }
      // Whoever a socket belongs to that has just begun to listen may have been known for long.
      return stats(listenPorts.isSearching ? Array(Set(due).union(discovery.pids)) : due)
    } catch {
      for target in table.ofRule where !target.rule.selector.isNumbered {
        target.note(
          Trouble(.process, Trouble.reason(code: error.code)),
          "the list of processes cannot be read: \(error)")
      }
      return [:]
    }
  }

  private func isProcess(_ pid: Int32) -> Bool? {
    do throws(Errno) {
      _ = try PidFD(pid: pid)
      return true
    } catch .invalid, .notFound, .noSuchProcess {
      return false
    } catch {
      return nil
    }
  }

  func stats(_ pids: [Int32]) -> [Int32: Stat] {
    var stats: [Int32: Stat] = [:]
    var late: [Int32] = []
    reads.stats(of: pids, in: root) { pid, result in
      switch result {
      case .success(let stat) where !stat.hasEnded: stats[pid] = stat
      // One that has ended, or that hidepid hides, is none of ours.
      case .success, .failure(.gone), .failure(.denied): discovery.end(pid)
      // Of one that was read before it is known that it was none of ours. It is due again.
      case .failure(.late): if discovery.parent(of: pid) == nil { late.append(pid) }
      case .failure: break
      }
    }
    noteLate(late)
    return stats
  }

  func livingStat(_ pid: Int32) throws(ProcError) -> Stat {
    var found = Result<Stat, ProcError>.failure(.gone)
    reads.stats(of: [pid], in: root) { found = $1 }
    let stat = try found.get()
    if stat.hasEnded { throw .gone }
    return stat
  }

  /// Counts, for each target that looks at every process, that some do not answer: nobody knows
  /// whether they belong to it.
  private func noteLate(_ pids: [Int32]) {
    guard let first = pids.first else { return }
    for target in table.ofRule
    where target.rule.includesChildren || !target.rule.selector.isNumbered {
      target.note(
        Trouble(.process, .late),
        "\(pids.count) new processes, \(first) among them, have not answered in time, so they are "
          + "not chosen")
    }
  }

  // MARK: Events

  package func ready(_ token: EventToken, _ readiness: Readiness) {
    if let pid = watched[token], let entry = members[pid] {
      // Until the parent has fetched the status, the final numbers can still be read.
      entry.member.hasEnded = true
      if let last = try? reads.stat(entry.member) { entry.member.stat = last }
      end(entry.member, entry.target)
    }
  }

  package func expired(_ token: EventToken) {}
}
