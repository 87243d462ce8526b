import TestSupport
import Testing

@testable import ProcFS
@testable import Targets

/// The `stat` of a process.
func stat(start: UInt64, parent: Int32 = 1) throws -> Stat {
  let line =
    "7 (x) S \(parent) 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 \(start) 0 0 18446744073709551615"
    + String(repeating: " 0", count: 27)
  return try Stat(
    Array(line.utf8).span, SystemFacts(pageBytes: 4096, ticksPerSecond: 100, bootTicks: 0))
}

@Suite struct StrangersTests {
  /// Strangers that have had their turns up to `now`, so that only what is younger is due.
  private func strangers(_ pids: some Sequence<Int32>, start: UInt64, now: UInt64) throws
    -> Strangers
  {
    var strangers = Strangers()
    _ = strangers.begin(now: now)
    for pid in pids { strangers.note(pid, try stat(start: start)) }
    return strangers
  }

  @Test func aYoungProcessIsReadAgainWhenItIsAQuarterOlder() throws {
    for (now, isDue) in [(1401, false), (1499, false), (1500, true), (9999, true)] {
      // Enough others that its turn is not yet.
      var strangers = try strangers(100..<200, start: 0, now: 1400)
      strangers.note(7, try stat(start: 1000))
      #expect(strangers.begin(now: UInt64(now)).contains(7) == isDue, "at \(now)")
    }
  }

  @Test func allTakeTurnsSomeInEachCollection() throws {
    var strangers = try strangers(1000..<1100, start: 0, now: 10_000)
    var reads: [Int32: Int] = [:]
    for round in 0..<25 {
      let due = strangers.begin(now: 10_001)
      #expect(due.count == Strangers.turns, "round \(round)")
      for pid in due { reads[pid, default: 0] += 1 }
    }
    #expect(reads.count == 100 && reads.values.allSatisfy { $0 == 2 })
  }

  /// However many there are, and however many of them are due.
  @Test(arguments: [0, 1, 7, 64, 65, 1000, 20_000])
  func readsOfOneCollectionAreBounded(count: Int32) throws {
    var strangers = try strangers(1..<(count + 1), start: 900, now: 1000)
    for now in [UInt64(1001), 1100, 100_000] {
      let due = strangers.begin(now: now)
      #expect(due.count <= Strangers.turns + Strangers.youngReads)
      #expect(due.count >= min(Int(count), Strangers.turns))
    }
    #expect(strangers.count == Int(count))
  }

  @Test func theYoungestComeFirst() throws {
    var strangers = Strangers()
    _ = strangers.begin(now: 2000)
    for pid in Int32(1)...1000 { strangers.note(pid, try stat(start: UInt64(pid))) }
    let young = strangers.begin(now: 1_000_000).prefix(Strangers.youngReads)
    #expect(Array(young) == (0..<Int32(Strangers.youngReads)).map { 1000 - $0 })
  }

  @Test func aTimeToLookAgainIsKept() throws {
    // 64 ticks are as fine as it gets.
    for (at, now, isDue) in [
      (20_000, 19_999, false), (20_000, 20_063, true), (20_032, 20_031, false),
      (20_032, 20_096, true), (1, 10_064, true), (UInt64.max, 1 << 40, false),
    ] {
      var strangers = try strangers(100..<200, start: 5, now: 10_000)
      strangers.note(7, try stat(start: 0), lookAgainTicks: at)
      #expect(strangers.begin(now: UInt64(now)).contains(7) == isDue, "at \(now) for \(at)")
      // Once.
      if isDue { #expect(!strangers.begin(now: UInt64(now) + 64).contains(7)) }
    }
  }

  @Test func theCalendarDoesNotGrowWithThoseThatEnded() throws {
    var strangers = Strangers()
    _ = strangers.begin(now: 10_000)
    for pid in Int32(1)...100_000 {
      strangers.note(pid, try stat(start: 9_000), lookAgainTicks: 10_000_000)
      strangers.remove(pid)
    }
    strangers.note(7, try stat(start: 9_000), lookAgainTicks: 10_000_000)
    #expect(strangers.calendarCount <= 1025)
    #expect(strangers.begin(now: 10_000_064).contains(7))
  }

  @Test func noMoreThanTheLimitAreRemembered() throws {
    var strangers = Strangers()
    let one = try stat(start: 0)
    for pid in 1...Int32(Strangers.limit + 5) { strangers.note(pid, one) }
    #expect(strangers.count == Strangers.limit)
    strangers.remove(1)
    strangers.note(.max, one)
    #expect(strangers.contains(.max) && strangers.count == Strangers.limit)
  }

  @Test func behavesAsASimpleModel() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      var strangers = Strangers()
      var parents: [Int32: Int32] = [:]
      var waits: [Int32: Int] = [:]
      var now: UInt64 = 10_000
      for _ in 0..<200 {
        now += UInt64.random(in: 0...300, using: &random)
        let due = strangers.begin(now: now)
        #expect(due.allSatisfy { parents[$0] != nil }, "seed \(seed)")
        for pid in parents.keys { waits[pid, default: 0] += 1 }
        for pid in due { waits[pid] = 0 }
        for _ in 0..<Int.random(in: 0...10, using: &random) {
          let pid = Int32.random(in: 1...200, using: &random)
          switch Int.random(in: 0...3, using: &random) {
          case 0:
            strangers.remove(pid)
            (parents[pid], waits[pid]) = (nil, nil)
          case 1 where Int.random(in: 0...20, using: &random) == 0:
            let listed = Set(parents.keys.filter { _ in Bool.random(using: &random) })
            strangers.keep(listed)
            parents = parents.filter { listed.contains($0.key) }
            waits = waits.filter { listed.contains($0.key) }
          default:
            let parent = Int32.random(in: 1...200, using: &random)
            strangers.note(
              pid, try stat(start: UInt64.random(in: 0...now, using: &random), parent: parent),
              lookAgainTicks: Bool.random(using: &random) ? now + 1000 : nil)
            parents[pid] = parent
          }
        }
        #expect(Set(strangers.pids) == Set(parents.keys), "seed \(seed)")
        #expect(
          parents.allSatisfy { strangers.parent(of: $0.key) == $0.value }, "seed \(seed)")
        // Some rounds, as one that ends can put another one behind the turn.
        #expect(waits.values.allSatisfy { $0 <= 4 * (200 / Strangers.turns + 1) }, "seed \(seed)")
      }
    }
  }
}
