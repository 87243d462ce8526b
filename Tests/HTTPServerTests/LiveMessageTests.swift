import Foundation
import Linux
import RequestChecks
import Testing

@testable import HTTPServer

/// The whole server over real sockets: messages and connections (H numbers).
@Suite struct LiveMessageTests {
  @Test("H20 H23 answers have Date, Content-Length and Content-Type, and the connection stays")
  func keepAlive() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    for number in 1...5 {
      let answer = try #require(client.get("/\(number)"))
      #expect(answer.status == 200)
      #expect(answer.body == "hello /\(number)\n")
      #expect(answer.field("Content-Type") == "text/plain; charset=utf-8")
      #expect(answer.field("Content-Length") == "\(answer.body.utf8.count)")
      #expect(answer.field("Connection") == nil)
      let date = try #require(answer.field("Date"))
      #expect(date.count == 29 && date.hasSuffix(" GMT"))
    }
    #expect(server.statistics.accepted == 1)
    #expect(server.statistics.requests == 5)
    #expect(server.statistics.responsesByStatus.map(\.code) == [200])
    #expect(server.statistics.responsesByStatus.map(\.count) == [5])
  }

  @Test("Every row of the request table gets its status codes", arguments: requestTable)
  func table(_ row: RequestCase) throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send(row.bytes)
    client.finishSending()
    let seen = client.rest()
    #expect(!client.sawReset)
    // Each event of the row is an answer; an incomplete request is one that is refused.
    let expected = row.expected.components(separatedBy: "; ").map { event -> String in
      if event == "..." { return "400" }
      return Int(event).map { "\($0)" } ?? (event.hasPrefix("OPTIONS *") ? "204" : "200")
    }
    let codes = seen.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
    #expect(codes == expected)
  }

  @Test("H21 HEAD has the fields of GET and no body")
  func head() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    let get = try #require(client.get("/x"))
    client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n")
    let head = try #require(client.answer(toHead: true))
    #expect(head.field("Content-Length") == get.field("Content-Length"))
    #expect(head.field("Content-Type") == get.field("Content-Type"))
    #expect(client.answer()?.body == "hello /y\n")
    // A refused HEAD has no body either.
    client.send("HEAD /x HTTP/1.1\r\n\r\n")
    let rest = client.rest()
    #expect(rest.hasPrefix("HTTP/1.1 400 "))
    #expect(rest.hasSuffix("\r\n\r\n"))
  }

  @Test("H22 OPTIONS * is answered 204 with Allow")
  func options() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try #require(client.answer())
    #expect(answer.status == 204)
    #expect(answer.field("Allow") == "GET, HEAD, OPTIONS")
    #expect(answer.field("Content-Length") == nil)
    #expect(client.get("/")?.status == 200)
  }

  @Test("H23 close and HTTP/1.0")
  func persistence() throws {
    let server = try LiveServer()
    defer { server.stop() }
    for (request, connection) in [
      ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close"),
      ("GET / HTTP/1.0\r\n\r\n", "close"),
    ] {
      let client = Client(server)
      client.send(request)
      let answer = try #require(client.answer())
      #expect(answer.field("Connection") == connection)
      #expect(client.endsSilently())
      #expect(client.sawEnd)
    }
    let client = Client(server)
    for _ in 0..<2 {
      client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      let answer = try #require(client.answer())
      #expect(answer.field("Connection") == "keep-alive")
    }
  }

  @Test("H23 H27 nothing behind a request that closes is a request")
  func nothingAfterClose() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send(
      "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        + "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.body == "hello /a\n")
    #expect(client.endsSilently())
    #expect(server.statistics.requests == 1)
  }

  @Test("H23 pipelined requests are answered in order, one at a time")
  func pipeline() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send(
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /later?1 HTTP/1.1\r\nHost: a\r\n\r\n"
        + "GET /later?2 HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.body == "hello /a\n")
    #expect(eventually { server.waiting.withLock { $0.map(\.path) } == ["/later?1"] })
    // Another connection is not held up.
    #expect(Client(server).get("/other")?.status == 200)
    server.answer("one\n")
    #expect(client.answer()?.body == "one\n")
    #expect(eventually { server.waiting.withLock { $0.map(\.path) } == ["/later?2"] })
    server.answer("two\n")
    #expect(client.answer()?.body == "two\n")
    #expect(client.answer()?.body == "hello /b\n")
    #expect(client.get("/c")?.body == "hello /c\n")
  }

  @Test("H23 hundreds of pipelined requests in one piece")
  func longPipeline() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send((0..<2000).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
    for number in 0..<2000 { try #require(client.answer()?.body == "hello /\(number)\n") }
    #expect(client.get("/end")?.body == "hello /end\n")
  }

  @Test("H23 a pipeline takes turns with others")
  func pipelineTakesTurns() throws {
    let server = try TurnedServer()
    let client = server.client()
    #expect(try server.turn { server.open.idle == 1 })
    client.send((0..<100).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
    var before: UInt64 = 0
    var most: UInt64 = 0
    let isAnswered = try server.turn {
      let now = server.server.statistics.requests
      most = max(most, now - before)
      before = now
      return now == 100
    }
    #expect(isAnswered)
    #expect(most <= 17)
    for number in 0..<100 { try #require(client.answer()?.body == "hello /\(number)\n") }
    try server.stop()
  }

  @Test("H23 what comes while a request waits stays in the kernel and costs no time")
  func readAhead() throws {
    let server = try TurnedServer()
    let client = server.client()
    client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try server.turn { server.waiting.count == 1 })
    client.send((0..<500).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
    // A level-triggered loop would spin on the unread bytes.
    #expect(try server.turns(during: .milliseconds(50)) < 10)
    #expect(server.server.statistics.requests == 1)
    server.server.answer(server.waiting[0], .text(.ok, "late\n"))
    #expect(try server.turn { server.server.statistics.requests == 501 })
    #expect(client.answer()?.body == "late\n")
    for number in 0..<500 { try #require(client.answer()?.body == "hello /\(number)\n") }
    try server.stop()
  }

  @Test("H24 a client that has shut its side gets its answer")
  func halfClose() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let quick = Client(server)
    quick.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    quick.finishSending()
    #expect(quick.answer()?.body == "hello /a\n")
    #expect(quick.answer()?.body == "hello /b\n")
    #expect(quick.endsSilently())

    let slow = Client(server)
    slow.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    slow.finishSending()
    #expect(eventually { server.waiting.withLock { $0.count } == 1 })
    server.answer("late\n")
    #expect(slow.answer()?.body == "late\n")
    #expect(slow.endsSilently())
    #expect(server.abandoned.withLock { $0.isEmpty })
  }

  @Test("H24 the end of input costs no time while a request waits")
  func halfCloseDoesNotSpin() throws {
    let server = try TurnedServer()
    let client = server.client()
    client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    client.finishSending()
    #expect(try server.turn { server.waiting.count == 1 })
    #expect(try server.turns(during: .milliseconds(50)) < 10)
    server.server.answer(server.waiting[0], .text(.ok, "late\n"))
    #expect(try server.turn { server.open.total == 0 })
    #expect(client.answer()?.body == "late\n")
    #expect(server.abandoned.isEmpty)
    try server.stop()
  }

  @Test("H24 a request cut off by the client's end is refused")
  func incomplete() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
    client.finishSending()
    #expect(client.answer()?.status == 400)
    #expect(client.endsSilently())
  }

  @Test("H14 an error answer survives what the client still sends", arguments: [8, 60_000])
  func lingering(_ more: Int) throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    client.send([UInt8](repeating: 0x78, count: more))
    let answer = try #require(client.answer())
    #expect(answer.status == 400)
    #expect(answer.field("Connection") == "close")
    #expect(answer.body == "400 Bad Request: there is more than one Host field\n")
    client.finishSending()
    #expect(client.endsSilently())
    #expect(client.sawEnd)
  }

  @Test("H14 a client that goes on sending after an error is cut off, but not at once")
  func lingeringIsBounded() throws {
    var limits = Limits()
    limits.lingerTime = .milliseconds(50)
    let server = try LiveServer(limits)
    defer { server.stop() }
    let client = Client(server)
    client.send("BROKEN\r\n")
    #expect(client.answer()?.status == 400)
    #expect(eventually { !client.send([UInt8](repeating: 0x78, count: 64 << 10)) })
    #expect(eventually { server.statistics.open.total == 0 })
    #expect(server.statistics.timeouts.linger == 1)
  }

  @Test("H14 what comes after an error is not read for ever")
  func lingeringStopsReading() throws {
    var limits = Limits()
    limits.lingerTime = .seconds(1000)
    let server = try TurnedServer(limits)
    let client = server.client()
    client.send("BROKEN\r\n")
    #expect(try server.turn { server.open.closing == 1 })
    // More than a hundred reads, if it read them all.
    let piece = [UInt8](repeating: 0x78, count: 16 << 10)
    var sent = 0
    while sent < 2 << 20 {
      let count = Glibc.send(client.socket, piece, piece.count, Int32(MSG_DONTWAIT))
      if count <= 0 { break }
      sent += count
    }
    #expect(sent > 500_000)
    #expect(try server.turns(during: .milliseconds(100)) < 20)
    #expect(server.open.closing == 1)
    #expect(client.answer()?.status == 400)
    try server.stop()
  }

  @Test("H15 the body is sent after 100 Continue")
  func expect() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    let interim = try #require(client.answer(toHead: true))
    #expect(interim.head == "HTTP/1.1 100 Continue")
    client.send("hello")
    let answer = try #require(client.answer())
    #expect(answer.status == 200)
    #expect(answer.body.hasSuffix("\n\nhello"))
    #expect(client.get("/")?.status == 200)
  }

  @Test("H15 what is decided without the body is answered instead of 100 Continue")
  func expectRefused() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let wants = "Content-Length: 40\r\nExpect: 100-continue\r\n\r\n"
    let client = Client(server)
    client.send("POST /refused HTTP/1.1\r\nHost: a\r\n\(wants)")
    let answer = try #require(client.answer())
    #expect(answer.status == 405)
    #expect(answer.field("Connection") == "close")
    // The body, sent all the same, is no request.
    client.send("GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")
    client.finishSending()
    #expect(client.endsSilently())
    #expect(server.statistics.requests == 0)
    let head = Client(server)
    head.send("HEAD /refused HTTP/1.1\r\nHost: a\r\n\(wants)")
    #expect(head.answer(toHead: true)?.status == 405)
    #expect(head.endsSilently())
  }

  @Test("H11 H13 a body in many small chunks arrives whole")
  func manyChunks() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in 0..<1000 { client.send("4\r\n\(String(format: "%04d", number))\r\n") }
    client.send("0\r\n\r\n")
    let answer = try #require(client.answer())
    let body = (0..<1000).map { String(format: "%04d", $0) }.joined()
    #expect(answer.body.hasSuffix("\n\n" + body))
  }

  @Test("H13 the largest body arrives whole")
  func largeBody() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    let body = String(repeating: "0123456789abcdef", count: 4096)
    client.send(
      "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    #expect(client.answer()?.body.hasSuffix("\n\n" + body) == true)
    #expect(client.get("/")?.status == 200)
  }

  @Test("A large answer arrives whole, however slowly it is read")
  func largeAnswer() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server, receiveBuffer: 4096)
    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(eventually { server.statistics.open.writing == 1 })
    let answer = try #require(client.answer())
    #expect(answer.body.utf8.count == 8 << 20)
    #expect(client.answer()?.body == "hello /next\n")
  }

  @Test("A client that resets while its request waits is noticed")
  func abandoned() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(eventually { server.waiting.withLock { $0.count } == 1 })
    client.reset()
    #expect(eventually { server.abandoned.withLock { $0.count } == 1 })
    #expect(server.abandoned.withLock { $0 } == server.waiting.withLock { $0.map(\.id) })
    // Too late, and another connection may have the place by now.
    let other = Client(server)
    other.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(eventually { server.waiting.withLock { $0.count } == 2 })
    server.answer("for nobody\n")
    server.answer("for the other\n")
    #expect(other.answer()?.body == "for the other\n")
    #expect(server.statistics.open.total == 1)
  }

  @Test("A handler may answer at once although it says later, and only once")
  func answerInsideTheHandler() throws {
    let loop = try EventLoop()
    var server: Server?
    let made = Server(loop: loop, limits: Limits()) { request, id in
      server?.answer(id, .text(.ok, "first \(request.path)\n"))
      server?.answer(id, .text(.ok, "second\n"))
      return request.path == "/now" ? .now(.text(.ok, "third\n")) : .later
    } abandoned: { _ in
      Issue.record("nobody has gone")
    }
    server = made
    guard case .ipv4(_, let port) = try made.listen(on: .ipv4(0x7f00_0001, port: 0)) else { return }
    let client = Client(port: port)
    client.send(
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /now HTTP/1.1\r\nHost: a\r\n\r\n"
        + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    while made.statistics.requests < 3 { try loop.turn() }
    for path in ["/a", "/now", "/b"] { #expect(client.answer()?.body == "first \(path)\n") }
    client.finishSending()
    while made.statistics.open.total > 0 { try loop.turn() }
    #expect(client.endsSilently())
    var isDone = false
    made.drain(within: .zero) { isDone = true }
    #expect(isDone)
    server = nil
  }

  @Test("Unix sockets work and leave no file behind")
  func unixSocket() throws {
    let path = "\(NSTemporaryDirectory())procvitals-\(UUID().uuidString.prefix(8)).sock"
    let server = try LiveServer(on: .unix(path: path))
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o660)
    #expect(Client(server).get("/")?.status == 200)
    #expect(throws: (any Error).self) { try LiveServer(on: .unix(path: path)) }
    #expect(Client(server).get("/")?.status == 200)
    server.stop()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("A socket file that nobody listens on is replaced, another file is not")
  func staleSocket() throws {
    let path = "\(NSTemporaryDirectory())procvitals-\(UUID().uuidString.prefix(8)).sock"
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    close(socket)
    let server = try LiveServer(on: .unix(path: path))
    #expect(Client(server).get("/")?.status == 200)
    server.stop()

    #expect(FileManager.default.createFile(atPath: path, contents: Data("mine".utf8)))
    #expect(throws: (any Error).self) { try LiveServer(on: .unix(path: path)) }
    #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
    try FileManager.default.removeItem(atPath: path)
  }
}
