import Glibc
import Testing

@testable import Linux

/// A handler that writes down what it is told and does what the test says.
private final class Recorder: EventHandler {
  var events: [(token: EventToken, readiness: Readiness)] = []
  var expirations: [EventToken] = []
  var onReady: (EventToken, Readiness) -> Void = { _, _ in }
  var onExpired: (EventToken) -> Void = { _ in }

  func ready(_ token: EventToken, _ readiness: Readiness) {
    events.append((token, readiness))
    onReady(token, readiness)
  }

  func expired(_ token: EventToken) {
    expirations.append(token)
    onExpired(token)
  }
}

extension EventLoop {
  /// Turns once, also when nothing is ready.
  fileprivate func turnNow() throws {
    let token = add(Recorder())
    setDeadline(token, Instant(nanoseconds: 0))
    try turn()
    remove(token)
  }

  /// Turns until something holds, or for a generous time.
  fileprivate func turn(until condition: () -> Bool) throws -> Bool {
    let alarm = Recorder()
    let token = add(alarm)
    setDeadline(token, .now + .seconds(30))
    while !condition(), alarm.expirations.isEmpty { try turn() }
    remove(token)
    return condition()
  }
}

@Suite struct EventLoopDescriptorTests {
  private let loop: EventLoop
  private let recorder = Recorder()

  init() throws { loop = try EventLoop() }

  @Test func readableIsToldAgainUntilItIsRead() throws {
    let pipe = try Pipe()
    let token = try loop.add(pipe.output, .readable, recorder)
    try loop.turnNow()
    #expect(recorder.events.isEmpty)
    pipe.fill()
    for count in 1...3 {
      try loop.turn()
      #expect(recorder.events.count == count)
    }
    #expect(recorder.events.allSatisfy { $0.token == token && $0.readiness == .readable })
    pipe.drain()
    try loop.turnNow()
    #expect(recorder.events.count == 3)
  }

  @Test func writableUntilFull() throws {
    let pipe = try Pipe()
    _ = try loop.add(pipe.input, .writable, recorder)
    try loop.turn()
    #expect(recorder.events.map(\.readiness) == [.writable])
    pipe.fill(String(repeating: "x", count: 1 << 20))
    try loop.turnNow()
    #expect(recorder.events.count == 1)
    pipe.drain()
    try loop.turn()
    #expect(recorder.events.count == 2)
  }

  @Test func endOfInputAndHangUp() throws {
    let left: OwnedFD
    do {
      let pair = try SocketPair()
      left = try pair.left.duplicate()
      _ = try loop.add(left, [.readable, .endOfInput], recorder)
      shutDownSending(pair.right)
      try loop.turn()
      #expect(recorder.events.last?.readiness == [.readable, .endOfInput])
    }
    try loop.turn()
    #expect(recorder.events.last?.readiness.isDisjoint(with: .hungUp) == false)
  }

  @Test func interestChanges() throws {
    let pair = try SocketPair()
    let token = try loop.add(pair.left, .readable, recorder)
    _ = write(pair.right.raw, "x", 1)
    loop.modify(token, .writable)
    try loop.turn()
    loop.modify(token, [])
    try loop.turnNow()
    loop.modify(token, [.readable, .writable])
    try loop.turn()
    #expect(recorder.events.map(\.readiness) == [.writable, [.readable, .writable]])
  }

  @Test func moreThanOneBatch() throws {
    let pipes = try (0..<150).map { _ in try PipeBox() }
    for pipe in pipes {
      _ = try loop.add(pipe.pipe.output, .readable, recorder)
      pipe.pipe.fill()
    }
    #expect(try loop.turn { Set(recorder.events.map(\.token)).count == 150 })
  }

  @Test func sameDescriptorTwice() throws {
    let pipe = try Pipe()
    let token = try loop.add(pipe.output, .readable, recorder)
    #expect(throws: Errno.exists) { try loop.add(pipe.output, .readable, recorder) }
    pipe.fill()
    try loop.turn()
    #expect(recorder.events.map(\.token) == [token])
    // The place of the one that failed is used again, under another name.
    #expect(loop.add(recorder).slot == token.slot + 1)
    loop.remove(token)
    _ = try loop.add(pipe.output, .readable, recorder)
  }

  @Test func nameIsNeverValidAgain() throws {
    let pipe = try Pipe()
    let old = try loop.add(pipe.output, .readable, recorder)
    loop.remove(old)
    let new = try loop.add(pipe.output, .readable, recorder)
    #expect(new.slot == old.slot)
    #expect(new != old)
    loop.modify(old, [])
    loop.setDeadline(old, Instant(nanoseconds: 0))
    loop.remove(old)
    pipe.fill()
    try loop.turn()
    #expect(recorder.events.map(\.token) == [new])
    #expect(recorder.expirations.isEmpty)
  }

  /// Both events are fetched at once; the first handler ends the other registration and makes a
  /// new one in its place, which must not get the event of the old one.
  @Test func eventOfARemovedRegistrationIsDropped() throws {
    let first = try PipeBox()
    let second = try PipeBox()
    let third = try PipeBox()
    var tokens: [EventToken: PipeBox] = [:]
    let late = Recorder()
    for box in [first, second] {
      tokens[try loop.add(box.pipe.output, .readable, recorder)] = box
      box.pipe.fill()
    }
    var replacement: EventToken?
    recorder.onReady = { [loop] token, _ in
      guard let other = tokens.keys.first(where: { $0 != token }) else { return }
      loop.remove(other)
      replacement = try? loop.add(third.pipe.output, .readable, late)
      #expect(replacement?.slot == other.slot)
    }
    try loop.turn()
    #expect(recorder.events.count == 1)
    #expect(late.events.isEmpty)
    recorder.onReady = { _, _ in }
    third.pipe.fill()
    #expect(try loop.turn { !late.events.isEmpty })
    #expect(late.events.map(\.token) == [replacement])
  }

  @Test func handlerRemovesItself() throws {
    let pipe = try Pipe()
    pipe.fill()
    let token = try loop.add(pipe.output, .readable, recorder)
    loop.setDeadline(token, Instant(nanoseconds: 0))
    recorder.onReady = { [loop] token, _ in loop.remove(token) }
    try loop.turn()
    try loop.turnNow()
    #expect(recorder.events.count == 1)
    #expect(recorder.expirations.isEmpty)
  }

  @Test func handlerLivesUntilRemoval() throws {
    let pipe = try Pipe()
    weak var handler: Recorder?
    let token: EventToken
    do {
      let recorder = Recorder()
      handler = recorder
      token = try loop.add(pipe.output, .readable, recorder)
    }
    #expect(handler != nil)
    loop.remove(token)
    #expect(handler == nil)
  }

  @Test func stopEndsTheRun() throws {
    let pipe = try Pipe()
    pipe.fill()
    _ = try loop.add(pipe.output, .readable, recorder)
    recorder.onReady = { [loop, recorder] _, _ in
      if recorder.events.count == 3 { loop.stop() }
    }
    try loop.run()
    #expect(recorder.events.count == 3)
  }

  @Test func anotherThreadTraps() async {
    await #expect(processExitsWith: .failure) {
      nonisolated(unsafe) let loop = try EventLoop()
      loop.setDeadline(loop.add(Recorder()), Instant(nanoseconds: 0))
      try onOwnThread {
        try? loop.turn()
        exit(0)
      }
    }
  }
}

/// A pipe that can be kept in a table.
private final class PipeBox {
  let pipe: Pipe
  init() throws { pipe = try Pipe() }
}

@Suite struct EventLoopDeadlineTests {
  private let loop: EventLoop
  private let recorder = Recorder()

  init() throws { loop = try EventLoop() }

  @Test func nearestFirstAndNotBeforeTheirTime() throws {
    let start = Instant.now
    var due: [EventToken: Instant] = [:]
    recorder.onExpired = { token in
      #expect(due[token].map { $0 <= .now } == true)
    }
    let order = [7, 2, 9, 4, 1].map { milliseconds in
      let token = loop.add(recorder)
      due[token] = start + .milliseconds(milliseconds)
      loop.setDeadline(token, due[token])
      return (milliseconds, token)
    }.sorted { $0.0 < $1.0 }.map(\.1)
    #expect(try loop.turn { recorder.expirations.count == 5 })
    #expect(recorder.expirations == order)
    try loop.turnNow()
    #expect(recorder.expirations.count == 5)
  }

  @Test func movedAndCleared() throws {
    let (near, far, none) = (loop.add(recorder), loop.add(recorder), loop.add(recorder))
    loop.setDeadline(near, .now + .milliseconds(1))
    loop.setDeadline(far, .now + .seconds(3600))
    loop.setDeadline(none, .now + .milliseconds(1))
    // Arms the timer for a moment that nobody waits for afterwards.
    try loop.turnNow()
    recorder.expirations = []
    loop.setDeadline(near, .now + .seconds(3600))
    loop.setDeadline(none, nil)
    loop.setDeadline(far, .now + .milliseconds(3))
    #expect(try loop.turn { recorder.expirations == [far] })
    loop.setDeadline(near, .now + .milliseconds(1))
    #expect(try loop.turn { recorder.expirations == [far, near] })
  }

  @Test func aNearerOneIsNotHeldUpByAnEarlierSetting() throws {
    let pipe = try Pipe()
    pipe.fill()
    _ = try loop.add(pipe.output, .readable, Recorder())
    let (far, near) = (loop.add(recorder), loop.add(recorder))
    loop.setDeadline(far, .now + .seconds(3600))
    try loop.turn()
    pipe.drain()
    loop.setDeadline(near, .now + .milliseconds(1))
    #expect(try loop.turn { recorder.expirations == [near] })
  }

  @Test func pastDeadlinesExpireInTheNextTurn() throws {
    let tokens = [0, 1, Instant.now.nanoseconds].map { nanoseconds in
      let token = loop.add(recorder)
      loop.setDeadline(token, Instant(nanoseconds: nanoseconds))
      return token
    }
    try loop.turn()
    #expect(recorder.expirations == tokens)
  }

  @Test func expiredMaySetItsDeadlineAnew() throws {
    let token = loop.add(recorder)
    loop.setDeadline(token, Instant(nanoseconds: 0))
    recorder.onExpired = { [loop] token in loop.setDeadline(token, .now + .milliseconds(1)) }
    #expect(try loop.turn { recorder.expirations.count == 4 })
  }

  @Test func expiredRemovesItselfAndOthers() throws {
    let tokens = (0..<4).map { _ in loop.add(recorder) }
    for token in tokens { loop.setDeadline(token, Instant(nanoseconds: 0)) }
    recorder.onExpired = { [loop] _ in
      for token in tokens { loop.remove(token) }
    }
    try loop.turn()
    try loop.turnNow()
    #expect(recorder.expirations.count == 1)
  }

  /// A handler ends a registration whose deadline has passed, and another one takes its place.
  @Test func deadlineOfARemovedRegistrationIsGone() throws {
    let pipe = try Pipe()
    pipe.fill()
    let late = loop.add(recorder)
    loop.setDeadline(late, Instant(nanoseconds: 0))
    _ = try loop.add(pipe.output, .readable, recorder)
    recorder.onReady = { [loop, recorder] _, _ in
      pipe.drain()
      loop.remove(late)
      #expect(loop.add(recorder).slot == late.slot)
    }
    #expect(try loop.turn { !recorder.events.isEmpty })
    try loop.turnNow()
    #expect(recorder.expirations.isEmpty)
  }

  @Test func descriptorsComeBeforeDeadlines() throws {
    let pipe = try Pipe()
    pipe.fill()
    let token = try loop.add(pipe.output, .readable, recorder)
    loop.setDeadline(token, Instant(nanoseconds: 0))
    recorder.onReady = { [recorder] _, _ in #expect(recorder.expirations.isEmpty) }
    try loop.turn()
    #expect(recorder.events.count == 1)
    #expect(recorder.expirations == [token])
  }

  @Test func nowIsWhenTheTurnBegan() throws {
    let before = Instant.now
    try loop.turnNow()
    #expect(loop.now >= before && loop.now <= .now)
  }
}
