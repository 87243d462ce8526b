/// Questions to somebody who may not answer for long, asked on a ``Waiter``.
///
/// Each has a key, and of one key there is at most one open question, so that somebody who never
/// answers costs one thread. A question may have several answers, which arrive as they are found.
/// What is late is there when the next round begins. Belongs to one thread.
package final class Inquiries<Key: Hashable & Sendable, Answer: Sendable> {
  package typealias Question = @Sendable (_ answer: (Answer) -> Void) -> Void

  private enum Message: Sendable {
    case answer(Answer)
    case end(Key)
  }

  private let waiter: Waiter
  private let messages: Mailbox<Message>
  private var open: Set<Key> = []
  /// The questions of this round that are open.
  private var awaited: Set<Key> = []

  /// No questions yet.
  ///
  /// - Parameter waiter: Where they are asked.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(_ waiter: Waiter) throws(Errno) {
    self.waiter = waiter
    messages = try Mailbox()
  }

  /// Starts a round.
  ///
  /// - Returns: Answers that came too late for the last one.
  package func begin() -> [Answer] {
    awaited = []
    return open.isEmpty ? [] : drain()
  }

  /// Whether an earlier question has not been answered yet.
  package func isOpen(_ key: Key) -> Bool { open.contains(key) }

  /// Asks, unless an earlier question of the same key is open or too much else waits.
  ///
  /// - Parameters:
  ///   - key: Whom or what it is about.
  ///   - isAwaited: Whether ``collect(until:)`` waits for it.
  ///   - question: Runs on the waiter; calls its argument with each answer.
  /// - Returns: Whether it is asked.
  @discardableResult
  package func ask(
    _ key: Key, isAwaited: Bool = true, _ question: @escaping Question
  ) -> Bool {
    let messages = messages
    guard !open.contains(key),
      waiter.submit({
        question { messages.post(.answer($0)) }
        messages.post(.end(key))
      })
    else { return false }
    open.insert(key)
    if isAwaited { awaited.insert(key) }
    return true
  }

  /// Waits until every question of this round has been answered or the moment has come.
  ///
  /// - Parameter deadline: The moment.
  /// - Returns: The answers that have come.
  package func collect(until deadline: Instant) -> [Answer] {
    if open.isEmpty { return [] }
    var answers: [Answer] = []
    while true {
      answers += drain()
      let left = deadline - .now
      if awaited.isEmpty || left <= .zero { return answers }
      _ = messages.wake.wait(atMost: left)
    }
  }

  private func drain() -> [Answer] {
    var answers: [Answer] = []
    for message in messages.drain() {
      switch message {
      case .answer(let answer): answers.append(answer)
      case .end(let key):
        open.remove(key)
        awaited.remove(key)
      }
    }
    return answers
  }
}
