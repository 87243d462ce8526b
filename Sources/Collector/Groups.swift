/// A set of families that a target switches on together; see `collect` in the configuration.
package enum Group: String, Sendable, CaseIterable {
  case core, cpu, memory, io, sched, fds, threads, lifecycle

  /// Whether the default set has its families, but for rows that say otherwise.
  package var isDefault: Bool {
    switch self {
    case .core, .cpu, .memory, .io, .sched, .lifecycle: true
    case .fds, .threads: false
    }
  }

  /// One or more sentences for the reference, with what holds for several processes.
  package var summary: String {
    switch self {
    case .core: "What every Prometheus client library reports about its own process."
    case .cpu: "CPU time by mode."
    case .memory: "Resident memory by kind, peaks, page faults and the rest of the address space."
    case .io: "Bytes and system calls of reading and writing."
    case .sched:
      "Context switches and time on the CPU, of all threads that were ever seen, ended ones included."
    case .fds:
      "Open descriptors by kind. A file that several processes have open counts once for each."
    case .threads:
      "Threads one by one, up to `limits.threads_per_process` of each process, which "
        + "`procvitals_unreadable_total` tells with the source `task` and the reason `limit`. "
        + "States are there when no process was cut; then `process_threads` is counted at the same "
        + "time, so that they add up to it. "
        + "In a name each run of digits is `N` (`worker-12` is `worker-N`), and what is no text is "
        + "U+FFFD. The first `limits.thread_names_per_target` names have series of their own as long "
        + "as the daemon runs; threads of other names count as `other`, like wait channels. "
        + "What a thread uses belongs to the name it has then, and stays after its end; what a "
        + "thread used that lived between two collections is in no name. "
        + "A thread without a known wait channel, as one that runs, is in none."
    case .lifecycle: "Starts and exits of the target's processes."
    }
  }
}

/// Which families are collected for a target.
package struct Selection: Sendable, Hashable {
  /// Whether the families of the default set are on, whatever their group.
  package var includesDefault: Bool
  /// Groups that are on as a whole.
  package var groups: Set<Group>

  package init(includesDefault: Bool = true, groups: Set<Group> = []) {
    self.includesDefault = includesDefault
    self.groups = groups
  }

  /// Whether a row is on.
  func includes(_ group: Group, isDefault: Bool) -> Bool {
    includesDefault && isDefault || groups.contains(group)
  }
}
