import Collector
import Config
import Linux
import Logging
import Metrics
import OTLP

/// Pushing to an OpenTelemetry receiver, as the daemon has it.
///
/// Belongs to the loop.
final class Pusher {
  /// How long the last push may take, of which the service manager waits longer.
  private static let lastPushTime = Duration.seconds(4)

  private let exporter: Exporter
  private let log: Logger
  /// What the next page has beside the values.
  private var page = Push()

  /// A pusher that does nothing before it is configured.
  ///
  /// - Parameters:
  ///   - loop: Where it belongs.
  ///   - scrapes: Who has pages made.
  ///   - log: Where changes are told.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(_ loop: EventLoop, _ scrapes: Scrapes, _ log: Logger) throws(Errno) {
    exporter = try Exporter(loop)
    self.log = log
    exporter.collect = { [unowned self, unowned scrapes] in scrapes.start(pushing: page) }
    exporter.didChange = { [unowned self] in tell($0) }
    scrapes.push = { [unowned self] in exporter.take($0) }
  }

  /// Takes over settings; what is the same as before goes on.
  func configure(_ pushing: Pushing) {
    page = pushing.page
    page.host =
      page.attributes.first { $0.name == "host.name" }?.value ?? hostName()
    exporter.configure(pushing.settings)
  }

  /// Pushes once more, if it pushes, and stops.
  func finish(then: @escaping () -> Void) {
    exporter.finish(within: Self.lastPushTime, then: then)
  }

  /// What came of pushes; nil if there never was anything to push to.
  var exports: OwnState.Exports? {
    if exporter.settings == nil, exporter.counts.allSatisfy({ $0 == 0 }) { return nil }
    return OwnState.Exports(
      counts: zip(Verdict.Outcome.allCases, exporter.counts).map {
        OwnState.Count($0.name, $1)
      },
      rejectedPoints: exporter.rejectedPoints, lastSuccess: exporter.lastSuccess)
  }

  private func tell(_ verdict: Verdict) {
    var metadata: Logger.Metadata = ["endpoint": "\(exporter.settings?.receiver?.shown ?? "")"]
    switch verdict {
    case .success: log.notice("metrics are pushed", metadata: metadata)
    case .partial(let rejected, let message):
      metadata["rejected"] = "\(rejected)"
      metadata["message"] = "\(message)"
      log.warning(
        rejected == 0
          ? "the OTLP receiver takes the metrics, and says something"
          : "the OTLP receiver does not take all data points", metadata: metadata)
    case .unavailable(let error, _):
      metadata["error"] = "\(error)"
      log.warning("metrics cannot be pushed, trying again", metadata: metadata)
    case .rejected(let error):
      metadata["error"] = "\(error)"
      log.error("the OTLP receiver does not take the metrics", metadata: metadata)
    }
  }
}
