import Collector
import Metrics
import OTLP
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
        Key(
          "defaults.forget_after", forgetAfter, into: \.defaultForgetAfter, example: "15m",
          """
          How long a target that came from variables is kept without processes. Its counters begin \
          anew when it comes back later.
          """),
      ],
      goDefaults,
      [
        Key(
          "allowed_environment", .oneOrMore(.variableName), into: \.allowedEnvironment,
          example: "[TENANT]", otherwise: "none",
          """
          Variables of the environment that names and labels may show as `${env.NAME}`. An \
          environment can hold secrets, and metrics are for everybody.
          """),
        .list(
          "targets", of: "a target",
          """
          The programs to watch. A process belongs to the first target, in file order, whose \
          selectors all fit it.
          """
        ) { $1.readTarget($0) },
        Key(
          "targets[].name", .template(bytes: 1...Limits.nameBytes), into: \.target.name,
          example: "checkout", otherwise: "required",
          """
          The value of the label `target`; no two targets have the same name. With variables there \
          is a target for each of their values.
          """),
      ],
      selectors(below: "targets[]", into: \.target.selector),
      [
        .mapping(
          "targets[].match",
          "The selectors in a mapping of their own; the same keys, each of them in one place only.")
      ],
      selectors(below: "targets[].match", into: \.target.selector),
      [
        .list(
          "targets[].exclude", of: "a mapping of selectors", takesOne: true,
          """
          Processes that the target does not choose, one mapping of selectors or a list of them. A \
          process is left out if all selectors of one mapping fit it.
          """
        ) { $1.readExclusion($0) }
      ],
      selectors(below: "targets[].exclude[]", into: \.exclusion)
        .filter { $0.name != "pid_file" },
      [
        Key(
          "targets[].children", .boolean, into: \.target.includesChildren, example: "true",
          "Whether descendants of the chosen processes belong to the target, unless another target"
            + " claims them. They stay when the process that they descend from moves to another"
            + " target."),
        Key(
          "targets[].per_process", .boolean, into: \.target.isPerProcess, example: "true",
          "Whether every process has series of its own, with a label `pid`."),
        Key(
          "targets[].trust_pid_file", .boolean, into: \.target.trustsPidFile, example: "true",
          """
          Whether a pid file counts that others can write than root, the daemon and the owner of \
          the process. Whoever can write it chooses the process that is watched.
          """),
        Key(
          "targets[].forget_after", forgetAfter, into: \.target.forgetAfter, example: "15m",
          otherwise: "as in `defaults`",
          "How long a target that came from variables is kept without processes."),
        Key(
          "targets[].labels", .labels(reserved: reservedLabels), into: \.target.labels,
          example: "{service: shop}",
          "Labels that every series of the target carries; values may have variables."
            + " Not allowed are \(reservedLabels.sorted().joined(separator: ", ")) and names that begin with __."
        ),
        Key(
          "targets[].collect", .selection, into: \.target.selection, example: "[default, io]",
          otherwise: "as in `defaults`",
          "Which groups of metrics are collected for this target."),
      ],
      goSources,
      targetHealth,
      health,
      [
        .mapping("limits", "Bounds on what the daemon holds and looks at."),
        Key(
          "limits.targets", .integer(1...1_000_000), into: \.limits.targets, example: "100",
          """
          Targets of the files, of the command line and those that variables make, together. More \
          configured ones are an error; further ones that variables would make are left out and \
          counted.
          """),
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
      pushing,
    ].flatMap { $0 }
  }

  /// Where metrics go by themselves.
  private static var pushing: [Key] {
    [
      .mapping(
        "otlp", "Pushes the metrics to an OpenTelemetry receiver, over HTTP and as protobuf."),
      Key(
        "otlp.endpoint", .receiver, into: \.pushing.settings.receiver,
        example: "https://collector.example.com:4318", otherwise: "nothing is pushed",
        "The receiver's URL, to which `/v1/metrics` is added. Environment variables do not count."),
      Key(
        "otlp.interval", .duration(.seconds(1)...oneHour), into: \.pushing.settings.interval,
        example: "60s",
        "The time from one push to the next; each is a collection, as a scrape is."),
      Key(
        "otlp.timeout", .duration(.milliseconds(100)...oneHour), into: \.pushing.settings.timeout,
        example: "5s", "How long the receiver has for an answer."),
      Key(
        "otlp.headers", .headers, into: \.pushing.settings.fields,
        example: "{X-Scope-OrgID: shop}", otherwise: "none",
        "Headers of each request. Their values are shown nowhere."),
      Key(
        "otlp.header_files", .headerFiles, into: \.pushing.settings.fieldFiles,
        example: "{Authorization: /run/credentials/procvitals.service/otlp}", otherwise: "none",
        "Headers whose values stand in files of one line. They are read for each push."),
      Key(
        "otlp.compression", .compression, into: \.pushing.settings.isCompressed, example: "none",
        "How requests are compressed."),
      Key(
        "otlp.ca_file", .absolutePath, into: \.pushing.settings.encryption.authorityFile,
        example: "/etc/procvitals/ca.pem", otherwise: "what the system trusts",
        "Authorities of which the receiver's certificate may be. After a push that failed all files are read again."
      ),
      Key(
        "otlp.cert_file", .absolutePath, into: \.pushing.settings.encryption.certificateFile,
        example: "/etc/procvitals/client.pem", otherwise: "none",
        "The certificate that is shown to the receiver, and those between it and its authority."),
      Key(
        "otlp.key_file", .absolutePath, into: \.pushing.settings.encryption.keyFile,
        example: "/etc/procvitals/client.key", otherwise: "none",
        "The certificate's key, not encrypted."),
      Key(
        "otlp.server_name", .text(bytes: 1...253), into: \.pushing.settings.encryption.serverName,
        example: "collector.example.com", otherwise: "that of the endpoint",
        "The name or address that the receiver's certificate has to be for."),
      Key(
        "otlp.insecure_skip_verify", .boolean,
        into: \.pushing.settings.encryption.skipsVerification,
        example: "true",
        "Whether any certificate will do. Whoever is on the way can then read the headers."),
      Key(
        "otlp.resource_attributes", .attributes, into: \.pushing.page.attributes,
        example: "{deployment.environment.name: production}", otherwise: "none",
        "Attributes of every resource, `host.name` among them if it should be another one. Labels of targets go before them."
      ),
      Key(
        "otlp.older_go_names", .boolean, into: \.pushing.page.hasOlderGoNames, example: "true",
        "Whether figures of Go programs go out under the older names `runtime.go.…`, too."),
    ]
  }

  private static let oneHour = Duration.seconds(3600)

  private static var forgetAfter: ValueType<Duration> { .duration(.seconds(1)...oneYear) }

  private static let oneYear = Duration.seconds(365 * 86_400)

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
      Key(
        "\(path).argv0", .oneOrMore(.glob("a program's first argument")),
        into: selector.appending(path: \.firstArguments),
        example: "'postgres: *'", argument: "argv0:GLOB",
        "The first word of the command line, which a program can change; one of the globs must fit."
      ),
      Key(
        "\(path).cmdline", .oneOrMore(.pattern),
        into: selector.appending(path: \.commandLines),
        example: "'-p (?<port>\\d+)'", argument: "cmdline:REGEX",
        """
        The command line, its words separated by blanks; all of the regular expressions must be \
        found in it. What named groups catch are variables for name and labels.
        """),
      Key(
        "\(path).user", .oneOrMore(.glob("a user's name or number")),
        into: selector.appending(path: \.users), example: "www-data", argument: "user:GLOB",
        "The effective user's name or number; one of the globs must fit."),
      Key(
        "\(path).group", .oneOrMore(.glob("a group's name or number")),
        into: selector.appending(path: \.groups), example: "www-data", argument: "group:GLOB",
        "The effective group's name or number; one of the globs must fit."),
      Key(
        "\(path).cgroup", .oneOrMore(.cgroup), into: selector.appending(path: \.cgroups),
        example: "/machine.slice/*", argument: "cgroup:GLOB",
        "The path of the control group; one of the globs must fit."),
      Key(
        "\(path).systemd_unit", .oneOrMore(.unit), into: selector.appending(path: \.units),
        example: "nginx.service", argument: "unit:GLOB",
        "The service or scope of the machine's service manager; one of the globs must fit."),
      Key(
        "\(path).container", .oneOrMore(.glob("a container's identifier or name, a pod's uid")),
        into: selector.appending(path: \.containers),
        example: "4a5b6c7d8e9f", argument: "container:GLOB",
        """
        The container's identifier, whole or its first twelve digits, its name where known, or its \
        pod's uid; one of the globs must fit.
        """),
      Key(
        "\(path).listen_port", .oneOrMore(.integer(1...65_535)),
        into: selector.appending(path: \.listenPorts), example: "[80, 443]", argument: "port:N",
        "A TCP port that a socket of the process listens at."),
      Key(
        "\(path).environment", .oneOrMore(.environmentCondition),
        into: selector.appending(path: \.environment),
        example: "APP=shop", argument: "environment:NAME=GLOB",
        "A variable of the environment the program was started with; one of the conditions must hold."
      ),
      Key(
        "\(path).parent", .text(bytes: 1...Limits.nameBytes),
        into: selector.appending(path: \.parent), example: "sshd", argument: "parent:TARGET",
        "The name of another target, as it stands in the file, that an ancestor belongs to."),
      Key(
        "\(path).min_age", .duration(.milliseconds(1)...oneYear),
        into: selector.appending(path: \.minimumAge), example: "30s", argument: "min-age:DURATION",
        "How long the process has been running at least."),
    ]
  }
}
