import Linux
import Logging
import Synchronization

/// Writes log lines to standard error on a thread of its own, so that nobody waits for a reader
/// that does not read.
///
/// Lines that find the queue full are dropped; the next line that is written says how many.
final class LogSink: Sendable {
  private struct State: Sendable {
    var lines: [[UInt8]] = []
    var dropped = 0
    var isWriting = false
  }

  /// How many lines may wait.
  private static let capacity = 1000

  /// How the line about dropped ones is written.
  private let style: LogLine.Style
  private let state = Mutex(State())
  private let wake: EventFD
  private let idle: EventFD

  /// Starts the thread.
  ///
  /// - Parameter style: How lines are written.
  /// - Throws: `EMFILE`, `ENFILE`, `EAGAIN` (no room for a thread).
  init(_ style: LogLine.Style) throws(Errno) {
    self.style = style
    wake = try EventFD()
    idle = try EventFD()
    // Detached: at the end it may be waiting for the reader for ever.
    try Thread(name: "log") { self.write() }.detach()
  }

  /// Adds a line behind the others.
  func add(_ line: [UInt8]) {
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

  private func notice(of dropped: Int) -> [UInt8] {
    LogLine(
      level: .warning, message: "log lines were not written, nobody reads standard error",
      fields: [("lines", String(dropped))], nanosecondsSince1970: wallClockNanoseconds()
    ).bytes(style)
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
      // A log that cannot be written must not stop the daemon.
      for line in lines { _ = try? writeAll(line, to: 2) }
      if dropped > 0 { _ = try? writeAll(notice(of: dropped), to: 2) }
    }
  }
}
