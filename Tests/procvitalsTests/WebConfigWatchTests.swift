import Config
import HTTPServer
import Linux
import Synchronization
import TestSupport
import Testing

@testable import procvitals

/// A file system that answers when it is told to; the configuration is a number of users.
private final class FileSystem: Sendable {
  private struct State {
    var users = 0
    var seen: Int?
    var looks = 0
    var forced = 0
  }

  private let state = Mutex(State())
  private let gate: EventFD
  let isOpen = Atomic(true)

  init() throws { gate = try EventFD() }

  /// What stands in the file from now on; below zero it is wrong.
  func write(_ users: Int) { state.withLock { $0.users = users } }

  func look(_ isForced: Bool) -> WebConfigWatch.Outcome? {
    state.withLock {
      $0.looks += 1
      if isForced { $0.forced += 1 }
    }
    if !isOpen.load(ordering: .relaxed) {
      _ = gate.wait(atMost: .seconds(60))
      gate.clear()
    }
    return state.withLock { state in
      if state.seen == state.users, !isForced { return nil }
      state.seen = state.users
      return FileSystem.outcome(state.users)
    }
  }

  static func outcome(_ users: Int) -> WebConfigWatch.Outcome {
    if users < 0 { return .failure(.usage("wrong \(users)")) }
    return .success(loaded(users))
  }

  static func loaded(_ users: Int) -> LoadedWebConfiguration {
    var configuration = WebConfiguration()
    for user in 0..<users { configuration.gate.users[[UInt8(user)]] = Secret([]) }
    return LoadedWebConfiguration(configuration: configuration)
  }

  func letOneGo() { gate.signal() }
  var looks: Int { state.withLock(\.looks) }
}

private final class Desk {
  let loop: EventLoop
  let files: FileSystem
  let watch: WebConfigWatch
  /// What happened, in its order.
  var events: [String] = []

  init(patience: Duration = .seconds(600), reloadPatience: Duration = .seconds(600)) throws {
    loop = try EventLoop()
    let files = try FileSystem()
    self.files = files
    watch = try WebConfigWatch(
      loop, initial: FileSystem.loaded(0), requestPatience: patience, reloadPatience: reloadPatience
    ) { files.look($0) }
    watch.didChange = { [unowned self] outcome in
      switch outcome {
      case .success(let loaded): events.append("\(loaded.configuration.gate.users.count) users")
      case .failure(let failure): events.append(failure.description)
      }
    }
    watch.didConfirm = { [unowned self] in events.append("same") }
  }

  deinit {
    watch.stop()
    for _ in 0..<10 { files.letOneGo() }
  }

  func request(_ name: String) {
    watch.whenCurrent { [unowned self] in events.append(name) }
  }

  func reload(_ name: String) {
    watch.reload { [unowned self] in events.append("\(name) \($0?.description ?? "good")") }
  }

  func wait(for count: Int) throws { while events.count < count { try loop.turn() } }
}

@Suite struct WebConfigWatchTests {
  /// A request that comes behind a change is measured by what was changed.
  @Test func aRequestSeesWhatCameBefore() throws {
    let desk = try Desk()
    for users in 1...50 {
      desk.files.write(users)
      desk.request("request")
      try desk.wait(for: 2 * users)
      #expect(Array(desk.events.suffix(2)) == ["\(users) users", "request"])
    }
  }

  @Test func nothingHappensWithoutAChange() throws {
    let desk = try Desk()
    desk.request("a")
    try desk.wait(for: 1)
    desk.request("b")
    try desk.wait(for: 2)
    #expect(desk.events == ["a", "b"] && desk.files.looks == 2)
  }

  /// Whoever comes during a look may have come behind a change that it did not see.
  @Test func requestsShareTheNextLook() throws {
    let desk = try Desk()
    desk.files.isOpen.store(false, ordering: .relaxed)
    desk.request("a")
    #expect(eventually { desk.files.looks == 1 })
    for _ in 0..<100 { desk.request("b") }
    desk.files.letOneGo()
    try desk.wait(for: 1)
    #expect(desk.events == ["a"])
    #expect(eventually { desk.files.looks == 2 })
    desk.files.write(3)
    desk.files.letOneGo()
    try desk.wait(for: 102)
    #expect(desk.events == ["a", "3 users"] + Array(repeating: "b", count: 100))
    #expect(desk.files.looks == 2)
  }

  @Test func whatIsWrongIsSaidOnce() throws {
    let desk = try Desk()
    desk.files.write(2)
    desk.request("a")
    try desk.wait(for: 2)
    desk.files.write(-1)
    desk.request("b")
    try desk.wait(for: 4)
    desk.request("c")
    desk.reload("d")
    try desk.wait(for: 7)
    #expect(
      desk.events == ["2 users", "a", "wrong -1", "b", "c", "same", "d wrong -1"]
        || desk.events == ["2 users", "a", "wrong -1", "b", "same", "c", "d wrong -1"])
    // Back to what it was.
    desk.files.write(2)
    desk.request("e")
    try desk.wait(for: 9)
    #expect(Array(desk.events.suffix(2)) == ["2 users", "e"])
    desk.reload("f")
    try desk.wait(for: 11)
    #expect(Array(desk.events.suffix(2)) == ["same", "f good"])
  }

  /// A file system that hangs costs a moment once, and the configuration holds.
  @Test func aFileSystemThatHangs() throws {
    let desk = try Desk(patience: .milliseconds(20))
    desk.files.isOpen.store(false, ordering: .relaxed)
    desk.files.write(1)
    desk.request("a")
    try desk.wait(for: 1)
    for _ in 0..<10 { desk.request("b") }
    #expect(desk.events == ["a"] + Array(repeating: "b", count: 10))
    #expect(desk.files.looks == 1)
    desk.files.isOpen.store(true, ordering: .relaxed)
    desk.files.letOneGo()
    try desk.wait(for: 12)
    #expect(desk.events.last == "1 users")
    desk.files.write(2)
    desk.request("c")
    try desk.wait(for: 14)
    #expect(Array(desk.events.suffix(2)) == ["2 users", "c"])
  }
  /// What hangs for long is told once, whoever asks meanwhile is told as well, and the end of it is
  /// news even if nothing has changed.
  @Test func aFileSystemThatHangsForLong() throws {
    let desk = try Desk(patience: .milliseconds(5), reloadPatience: .milliseconds(20))
    desk.request("a")
    try desk.wait(for: 1)
    desk.files.isOpen.store(false, ordering: .relaxed)
    desk.request("b")
    try desk.wait(for: 3)
    #expect(desk.events[...1] == ["a", "b"])
    let hang = desk.events[2]
    #expect(hang.hasPrefix("reading the web configuration took longer than"))
    for name in ["c", "d"] {
      let count = desk.events.count
      desk.reload(name)
      desk.reload(name)
      try desk.wait(for: count + 2)
      #expect(Array(desk.events.suffix(2)) == ["\(name) \(hang)", "\(name) \(hang)"])
    }
    desk.request("e")
    desk.files.isOpen.store(true, ordering: .relaxed)
    desk.files.letOneGo()
    try desk.wait(for: 9)
    #expect(Array(desk.events.suffix(2)) == ["e", "0 users"])
  }
}
