import Testing

@testable import Config

@Suite struct YAMLTests {
  private func tree(_ text: String) throws -> Node {
    var problems = Problems(source: "f")
    let node = Node.parse(Array(text.utf8), &problems)
    #expect(problems.total == 0)
    return try #require(node)
  }

  /// The tree as text with the position of every key and value.
  private func dump(_ node: Node) -> String {
    let place = "@\(node.position.line):\(node.position.column)"
    switch node.content {
    case .scalar(let text, let style): return (style == .plain ? text : "'\(text)'") + place
    case .sequence(let nodes): return "[" + nodes.map(dump).joined(separator: " ") + "]" + place
    case .mapping(let entries):
      let inner = entries.map {
        "\($0.key)@\($0.position.line):\($0.position.column)=\(dump($0.value))"
      }
      return "{" + inner.joined(separator: " ") + "}" + place
    case .invalid: return "invalid" + place
    }
  }

  @Test(arguments: [
    ("a: 1", "{a@1:1=1@1:4}@1:1"),
    ("a:\n  b: \"x\"\n  c: 'y'\n", "{a@1:1={b@2:3='x'@2:6 c@3:3='y'@3:6}@2:3}@1:1"),
    ("- 1\n-   two words\n", "[1@1:3 two words@2:5]@1:1"),
    ("{a: [1, 2], b: {}}", "{a@1:2=[1@1:6 2@1:9]@1:5 b@1:13={}@1:16}@1:1"),
    ("a: |\n  x\n  y\n", "{a@1:1='x\ny\n'@1:4}@1:1"),
    ("# c\n\na:\n- b: 1\n  c: 2", "{a@3:1=[{b@4:3=1@4:6 c@5:3=2@5:6}@4:3]@4:1}@3:1"),
    ("é: ü", "{é@1:1=ü@1:4}@1:1"),
    ("\u{FEFF}a: 1\nb: 2", "{a@1:1=1@1:4 b@2:1=2@2:4}@1:1"),
    ("a: 1\r\nb: 2\r\n", "{a@1:1=1@1:4 b@2:1=2@2:4}@1:1"),
    ("%YAML 1.1\n---\na: 1\n...\n", "{a@3:1=1@3:4}@3:1"),
    ("", "{}@1:1"),
    ("# only a comment\n", "{}@1:1"),
    ("---\n", "{}@1:1"),
    ("null", "{}@1:1"),
    ("\n\n", "{}@1:1"),
  ])
  func positions(text: String, expected: String) throws {
    #expect(dump(try tree(text)) == expected)
  }

  static let wrong: [(String, [String])] = [
    ("a: *x", ["1:4: aliases are not supported: *x"]),
    ("a: &x 1", ["1:4: anchors are not supported: &x"]),
    ("a: !!str 1", ["1:4: tags are not supported: !!str"]),
    ("a: !secret 1", ["1:4: tags are not supported: !secret"]),
    ("a: ! 1", ["1:4: tags are not supported: !"]),
    ("a: !x!y 1", ["1:4: tags are not supported"]),
    (
      "a: &x [1]\nb: &y {}",
      [
        "1:4: anchors are not supported: &x", "2:4: anchors are not supported: &y",
      ]
    ),
    ("<<: {a: 1}", ["1:1: merge keys are not supported: <<"]),
    ("a: 1\nb: 2\na: 3", ["3:1: \"a\" is given twice in this mapping, first in line 1"]),
    (
      "a: {b: 1, b: 2, b: 3}",
      [
        "1:11: \"b\" is given twice in this mapping, first in line 1",
        "1:17: \"b\" is given twice in this mapping, first in line 1",
      ]
    ),
    ("[1]: 2", ["1:1: expected a text as key, found a list"]),
    ("? {a: 1}\n: 2", ["1:3: expected a text as key, found a mapping"]),
    ("a: 1\n---\nb: 2", ["2:1: a second document begins here; a configuration is one document"]),
    ("---\n---\n", ["2:1: a second document begins here; a configuration is one document"]),
    (
      "a:\n\tb: 1",
      [
        "2:1: this character cannot begin a value; indent with spaces, not tabs, and put quotes around"
          + " a value that begins with @, `, % or a tab"
      ]
    ),
    (
      "a: @x",
      [
        "1:4: this character cannot begin a value; indent with spaces, not tabs, and put quotes around"
          + " a value that begins with @, `, % or a tab"
      ]
    ),
    (
      "a: 'x\nb: 1\n", ["3:1: the quoted text that begins in line 1, column 4 has no closing quote"]
    ),
    (
      "a: \"x\n---\n", ["2:1: the quoted text that begins in line 1, column 4 has no closing quote"]
    ),
    (
      "a: [1, 2\nb: 1", ["2:2: expected \",\" or \"]\" in the list that begins in line 1, column 4"]
    ),
    ("a: {b: 1", ["2:1: expected \",\" or \"}\" in the mapping that begins in line 1, column 4"]),
    (
      "a: 1\nb\nc: 2",
      ["3:1: expected \":\" and a value after the key that begins in line 2, column 1"]
    ),
    (
      "a: 1\n  b: 2",
      [
        "2:4: \":\" is not expected here; check the indentation, or put quotes around a value that"
          + " contains \": \""
      ]
    ),
    (
      "a: b: c",
      [
        "1:5: \":\" is not expected here; check the indentation, or put quotes around a value that"
          + " contains \": \""
      ]
    ),
    (
      "  a: 1\n b: 2",
      [
        "2:2: expected the end of the file; check the indentation"
      ]
    ),
    (
      "- a\nb: 1",
      [
        "2:1: expected the next \"- \", in the column of the list that begins in line 1, column 1"
      ]
    ),
    ("a: - b", ["1:4: a list item is not expected here; begin the list on a new line"]),
    (
      "a: \"\\d\"",
      [
        "1:5: unknown escape in the double-quoted text that begins in line 1, column 4; write \\\\ for"
          + " a backslash or use single quotes"
      ]
    ),
    ("a: 1\u{7}\nb: 2", ["1:5: the control character U+0007 is not allowed"]),
    ("a: 1\nb: é\0", ["2:5: the control character U+0000 is not allowed"]),
    ("a: |\n\tx", ["2:1: indent with spaces, not with tabs"]),
    ("a:\n  - b\n\tc", ["3:1: indent with spaces, not with tabs"]),
    (
      "a: [1]]",
      ["1:7: expected the next key, in the column of the mapping that begins in line 1, column 1"]
    ),
    (
      "a:\n  b: 1\n c: 2",
      ["3:2: expected the next key, in the column of the mapping that begins in line 1, column 1"]
    ),
  ]

  @Test(arguments: wrong)
  func wrongText(text: String, expected: [String]) {
    var problems = Problems(source: "f")
    _ = Node.parse(Array(text.utf8), &problems)
    #expect(problems.error?.problems.map { String($0.description.dropFirst(2)) } == expected)
  }

  @Test(
    arguments: [
      ([0x61, 0x3A, 0x20, 0xFF], "1:4: not valid UTF-8: byte 0xFF"),
      ([0x61, 0x0A, 0xC3, 0x28], "2:2: not valid UTF-8: byte 0x28"),
      ([0x61, 0x3A, 0x20, 0xE2, 0x82], "1:4: not valid UTF-8"),
      ([0xFF, 0xFE, 0x61, 0x00], "1:1: not valid UTF-8: byte 0xFF"),
      ([0x61, 0x3A, 0x20, 0xED, 0xA0, 0x80], "1:4: not valid UTF-8"),
    ] as [([UInt8], String)])
  func wrongBytes(bytes: [UInt8], expected: String) {
    #expect(problems(bytes) == [expected])
  }

  @Test func nestingIsLimited() {
    let open = String(repeating: "[", count: Limits.nesting)
    let close = String(repeating: "]", count: Limits.nesting)
    var within = Problems(source: "f")
    #expect(Node.parse(Array((open + close).utf8), &within) != nil)
    #expect(within.total == 0)
    #expect(
      problems(String(repeating: "[", count: 100_000))
        == ["1:33: more than 32 lists and mappings inside each other"])
    #expect(
      problems(String(repeating: "- ", count: 100_000))
        == ["1:65: more than 32 lists and mappings inside each other"])
  }

  @Test func sizeIsLimited() {
    let largest = [UInt8](repeating: UInt8(ascii: "\n"), count: Limits.fileBytes)
    #expect(problems(largest) == [])
    #expect(problems(largest + [0x0A]) == ["the file is longer than 4194304 bytes"])
  }
}
