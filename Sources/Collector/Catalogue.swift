import Metrics
package import ProcFS
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
      "Times that threads had the CPU taken away (nonvoluntary_ctxt_switches of /proc/PID/task/TID/status or taskstats)."
    ) { $0.involuntary },
    .counter(
      "process_context_switches_voluntary_total", .none, .sched, from: .switches,
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
      "CPU time spent in the kernel in seconds (stime of /proc/PID/stat)."
    ) { $0.systemTicks },
    .counter(
      "process_cpu_user_seconds_total", .seconds, .cpu, from: .stat, in: .ticks,
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
      "Bytes the process caused to be fetched from storage (read_bytes of /proc/PID/io)."
    ) { $0.storageReadBytes },
    .counter(
      "process_io_storage_written_bytes_total", .bytes, .io, from: .io,
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
      "Page faults that waited for storage (majflt of /proc/PID/stat)."
    ) { $0.majorFaults },
    .gauge(
      "process_max_fds", .none, .core, from: .limits, over: .tightest,
      "Maximum number of open file descriptors (soft RLIMIT_NOFILE)."
    ) { $0.openFiles.soft },
    .counter(
      "process_minor_page_faults_total", .none, .memory, from: .stat,
      "Page faults served without waiting for storage (minflt of /proc/PID/stat)."
    ) { $0.minorFaults },
    .gauge(
      "process_open_fds", .none, .core, from: .descriptors,
      "Number of open file descriptors (entries of /proc/PID/fd)."
    ) { $0 },
    .gauge(
      "process_page_tables_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Memory of page tables (VmPTE of /proc/PID/status)."
    ) { $0.pageTableBytes },
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
    .gauge(
      "process_stack_bytes", .bytes, .memory, isDefault: false, from: .status,
      "Size of the main stack (VmStk of /proc/PID/status)."
    ) { $0.stackBytes },
    .derived(
      "process_start_time_seconds", .seconds, .core, from: [.stat], over: .oldest,
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
      "Number of threads (num_threads of /proc/PID/stat)."
    ) { $0.threads },
    .gauge(
      "process_virtual_memory_bytes", .bytes, .core, from: .stat,
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
  static let subjects = [lifecycle, descriptors, presence]

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
      "process_restarts_total", .counter, .none, .lifecycle, from: .roster,
      "Starts while the target had no process because its only one had ended (seen in /proc, and exit records of taskstats)."
    ) { .whole($0.restarts) },
    .single(
      "process_short_lived_total", .counter, .none, .lifecycle, isDefault: false, from: .roster,
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

  /// The exporter's own word about the target.
  static let presence: [TargetRow] = [
    .single(
      "procvitals_target_processes", .gauge, .none, nil, from: .roster,
      "Processes of the target at this scrape (seen in /proc)."
    ) { .whole(UInt64($0.members.count)) },
    .single(
      "procvitals_target_up", .gauge, .none, nil, from: .roster,
      "Whether the target has at least one process (seen in /proc)."
    ) { .whole($0.members.isEmpty ? 0 : 1) },
    .labelled(
      "procvitals_unreadable_total", .counter, .none, nil, labels: ["source", "reason"],
      from: .roster,
      "Reads for the target that failed, by what was read and why (pid files and /proc)."
    ) { target in
      target.troubles.map { ([$0.key.source.label, $0.key.reason.rawValue], .whole($0.value)) }
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
      "Whether a source is in use that needs a privilege, by its name (this program)."
    ) { $0.capabilities.map { ([$0.name], .whole($0.value)) } },
    .own(
      "procvitals_config_last_reload_success_timestamp_seconds", .gauge, .seconds,
      "When the present configuration was loaded, since unix epoch (this program)."
    ) { .real($0.configLoadedSeconds) },
    .own(
      "procvitals_config_last_reload_successful", .gauge, .none,
      "Whether the last attempt to load the configuration succeeded (this program)."
    ) { .whole($0.configIsCurrent ? 1 : 0) },
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
      "Events that the kernel dropped or that could not be told whose they are, for taskstats one for each ended thread (this program and netlink)."
    ) { $0.eventsLost.map { ([$0.name], .whole($0.value)) } },
    .own(
      "procvitals_late_reads_total", .counter, .none, labels: ["source"],
      "Reads that did not answer within the time of a collection (pid files and /proc)."
    ) { $0.lateReads.map { ([$0.name], .whole($0.value)) } },
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
  ]

  /// The rows of ``process`` that a target's selection switches on, by their places in the list.
  package static func enabled(_ selection: Selection) -> [Int] {
    process.indices.filter {
      selection.includes(process[$0].group, isDefault: process[$0].isDefault)
    }
  }

  /// The files that have to be read for some rows of ``process``.
  package static func files(for rows: [Int]) -> SourceFiles {
    SourceFiles(rows.flatMap { process[$0].sources })
  }

  /// Whether a selection switches on a row of ``target``; one without a group is always on.
  static func includes(_ row: TargetRow, _ selection: Selection) -> Bool {
    row.group.map { selection.includes($0, isDefault: row.isDefault) } ?? true
  }

  /// Whether a selection switches on a row about a target that takes its samples from a file.
  static func surveys(_ file: SourceFile, _ selection: Selection) -> Bool {
    target.contains { $0.sources.contains(file) && includes($0, selection) }
  }
}
