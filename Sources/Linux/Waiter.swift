import Synchronization

/// Runs work that may wait for somebody else's lock, disk or network, away from the threads that
/// must not.
///
/// One thread does everything as long as it gets on. Only when a job has been running for longer
/// than `patience` does another thread start, up to `threads`; a job that never returns costs one
/// of them.
package final class Waiter: Sendable {
  package typealias Job = @Sendable () -> Void

  private struct State: Sendable {
    var queue: [Job] = []
    var threads = 0
    /// When each running job began, by an ever new number.
    var running: [UInt64: Instant] = [:]
    var nextJob: UInt64 = 0
    var stopping = false
  }

  private let state = Mutex(State())
  private let wake: EventFD
  private let threads: Int
  private let patience: Duration
  private let queueLimit: Int

  /// A waiter without threads; the first job starts one.
  ///
  /// - Parameters:
  ///   - threads: The most threads there ever are.
  ///   - patience: How long a job may run before others get a thread of their own.
  ///   - queueLimit: How many jobs may wait; more are refused.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(
    threads: Int = 4, patience: Duration = .milliseconds(500), queueLimit: Int = 10_000
  ) throws(Errno) {
    wake = try EventFD()
    self.threads = threads
    self.patience = patience
    self.queueLimit = queueLimit
  }

  /// Adds a job behind the others.
  ///
  /// - Parameter job: What to do; it reports its result by itself.
  /// - Returns: False if too many jobs wait already; the job will not run.
  package func submit(_ job: @escaping Job) -> Bool {
    let now = Instant.now
    let (accepted, startThread) = state.withLock { state -> (Bool, Bool) in
      if state.queue.count >= queueLimit || state.stopping { return (false, false) }
      state.queue.append(job)
      let stuck = state.running.values.count { $0 + patience < now }
      let start = state.threads < threads && stuck == state.threads
      if start { state.threads += 1 }
      return (true, start)
    }
    if startThread, !start() {
      state.withLock { $0.threads -= 1 }
    }
    if accepted { wake.signal() }
    return accepted
  }

  /// Lets the threads end after the jobs they run now; nobody waits for them.
  package func stop() {
    state.withLock {
      $0.stopping = true
      $0.queue = []
    }
    wake.signal()
  }

  private func start() -> Bool {
    // Detached: a thread that waits for somebody else for ever must not hold up the end.
    guard let thread = try? Thread(name: "waiter", { self.work() }) else { return false }
    thread.detach()
    return true
  }

  private func work() {
    while let (job, number) = next() {
      job()
      state.withLock { $0.running[number] = nil }
    }
  }

  /// Waits for the next job; nil when the waiter stops.
  private func next() -> (Job, UInt64)? {
    while true {
      let (job, stopping) = state.withLock { state -> ((Job, UInt64)?, Bool) in
        if state.stopping { return (nil, true) }
        guard !state.queue.isEmpty else {
          wake.clear()
          return (nil, false)
        }
        state.nextJob += 1
        state.running[state.nextJob] = .now
        return ((state.queue.removeFirst(), state.nextJob), false)
      }
      if stopping { return nil }
      if let job { return job }
      _ = wake.wait(atMost: nil)
    }
  }
}
