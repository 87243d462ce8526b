import Linux
import ProcFS

/// Context switches of a whole process.
///
/// The kernel keeps them per thread only, and a process' own `status` shows those of its first
/// thread. So the threads are added up, and what a thread had when it was last seen stays in the
/// sum after it has ended.
package struct Switches: Sendable, Equatable {
  package var voluntary: UInt64
  package var involuntary: UInt64

  static let zero = Switches(voluntary: 0, involuntary: 0)

  static func + (left: Switches, right: Switches) -> Switches {
    Switches(
      voluntary: left.voluntary &+ right.voluntary,
      involuntary: left.involuntary &+ right.involuntary)
  }
}

/// The context switches of a process' threads, remembered from one collection to the next.
struct ThreadSwitches {
  private var live: [Int32: Switches] = [:]
  private var ended = Switches.zero

  /// Takes over what the threads have now, and returns the sum with that of ended threads.
  mutating func update(_ now: [Int32: Switches]) -> Switches {
    for (thread, before) in live {
      // A number that fell belongs to a new thread that got the old one's number.
      let gone = now[thread].map {
        $0.voluntary < before.voluntary || $0.involuntary < before.involuntary
      }
      if gone ?? true { ended = ended + before }
    }
    live = now
    return now.values.reduce(ended, +)
  }
}
