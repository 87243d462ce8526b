import Arguments
import Collector
import Config
import HTTPServer
import Linux
import Logging
import Metrics
import ProcFS
import Targets

/// Which processes, and where they appear.
struct SourceOptions: Options {
  static let defaultConfigFile = "/etc/procvitals/procvitals.yaml"

  var configFile: String?
  var targets: [String] = []
  var mounts = MountOptions()
  var processExporter = ProcessExporterOptions()

  static var options: [Option<Self>] {
    [
      Option(
        "config.file", .file, into: \.configFile, synonym: "config.path",
        "The configuration file, procvitals' own or process-exporter's (default: \(defaultConfigFile) when it exists)."
      ),
      Option(
        "target", .text("name=selector"), into: \.targets,
        "A target beside those of the file; repeatable. A selector is \(Configuration.selectorForms)."
      ),
    ] + MountOptions.options(at: \.mounts)
      + ProcessExporterOptions.options(
        at: \.processExporter, section: "As process-exporter has them")
  }

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
        TargetSettings(
          rule: rule, selection: configuration.defaultSelection,
          thresholds: configuration.thresholds.inForce(configuration.defaultSelection))
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
struct MountOptions: Options {
  private static let defaultSysPath = "/sys"

  var procPath = "/proc"
  var sysPath = Self.defaultSysPath

  static var options: [Option<Self>] {
    [
      Option(
        "path.procfs", .directory, into: \.procPath, "Where the proc file system is mounted."),
      Option(
        "path.sysfs", .directory, into: \.sysPath, "Where the sysfs file system is mounted."),
    ]
  }

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
struct WebConfigOptions: Options {
  var file: String?

  static var options: [Option<Self>] {
    [
      Option(
        "web.config.file", .file, into: \.file,
        "The web configuration, as Prometheus' exporters have it: TLS, users, header fields, rate limit."
      )
    ]
  }

  /// The file's path; nil for none, which exporters also say with an empty one.
  var path: String? { file.flatMap { $0.isEmpty ? nil : $0 } }
}

/// How the daemon serves.
struct WebOptions: Options {
  var listenAddresses: [String] = []
  var takesSystemdSockets = false
  var telemetryPath = "/metrics"
  var externalURL: String?
  var routePrefix: String?
  var allowedHosts: [String] = []
  var maxRequests = 40
  var maxConnections = 512
  var config = WebConfigOptions()
  var times = WebTimes()
  var enablesLifecycle = false
  var writesCreated = false

  static var options: [Option<Self>] {
    [
      Option(
        "web.listen-address", .text("address"), into: \.listenAddresses,
        "Where to listen: HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH or vsock://:PORT; repeatable (default: :9656, or process-exporter's :9256 with its configuration)."
      ),
      Option(
        flag: "web.systemd-socket", into: \.takesSystemdSockets,
        "Listen where the socket unit of systemd says; listen addresses count for nothing then."),
      Option(
        "web.telemetry-path", .text("path"), into: \.telemetryPath, "The path of the metrics."),
      Option(
        "web.external-url", .text("url"), into: \.externalURL,
        "The URL that others reach this at, for links; its path stands before that of every endpoint."
      ),
      Option(
        "web.route-prefix", .text("path"), into: \.routePrefix,
        "What stands before the path of every endpoint (default: the path of --web.external-url)."),
      Option(
        "web.allowed-hosts", .text("host"), into: \.allowedHosts,
        "A host that requests may be for, without port; repeatable (default: any)."),
      Option(
        "web.max-requests", .number(1...100_000), into: \.maxRequests,
        "Scrapes that may wait at the same time."),
      Option(
        "web.max-connections", .number(1...100_000), into: \.maxConnections,
        "Connections that may be open at the same time."),
    ] + WebConfigOptions.options(at: \.config) + WebTimes.options(at: \.times) + [
      Option(
        flag: "web.enable-lifecycle", into: \.enablesLifecycle,
        "Let POST and PUT at /-/reload read the configuration anew."),
      Option(
        flag: "web.created-timestamps", into: \.writesCreated,
        "Say in OpenMetrics since when each counter counts, as one more sample (…_created)."),
    ]
  }

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
struct LogOptions: Options {
  enum Format: String, CaseIterable {
    case logfmt, json
  }

  enum Level: String, CaseIterable {
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

  var level = Level.info
  var format = Format.logfmt

  static var options: [Option<Self>] {
    [
      Option("log.level", .word, into: \.level, "The least important messages that are logged."),
      Option(
        "log.format", .word, into: \.format, "How messages are written to standard error."),
    ]
  }

  var style: LogLine.Style { LogLine.Style(format) }

  func logger(_ sink: LogSink) -> Logger {
    let level = level.level
    return Logger(label: "procvitals") { _ in LineHandler(logLevel: level, sink: sink) }
  }
}
