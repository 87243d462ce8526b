import Linux
import ProcFS

/// Which target each process belongs to, found out anew in each collection.
extension Roster {
  /// Processes whose program, command line or the like could not be found out, by rule.
  struct Doubts {
    private var pids: [Int: [Int32: (Condition, Trouble)]] = [:]
    private var rule: [Int32: Int] = [:]

    mutating func note(_ pid: Int32, _ index: Int, _ condition: Condition, _ trouble: Trouble) {
      forget(pid)
      pids[index, default: [:]][pid] = (condition, trouble)
      rule[pid] = index
    }

    mutating func forget(_ pid: Int32) {
      guard let index = rule.removeValue(forKey: pid) else { return }
      pids[index]?[pid] = nil
    }

    /// Tells each rule's target.
    func tell(_ targets: [Target]) {
      for (index, processes) in pids {
        guard let (pid, (condition, trouble)) = processes.first else { continue }
        targets[index].note(
          trouble,
          "\(condition.rawValue) cannot be checked for process \(pid)"
            + (processes.count == 1 ? "" : " and \(processes.count - 1) others")
            + ", which cannot be chosen so" + trouble.remedy)
      }
    }
  }

  func settle(_ scanned: [Int32: Stat], _ isWanted: (Target) -> Bool) {
    for target in targets { target.leavesOut = false }
    var candidates = scanned
    // Processes that rules name by number are looked at whether there is a scan or not.
    resolver.bind(
      table.ofRule,
      { (pid: Int32) throws(ProcError) -> Stat in
        if let stat = members[pid]?.member.stat ?? candidates[pid] { return stat }
        let stat = try livingStat(pid)
        candidates[pid] = stat
        return stat
      },
      { (pid: Int32) throws(ProcError) -> Status in try root.status(pid: pid, &buffer) })

    newAncestors = []
    // Rules that fit a process itself come before those that fit an ancestor.
    let late = settleMembers(targets.filter(isWanted).flatMap(\.members), &candidates)
    var pending = settle(&candidates, candidates.keys)
    // A chain of parents is as long as a chain of rules.
    for _ in 0..<10 where !newParents.isEmpty { pending += settleHeirs(&candidates) }
    if !late.isEmpty || !pending.isEmpty {
      texts.collect(until: .now + limits.textPatience)
      _ = settleMembers(late, &candidates)
      for pid in settle(&candidates, pending) { noteLate(pid, candidates[pid]) }
    }
    if resolver.hasChildrenRules {
      if !newAncestors.isEmpty {
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
      for (pid, stat) in candidates {
        if undecided.contains(pid) {
          discovery.forget(pid)
        } else {
          discovery.note(pid, stat, lookAgainTicks: waiting[pid])
        }
      }
    }
    waiting = [:]
    undecided = []
    judged = [:]
    unanswered = []
    doubts.tell(table.ofRule)
  }

  /// - Returns: Those whose texts have been asked for and have not come yet.
  private func settleMembers(
    _ members: [Member], _ candidates: inout [Int32: Stat]
  ) -> [Member] {
    members.filter { member in
      guard let target = self.members[member.pid]?.target else { return false }
      let isAnswered = examine(member)
      if !settle(member, target) {
        // Perhaps it is a descendant.
        candidates[member.pid] = member.stat
      }
      return !isAnswered
    }
  }

  /// Brings the verdict about a held process up to date.
  ///
  /// - Returns: False if an answer has not come yet.
  private func examine(_ member: Member) -> Bool {
    let hasChanged = member.hasNewProgram
    member.hasNewProgram = false
    if !hasChanged, resolver.isCurrent(member.verdict, member.stat, now: now) { return true }
    if hasChanged || member.textsMark != member.stat.execMark { member.texts = nil }
    var subject = Subject(member.pid, member.stat, member)
    let verdict = resolver.verdict(&subject, self)
    member.verdict = verdict
    if case .found(let found?) = subject.texts, !found.commandLine.isEmpty {
      (member.texts, member.textsMark) = (found, member.stat.execMark)
    }
    return !note(member.pid, verdict)
  }

  /// Keeps in mind what could not be found out.
  ///
  /// - Returns: Whether an answer is still to come.
  private func note(_ pid: Int32, _ verdict: Resolver.Verdict) -> Bool {
    doubts.forget(pid)
    unanswered.remove(pid)
    switch verdict.outcome {
    case .pending:
      unanswered.insert(pid)
      return true
    case .unsure(let rule, let condition, let trouble): doubts.note(pid, rule, condition, trouble)
    case .target, .none: break
    }
    return false
  }

  /// Keeps, moves or lets go of a held process, by the rules that fit it itself.
  ///
  /// - Returns: False if it was let go of.
  private func settle(_ member: Member, _ target: Target) -> Bool {
    switch member.verdict.outcome {
    // What cannot be found out now is taken to be as it was.
    case .unsure, .pending: return true
    case .none:
      // A descendant stays, even when its ancestor has ended and it has another parent now.
      if member.isInherited, target.rule.includesChildren { return true }
      return !dismiss(member, target)
    case .target(let key, let rule):
      if target.key == key {
        if target.isOrphan { _ = self.target(key, rule) }
        if member.isInherited { target.noteOwn() }
        member.isInherited = false
        member.isDoubtful = false
        member.provenParent = resolver.rules[rule].selector.parent
      } else if let other = self.target(key, rule), dismiss(member, target) {
        if !adopt(member.pid, member.stat, other, member.verdict, isInherited: false) {
          undecided.insert(member.pid)
          return false
        }
      }
      return true
    }
  }

  /// Adopts those of some candidates that a rule fits.
  ///
  /// - Returns: Those whose texts have been asked for and have not come yet.
  private func settle(
    _ candidates: inout [Int32: Stat], _ pids: some Sequence<Int32>
  ) -> [Int32] {
    // Parents come before their children.
    let order = pids.compactMap { pid in candidates[pid].map { (start: $0.startTicks, pid: pid) } }
      .sorted { $0 < $1 }
    var pending: [Int32] = []
    for (_, pid) in order {
      guard let stat = candidates[pid], members[pid] == nil else { continue }
      var subject = Subject(pid, stat)
      var verdict = resolver.verdict(&subject, self)
      if note(pid, verdict) { pending.append(pid) }
      defer { if let due = verdict.lookAgainTicks { waiting[pid] = due } }
      guard case .target(let key, let rule) = verdict.outcome else {
        judged[pid] = (verdict, subject)
        continue
      }
      if !resolver.rules[rule].selector.isNumbered, table.known(key)?.members.isEmpty != true,
        let end = endOfYouth(stat)
      {
        if resolver.rules[rule].includesChildren {
          // It is a descendant until it is clear that it is more than that.
          verdict.lookAgainTicks = min(end, verdict.lookAgainTicks ?? end)
          judged[pid] = (verdict, subject)
        } else {
          undecided.insert(pid)
        }
      } else if let target = target(key, rule),
        adopt(pid, stat, target, verdict, isInherited: false, subject)
      {
        candidates[pid] = nil
      } else {
        undecided.insert(pid)
      }
    }
    return pending
  }

  /// Until when a process that has just been forked may be about to run another program; nil if it
  /// is not.
  ///
  /// It still fits the rules that its parent fits. It is looked at again then, so that it neither
  /// counts as a start nor makes a target if it is something else by then; a target that has nobody
  /// else has lost the parent, and takes it at once. What its start seems to be far ahead of is
  /// another machine's clock.
  private func endOfYouth(_ stat: Stat) -> UInt64? {
    let second = root.facts.ticksPerSecond
    let end = stat.startTicks &+ second / 10
    return stat.isCopy && end > now && stat.startTicks < now &+ 60 &* second ? end : nil
  }

  /// The target of a name and labels, which may be new; nil, with a note, if there are too many.
  private func target(_ key: TargetKey, _ rule: Int) -> Target? {
    guard let (target, isNew) = table.target(key, ofRule: rule) else {
      table.ofRule[rule].note(
        Trouble(.target, .limit),
        "there are \(targets.count) targets, so none is made for \(key.name) (limits.targets)")
      return nil
    }
    if isNew { didAppear(target) }
    return target
  }

  /// Looks again at those that are known to fit no rule and descend from what has just become a
  /// parent.
  private func settleHeirs(_ candidates: inout [Int32: Stat]) -> [Int32] {
    let parents = newParents
    newParents = []
    let heirs = discovery.pids.filter { pid in
      var next = discovery.parent(of: pid)
      for _ in 0..<1000 {
        guard let parent = next else { return false }
        if parents.contains(parent) { return true }
        next = members[parent]?.member.stat.parent ?? discovery.parent(of: parent)
      }
      return false
    }
    candidates.merge(stats(heirs)) { $1 }
    return settle(&candidates, heirs)
  }

  private func noteLate(_ pid: Int32, _ stat: Stat?) {
    // It is looked at again in the next collection, when the answer may be there.
    undecided.insert(pid)
    guard stat != nil else { return }
    for (index, rule) in resolver.rules.enumerated() {
      let what =
        if rule.asksForTexts {
          "the command line of process \(pid) has not answered"
        } else if rule.asksForNames {
          "the names of users and groups have not been read for process \(pid)"
        } else {
          ""
        }
      if what.isEmpty { continue }
      table.ofRule[index].note(
        Trouble(.file(rule.asksForTexts ? .cmdline : .status), .late),
        "\(what) in time, so it is not chosen yet")
    }
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
    for (pid, stat) in candidates.sorted(by: { $0.key < $1.key }) where !undecided.contains(pid) {
      guard let target = inheritedTarget(parent: stat.parent, candidates) else { continue }
      var subject = judged[pid]?.subject ?? Subject(pid, stat)
      let verdict = judged[pid]?.verdict ?? resolver.verdict(&subject, self)
      if adopt(pid, stat, target, verdict, isInherited: true, subject) {
        candidates[pid] = nil
      } else {
        undecided.insert(pid)
      }
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
}

extension Rule {
  /// Whether it asks for the command line or the environment.
  fileprivate var asksForTexts: Bool {
    ([selector] + exclusions).contains {
      !$0.firstArguments.isEmpty || !$0.commandLines.isEmpty || !$0.environment.isEmpty
    }
      || variables.contains {
        switch $0 {
        case .argv0, .environment: true
        default: false
        }
      }
  }

  /// Whether it asks for names of users or groups.
  fileprivate var asksForNames: Bool {
    ([selector] + exclusions).contains { !$0.users.isEmpty || !$0.groups.isEmpty }
      || variables.contains(.user)
  }
}

extension Trouble {
  /// What to do about it, behind a sentence.
  fileprivate var remedy: String {
    guard reason == .denied, !source.needs.isEmpty else { return "" }
    return "; expected \(source.needs.map(\.rawValue).joined(separator: " and ")) or the same user"
  }
}
