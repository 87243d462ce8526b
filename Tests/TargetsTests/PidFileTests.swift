import Foundation
import Testing

@testable import Linux
@testable import Targets

@Suite struct PidFileTests {
  @Test(arguments: [
    ("812", 812), ("812\n", 812), (" 812 \n", 812), ("\t1\r\n", 1), ("4194304", 4_194_304),
    ("007\n", 7), ("812\n/var/lib/postgresql\nlisten *\n", 812),
    ("  812", 812), ("812\r\n\r\n", 812), ("00000000000000000812", 812),
  ])
  func understands(text: String, pid: Int32) throws {
    #expect(try PidFile.parse(Array(text.utf8).span) == pid)
  }

  @Test(arguments: [
    ("", Trouble.Reason.empty), ("   ", .empty), ("\n", .malformed), ("\n812\n", .malformed),
    ("0", .malformed), ("-1", .malformed), ("+5", .malformed), ("12a", .malformed),
    ("a12", .malformed), ("12 34", .malformed), ("4194305", .malformed),
    ("99999999999999999999", .malformed), ("1.5", .malformed), ("0x10", .malformed),
    ("\u{0}812", .malformed), ("812\u{0}", .malformed), ("1234 junk", .malformed),
    ("\u{FEFF}812\n", .malformed), ("\n\n812", .malformed), ("\r\n", .malformed),
    ("\u{7f}ELF\u{2}", .malformed), ("-1\n", .malformed), ("0\n", .malformed),
    ("pid: 812", .malformed), ("８１２", .malformed), ("812\r\r junk\n", .malformed),
    (" \t\r", .empty), (String(repeating: "\u{0}", count: 4096), .malformed),
  ])
  func refuses(text: String, reason: Trouble.Reason) {
    #expect {
      try PidFile.parse(Array(text.utf8).span)
    } throws: {
      ($0 as? PidFile.Failure)?.reason == reason
    }
  }

  @Test(arguments: [
    ("\n1", "an empty line"), ("\u{FEFF}1", "a byte order mark"), ("0\n", "\"0\""),
    ("4194305", "\"4194305\""), ("-5\n6", "\"-5\""), ("1234 junk\n", "\"1234 junk\""),
    (String(repeating: "x", count: 50), "\"\(String(repeating: "x", count: 40))\""),
  ])
  func saysHowItBegins(text: String, beginning: String) {
    #expect(
      throws: PidFile.Failure(
        reason: .malformed,
        detail: "begins with \(beginning); expected a number from 1 to 4194304")
    ) { try PidFile.parse(Array(text.utf8).span) }
  }

  @Test func neverTrapsOnAnyTwoBytes() {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        let pid = try? PidFile.parse([first, second].span)
        #expect(pid == nil || (1...99).contains(pid ?? 0))
      }
    }
  }

  @Test func readsAFileAndRemembersItsVersion() throws {
    let scratch = try Scratch()
    try scratch.write("pid", "4711\n")
    let first = try PidFile.read(scratch.file("pid"))
    #expect(first.pid == 4711)
    #expect(try PidFile.read(scratch.file("pid")) == first)
    try scratch.write("other", "4711\n")
    #expect(try PidFile.read(scratch.file("other")) != first)
  }

  @Test func saysWhyAFileCannotBeUsed() throws {
    let scratch = try Scratch()
    try scratch.write("huge", String(repeating: "1\n", count: 5000))
    #expect(mkfifo(scratch.file("fifo"), 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: scratch.file("circle"), withDestinationPath: scratch.file("circle"))
    try scratch.write("binary", "\u{0}\u{1}\u{2}")
    try scratch.write("file", "1\n")
    try scratch.write("sparse", "")
    #expect(truncate(scratch.file("sparse"), 1 << 40) == 0)
    // The longest path that a socket can have is short.
    let socketPath = "/tmp/" + uniqueName() + ".sock"
    let listener = try ListenSocket(.unix(path: socketPath))
    try FileManager.default.createSymbolicLink(
      atPath: scratch.file("socket"), withDestinationPath: socketPath)
    let cases: [(String, Trouble.Reason)] = [
      ("missing", .missing), ("huge", .tooLarge), ("fifo", .irregular), ("", .irregular),
      ("circle", .failed), ("binary", .malformed), ("sparse", .tooLarge), ("file/x", .failed),
      ("socket", .irregular), ("../../../../../../../../dev/null", .irregular),
      ("../../../../../../../../dev/zero", .irregular),
      ("../../../../../../../../proc/self/stat", .malformed),
      ("\(String(repeating: "x", count: 300))", .failed),
    ]
    for (name, reason) in cases {
      #expect("\(name)") {
        try PidFile.read(scratch.file(name))
      } throws: {
        ($0 as? PidFile.Failure)?.reason == reason
      }
    }
    _ = listener.address
  }

  @Test func followsLinks() throws {
    let scratch = try Scratch()
    try scratch.write("real", "12\n")
    try FileManager.default.createSymbolicLink(
      atPath: scratch.file("link"), withDestinationPath: scratch.file("real"))
    #expect(try PidFile.read(scratch.file("link")).pid == 12)
  }

  @Test func isWrittenOnlyByAProcessThatWasThere() throws {
    let scratch = try Scratch()
    try scratch.write("pid", "12\n")
    var file = try PidFile.read(scratch.file("pid"))
    let second: Int64 = 1_000_000_000
    file.version.modifiedNanoseconds = 1000 * second
    file.isInMemory = false
    #expect(file.canBeWritten(byProcessStartedAt: 500 * second, boot: 0))
    #expect(file.canBeWritten(byProcessStartedAt: 1001 * second, boot: 0))
    #expect(!file.canBeWritten(byProcessStartedAt: 1003 * second, boot: 0))
    // Left over from before the machine started.
    #expect(!file.canBeWritten(byProcessStartedAt: 2003 * second, boot: 2000 * second))
    // In memory, so the clock was set since.
    file.isInMemory = true
    #expect(file.canBeWritten(byProcessStartedAt: 2003 * second, boot: 2000 * second))
    #expect(!file.canBeWritten(byProcessStartedAt: 1003 * second, boot: 900 * second))
  }
}
