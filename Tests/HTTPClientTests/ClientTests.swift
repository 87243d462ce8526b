import Dispatch
import Glibc
import Linux
import TestSupport
import Testing

@testable import HTTPClient

/// Against a listener that sends what the test says, in pieces, whatever it is asked.
@Suite struct ClientTests {
  private func ask(
    _ pieces: [String], limit: Int = 1000, loopback: Bool = true, seconds: Double = 20,
    isOpen: Bool = false
  ) throws -> Result<Client.Answer, Client.Failure> {
    let sockets = TestSockets()
    let listener = try sockets.listener(backlog: 1)
    let (end, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    DispatchQueue.global().async {
      let socket = accept(listener, nil, nil)
      for piece in pieces { _ = send(socket, piece, piece.utf8.count, Int32(MSG_NOSIGNAL)) }
      if isOpen { end.wait() }
      // An answer that is not read to its end must not be lost to a reset.
      shutdown(socket, Int32(SHUT_WR))
      var byte: UInt8 = 0
      while recv(socket, &byte, 1, 0) > 0 {}
      close(socket)
      done.signal()
    }
    defer {
      end.signal()
      done.wait()
    }
    let client = Client(isLoopbackOnly: loopback, bodyLimit: limit)
    let endpoint = try Endpoint("http://127.0.0.1:\(TestSockets.port(listener))/x")
    return Result { () throws(Client.Failure) in
      try client.ask(endpoint, until: .now + .milliseconds(Int64(seconds * 1000)))
    }
  }

  @Test(arguments: [
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    ["HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhel", "lo"],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n"
    ],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length:5\n\nhello, not this"],
    ["H", "TTP/1.1 200\r", "\nContent-Le", "ngth: 5\r\n\r", "\nhel", "lo"],
  ])
  func bodies(pieces: [String]) throws {
    let answer = try ask(pieces).get()
    #expect(answer.status == 200)
    #expect(answer.body == Array("hello".utf8))
  }

  @Test(arguments: [
    "", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 10_000),
  ])
  func whatIsNoAnswer(text: String) throws {
    let outcome = try ask([text])
    guard case .failure(.malformed) = outcome else {
      Issue.record("\(outcome)")
      return
    }
  }

  @Test(arguments: [
    "Content-Length: 11\r\n\r\n", "Connection: close\r\n\r\n12345678901",
    "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n6\r\n123456\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
  ])
  func aBodyIsBounded(rest: String) throws {
    #expect(try ask(["HTTP/1.1 200 OK\r\n" + rest], limit: 10) == .failure(.tooLarge(limit: 10)))
  }

  @Test func aServerThatSaysNothingIsGivenUp() throws {
    #expect(try ask([], seconds: 0.05, isOpen: true) == .failure(.network(.timedOut)))
  }

  @Test func anotherMachineIsNotAskedUnlessAllowed() throws {
    let client = Client(isLoopbackOnly: true, bodyLimit: 10)
    let endpoint = try Endpoint("http://192.0.2.1/")
    #expect(throws: Client.Failure.notLoopback) {
      try client.ask(endpoint, until: .now + .seconds(5))
    }
  }
}
