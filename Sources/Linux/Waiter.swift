import Synchronization

/// Runs work that may wait for somebody else's lock, disk or network, away from the threads that
/// must not.
///
/// One thread does everything as long as it gets on. A second one stands by while jobs wait, and
/// takes them when every job that runs has been running for longer than `patience`; a job that
/// never returns costs one of the `threads`.
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
  /// Readable while jobs wait, and at the end.
  private let wake: EventFD
  /// Readable at the end.
  private let end: EventFD
  private let threads: Int
  private let patience: Duration
  private let queueLimit: Int
  private let start: @Sendable (@escaping Job) -> Bool

  /// A waiter without threads; the first job starts one.
  ///
  /// - Parameters:
  ///   - threads: The most threads there ever are.
  ///   - patience: How long a job may run before others get a thread of their own.
  ///   - queueLimit: How many jobs may wait; more are refused.
  /// - Throws: `EMFILE`, `ENFILE`.
  package convenience init(
    threads: Int = 4, patience: Duration = .milliseconds(500), queueLimit: Int = 10_000
  ) throws(Errno) {
    try self.init(
      threads: threads, patience: patience, queueLimit: queueLimit, start: { Self.start($0) })
  }

  /// A waiter whose threads are started by a function that returns whether it could.
  init(
    threads: Int, patience: Duration, queueLimit: Int,
    start: @escaping @Sendable (@escaping Job) -> Bool
  ) throws(Errno) {
    wake = try EventFD()
    end = try EventFD()
    self.threads = threads
    self.patience = patience
    self.queueLimit = queueLimit
    self.start = start
  }

  /// Adds a job behind the others.
  ///
  /// - Parameter job: What to do; it reports its result by itself.
  /// - Returns: False if too many jobs wait already, or if there is no thread and the system has no
  ///   room for one; the job will not run.
  package func submit(_ job: @escaping Job) -> Bool {
    let accepted = state.withLock { state in
      let isFull = state.queue.count >= queueLimit || state.stopping
      if !isFull { state.queue.append(job) }
      // There may have been no room for another thread until now.
      reinforce(&state)
      if !isFull, state.threads == 0 {
        state.queue.removeLast()
        return false
      }
      return !isFull
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
    end.signal()
  }

  /// Starts another thread if jobs wait and every thread is busy.
  private func reinforce(_ state: inout State) {
    guard !state.queue.isEmpty, state.running.count == state.threads, state.threads < threads
    else { return }
    // Where there is no room for it, the next job tries again.
    if start({ self.work() }) { state.threads += 1 }
  }

  private static func start(_ body: @escaping Job) -> Bool {
    guard let thread = try? Thread(name: "waiter", body) else { return false }
    // A thread that waits for somebody else for ever must not hold up the end.
    thread.detach()
    return true
  }

  private func work() {
    while let (job, number) = next() {
      state.withLock { reinforce(&$0) }
      job()
      state.withLock { $0.running[number] = nil }
    }
  }

  private enum Step {
    case run(Job, UInt64)
    case idle
    /// Another thread gets on so far.
    case standBy(Duration)
    case end
  }

  /// Waits for the next job; nil when the waiter stops.
  private func next() -> (Job, UInt64)? {
    while true {
      switch state.withLock({ step(&$0) }) {
      case .run(let job, let number): return (job, number)
      case .idle: _ = wake.wait(atMost: nil)
      case .standBy(let time): _ = end.wait(atMost: time)
      case .end: return nil
      }
    }
  }

  private func step(_ state: inout State) -> Step {
    if state.stopping { return .end }
    if state.queue.isEmpty {
      wake.clear()
      return .idle
    }
    let now = Instant.now
    if let latest = state.running.values.max(), now < latest + patience {
      return .standBy(latest + patience - now)
    }
    state.nextJob += 1
    state.running[state.nextJob] = now
    return .run(state.queue.removeFirst(), state.nextJob)
  }
}
