package import Metrics

/// By whose names the families of targets go on a page.
package enum Names: String, Sendable, CaseIterable {
  /// procvitals' own: `process_…`.
  case process
  /// Those of process-exporter: `namedprocess_…`, one group for all targets of a name.
  case namedprocess
}

/// A family by another exporter's name, made of samples that the catalogue has already.
package struct NamedRow: Sendable {
  /// What one family of the catalogue gives to it.
  struct Part: Sendable {
    /// Where samples go, by the values of their own labels.
    enum Place: Sendable {
      /// One sample, with these values.
      case fixed([String])
      /// Each sample to the values that come of its own; nil leaves it out.
      case each(@Sendable ([String]) -> [String]?)
    }

    /// The name of the family in the catalogue.
    let source: String
    let place: Place
  }

  /// Its first label is `groupname`, unless it is about all groups together.
  package let family: Family
  let parts: [Part]

  var isAboutGroups: Bool { family.labels.first == Self.group }

  /// The label that tells groups apart.
  static let group = "groupname"

  /// A row of families that have one sample each, with the values of the further labels.
  fileprivate init(
    _ name: String, _ kind: Kind, _ unit: Unit, labels: [String] = [],
    _ sources: [(String, [String])], _ help: String
  ) {
    family = Family(
      "namedprocess_namegroup_" + name, kind, unit, labels: [Self.group] + labels, help: help)
    parts = sources.map { Part(source: $0.0, place: .fixed($0.1)) }
  }

  /// A row of one family with labels of its own.
  fileprivate init(
    _ name: String, _ kind: Kind, _ unit: Unit, labels: [String], from source: String,
    _ help: String, place: @escaping @Sendable ([String]) -> [String]? = { $0 }
  ) {
    family = Family(
      "namedprocess_namegroup_" + name, kind, unit, labels: [Self.group] + labels, help: help)
    parts = [Part(source: source, place: .each(place))]
  }

  /// A row that counts failed reads, by what was read.
  fileprivate init(
    errors name: String, _ help: String, where isMeant: @escaping @Sendable (String) -> Bool
  ) {
    family = Family("namedprocess_scrape_" + name, .counter, .none, help: help)
    let place = NamedRow.Part.Place.each { isMeant($0.first ?? "") ? [] : nil }
    parts = [Part(source: "procvitals_unreadable_total", place: place)]
  }
}

extension Catalogue {
  /// The families of process-exporter, by name.
  package static let namedprocess: [NamedRow] = [
    NamedRow(
      "context_switches_total", .counter, .none, labels: ["ctxswitchtype"],
      [
        ("process_context_switches_involuntary_total", ["nonvoluntary"]),
        ("process_context_switches_voluntary_total", ["voluntary"]),
      ],
      "Context switches of all threads, ended ones included (status of /proc/PID/task/TID or taskstats)."
    ),
    NamedRow(
      "cpu_seconds_total", .counter, .seconds, labels: ["mode"],
      [
        ("process_cpu_system_seconds_total", ["system"]),
        ("process_cpu_user_seconds_total", ["user"]),
      ],
      "CPU time by mode (utime and stime of /proc/PID/stat)."),
    NamedRow(
      "major_page_faults_total", .counter, .none,
      [("process_major_page_faults_total", [])],
      "Page faults that waited for storage (majflt of /proc/PID/stat)."),
    NamedRow(
      "memory_bytes", .gauge, .bytes, labels: ["memtype"],
      [
        ("process_proportional_memory_bytes", ["proportionalResident"]),
        ("process_proportional_swap_bytes", ["proportionalSwapped"]),
        ("process_resident_memory_bytes", ["resident"]),
        ("process_swap_bytes", ["swapped"]),
        ("process_virtual_memory_bytes", ["virtual"]),
      ],
      "Memory by kind (/proc/PID/status, stat and smaps_rollup)."),
    NamedRow(
      "minor_page_faults_total", .counter, .none,
      [("process_minor_page_faults_total", [])],
      "Page faults served without waiting for storage (minflt of /proc/PID/stat)."),
    NamedRow(
      "num_procs", .gauge, .none, [("procvitals_target_processes", [])],
      "Processes in the group now (seen in /proc)."),
    NamedRow(
      "num_threads", .gauge, .none, [("process_threads", [])],
      "Threads of the group's processes (num_threads of /proc/PID/stat)."),
    NamedRow(
      "oldest_start_time_seconds", .gauge, .seconds, [("process_start_time_seconds", [])],
      "When the oldest process of the group started, since unix epoch (starttime of /proc/PID/stat)."
    ),
    NamedRow(
      "open_filedesc", .gauge, .none, [("process_open_fds", [])],
      "Open file descriptors (entries of /proc/PID/fd)."),
    NamedRow(
      "read_bytes_total", .counter, .bytes, [("process_io_storage_read_bytes_total", [])],
      "Bytes fetched from storage (read_bytes of /proc/PID/io)."),
    NamedRow(
      "states", .gauge, .none, labels: ["state"], from: "process_thread_states",
      "Threads by what they do, which add up to num_threads (state of /proc/PID/task/TID/stat)."
    ) { values in values.first.flatMap { stateNames[$0] }.map { [$0] } },
    NamedRow(
      "thread_context_switches_total", .counter, .none, labels: ["threadname", "ctxswitchtype"],
      from: "process_thread_context_switches_total",
      "Context switches by name of the thread (/proc/PID/task/TID/status)."
    ) { $0.map { $0 == "involuntary" ? "nonvoluntary" : $0 } },
    NamedRow(
      "thread_count", .gauge, .none, labels: ["threadname"], from: "process_thread_count",
      "Threads by name (comm of /proc/PID/task/TID/stat)."),
    NamedRow(
      "thread_cpu_seconds_total", .counter, .seconds, labels: ["threadname", "mode"],
      from: "process_thread_cpu_seconds_total",
      "CPU time by name of the thread (utime and stime of /proc/PID/task/TID/stat)."),
    NamedRow(
      "thread_io_bytes_total", .counter, .bytes, labels: ["threadname", "iomode"],
      from: "process_thread_io_storage_bytes_total",
      "Bytes fetched from and sent to storage by name of the thread (/proc/PID/task/TID/io)."),
    NamedRow(
      "thread_major_page_faults_total", .counter, .none, labels: ["threadname"],
      from: "process_thread_major_page_faults_total",
      "Page faults that waited for storage by name of the thread (majflt of /proc/PID/task/TID/stat)."
    ),
    NamedRow(
      "thread_minor_page_faults_total", .counter, .none, labels: ["threadname"],
      from: "process_thread_minor_page_faults_total",
      "Page faults served without waiting by name of the thread (minflt of /proc/PID/task/TID/stat)."
    ),
    NamedRow(
      "threads_wchan", .gauge, .none, labels: ["wchan"], from: "process_wait_channels",
      "Threads by the function of the kernel that they wait in (/proc/PID/task/TID/wchan)."),
    NamedRow(
      "worst_fd_ratio", .gauge, .ratio, [("process_fd_usage_ratio", [])],
      "Open file descriptors by their soft limit, of the process that is nearest to it (/proc/PID/fd and RLIMIT_NOFILE)."
    ),
    NamedRow(
      "write_bytes_total", .counter, .bytes, [("process_io_storage_written_bytes_total", [])],
      "Bytes sent to storage (write_bytes of /proc/PID/io)."),
    NamedRow(
      errors: "errors",
      "Failures to find out which processes there are, once for each group (/proc)."
    ) { $0 == "process" },
    NamedRow(
      errors: "partial_errors",
      "Reads of further files of a process that failed (/proc/PID and netlink)."
    ) { !["process", "stat", "cmdline", "series", "pid_file"].contains($0) },
    NamedRow(
      errors: "procread_errors",
      "Reads of the first file of a process that failed (/proc/PID/stat)."
    ) { $0 == "stat" },
  ]

  /// What process-exporter calls the states of threads.
  private static let stateNames = [
    "running": "Running", "sleeping": "Sleeping", "disk_sleep": "Waiting", "zombie": "Zombie",
    "stopped": "Other", "idle": "Other",
  ]

  /// Families about process-exporter itself.
  static let processExporter: [ExporterRow] = [
    .own(
      "process_exporter_build_info", .gauge, .none,
      labels: ["branch", "goarch", "goos", "goversion", "revision", "tags", "version"],
      "Always 1, with the version of procvitals, and without what only Go programs have (this program)."
    ) { [(["", architecture, "linux", "", "", "", $0.version], .whole(1))] }
  ]

  /// As Go calls it.
  private static var architecture: String {
    #if arch(x86_64)
      "amd64"
    #elseif arch(arm64)
      "arm64"
    #else
      ""
    #endif
  }

  /// The families of the catalogue that process-exporter's are made of.
  ///
  /// - Parameters:
  ///   - threads: Whether those about threads by name are among them.
  ///   - proportional: Whether those about proportional memory are.
  /// - Returns: Their names.
  package static func sources(
    ofNamedProcess threads: Bool = true, proportional: Bool = true
  ) -> Set<String> {
    let rows = namedprocess.filter { threads || !$0.family.labels.contains("threadname") }
    let sources = Set(rows.flatMap(\.parts).map(\.source))
    let left = proportional ? [] : proportionalMemory.map(\.family.name)
    return sources.subtracting(left)
  }
}
