import ProcFS
import TestSupport
import Testing

@testable import Collector

/// Counters and limits of control groups, added up.
@Suite struct CgroupSumsTests {
  private static let paths = ["a", "a/b", "a/b/c", "a/d", "e"]

  private func seen(
    _ path: String, _ inode: UInt64, _ value: UInt64?, includesInner: Bool = true
  ) -> CgroupCounters.Seen {
    CgroupCounters.Seen(
      path: CgroupPath(.unified, path), inode: inode, values: [value],
      includesInner: includesInner)
  }

  /// What processes use by themselves in random groups of a tree, while random ones are looked at:
  /// the sum never falls, and has all of it once the outermost ones were seen.
  @Test func neverFallsAndMissesNothing() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<200 {
      var counters = CgroupCounters(count: 1)
      var own = [UInt64](repeating: 0, count: Self.paths.count)
      func total(_ path: String) -> UInt64 {
        zip(Self.paths, own).reduce(0) {
          $1.0 == path || $1.0.hasPrefix(path + "/") ? $0 + $1.1 : $0
        }
      }
      var last: UInt64 = 0
      for _ in 0..<30 {
        for index in own.indices { own[index] += UInt64.random(in: 0...9, using: &random) }
        let now = Self.paths.indices.filter { _ in Bool.random(using: &random) }.map {
          seen(Self.paths[$0], UInt64($0), total(Self.paths[$0]))
        }
        counters.update(now.shuffled(using: &random), memory: 1000)
        let sum = counters.sums[0] ?? 0
        #expect(sum >= last, "seed \(seed), round \(round)")
        last = sum
      }
      let all = [seen("a", 0, total("a")), seen("e", 4, total("e"))]
      counters.update(all, memory: 1000)
      #expect(counters.sums[0] ?? 0 >= total("a") + total("e"), "seed \(seed), round \(round)")
    }
  }

  @Test func outerGroupThatComesLaterHasTheInnerOnesInIt() {
    var counters = CgroupCounters(count: 1)
    counters.update([seen("a/b", 1, 10), seen("a/d", 2, 5)], memory: 9)
    #expect(counters.sums == [15])
    counters.update([seen("a", 3, 100)], memory: 9)
    #expect(counters.sums == [100])
    counters.update([seen("a", 3, 101), seen("a/b", 1, 11)], memory: 9)
    #expect(counters.sums == [101])
    // The outer one is left: the inner one goes on from where it was.
    counters.update([seen("a/b", 1, 14)], memory: 9)
    #expect(counters.sums == [104])
  }

  @Test func countersOfTheirOwnAreAddedUpInsideEachOther() {
    var counters = CgroupCounters(count: 1)
    let groups = [
      seen("a", 1, 10, includesInner: false), seen("a/b", 2, 5, includesInner: false),
    ]
    counters.update(groups, memory: 9)
    #expect(counters.sums == [15])
  }

  @Test func setBackUnreadAndForgotten() {
    var counters = CgroupCounters(count: 1)
    #expect(counters.sums == [nil])
    counters.update([seen("a", 1, nil)], memory: 0)
    #expect(counters.sums == [nil])
    counters.update([seen("a", 1, 10)], memory: 0)
    counters.update([seen("a", 1, nil)], memory: 0)
    #expect(counters.sums == [10])
    counters.update([seen("a", 1, 3)], memory: 0)
    #expect(counters.sums == [10])
    counters.update([seen("a", 1, 7)], memory: 0)
    #expect(counters.sums == [14])
    // Another group by the same path.
    counters.update([seen("a", 2, 2)], memory: 0)
    #expect(counters.sums == [16])
    counters.update([seen("a", 1, .max)], memory: 0)
    #expect(counters.sums[0] != nil)
  }

  @Test func boundOfNothingIsNone() {
    #expect(bound([]) { _ in 1 } == nil)
    #expect(bound([CgroupPath(.memory, "/a")]) { _ in nil } == nil)
    #expect(bound([CgroupPath(.memory, "/a")]) { _ in .infinity } == nil)
    #expect(bound([CgroupPath(.memory, "/")]) { _ in 3 } == 3)
  }
}
