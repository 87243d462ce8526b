import ProcFS

/// What a thread, or several, used so far; unknown is what was never read.
struct ThreadUsage: Sendable, Equatable {
  enum Resource: Int, CaseIterable {
    case userTicks, systemTicks, minorFaults, majorFaults
    case voluntarySwitches, involuntarySwitches
    case runNanoseconds, delayNanoseconds, slices
    case storageReadBytes, storageWrittenBytes
  }

  private var values = InlineArray<11, UInt64>(repeating: 0)
  /// A bit for each resource.
  private var known: UInt16 = 0

  static func == (left: ThreadUsage, right: ThreadUsage) -> Bool {
    Resource.allCases.allSatisfy { left[$0] == right[$0] }
  }

  subscript(resource: Resource) -> UInt64? {
    get { known & 1 << resource.rawValue != 0 ? values[resource.rawValue] : nil }
    set {
      guard let newValue else { return }
      values[resource.rawValue] = newValue
      known |= 1 << resource.rawValue
    }
  }

  /// User and system time.
  var cpuTicks: UInt64 { (self[.userTicks] ?? 0) &+ (self[.systemTicks] ?? 0) }

  mutating func add(_ other: ThreadUsage) {
    for index in values.indices { values[index] &+= other.values[index] }
    known |= other.known
  }

  /// Whether something that both know is lower than in the other one.
  func isBelow(_ other: ThreadUsage) -> Bool {
    let both = known & other.known
    return values.indices.contains {
      both & 1 << $0 != 0 && values[$0] < other.values[$0]
    }
  }

  /// Takes over what is known now; nothing falls, even if the kernel corrects itself.
  ///
  /// - Returns: How much was added.
  mutating func advance(to now: ThreadUsage) -> ThreadUsage {
    var added = ThreadUsage()
    for index in values.indices where now.values[index] > values[index] {
      added.values[index] = now.values[index] &- values[index]
      values[index] = now.values[index]
    }
    added.known = now.known
    known |= now.known
    return added
  }
}

extension ThreadUsage {
  mutating func take(_ stat: Stat) {
    self[.userTicks] = stat.userTicks
    self[.systemTicks] = stat.systemTicks
    self[.minorFaults] = stat.minorFaults
    self[.majorFaults] = stat.majorFaults
  }

  mutating func take(_ status: Status) {
    self[.voluntarySwitches] = status.voluntarySwitches
    self[.involuntarySwitches] = status.involuntarySwitches
  }

  mutating func take(_ schedstat: Schedstat) {
    self[.runNanoseconds] = schedstat.runNanoseconds
    self[.delayNanoseconds] = schedstat.delayNanoseconds
    self[.slices] = schedstat.slices
  }

  mutating func take(_ io: IO) {
    self[.storageReadBytes] = io.storageReadBytes
    self[.storageWrittenBytes] = io.storageWrittenBytes
  }
}

/// What the threads of a process used, remembered from one collection to the next.
///
/// The kernel keeps these numbers per thread only, or does not tell whose they are. So what is new
/// since the last look is added up, and stays in the sum after a thread has ended.
struct ThreadHistory {
  private struct Entry {
    let number: Int32
    /// Known once `stat` was read, as is the name.
    var startTicks: UInt64?
    var name: ProcessName?
    var usage = ThreadUsage()

    init(_ number: Int32) { self.number = number }

    mutating func advance(to thread: inout ThreadSample) -> ThreadUsage {
      let start = thread.stat?.startTicks
      let isKnownToBeTheSame = start != nil && start == startTicks
      let isKnownToBeAnother = start != nil && startTicks != nil && start != startTicks
      // Without start times, numbers that fell belong to a new thread that got the old one's number.
      if isKnownToBeAnother || !isKnownToBeTheSame && thread.usage.isBelow(usage) {
        self = Entry(number)
      }
      let added = usage.advance(to: thread.usage)
      // What it used before its name was looked at is not in that name's sums yet.
      thread.used = name == nil ? usage : added
      startTicks = start ?? startTicks
      name = thread.stat?.name ?? name
      thread.name = name
      return added
    }
  }

  /// How many complete listings in a row a thread may be missing from: the kernel skips living ones
  /// now and then while others end.
  private static let patience = 2
  /// Missing threads that are remembered; when there are more, all of them are forgotten.
  private static let memory = 4096

  /// In the order of the threads' numbers.
  private var entries: [Entry] = []
  /// Threads that the last listing did not have, and how many complete ones did not.
  private var missing: [Int32: (entry: Entry, listings: Int)] = [:]
  /// What all threads used that were ever seen.
  private(set) var total = ThreadUsage()

  /// Takes over what the threads have now, and tells each what it used since it was last seen.
  ///
  /// - Parameters:
  ///   - threads: In the order of their numbers.
  ///   - isComplete: Whether all of them were looked for.
  mutating func update(_ threads: inout [ThreadSample], isComplete: Bool = true) {
    let isUnchanged =
      entries.count == threads.count
      && threads.indices.allSatisfy { entries[$0].number == threads[$0].number }
    if !isUnchanged || !missing.isEmpty { match(threads, isComplete) }
    for index in threads.indices { total.add(entries[index].advance(to: &threads[index])) }
  }

  /// Makes an entry for each thread, the one it had before if it had one.
  private mutating func match(_ threads: [ThreadSample], _ isComplete: Bool) {
    var before = missing
    for (number, (entry, listings)) in missing {
      before[number] = (entry, listings + (isComplete ? 1 : 0))
    }
    for entry in entries { before[entry.number] = (entry, isComplete ? 1 : 0) }
    entries = threads.map { thread in
      before.removeValue(forKey: thread.number)?.entry ?? Entry(thread.number)
    }
    missing = before.filter { $0.value.listings <= Self.patience }
    if missing.count > Self.memory { missing = [:] }
  }
}
