import Foundation
import Metrics
import TestSupport
import Testing

/// Summaries and histograms in every format.
@Suite struct DistributionTests {
  private static let summary = Family(
    "go_gc_duration_seconds", .summary, .seconds, points: [0, 0.25, 1], help: "Pauses.")
  private static let histogram = Family(
    "go_sched_latencies_seconds", .histogram, .seconds,
    points: [6.399999999999999e-08, 0.5, 2], help: "Waits.")
  private static let pauses = Distribution(
    points: [.real(1.5e-05), .whole(0), .real(.nan)], sum: 1.25, count: 300)
  private static let waits = Distribution(buckets: [2, 0, 300, 1], sum: 0.5)

  private func page(_ format: Format, writesCreated: Bool = false) -> [UInt8] {
    var encoder = PageEncoder()
    encoder.begin(format, writesCreated: writesCreated)
    for (family, sample) in [(Self.summary, Self.pauses), (Self.histogram, Self.waits)] {
      encoder.begin(PreparedFamily(family, format))
      encoder.sample(PreparedLabels([], format.style), sample, created: 1_700_000_000.25)
      encoder.sample(
        PreparedLabels([Label("target", "a \"b\"")], format.style), sample)
    }
    encoder.end()
    return encoder.page
  }

  @Test func bucketsAreAddedUp() {
    #expect(Self.waits.points == [.whole(2), .whole(2), .whole(302)])
    #expect(Self.waits.count == 303)
    #expect(Self.summary.seriesOfDistribution == 5)
    #expect(Self.histogram.seriesOfDistribution == 6)
    #expect(Self.summary.allLabels == ["quantile"] && Self.histogram.allLabels == ["le"])
  }

  @Test(arguments: [Format.text, .text1])
  func text(format: Format) {
    // What is asked for of OpenMetrics changes nothing here.
    #expect(
      String(decoding: page(format, writesCreated: true), as: UTF8.self) == #"""
        # HELP go_gc_duration_seconds Pauses.
        # TYPE go_gc_duration_seconds summary
        go_gc_duration_seconds{quantile="0"} 1.5e-05
        go_gc_duration_seconds{quantile="0.25"} 0
        go_gc_duration_seconds{quantile="1"} NaN
        go_gc_duration_seconds_sum 1.25
        go_gc_duration_seconds_count 300
        go_gc_duration_seconds{target="a \"b\"",quantile="0"} 1.5e-05
        go_gc_duration_seconds{target="a \"b\"",quantile="0.25"} 0
        go_gc_duration_seconds{target="a \"b\"",quantile="1"} NaN
        go_gc_duration_seconds_sum{target="a \"b\""} 1.25
        go_gc_duration_seconds_count{target="a \"b\""} 300
        # HELP go_sched_latencies_seconds Waits.
        # TYPE go_sched_latencies_seconds histogram
        go_sched_latencies_seconds_bucket{le="6.399999999999999e-08"} 2
        go_sched_latencies_seconds_bucket{le="0.5"} 2
        go_sched_latencies_seconds_bucket{le="2"} 302
        go_sched_latencies_seconds_bucket{le="+Inf"} 303
        go_sched_latencies_seconds_sum 0.5
        go_sched_latencies_seconds_count 303
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="6.399999999999999e-08"} 2
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="0.5"} 2
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="2"} 302
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="+Inf"} 303
        go_sched_latencies_seconds_sum{target="a \"b\""} 0.5
        go_sched_latencies_seconds_count{target="a \"b\""} 303

        """#)
  }

  @Test(arguments: [Format.openMetrics0, .openMetrics1], [false, true])
  func openMetrics(format: Format, writesCreated: Bool) {
    func created(_ name: String) -> String {
      writesCreated ? "\(name)_created 1700000000.25\n" : ""
    }
    #expect(
      String(decoding: page(format, writesCreated: writesCreated), as: UTF8.self) == #"""
        # TYPE go_gc_duration_seconds summary
        # UNIT go_gc_duration_seconds seconds
        # HELP go_gc_duration_seconds Pauses.
        go_gc_duration_seconds{quantile="0.0"} 1.5e-05
        go_gc_duration_seconds{quantile="0.25"} 0
        go_gc_duration_seconds{quantile="1.0"} NaN
        go_gc_duration_seconds_sum 1.25
        go_gc_duration_seconds_count 300
        \#(created("go_gc_duration_seconds"))\#
        go_gc_duration_seconds{target="a \"b\"",quantile="0.0"} 1.5e-05
        go_gc_duration_seconds{target="a \"b\"",quantile="0.25"} 0
        go_gc_duration_seconds{target="a \"b\"",quantile="1.0"} NaN
        go_gc_duration_seconds_sum{target="a \"b\""} 1.25
        go_gc_duration_seconds_count{target="a \"b\""} 300
        # TYPE go_sched_latencies_seconds histogram
        # UNIT go_sched_latencies_seconds seconds
        # HELP go_sched_latencies_seconds Waits.
        go_sched_latencies_seconds_bucket{le="6.399999999999999e-08"} 2
        go_sched_latencies_seconds_bucket{le="0.5"} 2
        go_sched_latencies_seconds_bucket{le="2.0"} 302
        go_sched_latencies_seconds_bucket{le="+Inf"} 303
        go_sched_latencies_seconds_sum 0.5
        go_sched_latencies_seconds_count 303
        \#(created("go_sched_latencies_seconds"))\#
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="6.399999999999999e-08"} 2
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="0.5"} 2
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="2.0"} 302
        go_sched_latencies_seconds_bucket{target="a \"b\"",le="+Inf"} 303
        go_sched_latencies_seconds_sum{target="a \"b\""} 0.5
        go_sched_latencies_seconds_count{target="a \"b\""} 303
        # EOF

        """#)
  }

  @Test func json() {
    let lines = String(decoding: page(.json), as: UTF8.self).split(separator: "\n")
    #expect(
      lines[1] == #"""
        {"name":"go_gc_duration_seconds","type":"summary","unit":"seconds","help":"Pauses.",\#
        "samples":[{"labels":{},"quantiles":{"0":1.5e-05,"0.25":0,"1":"NaN"},"sum":1.25,"count":300},\#
        {"labels":{"target":"a \"b\""},"quantiles":{"0":1.5e-05,"0.25":0,"1":"NaN"},"sum":1.25,\#
        "count":300}]},
        """#)
    #expect(
      lines[2].hasPrefix(
        #"""
        {"name":"go_sched_latencies_seconds","type":"histogram","unit":"seconds","help":"Waits.",\#
        "samples":[{"labels":{},"buckets":{"6.399999999999999e-08":2,"0.5":2,"2":302,"+Inf":303},\#
        "sum":0.5,"count":303},
        """#))
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(page(.json))) }
  }

  /// A summary need not have quantiles.
  @Test(arguments: [Format.text, .openMetrics1, .protobuf, .json])
  func absentQuantilesAreNotWritten(format: Format) throws {
    let sample = Distribution(points: [.absent, .real(0.5), .absent], sum: 7, count: 3)
    var encoder = PageEncoder()
    encoder.begin(format)
    encoder.begin(PreparedFamily(Self.summary, format))
    encoder.sample(PreparedLabels(), sample)
    encoder.end()
    let text = String(decoding: encoder.page, as: UTF8.self)
    switch format {
    case .json: #expect(text.contains(#""quantiles":{"0.25":0.5},"sum":7,"count":3}"#))
    case .protobuf:
      let read = try readProtobuf(encoder.page)
      #expect(read[0].samples[0].distribution?.points == [.init(at: 0.25, value: 0.5)])
    default:
      let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      #expect(
        lines == [
          "go_gc_duration_seconds{quantile=\"0.25\"} 0.5", "go_gc_duration_seconds_sum 7",
          "go_gc_duration_seconds_count 3",
        ])
    }
  }

  /// What was written is what a reader sees.
  ///
  /// Numbers of a histogram never fall from one bucket to the next; sizes of messages take one byte
  /// and more.
  @Test(arguments: [Format.text, .openMetrics1, .protobuf])
  func randomDistributionsAreReadBack(format: Format) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let isHistogram = Bool.random(using: &random)
      let bounds = Set(
        (0..<Int.random(in: 1...20, using: &random)).map { _ in
          Double(Int.random(in: 0...999, using: &random)) / (isHistogram ? 8 : 1000)
        }
      ).sorted()
      let family = Family(
        "f", isHistogram ? .histogram : .summary, .none, points: bounds, help: "h")
      let sum = Double.random(in: 0...1e9, using: &random)
      let sample =
        isHistogram
        ? Distribution(
          buckets: (0...bounds.count).map { _ in .random(in: 0...1 << 40, using: &random) },
          sum: sum)
        : Distribution(
          points: bounds.map { _ in .real(.random(in: 0...1, using: &random)) }, sum: sum,
          count: .random(in: 0...1 << 40, using: &random))
      let label = Label("l", String(repeating: "x", count: Int.random(in: 0...200, using: &random)))
      var encoder = PageEncoder()
      encoder.begin(format, writesCreated: true)
      encoder.begin(PreparedFamily(family, format))
      encoder.sample(PreparedLabels([label], format.style), sample, created: 12.5)
      encoder.end()
      let read =
        format == .protobuf
        ? try readProtobuf(encoder.page)
        : try readText(encoder.page, isOpenMetrics: format != .text)
      guard read.count == 1, read[0].samples.count == 1, read[0].type == family.kind.rawValue,
        let found = read[0].samples[0].distribution
      else {
        Issue.record("\(read), seed \(seed)")
        return
      }
      var expected = zip(bounds, sample.points).map {
        ReadDistribution.Point(at: $0, value: $1.number ?? -1)
      }
      if isHistogram { expected.append(.init(at: .infinity, value: Double(sample.count))) }
      #expect(found.points.map(\.at) == expected.map(\.at), "seed \(seed)")
      #expect(found.points.map(\.value) == expected.map(\.value), "seed \(seed)")
      #expect(found.sum == sum && found.count == Double(sample.count), "seed \(seed)")
      #expect(read[0].samples[0].created == (format == .text ? nil : 12.5), "seed \(seed)")
      #expect(read[0].samples[0].labels == [ReadLabel("l", label.value)], "seed \(seed)")
      if isHistogram {
        #expect(zip(expected, expected.dropFirst()).allSatisfy { $0.value <= $1.value })
      }
    }
  }
}
