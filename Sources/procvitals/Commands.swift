import Arguments
import Collector
import Config
import Linux
import Metrics
import ProcFS
import Systemd

/// `procvitals serve`, which is also what the bare command does.
struct Serve: Command {
  static let name = "serve"
  static let about = "Serve metrics over HTTP until told to stop (default)."

  var source = SourceOptions()
  var web = WebOptions()
  var log = LogOptions()

  static var options: [Option<Self>] {
    SourceOptions.options(at: \.source, section: "Targets")
      + WebOptions.options(at: \.web, section: "Web")
      + LogOptions.options(at: \.log, section: "Log")
  }

  func run() throws {
    // Before anything is opened or any thread starts.
    let sockets = web.takesSystemdSockets ? passedSockets() : []
    try web.check()
    try source.checkMounts()
    let daemon = try Daemon(source: source, web: web, log: log, sockets: sockets)
    try daemon.run()
  }
}

/// `procvitals check`.
struct Check: Command {
  static let name = "check"
  static let about = "Check the configuration and exit: 0 if it is valid, 2 if not."

  var source = SourceOptions()
  var web = WebConfigOptions()

  static var options: [Option<Self>] {
    SourceOptions.options(at: \.source, section: "Targets")
      + WebConfigOptions.options(at: \.web, section: "Web")
  }

  func run() throws {
    // All that is wrong, in whichever file.
    var failures: [Failure] = []
    var configuration = Configuration()
    do {
      configuration = try source.configuration(source.configurationFile)
    } catch let failure as Failure {
      failures.append(failure)
    }
    do throws(Failure) {
      if let path = web.path { _ = try WebConfigSource(path: path).read() }
    } catch {
      failures.append(error)
    }
    if let first = failures.first {
      let text = failures.map(\.description).joined(separator: "\n")
      throw Failure(code: first.code, description: text)
    }
    for file in configuration.files + (web.path.map { [$0] } ?? []) { print("read \(file)") }
    let count = source.completed(configuration, ownPid: source.ownPid).collector.targets.count
    print("valid: \(count) \(count == 1 ? "target" : "targets")")
  }
}

/// `procvitals once`.
struct Once: Command {
  static let name = "once"
  static let about = "Collect once and print the page."

  var source = SourceOptions()
  var format = Metrics.Format.text

  static var options: [Option<Self>] {
    SourceOptions.options(at: \.source, section: "Targets")
      + [Option("format", .word, into: \.format, "The format of the page.")]
  }

  func run() throws {
    let settings = try source.settings()
    try source.checkMounts()
    do throws(Errno) {
      let waiter = try Waiter()
      let collector = try Collector(
        root: try ProcRoot(path: source.procPath, facts: .current()),
        cgroups: CgroupTree(path: source.cgroupPath), settings: settings, loop: try EventLoop(),
        waiter: waiter)
      var own = OwnState(version: Version.number)
      let now = wallClockSeconds()
      (own.startSeconds, own.config.loadedSeconds) = (now, now)
      let form = Form(format: format)
      try writeAll(collector.collect(own, [.page(form)]).pages[form] ?? [], to: 1)
    } catch {
      throw Failure.running("the collection failed: \(error)")
    }
  }
}

/// `procvitals metrics`.
struct ListMetrics: Command {
  static let name = "metrics"
  static let about = "Print the reference of all metrics."

  var format = Reference.Format.markdown

  static var options: [Option<Self>] {
    [Option("format", .word, into: \.format, "The format of the reference.")]
  }

  func run() throws {
    do throws(Errno) {
      try writeAll(Array(Reference.render(format).utf8), to: 1)
    } catch {
      throw Failure.running("the reference cannot be written: \(error)")
    }
  }
}
