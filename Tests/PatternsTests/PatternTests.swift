import TestSupport
import Testing

@testable import Patterns

@Suite struct PatternTests {
  /// The texts of the groups by number; nil if it does not fit.
  private func groups(_ expression: String, _ text: [UInt8]) throws -> [Int: String]? {
    switch try Pattern(expression).search(text) {
    case .found(let groups): return groups.mapValues { String(decoding: $0, as: UTF8.self) }
    case .notFound: return nil
    case .tooExpensive:
      Issue.record("\(expression) is too expensive")
      return nil
    }
  }

  @Test(
    arguments: [
      ("b", "abc", [0: "b"]), ("^b", "abc", nil), ("", "abc", [0: ""]), ("", "", [0: ""]),
      ("^$", "", [0: ""]), (".", "", nil), ("x*", "", [0: ""]),
      (#"-p (?<port>\d+)(x)?"#, "postgres -p 5432", [0: "-p 5432", 1: "5432"]),
      ("(a)|(b)", "b", [0: "b", 2: "b"]), ("(a)|(b)", "a", [0: "a", 1: "a"]),
      ("(a)?(b)", "b", [0: "b", 2: "b"]), ("(a*)(b)", "b", [0: "b", 1: "", 2: "b"]),
      ("((a)|b)+", "ab", [0: "ab", 1: "b", 2: "a"]), ("(?:a)(b)", "ab", [0: "ab", 1: "b"]),
      ("(?i)JAVA", "java", [0: "java"]), ("a.c", "a\nc", nil), ("(?s)a.c", "a\nc", [0: "a\nc"]),
      ("^c", "a\nc", nil), ("(?m)^c", "a\nc", [0: "c"]), ("a$", "a\n", nil),
      ("(?m)a$", "a\n", [0: "a"]), ("(?m)a\n^", "a\n", [0: "a\n"]),
      (#"foo\Kbar"#, "foobar", [0: "bar"]), (#"\bä\b"#, "a ä", nil), ("ä", "xä", [0: "ä"]),
      (#"(?<=-D)\w+"#, "-Dx=1", [0: "x"]), (#"(\w)\1"#, "abba", [0: "bb", 1: "b"]),
    ] as [(String, String, [Int: String]?)])
  func whatIsFound(expression: String, text: String, groups: [Int: String]?) throws {
    #expect(try self.groups(expression, Array(text.utf8)) == groups)
  }

  @Test(
    arguments: [
      ("(?<a>x)(y)(?<b>z)", ["a": 1, "b": 3], 3), ("(?P<a>x)", ["a": 1], 1),
      ("(?'a'x)", ["a": 1], 1), ("(x)", [:], 1), ("x", [:], 0),
      ("(?<longest_name_that_there_may_be1>x)", ["longest_name_that_there_may_be1": 1], 1),
      // Two alternatives may share a number.
      ("(?|(?<a>x)|(?<a>y))", ["a": 1], 1),
    ] as [(String, [String: Int], Int)])
  func namesOfGroups(expression: String, names: [String: Int], count: Int) throws {
    if expression.contains("longest") {
      // PCRE2 takes names of up to 32 bytes.
      #expect("longest_name_that_there_may_be1".utf8.count <= 32)
    }
    let pattern = try Pattern(expression)
    #expect(pattern.groups == names)
    #expect(pattern.groupCount == count)
  }

  @Test func manyGroups() throws {
    let names = (1...300).map { "name\($0)" }
    let pattern = try Pattern(names.map { "(?<\($0)>.)" }.joined())
    #expect(pattern.groups.count == 300 && pattern.groups["name300"] == 300)
    guard case .found(let groups) = pattern.search([UInt8](repeating: 120, count: 300)) else {
      Issue.record("not found")
      return
    }
    #expect(groups.count == 301)
  }

  @Test(
    arguments: [
      ("a(b", 3, "missing closing parenthesis"), ("a)", 1, "unmatched closing parenthesis"),
      ("*", 0, "quantifier does not follow a repeatable item"), ("[a", 2, "missing terminating ]"),
      ("(?<a>x)(?<a>y)", 12, "two named subpatterns have the same name"),
      ("(?<1a>x)", 3, "subpattern name must start with a non-digit"),
      (#"\C"#, 2, #"using \C is disabled"#), (#"\"#, 1, #"\ at end of pattern"#),
      (#"(?<=a+)b"#, 0, "lookbehind assertion is not fixed length"),
      (#"(?=a\K)b"#, 8, #"\K is not allowed"#), (#"\p{Nope}"#, 8, "unknown property"),
    ])
  func mistakesHaveAPlace(expression: String, offset: Int, message: String) {
    let failure = #expect(throws: Pattern.Failure.self) { try Pattern(expression) }
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    #expect(failure?.offset == offset)
  }

  @Test func longExpressionsAreRefused() throws {
    let longest = String(repeating: "a", count: Pattern.textLimit)
    #expect(try Pattern(longest).search(Array(longest.utf8)) != .notFound)
    let failure = #expect(throws: Pattern.Failure.self) { try Pattern(longest + "a") }
    #expect(failure?.message == "it is longer than 4096 bytes" && failure?.offset == 4096)
    // A short one can stand for very much.
    #expect(throws: Pattern.Failure.self) { try Pattern("((((x{999}){999}){999}){999})") }
    let deep = String(repeating: "(", count: 1000) + String(repeating: ")", count: 1000)
    #expect(throws: Pattern.Failure.self) { try Pattern(deep) }
  }

  @Test func textThatIsNoText() throws {
    let text: [UInt8] = [0xFF, 0x61, 0xC3, 0x62, 0, 0x63, 0xC3, 0xA4, 0xE2, 0x82]
    #expect(try groups("a", text) == [0: "a"])
    #expect(try groups("b.c", text) == [0: "b\0c"])
    #expect(try groups("ä", text) == [0: "ä"])
    // Each byte that belongs to no character is U+FFFD.
    #expect(try groups("a.b", text) == [0: "a\u{FFFD}b"])
    #expect(try groups("^.(.)", text) == [0: "\u{FFFD}a", 1: "a"])
    #expect(try groups("ä..$", text) == [0: "ä\u{FFFD}\u{FFFD}"])
    #expect(
      try Pattern("^(.)a").search(text)
        == .found([0: [0xEF, 0xBF, 0xBD, 97], 1: [0xEF, 0xBF, 0xBD]]))
    #expect(try groups(#"^\w"#, text) == nil)
  }

  @Test(
    arguments: [
      ([], ""), (Array("aä".utf8), "aä"), ([0x80, 0xBF], "\u{FFFD}\u{FFFD}"),
      ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"),
      ([0xF0, 0x9F, 0x92, 0x61], "\u{FFFD}\u{FFFD}\u{FFFD}a"),
      ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
    ] as [([UInt8], String)])
  func repaired(text: [UInt8], expected: String) {
    #expect(Pattern.repaired(text) == Array(expected.utf8))
  }

  @Test func aLongTextThatIsNoText() throws {
    let text = [UInt8](repeating: 0xFF, count: Pattern.subjectLimit + 1)
    let repaired = Pattern.repaired(text)
    #expect(repaired.count <= Pattern.subjectLimit && repaired.count % 3 == 0)
    #expect(try Pattern("^.").search(text) == .found([0: [0xEF, 0xBF, 0xBD]]))
    #expect(try Pattern("a").search(text) == .notFound)
  }

  @Test func zeroInTheExpression() throws {
    #expect(try groups("a\0b", Array("xa\0b".utf8)) == [0: "a\0b"])
  }

  @Test func onlyTheBeginningOfALongTextIsSearched() throws {
    let limit = Pattern.subjectLimit
    for place in [limit - 1, limit] {
      var text = [UInt8](repeating: UInt8(ascii: "a"), count: limit + 100)
      text[place] = UInt8(ascii: "b")
      #expect(try Pattern("b").search(text) == (place < limit ? .found([0: [98]]) : .notFound))
      // The text ends there.
      #expect(try Pattern("a$").search(text) == (place < limit ? .notFound : .found([0: [97]])))
    }
    // The limit may be within a character.
    let characters = [UInt8](repeating: UInt8(ascii: "a"), count: limit - 1) + Array("ä".utf8)
    #expect(try Pattern("ä").search(characters) == .notFound)
  }

  /// Texts and expressions with a search that would take from seconds to ages.
  @Test(
    arguments: [
      "(a+)+$", "(a|aa)+$", "(a*)*$", #"(\w+\s?)+$"#, "a.*[bc]", "a.*a.*[bc]", "a*[bc]",
      #"\w+\s"#, "a{1,60000}[bc]", "(?:a?){30}a{30}$", "(?>a+)[bc]", "(?=a+)b?[bc]",
      #"(a+)\1[bc]"#, "(a(?1)?)+[bc]", "a+?[bc]", "[^x]*[bc]",
    ])
  func expensiveSearchesAreGivenUp(expression: String) throws {
    let text = [UInt8](repeating: 97, count: Pattern.subjectLimit - 1) + [UInt8(ascii: "!")]
    #expect(try Pattern(expression).search(text) == .tooExpensive)
  }

  /// What one pass over the longest text can tell is not too expensive.
  @Test(arguments: ["-p 1$", "java.*-p (1)", #"^(\S*/)?java .*-p (\d)"#, "[p] [1-9]", "(?i)-P 1"])
  func longTextsCanBeSearched(expression: String) throws {
    let head = Array("/bin/java -x ".utf8)
    let tail = Array(" -p 1".utf8)
    let middle = [UInt8](
      repeating: UInt8(ascii: "y"), count: Pattern.subjectLimit - head.count - tail.count)
    #expect(try groups(expression, head + middle + tail) != nil)
  }

  @Test func searchesLeaveNothingBehind() throws {
    let pattern = try Pattern(#"-p (?<port>\d+)(x)?"#)
    let texts = ["postgres -p 5432", "nothing", "", "-p -p x"].map {
      Array($0.utf8)
    }
    func search(_ rounds: Int) throws {
      for round in 0..<rounds {
        _ = pattern.search(texts[round % texts.count])
        if round % 100 == 0 { _ = try Pattern("(?<a\(round)>x)|(y)") }
      }
    }
    try search(2000)
    // A search that left just its match data would make it 10 MB in each round; other tests take
    // memory meanwhile.
    let isClean = try (0..<5).contains { _ in
      let before = try residentKibibytes()
      try search(100_000)
      return try residentKibibytes() < before + 4096
    }
    #expect(isClean)
  }

  private func residentKibibytes() throws -> Int {
    let status = String(decoding: try contents("/proc/self/status"), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(Int(line.split { !$0.isNumber }.first ?? ""))
  }

  @Test func randomTexts() throws {
    let patterns = try ["(a|b)*c", #"\w+\s"#, #"(?<x>.)\1"#, "[^a]$", "ä?", #"\X\d"#].map {
      try Pattern($0)
    }
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<3000 {
      let text = random.bytes(round % 200)
      for pattern in patterns {
        if case .found(let groups) = pattern.search(text) {
          #expect(groups[0] != nil, "seed \(seed), round \(round)")
        }
      }
    }
  }
}
