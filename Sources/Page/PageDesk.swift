package import Collector
import Gzip
import Linux
import Synchronization

/// Writes the page and its history, on the sampler's thread, and remembers figures for them.
package final class PageDesk: Sendable {
  private let history = Mutex(History())
  /// Left here by the loop; nobody holds this longer than it takes to copy it.
  private let surroundings: Mutex<Surroundings>

  package init(_ surroundings: Surroundings) { self.surroundings = Mutex(surroundings) }

  /// Takes over what is around the targets now.
  package func update(_ new: Surroundings) { surroundings.withLock { $0 = new } }

  /// Answers those who look.
  ///
  /// - Parameters:
  ///   - wishes: What they want, and others.
  ///   - sight: What a collection found for them; nil if there was none.
  /// - Returns: For each wish of them HTML or JSON, as UTF-8.
  package func answer(_ wishes: Set<Wish>, _ sight: Sight?) -> [Wish: [UInt8]] {
    let looks = wishes.compactMap(\.look)
    if looks.isEmpty, sight == nil {
      if wishes.contains(.nobodyLooks) { history.withLock { $0 = History(after: $0) } }
      return [:]
    }
    let surroundings = surroundings.withLock { $0 }
    return history.withLock { history in
      if let sight { history.add(sight) }
      var answers: [Wish: [UInt8]] = [:]
      for look in looks {
        let seconds = max(wallClockSeconds(), history.frames.last?.seconds ?? 0)
        let text =
          switch look.view {
          case .page: PageText.write(history, surroundings, look, at: seconds)
          case .history: HistoryText.write(history, surroundings, look, at: seconds)
          }
        answers[.look(look)] = look.isCompressed ? Compressor()?.gzip(text) ?? text : text
      }
      return answers
    }
  }
}
