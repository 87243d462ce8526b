import ArgumentParser
import Collector
import Config
import HTTPServer
import Linux
import Logging
import Metrics
import ProcFS
import Targets

/// Which processes, and where they appear.
struct SourceOptions: ParsableArguments {
  static let defaultConfigFile = "/etc/procvitals/procvitals.yaml"

  @Option(
    name: [.customLong("config.file"), .customLong("config.path")],
    help: ArgumentHelp(
      "The configuration file, procvitals' own or process-exporter's (default: \(defaultConfigFile) when it exists).",
      valueName: "file"))
  var configFile: String?

  @Option(
    name: .customLong("target"),
    help: ArgumentHelp(
      "A target beside those of the file; repeatable. A selector is \(Configuration.selectorForms).",
      valueName: "name=selector"))
  var targets: [String] = []

  @OptionGroup var mounts: MountOptions

  @OptionGroup(title: "As process-exporter has them") var processExporter: ProcessExporterOptions

  var procPath: String { mounts.procPath }
  var cgroupPath: String { mounts.cgroupPath }

  /// The file to read, now and at every reload; nil for none.
  var configurationFile: String? {
    configFile ?? (processExporter.flags.chooses ? nil : Self.existingDefault)
  }

  /// The settings at the start.
  func settings() throws -> CollectorSettings {
    try settings(configurationFile, ownPid: ownPid).collector
  }

  /// Reads the configuration and adds what the command line says.
  ///
  /// - Parameters:
  ///   - path: The configuration file; nil for none.
  ///   - ownPid: This process' number where the targets appear.
  /// - Returns: The checked settings.
  /// - Throws: `Failure`.
  func settings(_ path: String?, ownPid: Int32) throws -> Configuration {
    completed(try configuration(path), ownPid: ownPid)
  }

  /// Reads the configuration and adds the targets of the command line.
  ///
  /// - Parameter path: The configuration file; nil for none.
  /// - Returns: The checked configuration.
  /// - Throws: `Failure`.
  func configuration(_ path: String?) throws -> Configuration {
    let flags = processExporter.flags
    if path != nil, flags.chooses {
      throw Failure.usage(
        "--procnames and --namemapping choose processes instead of a configuration file; give"
          + " either them or --config.file")
    }
    do throws(ConfigError) {
      var configuration = Configuration()
      if let path {
        configuration = try Configuration.load(path: path, isRequired: configFile != nil, flags)
      } else if flags.chooses {
        configuration = try Configuration.processExporter(flags)
      }
      try configuration.add(targetArguments: targets)
      return configuration
    } catch {
      throw Failure.usage(error.description)
    }
  }

  /// Without targets the daemon watches itself.
  func completed(_ configuration: Configuration, ownPid: Int32) -> Configuration {
    var configuration = configuration
    if configuration.collector.targets.isEmpty, !configuration.isProcessExporter {
      // The built-in default: the first start shows real figures.
      let rule = Rule(name: "procvitals", selector: Selector(pid: ownPid))
      configuration.collector.targets = [
        TargetSettings(rule: rule, selection: configuration.defaultSelection)
      ]
    }
    return configuration
  }

  /// This process' number where the targets appear.
  var ownPid: Int32 {
    (try? ProcRoot(path: procPath, facts: .current()).ownPid) ?? processID()
  }

  private static var existingDefault: String? {
    let places = [defaultConfigFile, Configuration.directory(of: defaultConfigFile)]
    return places.contains(where: exists) ? defaultConfigFile : nil
  }

  private static func exists(_ path: String) -> Bool {
    do throws(Errno) {
      _ = try openFile(path, .path)
      return true
    } catch {
      // One that exists but cannot be reached is an error that loading reports.
      return error != .notFound
    }
  }

  func checkMounts() throws { try mounts.check() }
}

/// Where the kernel's file systems are mounted.
struct MountOptions: ParsableArguments {
  private static let defaultSysPath = "/sys"

  @Option(
    name: .customLong("path.procfs"),
    help: ArgumentHelp("Where the proc file system is mounted.", valueName: "directory"))
  var procPath = "/proc"

  @Option(
    name: .customLong("path.sysfs"),
    help: ArgumentHelp("Where the sysfs file system is mounted.", valueName: "directory"))
  var sysPath = Self.defaultSysPath

  /// Where control groups are mounted.
  var cgroupPath: String { sysPath + "/fs/cgroup" }

  /// Checks that processes can be listed at all, before anything starts.
  ///
  /// Without sysfs only what is known of control groups is missing, so it is expected to be there
  /// only if somebody says where.
  func check() throws {
    do throws(Errno) {
      _ = try ProcRoot(path: procPath, facts: .current())
    } catch {
      throw Failure.usage(
        "--path.procfs=\(procPath): cannot be opened: \(error); expected a mounted proc file system"
      )
    }
    if sysPath == Self.defaultSysPath { return }
    do throws(Errno) {
      _ = try openFile(sysPath, [.path, .directory])
    } catch {
      throw Failure.usage(
        "--path.sysfs=\(sysPath): cannot be opened: \(error); expected a mounted sysfs file system")
    }
  }
}

/// Encryption, users and fields of the server.
struct WebConfigOptions: ParsableArguments {
  @Option(
    name: .customLong("web.config.file"),
    help: ArgumentHelp(
      "The web configuration, as Prometheus' exporters have it: TLS, users, header fields, rate limit.",
      valueName: "file"))
  var file: String?

  /// The file's path; nil for none, which exporters also say with an empty one.
  var path: String? { file.flatMap { $0.isEmpty ? nil : $0 } }
}

/// How the daemon serves.
struct WebOptions: ParsableArguments {
  @Option(
    name: .customLong("web.listen-address"),
    help: ArgumentHelp(
      "Where to listen: HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH or vsock://:PORT; repeatable (default: :9656, or process-exporter's :9256 with its configuration).",
      valueName: "address"))
  var listenAddresses: [String] = []

  @Flag(
    name: .customLong("web.systemd-socket"),
    help: "Listen where the socket unit of systemd says; listen addresses count for nothing then.")
  var takesSystemdSockets = false

  @Option(
    name: .customLong("web.telemetry-path"),
    help: ArgumentHelp("The path of the metrics.", valueName: "path"))
  var telemetryPath = "/metrics"

  @Option(
    name: .customLong("web.external-url"),
    help: ArgumentHelp(
      "The URL that others reach this at, for links; its path stands before that of every endpoint.",
      valueName: "url"))
  var externalURL: String?

  @Option(
    name: .customLong("web.route-prefix"),
    help: ArgumentHelp(
      "What stands before the path of every endpoint (default: the path of --web.external-url).",
      valueName: "path"))
  var routePrefix: String?

  @Option(
    name: .customLong("web.allowed-hosts"),
    help: ArgumentHelp(
      "A host that requests may be for, without port; repeatable (default: any).",
      valueName: "host"))
  var allowedHosts: [String] = []

  @Option(
    name: .customLong("web.max-requests"),
    help: ArgumentHelp("Scrapes that may wait at the same time.", valueName: "n"))
  var maxRequests = 40

  @Option(
    name: .customLong("web.max-connections"),
    help: ArgumentHelp("Connections that may be open at the same time.", valueName: "n"))
  var maxConnections = 512

  @OptionGroup var config: WebConfigOptions
  @OptionGroup var times: WebTimes

  @Flag(
    name: .customLong("web.enable-lifecycle"),
    help: "Let POST and PUT at /-/reload read the configuration anew.")
  var enablesLifecycle = false

  @Flag(
    name: .customLong("web.created-timestamps"),
    help: "Say in OpenMetrics since when each counter counts, as one more sample (…_created).")
  var writesCreated = false

  func paths() throws -> WebPaths {
    try WebPaths(externalURL: externalURL, routePrefix: routePrefix)
  }

  func addresses(likeProcessExporter: Bool = false) throws -> [ListenAddress] {
    let standard = likeProcessExporter ? ":9256" : ":9656"
    let texts = listenAddresses.isEmpty ? [standard] : listenAddresses
    return try texts.map { text in
      do throws(ListenAddress.ParseError) {
        return try ListenAddress(text)
      } catch {
        throw Failure.usage("--web.listen-address=\(text): \(error.sentence)")
      }
    }
  }

  func check() throws {
    if !telemetryPath.hasPrefix("/") || telemetryPath == "/" {
      throw Failure.usage(
        "--web.telemetry-path=\(telemetryPath): expected a path like /metrics")
    }
    _ = try paths()
    for host in allowedHosts where !AllowedHosts.isHost(host) {
      throw Failure.usage(
        "--web.allowed-hosts=\(host): expected a host without port, like example.org or [::1]")
    }
    for (name, value) in [
      ("--web.max-requests", maxRequests), ("--web.max-connections", maxConnections),
    ] where !(1...100_000).contains(value) {
      throw Failure.usage("\(name)=\(value): expected a number from 1 to 100000")
    }
    var limits = Limits()
    try times.apply(to: &limits)
  }
}

extension ListenAddress.ParseError {
  fileprivate var sentence: String {
    let forms = "expected HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH or vsock://:PORT"
    return switch self {
    case .empty: forms
    case .noPort: "there is no port; \(forms)"
    case .badPort(let port): "\"\(port)\" is not a port; expected a number from 0 to 65535"
    case .badHost(let host):
      "\"\(host)\" is not an address; expected an IPv4 address, [an IPv6 address] or localhost"
    case .unixPathTooLong(let limit): "the path is too long; expected at most \(limit) bytes"
    }
  }
}

/// What is logged, and how.
struct LogOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case logfmt, json
  }

  enum Level: String, ExpressibleByArgument, CaseIterable {
    case debug, info, notice, warning, error

    var level: Logger.Level {
      switch self {
      case .debug: .debug
      case .info: .info
      case .notice: .notice
      case .warning: .warning
      case .error: .error
      }
    }
  }

  @Option(
    name: .customLong("log.level"),
    help: ArgumentHelp("The least important messages that are logged.", valueName: "level"))
  var level = Level.info

  @Option(
    name: .customLong("log.format"),
    help: ArgumentHelp("How messages are written to standard error.", valueName: "format"))
  var format = Format.logfmt

  var style: LogLine.Style { LogLine.Style(format) }

  func logger(_ sink: LogSink) -> Logger {
    let level = level.level
    return Logger(label: "procvitals") { _ in LineHandler(logLevel: level, sink: sink) }
  }
}
