import Linux
import Logging
import Synchronization
import Systemd

/// Writes log lines to standard error, or sends them to the journal if it is that, on a thread of its
/// own, so that nobody waits for a reader that does not read.
///
/// Lines that find the queue full are dropped; the next line that is written says how many.
final class LogSink: Sendable {
  private struct State: Sendable {
    var lines: [LogLine] = []
    var dropped = 0
    var isWriting = false
  }

  /// How many lines may wait.
  private static let capacity = 1000

  private let style: LogLine.Style
  /// Nil if standard error is not the journal, or where unix sockets are not allowed.
  private let journal: Journal?
  private let state = Mutex(State())
  private let wake: EventFD
  private let idle: EventFD

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - style: How lines are written.
  ///   - journalPath: Where the journal listens; another place in tests.
  /// - Throws: `EMFILE`, `ENFILE`, `EAGAIN` (no room for a thread).
  init(_ style: LogLine.Style, journalPath: String = Journal.path) throws(Errno) {
    self.style = style
    journal = style == .journal ? try? Journal(path: journalPath) : nil
    wake = try EventFD()
    idle = try EventFD()
    // Detached: at the end it may be waiting for the reader for ever.
    try Thread(name: "log") { self.write() }.detach()
  }

  /// Adds a line behind the others.
  func add(_ line: LogLine) {
    state.withLock { state in
      if state.lines.count < Self.capacity {
        state.lines.append(line)
      } else {
        state.dropped += 1
      }
    }
    wake.signal()
  }

  /// Waits until everything is written, but not for ever.
  func flush(atMost patience: Duration) {
    let deadline = Instant.now + patience
    while true {
      let isDone = state.withLock { state in
        if state.lines.isEmpty, !state.isWriting { return true }
        idle.clear()
        return false
      }
      let left = deadline - .now
      if isDone || left <= .zero { return }
      _ = idle.wait(atMost: left)
    }
  }

  private func notice(of dropped: Int) -> LogLine {
    LogLine(
      level: .warning, message: "log lines were not written, nobody takes them",
      fields: [("lines", String(dropped))], nanosecondsSince1970: wallClockNanoseconds())
  }

  private func write(_ line: LogLine) {
    if journal != nil {
      do throws(Errno) {
        try journal?.send(line.journalFields)
        return
      } catch {
        // No journal at its socket now, or too little room for this entry: standard error is the
        // journal as well, only without fields. The next entry tries again.
      }
    }
    // A log that cannot be written must not stop the daemon.
    _ = try? writeAll(line.bytes(style), to: 2)
  }

  private func write() {
    while true {
      let (lines, dropped) = state.withLock { state in
        if state.lines.isEmpty { wake.clear() }
        let taken = (state.lines, state.dropped)
        state.lines = []
        state.dropped = 0
        state.isWriting = !taken.0.isEmpty
        return taken
      }
      if lines.isEmpty {
        idle.signal()
        _ = wake.wait(atMost: nil)
        continue
      }
      for line in lines { write(line) }
      if dropped > 0 { write(notice(of: dropped)) }
    }
  }
}
