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

  /// A record lacks up to a tick of the run time, which is most of a short life.
  @Test func shortLivesAreCountedByTicks() {
    let short = usage(run: 99_999_999, user: 8000, system: 4000).withRunTimeOfShortLife
    #expect(short[.run] == 12_000_000)
    let long = usage(run: 100_000_000, user: 8000, system: 4000).withRunTimeOfShortLife
    #expect(long[.run] == 100_000_000)
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
