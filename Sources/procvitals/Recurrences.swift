import Collector
import Linux
import Logging
import Synchronization

/// Knows which troubles come and go, so that those do not fill the log.
///
/// When one returns within ``Recurrences/quietTime`` of its beginning, that is the last that is told
/// of it until the time is over.
struct Recurrences {
  enum Telling { case asUsual, forTheLastTime, quietly }

  static let quietTime = Duration.seconds(600)
  /// Troubles that are remembered; others are told as usual.
  static let limit = 1000

  private struct Key: Hashable {
    let target, source, reason: String
  }

  private var recent: [Key: (begin: Instant, count: Int)] = [:]
  /// When the first one can be forgotten, as of the last time that there was no room.
  private var fullUntil: Instant?

  /// How a notice is to be told.
  mutating func telling(_ notice: Collector.Notice, at now: Instant) -> Telling {
    switch notice {
    case .trouble(let target, let source, let reason, _):
      return beginning(Key(target: target, source: source, reason: reason), at: now)
    case .recovered(let target, let source, let reason):
      return end(Key(target: target, source: source, reason: reason), at: now)
    case .threshold(let target, let finding, let before):
      // Each level is crossed by itself.
      let level = max(finding.status, before).rawValue
      let key = Key(target: target, source: finding.name, reason: level)
      return finding.status > before ? beginning(key, at: now) : end(key, at: now)
    default: return .asUsual
    }
  }

  private mutating func beginning(_ key: Key, at now: Instant) -> Telling {
    guard let last = recent[key], now - last.begin < Self.quietTime else {
      makeRoom(at: now)
      if recent.count < Self.limit { recent[key] = (now, 1) }
      return .asUsual
    }
    recent[key]?.count += 1
    return last.count == 1 ? .forTheLastTime : .quietly
  }

  private func end(_ key: Key, at now: Instant) -> Telling {
    guard let last = recent[key], now - last.begin < Self.quietTime else { return .asUsual }
    return last.count == 1 ? .asUsual : .quietly
  }

  /// Looks at all that are remembered only if one of them can be forgotten.
  private mutating func makeRoom(at now: Instant) {
    if recent.count < Self.limit { return }
    if let fullUntil, now < fullUntil { return }
    recent = recent.filter { now - $0.value.begin < Self.quietTime }
    fullUntil = recent.values.map(\.begin).min().map { $0 + Self.quietTime }
  }
}

/// What the log is told of a collection.
struct News: Sendable {
  /// How much of one collection is told, so that the loop, which writes it, keeps nobody waiting.
  static let limit = 500

  var notices: [(notice: Collector.Notice, telling: Recurrences.Telling)] = []
  /// How many more there were.
  var omitted = 0
}

/// Decides what the log is told, on the sampler's thread.
final class NewsDesk: Sendable {
  private let level: Logger.Level
  private let recurrences = Mutex(Recurrences())

  /// A desk that has seen nothing.
  ///
  /// - Parameter level: The least important level that is logged.
  init(_ level: Logger.Level) { self.level = level }

  /// Chooses what is told: if that is too much, warnings go before the rest.
  func news(_ notices: [Collector.Notice], at now: Instant) -> News {
    let all = recurrences.withLock { recurrences in
      notices.map { (notice: $0, telling: recurrences.telling($0, at: now)) }
    }.filter { $0.notice.level($0.telling) >= level }
    if all.count <= News.limit { return News(notices: all) }
    let warnings = all.filter { $0.notice.level($0.telling) >= .warning }
    let others = all.filter { $0.notice.level($0.telling) < .warning }
    return News(
      notices: Array((warnings + others).prefix(News.limit)), omitted: all.count - News.limit)
  }
}
