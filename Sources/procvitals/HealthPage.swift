import Collector
import HTTPServer
import Linux
import Targets

extension Response {
  /// Fields of an answer that was made for this one request.
  static let fresh = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]

  /// An answer that was made for this one request, of text that is UTF-8.
  static func json(_ text: [UInt8], _ status: Status = .ok) -> Response {
    Response(status, contentType: "application/json", body: text, fields: fresh)
  }
}

/// What is answered at `/health`.
extension Health {
  var json: JSON {
    .object([
      "status": .text(status.rawValue),
      "targets": .list(
        targets.map { target in
          .object([
            "name": .text(target.name), "status": .text(target.status.rawValue),
            "processes": .whole(target.processes),
            "unreadable": .list(
              target.troubles.map {
                .object(["source": .text($0.source.label), "reason": .text($0.reason.rawValue)])
              }),
            "thresholds": .list(target.thresholds.map(\.json)),
          ])
        }),
      "rights": rights.json,
    ])
  }
}

extension Threshold.Finding {
  fileprivate var json: JSON {
    .object([
      "name": .text(name), "value": .number(value), "degraded": .number(levels.degraded),
      "failing": .number(levels.failing), "status": .text(status.rawValue),
    ])
  }
}

extension Rights {
  fileprivate var json: JSON {
    .object([
      "capabilities": .texts(effective.sorted().map(\.rawValue)),
      "denied": .list(
        gaps.map { gap in
          .object([
            "source": .text(gap.source), "targets": .texts(gap.targets),
            "families": .texts(gap.families), "needs": .texts(gap.needs.map(\.rawValue)),
          ])
        }),
      "drop_in": dropIn.map(JSON.text) ?? .null,
    ])
  }
}
