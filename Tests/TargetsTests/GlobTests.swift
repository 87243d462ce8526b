import Testing

@testable import Targets

@Suite struct GlobTests {
  @Test(arguments: [
    ("nginx", "nginx", true), ("nginx", "nginx2", false), ("nginx", "ngin", false),
    ("", "", true), ("", "a", false), ("*", "", true), ("*", "anything", true),
    ("redis-*", "redis-server", true), ("redis-*", "redis", false),
    ("*server", "redis-server", true),
    ("a*b*c", "a-b-b-c", true), ("a*b*c", "a-c-b", false), ("?", "a", true), ("?", "", false),
    ("??", "a", false), ("/usr/*/postgres", "/usr/lib/postgresql/15/bin/postgres", true),
    ("**", "x", true), ("a**c", "abc", true), ("[ab]", "a", false), ("[ab]", "[ab]", true),
    ("*a", "aaab", false), ("*aab", "aaaab", true),
  ])
  func matches(pattern: String, text: String, expected: Bool) {
    #expect(Glob(pattern).matches(Array(text.utf8)) == expected)
  }

  @Test(arguments: [
    ("a*", "a*", true), ("a*", "ab", false), ("?", "a", false), ("", "", true), ("", "a", false),
  ])
  func literals(text: String, candidate: String, expected: Bool) {
    #expect(Glob(literal: text).matches(Array(candidate.utf8)) == expected)
    #expect(Glob(literal: text) != Glob(text))
  }

  @Test(arguments: [
    ("nginx", "nginx", true), ("nginx", "/usr/sbin/nginx", true), ("nginx", "/nginx", true),
    ("nginx", "xnginx", false), ("nginx", "/usr/nginx/x", false), ("nginx", "ginx", false),
    ("ngin?", "/usr/sbin/nginx", false), ("*", "/a/*", true), ("*", "/a/b", false),
    ("nginx", "nginx: master process /usr/sbin/nginx", true), ("nginx", "", false),
  ])
  func lastComponents(name: String, path: String, expected: Bool) {
    #expect(Glob(lastComponent: name).matches(Array(path.utf8)) == expected)
  }

  @Test func bytesThatAreNoText() {
    #expect(Glob("a?c").matches([0x61, 0xff, 0x63]))
    #expect(Glob("*").matches([0xff, 0x00, 0x0a]))
  }

  @Test func manyStarsStayQuick() {
    let pattern = String(repeating: "*a", count: 50)
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 4000) + [UInt8(ascii: "b")]
    #expect(!Glob(pattern).matches(text))
  }

  /// Compares with a direct definition, on all short patterns and texts over two letters.
  @Test func agreesWithItsDefinition() {
    func reference(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
      guard let first = pattern.first else { return text.isEmpty }
      if first == UInt8(ascii: "*") {
        return reference(pattern.dropFirst(), text)
          || (!text.isEmpty && reference(pattern, text.dropFirst()))
      }
      guard let letter = text.first, first == UInt8(ascii: "?") || first == letter else {
        return false
      }
      return reference(pattern.dropFirst(), text.dropFirst())
    }
    func words(_ letters: String, upTo length: Int) -> [[UInt8]] {
      var all: [[UInt8]] = [[]]
      var last = all
      for _ in 0..<length {
        last = last.flatMap { word in letters.utf8.map { word + [$0] } }
        all += last
      }
      return all
    }
    for pattern in words("ab*?", upTo: 4) {
      let glob = Glob(String(decoding: pattern, as: UTF8.self))
      for text in words("ab", upTo: 5) {
        #expect(
          glob.matches(text) == reference(pattern[...], text[...]),
          "\(glob) over \(String(decoding: text, as: UTF8.self))")
      }
    }
  }
}
