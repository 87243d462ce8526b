import ProcFS

/// What is remembered of processes that belong to no target, so that they need not be read at each
/// collection.
///
/// A process can come to fit a rule by calling exec or by taking another name. Young ones do that,
/// so they are read each time; of the others one in ``Strangers/rounds`` is. Numbers that came round
/// once make all of it void.
struct Strangers {
  private struct Entry {
    var startTicks: UInt64
    var parent: Int32
    var listed: UInt32
  }

  /// After so many collections every process has been read once more.
  private static let rounds: Int32 = 16
  private static let youthSeconds: UInt64 = 60

  private var entries: [Int32: Entry] = [:]
  private var round: UInt32 = 0
  private var lastPid: Int32 = 0

  /// Starts a collection.
  ///
  /// - Parameter lastPid: The number that the kernel gave last; nil if it does not tell.
  mutating func begin(lastPid: Int32?) {
    round &+= 1
    // A number lower than the last one shows that the kernel began anew with low numbers, so a
    // known number can mean a new process.
    if lastPid.map({ $0 < self.lastPid }) ?? true { entries = [:] }
    self.lastPid = lastPid ?? 0
  }

  /// Whether a listed process has to be read.
  mutating func isDue(_ pid: Int32, uptimeTicks: UInt64, _ facts: SystemFacts) -> Bool {
    guard let entry = entries[pid] else { return true }
    entries[pid]?.listed = round
    let youth = Self.youthSeconds &* facts.ticksPerSecond
    return uptimeTicks < entry.startTicks &+ youth
      || (pid &+ Int32(truncatingIfNeeded: round)) % Self.rounds == 0
  }

  /// Remembers a process that fits no rule.
  mutating func note(_ pid: Int32, _ stat: Stat) {
    entries[pid] = Entry(startTicks: stat.startTicks, parent: stat.parent, listed: round)
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

  /// Every process that is remembered.
  var pids: some Sequence<Int32> { entries.keys }
}
