import Linux
import ProcFS

/// How processes join and leave their targets.
extension Roster {
  /// Takes hold of a process.
  ///
  /// - Returns: False if that is not possible now.
  func adopt(
    _ pid: Int32, _ stat: Stat, _ target: Target, _ verdict: Resolver.Verdict, isInherited: Bool,
    _ subject: Subject? = nil
  ) -> Bool {
    guard target.members.count < limits.processesPerTarget else {
      target.leavesOut = true
      target.note(
        Trouble(.process, .limit),
        "has more than \(limits.processesPerTarget) processes (limits.processes_per_target); "
          + "the others are left out")
      return false
    }
    do throws(ProcError) {
      let keeps = keptFiles + Self.keptPerProcess <= limits.keptDescriptors
      var fresh = stat
      let handle = try ProcessHandle(pid: pid, in: root, reads.others, keep: keeps, &fresh)
      guard handle.startTicks == stat.startTicks else { return false }
      let pidfd: PidFD?
      do throws(Errno) {
        pidfd = root.numbersAreOwn ? try PidFD(pid: pid) : nil
      } catch .invalid, .notFound {
        // /proc has a directory for every thread's number too, only it is not listed.
        target.note(
          Trouble(.process, .malformed), "\(pid) is a thread; expected the number of a process")
        return false
      } catch {
        // Without one the end is noticed by the next collection.
        pidfd = nil
      }
      // The process is still there, so its number meant it all along and the pidfd is its own.
      try handle.proveExistence()
      // It may have been counted already, by its exit record.
      guard !fresh.isEnding else { return false }
      if keeps { keptFiles += Self.keptPerProcess }
      let member = Member(
        slot: slots.take(), verdict: verdict, handle: handle, stat: fresh, pidfd: pidfd,
        keepsFiles: keeps, isInherited: isInherited)
      if case .found(let texts?) = subject?.texts, !texts.commandLine.isEmpty {
        (member.texts, member.textsMark) = (texts, stat.execMark)
      }
      if case .target(_, let rule) = verdict.outcome, !isInherited {
        member.provenParent = resolver.rules[rule].selector.parent
      }
      watch(member)
      members[pid] = (member, target)
      let isBack = target.departed.removeValue(forKey: pid) == member.identity.startTicks
      target.noteStart(isInherited: isInherited, isBack: isBack)
      let place = target.members.firstIndex { $0.pid > pid } ?? target.members.count
      target.members.insert(member, at: place)
      if isBack { didReturn(target, member) }
      if target.rule.includesChildren, !isInherited { newAncestors.insert(pid) }
      if resolver.parents.contains(target.rule.name.description) { newParents.insert(pid) }
      discovery.end(pid)
      return true
    } catch {
      target.note(error, pid: pid)
      return false
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
  func leave(_ member: Member, _ target: Target, hasEnded: Bool = false) {
    if !hasEnded {
      // Hardly ever is one of these needed, so that forgetting all of them is bound enough.
      if target.departed.count >= limits.processesPerTarget { target.departed = [:] }
      target.departed[member.pid] = member.identity.startTicks
    }
    willLeave(target, member)
    if let token = member.token {
      loop.remove(token)
      watched[token] = nil
      member.token = nil
    }
    if member.keepsFiles { keptFiles -= Self.keptPerProcess }
    slots.give(member.slot)
    doubts.forget(member.pid)
    members[member.pid] = nil
    target.members.removeAll { $0 === member }
    if !member.isInherited { target.noteLeft(hasEnded: hasEnded) }
  }

  /// Lets go of a process that does not belong to its target any more.
  ///
  /// - Returns: Whether it still runs; one that has ended meanwhile has ended as a part of it.
  func dismiss(_ member: Member, _ target: Target) -> Bool {
    var runs = true
    do throws(ProcError) {
      let now = try reads.stat(member)
      // Its exit record may have come, and another target would not take it.
      runs = !now.isEnding && member.recordedStatus == nil
    } catch {
      runs = error != .gone
    }
    if runs { leave(member, target) } else { end(member, target) }
    return runs
  }

  /// Lets go of a process that has ended, and counts how.
  func end(_ member: Member, _ target: Target) {
    member.hasEnded = true
    leave(member, target, hasEnded: true)
    endings.add(member, target)
  }
}
