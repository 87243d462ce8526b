import Collector
import HTTPServer
import Linux
import Page
import Targets

/// What the loop gets to know of a collection: answers as they are sent.
///
/// Made on the sampler's thread, so that the loop has no work that grows with the number of targets.
struct Report: Sendable {
  /// What could not be read of some targets for lack of rights.
  struct Denial: Sendable, Equatable {
    var missing: [Capability] = []
    var sources: [String] = []
  }

  var pages: [Form: [UInt8]] = [:]
  var probes: [Probe: ProbeAnswer] = [:]
  /// What is no page of metrics, as UTF-8.
  private var documents: [Wish: [UInt8]] = [:]
  var news = News()
  var census = Collector.Census()
  /// Nil if not all targets were looked at.
  var health: Health.Status?
  /// Nil if not all targets were looked at.
  var denial: Denial?
  /// For the status line; nil if not all targets were looked at.
  var troubles: [String]?
  var hasLate = false
  var isLate = false

  /// A report of nothing.
  init() {}

  /// Writes what is wished.
  init(
    _ outcome: Collector.Outcome, _ wishes: Set<Wish>, _ paths: WebPaths, _ news: News = News(),
    desk: PageDesk? = nil
  ) {
    pages = outcome.pages
    probes = outcome.probes
    self.news = news
    census = outcome.census
    health = outcome.health?.status
    denial = outcome.health.map {
      Denial(missing: $0.rights.missing, sources: $0.rights.gaps.map(\.source))
    }
    troubles = outcome.health.map(StatusLine.troubles)
    hasLate = outcome.hasLate
    isLate = outcome.isLate
    documents = desk?.answer(wishes, outcome.sight) ?? [:]
    // Whoever asks at another address gets the same list: only the address is put in anew.
    lazy var list = ServiceDiscovery(outcome.targets)
    for wish in wishes {
      if case .list(let access) = wish {
        documents[wish] = list.document(access)
      } else if documents[wish] == nil {
        documents[wish] = Self.text(wish, outcome, paths).map { Array($0.utf8) }
      }
    }
  }

  /// The document that somebody wished, empty if it was none.
  func document(_ wish: Wish) -> [UInt8] { documents[wish] ?? [] }

  private static func text(
    _ wish: Wish, _ outcome: Collector.Outcome, _ paths: WebPaths
  ) -> String? {
    switch wish {
    case .page, .list, .look, .nobodyLooks: nil
    case .health: (outcome.health ?? Health()).json.line + "\n"
    case .details: TargetsPage.text(outcome.details)
    case .probe(let probe, _):
      switch outcome.probes[probe] {
      case .unknown?, nil: probe.unknown(among: outcome.targets, paths)
      case .pages, .down, .late, .ambiguous: nil
      }
    }
  }
}
