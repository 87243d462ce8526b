import TestSupport
import Testing

@testable import Metrics

@Suite struct OTLPEncoderTests {
  private func page(_ write: (inout OTLPEncoder) -> Void) throws -> String {
    var encoder = OTLPEncoder(version: "1.2")
    encoder.begin(seconds: 1_760_000_000)
    write(&encoder)
    return try listingOfOTLP(encoder.page)
  }

  private let counter = Family("a_seconds_total", .counter, .seconds, help: "A.")
  private let time = "1760000000000000000"

  @Test func nothingIsThereWithoutDataPoints() throws {
    #expect(try page { _ in } == "")
    let page = try page { encoder in
      encoder.begin(resource: [("a", .text("b"))])
      encoder.begin(PreparedMetric(counter))
      encoder.point(.absent, created: nil)
      encoder.endResource()
      encoder.begin(resource: [("c", .whole(1 << 40))])
      encoder.begin(PreparedMetric(counter))
      encoder.begin(PreparedMetric(Family("b", .gauge, .none, labels: ["l"], help: "B.")))
      encoder.point(["l"], ["\"ä\"\n"], .whole(.max), created: 5)
      encoder.endResource()
    }
    #expect(
      page == """
        resource{c=1099511627776}
        scope procvitals 1.2
        # b gauge "" B.
        b{l="\\"ä\\"\\n"} at \(time) 1.8446744073709552e+19

        """)
  }

  @Test(
    arguments: [
      (Kind.counter, nil, "sum cumulative monotonic", " since 1000000000 at TIME 3"),
      (.gauge, nil, "gauge", " at TIME 3"),
      (.gauge, .upDownSum, "sum cumulative", " since 1000000000 at TIME 3"),
      (.gauge, .age, "gauge", " at TIME 1759999997.0"),
    ] as [(Kind, Convention.Instrument?, String, String)])
  func instruments(
    kind: Kind, instrument: Convention.Instrument?, type: String, point: String
  ) throws {
    let family = Family(
      "a", kind, .none, otel: instrument.map { Convention("a.b", "{c}", $0, Label("d", "e")) },
      help: "A.")
    let page = try page { encoder in
      encoder.begin(resource: [])
      encoder.begin(PreparedMetric(family))
      encoder.point(.whole(3), created: 1)
      encoder.endResource()
    }
    let (name, attribute) = instrument == nil ? ("a", "") : ("a.b", "{d=\"e\"}")
    let point = point.replacing("TIME", with: time)
    #expect(
      page == """
        resource
        scope procvitals 1.2
        # \(name) \(type) "\(instrument == nil ? "" : "{c}")" \(instrument == nil ? "A." : "")
        \(name)\(attribute)\(point)

        """)
  }

  @Test func familiesMakeUpOneMetric() throws {
    let parts = ["user", "system"].map { mode in
      Family(
        "cpu_\(mode)", .counter, .seconds,
        otel: Convention("cpu.time", "s", .sum, Label("cpu.mode", mode), factor: 1000), help: "X.")
    }
    let page = try page { encoder in
      for _ in 0..<2 {
        encoder.begin(resource: [])
        for part in parts {
          encoder.begin(PreparedMetric(part))
          encoder.point(.whole(2), created: nil)
        }
        encoder.endResource()
      }
    }
    let one = """
      resource
      scope procvitals 1.2
      # cpu.time sum cumulative monotonic "s"\u{20}
      cpu.time{cpu.mode="user"} at \(time) 2000.0
      cpu.time{cpu.mode="system"} at \(time) 2000.0

      """
    #expect(page == one + one)
  }

  @Test func distributions() throws {
    let page = try page { encoder in
      encoder.begin(resource: [])
      encoder.begin(
        PreparedMetric(Family("h", .histogram, .seconds, points: [0.5, 1, 2], help: "H.")))
      encoder.point(
        Distribution(points: [.whole(1), .absent, .whole(4)], sum: 3.5, count: 9), created: 1)
      encoder.begin(
        PreparedMetric(Family("s", .summary, .seconds, points: [0, 0.5, 1], help: "S.")))
      encoder.point(
        Distribution(points: [.whole(1), .absent, .real(2.5)], sum: 3.5, count: 9), created: 1)
      encoder.begin(
        PreparedMetric(
          Family("h", .histogram, .seconds, points: [0.5], help: "H."),
          as: Convention("h.ns", "ns", .histogram, factor: 1e9)))
      encoder.point(Distribution(buckets: [1, 2], sum: 2), created: nil)
      encoder.endResource()
    }
    #expect(
      page == """
        resource
        scope procvitals 1.2
        # h histogram cumulative "s" H.
        h since 1000000000 at \(time) count 9 sum 3.5 buckets [1, 3, 5] bounds [0.5, 2.0]
        # s summary "s" S.
        s since 1000000000 at \(time) count 9 sum 3.5 0.0:1.0 1.0:2.5
        # h.ns histogram cumulative "ns" H.
        h.ns at \(time) count 3 sum 2000000000.0 buckets [1, 2] bounds [500000000.0]

        """)
  }

  @Test func nothingBeganInTheFuture() throws {
    let page = try page { encoder in
      encoder.begin(resource: [])
      encoder.begin(PreparedMetric(counter))
      for created in [2e9, -1, .nan, .infinity] { encoder.point(.whole(0), created: created) }
      encoder.endResource()
    }
    #expect(page.contains("since \(time) at \(time) 0\n"))
    #expect(page.split(separator: "since 0 at").count == 4)
  }

  /// Sizes of all numbers of bytes.
  @Test(arguments: [0, 1, 90, 100, 127, 128, 200, 16_000, 16_383, 16_384, 70_000, 2_100_000])
  func longTexts(count: Int) throws {
    let text = String(repeating: "x", count: count)
    let page = try page { encoder in
      for _ in 0..<2 {
        encoder.begin(resource: [("a", .text(text))])
        encoder.begin(PreparedMetric(Family("b", .gauge, .none, labels: ["l"], help: text)))
        encoder.point(["l"], [text], .real(.nan), created: nil)
        encoder.endResource()
      }
    }
    let one = """
      resource{a="\(text)"}
      scope procvitals 1.2
      # b gauge "" \(text)
      b{l="\(text)"} at \(time) nan

      """
    #expect(page == one + one)
  }
}
