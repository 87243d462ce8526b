import Synchronization

/// Values on their way to another thread, and the event that wakes it.
///
/// Any thread posts; one thread registers ``wake`` with its event loop and drains.
package final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  package let wake: EventFD

  /// An empty mailbox.
  ///
  /// - Throws: `EMFILE`, `ENFILE`.
  package init() throws(Errno) {
    wake = try EventFD()
  }

  /// Leaves a message and wakes the receiver.
  package func post(_ message: sending Message) {
    let first = messages.withLock { messages in
      messages.append(message)
      return messages.count == 1
    }
    // One wake-up serves all messages that are there when the receiver drains.
    if first { wake.signal() }
  }

  /// Takes all messages, oldest first.
  package func drain() -> [Message] {
    wake.clear()
    return messages.withLock { messages in
      let taken = messages
      messages = []
      return taken
    }
  }
}
