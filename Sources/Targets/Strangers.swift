import ProcFS

/// What is remembered of processes that fit no rule, so that they need not be read at each
/// collection.
///
/// One can come to fit a rule later: by exec, another name, another control group. So all of them
/// take turns, a few in each collection, and the youngest ones, which change most, are read besides
/// when they are a quarter older than at their last reading. What that costs does not grow with
/// their number. Of each about 50 bytes are kept.
struct Strangers {
  /// Further ones are not remembered: not read again until the next listing, and nobody's parents.
  static let limit = 500_000
  /// Youngest ones that are read again as they grow older.
  static let youngLimit = 64
  /// Of these so many in one collection.
  static let youngReads = 16
  /// So many of all take their turn in a collection.
  static let turns = 8

  private struct Entry {
    var parent: Int32
    /// In `order`.
    var place: Int32
    /// The page of the calendar that it is on; 0 if none.
    var page: UInt32 = 0
  }

  private struct Young {
    var pid: Int32
    var startTicks: UInt64
    /// When it is a quarter older, in ticks since the machine started.
    var dueTicks: UInt64
  }

  private var entries: [Int32: Entry] = [:]
  private var order: [Int32] = []
  /// Whose turn is next, in `order`.
  private var next = 0
  /// The oldest first.
  private var young: [Young] = []
  /// Whom to look at again at a certain time, by that time in units of ``pageTicks``; some may have
  /// ended.
  private var calendar: [UInt32: [Int32]] = [:]
  private(set) var calendarCount = 0
  private var lastPage: UInt32 = 0
  private var now: UInt64 = 0

  private static let pageTicks: UInt64 = 64

  var count: Int { entries.count }

  func contains(_ pid: Int32) -> Bool { entries[pid] != nil }

  /// The parent of a process, as of its last reading.
  func parent(of pid: Int32) -> Int32? { entries[pid]?.parent }

  /// Every process that is remembered.
  var pids: some Sequence<Int32> { entries.keys }

  /// Starts a collection.
  ///
  /// - Parameter now: Ticks since the machine started.
  /// - Returns: Whom to read again, some more than once.
  mutating func begin(now: UInt64) -> [Int32] {
    self.now = now
    var due: [Int32] = []
    for one in young.reversed() where due.count < Self.youngReads && now >= one.dueTicks {
      due.append(one.pid)
    }
    for _ in 0..<min(Self.turns, order.count) {
      if next >= order.count { next = 0 }
      due.append(order[next])
      next += 1
    }
    let page = UInt32(truncatingIfNeeded: now / Self.pageTicks)
    if calendarCount > 0, lastPage < page {
      for page in (lastPage + 1)...page {
        guard let pids = calendar.removeValue(forKey: page) else { continue }
        calendarCount -= pids.count
        for pid in pids where entries[pid]?.page == page {
          entries[pid]?.page = 0
          due.append(pid)
        }
      }
    }
    lastPage = page
    return due
  }

  /// Remembers a process that fits no rule, as it is now.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - stat: Its `stat`.
  ///   - lookAgainTicks: When it may come to fit one by its age alone, in ticks since the machine
  ///     started.
  mutating func note(_ pid: Int32, _ stat: Stat, lookAgainTicks: UInt64? = nil) {
    if entries[pid] == nil {
      guard entries.count < Self.limit else { return }
      entries[pid] = Entry(parent: stat.parent, place: Int32(order.count))
      order.append(pid)
    } else {
      entries[pid]?.parent = stat.parent
    }
    let age = now > stat.startTicks ? now - stat.startTicks : 0
    noteYoung(Young(pid: pid, startTicks: stat.startTicks, dueTicks: now &+ age / 4))
    if let lookAgainTicks { enter(pid, lookAgainTicks) }
  }

  private mutating func noteYoung(_ one: Young) {
    let isFull = young.count >= Self.youngLimit
    if isFull, let oldest = young.first, one.startTicks < oldest.startTicks { return }
    if let known = young.firstIndex(where: { $0.pid == one.pid }) {
      young.remove(at: known)
    } else if isFull {
      young.removeFirst()
    }
    let place = young.lastIndex { $0.startTicks <= one.startTicks }.map { $0 + 1 } ?? 0
    young.insert(one, at: place)
  }

  private mutating func enter(_ pid: Int32, _ ticks: UInt64) {
    // The first page that begins when the time has come.
    let first = ticks / Self.pageTicks + (ticks % Self.pageTicks == 0 ? 0 : 1)
    let page = max(UInt32(clamping: first), lastPage &+ 1)
    if entries[pid]?.page == page { return }
    entries[pid]?.page = page
    calendar[page, default: []].append(pid)
    calendarCount += 1
    // Those that ended, and those that are on another page by now, would be kept for long.
    if calendarCount > 2 * entries.count + 1024 {
      calendar = [:]
      for (pid, entry) in entries where entry.page > 0 {
        calendar[entry.page, default: []].append(pid)
      }
      calendarCount = calendar.values.reduce(0) { $0 + $1.count }
    }
  }

  /// Forgets a process.
  mutating func remove(_ pid: Int32) {
    guard let entry = entries.removeValue(forKey: pid) else { return }
    let last = order.removeLast()
    if last != pid {
      order[Int(entry.place)] = last
      entries[last]?.place = entry.place
    }
    young.removeAll { $0.pid == pid }
  }

  /// Forgets the processes with these numbers.
  mutating func remove(_ numbers: ClosedRange<Int32>) {
    if numbers.count < order.count {
      for pid in numbers { remove(pid) }
    } else {
      for pid in order where numbers.contains(pid) { remove(pid) }
    }
  }

  /// Forgets every process but those that are listed.
  mutating func keep(_ listed: Set<Int32>) {
    for pid in order where !listed.contains(pid) { remove(pid) }
  }
}
