import TestSupport
import Testing

@testable import HTTPServer

@Suite struct ResponseTests {
  private let date = Array("Date: D\r\n".utf8)

  private func head(_ response: Response, connection: String? = nil) -> String {
    String(decoding: response.head(date: date, connection: connection), as: UTF8.self)
  }

  @Test("H20 every answer has Date and exactly one length")
  func fields() {
    let response = Response(
      .ok, contentType: "text/html", body: Array("abc".utf8),
      fields: [
        ("ETag", "\"x\""), ("content-length", "7"), ("DATE", "never"), ("Connection", "x"),
        ("Transfer-Encoding", "chunked"),
      ])
    #expect(
      head(response) == "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: text/html\r\n"
        + "ETag: \"x\"\r\nContent-Length: 3\r\n\r\n")
    #expect(head(response, connection: "close").hasSuffix("3\r\nConnection: close\r\n\r\n"))
  }

  @Test("H20 204 and 304 have no length", arguments: [Status.noContent, .notModified])
  func noContent(_ status: Status) {
    let response = Response(status, contentType: nil, body: [])
    #expect(head(response) == "HTTP/1.1 \(status.code) \(status.reason)\r\nDate: D\r\n\r\n")
  }

  @Test("H27 a value cannot end the header section")
  func splitting() {
    let response = Response(
      .ok, contentType: nil, body: [], fields: [("X", "a\r\nSet-Cookie: b\u{0}\u{7f}\tc")])
    #expect(
      head(response)
        == "HTTP/1.1 200 OK\r\nDate: D\r\nX: a  Set-Cookie: b  \tc\r\nContent-Length: 0\r\n\r\n")
  }

  @Test("H22 OPTIONS and 405 say what is allowed")
  func allow() {
    let allowed: [HTTPServer.Method] = [.get, .head, .options]
    #expect(head(.options(allow: allowed)).contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"))
    #expect(Response.options(allow: allowed).status == .noContent)
    let refused = Response.methodNotAllowed(allow: allowed)
    #expect(head(refused).hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
    #expect(head(refused).contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"))
  }

  @Test(
    "H20 dates are IMF-fixdate",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (1_795_222_039, "Sat, 21 Nov 2026 00:47:19 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
      (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    ])
  func dates(_ seconds: Int64, _ expected: String) {
    #expect(httpDate(secondsSince1970: seconds) == expected)
  }
}

@Suite struct EvictionOrderTests {
  @Test("L2 the order is that of a sorted list")
  func model() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    var order = EvictionOrder()
    var model = [[Int32]](repeating: [], count: EvictionOrder.Group.allCases.count)
    for _ in 0..<20_000 {
      let slot = Int32.random(in: 0..<20, using: &random)
      for group in model.indices { model[group].removeAll { $0 == slot } }
      if let group = EvictionOrder.Group.allCases.randomElement(using: &random),
        Bool.random(using: &random)
      {
        order.append(slot, to: group)
        model[group.rawValue].append(slot)
      } else {
        order.remove(slot)
      }
      #expect(order.first == model.joined().first, "seed \(seed)")
    }
  }
}
