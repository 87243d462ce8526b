/// An exposition format: how families and samples are written.
package enum Format: String, Sendable, CaseIterable {
  /// The Prometheus text format, version 0.0.4 and version 1.0.0, which differ in their media types
  /// only.
  case text = "text"
  case text1 = "text-1.0.0"
  /// OpenMetrics, version 0.0.1 and version 1.0.0, which differ in their media types only.
  case openMetrics0 = "openmetrics-0.0.1"
  case openMetrics1 = "openmetrics"
  /// Length-delimited messages of type `io.prometheus.client.MetricFamily`.
  case protobuf
  /// An array of families, for scripts; see ``PageEncoder``.
  case json

  /// How labels and numbers are written.
  package var style: Style {
    switch self {
    case .text, .text1, .openMetrics0, .openMetrics1: .text
    case .protobuf: .protobuf
    case .json: .json
    }
  }

  /// The media type of a page.
  ///
  /// - Parameter escaping: How names are escaped that are not those of Prometheus before version 3;
  ///   nil, or a format older than that, leaves the parameter out.
  /// - Returns: The value of the field `Content-Type`.
  package func contentType(escaping: Escaping? = nil) -> String {
    let type =
      switch self {
      case .text: "text/plain; version=0.0.4; charset=utf-8"
      case .text1: "text/plain; version=1.0.0; charset=utf-8"
      case .openMetrics0: "application/openmetrics-text; version=0.0.1; charset=utf-8"
      case .openMetrics1: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      case .protobuf:
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily;"
          + " encoding=delimited"
      case .json: "application/json"
      }
    switch self {
    case .text, .openMetrics0, .json: return type
    case .text1, .openMetrics1, .protobuf:
      return escaping.map { "\(type); escaping=\($0.rawValue)" } ?? type
    }
  }
}

/// What becomes of characters in names that older versions of Prometheus do not have.
///
/// The names of this program have none, so all of these write the same.
package enum Escaping: String, Sendable, CaseIterable {
  case allowUTF8 = "allow-utf-8"
  case underscores
  case values
}
