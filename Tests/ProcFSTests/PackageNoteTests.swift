import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

@Suite struct PackageNoteTests {
  static let text =
    #"{"type":"deb","os":"Debian","more":{"version":"9","a":["version"]},"name":"systemd","#
    + #""version":"252.39-1~deb12u2","architecture":"amd64"}"#

  private func version(_ text: String) -> String? {
    PackageNote.version(json: Array(text.utf8).span)
  }

  @Test(
    arguments: [
      (text, "252.39-1~deb12u2"), (#"{"version":"1"}"#, "1"), (#" { "version" : "1 b" } "#, "1 b"),
      (#"{"name":"\"version\":","version":"2"}"#, "2"), (#"{"a":"version","version":"3"}"#, "3"),
      (#"{"Version":"1"}"#, nil), (#"{"version":1}"#, nil), (#"{"version":""}"#, nil),
      (#"{"version":"a\\nb"}"#, nil), (#"{"version":"é"}"#, nil), (#"{"version":"1"#, nil),
      (#"{"version""#, nil), (#"{"version":"#, nil), (#"{"version"#, nil), ("", nil), ("{}", nil),
      ("]]]]{\"version\":\"1\"}", nil), (#"{"x":{"version":"1"}}"#, nil), (#""version":"1""#, nil),
      (
        "{\"version\":\"" + String(repeating: "1", count: 127) + "\"}",
        String(repeating: "1", count: 127)
      ),
      ("{\"version\":\"" + String(repeating: "1", count: 128) + "\"}", nil),
    ] as [(String, String?)])
  func versions(text: String, version: String?) {
    #expect(self.version(text) == version)
  }

  /// A program's file as far as its notes are concerned.
  struct Program {
    var isWide = true
    var isBigEndian = false
    var alignment: UInt64 = 4
    var text = PackageNoteTests.text
    var owner = "FDO\0"
    var type: UInt64 = 0xcafe_1a7e

    func number(_ value: UInt64, _ count: Int) -> [UInt8] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
      return isBigEndian ? bytes.reversed() : bytes
    }

    private func note(_ owner: String, _ type: UInt64, _ text: [UInt8]) -> [UInt8] {
      let step = Int(alignment)
      func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (step - bytes.count % step) % step)
      }
      let head = number(UInt64(owner.utf8.count), 4) + number(UInt64(text.count), 4)
      return padded(padded(head + number(type, 4) + Array(owner.utf8)) + text)
    }

    var bytes: [UInt8] {
      let wide = isWide ? 8 : 4
      let headBytes = isWide ? 64 : 52
      let entryBytes = isWide ? 56 : 32
      var file = Array("\u{7F}ELF".utf8) + [isWide ? 2 : 1, isBigEndian ? 2 : 1, 1, 0]
      file += [UInt8](repeating: 0, count: 8) + number(2, 2) + number(62, 2) + number(1, 4)
      file += number(0, wide) + number(UInt64(headBytes), wide) + number(0, wide) + number(0, 4)
      file += number(UInt64(headBytes), 2) + number(UInt64(entryBytes), 2) + number(2, 2)
      file += [UInt8](repeating: 0, count: headBytes - file.count)
      let notes = note("GNU\0", 3, [1, 2, 3]) + note(owner, type, Array(text.utf8) + [0])
      let start = UInt64(headBytes + 2 * entryBytes)
      for kind in [1, 4] as [UInt64] {
        let length = UInt64(notes.count)
        var entry = number(kind, 4)
        if isWide {
          entry += number(4, 4) + number(start, 8) + number(0, 16) + number(length, 8)
          entry += number(length, 8) + number(alignment, 8)
        } else {
          entry += number(start, 4) + number(0, 8) + number(length, 4) + number(length, 4)
          entry += number(4, 4) + number(alignment, 4)
        }
        file += entry
      }
      return file + notes
    }
  }

  private func version(of bytes: [UInt8]) throws -> String? {
    let directory = try TemporaryDirectory()
    try writeFile(directory.path + "/program", bytes)
    return try PackageNote.version(of: try openFile(directory.path + "/program", .read))
  }

  @Test(arguments: [true, false], [true, false])
  func everyClassAndByteOrder(isWide: Bool, isBigEndian: Bool) throws {
    for alignment in [4, 8] as [UInt64] {
      let program = Program(isWide: isWide, isBigEndian: isBigEndian, alignment: alignment)
      #expect(try version(of: program.bytes) == "252.39-1~deb12u2")
    }
  }

  @Test func otherNotesSayNothing() throws {
    #expect(try version(of: Program(owner: "FDX\0").bytes) == nil)
    #expect(try version(of: Program(type: 1).bytes) == nil)
    #expect(try version(of: Array("#!/bin/sh\n".utf8)) == nil)
    #expect(try version(of: []) == nil)
  }

  @Test(arguments: [Program(), Program(isWide: false, isBigEndian: true)])
  func hostileFilesNeverTrap(program: Program) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let bytes = program.bytes
    let directory = try TemporaryDirectory()
    let path = directory.path + "/program"
    func check(_ bytes: [UInt8], _ comment: Comment) throws {
      try writeFile(path, bytes)
      let file = try openFile(path, .read)
      // Numbers that are no place in a file make the read fail.
      let version = (try? PackageNote.version(of: file)) ?? nil
      #expect(version.map { (1...127).contains($0.utf8.count) } ?? true, comment)
    }
    for length in 0..<bytes.count { try check(Array(bytes.prefix(length)), "length \(length)") }
    for index in 0..<(program.isWide ? 176 : 116) {
      for byte in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
        var changed = bytes
        changed[index] = byte
        try check(changed, "byte \(byte) at \(index)")
      }
    }
    for round in 0..<500 { try check(random.mutated(bytes), "seed \(seed), round \(round)") }
  }

  private static let busctl = program("busctl")
  private static let readelf = program("readelf")

  /// As another reader of the note says.
  @Test(.enabled(if: busctl != nil && readelf != nil, "busctl or readelf is not installed"))
  func installedProgram() throws {
    let path = try #require(Self.busctl)
    let (_, output) = try run("readelf -n '\(path)'")
    let version = try PackageNote.version(of: try openFile(path, .read))
    if output.contains("FDO_PACKAGING_METADATA") {
      #expect(output.contains("\"version\":\"\(version ?? "?")\""))
    } else {
      #expect(version == nil)
    }
  }

  @Test func versionIsThatOfTheProgramThatWasAskedFor() throws {
    let tree = try TestProc().process(7)
    let path = tree.path + "/program"
    try writeFile(path, Program().bytes)
    try tree.remove("exe").add("exe", .link(path))
    let held = try Held(7, in: tree)
    let facts = try held.handle.programFacts()
    #expect(held.handle.hold.programVersion(facts) == "252.39-1~deb12u2")
    try tree.remove("exe").add("exe", .link("/bin/sh"))
    #expect(held.handle.hold.programVersion(facts) == nil)
    #expect(held.handle.hold.programVersion(try held.handle.programFacts()) != nil)
  }
}
