import Testing

@testable import HTTPClient

@Suite struct EndpointTests {
  struct Case: Sendable {
    var url: String
    var host: String
    var port: UInt16
    var target: String
  }

  @Test(arguments: [
    Case(
      url: "http://127.0.0.1:6060/debug/vars", host: "127.0.0.1", port: 6060, target: "/debug/vars"),
    Case(url: "HTTP://localhost", host: "localhost", port: 80, target: "/"),
    Case(url: "http://[::1]:9090/metrics?a=b#c", host: "::1", port: 9090, target: "/metrics?a=b"),
    Case(url: "http://[::1]?a", host: "::1", port: 80, target: "/?a"),
    Case(url: "http://a.b-c_d:1/%20", host: "a.b-c_d", port: 1, target: "/%20"),
  ])
  func partsOfAURL(_ example: Case) throws {
    let endpoint = try Endpoint(example.url)
    #expect(endpoint.host == example.host)
    #expect(endpoint.port == example.port)
    #expect(endpoint.target == example.target)
  }

  @Test(arguments: [
    ("https://a/", Endpoint.ParseError.scheme), ("a/b", .scheme), ("", .scheme),
    ("http://user@a/", .userInformation), ("http:///x", .host), ("http://[::1/", .host),
    ("http://a b/", .host), ("http://[::1]x/", .host), ("http://a:/", .port),
    ("http://a:0/", .port), ("http://a:65536/", .port), ("http://a:+1/", .port),
    ("http://a/\r\nX: y", .target), ("http://a/ b", .target),
  ])
  func whatIsNone(url: String, error: Endpoint.ParseError) {
    #expect(throws: error) { try Endpoint(url) }
  }
}
