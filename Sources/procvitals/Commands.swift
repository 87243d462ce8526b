import ArgumentParser
import Collector
import Config
import Linux
import Metrics
import ProcFS
import Systemd

/// `procvitals serve`, which is also what the bare command does.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve metrics over HTTP until told to stop (default).")

  @OptionGroup(title: "Targets") var source: SourceOptions
  @OptionGroup(title: "Web") var web: WebOptions
  @OptionGroup(title: "Log") var log: LogOptions

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
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the configuration and exit: 0 if it is valid, 2 if not.")

  @OptionGroup(title: "Targets") var source: SourceOptions
  @OptionGroup(title: "Web") var web: WebConfigOptions

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
struct Once: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Collect once and print the page.")

  @OptionGroup(title: "Targets") var source: SourceOptions
  @Option(help: "The format of the page.") var format = Metrics.Format.text

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
struct ListMetrics: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Print the reference of all metrics.")

  @Option(help: "The format of the reference.") var format = Reference.Format.markdown

  func run() throws {
    do throws(Errno) {
      try writeAll(Array(Reference.render(format).utf8), to: 1)
    } catch {
      throw Failure.running("the reference cannot be written: \(error)")
    }
  }
}

extension Reference.Format: ExpressibleByArgument {}
extension Metrics.Format: ExpressibleByArgument {}
