import Linux
import ProcFS

extension Roster: FactSource {
  var units: SystemFacts { root.facts }

  func program(_ subject: Subject) -> Finding<[UInt8]?> {
    find { () throws(ProcError) in
      if let member = subject.member { return try member.handle.executable() }
      return try root.executable(pid: subject.pid)
    }
  }

  func owner(_ subject: Subject) -> Finding<Owner?> {
    let status = find { () throws(ProcError) -> Status in
      if let member = subject.member {
        return try member.handle.status(&buffer, keep: member.keepsFiles)
      }
      return try root.status(pid: subject.pid, &buffer)
    }
    switch status {
    case .pending: return .pending
    case .unsure(let trouble): return .unsure(trouble)
    case .found(let status):
      guard let uid = status?.effectiveUserID, let gid = status?.effectiveGroupID else {
        return .found(nil)
      }
      guard let names = texts.names(uid: uid, gid: gid) else { return .pending }
      return .found(Owner(uid: uid, user: names.user, gid: gid, group: names.group))
    }
  }

  func cgroup(_ subject: Subject) -> Finding<Cgroup?> {
    find { () throws(ProcError) in
      if let member = subject.member {
        return try member.handle.cgroup(&buffer, keep: member.keepsFiles)
      }
      return try root.cgroup(pid: subject.pid, &buffer)
    }
  }

  func texts(_ subject: Subject) -> Finding<Texts?> {
    let process = ProcessIdentity(pid: subject.pid, startTicks: subject.stat.startTicks)
    let mark = subject.stat.execMark
    if let known = texts.answer(process, mark) { return known }
    do throws(ProcError) {
      let hold: ProcessHold
      if let member = subject.member {
        hold = member.handle.hold
      } else {
        hold = try root.hold(pid: subject.pid)
      }
      texts.ask(process, mark, hold)
      return .pending
    } catch {
      return Trouble(error).map { .unsure($0) } ?? .found(nil)
    }
  }

  func isListening(_ subject: Subject, on ports: [UInt16]) -> Finding<Bool> {
    let process = ProcessIdentity(pid: subject.pid, startTicks: subject.stat.startTicks)
    if let known = listenPorts.isListening(process, on: ports, in: root) { return .found(known) }
    return .unsure(listenPorts.trouble(on: ports)?.0 ?? Trouble(.file(.fdLinks), .late))
  }

  func descends(_ subject: Subject, from target: String) -> Finding<Bool> {
    if subject.member?.provenParent == target { return .found(true) }
    var parent = subject.stat.parent
    for _ in 0..<1000 where parent > 0 {
      if let (member, known) = members[parent] {
        if known.rule.name.description == target { return .found(true) }
        parent = member.stat.parent
      } else if unanswered.contains(parent) {
        // Perhaps it will belong to the target.
        return .pending
      } else if let next = judged[parent]?.subject.stat.parent ?? discovery.parent(of: parent) {
        parent = next
      } else {
        return .found(false)
      }
    }
    return .found(false)
  }

  /// Runs a read; that the process has ended is no doubt.
  private func find<Value>(
    _ read: () throws(ProcError) -> Value?
  ) -> Finding<Value?> {
    do throws(ProcError) {
      return .found(try read())
    } catch {
      return Trouble(error).map { .unsure($0) } ?? .found(nil)
    }
  }
}
