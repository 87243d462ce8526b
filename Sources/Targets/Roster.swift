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
    /// How long a collection waits for pid files.
    package var pidFilePatience: Duration

    package init(
      keptDescriptors: Int, processesPerTarget: Int,
      pidFilePatience: Duration = .milliseconds(100)
    ) {
      self.keptDescriptors = keptDescriptors
      self.processesPerTarget = processesPerTarget
      self.pidFilePatience = pidFilePatience
    }
  }

  /// Files that a held process keeps open at most: stat, status, io, cgroup.
  private static let keptPerProcess = 4

  package private(set) var targets: [Target] = []
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
  private let loop: EventLoop
  private var limits: Limits
  private let endings: Endings
  var resolver: Resolver
  private(set) var members: [Int32: (member: Member, target: Target)] = [:]
  private var watched: [EventToken: Int32] = [:]
  private var keptFiles = 0
  private var slots = SlotPool()
  package let discovery: Discovery
  /// Whose children those of a young process are that is not held; see ``claim(ended:name:parent:)``.
  var kin: [Int32: Target?] = [:]
  /// Processes of this collection whose program could not be found out.
  private var unsure: Set<Int32> = []
  private var unsureReason: Trouble?
  /// Whether a process joined in this collection whose descendants belong to its target.
  private var hasNewAncestors = false
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
    self.root = root
    self.loop = loop
    self.limits = limits
    endings = Endings(loop)
    discovery = Discovery(loop, ticksPerSecond: self.root.facts.ticksPerSecond)
  }

  /// The held process that has a number.
  package func member(_ pid: Int32) -> Member? { members[pid]?.member }

  /// Takes over new rules.
  ///
  /// A target whose name stays keeps its counts.
  package func setRules(_ rules: [Rule], _ limits: Limits) {
    self.limits = limits
    let known = Dictionary(targets.map { ($0.key, $0) }) { first, _ in first }
    let next = rules.map { rule -> Target in
      let key = rule.fixedKey ?? TargetKey(name: rule.name.description)
      let target = known[key] ?? Target(key, rule)
      if target.rule != rule {
        target.rule = rule
        for member in target.members { member.isDoubtful = member.isInherited }
      }
      return target
    }
    let keys = Set(next.map(\.key))
    for target in targets where !keys.contains(target.key) {
      for member in target.members { leave(member, target) }
    }
    targets = next
    resolver.setRules(rules)
    discovery.reset()
    discovery.listen(resolver.scans && root.numbersAreOwn)
  }

  /// Brings the targets up to date: looks at every held process, finds new ones, lets go of others.
  package func refresh() {
    resolver.begin()
    kin = [:]
    discovery.drain()
    rereadMembers()
    let strangers = resolver.scans ? scan() : [:]
    resolver.collectPidFiles(until: .now + limits.pidFilePatience)
    settle(strangers)
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
    let machine = Discovery.Machine(
      now: root.facts.ticks(nanoseconds: bootClockNanoseconds()),
      lastPid: { self.root.lastPid(&self.buffer) }, isProcess: isProcess
    ) { (body: (Int32) -> Void) throws(Errno) in
      try self.root.processes(&self.lister) { pid in
        body(pid)
        return true
      }
    }
    do throws(Errno) {
      return stats(try discovery.begin(machine) { members[$0] != nil })
    } catch {
      for target in targets where target.rule.selector.pidFile == nil {
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

  private func stats(_ pids: some Sequence<Int32>) -> [Int32: Stat] {
    var stats: [Int32: Stat] = [:]
    for pid in pids {
      do throws(ProcError) {
        stats[pid] = try livingStat(pid)
      } catch .gone, .denied {
        // A process that has ended, or that hidepid hides, is none of ours.
        discovery.end(pid)
      } catch {
        // It is due again.
      }
    }
    return stats
  }

  func livingStat(_ pid: Int32) throws(ProcError) -> Stat {
    let stat = try root.stat(pid: pid, &buffer)
    if stat.hasEnded { throw .gone }
    return stat
  }

  // MARK: Choosing

  private func settle(_ scanned: [Int32: Stat]) {
    for target in targets { target.leavesOut = false }
    var candidates = scanned
    // Processes that rules name by number are looked at whether there is a scan or not.
    resolver.bind(targets) { (pid: Int32) throws(ProcError) -> Stat in
      if let stat = members[pid]?.member.stat ?? candidates[pid] { return stat }
      let stat = try livingStat(pid)
      candidates[pid] = stat
      return stat
    }

    unsure = []
    // Rules that fit a process itself come before those that fit an ancestor.
    for target in targets {
      for member in target.members where !settle(member, target) {
        // Perhaps it is a descendant.
        candidates[member.pid] = member.stat
      }
    }
    hasNewAncestors = false
    for (pid, stat) in candidates.sorted(by: { $0.key < $1.key }) {
      let verdict = resolver.verdict(pid, stat) { executable(pid: pid) }
      if let rule = verdict.rule {
        if resolver.scans { discovery.forget(pid) }
        adopt(pid, stat, targets[rule], verdict, isInherited: false)
        candidates[pid] = nil
      }
    }
    if resolver.hasChildrenRules {
      if hasNewAncestors {
        let heirs = discovery.pids.filter { pid in
          discovery.parent(of: pid).flatMap { inheritedTarget(parent: $0, candidates) } != nil
        }
        candidates.merge(stats(heirs)) { $1 }
      }
      settleDoubtful(&candidates)
      settleDescendants(&candidates)
    }
    // Without a scan nothing would ever be forgotten again.
    if resolver.scans {
      for (pid, stat) in candidates where !unsure.contains(pid) { discovery.note(pid, stat) }
    }
    noteUnsure()
  }

  /// Keeps, moves or lets go of a held process, by the rules that fit it itself.
  ///
  /// - Returns: False if it was let go of.
  private func settle(_ member: Member, _ target: Target) -> Bool {
    if discovery.hasChanged(member.pid) || !resolver.isCurrent(member.verdict, member.stat) {
      member.verdict = resolver.verdict(member.pid, member.stat) { executable(pid: member.pid) }
    }
    guard let rule = member.verdict.rule else {
      // What cannot be found out now is taken to be as it was.
      if unsure.contains(member.pid) { return true }
      // A descendant stays, even when its ancestor has ended and it has another parent now.
      if member.isInherited, target.rule.includesChildren { return true }
      return !dismiss(member, target)
    }
    if targets[rule] === target {
      if member.isInherited { target.noteOwn() }
      member.isInherited = false
      member.isDoubtful = false
    } else if dismiss(member, target) {
      adopt(member.pid, member.stat, targets[rule], member.verdict, isInherited: false)
    }
    return true
  }

  /// Keeps the descendants whose rule has changed if the new one still takes them along.
  private func settleDoubtful(_ candidates: inout [Int32: Stat]) {
    for target in targets {
      for member in target.members where member.isDoubtful {
        if inheritedTarget(parent: member.stat.parent, candidates) === target {
          member.isDoubtful = false
        } else if dismiss(member, target) {
          candidates[member.pid] = member.stat
        }
      }
    }
  }

  /// Takes along the descendants of held processes that no rule fits by themselves.
  private func settleDescendants(_ candidates: inout [Int32: Stat]) {
    for (pid, stat) in candidates.sorted(by: { $0.key < $1.key }) {
      guard let target = inheritedTarget(parent: stat.parent, candidates) else { continue }
      discovery.forget(pid)
      adopt(pid, stat, target, resolver.verdict(pid, stat) { nil }, isInherited: true)
      candidates[pid] = nil
    }
  }

  /// The target of the nearest ancestor that takes its descendants along.
  private func inheritedTarget(parent: Int32, _ candidates: [Int32: Stat]) -> Target? {
    var parent = parent
    // The list of processes is no snapshot, so a circle is conceivable; depth is bounded.
    for _ in 0..<1000 {
      if let (member, target) = members[parent] {
        if target.rule.includesChildren, !member.isDoubtful { return target }
        parent = member.stat.parent
      } else if let next = candidates[parent]?.parent ?? discovery.parent(of: parent) {
        parent = next
      } else {
        return nil
      }
    }
    return nil
  }

  private func executable(pid: Int32) -> [UInt8]? {
    do throws(ProcError) {
      if let entry = members[pid] { return try entry.member.handle.executable() }
      return try root.executable(pid: pid)
    } catch .gone {
      return nil
    } catch {
      unsure.insert(pid)
      unsureReason = Trouble(error)
      return nil
    }
  }

  /// Counts, for each target that asked, that some programs could not be found out: nobody knows
  /// which target the processes belong to.
  private func noteUnsure() {
    guard let first = unsure.min(), let trouble = unsureReason else { return }
    for target in targets where !target.rule.selector.executables.isEmpty {
      target.note(
        trouble,
        "the programs of \(unsure.count) processes, \(first) among them, cannot be found out, so "
          + "they are not chosen; expected CAP_SYS_PTRACE or the same user")
    }
  }

  // MARK: Joining and leaving

  private func adopt(
    _ pid: Int32, _ stat: Stat, _ target: Target, _ verdict: Resolver.Verdict, isInherited: Bool
  ) {
    guard target.members.count < limits.processesPerTarget else {
      target.leavesOut = true
      target.note(
        Trouble(.process, .limit),
        "has more than \(limits.processesPerTarget) processes (limits.processes_per_target); "
          + "the others are left out")
      return
    }
    do throws(ProcError) {
      var handle = try ProcessHandle(pid: pid, in: root, &buffer)
      guard handle.startTicks == stat.startTicks else { return }
      let pidfd: PidFD?
      do throws(Errno) {
        pidfd = root.numbersAreOwn ? try PidFD(pid: pid) : nil
      } catch .invalid, .notFound {
        // /proc has a directory for every thread's number too, only it is not listed.
        target.note(
          Trouble(.process, .malformed), "\(pid) is a thread; expected the number of a process")
        return
      } catch {
        // Without one the end is noticed by the next collection.
        pidfd = nil
      }
      let keeps = keptFiles + Self.keptPerProcess <= limits.keptDescriptors
      // Read once more: the process is still there, so its number meant it all along and the
      // pidfd is its own.
      let fresh = try handle.stat(&buffer, keep: keeps)
      // It may have been counted already, by its exit record.
      guard !fresh.isEnding else { return }
      if keeps { keptFiles += Self.keptPerProcess }
      let member = Member(
        slot: slots.take(), verdict: verdict, handle: handle, stat: fresh, pidfd: pidfd,
        keepsFiles: keeps, isInherited: isInherited)
      watch(member)
      members[pid] = (member, target)
      let isBack = target.departed.removeValue(forKey: pid) == member.identity.startTicks
      target.noteStart(isInherited: isInherited, isBack: isBack)
      let place = target.members.firstIndex { $0.pid > pid } ?? target.members.count
      target.members.insert(member, at: place)
      if isBack { didReturn(target, member) }
      if target.rule.includesChildren, !isInherited { hasNewAncestors = true }
    } catch {
      target.note(error, pid: pid)
    }
  }

  private func watch(_ member: Member) {
    guard let pidfd = member.pidfd, let token = try? loop.add(pidfd.fd, .readable, self) else {
      return
    }
    member.token = token
    watched[token] = member.pid
  }

  /// Lets go of a process that still runs, or that has ended.
  private func leave(_ member: Member, _ target: Target, hasEnded: Bool = false) {
    if !hasEnded {
      // Hardly ever is one of these needed, so that forgetting all of them is bound enough.
      if target.departed.count >= limits.processesPerTarget { target.departed = [:] }
      target.departed[member.pid] = member.identity.startTicks
      if resolver.scans { discovery.forget(member.pid) }
    }
    willLeave(target, member)
    if let token = member.token {
      loop.remove(token)
      watched[token] = nil
      member.token = nil
    }
    if member.keepsFiles { keptFiles -= Self.keptPerProcess }
    slots.give(member.slot)
    members[member.pid] = nil
    target.members.removeAll { $0 === member }
    if !member.isInherited { target.noteLeft(hasEnded: hasEnded) }
  }

  /// Lets go of a process that does not belong to its target any more.
  ///
  /// - Returns: Whether it still runs; one that has ended meanwhile has ended as a part of it.
  private func dismiss(_ member: Member, _ target: Target) -> Bool {
    var runs = true
    do throws(ProcError) {
      let now = try member.handle.stat(&buffer, keep: member.keepsFiles)
      // Its exit record may have come, and another target would not take it.
      runs = !now.isEnding && member.recordedStatus == nil
    } catch {
      runs = error != .gone
    }
    if runs { leave(member, target) } else { end(member, target) }
    return runs
  }

  /// Lets go of a process that has ended, and counts how.
  private func end(_ member: Member, _ target: Target) {
    leave(member, target, hasEnded: true)
    endings.add(member, target)
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
