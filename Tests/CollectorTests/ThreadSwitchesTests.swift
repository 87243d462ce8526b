import TestSupport
import Testing

@testable import Collector

@Suite struct ThreadSwitchesTests {
  private func entry(
    _ thread: Int32, _ voluntary: UInt64, _ involuntary: UInt64 = 0
  ) -> ThreadSwitches.Entry {
    .init(thread: thread, switches: Switches(voluntary: voluntary, involuntary: involuntary))
  }

  @Test func sumsOfThreads() {
    let steps: [(threads: [ThreadSwitches.Entry], voluntary: UInt64, involuntary: UInt64)] = [
      ([], 0, 0),
      ([entry(1, 10, 1)], 10, 1),
      ([entry(1, 11, 1), entry(2, 5, 2)], 16, 3),
      // An ended thread's stay; one that is new before or behind others counts from 0.
      ([entry(2, 7, 2)], 18, 3),
      ([entry(0, 1), entry(2, 7, 2), entry(9, 1)], 20, 3),
      ([], 20, 3),
      // Numbers that fell are those of another thread.
      ([entry(1, 100, 10), entry(2, 50, 5)], 170, 18),
      ([entry(1, 3, 0), entry(2, 50, 4)], 223, 22),
    ]
    var switches = ThreadSwitches()
    for (number, step) in steps.enumerated() {
      let sum = switches.update(step.threads)
      let expected = Switches(voluntary: step.voluntary, involuntary: step.involuntary)
      #expect(sum == expected, "step \(number)")
    }
  }

  /// Threads that come, run, end and come again under an old number.
  ///
  /// A new one begins at 0. Every switch that was seen once is in the sum, and only once.
  @Test func sumsAreExactAndNeverFall() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var switches = ThreadSwitches()
    var live: [Int32: Switches] = [:]
    var former: [Int32: Switches] = [:]
    var ended = Switches.zero
    var last = Switches.zero
    for round in 0..<5000 {
      for thread in Int32(1)...6 {
        switch (live[thread], Int.random(in: 0..<10, using: &random)) {
        case (let seen?, 0):
          ended = ended + seen
          former[thread] = seen
          live[thread] = nil
        case (let seen?, 1) where seen.voluntary > 0:
          // It ended and another one got its number since the last look.
          ended = ended + seen
          live[thread] = Switches(
            voluntary: UInt64.random(in: 0..<seen.voluntary, using: &random),
            involuntary: UInt64.random(in: 0...1000, using: &random))
        case (var seen?, _):
          seen.voluntary += UInt64.random(in: 0...20, using: &random)
          seen.involuntary += UInt64.random(in: 0...2, using: &random)
          live[thread] = seen
        case (nil, 0...2):
          live[thread] = Switches(
            voluntary: UInt64.random(in: 0...20, using: &random), involuntary: 0)
        case (nil, _): break
        }
      }
      let sum = switches.update(
        live.sorted { $0.key < $1.key }.map { .init(thread: $0.key, switches: $0.value) })
      // #expect is too slow for this many rounds.
      if sum != live.values.reduce(ended, +) {
        Issue.record("the sum is wrong, seed \(seed), round \(round)")
      }
      if sum.voluntary < last.voluntary || sum.involuntary < last.involuntary {
        Issue.record("the sum fell, seed \(seed), round \(round)")
      }
      last = sum
    }
  }
}
