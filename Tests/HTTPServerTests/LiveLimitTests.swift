import Foundation
import Linux
import Testing

@testable import HTTPServer

/// Deadlines, overload and stopping over real sockets (L numbers).
@Suite struct LiveLimitTests {
  private func limits(_ change: (inout Limits) -> Void) -> Limits {
    var limits = Limits()
    change(&limits)
    return limits
  }

  // MARK: Deadlines

  @Test("L1 a client that sends nothing is closed without a word")
  func firstByte() throws {
    let server = try LiveServer(limits { $0.firstByteTime = .milliseconds(30) })
    defer { server.stop() }
    #expect(Client(server).endsSilently())
    #expect(server.statistics.timeouts.firstByte == 1)
    let lines = Client(server)
    lines.send("\r\n\r\n")
    #expect(lines.endsSilently())
  }

  @Test(
    "L1 an unfinished header section is answered 408",
    arguments: ["G", "GET / HT", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX:"])
  func header(_ part: String) throws {
    let server = try LiveServer(limits { $0.headerTime = .milliseconds(30) })
    defer { server.stop() }
    let client = Client(server)
    client.send(part)
    let answer = try #require(client.answer())
    #expect(answer.status == 408)
    #expect(answer.field("Connection") == "close")
    #expect(client.endsSilently())
    #expect(server.statistics.timeouts.header == 1)
  }

  @Test("L1 bytes do not extend the time for the header section")
  func headerIsAbsolute() throws {
    let server = try LiveServer(
      limits {
        $0.headerTime = .milliseconds(60)
        $0.fieldLines = 1_000_000
        $0.headerSectionBytes = 100 << 20
      })
    defer { server.stop() }
    let client = Client(server)
    client.send("GET / HTTP/1.1\r\n")
    #expect(
      eventually {
        client.send("X: y\r\n")
        return server.statistics.timeouts.header == 1
      })
    #expect(client.answer()?.status == 408)
  }

  @Test(
    "L1 an unfinished body is answered 408",
    arguments: ["Content-Length: 5\r\n\r\nhel", "Transfer-Encoding: chunked\r\n\r\n5\r\nhe"])
  func body(_ part: String) throws {
    let server = try LiveServer(limits { $0.bodyTime = .milliseconds(30) })
    defer { server.stop() }
    let client = Client(server)
    client.send("POST / HTTP/1.1\r\nHost: a\r\n\(part)")
    #expect(client.answer()?.status == 408)
    #expect(client.endsSilently())
    #expect(server.statistics.timeouts.body == 1)
    #expect(server.statistics.timeouts.header == 0)
  }

  @Test("L1 an idle connection is closed without a word")
  func idle() throws {
    let server = try LiveServer(limits { $0.idleTime = .milliseconds(30) })
    defer { server.stop() }
    let client = Client(server)
    #expect(client.get("/")?.status == 200)
    #expect(client.endsSilently())
    #expect(server.statistics.timeouts.idle == 1)
  }

  @Test("L1 a client that takes nothing is cut off")
  func writeProgress() throws {
    let server = try LiveServer(
      limits {
        $0.writeProgressTime = .milliseconds(50)
        $0.writeTime = .seconds(1000)
      })
    defer { server.stop() }
    let client = Client(server, receiveBuffer: 4096)
    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(eventually { server.statistics.timeouts.write == 1 })
    #expect(server.statistics.open.total == 0)
    // What it could not take is not kept for it.
    #expect(client.rest().utf8.count < 8 << 20)
    #expect(client.sawReset)
  }

  @Test("L1 being told that a client could take bytes is no progress")
  func writeWithoutProgress() throws {
    let server = try TurnedServer(limits { $0.writeProgressTime = .milliseconds(30) })
    let client = server.client()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      try Faults.force(.send, .wouldBlock, times: .max) {
        try server.turn { server.server.statistics.timeouts.write == 1 }
      })
    #expect(client.endsSilently())
    try server.stop()
  }

  @Test("L1 the kernel does not keep an answer for a client that takes nothing")
  func delivery() throws {
    let server = try LiveServer(limits { $0.writeTime = .milliseconds(100) })
    defer { server.stop() }
    let client = Client(server, receiveBuffer: 4096)
    client.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(eventually { server.statistics.requests == 1 && server.statistics.open.total == 0 })
    // The server itself had nothing more to send.
    #expect(server.statistics.timeouts.write == 0)
    #expect(server.statistics.timeouts.idle == 0)
  }

  @Test("L1 a client that takes little by little is cut off")
  func writeIsAbsolute() throws {
    let server = try LiveServer(limits { $0.writeTime = .milliseconds(100) })
    defer { server.stop() }
    let client = Client(server, receiveBuffer: 4096)
    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    var buffer = [UInt8](repeating: 0, count: 1024)
    #expect(
      eventually {
        _ = recv(client.socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return server.statistics.timeouts.write == 1
      })
  }

  @Test("A handler that never answers is answered for")
  func answerTime() throws {
    let server = try LiveServer(limits { $0.answerTime = .milliseconds(30) })
    defer { server.stop() }
    let client = Client(server)
    client.send("HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try #require(client.answer(toHead: true))
    #expect(answer.status == 503)
    #expect(answer.field("Retry-After") == "1")
    #expect(client.endsSilently())
    #expect(server.statistics.timeouts.answer == 1)
    #expect(server.abandoned.withLock { $0 } == server.waiting.withLock { $0.map(\.id) })
  }

  @Test("H14 a client that does not close after an error is closed")
  func linger() throws {
    let server = try LiveServer(limits { $0.lingerTime = .milliseconds(30) })
    defer { server.stop() }
    let client = Client(server)
    client.send("BROKEN\r\n")
    #expect(client.answer()?.status == 400)
    #expect(eventually { server.statistics.open.total == 0 })
    #expect(server.statistics.timeouts.linger == 1)
  }

  // MARK: Overload

  @Test("L2 idle connections go first, then the one that has waited longest, none that is answered")
  func eviction() throws {
    let server = try LiveServer(limits { $0.maxConnections = 4 })
    defer { server.stop() }
    func opened(_ request: String, _ count: UInt64) -> Client {
      let client = Client(server)
      client.send(request)
      #expect(eventually { server.statistics.accepted == count })
      return client
    }
    let later = opened("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 1)
    #expect(eventually { server.statistics.open.waiting == 1 })
    // Its first bytes come late, but its place in the order is that of its connection.
    let half = opened("", 2)
    let silent = opened("", 3)
    half.send("GET / HT")
    #expect(eventually { server.statistics.open.reading == 1 })
    let kept = opened("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 4)
    #expect(kept.answer()?.status == 200)
    #expect(server.statistics.open.total == 4)

    let fifth = opened("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 5)
    #expect(kept.endsSilently())
    let sixth = opened("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 6)
    #expect(half.endsSilently())
    let seventh = opened("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 7)
    #expect(silent.endsSilently())
    #expect(server.statistics.evicted == 3)
    #expect(eventually { server.statistics.open.waiting == 4 })

    let eighth = Client(server)
    let refusal = try #require(eighth.answer())
    #expect(refusal.status == 503)
    #expect(refusal.field("Retry-After") == "1")
    #expect(eighth.endsSilently())
    #expect(server.statistics.rejected.limit == 1)
    for client in [later, fifth, sixth, seventh] {
      server.answer("late\n")
      #expect(client.answer()?.body == "late\n")
    }
  }

  @Test("L2 four times as many half-open requests as places do not keep a scrape out")
  func flood() throws {
    let server = try LiveServer(limits { $0.maxConnections = 50 })
    defer { server.stop() }
    let flood = (0..<200).map { number in
      let client = Client(server)
      client.send(number % 2 == 0 ? "GET / HTTP/1.1\r\nHost" : "POST /x HTTP/1.1\r\nHost: a\r\n")
      return client
    }
    #expect(Client(server).get("/metrics")?.status == 200)
    #expect(server.statistics.open.total <= 50)
    #expect(server.statistics.evicted >= 150)
    _ = flood
  }

  @Test("L3 an idle connection is one small object")
  func idleConnectionIsSmall() throws {
    let server = try TurnedServer()
    let connection = Connection(try openFile("/dev/null", .read), server.server)
    #expect(allocatedBytes(Unmanaged.passUnretained(connection).toOpaque()) < 640)
    try server.stop()
  }

  @Test("L2 without a descriptor an idle connection makes room")
  func descriptorsByEviction() throws {
    let server = try TurnedServer()
    let idle = server.client()
    #expect(try server.turn { server.open.total == 1 })
    let next = server.client()
    next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      try Faults.force(.accept, .tooManyOpenFiles) {
        try server.turn { server.server.statistics.requests == 1 }
      })
    #expect(next.answer()?.status == 200)
    #expect(idle.endsSilently())
    #expect(server.server.statistics.rejected.resources == 0)
    try server.stop()
  }

  @Test(
    "L2 without a descriptor a connection is turned away, and the next one is served",
    arguments: [Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem])
  func descriptorsBySpare(_ error: Errno) throws {
    let server = try TurnedServer()
    for round in 1...3 {
      let unlucky = server.client()
      #expect(
        try Faults.force(.accept, error) {
          try server.turn { server.server.statistics.rejected.resources == round }
        })
      #expect(unlucky.endsSilently())
    }
    let next = server.client()
    next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try server.turn { server.server.statistics.requests == 1 })
    #expect(next.answer()?.status == 200)
    try server.stop()
  }

  @Test("L2 where nothing helps the listener pauses instead of spinning, and comes back")
  func descriptorsByPause() throws {
    var limits = Limits()
    limits.acceptPause = .milliseconds(20)
    let server = try TurnedServer(limits)
    let client = server.client()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    let turns = try Faults.force(.accept, .tooManyOpenFiles, times: 100_000) {
      try server.turns(during: .milliseconds(100))
    }
    #expect(turns < 20)
    #expect(try server.turn { server.server.statistics.requests == 1 })
    #expect(client.answer()?.status == 200)
    try server.stop()
  }

  @Test("L2 clients that take nothing of their answers keep nobody out")
  func stalledWriters() throws {
    let server = try LiveServer(
      limits {
        $0.maxConnections = 2
        $0.writeStallTime = .milliseconds(20)
        $0.writeProgressTime = .seconds(1000)
        $0.writeTime = .seconds(1000)
      })
    defer { server.stop() }
    let stalled = (0..<2).map { _ in Client(server, receiveBuffer: 4096) }
    for client in stalled { client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n") }
    #expect(eventually { server.statistics.open.writing == 2 })
    #expect(
      eventually {
        let client = Client(server)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return client.answer()?.status == 200
      })
    #expect(server.statistics.evicted >= 1)
  }

  @Test("L2 where nothing helps no connection is sacrificed in vain")
  func descriptorsKeepConnections() throws {
    var limits = Limits()
    limits.acceptPause = .seconds(1000)
    let server = try TurnedServer(limits)
    let idle = (0..<3).map { _ in server.client() }
    #expect(try server.turn { server.open.total == 3 })
    let client = server.client()
    let turns = try Faults.force(.accept, .tooManyOpenFiles, times: 100_000) {
      try server.turns(during: .milliseconds(50))
    }
    #expect(turns < 10)
    #expect(server.server.statistics.evicted == 0)
    #expect(server.open.total == 3)
    _ = (idle, client)
    try server.stop()
  }

  @Test("L2 a process without descriptors turns clients away and recovers")
  func exhaustedProcess() async {
    await #expect(processExitsWith: .success) {
      let server = try TurnedServer()
      let unlucky = server.client()
      let next = server.client()
      var hoard: [Int32] = []
      var limit = rlimit(rlim_cur: 256, rlim_max: 256)
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      while let fd = Optional(dup(0)), fd >= 0 { hoard.append(fd) }
      next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      check(try server.turn { server.server.statistics.rejected.resources == 2 })
      check(unlucky.endsSilently())
      check(next.answer() == nil)
      // What was accepted for the spare's sake is closed, and the spare is back.
      check(dup(0) < 0)
      next.close()
      let last = server.client()
      last.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      close(hoard.removeLast())
      check(try server.turn { server.server.statistics.requests == 1 })
      check(last.answer()?.status == 200)
      try server.stop()
    }
  }

  @Test("L2 a connection that failed before it was accepted does not matter")
  func aborted() throws {
    let server = try TurnedServer()
    let client = server.client()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      try Faults.force(.accept, .connectionAborted, times: 3) {
        try server.turn { server.server.statistics.requests == 1 }
      })
    #expect(client.answer()?.status == 200)
    #expect(server.server.statistics.rejected.aborted == 3)
    try server.stop()
  }

  @Test("L2 a connection that the kernel cannot watch is closed")
  func unwatched() throws {
    let server = try TurnedServer()
    let client = server.client()
    // One call of epoll is the waiting itself.
    #expect(
      try Faults.force(.epoll, .noMemory, skip: 1) {
        try server.turn { server.server.statistics.rejected.resources == 1 }
      })
    #expect(client.endsSilently())
    #expect(server.open.total == 0)
    try server.stop()
  }

  @Test("A full send buffer delays an answer and does not change it")
  func sendBuffer() throws {
    let server = try TurnedServer()
    let client = server.client()
    client.send(
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx"
        + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      try Faults.force(.send, .wouldBlock, times: 2) {
        try server.turn { server.server.statistics.requests == 2 && server.open.idle == 1 }
      })
    #expect(client.answer(toHead: true)?.status == 100)
    #expect(client.answer()?.body == "hello /a\n")
    #expect(client.answer()?.body == "hello /b\n")
    try server.stop()
  }

  @Test(
    "Failing calls close one connection and nothing else",
    arguments: [(SystemCall.receive, Errno.connectionReset), (.send, .brokenPipe)])
  func failures(_ call: SystemCall, _ error: Errno) throws {
    let server = try TurnedServer()
    let client = server.client()
    #expect(try server.turn { server.open.total == 1 })
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try Faults.force(call, error) { try server.turn { server.open.total == 0 } })
    let next = server.client()
    next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    let before = server.server.statistics.requests
    #expect(try server.turn { server.server.statistics.requests == before + 1 })
    #expect(next.answer()?.status == 200)
    #expect(server.abandoned.isEmpty)
    try server.stop()
  }

  // MARK: Stopping

  /// Its head said that the connection stays, because the end had not begun yet.
  @Test("L7 who has got an answer that was under way is not waited for")
  func drainBehindAnAnswer() throws {
    let server = try LiveServer(limits { $0.idleTime = .seconds(1000) })
    let clients = [Client(server, receiveBuffer: 4096), Client(server, receiveBuffer: 4096)]
    for client in clients { client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n") }
    #expect(eventually { server.statistics.open.writing == 2 })
    clients[1].send("GET /behind HTTP/1.1\r\nHost: a\r\n\r\n")
    let done = DispatchSemaphore(value: 0)
    server.post { server, loop in
      server.drain(within: .seconds(1000)) {
        loop.stop()
        done.signal()
      }
    }
    for client in clients { #expect(client.answer()?.body.utf8.count == 8 << 20) }
    let behind = try #require(clients[1].answer())
    #expect(behind.body == "hello /behind\n" && behind.field("Connection") == "close")
    for client in clients { #expect(client.endsSilently()) }
    #expect(done.wait(timeout: .now() + 30) == .success)
  }

  @Test("L7 what is in flight is finished, what is idle is closed, nothing new is accepted")
  func drain() throws {
    let server = try LiveServer(limits { $0.stopTime = .seconds(1000) })
    let idle = Client(server)
    #expect(idle.get("/")?.status == 200)
    let half = Client(server)
    half.send("GET /half HTTP/1.1\r\n")
    let later = Client(server)
    later.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      eventually {
        let open = server.statistics.open
        return open.waiting == 1 && open.reading == 1 && open.idle == 1
      })
    let done = DispatchSemaphore(value: 0)
    server.post { server, loop in
      server.drain(within: .seconds(30)) {
        loop.stop()
        done.signal()
      }
    }
    #expect(idle.endsSilently())
    #expect(!Client(server).isConnected)
    half.send("Host: a\r\n\r\n")
    let halfAnswer = try #require(half.answer())
    #expect(halfAnswer.status == 200)
    #expect(halfAnswer.field("Connection") == "close")
    half.close()
    server.answer("late\n")
    let answer = try #require(later.answer())
    #expect(answer.body == "late\n")
    #expect(answer.field("Connection") == "close")
    #expect(later.endsSilently())
    later.close()
    #expect(done.wait(timeout: .now() + 30) == .success)
  }

  @Test("L7 a request that has arrived when the end begins is answered")
  func drainAnswersWhatHasArrived() throws {
    let server = try TurnedServer()
    let known = server.client()
    #expect(try server.turn { server.open.total == 1 })
    known.send("GET /known HTTP/1.1\r\nHost: a\r\n\r\n")
    let unaccepted = server.client()
    unaccepted.send("GET /unaccepted HTTP/1.1\r\nHost: a\r\n\r\n")
    var isDone = false
    server.server.drain(within: .seconds(30)) { isDone = true }
    #expect(known.answer()?.body == "hello /known\n")
    #expect(unaccepted.answer()?.body == "hello /unaccepted\n")
    known.close()
    unaccepted.close()
    #expect(try server.turn { isDone })
  }

  @Test("L7 who has just connected when the end begins is answered once")
  func drainAnswersWhoHasJustConnected() throws {
    let server = try TurnedServer(limits { $0.stopTime = .seconds(30) })
    let known = server.client()
    #expect(try server.turn { server.open.total == 1 })
    let unaccepted = server.client()
    var isDone = false
    server.server.drain(within: .seconds(60)) { isDone = true }
    for client in [known, unaccepted] { client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
    #expect(try server.turn { server.server.statistics.requests == 2 })
    for client in [known, unaccepted] {
      #expect(client.answer()?.field("Connection") == "close")
      client.close()
    }
    #expect(try server.turn { isDone })
  }

  @Test(
    "L7 what has begun to arrive may be completed, for a moment",
    arguments: [
      "GE", "GET / HTTP/1.1\r\nHost: ",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
    ])
  func drainOfHalfARequest(start: String) throws {
    let server = try TurnedServer(
      limits {
        $0.stopTime = .milliseconds(20)
        ($0.headerTime, $0.bodyTime) = (.seconds(1000), .seconds(1000))
      })
    let half = server.client()
    half.send(start)
    #expect(try server.turn { server.open.reading == 1 })
    // Whoever sends on and on has no more time than others.
    let dribbling = server.client()
    dribbling.send("GET / HTTP/1.1\r\n")
    #expect(try server.turn { server.open.reading == 2 })
    var isDone = false
    server.server.drain(within: .seconds(1000)) { isDone = true }
    for _ in 0..<20 {
      dribbling.send("X: y\r\n")
      try server.loop.turn()
    }
    try #require(try server.turn { server.open.reading == 0 })
    for client in [half, dribbling] {
      let answer = try #require(client.answer())
      #expect(answer.status == 503)
      #expect(answer.field("Connection") == "close")
      #expect(answer.body == "503 Service Unavailable: the server is stopping\n")
      client.close()
    }
    #expect(try server.turn { isDone })
  }

  @Test("L7 who has connected and says nothing is waited for a short time only")
  func drainLeavesTheSilent() throws {
    let server = try TurnedServer(limits { $0.stopTime = .milliseconds(20) })
    let silent = server.client()
    #expect(try server.turn { server.open.total == 1 })
    var isDone = false
    server.server.drain(within: .seconds(60)) { isDone = true }
    #expect(try server.turn { isDone })
    #expect(silent.endsSilently())
  }

  @Test("L7 the time to finish is limited")
  func drainIsBounded() throws {
    let server = try TurnedServer()
    let later = server.client()
    later.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try server.turn { server.waiting.count == 1 })
    var isDone = false
    server.server.drain(within: .milliseconds(20)) { isDone = true }
    #expect(!isDone)
    #expect(try server.turn { isDone })
    #expect(server.abandoned == server.waiting)
    #expect(later.endsSilently())
  }

  @Test("L7 without connections the end comes at once")
  func drainEmpty() throws {
    let server = try TurnedServer()
    var isDone = false
    server.server.drain(within: .seconds(30)) { isDone = true }
    #expect(isDone)
  }
}

/// Ends an exit test that has failed.
private func check(_ condition: Bool) { precondition(condition) }

/// How much of the heap an object takes.
@_silgen_name("malloc_usable_size")
private func allocatedBytes(_ block: UnsafeMutableRawPointer) -> Int
