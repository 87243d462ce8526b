import Testing

@testable import Config

@Suite struct SuggestionTests {
  private static let keys = [
    "name", "pid", "pid_file", "process_name", "exe", "match", "children", "labels", "collect",
  ]

  @Test(
    arguments: [
      ("pidfile", "pid_file"), ("pid-file", "pid_file"), ("pidFile", "pid_file"),
      ("PID", "pid"), ("nmae", "name"), ("process_names", "process_name"), ("lables", "labels"),
      ("label", "labels"), ("child", nil), ("childs", nil), ("execu", nil), ("pod", "pid"),
      ("xyz", nil), ("", nil), ("collects", "collect"), ("namespace", nil),
    ] as [(String, String?)])
  func nearestKey(word: String, expected: String?) {
    #expect(suggestion(for: word, among: Self.keys) == expected)
  }

  @Test(arguments: [
    ("", "", 0), ("a", "", 1), ("", "ab", 2), ("ab", "ba", 1), ("kitten", "sitting", 3),
    ("abc", "abc", 0), ("ca", "abc", 3),
  ])
  func distance(left: String, right: String, expected: Int) {
    #expect(editDistance(Array(left.utf8), Array(right.utf8)) == expected)
    #expect(editDistance(Array(right.utf8), Array(left.utf8)) == expected)
  }

  @Test func longWordsAreNotCompared() {
    #expect(suggestion(for: String(repeating: "a", count: 100_000), among: Self.keys) == nil)
  }
}
