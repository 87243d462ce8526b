import Linux
import Page
import Testing

@testable import procvitals

@Suite struct ViewersTests {
  @Test func figuresAreReadOnceASecondHoweverManyLook() throws {
    let viewers = Viewers(try EventLoop())
    let begin = Instant.now
    let readings = (0..<100).map { place in
      let now = begin + .milliseconds(place * 50)
      let isFresh = viewers.look(at: now)
      if isFresh { viewers.didStartReading(at: now) }
      return isFresh
    }
    #expect(readings.count { $0 } == 5)
    #expect([0, 20, 40, 60, 80].allSatisfy { readings[$0] })
    // Whoever asked and went before anything was read leaves it to the next one.
    let later = begin + .seconds(60)
    #expect(viewers.look(at: later) && viewers.look(at: later))
  }

  @Test func theyHaveGoneSomeTimeAfterTheLastLook() throws {
    let loop = try EventLoop()
    let viewers = Viewers(loop)
    var (gone, isPossible) = (0, false)
    viewers.haveGone = {
      gone += 1
      return isPossible
    }
    let long = Duration.nanoseconds(PageLimits.patience.nanoseconds + 1_000_000_000)
    let now = Instant.now
    _ = viewers.look(at: Instant(nanoseconds: now.nanoseconds - UInt64(long.nanoseconds)))
    while gone < 1 { try loop.turn() }
    // Somebody else waits for a collection: later again.
    isPossible = true
    while gone < 2 { try loop.turn() }
    #expect(gone == 2)
  }

  @Test(
    arguments: [
      ([], true), ([("span", "1")], true),
      ([("span", "900"), ("since", "0"), ("target", "")], true),
      ([("span", "0")], false), ([("span", "901")], false), ([("span", "x")], false),
      ([("span", "99999999999999999999")], false), ([("since", "-1")], false),
      ([("since", "1.5")], false),
      ([("x", "y")], true), ([("metric", "cpu")], true),
      ([("metric", "cpu,memory"), ("metric", "heap")], true), ([("metric", "")], false),
      ([("metric", "cpu,")], false), ([("metric", "cpu,CPU")], false),
      ([("metric", "cpu"), ("metric", "restarts")], false),
    ] as [([(String, String)], Bool)])
  func queries(_ query: [(String, String)], _ isRight: Bool) {
    let items = query.map { (name: $0.0, value: $0.1) }
    #expect(((try? LookQuery(items)) != nil) == isRight)
  }

  @Test func aMetricThatDoesNotExist() throws {
    let query = try LookQuery([("metric", "heap,cpu"), ("metric", "cpu")])
    #expect(query.metrics == ["cpu", "heap"])
    let failure = #expect(throws: PageQuery.Failure.self) {
      try LookQuery([("metric", "cpu"), ("metric", "<b>")])
    }
    #expect(
      failure?.sentence
        == "There is no metric \"<b>\"; there are cpu, memory, fds, threads, goroutines, heap, io, faults, switches."
    )
  }
}
