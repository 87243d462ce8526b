import Linux
import Metrics
import ProcFS
import Targets

/// Every metric family there is, one row each, in the order of the page: by name.
///
/// Everything else about a family follows from its row: HELP and TYPE, the reference, and the set
/// of files that a collection opens.
package enum Catalogue {
  /// Families whose value is that of a target's processes.
  package static let process: [ProcessRow] = [
    .counter(
      "process_blkio_delay_seconds_total", .seconds, .sched, isDefault: false, from: .delays,
      in: .nanoseconds,
      "Time that threads waited for block devices (blkio_delay_total of taskstats)."
    ) { $0.blockIO },
    .counter(
      "process_compact_delay_seconds_total", .seconds, .sched, isDefault: false, from: .delays,
      in: .nanoseconds,
      "Time that threads waited for memory to be compacted (compact_delay_total of taskstats)."
    ) { $0.compact },
    .counter(
      "process_context_switches_involuntary_total", .none, .sched, from: .switches,
      otel: .contextSwitches("involuntary"),
      "Times that threads had the CPU taken away (nonvoluntary_ctxt_switches of /proc/PID/task/TID/status or taskstats)."
    ) { $0.involuntary },
    .counter(
      "process_context_switches_voluntary_total", .none, .sched, from: .switches,
      otel: .contextSwitches("voluntary"),
      "Times that threads gave up the CPU by themselves (voluntary_ctxt_switches of /proc/PID/task/TID/status or taskstats)."
    ) { $0.voluntary },
    .counter(
      "process_cpu_children_seconds_total", .seconds, .cpu, isDefault: false, from: .stat,
      in: .ticks,
      "CPU time of children that ended and were waited for, those of the target itself included (cutime and cstime of /proc/PID/stat)."
    ) { $0.childrenUserTicks &+ $0.childrenSystemTicks },
    .counter(
      "process_cpu_seconds_total", .seconds, .core, from: .stat, in: .ticks,
      "Total user and system CPU time spent in seconds (utime and stime of /proc/PID/stat)."
    ) { $0.userTicks &+ $0.systemTicks },
    .counter(
      "process_cpu_system_seconds_total", .seconds, .cpu, from: .stat, in: .ticks,
      otel: .sum("process.cpu.time", "s", "cpu.mode", "system"),
      "CPU time spent in the kernel in seconds (stime of /proc/PID/stat)."
    ) { $0.systemTicks },
    .counter(
      "process_cpu_user_seconds_total", .seconds, .cpu, from: .stat, in: .ticks,
      otel: .sum("process.cpu.time", "s", "cpu.mode", "user"),
      "CPU time spent in user mode in seconds (utime of /proc/PID/stat)."
    ) { $0.userTicks },
    .gauge(
      "process_data_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Size of private writable mappings (VmData of /proc/PID/status)."
    ) { $0.dataBytes },
    .derived(
      "process_fd_usage_ratio", .ratio, .core, from: [.fd, .limits], over: .worst,
      "Open file descriptors divided by their soft limit (/proc/PID/fd and RLIMIT_NOFILE)."
    ) { sample in
      guard let open = sample.openDescriptors, let limit = sample.limits?.openFiles.soft, limit > 0
      else { return nil }
      return Double(open) / Double(limit)
    },
    .gauge(
      "process_hugetlb_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Memory in huge pages, which no other family includes (HugetlbPages of /proc/PID/status)."
    ) { $0.hugetlbBytes },
    .counter(
      "process_io_read_bytes_total", .bytes, .io, from: .io,
      "Bytes returned by read calls, from caches, pipes and sockets too (rchar of /proc/PID/io)."
    ) { $0.readBytes },
    .counter(
      "process_io_read_syscalls_total", .none, .io, from: .io,
      "Read calls (syscr of /proc/PID/io)."
    ) { $0.readCalls },
    .counter(
      "process_io_storage_cancelled_bytes_total", .bytes, .io, from: .io,
      "Bytes counted as written that never were, because the file was cut (cancelled_write_bytes of /proc/PID/io)."
    ) { $0.storageCancelledBytes },
    .counter(
      "process_io_storage_read_bytes_total", .bytes, .io, from: .io,
      otel: .sum("process.disk.io", "By", "disk.io.direction", "read"),
      "Bytes the process caused to be fetched from storage (read_bytes of /proc/PID/io)."
    ) { $0.storageReadBytes },
    .counter(
      "process_io_storage_written_bytes_total", .bytes, .io, from: .io,
      otel: .sum("process.disk.io", "By", "disk.io.direction", "write"),
      "Bytes the process caused to be sent to storage (write_bytes of /proc/PID/io)."
    ) { $0.storageWrittenBytes },
    .counter(
      "process_io_write_syscalls_total", .none, .io, from: .io,
      "Write calls (syscw of /proc/PID/io)."
    ) { $0.writeCalls },
    .counter(
      "process_io_written_bytes_total", .bytes, .io, from: .io,
      "Bytes passed to write calls, to caches, pipes and sockets too (wchar of /proc/PID/io)."
    ) { $0.writtenBytes },
    .counter(
      "process_irq_delay_seconds_total", .seconds, .sched, isDefault: false, from: .delays,
      in: .nanoseconds,
      "Time that interrupts took away from threads, absent while it is 0 because kernels without CONFIG_IRQ_TIME_ACCOUNTING say so too (irq_delay_total of taskstats)."
    ) { $0.interrupt },
    .gauge(
      "process_library_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Size of the code of shared libraries (VmLib of /proc/PID/status)."
    ) { $0.libraryBytes },
    .gauge(
      "process_locked_memory_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Memory that may not be swapped out (VmLck of /proc/PID/status)."
    ) { $0.lockedBytes },
    .counter(
      "process_major_page_faults_total", .none, .memory, from: .stat,
      otel: .pagingFaults("major"),
      "Page faults that waited for storage (majflt of /proc/PID/stat)."
    ) { $0.majorFaults },
    .gauge(
      "process_max_fds", .none, .core, from: .limits, over: .tightest,
      "Maximum number of open file descriptors (soft RLIMIT_NOFILE)."
    ) { $0.openFiles.soft },
    .counter(
      "process_minor_page_faults_total", .none, .memory, from: .stat,
      otel: .pagingFaults("minor"),
      "Page faults served without waiting for storage (minflt of /proc/PID/stat)."
    ) { $0.minorFaults },
    .derived(
      "process_nice", .none, .sched, isDefault: false, from: [.stat], over: .largest,
      "Nice value of the first thread, -20 to 19, lower ones go first (nice of /proc/PID/stat)."
    ) { Double($0.stat.nice) },
    .derived(
      "process_oom_score", .none, .memory, isDefault: false, from: [.oomScore], over: .largest,
      "How likely the kernel ends the process when memory runs out, 0 to 2000 (/proc/PID/oom_score)."
    ) { $0.oomScore.map { Double($0) } },
    .derived(
      "process_oom_score_adj", .none, .memory, isDefault: false, from: [.oomScoreAdj],
      over: .largest,
      "What is added to the oom score, -1000 for never to 1000 (/proc/PID/oom_score_adj)."
    ) { $0.oomScoreAdjustment.map { Double($0) } },
    .gauge(
      "process_open_fds", .none, .core, from: .descriptors,
      otel: .upDown("process.unix.file_descriptor.count", "{file_descriptor}"),
      "Number of open file descriptors (entries of /proc/PID/fd)."
    ) { $0 },
    .gauge(
      "process_page_tables_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Memory of page tables (VmPTE of /proc/PID/status)."
    ) { $0.pageTableBytes },
    .gauge(
      "process_realtime_priority", .none, .sched, isDefault: false, from: .stat, over: .largest,
      "Realtime priority of the first thread, 1 to 99, 0 for none (rt_priority of /proc/PID/stat)."
    ) { $0.realtimePriority },
    .counter(
      "process_reclaim_delay_seconds_total", .seconds, .sched, isDefault: false, from: .delays,
      in: .nanoseconds,
      "Time that threads waited for memory to be reclaimed (freepages_delay_total of taskstats)."
    ) { $0.reclaim },
    .gauge(
      "process_resident_memory_anon_bytes", .bytes, .memory, from: .status,
      "Resident memory without a file behind it (RssAnon of /proc/PID/status)."
    ) { $0.anonymousBytes },
    .gauge(
      "process_resident_memory_bytes", .bytes, .core, from: .status,
      otel: .upDown("process.memory.usage", "By"),
      "Resident memory size in bytes (VmRSS of /proc/PID/status)."
    ) { $0.residentBytes },
    .gauge(
      "process_resident_memory_file_bytes", .bytes, .memory, from: .status,
      "Resident memory of mapped files (RssFile of /proc/PID/status)."
    ) { $0.fileBytes },
    .gauge(
      "process_resident_memory_peak_bytes", .bytes, .memory, from: .status, over: .largest,
      "The most resident memory so far (VmHWM of /proc/PID/status)."
    ) { $0.peakResidentBytes },
    .gauge(
      "process_resident_memory_shared_bytes", .bytes, .memory, from: .status,
      "Resident shared memory, tmpfs pages included (RssShmem of /proc/PID/status)."
    ) { $0.sharedBytes },
    .counter(
      "process_run_delay_seconds_total", .seconds, .sched, isDefault: false, from: .runTimes,
      in: .nanoseconds,
      "Time that threads were ready to run and waited for a CPU (second number of /proc/PID/task/TID/schedstat, or taskstats)."
    ) { $0.delayNanoseconds },
    .counter(
      "process_run_seconds_total", .seconds, .sched, isDefault: false, from: .runTimes,
      in: .nanoseconds,
      "Time that threads had a CPU (first number of /proc/PID/task/TID/schedstat, or taskstats)."
    ) { $0.runNanoseconds },
    .counter(
      "process_run_slices_total", .none, .sched, isDefault: false, from: .runTimes,
      "Times that threads were given a CPU (third number of /proc/PID/task/TID/schedstat, or taskstats)."
    ) { $0.slices },
    .gauge(
      "process_scheduling_policy", .none, .sched, isDefault: false, from: .stat, over: .largest,
      "Policy of the first thread: 0 normal, 1 fifo, 2 rr, 3 batch, 5 idle, 6 deadline, 7 ext (policy of /proc/PID/stat)."
    ) { $0.schedulingPolicy },
    .gauge(
      "process_signals_pending", .none, .limits, from: .status, over: .largest,
      "Signals queued for all processes of the same real user (SigQ of /proc/PID/status)."
    ) { $0.pendingSignals },
    .gauge(
      "process_signals_pending_max", .none, .limits, from: .status, over: .tightest,
      "The most signals that may be queued for that user (SigQ of /proc/PID/status)."
    ) { $0.pendingSignalsLimit },
    .gauge(
      "process_stack_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Size of the main stack (VmStk of /proc/PID/status)."
    ) { $0.stackBytes },
    .derived(
      "process_start_time_seconds", .seconds, .core, from: [.stat], over: .oldest,
      otel: Convention("process.uptime", "s", .age),
      "Start time of the process since unix epoch in seconds (starttime of /proc/PID/stat)."
    ) { $0.facts.epochSeconds(startTicks: $0.stat.startTicks) },
    .gauge(
      "process_swap_bytes", .bytes, .memory, from: .status,
      "Private memory in swap (VmSwap of /proc/PID/status)."
    ) { $0.swapBytes },
    .counter(
      "process_swapin_delay_seconds_total", .seconds, .sched, isDefault: false, from: .delays,
      in: .nanoseconds,
      "Time that threads waited for pages from swap (swapin_delay_total of taskstats)."
    ) { $0.swapIn },
    .gauge(
      "process_text_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Size of the program's own code (VmExe of /proc/PID/status)."
    ) { $0.textBytes },
    .counter(
      "process_thrashing_delay_seconds_total", .seconds, .sched, isDefault: false, from: .delays,
      in: .nanoseconds,
      "Time that threads waited for pages that had just been evicted (thrashing_delay_total of taskstats)."
    ) { $0.thrashing },
    .gauge(
      "process_threads", .none, .core, from: .stat,
      otel: .upDown("process.thread.count", "{thread}"),
      "Number of threads (num_threads of /proc/PID/stat)."
    ) { $0.threads },
    .gauge(
      "process_virtual_memory_bytes", .bytes, .core, from: .stat,
      otel: .upDown("process.memory.virtual", "By"),
      "Virtual memory size in bytes (vsize of /proc/PID/stat)."
    ) { $0.firstThreadHasEnded ? nil : $0.virtualBytes },
    .gauge(
      "process_virtual_memory_max_bytes", .bytes, .core, from: .limits, over: .tightest,
      "Maximum amount of virtual memory available in bytes (soft RLIMIT_AS)."
    ) { $0.addressSpaceBytes.soft },
    .gauge(
      "process_virtual_memory_peak_bytes", .bytes, .memory, from: .status, over: .largest,
      "The largest virtual memory size so far (VmPeak of /proc/PID/status)."
    ) { $0.peakVirtualBytes },
    .counter(
      "process_wpcopy_delay_seconds_total", .seconds, .sched, isDefault: false, from: .delays,
      in: .nanoseconds,
      "Time that threads waited for a page to be copied before a write (wpcopy_delay_total of taskstats)."
    ) { $0.copy },
  ]

  /// Families about a target as a whole.
  package static let target: [TargetRow] = subjects.flatMap { $0 }

  /// The same, by subject.
  static let subjects = [
    lifecycle, descriptors, sockets, network, threads, limits, maps, proportionalMemory, cgroups,
    pressure, info, go, [goPauseSummary], goLatencies, goCPU, [goCgo], presence,
  ]

  /// How the target's processes begin and end.
  static let lifecycle: [TargetRow] = [
    .labelled(
      "process_exits_total", .counter, .none, .lifecycle, labels: ["reason", "status"],
      from: .roster,
      "Processes of the target that ended, by exit code or signal (PIDFD_GET_INFO or exit records of taskstats)."
    ) { target in
      target.exits.map { ([$0.key.reason.rawValue, $0.key.status], .whole($0.value)) }
    },
    .single(
      "process_oom_kills_total", .counter, .none, .lifecycle, from: .oomKills,
      "Processes of the target that the kernel killed because memory ran out (memory.events.local, memory.oom_control or /proc/vmstat)."
    ) { .whole($0) },
    .single(
      "process_restarts_total", .counter, .none, .lifecycle, from: .roster,
      "Starts while the target had no process because its only one had ended (seen in /proc, and exit records of taskstats)."
    ) { .whole($0.restarts) },
    .single(
      "process_short_lived_total", .counter, .none, .lifecycle, isDefault: false,
      from: .exitRecords,
      "Processes of the target that ended before a scrape found them (exit records of taskstats)."
    ) { $0.shortLived.map(Reading.whole) ?? .absent },
    .single(
      "process_starts_total", .counter, .none, .lifecycle, from: .roster,
      "Processes that became part of the target, those found first included (seen in /proc, and exit records of taskstats)."
    ) { .whole($0.starts) },
  ]

  /// What open descriptors stand for.
  static let descriptors: [TargetRow] = [
    .labelled(
      "process_fds", .gauge, .none, .fds, labels: ["kind"], from: .descriptors,
      "Open file descriptors by what they stand for (links of /proc/PID/fd)."
    ) { survey in survey.counts.map { ([$0.key.rawValue], .whole($0.value)) } }
  ]

  /// The control groups that the processes are in.
  static let cgroups: [TargetRow] = [
    .single(
      "process_cgroup_cpu_limit_cores", .gauge, .cores, .cgroup, from: .cgroups,
      "CPUs that the control group may use at the same time on average (cpu.max or cpu.cfs_quota_us)."
    ) { $0.cpuLimitCores.map { .real($0) } ?? .absent },
    .single(
      "process_cgroup_cpu_periods_total", .counter, .none, .cgroup, from: .cgroups,
      "Periods in which the CPU limit was in force (nr_periods of cpu.stat)."
    ) { .init($0.periods) },
    .single(
      "process_cgroup_cpu_seconds_total", .counter, .seconds, .cgroup, from: .cgroups,
      in: .nanoseconds,
      "CPU time of the control group (usage_usec of cpu.stat, or cpuacct.usage)."
    ) { .init($0.cpuNanoseconds) },
    .single(
      "process_cgroup_cpu_throttled_periods_total", .counter, .none, .cgroup, from: .cgroups,
      "Periods in which the CPU limit was met (nr_throttled of cpu.stat)."
    ) { .init($0.throttledPeriods) },
    .single(
      "process_cgroup_cpu_throttled_seconds_total", .counter, .seconds, .cgroup, from: .cgroups,
      in: .nanoseconds,
      "Time that the control group was held back on CPUs by its limit (throttled_usec or throttled_time of cpu.stat)."
    ) { .init($0.throttledNanoseconds) },
    .single(
      "process_cgroup_memory_bytes", .gauge, .bytes, .cgroup, from: .cgroups,
      "Memory that the control group is charged for, caches of files included (memory.current or memory.usage_in_bytes)."
    ) { .init($0.memoryBytes) },
    .labelled(
      "process_cgroup_memory_events_total", .counter, .none, .cgroup, labels: ["event"],
      from: .cgroups,
      "How often memory was short in the control group, by what happened (memory.events, or memory.failcnt and memory.oom_control)."
    ) { $0.memoryEvents.map { ([$0.name], .whole($0.count)) } },
    .single(
      "process_cgroup_memory_high_bytes", .gauge, .bytes, .cgroup, from: .cgroups,
      "Memory use above which the control group is slowed down (memory.high)."
    ) { .init($0.memoryHighBytes) },
    .single(
      "process_cgroup_memory_limit_bytes", .gauge, .bytes, .cgroup, from: .cgroups,
      "Memory that the control group may use (memory.max or memory.limit_in_bytes)."
    ) { .init($0.memoryLimitBytes) },
    .single(
      "process_cgroup_memory_peak_bytes", .gauge, .bytes, .cgroup, from: .cgroups,
      over: .largest,
      "The most memory that the control group has used (memory.peak or memory.max_usage_in_bytes)."
    ) { .init($0.memoryPeakBytes) },
    .single(
      "process_cgroup_memory_swap_bytes", .gauge, .bytes, .cgroup, from: .cgroups,
      "Memory of the control group in swap (memory.swap.current, or total_swap of memory.stat)."
    ) { .init($0.memorySwapBytes) },
    .single(
      "process_cgroup_memory_swap_limit_bytes", .gauge, .bytes, .cgroup, from: .cgroups,
      "Memory that the control group may have in swap (memory.swap.max or memory.memsw.limit_in_bytes)."
    ) { .init($0.memorySwapLimitBytes) },
    .single(
      "process_cgroup_tasks", .gauge, .none, .cgroup, from: .cgroups,
      "Threads in the control group (pids.current)."
    ) { .init($0.tasks) },
    .single(
      "process_cgroup_tasks_limit", .gauge, .none, .cgroup, from: .cgroups,
      "Threads that the control group may have (pids.max)."
    ) { .init($0.taskLimit) },
  ]

  /// How long tasks waited for what was short.
  static let pressure: [TargetRow] = [
    .single(
      "process_pressure_cpu_stalled_seconds_total", .counter, .seconds, .pressure,
      from: .pressure, in: .microseconds,
      "Time in which all tasks with something to do waited for a CPU (full of cpu.pressure)."
    ) { .init($0.cpuStalledMicroseconds) },
    .single(
      "process_pressure_cpu_waiting_seconds_total", .counter, .seconds, .pressure,
      from: .pressure, in: .microseconds,
      "Time in which some task waited for a CPU (some of cpu.pressure)."
    ) { .init($0.cpuWaitingMicroseconds) },
    .single(
      "process_pressure_io_stalled_seconds_total", .counter, .seconds, .pressure,
      from: .pressure, in: .microseconds,
      "Time in which all tasks with something to do waited for storage (full of io.pressure)."
    ) { .init($0.ioStalledMicroseconds) },
    .single(
      "process_pressure_io_waiting_seconds_total", .counter, .seconds, .pressure,
      from: .pressure, in: .microseconds,
      "Time in which some task waited for storage (some of io.pressure)."
    ) { .init($0.ioWaitingMicroseconds) },
    .single(
      "process_pressure_memory_stalled_seconds_total", .counter, .seconds, .pressure,
      from: .pressure, in: .microseconds,
      "Time in which all tasks with something to do waited for memory (full of memory.pressure)."
    ) { .init($0.memoryStalledMicroseconds) },
    .single(
      "process_pressure_memory_waiting_seconds_total", .counter, .seconds, .pressure,
      from: .pressure, in: .microseconds,
      "Time in which some task waited for memory (some of memory.pressure)."
    ) { .init($0.memoryWaitingMicroseconds) },
  ]

  /// Resource limits.
  static let limits: [TargetRow] = [
    .labelled(
      "process_limit", .gauge, .none, .limits, labels: ["resource"], from: .limits,
      over: .tightest, "Soft resource limits, without those that are unlimited (/proc/PID/limits)."
    ) { survey in survey.soft.map { ([$0.key.rawValue], .whole($0.value)) } },
    .labelled(
      "process_limit_hard", .gauge, .none, .limits, labels: ["resource"], from: .limits,
      over: .tightest, "Hard resource limits, without those that are unlimited (/proc/PID/limits)."
    ) { survey in survey.hard.map { ([$0.key.rawValue], .whole($0.value)) } },
  ]

  /// Memory mappings.
  static let maps: [TargetRow] = [
    .single(
      "process_memory_maps", .gauge, .none, .maps, from: .maps, over: .largest,
      "Number of memory mappings (lines of /proc/PID/maps)."
    ) { $0.largest.map(Reading.whole) ?? .absent },
    .single(
      "process_memory_maps_max", .gauge, .none, .maps, from: .maps, over: .largest,
      "The most memory mappings that one process may have (vm.max_map_count)."
    ) { $0.limit.map(Reading.whole) ?? .absent },
  ]

  /// Memory with a fair share of what processes share.
  static let proportionalMemory: [TargetRow] = [
    .single(
      "process_proportional_memory_age_seconds", .gauge, .seconds, .pss, from: .proportional,
      over: .largest, "Time since the proportional memory was read (this program)."
    ) { $0.ageSeconds.map(Reading.real) ?? .absent },
    .single(
      "process_proportional_memory_bytes", .gauge, .bytes, .pss, from: .proportional,
      "Resident memory, shared pages divided by the processes that share them (Pss of /proc/PID/smaps_rollup)."
    ) { $0.sum.map { .whole($0.proportionalBytes) } ?? .absent },
    .single(
      "process_proportional_swap_bytes", .gauge, .bytes, .pss, from: .proportional,
      "Swapped memory, shared pages divided by the processes that share them (SwapPss of /proc/PID/smaps_rollup)."
    ) { $0.sum?.proportionalSwapBytes.map(Reading.whole) ?? .absent },
    .single(
      "process_unique_memory_bytes", .gauge, .bytes, .pss, from: .proportional,
      "Resident memory that no other process shares (Private_Clean and Private_Dirty of /proc/PID/smaps_rollup)."
    ) { $0.sum.map { .whole($0.uniqueBytes) } ?? .absent },
  ]

  /// What the processes are.
  static let info: [TargetRow] = [
    .labelled(
      "process_info", .gauge, .none, .info, labels: InfoSurvey.labels, from: .info,
      "Always 1, with what the processes run, as whom and where (/proc/PID/exe, status and cgroup)."
    ) { survey in survey.series.map { ($0, .whole(1)) } }
  ]

  /// Threads, one by one and by name.
  static let threads: [TargetRow] = [
    .single(
      "process_thread_busiest_cpu_seconds_total", .counter, .seconds, .threads,
      from: .threads(.stat), in: .ticks,
      "CPU time of whichever thread used most since the collection before, added up (utime and stime of /proc/PID/task/TID/stat)."
    ) { $0.busiestTicks },
    .labelled(
      "process_thread_context_switches_total", .counter, .none, .threads,
      labels: ["thread", "mode"], from: .threads(.stat, .status),
      "Context switches by name of the thread and by whether it gave up the CPU by itself (/proc/PID/task/TID/status)."
    ) {
      $0.used(.voluntarySwitches, mode: "voluntary")
        + $0.used(.involuntarySwitches, mode: "involuntary")
    },
    .labelled(
      "process_thread_count", .gauge, .none, .threads, labels: ["thread"], from: .threads(.stat),
      "Threads by name (comm of /proc/PID/task/TID/stat)."
    ) { survey in survey.counts },
    .labelled(
      "process_thread_cpu_seconds_total", .counter, .seconds, .threads,
      labels: ["thread", "mode"], from: .threads(.stat), in: .ticks,
      "CPU time by name of the thread (utime and stime of /proc/PID/task/TID/stat)."
    ) { $0.used(.userTicks, mode: "user") + $0.used(.systemTicks, mode: "system") },
    .labelled(
      "process_thread_io_storage_bytes_total", .counter, .bytes, .threads,
      labels: ["thread", "mode"], from: .threads(.stat, .io),
      "Bytes fetched from and sent to storage by name of the thread (read_bytes and write_bytes of /proc/PID/task/TID/io)."
    ) { $0.used(.storageReadBytes, mode: "read") + $0.used(.storageWrittenBytes, mode: "write") },
    .labelled(
      "process_thread_major_page_faults_total", .counter, .none, .threads, labels: ["thread"],
      from: .threads(.stat),
      "Page faults that waited for storage by name of the thread (majflt of /proc/PID/task/TID/stat)."
    ) { $0.used(.majorFaults) },
    .labelled(
      "process_thread_minor_page_faults_total", .counter, .none, .threads, labels: ["thread"],
      from: .threads(.stat),
      "Page faults served without waiting for storage by name of the thread (minflt of /proc/PID/task/TID/stat)."
    ) { $0.used(.minorFaults) },
    .labelled(
      "process_thread_states", .gauge, .none, .threads, labels: ["state"], from: .threads(.stat),
      "Threads by what they do, which add up to process_threads (state of /proc/PID/task/TID/stat)."
    ) { $0.stateCounts },
    .labelled(
      "process_wait_channels", .gauge, .none, .threads, labels: ["channel"],
      from: .threads(.wchan),
      "Threads by the function of the kernel that they wait in (/proc/PID/task/TID/wchan)."
    ) { $0.channelCounts },
  ]

  /// The sockets of a target's processes.
  static let sockets: [TargetRow] = [
    .labelled(
      "process_sockets", .gauge, .none, .sockets, labels: ["protocol", "state"], from: .sockets,
      "Open sockets by protocol and state (sock_diag)."
    ) { survey in
      survey.sockets.map { ([$0.key.transport, $0.key.state], .whole($0.value)) }
    },
    .labelled(
      "process_tcp_listen_queue", .gauge, .none, .sockets, labels: ["address"], from: .sockets,
      "Connections that wait to be accepted, by the address that the target listens at (sock_diag)."
    ) { survey in survey.queues.map { ([$0.key.description], .whole($0.value.waiting)) } },
    .labelled(
      "process_tcp_listen_queue_max", .gauge, .none, .sockets, labels: ["address"],
      from: .sockets,
      "Connections that may wait to be accepted, by the address that the target listens at (sock_diag)."
    ) { survey in survey.queues.map { ([$0.key.description], .whole($0.value.limit)) } },
    .single(
      "process_tcp_received_bytes_total", .counter, .bytes, .sockets, from: .sockets,
      "Bytes that TCP sockets received, as of the last scrape that saw each, so that one which comes and goes between two scrapes is missing (tcpi_bytes_received of sock_diag)."
    ) { .init($0.traffic?.receivedBytes) },
    .single(
      "process_tcp_retransmitted_segments_total", .counter, .none, .sockets, from: .sockets,
      "Segments that TCP sockets sent again, as of the last scrape that saw each, so that one which comes and goes between two scrapes is missing (tcpi_total_retrans of sock_diag)."
    ) { .init($0.traffic?.retransmittedSegments) },
    .single(
      "process_tcp_sent_bytes_total", .counter, .bytes, .sockets, from: .sockets,
      "Bytes that TCP sockets sent, repetitions included, as of the last scrape that saw each, so that one which comes and goes between two scrapes is missing (tcpi_bytes_sent of sock_diag)."
    ) { .init($0.traffic?.sentBytes) },
  ]

  /// The network namespaces of a target's processes.
  static let network: [TargetRow] = [
    .single(
      "process_network_receive_bytes_total", .counter, .bytes, .network, from: .network,
      otel: .networkIO("receive"),
      "Bytes received by the network namespaces of the processes, by whatever program (InOctets of IpExt in /proc/PID/net/netstat)."
    ) { .init($0.traffic?.receivedBytes) },
    .single(
      "process_network_transmit_bytes_total", .counter, .bytes, .network, from: .network,
      otel: .networkIO("transmit"),
      "Bytes sent by the network namespaces of the processes, by whatever program (OutOctets of IpExt in /proc/PID/net/netstat)."
    ) { .init($0.traffic?.sentBytes) },
  ]

  /// The exporter's own word about the target.
  static let presence: [TargetRow] = [
    .labelled(
      "procvitals_go_runtime_ok", .gauge, .none, nil, labels: ["group"], from: .page,
      "Whether a group of figures could be read of the target's Go programs and passed its checks, where the metric group go is on (memory of the processes)."
    ) { sample in
      (sample.go?.groups ?? []).map { ([$0.name], .whole($0.isAccepted ? 1 : 0)) }
    },
    .single(
      "procvitals_series_dropped_total", .counter, .none, nil, from: .page,
      "Samples left out of pages because the target has more series than its limit (series_per_target of this program)."
    ) { $0.target.isShown ? .whole($0.droppedSeries) : .absent },
    .single(
      "procvitals_target_processes", .gauge, .none, nil, from: .roster,
      "Processes of the target at this scrape (seen in /proc)."
    ) { $0.isShown ? .whole(UInt64($0.processes)) : .absent },
    .single(
      "procvitals_target_scrape_success", .gauge, .none, nil, from: .page,
      "Whether the target's processes were looked at within the time of this scrape (this program)."
    ) { $0.target.isShown ? .whole($0.isLate ? 0 : 1) : .absent },
    .single(
      "procvitals_target_up", .gauge, .none, nil, from: .roster,
      "Whether the target has at least one process (seen in /proc)."
    ) { $0.isShown ? .whole($0.processes == 0 ? 0 : 1) : .absent },
    .labelled(
      "procvitals_threshold_crossed", .gauge, .none, nil, labels: ["threshold", "level"],
      from: .page,
      "Whether a figure of the target is above a threshold of the configuration, by what the target is then (health.thresholds of this program)."
    ) { $0.thresholds?.samples ?? [] },
    .labelled(
      "procvitals_unreadable_total", .counter, .none, nil, labels: ["source", "reason"],
      from: .roster,
      "Reads for the target that failed, by what was read and why (pid files, /proc, control groups and netlink)."
    ) { target in
      if target.isHidden { return [] }
      return target.troubles.map {
        ([$0.key.source.label, $0.key.reason.rawValue], .whole($0.value))
      }
    },
  ]

  /// Families about the exporter itself.
  package static let exporter: [ExporterRow] = [
    .own(
      "procvitals_build_info", .gauge, .none, labels: ["version"],
      "Always 1, with the version of procvitals (this program)."
    ) { [([$0.version], .whole(1))] },
    .own(
      "procvitals_capability", .gauge, .none, labels: ["name"],
      "Whether the daemon has a right that it can make use of, or a source that needs one (capget, taskstats and the proc connector)."
    ) { $0.capabilities.map { ([$0.name], .whole($0.value)) } },
    .own(
      "procvitals_config_last_reload_success_timestamp_seconds", .gauge, .seconds,
      "When the present configuration was loaded, since unix epoch (this program)."
    ) { .real($0.config.loadedSeconds) },
    .own(
      "procvitals_config_last_reload_successful", .gauge, .none,
      "Whether the last attempt to load the configuration succeeded (this program)."
    ) { .whole($0.config.isCurrent ? 1 : 0) },
    .own(
      "procvitals_connections", .gauge, .none, labels: ["state"],
      "Connections to the HTTP server now, by what they are doing (this program)."
    ) { $0.connections.map { ([$0.name], .whole($0.value)) } },
    .own(
      "procvitals_connections_rejected_total", .counter, .none, labels: ["reason"],
      "Connections that were closed without an answer, by why (this program)."
    ) { $0.connectionsRejected.map { ([$0.name], .whole($0.value)) } },
    .own(
      "procvitals_events_lost_total", .counter, .none, labels: ["source"],
      "Events that the kernel dropped or that could not be told whose they are, for taskstats one for each ended thread, for proc_connector one for each fork, exec, change of name or user and end of a process (this program and netlink)."
    ) { $0.eventsLost.map { ([$0.name], .whole($0.value)) } },
    .own(
      "procvitals_late_reads_total", .counter, .none, labels: ["source"],
      "Reads that did not answer within the time of a collection (pid files and /proc)."
    ) { $0.lateReads.map { ([$0.name], .whole($0.value)) } },
    .own(
      "procvitals_otlp_exports_total", .counter, .none, labels: ["outcome"],
      "Pushes to the OpenTelemetry receiver, by what came of them (this program)."
    ) { $0.exports.map { $0.counts.map { ([$0.name], .whole($0.value)) } } ?? [] },
    .own(
      "procvitals_otlp_last_success_timestamp_seconds", .gauge, .seconds,
      "When the OpenTelemetry receiver last took a push, since unix epoch (this program)."
    ) { $0.exports?.lastSuccess.map { .real($0) } ?? .absent },
    .own(
      "procvitals_otlp_rejected_points_total", .counter, .none,
      "Data points that the OpenTelemetry receiver did not take of pushes that it took (this program)."
    ) { $0.exports.map { .whole($0.rejectedPoints) } ?? .absent },
    .own(
      "procvitals_scrape_duration_seconds", .gauge, .seconds,
      "Time that reading this page's values took (this program)."
    ) { .real($0.scrapeSeconds) },
    .own(
      "procvitals_scrape_processes", .gauge, .none,
      "Processes that were read for this page (this program)."
    ) { .whole($0.scrapeProcesses) },
    .own(
      "procvitals_scrapes_in_flight", .gauge, .none,
      "Scrapes that wait for this page (this program)."
    ) { .whole($0.scrapesInFlight) },
    .own(
      "procvitals_scrapes_total", .counter, .none, labels: ["format", "code"],
      "Answered scrapes by exposition format and HTTP status (this program)."
    ) { $0.scrapes.map { ([$0.format, $0.code], .whole($0.count)) } },
    .own(
      "procvitals_web_certificate_expiration_timestamp_seconds", .gauge, .seconds,
      "When the first of the certificates expires that the HTTP server shows, since unix epoch (this program)."
    ) { $0.certificateExpiration.map { .real($0) } ?? .absent },
    .own(
      "procvitals_web_config_last_reload_success_timestamp_seconds", .gauge, .seconds,
      "When the present web configuration was loaded, since unix epoch (this program)."
    ) { $0.webConfig.map { .real($0.loadedSeconds) } ?? .absent },
    .own(
      "procvitals_web_config_last_reload_successful", .gauge, .none,
      "Whether the last attempt to load the web configuration succeeded (this program)."
    ) { $0.webConfig.map { .whole($0.isCurrent ? 1 : 0) } ?? .absent },
  ]

  /// The rows of ``process`` that a target's selection switches on, by their places in the list.
  package static func enabled(_ selection: Selection) -> [Int] {
    process.indices.filter {
      selection.includes(
        process[$0].family, process[$0].group, isDefault: process[$0].isDefault)
    }
  }

  /// What the rows that a selection switches on need of each process.
  static func wanted(_ selection: Selection) -> Wanted {
    let read = enabled(selection).map { process[$0].sources }
    let surveyed = target.filter { includes($0, selection) }.map(\.sources)
    let surveyedThreads = surveyed.filter { $0.contains(.task) }
    let threads = read.filter { $0.contains(.task) } + surveyedThreads
    return Wanted(
      files: SourceFiles(read.joined()), threadFiles: SourceFiles(threads.joined()),
      surveyedThreadFiles: SourceFiles(surveyedThreads.joined()))
  }

  /// Whether a selection switches on a row of ``target``; one without a group is always on.
  static func includes(_ row: TargetRow, _ selection: Selection) -> Bool {
    row.group.map { selection.includes(row.family, $0, isDefault: row.isDefault) } ?? true
  }

  /// Whether a selection switches on a row whose number an exit record completes.
  static func countsExits(_ selection: Selection) -> Bool {
    process.contains {
      $0.family.kind == .counter
        && selection.includes($0.family, $0.group, isDefault: $0.isDefault)
    } || lifecycle.contains { includes($0, selection) }
  }

  /// Whether a selection switches on a row about a target that takes its samples from a file.
  static func surveys(_ file: SourceFile, _ selection: Selection) -> Bool {
    target.contains { $0.sources.contains(file) && includes($0, selection) }
  }
}
