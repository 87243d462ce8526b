package import Linux

/// A running Go program whose runtime is read from outside.
///
/// Nothing stops it and nothing is written to it; it need not know. Reads can wait for its mmap lock,
/// so they belong on a waiter thread.
package struct GoProcess: Sendable {
  private let file: ProgramFile
  private let bias: UInt64
  private let read: @Sendable (MemoryPieces, inout [UInt64]) throws(Errno) -> Void
  private var snapshot: Snapshot?

  /// A process that has not been looked at yet.
  ///
  /// - Parameters:
  ///   - file: What its program's file says.
  ///   - pid: The process, in the reader's own pid namespace.
  ///   - bias: What is added to addresses of the file, 0 if it is not relocatable.
  package init(_ file: ProgramFile, pid: Int32, bias: UInt64) {
    self.init(file, bias: bias) { pieces, buffer throws(Errno) in
      try pieces.read(of: pid, into: &buffer)
    }
  }

  /// The same for a process whose memory is read in another way.
  package init(
    _ file: ProgramFile, bias: UInt64,
    read: @escaping @Sendable (MemoryPieces, inout [UInt64]) throws(Errno) -> Void
  ) {
    self.file = file
    self.bias = bias
    self.read = read
  }

  /// How often a sample is taken until all of its groups pass their checks: the runtime's own
  /// bookkeeping makes sums disagree for some microseconds.
  package static let attempts = 12

  /// Takes a sample.
  ///
  /// - Parameters:
  ///   - systemThreads: Threads of the process as the kernel counts them.
  ///   - attempts: How often it is tried.
  /// - Returns: The groups that passed their checks, and what is wrong with the others.
  /// - Throws: `EPERM` (same user and CAP_SYS_PTRACE are missing), `ESRCH`, `EFAULT`.
  package mutating func sample(
    systemThreads: UInt64, attempts: Int = attempts
  ) throws(Errno) -> GoSample {
    var sample = GoSample(version: file.version)
    // A thousand processes keep no memory between samples.
    defer { snapshot?.discard() }
    for attempt in 0..<attempts {
      if attempt > 1 { pause(for: .microseconds(500 * (attempt - 1))) }
      if snapshot == nil {
        try probe(read)
        do throws(Refusal) {
          snapshot = Snapshot(file.layout, try Locator(file, bias: bias, read).locate())
        } catch {
          sample.refuse(error)
          continue
        }
      }
      do throws(Errno) {
        try snapshot?.take(read)
      } catch .wouldBlock {
        continue
      }
      if let snapshot { sample.take(snapshot, systemThreads: systemThreads) }
      if sample.isComplete { break }
    }
    return sample
  }

  /// Makes sure that memory can be read at all, so that a search need not tell that from finding
  /// nothing.
  private func probe(_ read: ReadMemory) throws(Errno) {
    var pieces = MemoryPieces()
    pieces.add((file.image.lowerBound &+ bias &+ 7) & ~7, words: 1)
    var words: [UInt64] = []
    try read(pieces, &words)
  }
}

extension GoSample {
  fileprivate init(version: String) {
    self.init(
      version: version, heap: .failure(.notRead), scheduler: .failure(.notRead),
      collector: .failure(.notRead))
  }

  fileprivate var isComplete: Bool {
    if case (.success, .success, .success) = (heap, scheduler, collector) { return true }
    return false
  }

  fileprivate mutating func refuse(_ reason: Refusal) {
    (heap, scheduler, collector) = (.failure(reason), .failure(reason), .failure(reason))
  }

  /// Takes from a snapshot what is still missing and passes its checks.
  fileprivate mutating func take(_ snapshot: Snapshot, systemThreads: UInt64) {
    if case .failure = heap {
      heap = Result { () throws(Refusal) in try Acceptance.heap(snapshot) }
    }
    if case .failure = scheduler {
      scheduler = Result { () throws(Refusal) in
        try Acceptance.scheduler(snapshot, systemThreads: systemThreads)
      }
    }
    if case .failure = collector {
      collector = Result { () throws(Refusal) in
        try Acceptance.collector(snapshot, now: wallClockNanoseconds())
      }
    }
  }
}
