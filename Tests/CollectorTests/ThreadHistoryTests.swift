import ProcFS
import TestSupport
import Testing

@testable import Collector

@Suite struct ThreadHistoryTests {
  /// A thread as a walk finds it; without a start time and a name, only `status` was read of it.
  private func thread(
    _ number: Int32, _ voluntary: UInt64, _ involuntary: UInt64 = 0, start: UInt64? = nil,
    name: String = "app"
  ) throws -> ThreadSample {
    var thread = ThreadSample(number)
    thread.usage[.voluntarySwitches] = voluntary
    thread.usage[.involuntarySwitches] = involuntary
    if let start {
      var line = TestStat(pid: number, name: name)
      line.startTicks = start
      thread.stat = try Stat(Array(line.line.utf8).span, facts)
    }
    return thread
  }

  @Test func sumsOfThreads() throws {
    let steps: [(threads: [ThreadSample], voluntary: UInt64?, involuntary: UInt64?)] = [
      ([], nil, nil),
      ([try thread(1, 10, 1)], 10, 1),
      ([try thread(1, 11, 1), try thread(2, 5, 2)], 16, 3),
      // An ended thread's stay; one that is new before or behind others counts from 0.
      ([try thread(2, 7, 2)], 18, 3),
      ([try thread(0, 1), try thread(2, 7, 2), try thread(9, 1)], 20, 3),
      ([], 20, 3),
      // One that comes back soon is the same; numbers that fell are those of another thread.
      ([try thread(1, 100, 10), try thread(2, 50, 5)], 163, 16),
      ([try thread(1, 3, 0), try thread(2, 50, 4)], 216, 20),
      // A start time says that it is another one although its numbers rose, or the same one although
      // they fell.
      ([try thread(1, 3, 0, start: 5)], 216, 20),
      ([try thread(1, 4, 0, start: 6)], 220, 20),
      ([try thread(1, 2, 0, start: 6)], 220, 20),
      ([try thread(1, 5, 0, start: 6)], 221, 20),
      // A file that cannot be read changes nothing.
      ([ThreadSample(1)], 221, 20),
      ([try thread(1, 6, 0, start: 6)], 222, 20),
    ]
    var history = ThreadHistory()
    for (number, step) in steps.enumerated() {
      var threads = step.threads
      history.update(&threads)
      #expect(history.total[.voluntarySwitches] == step.voluntary, "step \(number)")
      #expect(history.total[.involuntarySwitches] == step.involuntary, "step \(number)")
      #expect(history.total[.userTicks] == nil)
    }
  }

  /// The kernel's listing skips a living thread now and then.
  @Test func oneThatAListingSkippedCountsOnce() throws {
    var history = ThreadHistory()
    func voluntary(_ threads: [ThreadSample], isComplete: Bool = true) -> UInt64? {
      var threads = threads
      history.update(&threads, isComplete: isComplete)
      return history.total[.voluntarySwitches]
    }
    #expect(voluntary([try thread(1, 10), try thread(2, 10)]) == 20)
    #expect(voluntary([try thread(1, 10)]) == 20)
    #expect(voluntary([try thread(1, 10)]) == 20)
    #expect(voluntary([try thread(1, 10), try thread(2, 11)]) == 21)
    // Listings that were cut say nothing about those behind.
    for _ in 0..<5 { #expect(voluntary([try thread(1, 10)], isComplete: false) == 21) }
    #expect(voluntary([try thread(1, 10), try thread(2, 12)]) == 22)
    // After some complete ones it has ended, and the number is another thread's.
    for _ in 0..<3 { #expect(voluntary([try thread(1, 10)]) == 22) }
    #expect(voluntary([try thread(1, 10), try thread(2, 13)]) == 35)
  }

  /// What a thread used belongs to the name it has when that is seen.
  @Test func tellsWhatIsNewUnderWhichName() throws {
    let steps: [(ThreadSample, used: UInt64, name: String?)] = [
      (try thread(1, 10), 10, nil),
      // Its name is read for the first time, so that it has all that it used so far.
      (try thread(1, 12, start: 5, name: "a"), 12, "a"),
      (try thread(1, 15, start: 5, name: "b"), 3, "b"),
      // The name could not be read.
      (try thread(1, 16), 1, "b"),
      (try thread(1, 4, start: 7, name: "c"), 4, "c"),
    ]
    var history = ThreadHistory()
    for (number, step) in steps.enumerated() {
      var threads = [step.0]
      history.update(&threads)
      #expect(threads[0].used[.voluntarySwitches] == step.used, "step \(number)")
      #expect(
        threads[0].name.map { String(decoding: $0.bytes, as: UTF8.self) } == step.name,
        "step \(number)")
    }
    #expect(history.total[.voluntarySwitches] == 20)
  }

  /// Threads that come, run, end and come again under an old number.
  ///
  /// A new one begins at 0. Every switch that was seen once is in the sum, and only once.
  @Test func sumsAreExactAndNeverFall() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var history = ThreadHistory()
    var live: [Int32: (switches: UInt64, start: UInt64)] = [:]
    var ended: UInt64 = 0
    var last: UInt64 = 0
    for round in 0..<5000 {
      for number in Int32(1)...6 {
        let more = UInt64.random(in: 0...20, using: &random)
        switch (live[number], Int.random(in: 0..<10, using: &random)) {
        case (let seen?, 0):
          ended += seen.switches
          live[number] = nil
        case (let seen?, 1):
          // It ended and another one got its number since the last look.
          ended += seen.switches
          live[number] = (more, UInt64(round))
        case (let seen?, _): live[number] = (seen.switches + more, seen.start)
        case (nil, 0...2): live[number] = (more, UInt64(round))
        case (nil, _): break
        }
      }
      var threads = try live.sorted { $0.key < $1.key }.map {
        try thread($0.key, $0.value.switches, start: $0.value.start)
      }
      history.update(&threads)
      // #expect is too slow for this many rounds.
      let sum = history.total[.voluntarySwitches] ?? 0
      if sum != live.values.reduce(ended, { $0 + $1.switches }) {
        Issue.record("the sum is wrong, seed \(seed), round \(round)")
      }
      if sum < last { Issue.record("the sum fell, seed \(seed), round \(round)") }
      last = sum
    }
  }
}
