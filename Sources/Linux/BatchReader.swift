import Synchronization

/// Open files to be read together, and what was read of them.
package struct ReadBatch: Sendable {
  /// What became of one file.
  package enum Outcome: Sendable, Equatable {
    /// Where its bytes are in ``ReadBatch/bytes``.
    case read(Range<Int>)
    case failed(Errno)
    /// It did not answer in time, or was not asked because its subject has not answered before.
    case late
  }

  private struct Entry: Sendable {
    let file: SharedFD?
    let subject: Int32
    var outcome: Outcome
  }

  private var entries: [Entry] = []
  /// The content of all files, one behind the other.
  package private(set) var bytes: [UInt8] = []

  /// How many of the files are open for this batch only.
  package private(set) var openedCount = 0

  package init() {}

  package var count: Int { entries.count }

  /// Adds a file.
  ///
  /// - Parameters:
  ///   - file: An open, readable file.
  ///   - subject: Whom the file is about: while a read about somebody does not return, no other one
  ///     about the same is begun.
  ///   - isKept: Whether it stays open behind the batch.
  package mutating func add(_ file: SharedFD, about subject: Int32, isKept: Bool = false) {
    entries.append(Entry(file: file, subject: subject, outcome: .late))
    if !isKept { openedCount += 1 }
  }

  /// Adds a file that could not be opened.
  package mutating func add(failure: Errno) {
    entries.append(Entry(file: nil, subject: 0, outcome: .failed(failure)))
  }

  /// What became of a file, by its place.
  package func outcome(_ place: Int) -> Outcome { entries[place].outcome }

  /// The file at a place; nil if it could not be opened.
  package func file(_ place: Int) -> SharedFD? { entries[place].file }

  /// Lets go of all files and of what was read.
  package mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
    openedCount = 0
  }

  /// Reads all files on the calling thread, for those that never wait.
  ///
  /// - Parameter buffer: Memory for one file.
  package mutating func readHere(_ buffer: inout ReadBuffer) {
    for place in entries.indices {
      guard let file = entries[place].file else { continue }
      let failure = buffer.tryRecord(file)
      take(failure, buffer, place)
    }
  }

  fileprivate func subject(_ place: Int) -> Int32 { entries[place].subject }

  fileprivate mutating func take(
    _ failure: Errno?, _ buffer: borrowing ReadBuffer, _ place: Int
  ) {
    if let failure {
      entries[place].outcome = .failed(failure)
    } else {
      let start = bytes.count
      bytes.append(contentsOf: buffer.storage[..<buffer.count])
      entries[place].outcome = .read(start..<bytes.count)
    }
  }
}

/// Reads files that may not answer, for a thread that must not wait for them.
///
/// Another thread reads them one after the other. When it stands still for a tenth of a second, it is
/// left to itself: the file it stands at is late, and a new thread goes on behind it. As long as such
/// a read has not returned, others about the same subject are late at once, so that each subject
/// costs one thread. Belongs to one thread.
///
/// - Cost: six system calls and two changes of threads for each batch, beside the reads.
package final class BatchReader {
  /// A standstill is so many looks without progress; where the whole machine is busy, the looks are as
  /// late as the reads.
  private static let lookInterval = Duration.milliseconds(10)
  private static let looks = 10
  /// The same behind the first standstill of a batch: its reason may have hit many.
  private static let laterLooks = 2

  private let desk: Desk
  private let threads: Int

  /// A reader without threads; the first batch starts one.
  ///
  /// - Parameter threads: The most threads there ever are. When all of them stand still, everything is
  ///   late until a read returns.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(threads: Int) throws(Errno) {
    desk = try Desk()
    self.threads = threads
  }

  deinit { desk.stop() }

  /// How many reads have not returned and are not waited for.
  package var stuckCount: Int { desk.state.withLock { $0.stuck.count } }

  /// The thread that reads; nil before it has begun.
  package var threadID: Int32? { desk.state.withLock { $0.threadID } }

  /// Reads all files, but for those that are late.
  ///
  /// - Parameter batch: The files; tells afterwards what became of them.
  package func read(_ batch: inout ReadBatch) {
    if batch.count == 0 { return }
    desk.state.withLock { $0.begin(&batch) }
    defer { desk.state.withLock { $0.end(&batch) } }
    guard employ() else { return }
    desk.wake.signal()
    var looks = Self.looks
    var left = looks
    var seen: Position?
    while true {
      let hasWord = desk.done.wait(atMost: Self.lookInterval)
      if hasWord { desk.done.clear() }
      let (position, isDone) = desk.state.withLock { ($0.position, $0.isDone) }
      if isDone { return }
      if position != seen {
        (seen, left) = (position, looks)
      } else if !hasWord {
        left -= 1
      }
      if left > 0 { continue }
      if isWaiting, desk.state.withLock({ $0.abandon(position) }) {
        if !employ() { return }
        looks = Self.laterLooks
      }
      left = looks
    }
  }

  /// Whether the thread waits for something else than its turn on a busy machine.
  private var isWaiting: Bool {
    // One without a number has not had its first turn.
    guard let thread = threadID else { return false }
    return !isRunnable(thread: thread)
  }

  /// Makes sure that a thread is there.
  ///
  /// - Returns: False if there cannot be one.
  private func employ() -> Bool {
    let worker = desk.state.withLock { state -> Int? in
      if state.hasWorker || state.stuck.count >= threads { return nil }
      state.hasWorker = true
      state.threadID = nil
      return state.worker
    }
    guard let worker else { return desk.state.withLock { $0.hasWorker } }
    let desk = desk
    guard let thread = try? Thread(name: "reader", { desk.work(worker) }) else {
      desk.state.withLock { $0.hasWorker = false }
      return false
    }
    // One that stands still for ever must not hold up the end.
    thread.detach()
    return true
  }

  /// How far a batch has come: by whom it is read, and which file.
  private struct Position: Sendable, Equatable {
    var worker: Int
    var place: Int
  }

  private struct State: Sendable {
    /// The batch as long as it is read.
    var batch = ReadBatch()
    /// The file that is read, or that is next.
    var place = 0
    var isDone = true
    /// The number of the thread that reads; one with a lower number was left to itself.
    var worker = 0
    var hasWorker = false
    var threadID: Int32?
    /// Whom the reads of threads are about that were left to themselves.
    var stuck: [Int: Int32] = [:]
    var isStopping = false

    var position: Position { Position(worker: worker, place: place) }

    mutating func begin(_ batch: inout ReadBatch) {
      swap(&self.batch, &batch)
      place = 0
      isDone = false
    }

    mutating func end(_ batch: inout ReadBatch) {
      swap(&self.batch, &batch)
      isDone = true
    }

    /// Leaves the thread to itself if it is still there; nothing that it does counts any more.
    ///
    /// - Returns: Whether it was.
    mutating func abandon(_ position: Position) -> Bool {
      guard !isDone, position == self.position else { return false }
      stuck[worker] = batch.subject(place)
      place += 1
      worker += 1
      hasWorker = false
      return true
    }

    mutating func step(_ worker: Int) -> Step {
      if worker != self.worker || isStopping {
        stuck[worker] = nil
        return .leave
      }
      while !isDone, place < batch.count {
        if let file = batch.file(place), !stuck.values.contains(batch.subject(place)) {
          return .read(file)
        }
        place += 1
      }
      defer { isDone = true }
      return .rest(isNews: !isDone)
    }
  }

  /// What a thread does next.
  private enum Step {
    case read(SharedFD)
    /// Whether its owner does not know yet that the batch is done.
    case rest(isNews: Bool)
    case leave
  }

  /// What the owner and the threads share.
  private final class Desk: Sendable {
    let state = Mutex(State())
    /// Readable when there is a batch, and at the end.
    let wake: EventFD
    /// Readable when a batch is done.
    let done: EventFD

    init() throws(Errno) {
      wake = try EventFD()
      done = try EventFD()
    }

    func stop() {
      state.withLock { $0.isStopping = true }
      wake.signal()
    }

    func work(_ worker: Int) {
      var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
      let thread = currentThreadID()
      var step = state.withLock { state in
        if state.worker == worker { state.threadID = thread }
        return state.step(worker)
      }
      while true {
        switch step {
        case .read(let file):
          let failure = buffer.tryRecord(file)
          step = state.withLock { state in
            if state.worker == worker {
              state.batch.take(failure, buffer, state.place)
              state.place += 1
            }
            return state.step(worker)
          }
        case .rest(let isNews):
          if isNews { done.signal() }
          _ = wake.wait(atMost: nil)
          wake.clear()
          step = state.withLock { $0.step(worker) }
        case .leave: return
        }
      }
    }
  }
}

extension ReadBuffer {
  /// Reads a file of /proc, or what a FIFO yields next, as a recorded tree may have one.
  ///
  /// - Returns: Why it could not be read; nil if it could.
  fileprivate mutating func tryRecord(_ file: SharedFD) -> Errno? {
    do throws(Errno) {
      try readRecord(file.fd)
      return nil
    } catch .illegalSeek {
      return tryNext(file)
    } catch {
      return error
    }
  }

  private mutating func tryNext(_ file: SharedFD) -> Errno? {
    do throws(Errno) {
      try readNext(file.fd)
      return nil
    } catch {
      return error
    }
  }
}
