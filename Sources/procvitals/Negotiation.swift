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
    var best: (format: Format, member: Preference, place: Int)?
    for format in Self.offered {
      // What names a format most closely says how much it is wanted.
      var closest: (closeness: Int, place: Int)?
      for (place, member) in members.enumerated() {
        guard let closeness = format.closeness(member) else { continue }
        if let closest {
          if closeness < closest.closeness { continue }
          if closeness == closest.closeness, member.quality <= members[closest.place].quality {
            continue
          }
        }
        closest = (closeness, place)
      }
      guard let place = closest?.place, members[place].quality > 0 else { continue }
      if let best {
        if members[place].quality < best.member.quality { continue }
        if members[place].quality == best.member.quality, place >= best.place { continue }
      }
      best = (format, members[place], place)
    }
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
  static func metrics(_ page: [UInt8], _ negotiation: Negotiation, start: Int) -> Response {
    var fields = [
      ("Vary", "Accept, Accept-Encoding"), ("Process-Start-Time-Unix", String(start)),
    ]
    if Compressor.isMember(page) { fields.append(("Content-Encoding", "gzip")) }
    return Response(
      .ok, contentType: negotiation.contentType, body: page, fields: fields + fresh)
  }
}
