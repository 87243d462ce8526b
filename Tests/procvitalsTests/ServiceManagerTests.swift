import Linux
import Synchronization
import Systemd
import TestSupport
import Testing

@testable import procvitals

private final class Desk {
  let loop: EventLoop
  let manager: ServiceManager
  private let messages: Messages

  private final class Messages: Sendable {
    let all = Mutex<[String]>([])
  }

  init(askInterval: Duration = .seconds(600), longestStart: Duration = .seconds(600)) throws {
    loop = try EventLoop()
    let messages = Messages()
    self.messages = messages
    let notifier = Notifier { text in messages.all.withLock { $0.append(text) } }
    manager = ServiceManager(
      loop, notifier, askInterval: askInterval, longestStart: longestStart)
  }

  /// What was told since the last time, without the times of reloads.
  func told() -> [String] {
    messages.all.withLock { all in
      defer { all = [] }
      return all.map { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") ? "RELOADING" : $0 }
    }
  }

  var count: Int { messages.all.withLock(\.count) }

  func serve(_ status: String) throws {
    manager.start()
    manager.serve(status)
    _ = told()
  }
}

/// What the service manager hears, and in which order.
@Suite struct ServiceManagerTests {
  @Test func aLife() throws {
    let desk = try Desk()
    desk.manager.start()
    #expect(
      desk.told() == [
        "STATUS=the first collection is under way", "EXTEND_TIMEOUT_USEC=1800000000",
      ])
    desk.manager.update("nobody asks yet")
    #expect(desk.told() == [])
    desk.manager.serve("1 up")
    #expect(desk.told() == ["READY=1\nSTATUS=1 up"])
    for status in ["1 up", "2 up", "2 up", "1 up"] { desk.manager.serve(status) }
    #expect(desk.told() == ["STATUS=2 up", "STATUS=1 up"])
    desk.manager.update("1 up")
    desk.manager.update("bad")
    #expect(desk.told() == ["STATUS=bad"])
    desk.manager.stop("bye")
    #expect(desk.told() == ["STOPPING=1\nSTATUS=bye"])
    desk.manager.stop("again")
    desk.manager.serve("3 up")
    desk.manager.update("3 up")
    #expect(desk.told() == [])
  }

  @Test func reloadsOneAfterAnother() throws {
    let desk = try Desk()
    try desk.serve("1 up")
    for status in ["1 up", "bad", "1 up"] {
      desk.manager.willReload()
      #expect(desk.told() == ["RELOADING"])
      desk.manager.serve("meanwhile")
      desk.manager.didReload(status)
      #expect(desk.told() == ["STATUS=meanwhile", "READY=1\nSTATUS=\(status)"])
    }
  }

  /// Each is told to begin, because the service manager may have asked for it, and the end is told
  /// once nothing is under way.
  @Test func reloadsAtTheSameTime() throws {
    let desk = try Desk()
    try desk.serve("1 up")
    for _ in 0..<3 { desk.manager.willReload() }
    desk.manager.didReload("bad")
    desk.manager.didReload("bad")
    #expect(desk.told() == ["RELOADING", "RELOADING", "RELOADING", "STATUS=bad"])
    desk.manager.didReload("bad")
    #expect(desk.told() == ["READY=1\nSTATUS=bad"])
  }

  /// A reading is under way, and with one for the web configuration the next one is asked for.
  @Test func noEndIsToldBeforeTheReloadThatWasAskedFor() throws {
    let desk = try Desk()
    try desk.serve("1 up")
    let files = try ConfigurationFile(isOpen: false)
    let reloader = try Reloader(desk.loop) { files.read() }
    defer { reloader.stop() }
    reloader.willRead = { desk.manager.willReload(isAnother: $0) }
    var ends = 0
    reloader.didEnd = { _ in
      ends += 1
      desk.manager.didReload("1 up")
    }
    reloader.request()
    #expect(eventually { files.readings == 1 } && desk.told() == ["RELOADING"])
    desk.manager.willReload()
    reloader.request()
    desk.manager.didReload("1 up")
    #expect(desk.told() == ["RELOADING", "RELOADING"])
    files.letOneGo()
    while ends < 1 { try desk.loop.turn() }
    #expect(desk.told() == [])
    // Whoever asks for what has not begun yet is told the same.
    reloader.request()
    reloader.request()
    #expect(
      eventually { files.readings == 2 } && desk.told() == ["RELOADING", "RELOADING"])
    files.letOneGo()
    while ends < 2 { try desk.loop.turn() }
    #expect(desk.told() == [])
    files.letOneGo()
    while ends < 3 { try desk.loop.turn() }
    #expect(desk.told() == ["READY=1\nSTATUS=1 up"])
  }

  @Test func reloadsBeforeTheFirstCollectionIsOver() throws {
    let desk = try Desk()
    desk.manager.start()
    _ = desk.told()
    // Over before.
    desk.manager.willReload()
    desk.manager.didReload("bad")
    #expect(desk.told() == [])
    // Over afterwards.
    desk.manager.willReload()
    desk.manager.serve("1 up")
    desk.manager.didReload("bad")
    #expect(desk.told() == ["READY=1\nSTATUS=1 up", "STATUS=bad"])
    // Under way together with one that is waited for.
    desk.manager.willReload()
    desk.manager.didReload("1 up")
    #expect(desk.told() == ["RELOADING", "READY=1\nSTATUS=1 up"])
  }

  @Test func reloadsAtTheEnd() throws {
    let desk = try Desk()
    try desk.serve("1 up")
    desk.manager.willReload()
    desk.manager.stop("bye")
    desk.manager.didReload("1 up")
    desk.manager.willReload()
    desk.manager.didReload("bad")
    #expect(desk.told() == ["RELOADING", "STOPPING=1\nSTATUS=bye"])
  }

  @Test func moreTimeIsAskedForUntilReady() throws {
    let desk = try Desk(askInterval: .milliseconds(1))
    desk.manager.start()
    let end = Instant.now + .seconds(60)
    while desk.count < 6, Instant.now < end { try desk.loop.turn() }
    #expect(desk.told().dropFirst().allSatisfy { $0 == "EXTEND_TIMEOUT_USEC=3000" })
    desk.manager.serve("1 up")
    #expect(desk.told() == ["READY=1\nSTATUS=1 up"])
    try turn(desk)
    #expect(desk.told() == [])
  }

  @Test func timeIsAskedForWithinBounds() throws {
    let desk = try Desk(askInterval: .milliseconds(1), longestStart: .milliseconds(20))
    desk.manager.start()
    let end = Instant.now + .milliseconds(20)
    while Instant.now < end { try turn(desk) }
    try turn(desk)
    #expect(desk.told().count <= 22)
    try turn(desk)
    #expect(desk.told() == [], "the unit's own time runs")
    desk.manager.serve("1 up")
    #expect(desk.told() == ["READY=1\nSTATUS=1 up"])
  }

  /// Lets everything happen that is due within two milliseconds.
  private func turn(_ desk: Desk) throws {
    final class Alarm: EventHandler {
      var isOver = false
      func ready(_ token: EventToken, _ readiness: Readiness) {}
      func expired(_ token: EventToken) { isOver = true }
    }
    let alarm = Alarm()
    let token = desk.loop.add(alarm)
    desk.loop.setDeadline(token, .now + .milliseconds(2))
    while !alarm.isOver { try desk.loop.turn() }
    desk.loop.remove(token)
  }
}
