import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

/// Where a process has its program, and what is in its memory.
@Suite struct ProcessMemoryTests {
  private func held(_ maps: String, exe: String = "/opt/a b") throws -> Held {
    let tree = try TestProc().process(7).file("maps", maps)
    tree.remove("exe")
    return try Held(7, in: tree.add("exe", .link(exe)))
  }

  private func line(_ start: String, _ path: String) -> String {
    "\(start)-7fffffffffff r-xp 00000000 08:01 7                          \(path)\n"
  }

  @Test(arguments: ["/opt/a b", "/opt/a b (deleted)", "/opt/line\nfeed", "/opt/\u{e9}  x"])
  func baseIsTheLowestMappingOfTheProgram(path: String) throws {
    let written = path.replacing("\n", with: "\\012")
    let heap = (0..<500).map { line(String(0xc0_0000_0000 + $0 * 4096, radix: 16), "") }.joined()
    let held = try held(
      heap + line("550000001000", "/opt/a") + line("550000002000", written)
        + line("550000003000", written), exe: path)
    #expect(try held.handle.hold.programBase() == 0x5500_0000_2000)
  }

  @Test(arguments: ["", "garbage", "xyz-1 r-xp 0 0 0 /opt/a b\n", "1000-2000 r-xp /opt/a b\n"])
  func withoutAMappingThereIsNone(maps: String) throws {
    let held = try held(maps)
    #expect {
      _ = try held.handle.hold.programBase()
    } throws: {
      if case .malformed(.maps, _, _) = $0 as? ProcError { true } else { false }
    }
  }

  @Test func memoryIsReadWherePiecesAre() throws {
    let tree = try TestProc().process(7).file("mem", (0..<64).map { UInt8($0) })
    let held = try Held(7, in: tree)
    var pieces = MemoryPieces()
    pieces.add(8, words: 1)
    pieces.add(32, words: 2)
    var words: [UInt64] = []
    try held.handle.hold.readMemory(pieces, into: &words)
    #expect(words == [0x0f0e_0d0c_0b0a_0908, 0x2726_2524_2322_2120, 0x2f2e_2d2c_2b2a_2928])
    pieces.add(56, words: 2)
    #expect(throws: Errno.badAddress) { try held.handle.hold.readMemory(pieces, into: &words) }
    pieces.removeAll()
    pieces.add(.max - 7, words: 1)
    #expect(throws: Errno.badAddress) { try held.handle.hold.readMemory(pieces, into: &words) }
  }

  /// The own memory, by number and through the file.
  @Test func ownMemoryIsTheSameEitherWay() throws {
    let held = try Held(getpid(), in: "/proc")
    let base = try held.handle.hold.programBase()
    var pieces = MemoryPieces()
    pieces.add(base, words: 4)
    var (byNumber, byFile): ([UInt64], [UInt64]) = ([], [])
    try pieces.read(of: getpid(), into: &byNumber)
    try held.handle.hold.readMemory(pieces, into: &byFile)
    #expect(byNumber == byFile)
    #expect(byNumber[0] & 0xffff_ffff == 0x464c_457f)
  }

  @Test func anotherProgramIsNoneOfTheProcess() throws {
    let held = try Held(getpid(), in: "/proc")
    let own = try held.handle.programFacts()
    let other = try fileFacts("/proc/1/stat")
    #expect(throws: Never.self) { try held.handle.hold.proveProgram(own) }
    #expect(throws: ProcError.gone) { try held.handle.hold.proveProgram(other) }
    #expect(throws: ProcError.gone) { try held.handle.hold.program(other) { _ in } }
    let size = try held.handle.hold.program(own) { file throws(Errno) in try fileFacts(file).size }
    #expect(size == own.size)
  }
}
