import Linux
package import ProcFS

/// A name and the processes that it stands for now.
package final class Target {
  package enum Kind: Sendable {
    /// The one target of its rule, there whether it has processes or not.
    case fixed
    /// Came with the first process that the variables of its rule gave this name and labels.
    case made
    /// Stands for a rule whose targets are made: has no processes, but what could not be found out.
    case rule
  }

  package internal(set) var key: TargetKey
  package internal(set) var kind: Kind
  package internal(set) var rule: Rule
  /// The place of the rule.
  package internal(set) var ruleIndex: Int
  /// Whether no rule is known yet, after a change of the rules, that makes it.
  package internal(set) var isOrphan = false
  /// Whether another target has its name and labels; then what only stands for a rule is not told of.
  package internal(set) var isHidden = false
  /// Since when it has no process.
  var emptySince: Instant?
  /// Processes that have ended and of which it is not known yet how.
  var unreaped = 0
  /// How many processes the targets have that its rule made.
  package internal(set) var madeProcesses = 0
  /// Its processes, in the order of their numbers.
  package internal(set) var members: [Member] = []
  /// Processes that became part of it, those found first included.
  package private(set) var starts: UInt64 = 0
  /// Starts after the only process of the target had ended; see ``noteStart(isInherited:isBack:)``.
  package private(set) var restarts: UInt64 = 0
  /// Processes that ended before they were found in /proc; nil while nobody tells of them.
  package private(set) var shortLived: UInt64?
  /// Processes of it that ended.
  package internal(set) var exits: [Exit: UInt64] = [:]
  /// Numbers and start times of processes that left it alive; one that comes back is no new one.
  var departed: [Int32: UInt64] = [:]
  /// Whether the limit on processes left some out at the last look.
  package internal(set) var leavesOut = false
  /// Whether there was more than one process at a time since there was none.
  private var isShared = false
  /// Whether there is none because the only one has ended.
  private var hasEndedAlone = false
  /// What could not be read, ever since it exists.
  package private(set) var troubles: [Trouble: UInt64] = [:]

  /// The troubles of the present and of the previous collection, with a sentence each.
  private var present: [Trouble: String] = [:]
  private var previous: [Trouble: String] = [:]

  /// What could not be read as of the last ``takeTroubleChanges()``.
  package var standingTroubles: Set<Trouble> { Set(previous.keys) }
  /// What was said when one of them began.
  package func detail(of trouble: Trouble) -> String { previous[trouble] ?? "" }

  /// The value of the label `target`.
  package var name: String { key.name }

  /// How many processes it has, those of the targets that it stands for included.
  package var processes: Int { members.count + madeProcesses }

  /// Whether it is shown although it has no processes: one that stands for a rule is, if it has a
  /// name of its own.
  package var isShown: Bool { kind != .rule || rule.name.fixed != nil && !isHidden }

  init(_ key: TargetKey, _ kind: Kind, _ rule: Rule, _ ruleIndex: Int) {
    self.key = key
    self.kind = kind
    self.rule = rule
    self.ruleIndex = ruleIndex
  }

  /// Counts a process that joins, before it is one of ``members``.
  ///
  /// It is a restart if there is no other process and the last one ended, which had been the only
  /// one as long as it was there. Processes taken along as descendants do not matter.
  func noteStart(isInherited: Bool, isBack: Bool) {
    if !isBack { starts += 1 }
    if isInherited { return }
    if !isBack, hasEndedAlone { restarts += 1 }
    isShared = members.contains { !$0.isInherited }
    hasEndedAlone = false
  }

  /// Takes note that a process that was taken along fits the rule by itself now.
  func noteOwn() {
    if members.contains(where: { !$0.isInherited }) { isShared = true }
    hasEndedAlone = false
  }

  /// Takes note that a process which fits the rule by itself is no longer one of ``members``.
  func noteLeft(hasEnded: Bool) {
    if members.contains(where: { !$0.isInherited }) { return }
    hasEndedAlone = hasEnded && !isShared
    isShared = false
  }

  /// Counts a process that has ended before it was found.
  func noteShortLived(isInherited: Bool) {
    starts += 1
    shortLived = (shortLived ?? 0) + 1
    if isInherited { return }
    let own = members.filter { !$0.isInherited }
    // The end of a process is recorded a little before it is seen.
    if own.contains(where: { $0.recordedStatus == nil }) { return }
    if hasEndedAlone || !own.isEmpty && !isShared { restarts += 1 }
    hasEndedAlone = own.isEmpty
  }

  /// Begins to count processes that end before they are found.
  package func beginShortLived() { shortLived = shortLived ?? 0 }

  /// Counts something that could not be read.
  ///
  /// - Parameters:
  ///   - trouble: What and why.
  ///   - detail: A sentence for the log, made only when it is new.
  package func note(_ trouble: Trouble, _ detail: @autoclosure () -> String) {
    troubles[trouble, default: 0] += 1
    if present[trouble] == nil { present[trouble] = previous[trouble] ?? detail() }
  }

  /// Counts a read of one of its processes that failed; that the process has just ended is nothing
  /// to be counted.
  package func note(_ error: ProcError, pid: Int32) {
    if let trouble = Trouble(error) { note(trouble, "process \(pid): \(error)") }
  }

  /// How many processes could come back.
  package var departedCount: Int { departed.count }

  /// Whether a process that has left could come back.
  package func canReturn(_ pid: Int32) -> Bool { departed[pid] != nil }

  /// The troubles that began and those that ended with this collection; starts the next one.
  ///
  /// A trouble with a file of its processes goes on while it has none: nothing shows that the file
  /// can be read again.
  package func takeTroubleChanges() -> (began: [(Trouble, String)], ended: [Trouble]) {
    let began = present.filter { previous[$0.key] == nil }.map { ($0.key, $0.value) }
    let sources = Set(present.keys.map(\.source))
    var ended: [Trouble] = []
    var now = present
    for (trouble, detail) in previous where !sources.contains(trouble.source) {
      if !members.isEmpty {
        ended.append(trouble)
      } else if case .file = trouble.source {
        now[trouble] = detail
      }
    }
    previous = now
    present = [:]
    return (began, ended)
  }
}
