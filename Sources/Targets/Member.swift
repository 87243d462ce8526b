import Linux
package import ProcFS

/// One process of a target, held from when it was found until it ends or leaves.
package final class Member {
  package let identity: ProcessIdentity
  /// A small number that no other member has now, for tables kept beside the roster.
  package let slot: Int
  /// Descriptors of its /proc files, which keep its identity.
  package var handle: ProcessHandle
  /// `stat` as of the present collection.
  package internal(set) var stat: Stat
  /// Whether ``stat`` could be read in the present collection.
  package internal(set) var hasFreshStat = true
  /// Whether its /proc files stay open between collections.
  package let keepsFiles: Bool

  let pidfd: PidFD?
  /// Its pidfd's registration with the event loop.
  var token: EventToken?
  /// Whether it belongs to the target only because an ancestor does or did.
  var isInherited: Bool
  /// Whether the rule has changed since then, so that the ancestor has to be found again.
  var isDoubtful = false

  /// The verdict of the resolver and what it depended on; see ``Resolver/Verdict``.
  var verdict: Resolver.Verdict

  package var pid: Int32 { identity.pid }

  init(
    slot: Int, verdict: Resolver.Verdict, handle: consuming ProcessHandle, stat: Stat,
    pidfd: PidFD?, keepsFiles: Bool, isInherited: Bool
  ) {
    self.slot = slot
    self.verdict = verdict
    identity = handle.identity
    self.handle = handle
    self.stat = stat
    self.pidfd = pidfd
    self.keepsFiles = keepsFiles
    self.isInherited = isInherited
  }
}

/// How a process of a target ended, as it is counted.
package struct Exit: Hashable, Sendable {
  /// The value of the label `reason`.
  package enum Reason: String, Sendable {
    case exited, signalled, dumped, unknown
  }

  package let reason: Reason
  /// The value of the label `status`: the exit code, the signal's name or nothing.
  package let status: String

  init(_ status: ExitStatus?) {
    switch status {
    case .exited(let code):
      reason = .exited
      self.status = String(code)
    case .signalled(let signal, let coreDumped):
      reason = coreDumped ? .dumped : .signalled
      self.status = signalName(signal)
    case nil:
      reason = .unknown
      self.status = ""
    }
  }
}

/// A name and the processes that it stands for now.
package final class Target {
  package internal(set) var rule: Rule
  /// Its processes, in the order of their numbers.
  package internal(set) var members: [Member] = []
  /// Processes that became part of it, those found first included.
  package internal(set) var starts: UInt64 = 0
  /// Processes of it that ended.
  package internal(set) var exits: [Exit: UInt64] = [:]
  /// Numbers and start times of processes that left it alive; one that comes back is no new one.
  var departed: [Int32: UInt64] = [:]
  /// What could not be read, ever since it exists.
  package private(set) var troubles: [Trouble: UInt64] = [:]

  /// The troubles of the present and of the previous collection, with a sentence each.
  private var present: [Trouble: String] = [:]
  private var previous: Set<Trouble> = []

  /// What could not be read as of the last ``takeTroubleChanges()``.
  package var standingTroubles: Set<Trouble> { previous }

  init(_ rule: Rule) { self.rule = rule }

  /// Counts something that could not be read.
  ///
  /// - Parameters:
  ///   - trouble: What and why.
  ///   - detail: A sentence for the log, made only when it is new.
  package func note(_ trouble: Trouble, _ detail: @autoclosure () -> String) {
    troubles[trouble, default: 0] += 1
    if present[trouble] == nil { present[trouble] = previous.contains(trouble) ? "" : detail() }
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
    let began = present.filter { !previous.contains($0.key) }.map { ($0.key, $0.value) }
    let sources = Set(present.keys.map(\.source))
    var ended: [Trouble] = []
    var now = Set(present.keys)
    for trouble in previous where !sources.contains(trouble.source) {
      if !members.isEmpty {
        ended.append(trouble)
      } else if case .file = trouble.source {
        now.insert(trouble)
      }
    }
    previous = now
    present = [:]
    return (began, ended)
  }
}
