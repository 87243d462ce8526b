import Dispatch
import Glibc
import Gzip
import Linux
import Synchronization
import TestSupport
import Testing

@testable import OTLP

/// Receivers that are away or answer anything, while the time is the test's.
@Suite(.timeLimit(.minutes(5))) struct HostileReceiverTests {
  private final class Clock {
    /// Ahead of the real one, so that no deadline comes by itself.
    var now = Instant.now + .seconds(1_000_000)
  }

  /// An exporter of pages, each of which is the number of seconds since the start.
  private final class Bench: EventHandler {
    let clock = Clock()
    let loop: EventLoop
    let exporter: Exporter
    let start: Instant
    private let token: EventToken
    private(set) var asked = 0
    var told: [Verdict.Outcome] = []

    init(
      port: UInt16 = 1, interval: Duration = .seconds(10),
      send: (@Sendable ([UInt8], Settings, Instant) -> Verdict)?
    ) throws {
      loop = try EventLoop()
      start = clock.now
      exporter = try Exporter(loop, send: send, now: { [clock] in clock.now })
      final class Nobody: EventHandler {
        func ready(_ token: EventToken, _ readiness: Readiness) {}
        func expired(_ token: EventToken) {}
      }
      token = loop.add(Nobody())
      exporter.didChange = { [unowned self] in told.append($0.outcome) }
      exporter.collect = { [unowned self] in
        asked += 1
        exporter.take(Array("\(seconds)".utf8))
      }
      var settings = Settings()
      settings.receiver = try Settings.Receiver("http://127.0.0.1:\(port)")
      settings.interval = interval
      exporter.configure(settings)
    }

    var seconds: Int { Int((clock.now - start).components.seconds) }
    var pushes: UInt64 { exporter.counts.reduce(0, +) }

    /// Goes on to the next push and waits for what comes of it.
    func push() throws {
      clock.now = max(clock.now, try #require(exporter.due))
      let (before, askedBefore) = (pushes, asked)
      exporter.expired(token)
      while pushes == before { try loop.turn() }
      #expect(pushes == before + 1 && asked == askedBefore + 1)
    }

    func ready(_ token: EventToken, _ readiness: Readiness) {}
    func expired(_ token: EventToken) {}
  }

  private final class Receiver: Sendable {
    private let state = Mutex<(verdict: Verdict, totals: [Int])>((.success, []))

    /// What it answers; nothing arrives unless it is success.
    var verdict: Verdict {
      get { state.withLock { $0.verdict } }
      set { state.withLock { $0.verdict = newValue } }
    }
    /// What arrived.
    var totals: [Int] { state.withLock { $0.totals } }

    func take(_ page: [UInt8]) -> Verdict {
      state.withLock { state in
        if state.verdict == .success {
          state.totals.append(Int(String(decoding: page, as: UTF8.self)) ?? -1)
        }
        return state.verdict
      }
    }
  }

  /// The sum that is lost with a page is in the next one that arrives; nothing is kept meanwhile, and
  /// nobody is stormed.
  @Test(
    arguments: [
      (.unavailable("away"), 5...16), (.unavailable("full", retryAfter: .seconds(20)), 5...15),
      (.rejected("no"), 30...30),
    ] as [(Verdict, ClosedRange<Int>)])
  func fiveMinutesWithoutAReceiverLoseNothing(verdict: Verdict, tries: ClosedRange<Int>) throws {
    let receiver = Receiver()
    let bench = try Bench { page, _, _ in receiver.take(page) }
    for _ in 0..<4 { try bench.push() }
    #expect(receiver.totals == [0, 10, 20, 30])
    receiver.verdict = verdict
    let (leaving, before) = (bench.seconds, bench.asked)
    while try #require(bench.exporter.due) - bench.start < .seconds(leaving + 310) {
      try bench.push()
    }
    #expect(tries.contains(bench.asked - before))
    receiver.verdict = .success
    try bench.push()
    let last = try #require(receiver.totals.last)
    // It is a page of its own, made at this moment, within the longest wait.
    #expect(last == bench.seconds && (leaving + 310...leaving + 370).contains(last))
    #expect(
      zip(receiver.totals.dropFirst(), receiver.totals).reduce(0) { $0 + $1.0 - $1.1 } == last)
    #expect(bench.told == [.success, verdict.outcome, .success])
    // And the next one is due as if nothing had been.
    #expect(bench.exporter.due == bench.clock.now + .seconds(10))
  }

  /// Whatever receivers answer, there is a next push, neither at once nor ever so late.
  @Test(arguments: 0..<20) func verdictsOfAnyKind(_: Int) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let receiver = Receiver()
    let bench = try Bench { page, _, _ in receiver.take(page) }
    var changes: [Verdict.Outcome] = []
    for _ in 0..<100 {
      let waits: [Duration?] = [
        nil, .zero, .seconds(Int64.random(in: 0...3600, using: &random)),
      ]
      let asked = waits.randomElement(using: &random) ?? nil
      let verdict: Verdict =
        switch Int.random(in: 0..<6, using: &random) {
        case 0: .success
        case 1: .partial(rejected: .random(in: 0 ... .max, using: &random), "")
        case 2: .rejected("no")
        default: .unavailable("away", retryAfter: asked)
        }
      if verdict.outcome != changes.last { changes.append(verdict.outcome) }
      receiver.verdict = verdict
      try bench.push()
      let wait = try #require(bench.exporter.due) - bench.clock.now
      var (least, most) = (Duration.seconds(10), Duration.seconds(10))
      if case .unavailable = verdict {
        least = max(asked ?? .zero, .milliseconds(500))
        most = max(asked ?? .zero, Limits.longestWait)
      }
      #expect((least...most).contains(wait), "seed \(seed): \(verdict)")
    }
    #expect(bench.told == changes, "seed \(seed)")
  }

  // MARK: Over the network

  /// Sends what it is told to each connection, and then nothing more.
  private final class Server: Sendable {
    private let answer = Mutex<[UInt8]>([])
    private let listener: Int32
    private let done = DispatchSemaphore(value: 0)
    let port: UInt16

    init(_ sockets: TestSockets) throws {
      listener = try sockets.listener(backlog: 8)
      port = TestSockets.port(listener)
      DispatchQueue.global().async { [self] in
        while true {
          let socket = accept(listener, nil, nil)
          if socket < 0 { break }
          let bytes = answer.withLock { $0 }
          _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
          // An answer that is not read to its end must not be lost to a reset.
          shutdown(socket, Int32(SHUT_WR))
          var byte: UInt8 = 0
          while recv(socket, &byte, 1, 0) > 0 {}
          close(socket)
        }
        done.signal()
      }
    }

    func answers(_ bytes: [UInt8]) { answer.withLock { $0 = bytes } }

    /// Ends it, and waits for that: the listener's number is soon that of another test's.
    func stop() {
      shutdown(listener, Int32(SHUT_RDWR))
      done.wait()
    }
  }

  private static func answer(
    _ status: String, _ fields: [String], _ body: [UInt8], hasLength: Bool = true
  ) -> [UInt8] {
    let fields = fields + (hasLength ? ["Content-Length: \(body.count)"] : [])
    return Array("HTTP/1.1 \(status)\r\n\(fields.map { "\($0)\r\n" }.joined())\r\n".utf8) + body
  }

  private static let protobuf = "Content-Type: application/x-protobuf"
  private static let partial: [UInt8] = [10, 9, 8, 200, 1, 18, 4] + Array("full".utf8)

  /// Answers of receivers, and what they mean.
  private static let answers: [(bytes: [UInt8], verdict: Verdict)] = [
    (answer("200 OK", [protobuf], []), .success),
    (answer("200 OK", [protobuf], partial), .partial(rejected: 200, "full")),
    (
      answer(
        "200 OK", [protobuf, "Transfer-Encoding: chunked"],
        Array("5\r\n".utf8) + partial[..<5] + Array("\r\n6;x=y\r\n".utf8) + partial[5...]
          + Array("\r\n0\r\nA: b\r\n\r\n".utf8), hasLength: false),
      .partial(rejected: 200, "full")
    ),
    (
      answer("503 Busy", ["Retry-After: 120"], Array("later".utf8)),
      .unavailable("HTTP status 503: later", retryAfter: .seconds(120))
    ),
    (
      answer(
        "429 Too Many Requests",
        ["Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", "Connection: close"],
        Array("slowly".utf8), hasLength: false),
      .unavailable("HTTP status 429: slowly", retryAfter: .zero)
    ),
    (
      answer("400 Bad Request", [protobuf], [8, 3, 18, 3] + Array("bad".utf8)),
      .rejected("HTTP status 400: bad")
    ),
    // Nobody asked for it.
    (
      answer(
        "200 OK", [protobuf, "Content-Encoding: gzip"], Compressor()?.gzip(partial) ?? []),
      .rejected("its answer is no message of OTLP")
    ),
    (
      Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        + answer("307 Temporary Redirect", ["Location: http://a/b"], []),
      .rejected("HTTP status 307, redirected to http://a/b, which is not followed")
    ),
  ]

  /// Pushes to whoever gives these answers; each must come to an end, with words that are not too
  /// many, and the next push must be due.
  private func push(_ answers: some Sequence<[UInt8]>, _ seed: UInt64 = 0) throws -> [Verdict] {
    let sockets = TestSockets()
    let server = try Server(sockets)
    defer { server.stop() }
    let transport = Transport()
    let verdicts = Mutex<[Verdict]>([])
    let bench = try Bench(port: server.port) { page, settings, deadline in
      let verdict = transport.push(page, settings, until: deadline)
      verdicts.withLock { $0.append(verdict) }
      return verdict
    }
    for answer in answers {
      server.answers(answer)
      try bench.push()
      let (words, wait): (String, Duration?) =
        switch try #require(verdicts.withLock { $0.last }) {
        case .success: ("", nil)
        case .partial(_, let words), .rejected(let words): (words, nil)
        case .unavailable(let words, let wait): (words, wait)
        }
      let isCalm =
        words.count < Limits.excerpt + 100 && words.utf8.count < 4 * Limits.excerpt + 2000
        && !words.unicodeScalars.contains { $0.properties.generalCategory == .control }
        && !words.contains("timed out")
        && (.zero...Limits.longestRetryAfter).contains(wait ?? .zero)
        && bench.exporter.due != nil
      #expect(isCalm, "seed \(seed): \(answer): \(words)")
    }
    return verdicts.withLock { $0 }
  }

  @Test func answersMeanWhatTheySay() throws {
    #expect(try push(Self.answers.map(\.bytes)) == Self.answers.map(\.verdict))
  }

  /// Each byte of each answer, changed in some ways or the last one.
  @Test(arguments: Self.answers.indices) func anyByteIsAnother(of answer: Int) throws {
    let bytes = Self.answers[answer].bytes
    let changed = bytes.indices.flatMap { place -> [[UInt8]] in
      [bytes[place] ^ 1, 0, 0xff, 0x0a, 0x39].map { value in
        var changed = bytes
        changed[place] = value
        return changed
      } + [Array(bytes[..<place])]
    }
    let verdicts = try push(changed)
    #expect(verdicts.count == changed.count && Set(verdicts.map(\.outcome)).count > 1)
  }

  @Test func mutatedAnswers() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("HostileReceiverTests: seed \(seed)")
    var random = SeededGenerator(seed: seed)
    _ = try push(
      (0..<2000).map { _ in random.mutated(Self.answers.randomElement(using: &random)?.bytes ?? [])
      },
      seed)
  }

  /// Long where nothing should be.
  @Test func endlessAnswers() throws {
    let long = String(repeating: "\u{1b}x", count: 20_000)
    let verdicts = try push(
      [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: \(long.prefix(30_000))\r\n\r\n",
        "HTTP/1.1 503 \(long)\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: \(long.prefix(30_000))\r\n\r\n\(long)",
        "HTTP/1.1 307 Elsewhere\r\nLocation: \(long.prefix(30_000))\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(long)\(long)\(long)",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 5000),
      ].map { Array($0.utf8) })
    #expect(!verdicts.contains(.success))
  }
}
