/// Figures that are read only when they are asked for.
package struct GoExtras: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// How long goroutines waited to run.
  package static let latencies = GoExtras(rawValue: 1)
  /// How long the program was stopped for garbage collection; since Go 1.22.
  package static let pauses = GoExtras(rawValue: 2)
  /// What CPU time went into; since Go 1.20.
  package static let cpuTimes = GoExtras(rawValue: 4)
  /// Calls of C functions; of programs with symbols.
  package static let cgoCalls = GoExtras(rawValue: 8)
}

/// Durations counted by their size, in the buckets that Go's client library makes of the runtime's.
package struct TimeHistogram: Sendable, Equatable {
  /// Where each bucket begins, in nanoseconds; it ends where the next one begins, and the last one
  /// does not end.
  package static let starts: [UInt64] = [
    0, 64, 640, 7168, 81_920, 917_504, 10_485_760, 117_440_512,
  ]

  /// How many durations are in each bucket.
  package var counts = [UInt64](repeating: 0, count: starts.count)

  package init() {}

  package var count: UInt64 { counts.reduce(0, &+) }

  /// Seconds, as if each duration were the shortest of its bucket.
  ///
  /// The runtime keeps no sum, and Go's client library gives this one.
  package var sum: Double {
    zip(Self.starts, counts).reduce(0) { $0 + Double($1.0) / 1e9 * Double($1.1) }
  }

  /// The upper bounds of all buckets but the last, in seconds: just below where the next one begins.
  package static var bounds: [Double] { starts.dropFirst().map { (Double($0) / 1e9).nextDown } }
}

/// What the CPU time that a program could use went into, as of the last garbage collection; all 0
/// before the first.
///
/// In nanoseconds, of all of GOMAXPROCS together.
package struct CPUTimes: Sendable, Equatable {
  package var assist: UInt64 = 0
  package var dedicated: UInt64 = 0
  package var idleMark: UInt64 = 0
  package var pause: UInt64 = 0
  package var collection: UInt64 = 0
  package var scavengeAssist: UInt64 = 0
  package var scavengeBackground: UInt64 = 0
  package var scavenge: UInt64 = 0
  package var idle: UInt64 = 0
  package var user: UInt64 = 0
  package var total: UInt64 = 0

  package init() {}
}

extension TimeHistogram {
  /// How the runtime counts durations: by their highest bit, and each of these buckets in equal parts.
  ///
  /// - Source: `runtime/histogram.go`.
  private struct Scheme {
    /// Bits that tell the parts of a bucket apart.
    let partBits: Int
    /// Durations with fewer bits are in the first bucket.
    let leastBits: Int
    let counts: Int
    /// Whether what is too long is counted apart.
    let hasOverflow: Bool

    /// Words: counts, negative durations, and those that are too long.
    var size: Int { counts + (hasOverflow ? 2 : 1) }

    static let all = [
      Scheme(partBits: 2, leastBits: 9, counts: 160, hasOverflow: true),
      // Until Go 1.19.
      Scheme(partBits: 4, leastBits: 5, counts: 720, hasOverflow: false),
    ]

    /// The shortest duration that is counted there.
    func start(_ index: Int) -> UInt64 {
      let (bucket, part) = (index >> partBits, UInt64(index & (1 << partBits - 1)))
      if bucket == 0 { return part << UInt64(leastBits - 1 - partBits) }
      let bit = leastBits + bucket - 2
      return 1 << UInt64(bit) | part << UInt64(bit - partBits)
    }
  }

  /// Adds up what the runtime has in finer buckets, each of which lies in one of these.
  ///
  /// - Throws: That this is no histogram of a known kind, or has numbers that cannot be.
  init(_ words: ArraySlice<UInt64>) throws(Refusal) {
    guard let scheme = Scheme.all.first(where: { $0.size == words.count }) else {
      throw .inconsistent("a histogram of another size")
    }
    var place = 0
    var total: UInt64 = 0
    for (index, count) in words.prefix(scheme.counts).enumerated() {
      while place + 1 < counts.count, scheme.start(index) >= Self.starts[place + 1] { place += 1 }
      total = try total.adding(count)
      counts[place] &+= count
    }
    let outside = words.dropFirst(scheme.counts)
    let negative = outside.first ?? 0
    let tooLong = scheme.hasOverflow ? outside.last ?? 0 : 0
    // Clocks that go wrong do it rarely; what lies behind a histogram is of another order.
    let strange = try negative.adding(tooLong)
    if strange > total { throw .inconsistent("a histogram mostly of durations that cannot be") }
    counts[0] &+= negative
    counts[counts.count - 1] &+= tooLong
  }
}

extension UInt64 {
  /// More than a program can count in its life.
  private static var limit: UInt64 { 1 << 56 }

  fileprivate func adding(_ other: UInt64) throws(Refusal) -> UInt64 {
    if self >= Self.limit || other >= Self.limit { throw .inconsistent("a count that cannot be") }
    return self + other
  }
}

extension CPUTimes {
  /// Words of `cpuStats`.
  static let wordCount = 11

  /// - Parameters:
  ///   - words: A structure `cpuStats`.
  ///   - fraction: `memstats.gc_cpu_fraction`, which the runtime works out from it.
  /// - Throws: The check that failed; it passes at any time but for some nanoseconds.
  init(_ words: ArraySlice<UInt64>, fraction: UInt64) throws(Refusal) {
    guard words.count == Self.wordCount else { throw .notRead }
    let at = words.startIndex
    (assist, dedicated, idleMark, pause) = (words[at], words[at + 1], words[at + 2], words[at + 3])
    (collection, scavengeAssist, scavengeBackground) = (words[at + 4], words[at + 5], words[at + 6])
    (scavenge, idle, user, total) = (words[at + 7], words[at + 8], words[at + 9], words[at + 10])
    // Pauses of a cycle that goes on are there already, while the total is that of the last one.
    let ahead = collection &+ scavenge &+ idle &+ user &- total
    let isWhole =
      collection == assist &+ dedicated &+ idleMark &+ pause
      && scavenge == scavengeAssist &+ scavengeBackground && ahead <= pause && ahead <= collection
      && total > 0 && total < 1 << 63
      && words.dropLast().allSatisfy { $0 <= total &+ ahead }
    guard isWhole else { throw .inconsistent("the CPU times are not the sums of their parts") }
    let share = Double(collection - ahead - min(idleMark, collection - ahead)) / Double(total)
    guard share == Double(bitPattern: fraction) else {
      throw .inconsistent("the CPU times do not agree with gc_cpu_fraction")
    }
  }
}

extension Acceptance {
  /// - Parameters:
  ///   - snapshot: What was read.
  ///   - before: What was accepted the last time.
  /// - Returns: The waits.
  /// - Throws: The check that failed.
  static func latencies(
    _ snapshot: Snapshot, before: TimeHistogram?
  ) throws(Refusal) -> TimeHistogram {
    try rising(try TimeHistogram(snapshot.latencies), before)
  }

  /// Each cycle stops the program twice, and seldom some times more.
  ///
  /// - Parameters:
  ///   - snapshot: What was read.
  ///   - before: What was accepted the last time.
  /// - Returns: The pauses.
  /// - Throws: The check that failed.
  static func pauses(
    _ snapshot: Snapshot, before: TimeHistogram?
  ) throws(Refusal) -> TimeHistogram {
    let found = try rising(try TimeHistogram(snapshot.pauses), before)
    let cycles = UInt64(snapshot.cycles)
    // The first stop of the next cycle may be there, the second of the last one may not yet.
    try require(
      found.count + 1 >= 2 * cycles && found.count <= 4 * (cycles + 1),
      "the pauses are not two for each cycle")
    return found
  }

  private static func rising(
    _ found: TimeHistogram, _ before: TimeHistogram?
  ) throws(Refusal) -> TimeHistogram {
    if let before {
      try require(
        zip(found.counts, before.counts).allSatisfy { $0 >= $1 },
        "a count of a histogram has fallen")
    }
    return found
  }

  /// - Returns: The times, those of the first place where they can be.
  /// - Throws: The check that failed.
  static func cpuTimes(_ snapshot: Snapshot) throws(Refusal) -> CPUTimes {
    if snapshot.cycles == 0 { return CPUTimes() }
    var refusal = Refusal.notLocated("runtime.work.cpuStats")
    for words in snapshot.cpuTimes {
      do throws(Refusal) {
        return try CPUTimes(words, fraction: snapshot.memstats(.gcCPUFraction))
      } catch {
        refusal = error
      }
    }
    throw refusal
  }
}

extension Locator {
  /// Copies of `cpuStats` that are kept in mind: the runtime's own, and those that it has handed out.
  private static let copyLimit = 8
  /// How much of `runtime.work` is searched, bytes.
  private static let workBytes = 4096

  /// Finds where `cpuStats` may be, after the first cycle; patch releases move it.
  ///
  /// Besides the runtime's own there may be copies, which are left behind by the next cycle.
  /// - Parameter memstats: Where `runtime.memstats` is.
  /// - Returns: Addresses in the process.
  func cpuTimes(_ memstats: UInt64) -> [UInt64] {
    let fraction = memstats &+ UInt64(layout[.gcCPUFraction])
    let found = search(
      ahead: CPUTimes.wordCount - 1, with: (fraction, 1), in: work(bytes: Self.workBytes)
    ) { window in
      let words = window.words
      return window.places.filter { place in
        // Most memory is 0.
        guard words[place + 3] != 0, words[place + 10] != 0,
          words[place + 4] >= words[place + 3]
        else { return false }
        let candidate = words[place..<(place + CPUTimes.wordCount)]
        return (try? CPUTimes(candidate, fraction: words[0])) != nil
      }
    }
    return Array(found.prefix(Self.copyLimit))
  }
}
