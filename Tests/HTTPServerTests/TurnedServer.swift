import Glibc
import Linux

@testable import HTTPServer

/// A server whose loop the test itself turns, so that nothing happens in between.
final class TurnedServer: EventHandler {
  let loop: EventLoop
  let server: Server
  let address: ListenAddress
  private let state: State
  private var alarm: EventToken?
  private var rang = false

  final class State {
    var waiting: [RequestID] = []
    var abandoned: [RequestID] = []
  }

  init(_ limits: Limits = Limits()) throws(Errno) {
    let state = State()
    loop = try EventLoop()
    server = Server(loop: loop, limits: limits) { request, id in
      if request.path != "/later" { return .now(.text(.ok, "hello \(request.path)\n")) }
      state.waiting.append(id)
      return .later
    } abandoned: {
      state.abandoned.append($0)
    }
    self.state = state
    address = try server.listen(on: .ipv4(0x7f00_0001, port: 0))
  }

  var waiting: [RequestID] { state.waiting }
  var abandoned: [RequestID] { state.abandoned }
  var open: ServerStatistics.Open { server.statistics.open }

  func client() -> Client {
    guard case .ipv4(_, let port) = address else { preconditionFailure("listens on IPv4") }
    return Client(port: port)
  }

  /// Turns until the condition holds, or for a generous time.
  func turn(until condition: () -> Bool) throws -> Bool {
    setAlarm(.seconds(20))
    defer { clearAlarm() }
    while !rang, !condition() { try loop.turn() }
    return condition()
  }

  /// How often the loop turns before the time is over: about once if it has nothing to do.
  func turns(during time: Duration) throws -> Int {
    setAlarm(time)
    defer { clearAlarm() }
    var count = 0
    while !rang {
      try loop.turn()
      count += 1
    }
    return count
  }

  func stop() throws {
    var isDone = false
    server.drain(within: .zero) { isDone = true }
    _ = try turn { isDone }
  }

  func ready(_ token: EventToken, _ readiness: Readiness) {}
  func expired(_ token: EventToken) { rang = true }

  private func setAlarm(_ time: Duration) {
    let token = loop.add(self)
    alarm = token
    rang = false
    loop.setDeadline(token, .now + time)
  }

  private func clearAlarm() {
    if let alarm { loop.remove(alarm) }
    alarm = nil
  }
}
