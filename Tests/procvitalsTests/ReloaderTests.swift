import Collector
import Config
import HTTPServer
import Linux
import Synchronization
import TestSupport
import Testing

@testable import procvitals

/// A file system that answers when it is told to.
final class ConfigurationFile: Sendable {
  private struct State {
    var readings = 0
    var targets = 0
  }

  private let state = Mutex(State())
  private let gate: EventFD
  private let isOpen: Bool

  init(isOpen: Bool) throws {
    gate = try EventFD()
    self.isOpen = isOpen
  }

  /// What stands in the file from now on: so many targets.
  func write(_ targets: Int) { state.withLock { $0.targets = targets } }

  /// Reads the file, and returns once it may: what was read can be of the past then.
  func read() -> Reloader.Outcome {
    let targets = state.withLock { state in
      state.readings += 1
      return state.targets
    }
    if !isOpen {
      _ = gate.wait(atMost: .seconds(60))
      gate.clear()
    }
    if targets < 0 { return .failure(.usage("bad")) }
    var configuration = Configuration()
    configuration.collector.limits.seriesPerTarget = targets
    return .success(configuration)
  }

  func letOneGo() { gate.signal() }
  var readings: Int { state.withLock(\.readings) }
}

private final class Desk {
  let loop: EventLoop
  let files: ConfigurationFile
  let reloader: Reloader
  /// What happened, in its order.
  var events: [String] = []
  /// Requests for a reading that others wait for.
  var joined = 0

  init(isOpen: Bool = false, patience: Duration = .seconds(600)) throws {
    loop = try EventLoop()
    let files = try ConfigurationFile(isOpen: isOpen)
    self.files = files
    reloader = try Reloader(loop, patience: patience) { files.read() }
    reloader.willRead = { [unowned self] in
      if $0 { events.append("reloading") } else { joined += 1 }
    }
    reloader.didEnd = { [unowned self] in events.append("ready \(Self.text($0))") }
  }

  deinit {
    reloader.stop()
    for _ in 0..<10 { files.letOneGo() }
  }

  static func text(_ outcome: Reloader.Outcome) -> String {
    switch outcome {
    case .success(let settings): "\(settings.collector.limits.seriesPerTarget)"
    case .failure(let failure):
      failure.description.hasPrefix("reading and checking the configuration took longer than 0")
        ? "late" : failure.code == 2 ? "bad" : failure.description
    }
  }

  func ask(_ name: String) {
    reloader.request { [unowned self] in events.append("\(name) \(Self.text($0))") }
  }

  func wait(for count: Int) throws { while events.count < count { try loop.turn() } }

  /// Until the file has been read so often.
  func wait(readings: Int) -> Bool { eventually { files.readings == readings } }
}

@Suite struct ReloaderTests {
  @Test func anAnswerComesBehindTheReload() throws {
    let desk = try Desk(isOpen: true)
    for (round, targets) in [1, -1, 2].enumerated() {
      desk.files.write(targets)
      desk.ask("a")
      try desk.wait(for: 3 * (round + 1))
    }
    #expect(
      desk.events == [
        "reloading", "ready 1", "a 1", "reloading", "ready bad", "a bad", "reloading", "ready 2",
        "a 2",
      ])
  }

  /// Whoever asks while the file is read may have changed it after that; all of them are one more.
  @Test func requestsMeanwhileAreOneMore() throws {
    let desk = try Desk()
    desk.files.write(1)
    desk.ask("a")
    #expect(desk.wait(readings: 1))
    desk.files.write(2)
    for _ in 0..<1000 { desk.reloader.request() }
    desk.ask("b")
    desk.ask("c")
    // It is known from the start that the first one is not the last.
    #expect(desk.events == ["reloading", "reloading"] && desk.joined == 1001)
    desk.files.letOneGo()
    try desk.wait(for: 4)
    #expect(desk.wait(readings: 2))
    desk.files.letOneGo()
    try desk.wait(for: 7)
    #expect(
      desk.events == ["reloading", "reloading", "ready 1", "a 1", "ready 2", "b 2", "c 2"])
    // That was all.
    desk.ask("d")
    #expect(desk.wait(readings: 3))
    desk.files.letOneGo()
    try desk.wait(for: 10)
    #expect(desk.files.readings == 3)
  }

  /// A file system that hangs costs one thread, and every request is answered all the same.
  @Test func aFileThatDoesNotAnswerIsLate() throws {
    let desk = try Desk(patience: .milliseconds(20))
    desk.files.write(1)
    for name in ["a", "b"] {
      let before = desk.events.count
      desk.ask(name)
      try desk.wait(for: before + 3)
    }
    #expect(
      desk.events == [
        "reloading", "ready late", "a late", "reloading", "ready late", "b late",
      ])
    #expect(desk.files.readings == 1)
  }

  /// What comes after all is of the past: the file is read once more for who asks then.
  @Test func aLateAnswerIsNotTaken() throws {
    let desk = try Desk(patience: .milliseconds(20))
    desk.files.write(1)
    desk.ask("a")
    try desk.wait(for: 3)
    desk.files.write(2)
    desk.reloader.patience = .seconds(600)
    desk.ask("b")
    desk.files.letOneGo()
    let end = Instant.now + .seconds(60)
    while desk.files.readings < 2, Instant.now < end { try desk.loop.turn() }
    desk.files.letOneGo()
    try desk.wait(for: 6)
    #expect(desk.events.prefix(4) == ["reloading", "ready late", "a late", "reloading"])
    #expect(desk.events.suffix(2) == ["ready 2", "b 2"])
  }

  /// Whoever is told may ask again at once.
  @Test func aRequestFromAnAnswer() throws {
    let desk = try Desk(isOpen: true)
    desk.files.write(1)
    desk.reloader.request { [unowned desk] _ in desk.ask("b") }
    desk.ask("c")
    try desk.wait(for: 8)
    #expect(
      desk.events == [
        "reloading", "reloading", "ready 1", "reloading", "ready 1", "b 1", "ready 1", "c 1",
      ])
  }

  @Test func answers() {
    let good = Response.reload(.success(Configuration()))
    #expect(good.status == .ok)
    // One character for a person.
    let long = "é" + String(repeating: "\u{301}", count: 100_000)
    let bad = Response.reload(.failure(.usage("c.yaml:1:1: \(long)")))
    #expect(bad.status == .internalServerError && bad.body.count <= 17 << 10)
    #expect(String(decoding: bad.body, as: UTF8.self).contains("stays:\nc.yaml:1:1: "))
    #expect(String(validating: bad.body, as: UTF8.self) != nil)
  }
}
