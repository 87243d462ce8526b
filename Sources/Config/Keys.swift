import Collector
import Metrics
import Targets

/// Every setting of a configuration file, in the order of the reference.
///
/// A new setting is a new row; reading, messages, `docs/configuration.md` and the commented example
/// follow from it.
struct KeyTable {
  let keys: [Key]
  private let children: [String: [Key]]

  init() {
    keys = Self.rows
    children = Dictionary(grouping: keys, by: \.parent)
  }

  /// The keys of a mapping, by its path; empty for the top of the file, `PATH[]` for list items.
  func keys(of parent: String) -> [Key] { children[parent] ?? [] }

  /// Labels that the daemon writes itself: a second one of the name would spoil the whole scrape.
  static let reservedLabels: Set<String> = Set(["target", "pid", "le", "quantile"])
    .union(Catalogue.process.flatMap(\.family.labels))
    .union(Catalogue.target.flatMap(\.family.labels))

  private static var rows: [Key] {
    [
      [
        .mapping("defaults", "What holds for every target that does not say otherwise."),
        Key(
          "defaults.collect", .selection, into: \.defaultSelection, example: "[default]",
          "Which groups of metrics are collected; `default` stands for the default set."),
        .list(
          "targets", of: "a target",
          """
          The programs to watch. A process belongs to the first target, in file order, whose \
          selectors all fit it.
          """
        ) { $1.readTarget($0) },
        Key(
          "targets[].name", .text(bytes: 1...Limits.nameBytes), into: \.target.name,
          example: "checkout", otherwise: "required",
          "The value of the label `target`; no two targets have the same name."),
      ],
      selectors(below: "targets[]", into: \.target.selector),
      [
        .mapping(
          "targets[].match",
          "The selectors in a mapping of their own; the same keys, each of them in one place only.")
      ],
      selectors(below: "targets[].match", into: \.target.selector),
      [
        Key(
          "targets[].children", .boolean, into: \.target.includesChildren, example: "true",
          "Whether descendants of the chosen processes belong to the target, unless another target"
            + " claims them."),
        Key(
          "targets[].labels", .labels(reserved: reservedLabels), into: \.target.labels,
          example: "{service: shop}",
          "Labels that every series of the target carries."
            + " Not allowed are \(reservedLabels.sorted().joined(separator: ", ")) and names that begin with __."
        ),
        Key(
          "targets[].collect", .selection, into: \.target.selection, example: "[default, io]",
          otherwise: "as in `defaults`",
          "Which groups of metrics are collected for this target."),
        .mapping("limits", "Bounds on what the daemon holds and looks at."),
        Key(
          "limits.targets", .integer(1...1_000_000), into: \.targetLimit, example: "100",
          "Targets of the file and the command line together; more are an error."),
        Key(
          "limits.processes_per_target", .integer(1...1_000_000), into: \.limits.processesPerTarget,
          example: "500",
          "Processes of one target. Further ones are left out and counted."
        ),
        Key(
          "limits.series_per_target", .integer(1...1_000_000), into: \.limits.seriesPerTarget,
          example: "500",
          "Samples of one target on a page. Further ones, those with labels of their own first, are left out and counted."
        ),
        Key(
          "limits.threads_per_process", .integer(1...1_000_000), into: \.limits.threadsPerProcess,
          example: "500",
          "Threads of one process that are looked at one by one. That a process has more is counted."
        ),
        Key(
          "limits.descriptors_per_process", .integer(1...1_000_000),
          into: \.limits.descriptorsPerProcess, example: "2000",
          "Open descriptors of one process that are looked at one by one. That it has more is counted."
        ),
        Key(
          "limits.cgroups_per_target", .integer(1...1_000_000),
          into: \.limits.cgroupsPerTarget, example: "100",
          "Control groups of one target's processes; further ones are left out and counted."),
        Key(
          "limits.pss_bytes_per_scrape", .integer(1_048_576...1 << 50),
          into: \.limits.pssBytesPerScrape, example: "268435456",
          """
          Resident bytes of the processes whose proportional memory one scrape reads, at about 60 ms \
          for each GiB, beside 160 MiB of small ones. A larger process is paid for by the scrapes \
          behind it, which read less.
          """),
        Key(
          "limits.pss_bytes_per_process", .integer(1...1 << 50),
          into: \.limits.pssBytesPerProcess, example: "68719476736",
          """
          Resident bytes up to which the proportional memory of a process is read. Larger ones are \
          left out and counted.
          """),
        Key(
          "limits.info_series_per_target", .integer(1...10_000),
          into: \.limits.infoSeriesPerTarget, example: "20",
          "Series of `process_info` of one target. Further ones are left out and counted."),
        Key(
          "limits.thread_names_per_target", .integer(1...10_000),
          into: \.limits.threadNamesPerTarget, example: "100",
          "Names of threads that one target has series for. Threads of further names share one series, `other`."
        ),
        Key(
          "limits.wait_channels_per_target", .integer(1...10_000),
          into: \.limits.waitChannelsPerTarget, example: "100",
          "Wait channels that one target has series for. Further ones share one series, `other`."
        ),
        Key(
          "limits.sockets_per_namespace", .integer(1...10_000_000),
          into: \.limits.socketsPerNamespace, example: "50000",
          """
          Sockets of one network namespace that are looked at for the group `sockets`, those of \
          other programs included. Each costs a collection about 2 microseconds.
          """),
        Key(
          "limits.network_namespaces", .integer(1...100_000), into: \.limits.networkNamespaces,
          example: "20",
          "Network namespaces whose sockets are looked at in one collection."),
        Key(
          "limits.listen_addresses_per_target", .integer(1...100_000),
          into: \.limits.listenAddresses, example: "20",
          "Addresses that a target listens at and that have series of their own."),
        Key(
          "limits.kept_descriptors", .integer(0...1_000_000), into: \.limits.keptDescriptors,
          example: "1024",
          """
          Files of `/proc` and of control groups that stay open between scrapes. Each saves at least \
          half of its reading cost and takes 4.3 kB of kernel memory.
          """),
        Key(
          "names", .names, into: \.names, example: "namedprocess",
          """
          By whose names families go at `/metrics`: procvitals' own, or those of process-exporter \
          (`namedprocess_…`), for which the groups that they need are collected of every target.
          """),
      ],
    ].flatMap { $0 }
  }

  /// Conditions on a process; those that are given must all hold.
  private static func selectors(
    below path: String, into selector: WritableKeyPath<Draft, Selector>
  ) -> [Key] {
    [
      Key(
        "\(path).pid", .integer(1...4_194_304), into: selector.appending(path: \.pid),
        example: "812", argument: "pid:N",
        "The process with this number."),
      Key(
        "\(path).pid_file", .absolutePath, into: selector.appending(path: \.pidFile),
        example: "/run/checkout.pid", argument: "pid-file:PATH",
        "The process whose number stands on the first line of this file."),
      Key(
        "\(path).process_name", .oneOrMore(.processName),
        into: selector.appending(path: \.processNames),
        example: "nginx", argument: "name:COMM",
        "The process name in `/proc/PID/comm`, at most 15 bytes; one of the globs must fit."),
      Key(
        "\(path).exe", .oneOrMore(.executable), into: selector.appending(path: \.executables),
        example: "/usr/sbin/nginx", argument: "exe:GLOB",
        "The executable's path, where `/proc/PID/exe` points; one of the globs must fit."),
    ]
  }
}
