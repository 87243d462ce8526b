import ProcFS

/// What is remembered of processes that belong to no target, so that they need not be read at each
/// collection.
///
/// A process can come to fit a rule by calling exec or by taking another name, which young ones do.
/// So each is read again when it is a quarter older than at its last reading, and besides that once
/// in ``Strangers/rounds`` collections. Numbers that came round once make all of it void.
struct Strangers {
  private struct Entry {
    /// When it is a quarter older, in ticks since the machine started.
    var dueTicks: UInt64
    var parent: Int32
    var listed: UInt32
  }

  /// After so many collections every process has been read once more.
  private static let rounds: Int32 = 16

  private var entries: [Int32: Entry] = [:]
  private var round: UInt32 = 0
  private var lastPid: Int32 = 0
  /// Ticks since the machine started, at this collection.
  private var now: UInt64 = 0

  /// Starts a collection.
  ///
  /// - Parameters:
  ///   - now: Ticks since the machine started.
  ///   - lastPid: The number that the kernel gave last; nil if it does not tell.
  mutating func begin(now: UInt64, lastPid: Int32?) {
    self.now = now
    round &+= 1
    // A number lower than the last one shows that the kernel began anew with low numbers, so a
    // known number can mean a new process.
    if lastPid.map({ $0 < self.lastPid }) ?? true { entries = [:] }
    self.lastPid = lastPid ?? 0
  }

  /// Whether a listed process has to be read.
  mutating func isDue(_ pid: Int32) -> Bool {
    guard let entry = entries[pid] else { return true }
    entries[pid]?.listed = round
    return now >= entry.dueTicks
      || (pid &+ Int32(truncatingIfNeeded: round)) % Self.rounds == 0
  }

  /// Remembers a process that fits no rule.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - stat: Its `stat`.
  ///   - lookAgainTicks: When a rule may fit it for its age, in ticks since the machine started.
  mutating func note(_ pid: Int32, _ stat: Stat, lookAgainTicks: UInt64? = nil) {
    let age = now > stat.startTicks ? now - stat.startTicks : 0
    let due = min(now &+ age / 4, lookAgainTicks ?? .max)
    entries[pid] = Entry(dueTicks: due, parent: stat.parent, listed: round)
  }

  /// Forgets a process that fits a rule, or of which that is not known.
  mutating func forget(_ pid: Int32) { entries[pid] = nil }

  /// Forgets what was not listed in this collection.
  mutating func end() {
    let round = round
    if entries.values.contains(where: { $0.listed != round }) {
      entries = entries.filter { $0.value.listed == round }
    }
  }

  /// The parent of a process, as of its last reading.
  func parent(of pid: Int32) -> Int32? { entries[pid]?.parent }

  /// How many processes are remembered.
  var count: Int { entries.count }

  /// The processes that descend from others, as of their last readings, and those whose parent is
  /// not known.
  func descendants(of ancestors: Set<Int32>) -> [Int32] {
    entries.filter { pid, entry in
      var parent = entry.parent
      for _ in 0..<1000 {
        if ancestors.contains(parent) { return true }
        guard let next = entries[parent]?.parent else { return parent > 2 }
        parent = next
      }
      return false
    }.map(\.key)
  }
}
