import Foundation
import Linux
import TestSupport
import Testing

@testable import GoRuntime

/// Histograms and CPU times, which are read only when they are asked for.
@Suite struct ExtrasTests {
  // MARK: The runtime's words

  /// The words of a histogram of Go 1.20 and newer with some durations in it.
  private func words(_ durations: [UInt64]) -> [UInt64] {
    var words = [UInt64](repeating: 0, count: 162)
    for duration in durations {
      // As record() in runtime/histogram.go does it.
      let length = 64 - duration.leadingZeroBitCount
      let bucket = max(0, length - 8)
      let bit = max(length, 9)
      if bucket >= 40 {
        words[161] += 1
      } else {
        words[bucket * 4 + Int(duration >> UInt64(bit - 3)) % 4] += 1
      }
    }
    return words
  }

  @Test func durationsAreInTheBucketThatTheyBelongTo() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      let duration =
        UInt64.random(in: 0 ... .max, using: &random) >> UInt64.random(in: 17...63, using: &random)
      let histogram = try TimeHistogram(words([duration])[...])
      let place = try #require(TimeHistogram.starts.lastIndex { $0 <= duration })
      #expect(histogram.counts[place] == 1 && histogram.count == 1, "\(duration), seed \(seed)")
    }
  }

  @Test func boundsAreThoseOfGosClientLibrary() {
    #expect(
      TimeHistogram.bounds == [
        6.399999999999999e-08, 6.399999999999999e-07, 7.167999999999999e-06,
        8.191999999999999e-05, 0.0009175039999999999, 0.010485759999999998, 0.11744051199999998,
      ])
  }

  /// A page that Go's client library has made: 0, 0, 2, 8, 1, 1 pauses make 0.001058048 s.
  @Test func sumIsThatOfGosClientLibrary() {
    var histogram = TimeHistogram()
    histogram.counts = [0, 0, 2, 8, 1, 1, 0, 0]
    #expect(abs(histogram.sum - 0.001058048) < 1e-12)
  }

  @Test func outliersAreInTheFirstAndTheLastBucket() throws {
    var words = words([100, 1000])
    words[160] = 1
    #expect(try TimeHistogram(words[...]).counts == [1, 1, 1, 0, 0, 0, 0, 0])
    words[160] = 0
    words[161] = 2
    #expect(try TimeHistogram(words[...]).counts == [0, 1, 1, 0, 0, 0, 0, 2])
  }

  @Test func whatIsNoHistogramIsRefused() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<200 {
      let words = (0..<162).map { _ in UInt64.random(in: 0 ... .max, using: &random) }
      #expect(throws: Refusal.self) { try TimeHistogram(words[...]) }
    }
    // As if it began a word late: what lies behind it is the time that processors were idle.
    let shifted = words([100, 200, 300]).dropFirst() + [5_000_000_000]
    #expect(throws: Refusal.self) { try TimeHistogram(shifted) }
    #expect(throws: Refusal.self) { try TimeHistogram(words([1]).dropLast()) }
    #expect(throws: Refusal.self) { try TimeHistogram([]) }
  }

  private static let times: [UInt64] = [5, 20, 7, 3, 35, 2, 4, 6, 100, 859, 1000]
  private static let fraction = (Double(35 - 7) / 1000).bitPattern

  @Test func timesAgree() throws {
    let times = try CPUTimes(Self.times[...], fraction: Self.fraction)
    #expect(times.assist == 5 && times.collection == 35 && times.user == 859 && times.total == 1000)
    // A cycle that goes on has stopped the program for 2 ns already.
    var ahead = Self.times
    ahead[3] += 2
    ahead[4] += 2
    #expect(try CPUTimes(ahead[...], fraction: Self.fraction).pause == 5)
  }

  /// Whatever number is another one, they do not agree.
  @Test(arguments: 0..<11, [UInt64(1), .max, 1 << 40])
  func timesThatDoNotAgreeAreRefused(place: Int, change: UInt64) {
    var words = Self.times
    words[place] &+= change
    #expect(throws: Refusal.self) { try CPUTimes(words[...], fraction: Self.fraction) }
    #expect(throws: Refusal.self) {
      try CPUTimes(Self.times[...], fraction: Self.fraction &+ change)
    }
  }

  @Test func noTimesAreRefused() {
    #expect(throws: Refusal.self) {
      try CPUTimes([UInt64](repeating: 0, count: 11)[...], fraction: 0)
    }
    #expect(throws: Refusal.self) { try CPUTimes(Self.times.dropLast(), fraction: Self.fraction) }
  }

  // MARK: Programs

  private struct Report: Decodable {
    let histograms: [String: [[Double]]]
    let seconds: [String: Double]
    let cgo: UInt64

    /// In the buckets of ``TimeHistogram``.
    func counts(_ name: String) -> [UInt64]? {
      histograms[name].map { buckets in
        var counts = [UInt64](repeating: 0, count: 8)
        for bucket in buckets {
          let start = bucket[0]
          let place = TimeHistogram.starts.lastIndex { Double($0) / 1e9 <= start } ?? 0
          counts[place] += UInt64(bucket[1])
        }
        return counts
      }
    }

    func seconds(_ name: String) -> Double? { seconds["/cpu/classes/\(name):cpu-seconds"] }
  }

  private static let all: GoExtras = [.latencies, .pauses, .cpuTimes, .cgoCalls]

  /// A program and what reads it.
  private struct Watched {
    let subject: Subject
    var process: GoProcess
    let minor: Int

    init(_ name: String) throws {
      subject = try Subject(goProgramPath(name))
      process = try subject.reader()
      minor = try #require(
        name.split(separator: ".").dropFirst().first.flatMap { Int($0.prefix { $0.isNumber }) })
    }

    func report() throws -> Report {
      try JSONDecoder().decode(Report.self, from: Data(subject.ask("distributions").utf8))
    }
  }

  private struct Unreadable: Error {}

  private static func isBetween(_ low: [UInt64]?, _ found: [UInt64]?, _ high: [UInt64]?) -> Bool {
    guard let low, let high else { return low == nil && high == nil && found == nil }
    guard let found else { return false }
    return zip(zip(low, found), zip(found, high)).allSatisfy { $0.0 <= $0.1 && $1.0 <= $1.1 }
  }

  private static func times(_ times: CPUTimes) -> [String: UInt64] {
    [
      "gc/mark/assist": times.assist, "gc/mark/dedicated": times.dedicated,
      "gc/mark/idle": times.idleMark, "gc/pause": times.pause, "gc/total": times.collection,
      "scavenge/assist": times.scavengeAssist, "scavenge/background": times.scavengeBackground,
      "scavenge/total": times.scavenge, "idle": times.idle, "user": times.user,
      "total": times.total,
    ]
  }

  /// An idle program is told exactly, before its first cycle and after some.
  @Test(arguments: goPrograms) func idle(_ program: String) throws {
    var watched = try Watched(program)
    for cycles in [0, 1, 3] {
      if cycles > 0 { #expect(watched.subject.ask("gc \(cycles)") == "done") }
      #expect(watched.subject.ask("cgo \(cycles * 1000)") == "done")
      var isExact = false
      for _ in 0..<100 where !isExact {
        let before = try watched.report()
        let sample = try watched.process.sample(systemThreads: 100, extras: Self.all)
        let after = try watched.report()
        let latencies = try sample.latencies?.get().counts
        let pauses = try sample.pauses?.get().counts
        let name = "/sched/latencies:seconds"
        #expect(Self.isBetween(before.counts(name), latencies, after.counts(name)))
        let gc = "/sched/pauses/total/gc:seconds"
        #expect(Self.isBetween(before.counts(gc), pauses, after.counts(gc)))
        switch sample.cgoCalls {
        case .success(let calls):
          #expect((before.cgo...after.cgo).contains(calls))
          #expect(calls >= (program.contains("cgo") ? 1000 * cycles + 1 : 0))
        case .failure(let refusal):
          #expect("\(refusal)".contains("symbols") == program.hasSuffix("sw"), "\(refusal)")
        case nil: Issue.record("not read")
        }
        if watched.minor < 20 {
          #expect(sample.cpuTimes == nil)
        } else if before.seconds == after.seconds {
          for (name, found) in Self.times(try #require(try sample.cpuTimes?.get())) {
            #expect(before.seconds(name) == Double(found) / 1e9, "\(name)")
          }
        }
        isExact =
          before.counts(name) == after.counts(name) && before.counts(name) == latencies
          && before.counts(gc) == pauses
      }
      #expect(isExact)
    }
  }

  /// Nothing is read that was not asked for.
  @Test(arguments: goPrograms.prefix(1)) func nothingUnasked(_ name: String) throws {
    var watched = try Watched(name)
    let sample = try watched.process.sample(systemThreads: 100)
    #expect(sample.latencies == nil && sample.pauses == nil && sample.cpuTimes == nil)
  }

  /// A busy program is between what it says before and after, and nothing ever falls.
  @Test(arguments: goPrograms) func busy(_ name: String) throws {
    var watched = try Watched(name)
    #expect(watched.subject.ask("gc 2") == "done")
    #expect(watched.subject.ask("storm 2") == "done")
    #expect(watched.subject.ask("churn 1") == "done")
    var (accepted, refused) = (0, [String]())
    for _ in 0..<40 {
      let before = try watched.report()
      let sample = try watched.process.sample(systemThreads: 100, extras: Self.all)
      let after = try watched.report()
      if case .failure(let reason) = sample.cpuTimes { refused.append("\(reason)") }
      if case .failure(let reason) = sample.pauses { refused.append("\(reason)") }
      if case .failure(let reason) = sample.latencies { refused.append("\(reason)") }
      if case .success(let calls) = sample.cgoCalls {
        #expect((before.cgo...after.cgo).contains(calls))
      }
      if case .success(let found) = sample.latencies {
        let name = "/sched/latencies:seconds"
        accepted += 1
        #expect(Self.isBetween(before.counts(name), found.counts, after.counts(name)))
      }
      if case .success(let found) = sample.pauses {
        let name = "/sched/pauses/total/gc:seconds"
        #expect(Self.isBetween(before.counts(name), found.counts, after.counts(name)))
      }
      if case .success(let found) = sample.cpuTimes {
        for (name, found) in Self.times(found) where name != "user" {
          let found = Double(found) / 1e9
          #expect(before.seconds(name) ?? .infinity <= found, "\(name)")
          #expect(found <= after.seconds(name) ?? 0, "\(name)")
        }
      }
    }
    #expect(accepted > 30, "\(refused)")
    #expect(refused.count < 20, "\(refused)")
  }
}
