import Metrics

/// A set of families that a target switches on together; see `collect` in the configuration.
package enum Group: String, Sendable, CaseIterable {
  case core, cpu, memory, pss, maps, io, sched, threads, fds, sockets, network, limits, cgroup
  case pressure, info, lifecycle, go
  case goTinyObs = "go_tinyobs"
  case goLatencies = "go_latencies"
  case goCPU = "go_cpu"
  case goCgo = "go_cgo"

  /// Whether the default set has its families, but for rows that say otherwise.
  package var isDefault: Bool {
    switch self {
    case .core, .cpu, .memory, .io, .sched, .cgroup, .pressure, .lifecycle: true
    case .pss, .maps, .threads, .fds, .sockets, .network, .limits, .info, .go, .goTinyObs: false
    case .goLatencies, .goCPU, .goCgo: false
    }
  }

  /// What the group `go_tinyobs` has of the group `go`.
  static let tinyObsFamilies = [
    "go_gc_cycles_total", "go_goroutines", "go_memstats_heap_alloc_bytes",
    "go_memstats_heap_objects", "go_memstats_heap_sys_bytes",
  ]

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
    case .io:
      """
      Bytes and system calls of reading and writing. What a process does after the last scrape \
      before its end is known if its parent has not fetched its status yet, and else with \
      CAP_NET_ADMIN, in steps of 1,024.
      """
    case .sched:
      """
      Context switches and time on the CPU, of all threads that were ever seen, ended ones \
      included; and how the scheduler treats the first thread of each process: the highest \
      number of them, which is the one that others go before (nice) or that is out of the ordinary \
      (policy and realtime priority). What threads waited for is measured for processes that \
      start while kernel.task_delayacct is on, and absent while it is off or without CAP_NET_ADMIN.
      """
    case .fds:
      "Open descriptors by kind. A file that several processes have open counts once for each."
    case .sockets:
      """
      Sockets by protocol and state, TCP traffic, and queues of connections that wait to be \
      accepted. A socket that several processes have open counts once. IPv6 counts as `tcp` and \
      `udp`. Protocol `other` is everything else: netlink, packet, raw and the like, and \
      TCP and UDP sockets that have no address yet or any more. A connection in TIME_WAIT has no \
      process, nor has one that waits to be accepted. Sockets of another network namespace than \
      procvitals' own need CAP_SYS_ADMIN and are left out without it.
      """
    case .network:
      """
      Traffic of the whole network namespaces that the processes are in: unless a target has one \
      to itself, as in a container, other programs' bytes are among them. A namespace counts \
      once, however many processes are in it, and with all that it had when it was first seen. \
      Loopback is included, IPv6 is not.
      """
    case .cgroup:
      """
      The control groups that the target's processes are in, with all that is in those groups. \
      A group counts once, however many of the processes are in it, and one inside another not \
      by itself. Where a controller is not enabled for a group, the nearest one above that has it \
      is meant. Values of several groups are added up. A limit is what the groups can use \
      together: the tightest on the way up, and one that several of them are under counts once; \
      it is absent if a process has none. The group at the top, which is all of the machine, \
      counts as none. Throttling is that of the group that sets the lowest CPU limit. On version \
      1, swap is limited to what memory and swap together have above memory, and the events max \
      (memory.failcnt) and oom_kill do not include those of inner groups.
      """
    case .pressure:
      """
      Time in which tasks of the target's control groups waited for something (PSI). Groups \
      count once as in cgroup, and their times are added up, so that several of them can wait \
      longer than the clock goes on. Only version 2 has pressure, also beside version 1; the \
      group at the top, which is all of the machine, counts as none.
      """
    case .lifecycle:
      """
      Starts and exits of the target's processes: starts less exits are the processes there are, \
      but for those that left the target alive and for ends whose status nobody has fetched yet. \
      A restart is a start while the target has no process, after its last one ended which had \
      been the only one as long as it lived; descendants taken along do not matter here. With \
      CAP_NET_ADMIN, processes that ended before a scrape found them count as starts and exits \
      too, and what they used is in the target's counters; they belong to the first target whose \
      rule asks for nothing but the process name and fits it, else to the target of an ancestor \
      that takes descendants along. An exit by SIGKILL is an OOM kill if the kernel's count of \
      them has risen for the process' control group, or for the machine where that group is gone; \
      each rise explains one exit. The kernel has to tell how processes end. A process counts once, \
      however often it runs another program that its target's rule fits. One that was forked less \
      than 0.1 s ago and has run no program of its own yet still looks like its parent, so it counts \
      from the next scrape on, unless a rule names it by number or takes descendants along, or the target has no other process.
      """
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
    case .go:
      """
      What the collector of Go's client library exports, for programs of Go 1.19 and 1.21 to 1.27 on \
      amd64 and arm64, stripped or not, which need not know: read from the memory of the process, \
      about 10 KB at once, without stopping it. Processes of other programs do not matter. \
      Sums that the runtime keeps twice must agree, and other checks hold, else the group of \
      figures (`heap`, `scheduler` or `gc`) is absent, `procvitals_go_runtime_ok` 0 and the reason \
      in the log. Absent, too, where it is so for one of several Go processes; counters are once \
      each of them was read. GOGC=off and no GOMEMLIMIT are absent, as other limits \
      that are unlimited; Go's client library has 18446744073709552000 and 9223372036854775807 \
      there. Goroutines are fewer than the program itself would see by those that a scrape of it \
      starts. `go_memstats_gc_cpu_fraction` is in older versions of the library only. Processes of \
      other users need CAP_SYS_PTRACE, and CAP_DAC_READ_SEARCH too where /proc is that of \
      another pid namespace.
      """
    case .goLatencies:
      """
      How long goroutines waited to run and garbage collection stopped the program, as Go's client \
      library has them if it is asked to, in its buckets, for programs as in go. A process' counts \
      are taken if they only rise; pauses must be two for each cycle, and are absent before Go 1.22.
      """
    case .goCPU:
      """
      What CPU time went into, as Go's client library has it if it is asked to, for programs as in \
      go. The runtime works it out at the end of each garbage collection; the times must be the sums \
      of their parts, and agree with the share of the CPU that the runtime knows besides.
      """
    case .goCgo:
      """
      How often Go called C. Each thread counts its own calls, so this takes a read for each thread, \
      and only symbols tell where they are: it is absent for a stripped program, and in collections \
      in which threads begin or end at the same moment each time.
      """
    case .goTinyObs:
      "What TinyObs' collector exports: this, and of the group go "
        + Self.tinyObsFamilies.map { "`\($0)`" }.joined(separator: ", ") + "."
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
    }
  }
}

/// Which families are collected for a target.
package struct Selection: Sendable, Hashable {
  /// Whether the families of the default set are on, whatever their group.
  package var includesDefault: Bool
  /// Groups that are on as a whole.
  package var groups: Set<Group>
  /// Names of families that are on whatever their group.
  package var families: Set<String>

  package init(
    includesDefault: Bool = true, groups: Set<Group> = [], families: Set<String> = []
  ) {
    self.includesDefault = includesDefault
    self.groups = groups
    self.families = families
  }

  /// Whether a group is on, as far as it goes without saying.
  package func has(_ group: Group) -> Bool {
    includesDefault && group.isDefault || groups.contains(group)
  }

  /// Whether a row is on.
  func includes(_ family: Family, _ group: Group, isDefault: Bool) -> Bool {
    includesDefault && isDefault || groups.contains(group) || families.contains(family.name)
      || group == .go && groups.contains(.goTinyObs)
        && Group.tinyObsFamilies.contains(family.name)
  }
}
