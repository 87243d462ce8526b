import GoRuntime
import Metrics
import TestSupport
import Testing

@testable import Collector

/// Distributions of Go runtimes as Go's client library has them.
@Suite struct GoDistributionTests {
  @Test func quantilesAreThoseOfGosClientLibrary() {
    let summary = GoDistributions.pauses(
      latest: [[9000, 1000, 5000], [3000, 7000]], total: 123_000, cycles: 300)
    #expect(summary.points == [1e-6, 3e-6, 5e-6, 7e-6, 9e-6].map { .real($0) })
    #expect(summary.sum == 0.000123 && summary.count == 300)
  }

  /// Before the first cycle they are 0; without figures they are not there.
  @Test func quantilesOfNothing() {
    let first = GoDistributions.pauses(latest: [[]], total: 0, cycles: 0)
    #expect(first.points == Array(repeating: .whole(0), count: 5))
    let late = GoDistributions.pauses(latest: nil, total: 5, cycles: 1)
    #expect(late.points == Array(repeating: .absent, count: 5) && late.count == 1)
  }

  @Test func quantilesAreOrderedAndAmongThePauses() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let pauses = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        (0..<Int.random(in: 1...256, using: &random)).map { _ in
          UInt64.random(in: 0...1 << 40, using: &random)
        }
      }
      let all = Set(pauses.joined().map { Double($0) / 1e9 })
      let points = GoDistributions.pauses(latest: pauses, total: 1, cycles: 1).points
        .compactMap(\.number)
      #expect(points == points.sorted() && all.isSuperset(of: points), "seed \(seed)")
      #expect(points.first == all.min() && points.last == all.max(), "seed \(seed)")
    }
  }

  @Test func countsAddUpAndNeverFall() {
    var one = GoExtraCounts()
    one.latencies.counts = [1, 2, 3, 4, 5, 6, 7, 8]
    one.cpuTimes.user = 7
    var other = GoExtraCounts()
    other.latencies.counts = [8, 7, 6, 5, 4, 3, 2, 1]
    other.pauses.counts[2] = 2
    #expect((one + other).latencies.counts == Array(repeating: 9, count: 8))
    #expect((one + other).pauses.counts[2] == 2 && (one + other).cpuTimes.user == 7)
    #expect(one.combined(with: other, max).latencies.counts == [8, 7, 6, 5, 5, 6, 7, 8])
    let histogram = GoDistributions.histogram(one.latencies)
    #expect(histogram.points == [1, 3, 6, 10, 15, 21, 28].map { .whole($0) })
    #expect(histogram.count == 36)
  }

  /// Groups and single families switch on what is read, and nothing else does.
  @Test func extrasAreReadWhenAskedFor() {
    func extras(_ groups: Set<Group>, _ families: Set<String> = []) -> GoExtras {
      Catalogue.goExtras(Selection(groups: groups, families: families))
    }
    #expect(extras([.go]) == [])
    #expect(extras([.goLatencies]) == [.latencies, .pauses])
    #expect(extras([.goCPU]) == .cpuTimes)
    #expect(extras([], ["go_sched_pauses_total_gc_seconds"]) == .pauses)
    #expect(extras([], ["go_cpu_classes_user_cpu_seconds_total"]) == .cpuTimes)
  }

  /// Points of summaries and histograms go up, and formats write them alike.
  @Test func familiesHavePoints() {
    for row in Catalogue.target where row.family.kind != .counter && row.family.kind != .gauge {
      #expect(row.family.points == row.family.points.sorted(), "\(row.family.name)")
      #expect(!row.family.points.isEmpty && row.family.points.allSatisfy { $0 < 1e6 })
      guard case .distribution = row.value else {
        Issue.record("\(row.family.name)")
        continue
      }
    }
  }
}
