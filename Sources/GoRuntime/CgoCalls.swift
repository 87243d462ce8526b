import Linux

/// Counts the calls of C functions.
///
/// Each thread counts its own, and what a thread had counted when it ended is kept apart, so the list
/// of threads has to be followed, a read for each; only symbols tell where it begins.
/// - Source: `runtime/debug.go`, `NumCgoCall()`; `runtime/proc.go`, `mexit()`.
struct CgoCalls {
  let layout: Layout
  /// `runtime.sched`, `runtime.allm` and `runtime.ncgocall`; addresses in the process.
  let scheduler: UInt64
  let threads: UInt64
  let ended: UInt64

  /// Threads that are followed.
  private static let threadLimit = 20_000

  /// - Parameter read: Reads the process' memory.
  /// - Returns: The calls.
  /// - Throws: Why they cannot be told: mostly that threads begin or end meanwhile.
  func count(_ read: ReadMemory) throws(Refusal) -> UInt64 {
    // What ended threads have counted is read before the list, so that nothing counts twice.
    let counts = [
      scheduler &+ UInt64(layout[.nextM]), scheduler &+ UInt64(layout[.freedM]), ended, threads,
    ]
    let before = try words(counts, read)
    let expected = before[0] &- before[1]
    guard expected <= Self.threadLimit else { throw .inconsistent("too many threads to follow") }
    var (calls, thread, count) = (before[2], before[3], UInt64(0))
    while thread != 0 {
      count += 1
      if count > expected + 1 { throw .inconsistent("the list of threads does not end") }
      let found = try words(
        [thread &+ UInt64(layout[.mAllLink]), thread &+ UInt64(layout[.mCgoCalls])], read)
      (thread, calls) = (found[0], calls &+ found[1])
    }
    let after = try words(counts, read)
    // The main thread stays in the list after its end, which counts.
    let isWhole = count == expected || count == expected + 1
    try Acceptance.require(
      isWhole && after == before, "threads began or ended while they were counted")
    try Acceptance.require(calls < 1 << 56, "more calls of C functions than can be")
    return calls
  }

  private func words(_ addresses: [UInt64], _ read: ReadMemory) throws(Refusal) -> [UInt64] {
    do throws(Errno) {
      return try MemoryPieces(words: addresses).words(read)
    } catch {
      throw .inconsistent("the list of threads leads nowhere")
    }
  }
}
