/// A set of families that a target switches on together; see `collect` in the configuration.
package enum Group: String, Sendable, CaseIterable {
  case core, cpu, memory, pss, maps, io, sched, fds, limits, info, lifecycle

  /// Whether the default set has its families, but for rows that say otherwise.
  package var isDefault: Bool {
    switch self {
    case .core, .cpu, .memory, .io, .sched, .lifecycle: true
    case .fds, .pss, .maps, .limits, .info: false
    }
  }

  /// One or more sentences for the reference, with what holds for several processes.
  package var summary: String {
    switch self {
    case .core: "What every Prometheus client library reports about its own process."
    case .cpu: "CPU time by mode."
    case .memory:
      """
      Resident memory by kind, peaks, page faults and the rest of the address space. \
      Of several processes the one with the highest score is the first that the kernel ends.
      """
    case .pss:
      """
      Memory in which what several processes share is divided among them, so that sums over \
      processes are true. Reading it costs about 60 ms for each GiB resident, so \
      `limits.pss_bytes_per_scrape` bounds what one scrape reads: the processes that wait longest \
      are read first, small ones at once, large ones for the next scrape, and the age says how old \
      the oldest part of the sums is. Absent until each process was read once; processes larger \
      than `limits.pss_bytes_per_process` are left out.
      """
    case .maps:
      """
      Memory mappings, of the process that has most of them: the limit is one for each process. \
      A process that keeps the count waiting is counted as late, and the count is that of the scrape \
      before.
      """
    case .io: "Bytes and system calls of reading and writing."
    case .sched:
      """
      Context switches and how the scheduler treats the first thread of each process: the highest \
      number of them, which is the one that others go before (nice) or that is out of the ordinary \
      (policy and realtime priority).
      """
    case .fds:
      "Open descriptors by kind. A file that several processes have open counts once for each."
    case .limits:
      """
      Resource limits, of each the tightest among the processes, read at each scrape since they can \
      change at any time. `process_limit` is the soft limit, which counts, `process_limit_hard` what \
      a process may raise it to. Pending signals are counted for each user, not for each process.
      """
    case .info:
      """
      What the processes run, as whom and where: a series for each combination that occurs, at most \
      `limits.info_series_per_target`. A label is empty where nothing is known: `version` is the \
      one that the program's file states (the package note of Debian, Fedora and others), `user` the \
      real user by the machine's `/etc/passwd`, `container` the identifier in the name of the \
      control group.
      """
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
