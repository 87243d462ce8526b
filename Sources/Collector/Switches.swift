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
  /// One thread's number and switches.
  struct Entry {
    var thread: Int32
    var switches: Switches
  }

  /// In the order of the threads' numbers.
  private var live: [Entry] = []
  private var ended = Switches.zero

  /// Takes over what the threads have now, and adds it to what ended threads had.
  ///
  /// - Parameter now: The threads in the order of their numbers, as `task` lists them.
  /// - Returns: The sum.
  mutating func update(_ now: [Entry]) -> Switches {
    var sum = Switches.zero
    var index = 0
    for before in live {
      while index < now.count, now[index].thread < before.thread { index += 1 }
      let isSame =
        index < now.count && now[index].thread == before.thread
        // Numbers that fell belong to a new thread that got the old one's number.
        && now[index].switches.voluntary >= before.switches.voluntary
        && now[index].switches.involuntary >= before.switches.involuntary
      if !isSame { ended = ended + before.switches }
    }
    for entry in now { sum = sum + entry.switches }
    live.removeAll(keepingCapacity: true)
    live.append(contentsOf: now)
    return ended + sum
  }
}
