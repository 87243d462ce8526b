import Collector
import HTTPServer
import Logging
import TLS

extension Logger {
  /// Logs what is wrong with a configuration, a line for each mistake.
  func tell(_ failure: Failure, _ message: Message) {
    for line in failure.description.split(separator: "\n") {
      error(message, metadata: ["error": "\(line)"])
    }
  }

  /// Logs a change that a collection found.
  func tell(_ notice: Collector.Notice, _ telling: Recurrences.Telling = .asUsual) {
    let level = notice.level(telling)
    switch notice {
    case .up(let target, let pid, let processes):
      log(
        level: level, "target is up",
        metadata: ["target": "\(target)", "pid": "\(pid)", "processes": "\(processes)"])
    case .down(let target, let ended):
      log(
        level: level, "target is down", metadata: ["target": "\(target)", "ended": "\(ended)"])
    case .changed(let target, 1, let started, let left) where started > 0 && left > 0:
      log(
        level: level, "target has restarted",
        metadata: ["target": "\(target)", "starts": "\(started)"])
    case .changed(let target, let processes, let started, let left):
      log(
        level: level, "processes of target changed",
        metadata: [
          "target": "\(target)", "processes": "\(processes)", "started": "\(started)",
          "left": "\(left)",
        ])
    case .trouble(let target, let source, let reason, let detail):
      var metadata: Metadata = [
        "target": "\(target)", "source": "\(source)", "reason": "\(reason)",
      ]
      metadata["recurs"] = telling.recurs
      log(level: level, "\(detail), skipping", metadata: metadata)
    case .threshold(let target, let finding, let before):
      var metadata: Metadata = [
        "target": "\(target)", "threshold": "\(finding.name)",
        "status": "\(finding.status.rawValue)",
      ]
      metadata["recurs"] = telling.recurs
      let isWorse = finding.status > before
      log(
        level: level, "\(isWorse ? finding.sentence : finding.sentence(after: before))",
        metadata: metadata)
    case .exitRecords(nil):
      log(
        level: level, "exit accounting is active: what processes use until they end is counted")
    case .exitRecords(let failure?):
      log(
        level: level,
        "exit accounting is not active: what processes use after their last scrape may be lost",
        metadata: ["reason": "\(failure)"])
    case .processEvents(nil):
      log(level: level, "the kernel tells of new and changed processes: none is looked for")
    case .processEvents(let failure?):
      log(
        level: level,
        "the kernel does not tell of new and changed processes: they are looked for",
        metadata: ["reason": "\(failure)"])
    case .recovered(let target, let source, let reason):
      log(
        level: level, "readable again",
        metadata: ["target": "\(target)", "source": "\(source)", "reason": "\(reason)"])
    }
  }

  /// Logs what a collection found.
  func tell(_ news: News) {
    for (notice, telling) in news.notices { tell(notice, telling) }
    if news.omitted > 0 {
      warning(
        "more has changed than is told of one collection; /health and /api/v1/targets have all",
        metadata: ["changes": "\(news.omitted)"])
    }
  }
}

extension Collector.Notice {
  /// How important it is to somebody who reads the log.
  func level(_ telling: Recurrences.Telling) -> Logger.Level {
    switch self {
    case .up, .exitRecords, .processEvents: .notice
    case .down: .warning
    case .changed(_, 1, let started, let left) where started > 0 && left > 0: .notice
    // A target whose workers come and go would fill the log.
    case .changed: .debug
    case .trouble: telling == .quietly ? .debug : .warning
    case .recovered: telling == .quietly ? .debug : .notice
    case .threshold(_, let finding, let before):
      telling == .quietly ? .debug : finding.status > before ? .warning : .notice
    }
  }
}

extension Recurrences.Telling {
  fileprivate var recurs: Logger.MetadataValue? {
    self == .forTheLastTime
      ? "told at level debug for \(Recurrences.quietTime.components.seconds) s" : nil
  }
}

extension ServerStatistics {
  var rejectedCounts: [OwnState.Count] {
    [
      OwnState.Count("aborted", rejected.aborted), OwnState.Count("evicted", evicted),
      OwnState.Count("limit", rejected.limit), OwnState.Count("resources", rejected.resources),
    ]
  }
}

extension ServerStatistics {
  /// Connections that ended before they were encrypted; a plain request is answered instead.
  var handshakeCounts: [OwnState.Count] {
    let failures = HandshakeError.allCases.filter { $0 != .plainHTTP }.map {
      OwnState.Count("tls_\($0.rawValue)", handshakeFailures($0))
    }
    return (failures + [OwnState.Count("tls_timeout", timeouts.handshake)])
      .sorted { $0.name < $1.name }
  }
}

extension ServerStatistics.Open {
  var counts: [OwnState.Count] {
    [
      ("closing", closing), ("handshake", handshake), ("idle", idle), ("reading", reading),
      ("waiting", waiting),
      ("writing", writing),
    ].map { OwnState.Count($0.0, UInt64($0.1)) }
  }
}
