import Arguments
import Collector
import Linux
import Metrics
import ProcFS
import Targets

/// `procvitals explain`.
struct Explain: Command {
  static let name = "explain"
  static let about =
    "Tell which process belongs to which target, why the others do not, and what it costs."

  var source = SourceOptions()
  var pid: [Int32] = []

  static var options: [Option<Self>] {
    SourceOptions.options(at: \.source, section: "Targets")
      + [
        Option(
          "pid", .number(1...Int32.max), into: \.pid,
          "Tell about this process only; repeatable.")
      ]
  }

  /// How long processes may take to say what they were started with.
  private static let patience = Duration.seconds(5)

  func run() throws {
    let settings = try source.settings()
    try source.checkMounts()
    do throws(Errno) {
      let collector = try Collector(
        root: try ProcRoot(path: source.procPath, facts: .current()),
        cgroups: CgroupTree(path: source.cgroupPath), settings: settings, loop: try EventLoop(),
        waiter: try Waiter())
      let own = OwnState(version: Version.number)
      // The first collection takes hold of everything; what the next ones cost shows the second.
      _ = collector.collect(own)
      let start = Instant.now
      let outcome = collector.collect(own, [.page(), .details])
      let seconds = (.now - start).seconds
      let explanations = try collector.explain(
        pid.isEmpty ? nil : pid, until: .now + Self.patience)
      let report = ExplainReport(
        rules: settings.targets.map { $0.rule.name.description }, targets: outcome.details,
        processes: explanations, seconds: seconds, pageBytes: (outcome.pages[Form()] ?? []).count)
      let found = Set(explanations.map(\.pid))
      let missing = pid.filter { !found.contains($0) }.map { "  \($0): no such process\n" }
      let text = report.text(isDetailed: !pid.isEmpty) + missing.joined()
      try writeAll(Array(text.utf8), to: 1)
    } catch {
      throw Failure.running("the collection failed: \(error)")
    }
  }
}

/// What `explain` prints.
struct ExplainReport {
  /// The names of the rules, in their order.
  let rules: [String]
  let targets: [TargetDetails]
  let processes: [Explanation]
  /// How long a collection takes.
  let seconds: Double
  let pageBytes: Int

  /// Rules that are told of one process where every process is told of.
  private static let ruleLimit = 8

  /// The whole text.
  ///
  /// - Parameter isDetailed: Whether each rule gets a line of its own below a process.
  /// - Returns: Lines, each with its end.
  func text(isDetailed: Bool) -> String {
    var text = "targets\n"
    for target in targets {
      text +=
        "  \(name(target.key)): \(target.processCount) processes, \(target.series) series\n"
      for failure in target.failures where failure.isStanding {
        let trouble = failure.trouble
        text += "    \(trouble.source.label) cannot be read: \(trouble.reason.rawValue)\n"
      }
      for finding in target.crossed { text += "    \(finding.sentence)\n" }
    }
    let total = targets.reduce(0) { $0 + $1.series }
    text +=
      "a scrape: \(total) series of targets in \(pageBytes) bytes, \(milliseconds) ms\nprocesses\n"
    for process in processes {
      text += "  \(process.pid) \(printable(process.name.bytes)): \(summary(process, isDetailed))\n"
      if isDetailed {
        for (rule, verdict) in zip(rules, process.rules) {
          text += "    \(printable(rule)): \(words(verdict))\n"
        }
      }
    }
    return text
  }

  private var milliseconds: String {
    let hundredths = Int((seconds * 1e5).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  private func summary(_ process: Explanation, _ isDetailed: Bool) -> String {
    if let target = process.target {
      let how = target.isInherited ? ", because an ancestor does" : ""
      return "belongs to \(name(target.key))\(how)"
    }
    if isDetailed { return "belongs to no target" }
    let failures = zip(rules, process.rules).prefix(Self.ruleLimit).map {
      "\(printable($0)): \(words($1))"
    }
    let more = rules.count > failures.count ? "; and \(rules.count - failures.count) more" : ""
    return "no target (" + failures.joined(separator: "; ") + more + ")"
  }

  private func words(_ verdict: Explanation.Verdict) -> String {
    switch verdict {
    case .fits: "fits"
    case .fails(let condition): "\(condition.rawValue) does not hold"
    case .unsure(let condition, let trouble):
      "\(condition.rawValue) cannot be checked: \(trouble.source.label) \(trouble.reason.rawValue)"
    case .late: "it has not said in time what it was started with"
    }
  }

  private func name(_ key: TargetKey) -> String {
    let labels = key.labels.map { "\($0.name)=\"\(printable($0.value))\"" }
    return printable(key.name)
      + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}")
  }
}
