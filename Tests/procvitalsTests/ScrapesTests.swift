import Collector
import Linux
import Metrics
import Page
import ProcFS
import Targets
import TestSupport
import Testing

@testable import HTTPServer
@testable import procvitals

@Suite(.timeLimit(.minutes(2))) struct ScrapesTests {
  @Test(
    arguments: [
      (nil, 10), ("", 10), ("5", 4.5), ("10", 9.5), ("10.5", 10), ("1e9", 10), ("0.4", 0.1),
      ("0.0001", 0.1), ("0", 10), ("-1", 10), ("nan", 10), ("NaN", 10), ("inf", 10), ("-inf", 10),
      ("1 2", 10), ("5s", 10), ("\u{661}", 10),
    ] as [(String?, Double)])
  func L5_timeThatPrometheusGrants(_ field: String?, _ seconds: Double) {
    #expect(Scrapes.seconds(granted: field) == seconds)
  }

  /// Scrapes on a loop that only turns on demand.
  private final class Bench {
    let loop: EventLoop
    let scrapes: Scrapes
    var collections: [(wishes: Set<Wish>, until: Instant)] = []
    var answers: [String] = []
    private var last: UInt64 = 0

    init(limit: Int) throws {
      loop = try EventLoop()
      scrapes = Scrapes(loop, limit: limit)
      scrapes.collect = { [unowned self] in collections.append(($0, $1)) }
      scrapes.answer = { [unowned self] in answers.append("\($0.number) \(Self.text($1))") }
    }

    static func text(_ response: Response) -> String {
      "\(response.status.code) \(String(decoding: response.body, as: UTF8.self))"
    }

    /// What one more request is answered at once; nil if it waits.
    func ask(_ wish: Wish = .page(), timeout: String? = nil, isLate: Bool = false) -> Response? {
      last += 1
      let answer = scrapes.wait(
        RequestID(slot: 0, number: last), wish, format: .text, timeout: timeout
      ) { _ in isLate ? nil : .text(.ok, "page\n") }
      if case .now(let response) = answer { return response }
      return nil
    }
  }

  @Test func tooManyDifferentLooksAreToComeLater() throws {
    let bench = try Bench(limit: 100)
    // These come while a collection is under way.
    #expect(bench.ask() == nil)
    for since in 0..<PageLimits.looks {
      #expect(bench.ask(.look(Look(.history, since: Int64(since)))) == nil)
    }
    let refusal = try #require(bench.ask(.look(Look(.history, since: 99))))
    #expect(refusal.status.code == 503 && refusal.fields.contains { $0.name == "Retry-After" })
    #expect(bench.ask(.look(Look(.history, since: 0))) == nil && bench.ask() == nil)
    #expect(bench.collections.count == 1)
  }

  @Test func aPushSharesACollectionOrGetsTheNext() throws {
    let bench = try Bench(limit: 10)
    let push = Push(host: "a")
    var pages: [[UInt8]?] = []
    bench.scrapes.push = { pages.append($0) }
    bench.scrapes.start(pushing: push)
    #expect(bench.collections.map(\.wishes) == [[.push(push)]])
    #expect(bench.ask() == nil)
    bench.scrapes.finish(Report())
    #expect(pages == [[]])
    // A scrape that came meanwhile, and a push behind it.
    bench.scrapes.start()
    #expect(bench.collections.last?.wishes == [.page()])
    bench.scrapes.start(pushing: push)
    #expect(bench.collections.count == 2)
    bench.scrapes.finish(Report())
    #expect(bench.answers.count == 1 && pages.count == 1)
    bench.scrapes.start()
    #expect(bench.collections.last?.wishes == [.push(push)])
    var late = Report()
    late.isLate = true
    bench.scrapes.finish(late)
    #expect(pages == [[], nil])
    bench.scrapes.start()
    #expect(bench.collections.count == 3)
  }

  @Test func L4_tooManyScrapesAreRefused() throws {
    let bench = try Bench(limit: 2)
    #expect(bench.ask() == nil && bench.ask() == nil)
    let refusal = try #require(bench.ask())
    #expect(
      Bench.text(refusal)
        == "503 Limit of concurrent requests reached (2), try again later.\n")
    #expect(refusal.fields.contains { $0.name == "Retry-After" && $0.value == "1" })
    #expect(bench.collections.count == 1)
    bench.scrapes.finish(Report())
    // The first one's collection is done; the second came while it was under way and shares it.
    #expect(bench.answers == ["1 200 page\n", "2 200 page\n"])
    #expect(
      bench.scrapes.answered == [
        .init(format: .text, code: 200): 2, .init(format: .text, code: 503): 1,
      ])
    #expect(bench.ask() == nil)
  }

  @Test func L5_theCollectionHasTheTimeOfWhoeverHasMost() throws {
    let bench = try Bench(limit: 9)
    let before = Instant.now
    _ = bench.ask(.list(), timeout: "1")
    // These wait for the next one.
    _ = bench.ask(.page(), timeout: "3")
    _ = bench.ask(.page(), timeout: "7")
    _ = bench.ask(.page(), timeout: "2")
    bench.scrapes.finish(Report())
    bench.scrapes.start()
    let after = Instant.now
    let bounds = [(0.5, bench.collections[0].until), (6.5, bench.collections[1].until)]
    for (seconds, until) in bounds {
      let time = Duration.milliseconds(Int64(seconds * 1000))
      #expect(until >= before + time && until <= after + time)
    }
    #expect(bench.collections.count == 2)
  }

  @Test func L5_onlyIfNothingCouldBeGatheredItIs503() throws {
    let bench = try Bench(limit: 9)
    _ = bench.ask(timeout: "10.5", isLate: true)
    _ = bench.ask(timeout: "2", isLate: true)
    _ = bench.ask(timeout: "2")
    bench.scrapes.finish(Report())
    #expect(
      bench.answers == [
        "1 503 Exceeded configured timeout of 10s.\n",
        "2 503 Exceeded configured timeout of 1.5s.\n", "3 200 page\n",
      ])
  }

  @Test func L5_aCollectionThatDoesNotEndIs503() throws {
    let bench = try Bench(limit: 9)
    _ = bench.ask(timeout: "0.1")
    while bench.answers.isEmpty { try bench.loop.turn() }
    #expect(bench.answers == ["1 503 Exceeded configured timeout of 0.1s.\n"])
    // What is found out later is nobody's.
    bench.scrapes.finish(Report())
    #expect(bench.answers.count == 1)
  }
}
