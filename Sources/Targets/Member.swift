package import Linux
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

  /// Whether it is known that it ever had more than one thread.
  package var hasHadThreads = false
  /// How it ended, as its last exit record says.
  package var recordedStatus: ExitStatus?

  /// Whether it is known that it has ended; then nothing of it can be late.
  var hasEnded = false

  let pidfd: PidFD?
  /// Its pidfd's registration with the event loop.
  var token: EventToken?
  /// Whether it belongs to the target only because an ancestor does or did.
  package internal(set) var isInherited: Bool
  /// Whether the rule has changed since then, so that the ancestor has to be found again.
  var isDoubtful = false

  /// The verdict of the resolver and what it depended on; see ``Resolver/Verdict``.
  var verdict: Resolver.Verdict
  /// Its command line and environment, as of when it was seen to run another program.
  var texts: Texts?
  var textsMark: Stat.ExecMark?
  /// Whether events told of another program, name or user since the rules were applied to it.
  var hasNewProgram = false
  /// The target that an ancestor of it belonged to when it was chosen for that.
  var provenParent: String?

  package var pid: Int32 { identity.pid }

  /// The URL that its target's rule has for it; nil if there is none, or if it belongs to the target
  /// only because an ancestor does and the URL has variables.
  package func url(_ target: Target) -> String? {
    target.rule.url.flatMap { $0.fixed ?? verdict.url }
  }

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
