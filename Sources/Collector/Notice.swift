import Linux
import Targets

extension Collector {
  /// Something that changed and that the log tells once.
  package enum Notice: Sendable, Equatable {
    /// A target got its first process.
    case up(target: String, pid: Int32, processes: Int)
    /// A target lost its last process.
    case down(target: String, ended: String)
    /// The processes of a target changed otherwise.
    case changed(target: String, processes: Int, started: UInt64, left: UInt64)
    /// Something cannot be read any more.
    case trouble(target: String, source: String, reason: String, detail: String)
    /// It can be read again.
    case recovered(target: String, source: String, reason: String)
    /// A figure of a target is above a threshold, or not any longer.
    case threshold(target: String, Threshold.Finding, before: Health.Status)
    /// The ends of all processes are listened to from now on, or why not.
    case exitRecords(failure: String?)
    /// The kernel tells of new and changed processes from now on, or why not.
    case processEvents(failure: String?)
  }

  func exitNotices() -> [Notice] {
    let now = (exits.isActive, exits.failure)
    if now == toldExits { return [] }
    toldExits = now
    return [.exitRecords(failure: now.0 ? nil : now.1?.description ?? "no target needs it")]
  }

  func eventNotices() -> [Notice] {
    let now = (roster.discovery.isListening, roster.discovery.failure)
    if now == toldEvents { return [] }
    toldEvents = now
    return [.processEvents(failure: now.0 ? nil : now.1?.description ?? "no target needs it")]
  }

  /// What changed; that something can or cannot be read is known only of a target that was visited.
  func notices(_ state: TargetState, wasVisited: Bool) -> [Notice] {
    let target = state.target
    let name = target.name
    var notices: [Notice] = []
    defer {
      state.processes = target.members.count
      state.starts = target.starts
      state.exits = target.exits
    }
    let (before, now) = (state.processes, target.members.count)
    let started = target.starts - state.starts
    if before == 0, let first = target.members.first {
      notices.append(.up(target: name, pid: first.pid, processes: now))
    } else if before > 0, now == 0 {
      notices.append(.down(target: name, ended: state.endings()))
    } else if started > 0 || before != now {
      let left = UInt64(before) &+ started &- UInt64(now)
      notices.append(.changed(target: name, processes: now, started: started, left: left))
    }
    guard wasVisited else { return notices }
    if state.dropped > 0 {
      target.note(
        Trouble(.series, .limit),
        "has \(state.dropped) more than \(instruments.limits.seriesPerTarget) series (limits.series_per_target); "
          + "they are left out")
    }
    let troubles = target.takeTroubleChanges()
    for (trouble, detail) in troubles.began.sorted(by: { $0.1 < $1.1 }) {
      notices.append(
        .trouble(
          target: name, source: trouble.source.label, reason: trouble.reason.rawValue,
          detail: detail))
    }
    for (finding, before) in state.sample.thresholds?.takeChanges() ?? [] {
      notices.append(.threshold(target: name, finding, before: before))
    }
    for trouble in troubles.ended {
      notices.append(
        .recovered(target: name, source: trouble.source.label, reason: trouble.reason.rawValue))
    }
    return notices
  }
}
