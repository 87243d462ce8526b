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
  /// Searches that came to nothing, one after the other, and why the last one did.
  private var failedSearches = 0
  private var refusal = Refusal.notRead
  /// Samples, one after the other, in which a group did not pass its checks.
  private var refusedSamples = 0
  /// What was accepted of histograms, which only rise.
  private var latencies: TimeHistogram?
  private var pauses: TimeHistogram?
  /// Searches for `cpuStats` that are left, without which it is not asked for any more: all variables
  /// have to be read for one.
  private var searches = 8

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
  /// The same after a sample that did not pass: what is wrong may be wrong for good.
  private static let attemptsAfterRefusal = 3
  /// Searches that come to nothing, behind which only one in `searchPause` samples tries again.
  private static let searchLimit = 6
  /// Searches after which less is asked of what is found.
  private static let strictSearches = 4
  private static let searchPause = 8
  /// Samples that were refused, behind which what a search had found is looked for anew.
  private static let refusalLimit = 8

  /// Takes a sample.
  ///
  /// - Parameters:
  ///   - systemThreads: Threads of the process as the kernel counts them.
  ///   - extras: What is read besides.
  ///   - attempts: How often it is tried.
  /// - Returns: The groups that passed their checks, and what is wrong with the others.
  /// - Throws: `EPERM` (same user and CAP_SYS_PTRACE are missing), `ESRCH`, `EFAULT`.
  package mutating func sample(
    systemThreads: UInt64, extras: GoExtras = [], attempts: Int = attempts
  ) throws(Errno) -> GoSample {
    var extras = extras
    if file.layout.ifPresent(.cpuStats) == nil || searches == 0 { extras.remove(.cpuTimes) }
    var sample = GoSample(version: file.version)
    if extras.contains(.latencies) { sample.latencies = .failure(.notRead) }
    if extras.contains(.pauses), file.layout.ifPresent(.stwTotalTimeGC) != nil {
      sample.pauses = .failure(.notRead)
    }
    if extras.contains(.cpuTimes) { sample.cpuTimes = .failure(.notRead) }
    if extras.contains(.cgoCalls) { sample.cgoCalls = .failure(.notRead) }
    // A thousand processes keep no memory between samples.
    defer { snapshot?.discard() }
    let last = (refusedSamples == 0 ? attempts : min(attempts, Self.attemptsAfterRefusal)) - 1
    for attempt in 0...max(0, last) {
      if attempt > 1 { pause(for: .microseconds(500 * (attempt - 1))) }
      if snapshot == nil {
        try probe(read)
        locate(read)
        if snapshot == nil {
          sample.refuse(refusal)
          if failedSearches >= Self.searchLimit { return sample }
          continue
        }
      }
      snapshot?.extras = extras
      do throws(Errno) {
        try snapshot?.take(read)
      } catch .wouldBlock {
        continue
      } catch .badAddress where attempt < min(2, last) {
        // A pointer that was about to change; else the program is another one by now.
        snapshot?.forgetProcessors()
        continue
      }
      if let taken = snapshot {
        guard taken.isOfThisRuntime else {
          sample.refuse(.inconsistent("runtime.mheap_ is no longer where it was"))
          snapshot = nil
          break
        }
        sample.take(taken, systemThreads: systemThreads)
      }
      if let snapshot { takeExtras(snapshot, &sample) }
      if sample.isComplete { break }
    }
    if case .failure = sample.cpuTimes { snapshot?.cpuTimesAt = [] }
    refusedSamples = sample.isComplete ? 0 : refusedSamples + 1
    if refusedSamples >= Self.refusalLimit, file.symbols == nil, !sample.hasGroups {
      (snapshot, refusedSamples) = (nil, 0)
    }
    return sample
  }

  /// Finds the runtime's variables, or says in ``refusal`` why not.
  private mutating func locate(_ read: @escaping ReadMemory) {
    failedSearches += 1
    if failedSearches > Self.searchLimit, failedSearches % Self.searchPause != 0 { return }
    let locator = Locator(file, bias: bias, isLenient: failedSearches > Self.strictSearches, read)
    do throws(Refusal) {
      snapshot = Snapshot(file.layout, try locator.locate())
      failedSearches = 0
    } catch {
      refusal = error
    }
  }

  /// Takes from a snapshot what is still missing of extras; nothing counts unless the scheduler,
  /// which the histograms are in, and the garbage collector are what they should be.
  private mutating func takeExtras(_ snapshot: Snapshot, _ sample: inout GoSample) {
    guard case (.success, .success) = (sample.scheduler, sample.collector) else { return }
    if case .failure = sample.latencies {
      let found = Result { () throws(Refusal) in
        try Acceptance.latencies(snapshot, before: latencies)
      }
      sample.latencies = found
      if case .success(let accepted) = found { latencies = accepted }
    }
    if case .failure = sample.pauses {
      let found = Result { () throws(Refusal) in try Acceptance.pauses(snapshot, before: pauses) }
      sample.pauses = found
      if case .success(let accepted) = found { pauses = accepted }
    }
    if case .failure = sample.cgoCalls {
      sample.cgoCalls = Result { () throws(Refusal) in try cgoCalls(snapshot) }
    }
    if case .failure = sample.cpuTimes {
      sample.cpuTimes = Result { () throws(Refusal) in try Acceptance.cpuTimes(snapshot) }
      if case .failure = sample.cpuTimes, snapshot.cpuTimesAt.isEmpty, searches > 0 {
        let found = Locator(file, bias: bias, read).cpuTimes(snapshot.memstatsAddress)
        self.snapshot?.cpuTimesAt = found
        searches = found.isEmpty ? searches - 1 : 8
      }
    }
  }

  private func cgoCalls(_ snapshot: Snapshot) throws(Refusal) -> UInt64 {
    guard let threads = file.symbols?[.threads], let ended = file.symbols?[.endedCgoCalls] else {
      throw .notLocated("runtime.allm, of which only symbols tell,")
    }
    let calls = CgoCalls(
      layout: file.layout, scheduler: snapshot.schedulerAddress, threads: threads &+ bias,
      ended: ended &+ bias)
    return try calls.count(read)
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
    if case .failure = latencies { return false }
    if case .failure = pauses { return false }
    if case .failure = cpuTimes { return false }
    // What has no symbols will not get any.
    switch cgoCalls {
    case .failure(.notLocated), .success, nil: return hasGroups
    case .failure: return false
    }
  }

  /// Whether all but what was asked for besides has passed its checks.
  fileprivate var hasGroups: Bool {
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
