import Collector
import Linux

/// Knows which troubles come and go, so that those do not fill the log.
///
/// When one returns within ``Recurrences/quietTime`` of its beginning, that is the last that is told
/// of it until the time is over.
struct Recurrences {
  enum Telling { case asUsual, forTheLastTime, quietly }

  static let quietTime = Duration.seconds(600)
  /// Troubles that are remembered; others are told as usual.
  private static let limit = 1000

  private struct Key: Hashable {
    let target, source, reason: String
  }

  private var recent: [Key: (begin: Instant, count: Int)] = [:]

  /// How a notice is to be told.
  mutating func telling(_ notice: Collector.Notice, at now: Instant) -> Telling {
    switch notice {
    case .trouble(let target, let source, let reason, _):
      let key = Key(target: target, source: source, reason: reason)
      guard let last = recent[key], now - last.begin < Self.quietTime else {
        if recent.count >= Self.limit {
          recent = recent.filter { now - $0.value.begin < Self.quietTime }
        }
        if recent.count < Self.limit { recent[key] = (now, 1) }
        return .asUsual
      }
      recent[key]?.count += 1
      return last.count == 1 ? .forTheLastTime : .quietly
    case .recovered(let target, let source, let reason):
      let key = Key(target: target, source: source, reason: reason)
      guard let last = recent[key], now - last.begin < Self.quietTime else { return .asUsual }
      return last.count == 1 ? .asUsual : .quietly
    default: return .asUsual
    }
  }
}
