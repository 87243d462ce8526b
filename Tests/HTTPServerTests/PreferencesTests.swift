import TestSupport
import Testing

@testable import HTTPServer

/// A request with the given field lines.
func request(_ lines: String...) throws -> Request {
  let bytes = Array(
    ("GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
  var parser = RequestParser()
  var position = 0
  guard case .complete(let request) = parser.parse(bytes, &position, bytes.count, Limits()) else {
    throw NoRequest()
  }
  return request
}

struct NoRequest: Error {}

@Suite struct PreferencesTests {
  /// What members of Accept are understood as: `value;name=value q`, the weight in thousandths.
  @Test(arguments: [
    // N1: names, blanks, quotes, weights
    ("text/plain", "text/plain 1000"),
    ("TEXT/Plain;Version=0.0.4;Q=0.5", "text/plain;version=0.0.4 500"),
    ("text/plain ; version = 0.0.4 ;\tq = 0.5", "text/plain;version=0.0.4 500"),
    ("text/plain;q=0.5;version=0.0.4", "text/plain;version=0.0.4 500"),
    ("text/plain;version=\"0.0.4\"", "text/plain;version=0.0.4 1000"),
    ("text/plain;a=\"x,y;q=0\";q=0.1", "text/plain;a=x,y;q=0 100"),
    ("text/plain;a=\"\\\"\\,\"", "text/plain;a=\", 1000"),
    ("text/plain;a=\"\"", "text/plain;a= 1000"),
    ("text/plain;a=Keep", "text/plain;a=Keep 1000"),
    ("a/b,c/d", "a/b 1000|c/d 1000"),
    (" , a/b ,, c/d , ", "a/b 1000|c/d 1000"),
    ("a/b;", "a/b 1000"), ("a/b;;q=0.1;", "a/b 100"),
    ("*/*;q=0.1, text/*", "*/* 100|text/* 1000"),
    ("gzip;q=1.0, identity; q=0.5, *;q=0", "gzip 1000|identity 500|* 0"),
    ("a;q=0", "a 0"), ("a;q=0.", "a 0"), ("a;q=0.000", "a 0"), ("a;q=0.001", "a 1"),
    ("a;q=0.25", "a 250"), ("a;q=0.999", "a 999"),
    ("a;q=1", "a 1000"), ("a;q=1.", "a 1000"), ("a;q=1.000", "a 1000"), ("a;q=\"0.5\"", "a 500"),
    // members that break a rule are left out, their neighbours are not
    ("a;q=1.001,b", "b 1000"), ("a;q=2,b", "b 1000"), ("a;q=0.0001,b", "b 1000"),
    ("a;q=-1,b", "b 1000"), ("a;q=.5,b", "b 1000"), ("a;q=,b", "b 1000"), ("a;q,b", "b 1000"),
    ("a;q=0.5;q=0.1,b", "b 1000"), ("a;q=NaN,b", "b 1000"), ("a;q=1e0,b", "b 1000"),
    ("a;x=1;x=2,b", "b 1000"), ("a b,c", "c 1000"), ("a/,b", "b 1000"), ("/a,b", "b 1000"),
    ("a/b/c,b", "b 1000"), ("a;x=1 y,b", "b 1000"), ("a;=1,b", "b 1000"), ("(),b", "b 1000"),
    ("a\u{e9}/b,c", "c 1000"), ("\"a,b\",c", "c 1000"), ("a;x=\"y\"z,b", "b 1000"),
    ("a;x=\"y,b", ""), ("a;x=\"y\\", ""),
    ("", ""), (",", ""), (";", ""), ("q=0", ""),
  ])
  func N1_members(_ line: String, _ expected: String) throws {
    let found = try #require(try request("Accept: " + line).preferences("accept"))
    let text = found.map { member in
      member.value + member.parameters.map { ";\($0.name)=\($0.value)" }.joined()
        + " \(member.quality)"
    }
    #expect(text.joined(separator: "|") == expected)
  }

  @Test func N1_allLinesCount() throws {
    let found = try request("Accept: a/b;q=0.1", "X: y", "accept: c/d", "ACCEPT:").preferences(
      "Accept")
    #expect(found?.map(\.value) == ["a/b", "c/d"])
    #expect(try request().preferences("Accept") == nil)
    #expect(try request("Accept:").preferences("Accept")?.isEmpty == true)
  }

  @Test func N1_numbersAreBounded() throws {
    let many = (0..<200).map { "a/\($0)" }.joined(separator: ",")
    let found = try #require(
      try request("Accept: " + many, "Accept: " + many).preferences("Accept"))
    #expect(found.count == Preference.limit)
    func member(_ count: Int) -> String {
      "Accept: a" + (0..<count).map { ";p\($0)=1" }.joined() + ",b"
    }
    let limit = Preference.parameterLimit
    #expect(try request(member(limit)).preferences("Accept")?.count == 2)
    #expect(try request(member(limit + 1)).preferences("Accept")?.map(\.value) == ["b"])
  }

  @Test func N1_noBytesTrap() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "a", "/", "*", ";", ",", "=", "\"", "\\", " ", "\t", "q", "0", ".", "1", "9", "\u{e9}",
    ]
    for _ in 0..<20_000 {
      let line = (0..<Int.random(in: 0...20, using: &random))
        .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      // A member behind a comma is found, whatever was before it, unless quotes swallow it.
      let found = try #require(try request("Accept: \(line)\",end").preferences("Accept"))
      let other = try #require(try request("Accept: \(line),end").preferences("Accept"))
      for member in found + other {
        #expect((0...1000).contains(member.quality), "\(line), seed \(seed)")
      }
    }
  }

  /// The first six rows are client_golang's (`TestNegotiateEncodingWriter` and `httputil`).
  @Test(arguments: [
    ("", ["gzip", "zstd"], "identity"),
    ("gzip", ["gzip", "zstd"], "gzip"),
    ("gzip,zstd", ["gzip", "zstd"], "gzip"),
    ("gzip;q=0.1,zstd;q=0.5", ["gzip", "zstd"], "zstd"),
    ("gzip;q=1.0, identity; q=0.5, *;q=0", ["gzip"], "gzip"),
    ("*;q=0", ["gzip"], "identity"),
    ("x-gzip", ["gzip"], "gzip"), ("GZip", ["gzip"], "gzip"),
    ("gzip;q=0", ["gzip"], "identity"), ("gzip;q=0,*", ["gzip"], "identity"),
    ("gzip;q=0, identity;q=0", ["gzip"], "identity"),
    ("identity;q=0", ["gzip"], "identity"), ("identity;q=0,*", ["gzip"], "gzip"),
    ("identity;q=0,gzip;q=0.001", ["gzip"], "gzip"),
    ("*", ["gzip"], "gzip"), ("*;q=0.1", ["gzip"], "gzip"),
    ("identity", ["gzip"], "identity"), ("deflate, br", ["gzip"], "identity"),
    ("gzip;q=0.5,identity", ["gzip"], "identity"), ("gzip,identity", ["gzip"], "gzip"),
    ("gzip;q=0.5,*;q=0.8", ["gzip"], "identity"), ("gzip;q=2", ["gzip"], "identity"),
    ("deflate;q=0.9,gzip;q=0.2", ["gzip"], "gzip"), ("gzip", [], "identity"),
    ("gzip, deflate, br, zstd", ["gzip"], "gzip"), ("gzip;q=\"0\"", ["gzip"], "identity"),
  ])
  func N6_contentCoding(_ line: String, _ offered: [String], _ expected: String) throws {
    #expect(try request("Accept-Encoding: " + line).contentCoding(offered: offered) == expected)
  }

  @Test func N6_linesAddUpAndNoLineIsIdentity() throws {
    #expect(try request().contentCoding(offered: ["gzip"]) == "identity")
    let lines = try request("Accept-Encoding: br", "Accept-Encoding: gzip")
    #expect(lines.contentCoding(offered: ["gzip"]) == "gzip")
  }

  @Test(arguments: [
    ("\"a1\"", true), ("W/\"a1\"", true), ("*", true), ("\"b\", \"a1\"", true),
    ("\"b\" ,\tW/\"a1\" ", true),
    ("\"b\"", false), ("a1", false), ("", false), ("w/\"a1\"", false), ("\"A1\"", false),
  ])
  func H26_entityTags(_ line: String, _ expected: Bool) throws {
    #expect(try request("If-None-Match: " + line).alreadyHas(tag: "\"a1\"") == expected)
  }

  @Test func H26_severalLinesAndNone() throws {
    #expect(try !request().alreadyHas(tag: "\"a1\""))
    let lines = try request("If-None-Match: \"b\"", "if-none-match: \"a1\"")
    #expect(lines.alreadyHas(tag: "\"a1\""))
  }
}
