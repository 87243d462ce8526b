import Collector
import Gzip
import HTTPServer
import Metrics

/// In what format a page of metrics is answered, as the field Accept has it.
///
/// Nobody is refused: whoever names nothing that there is gets the text format, version 0.0.4.
/// - Source: RFC 9110, section 12.5.1; "Content negotiation" of the Prometheus documentation.
struct Negotiation: Equatable {
  let format: Format
  /// What names are escaped by, as it is told; nil where nobody asks.
  let escaping: Escaping?

  /// What is served; of those that are wanted equally the first one is taken.
  private static let offered: [Format] = [.text, .openMetrics1, .text1, .openMetrics0, .protobuf]

  init(_ members: [Preference]) {
    let wanted = Self.offered.enumerated().compactMap { rank, format in
      // What names a format most closely says how much it is wanted.
      members.enumerated().compactMap { place, member in
        format.closeness(member).map { (order: ($0, member.quality, -place), member: member) }
      }
      .max { $0.order < $1.order }
      .map { closest in
        (
          format: format, member: closest.member,
          order: (closest.member.quality, closest.order.2, -rank)
        )
      }
    }
    let best = wanted.filter { $0.member.quality > 0 }.max { $0.order < $1.order }
    format = best?.format ?? .text
    let asked = best?.member["escaping"]
    switch format {
    case .text, .openMetrics0, .json: escaping = nil
    case .protobuf where asked == nil: escaping = nil
    // No name of this program needs to be escaped, but for `dots`, which doubles underscores.
    default: escaping = asked.flatMap(Escaping.init) ?? .underscores
    }
  }

  var contentType: String { format.contentType(escaping: escaping) }
}

extension Format {
  /// How closely a member of Accept names a format: 3 is by its version, 0 is as anything at all; nil
  /// if it means others.
  fileprivate func closeness(_ member: Preference) -> Int? {
    let type: String
    let version: String
    switch self {
    case .text: (type, version) = ("text/plain", "0.0.4")
    case .text1: (type, version) = ("text/plain", "1.0.0")
    case .openMetrics0: (type, version) = ("application/openmetrics-text", "0.0.1")
    case .openMetrics1: (type, version) = ("application/openmetrics-text", "1.0.0")
    case .protobuf:
      // Only for those who know what it is.
      return member.value == "application/vnd.google.protobuf"
        && member["proto"] == "io.prometheus.client.MetricFamily"
        && member["encoding"] == "delimited" ? 3 : nil
    case .json: return nil
    }
    switch member.value {
    case type:
      guard let asked = member["version"] else { return 2 }
      return asked == version ? 3 : nil
    case "*/*": return 0
    default:
      return member.value.hasSuffix("/*") && type.hasPrefix(member.value.dropLast()) ? 1 : nil
    }
  }
}

extension Response {
  /// A page of metrics.
  ///
  /// - Parameters:
  ///   - page: The page, which may be one gzip member.
  ///   - negotiation: What was chosen for the request.
  ///   - start: When the daemon started, in seconds since 1970.
  /// - Returns: The answer, which nobody may keep.
  static func metrics(_ page: [UInt8], _ negotiation: Negotiation, start: Double) -> Response {
    var fields = [
      ("Vary", "Accept, Accept-Encoding"), ("Process-Start-Time-Unix", String(Int(start))),
    ]
    if Compressor.isMember(page) { fields.append(("Content-Encoding", "gzip")) }
    return Response(
      .ok, contentType: negotiation.contentType, body: page, fields: fields + fresh)
  }
}
