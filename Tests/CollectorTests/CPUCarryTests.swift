import Linux
import ProcFS
import TestSupport
import Testing

@testable import Collector

@Suite struct CPUCarryTests {
  private func usage(run: UInt64, user: UInt64, system: UInt64) -> TaskUsage {
    var usage = TaskUsage()
    usage[.run] = run
    usage[.userTime] = user
    usage[.systemTime] = system
    return usage
  }

  private func stat(_ user: UInt64 = 0, _ system: UInt64 = 0) -> Stat {
    var stat = Stat()
    stat.userTicks = user
    stat.systemTicks = system
    return stat
  }

  @Test(
    arguments: [
      // Run time in milliseconds, ticks of either mode, what was shown; what comes out.
      (0, 0, 0, 0, 0, 0, 0),
      (100, 0, 0, 0, 0, 10, 0),
      (100, 1, 1, 0, 0, 5, 5),
      (100, 0, 7, 0, 0, 0, 10),
      (100, 9, 1, 0, 0, 9, 1),
      // No part falls, and both make up the total.
      (100, 9, 1, 0, 5, 5, 5),
      (100, 1, 9, 6, 0, 6, 4),
      (100, 1, 1, 9, 1, 9, 1),
      // The kernel went on counting after the record.
      (100, 1, 1, 20, 5, 20, 5),
    ] as [(UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)])
  func splits(
    milliseconds: UInt64, user: UInt64, system: UInt64, shownUser: UInt64, shownSystem: UInt64,
    expectedUser: UInt64, expectedSystem: UInt64
  ) {
    var carry = CPUCarry()
    var stat = stat(shownUser, shownSystem)
    carry.raise(&stat, usage(run: milliseconds * 1_000_000, user: user, system: system), facts)
    #expect(stat.userTicks == expectedUser && stat.systemTicks == expectedSystem)
    #expect(carry == CPUCarry())
  }

  /// Runs of many short lives, in nanoseconds, as they are counted.
  private func counted(_ lives: [(run: UInt64, ticks: UInt64)]) -> UInt64 {
    var shortLives = ShortLives()
    return lives.reduce(0) { sum, life in
      let usage = usage(run: life.run, user: life.ticks * 3000, system: life.ticks * 1000)
      return sum + (shortLives.complete(usage)[.run] ?? 0)
    }
  }

  /// Of four lives of a millisecond each one is hit by a tick of four, and nobody has looked since
  /// they began.
  @Test func shortLivesAreCountedByTicksWhereNobodyLooked() {
    let lives = (0..<4000).map { (run: UInt64(100_000), ticks: UInt64($0 % 4 == 3 ? 1 : 0)) }
    let sum = counted(lives)
    #expect((3_990_000_000...4_010_000_000).contains(sum), "\(sum)")
  }

  /// On a busy machine ticks hit others.
  @Test func shortLivesAreCountedByRunTimesWhereTicksMiss() {
    #expect(counted((0..<50).map { _ in (10_000_000, 1) }) == 500_000_000)
    // Nor does what was right before keep them from that.
    let calm = (0..<4000).map { (run: UInt64(100_000), ticks: UInt64($0 % 4 == 3 ? 1 : 0)) }
    let busy = (0..<5000).map { _ in (run: UInt64(10_000_000), ticks: UInt64(1)) }
    let sum = counted(calm + busy + calm)
    // What is forgotten only after a while.
    #expect((55_990_000_000...58_010_000_000).contains(sum), "\(sum)")
  }

  /// Whether a tick hits a life is chance, and what comes early must not be counted again and again.
  @Test func chanceAddsLittleToRunTimesThatLackNothing() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var shortLives = ShortLives()
    var (exact, sum) = (UInt64(0), UInt64(0))
    for _ in 0..<1_000_000 {
      let run = UInt64.random(in: 200_000...1_000_000, using: &random)
      let isHit = UInt64.random(in: 0..<UInt64(ShortLives.tick), using: &random) < run
      exact += run
      let usage = usage(run: run, user: isHit ? 10_000 : 0, system: 0)
      sum += shortLives.complete(usage)[.run] ?? 0
    }
    // 600 s, of which 1.6 s are expected at first, and a 400th later.
    #expect(sum >= exact && sum - exact < exact / 100, "\(sum) for \(exact), seed \(seed)")
  }

  @Test func runTimesOfRecordsAreTheLeast() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var shortLives = ShortLives()
    for _ in 0..<10_000 {
      let run = UInt64.random(in: 0..<150_000_000, using: &random)
      let usage = usage(
        run: run, user: .random(in: 0...60_000, using: &random),
        system: .random(in: 0...60_000, using: &random))
      let counted = shortLives.complete(usage)[.run] ?? 0
      let most = run < ShortLives.longest ? run + UInt64(ShortLives.tick) : run
      if !(run...most).contains(counted) { Issue.record("\(counted) for \(run), seed \(seed)") }
    }
    for (run, ticks) in [(UInt64.max, UInt64.max), (0, .max), (99_999_999, .max), (.max, 0)] {
      #expect(shortLives.complete(usage(run: run, user: ticks, system: ticks))[.run] ?? 0 >= run)
    }
  }

  @Test func manyShortOnesMakeTicks() {
    var carry = CPUCarry()
    var ticks: UInt64 = 0
    for _ in 0..<2000 {
      var stat = stat()
      carry.raise(&stat, usage(run: 700_000, user: 0, system: 0), facts)
      ticks += stat.userTicks
    }
    #expect(ticks == 140)
  }

  @Test func nothingIsLostAndNothingFalls() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      var carry = CPUCarry()
      var (exact, counted): (UInt64, UInt64) = (0, 0)
      for _ in 0..<100 {
        var one = stat(.random(in: 0...3, using: &random), .random(in: 0...3, using: &random))
        let before = one
        let run = UInt64.random(in: 0...80_000_000, using: &random)
        exact += max(run, (one.userTicks + one.systemTicks) * 10_000_000)
        carry.raise(
          &one,
          usage(
            run: run, user: .random(in: 0...5, using: &random),
            system: .random(in: 0...5, using: &random)), facts)
        counted += one.userTicks + one.systemTicks
        if one.userTicks < before.userTicks || one.systemTicks < before.systemTicks {
          Issue.record("a part fell, seed \(seed)")
        }
      }
      let carried = carry.userNanoseconds + carry.systemNanoseconds
      if counted * 10_000_000 + carried != exact { Issue.record("lost, seed \(seed)") }
    }
  }

  @Test func hostileNumbersDoNotTrap() {
    var carry = CPUCarry()
    var stat = stat(.max / 20_000_000, .max / 20_000_000)
    carry.raise(&stat, usage(run: .max, user: .max, system: .max), facts)
    stat = self.stat()
    carry.raise(&stat, usage(run: .max, user: .max - 1, system: 1), facts)
  }
}
