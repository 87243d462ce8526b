import Collector
import HTTPServer
import Page
import Patterns
import Targets

/// What is answered at `/api/v1/targets`.
///
/// - Shape:
///
///       {"version": 1,
///        "targets": [
///          {"name": "db", "labels": {"port": "5432"},
///           "selectors": ["process_name: postgres", "environment: PGDATA=<secret>"],
///           "exclude": [["user: backup"]], "children": false, "per_process": false,
///           "groups": ["core", "cpu"], "up": true, "process_count": 1,
///           "processes": [{"pid": 812, "start_time": 1700000001.5, "name": "postgres",
///                          "inherited": false}],
///           "starts": 1, "restarts": 0,
///           "exits": [{"reason": "exited", "status": "1", "count": 2}],
///           "troubles": [{"source": "io", "reason": "denied", "count": 7, "standing": true}],
///           "series": 40}],
///        "omitted": 0}
///
///   Targets come by name. Of one target the first 100 processes are told; `omitted` is how many
///   targets have no place in ``byteLimit``. `start_time` is in seconds since 1970; `series` are the
///   samples of the last page without those of `procvitals_…`. What a later version adds are new
///   members only.
enum TargetsPage {
  /// Bytes of all targets together.
  static let byteLimit = 1 << 20

  static func text(_ targets: [TargetDetails], byteLimit: Int = byteLimit) -> String {
    var shown: [String] = []
    var bytes = 0
    for target in targets {
      let line = target.json.line
      bytes += line.utf8.count + 1
      if bytes > byteLimit { break }
      shown.append(line)
    }
    return #"{"version":1,"targets":["# + shown.joined(separator: ",")
      + #"],"omitted":\#(targets.count - shown.count)}"# + "\n"
  }
}

extension TargetDetails {
  fileprivate var json: JSON {
    .object([
      "name": .text(key.name),
      "labels": .members(key.labels.map { ($0.name, .text($0.value)) }),
      "selectors": .texts(rule.selector.words),
      "exclude": .list(rule.exclusions.map { .texts($0.words) }),
      "children": .truth(rule.includesChildren),
      "per_process": .truth(rule.isPerProcess),
      "groups": .texts(groups.map(\.rawValue)),
      "up": .truth(processCount > 0),
      "process_count": .whole(processCount),
      "processes": .list(
        processes.map { process in
          .object([
            "pid": .whole(Int(process.pid)), "start_time": .real(process.startSeconds),
            "name": .text(process.name), "inherited": .truth(process.isInherited),
          ])
        }),
      "starts": .whole(Int(clamping: starts)),
      "restarts": .whole(Int(clamping: restarts)),
      "exits": .list(
        exits.map { exit, count in
          .object([
            "reason": .text(exit.reason.rawValue), "status": .text(exit.status),
            "count": .whole(Int(clamping: count)),
          ])
        }),
      "troubles": .list(
        failures.map { failure in
          .object([
            "source": .text(failure.trouble.source.label),
            "reason": .text(failure.trouble.reason.rawValue),
            "count": .whole(Int(clamping: failure.count)), "standing": .truth(failure.isStanding),
          ])
        }),
      "series": .whole(series),
    ])
  }
}
