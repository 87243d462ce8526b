/// An exposition format: how families and samples are written.
package enum Format: String, Sendable, CaseIterable {
  /// The Prometheus text format, version 0.0.4 and version 1.0.0.
  case text = "text"
  case text1 = "text-1.0.0"
  /// OpenMetrics, version 0.0.1 and version 1.0.0.
  case openMetrics0 = "openmetrics-0.0.1"
  case openMetrics1 = "openmetrics"
  /// Length-delimited messages of type `io.prometheus.client.MetricFamily`.
  case protobuf
}
