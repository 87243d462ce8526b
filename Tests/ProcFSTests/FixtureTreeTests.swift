import TestSupport
import Testing

/// The helper that other tests stand on.
@Suite struct FixtureTreeTests {
  @Test func everyKindOfEntry() throws {
    let tree = try FixtureTree(
      text: """
        # A comment.
        @ 7/comm
        a\\\\b\\x20c
        # Another one.
        \\x40 d
        @ 7/cmdline
        sh\\0-c\\0\\
        @ 7/io 0000
        @ 7/exe -> /usr/bin/a b
        @ 7/task/
        @ 7/fd/ 0500

        """)
    #expect(tree.directoryModes == ["7/fd": 0o500])
    #expect(
      tree.entries == [
        "7/comm": .file(Array("a\\b c\n@ d\n".utf8), mode: 0o644),
        "7/cmdline": .file(Array("sh\0-c\0".utf8), mode: 0o644),
        "7/io": .file([], mode: 0), "7/exe": .link("/usr/bin/a b"), "7/task": .directory,
        "7/fd": .directory,
      ])
  }

  @Test(arguments: [
    "stray\n", "@\n", "@ /etc/x\n", "@ ../x\n", "@ a b c\n", "@ a 99\n", "@ a/ 99\n", "@ a\n\\q\n",
    "@ a\n\\x4\n",
  ])
  func mistakesAreErrors(text: String) {
    #expect(throws: FixtureTree.Failure.self) { try FixtureTree(text: text) }
  }

  @Test func unpacks() throws {
    let directory = try TemporaryDirectory()
    try FixtureTree(text: "@ 7/task/\n@ 7/fd/3 -> /dev/null\n@ 7/stat\nx\\\n")
      .unpack(into: directory.path)
    #expect(try contents("\(directory.path)/7/stat") == [UInt8(ascii: "x")])
    #expect(
      try run("cd \(directory.path) && find . | sort && readlink 7/fd/3").output == """
        .
        ./7
        ./7/fd
        ./7/fd/3
        ./7/stat
        ./7/task
        /dev/null

        """)
  }
}
