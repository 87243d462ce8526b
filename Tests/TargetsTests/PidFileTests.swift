import Foundation
import Testing

@testable import Linux
@testable import Targets

@Suite struct PidFileTests {
  @Test(arguments: [
    ("812", 812), ("812\n", 812), (" 812 \n", 812), ("\t1\r\n", 1), ("4194304", 4_194_304),
    ("007\n", 7), ("812\n/var/lib/postgresql\nlisten *\n", 812),
  ])
  func understands(text: String, pid: Int32) throws {
    #expect(try PidFile.parse(Array(text.utf8).span) == pid)
  }

  @Test(arguments: [
    ("", Trouble.Reason.empty), ("   ", .empty), ("\n", .malformed), ("\n812\n", .malformed),
    ("0", .malformed), ("-1", .malformed), ("+5", .malformed), ("12a", .malformed),
    ("a12", .malformed), ("12 34", .malformed), ("4194305", .malformed),
    ("99999999999999999999", .malformed), ("1.5", .malformed), ("0x10", .malformed),
    ("\u{0}812", .malformed), ("812\u{0}", .malformed),
  ])
  func refuses(text: String, reason: Trouble.Reason) {
    #expect {
      try PidFile.parse(Array(text.utf8).span)
    } throws: {
      ($0 as? PidFile.Failure)?.reason == reason
    }
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
    let cases: [(String, Trouble.Reason)] = [
      ("missing", .missing), ("huge", .tooLarge), ("fifo", .irregular), ("", .irregular),
      ("circle", .failed),
    ]
    for (name, reason) in cases {
      #expect("\(name)") {
        try PidFile.read(scratch.file(name))
      } throws: {
        ($0 as? PidFile.Failure)?.reason == reason
      }
    }
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
