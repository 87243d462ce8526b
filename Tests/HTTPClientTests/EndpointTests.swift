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

  @Test(
    arguments: [
      ("https://a", 443, "/v1/metrics", true), ("http://a:1/v1/metrics", 1, "/v1/metrics", false),
      ("HTTPS://a:4318/b/", 4318, "/b/v1/metrics", true),
      ("http://a/b", 80, "/b/v1/metrics", false),
      ("http://a/b?c=/d", 80, "/b/v1/metrics?c=/d", false),
      ("http://a?c", 80, "/v1/metrics?c", false),
    ] as [(String, UInt16, String, Bool)])
  func pathsAreAdded(url: String, port: UInt16, target: String, isEncrypted: Bool) throws {
    let endpoint = try Endpoint(url, takesTLS: true, adding: "/v1/metrics")
    #expect(endpoint.port == port)
    #expect(endpoint.target == target)
    #expect(endpoint.isEncrypted == isEncrypted)
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
