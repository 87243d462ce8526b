/// A set of families that a target switches on together; see `collect` in the configuration.
package enum Group: String, Sendable, CaseIterable {
  case core, cpu, memory, io, sched, fds, lifecycle

  /// Whether the default set has its families, but for rows that say otherwise.
  package var isDefault: Bool {
    switch self {
    case .core, .cpu, .memory, .io, .sched, .lifecycle: true
    case .fds: false
    }
  }

  /// One or more sentences for the reference, with what holds for several processes.
  package var summary: String {
    switch self {
    case .core: "What every Prometheus client library reports about its own process."
    case .cpu: "CPU time by mode."
    case .memory: "Resident memory by kind, peaks, page faults and the rest of the address space."
    case .io:
      "Bytes and system calls of reading and writing. What a process does after the last scrape before its end is known in steps of 1,024 only, and only with CAP_NET_ADMIN."
    case .sched:
      "Context switches, and what threads waited for. Delays count for processes that start while kernel.task_delayacct is on, and are absent while it is off or without CAP_NET_ADMIN."
    case .fds:
      "Open descriptors by kind. A file that several processes have open counts once for each."
    case .lifecycle:
      "Starts and exits of the target's processes: starts less exits are the processes there are, but for those that left the target alive and for ends whose status nobody has fetched yet. A restart is a start while the target has no process, after its last one ended which had been the only one as long as it lived; descendants taken along do not matter here. With CAP_NET_ADMIN, processes that ended before a scrape found them count as starts and exits too, and what they used is in the target's counters; they belong to the first target whose rule asks for nothing but the process name and fits it, else to the target of an ancestor that takes descendants along."
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
