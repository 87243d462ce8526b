import Linux
import Synchronization
import TestSupport
import Testing

@testable import OTLP

@Suite(.timeLimit(.minutes(2))) struct ExporterTests {
  /// A receiver that answers as it is told, in this order and then always so.
  private final class Receiver: Sendable {
    private let state = Mutex<(verdicts: [Verdict], pages: [[UInt8]])>(([], []))
    /// Held while the receiver must not answer.
    let door = Mutex(())

    init(_ verdicts: [Verdict]) { state.withLock { $0.verdicts = verdicts } }

    var pages: [[UInt8]] { state.withLock { $0.pages } }

    func take(_ page: [UInt8]) -> Verdict {
      let verdict = state.withLock { state in
        state.pages.append(page)
        return state.verdicts.count > 1 ? state.verdicts.removeFirst() : state.verdicts[0]
      }
      return door.withLock { _ in verdict }
    }
  }

  /// An exporter on a loop that only turns on demand; pages are numbers.
  private final class Bench: EventHandler {
    let loop: EventLoop
    let exporter: Exporter
    let receiver: Receiver
    var told: [Verdict.Outcome] = []
    var asked = 0
    var gives = true

    init(_ verdicts: Verdict...) throws {
      let receiver = Receiver(verdicts)
      self.receiver = receiver
      loop = try EventLoop()
      exporter = try Exporter(loop) { page, _, _ in receiver.take(page) }
      exporter.didChange = { [unowned self] in told.append($0.outcome) }
      exporter.collect = { [unowned self] in
        asked += 1
        if gives { exporter.take([UInt8(asked & 255)]) }
      }
      // A turn of the loop comes to an end.
      let token = loop.add(self)
      loop.setDeadline(token, .now)
    }

    func turn(until isDone: () -> Bool) throws {
      let end = Instant.now + .seconds(60)
      while !isDone() {
        try #require(.now < end)
        try loop.turn()
      }
    }

    func count(_ outcome: Verdict.Outcome) -> UInt64 { exporter.counts[outcome.rawValue] }

    func ready(_ token: EventToken, _ readiness: Readiness) {}
    func expired(_ token: EventToken) { loop.setDeadline(token, .now + .milliseconds(5)) }
  }

  private static func settings(
    _ interval: Duration = .milliseconds(1), port: Int = 1
  ) throws -> Settings {
    var settings = Settings()
    settings.receiver = try Settings.Receiver("http://127.0.0.1:\(port)")
    settings.interval = interval
    return settings
  }

  @Test func nothingIsPushedWithoutAnEndpoint() throws {
    let bench = try Bench(.success)
    bench.exporter.configure(Settings())
    for _ in 0..<5 { try bench.loop.turn() }
    #expect(bench.asked == 0)
    var ended = false
    bench.exporter.finish(within: .seconds(60)) { ended = true }
    #expect(ended && bench.asked == 0)
  }

  @Test func pagesFollowOneAnother() throws {
    let bench = try Bench(.success)
    bench.exporter.configure(try Self.settings())
    try bench.turn { bench.count(.success) == 5 }
    #expect(bench.receiver.pages.prefix(5) == [[1], [2], [3], [4], [5]])
    #expect(bench.told == [.success])
    #expect(bench.exporter.lastSuccess ?? 0 > 1e9)
    // The same settings again change nothing, others without an endpoint end it.
    bench.exporter.configure(try Self.settings())
    #expect(bench.told == [.success])
    bench.exporter.configure(Settings())
    try bench.turn { bench.receiver.pages.count == bench.asked }
    let asked = bench.asked
    for _ in 0..<5 { try bench.loop.turn() }
    #expect(bench.asked == asked)
  }

  @Test func noPageIsMadeWhileOneIsOnItsWay() throws {
    let bench = try Bench(.success)
    try bench.receiver.door.withLock { _ in
      bench.exporter.configure(try Self.settings())
      try bench.turn { bench.receiver.pages.count == 1 }
      for _ in 0..<20 { try bench.loop.turn() }
      #expect(bench.asked == 1)
    }
    try bench.turn { bench.asked > 1 }
  }

  @Test func changesAreToldOnce() throws {
    let away = Verdict.unavailable("away", retryAfter: .zero)
    let bench = try Bench(
      away, away, .success, .success, .partial(rejected: 2, "a"), .partial(rejected: 3, "b"),
      .rejected("no"), .rejected("no"), .success)
    bench.exporter.configure(try Self.settings())
    try bench.turn { bench.count(.success) >= 3 }
    #expect(bench.told == [.unavailable, .success, .partial, .rejected, .success])
    #expect(bench.count(.unavailable) == 2)
    #expect(bench.count(.partial) == 2)
    #expect(bench.count(.rejected) == 2)
    #expect(bench.exporter.rejectedPoints == 5)
  }

  @Test func aReceiverDecidesWhenToTryAgain() throws {
    let bench = try Bench(.unavailable("full", retryAfter: .seconds(3600)), .success)
    bench.exporter.configure(try Self.settings())
    try bench.turn { bench.count(.unavailable) == 1 }
    for _ in 0..<20 { try bench.loop.turn() }
    #expect(bench.asked == 1)
    // Another receiver has not said so.
    bench.exporter.configure(try Self.settings(port: 2))
    try bench.turn { bench.count(.success) == 1 }
    #expect(bench.told == [.unavailable, .success])
  }

  @Test func waitsDoubleUpToAMinute() {
    let waits = (1...9).map { Exporter.wait($0, random: 1) }
    #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
    #expect(Exporter.wait(.max, random: 0.5) == .seconds(30))
    #expect(Exporter.wait(0, random: 0.5) == .milliseconds(500))
  }

  @Test func withoutAPageItGoesOn() throws {
    let bench = try Bench(.success)
    bench.gives = false
    bench.exporter.configure(try Self.settings())
    try bench.turn { bench.asked == 1 }
    bench.exporter.take(nil)
    bench.gives = true
    try bench.turn { bench.count(.success) == 1 }
    // Nobody has asked for this one.
    bench.exporter.configure(Settings())
    bench.exporter.take([9])
    #expect(!bench.receiver.pages.contains([9]))
  }

  @Test func aPageForOtherSettingsIsNotPushed() throws {
    let bench = try Bench(.success)
    bench.gives = false
    bench.exporter.configure(try Self.settings(.seconds(3600)))
    try bench.turn { bench.asked == 1 }
    bench.exporter.configure(try Self.settings(.seconds(3600), port: 2))
    bench.exporter.take([1])
    bench.gives = true
    try bench.turn { bench.count(.success) == 1 }
    #expect(bench.receiver.pages == [[2]])
  }

  // MARK: The end

  @Test func theLastPageIsPushed() throws {
    let bench = try Bench(.success)
    bench.exporter.configure(try Self.settings(.seconds(3600)))
    try bench.turn { bench.count(.success) == 1 }
    var ends = 0
    bench.exporter.finish(within: .seconds(60)) { ends += 1 }
    try bench.turn { ends == 1 }
    #expect(bench.receiver.pages == [[1], [2]])
    for _ in 0..<5 { try bench.loop.turn() }
    #expect(ends == 1 && bench.asked == 2)
  }

  @Test func itComesBehindTheOneOnItsWay() throws {
    let bench = try Bench(.success)
    var isOver = false
    try bench.receiver.door.withLock { _ in
      bench.exporter.configure(try Self.settings(.seconds(3600)))
      try bench.turn { bench.receiver.pages.count == 1 }
      bench.exporter.finish(within: .seconds(60)) { isOver = true }
      for _ in 0..<5 { try bench.loop.turn() }
      #expect(!isOver)
    }
    try bench.turn { isOver }
    #expect(bench.receiver.pages == [[1], [2]])
  }

  @Test func aReceiverThatIsAwayIsTriedOnceMore() throws {
    let bench = try Bench(.unavailable("away"))
    bench.exporter.configure(try Self.settings(.seconds(3600)))
    try bench.turn { bench.count(.unavailable) == 1 }
    var isOver = false
    bench.exporter.finish(within: .seconds(60)) { isOver = true }
    try bench.turn { isOver }
    #expect(bench.receiver.pages == [[1], [2]])
  }

  @Test func aReceiverThatHangsDoesNotHoldUpTheEnd() throws {
    let bench = try Bench(.success)
    try bench.receiver.door.withLock { _ in
      bench.exporter.configure(try Self.settings())
      try bench.turn { bench.receiver.pages.count == 1 }
      var isOver = false
      bench.exporter.finish(within: .milliseconds(20)) { isOver = true }
      try bench.turn { isOver }
    }
  }
}
