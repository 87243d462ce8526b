import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

@Suite struct CommandLineTests {
  @Test(
    arguments: [
      ("/bin/a\0-x\0y z\0", "/bin/a", "/bin/a -x y z"), ("a\0", "a", "a"), ("a", "a", "a"),
      ("", "", ""), ("\0", "", ""), ("\0\0\0", "", ""), ("\0a\0", "", " a"),
      ("a\0\0b\0", "a", "a  b"), ("a\0b\0\0\0", "a", "a b"),
      // setproctitle(3): no NUL, or a text and what is left of the old one.
      (
        "nginx: master process /usr/sbin/nginx", "nginx: master process /usr/sbin/nginx",
        "nginx: master process /usr/sbin/nginx"
      ),
      ("sshd: user [priv]\0\0\0\0", "sshd: user [priv]", "sshd: user [priv]"),
      ("a\nb\0\"c\0", "a\nb", "a\nb \"c"),
    ])
  func firstArgumentAndText(file: String, first: String, text: String) throws {
    let tree = try TestProc().process(7).file("cmdline", file)
    let line = try Held(7, in: tree).handle.hold.commandLine()
    #expect(line.bytes == Array(file.utf8))
    #expect(line.firstArgument == Array(first.utf8))
    #expect(line.text == Array(text.utf8))
    #expect(!line.isCut)
  }

  @Test func bytesThatAreNoTextStay() throws {
    let tree = try TestProc().process(7).file("cmdline", [0xFF, 0, 0xC0, 0x0A, 0])
    #expect(try Held(7, in: tree).handle.hold.commandLine().text == [0xFF, 0x20, 0xC0, 0x0A])
  }

  @Test(arguments: [4095, 4096, 4097, 65_535, 65_536, 65_537, 1 << 20])
  func longOnesAreCut(length: Int) throws {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: 97 + $0 % 26) }
    let tree = try TestProc().process(7).file("cmdline", bytes)
    let line = try Held(7, in: tree).handle.hold.commandLine()
    #expect(line.bytes == Array(bytes.prefix(CommandLine.limit)))
    #expect(line.isCut == (length > CommandLine.limit))
  }

  @Test func liveOnesAreAsTheyWereStarted() throws {
    let long = (0..<8).map { String(repeating: "\($0)", count: 100_000) }
    let cases: [([String], Bool)] = [([], false), (["", "a b", "", ""], false), (long, true)]
    for (arguments, isCut) in cases {
      let arguments = ["sh", "-c", "kill -STOP $$"] + arguments
      let child = try Child(arguments, input: nil)
      let held = try Held(child.pid, in: "/proc")
      var line = CommandLine([])
      // While a program is being started it has none yet.
      let hasOne = try eventually {
        line = try held.handle.hold.commandLine()
        return !line.bytes.isEmpty
      }
      #expect(hasOne)
      let all = Array(arguments.joined(separator: "\0").utf8) + [0]
      #expect(line.bytes == Array(all.prefix(CommandLine.limit)))
      #expect(line.isCut == isCut)
    }
  }

  @Test func whatHasEndedHasNone() throws {
    let child = try Child("sleep", "1000")
    let hold = try Held(child.pid, in: "/proc").handle.hold
    child.send(SIGKILL)
    child.waitForEnd()
    #expect(try hold.commandLine() == CommandLine([]))
    do {
      // Older kernels have an empty one.
      #expect(try hold.environment(["PATH"]).values.isEmpty)
    } catch {
      #expect(error == .gone)
    }
    child.reap()
    #expect(throws: ProcError.gone) { try hold.commandLine() }
    #expect(throws: ProcError.gone) { try hold.environment(["PATH"]) }
  }

  @Test(
    arguments: [
      ("A=1\0B=2\0", ["A": "1", "B": "2"]), ("A=1", ["A": "1"]), ("A=\0", ["A": ""]),
      ("A=1\0A=2\0", ["A": "1"]), ("AB=1\0", [:]), ("A\0=A\0", [:]), ("", [:]),
      (
        "\0\0A=x=y\0",
        ["A": "x=y"]
      ), ("a=1\0", [:]), (" A=1\0", [:]),
    ] as [(String, [String: String])])
  func variables(file: String, values: [String: String]) throws {
    let tree = try TestProc().process(7).file("environ", file)
    let found = try Held(7, in: tree).handle.hold.environment(["A", "B", "C"])
    #expect(found.values == values.mapValues { Array($0.utf8) })
    #expect(!found.isCut)
  }

  @Test func whatIsCutHasNoValue() throws {
    let head = Array("A=1\0B=".utf8)
    for length in Environment.limit - 1...Environment.limit + 2 {
      let bytes = head + [UInt8](repeating: 120, count: length - head.count - 1) + [0]
      let tree = try TestProc().process(7).file("environ", bytes)
      let found = try Held(7, in: tree).handle.hold.environment(["A", "B"])
      #expect(found.isCut == (length > Environment.limit))
      #expect(found.values["A"] == [UInt8(ascii: "1")])
      // Where just the NUL at the end is cut off, the value is whole.
      #expect((found.values["B"] == nil) == (length > Environment.limit + 1), "\(length)")
    }
  }

  @Test func liveVariables() throws {
    let child = try Child("env", "PV_TEST=a\nb", "PV_OTHER=", "sleep", "1000")
    let hold = try Held(child.pid, in: "/proc").handle.hold
    let isThere = try eventually {
      try hold.environment(["PV_TEST", "PV_OTHER", "PV_NONE"]).values
        == ["PV_TEST": Array("a\nb".utf8), "PV_OTHER": []]
    }
    #expect(isThere)
  }

  @Test(.enabled(if: isRoot, "needs root, to be somebody else"))
  func ofOthersOnlyTheCommandLine() throws {
    let child = try Child("sleep", "1000")
    let hold = try Held(child.pid, in: "/proc").handle.hold
    // For a moment of its start a program has no arguments yet.
    let isThere = try eventually { try hold.commandLine().firstArgument == Array("sleep".utf8) }
    #expect(isThere)
    try asNobody {
      let line = try hold.commandLine()
      #expect(line.firstArgument == Array("sleep".utf8))
      #expect(throws: ProcError.denied(.environ)) { try hold.environment(["PATH"]) }
    }
  }
}
