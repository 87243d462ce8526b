import Foundation
import TestSupport
import Testing

@testable import Gzip

@Suite struct CompressorTests {
  /// What Debian's gzip makes of a member.
  private func unpacked(_ member: [UInt8]) throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "procvitals-\(UUID().uuidString).gz")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(member).write(to: file)
    let (code, output) = try TalkingChild(["gzip", "-dc", file.path]).end()
    #expect(code == 0)
    return output
  }

  private func page(lines: Int) -> [UInt8] {
    Array((0..<lines).map { "process_cpu_seconds_total{target=\"t\($0)\"} \($0)\n" }.joined().utf8)
  }

  @Test(arguments: [0, 1, 7, 1023, 1024, 70_000])
  func unpacksToWhatItWas(bytes: Int) throws {
    let compressor = try #require(Compressor())
    let input = Array(page(lines: bytes / 30 + 1).prefix(bytes))
    #expect(try unpacked(compressor.gzip(input)) == input)
  }

  @Test func unpacksNoise() throws {
    let compressor = try #require(Compressor())
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    let noise = (0..<100_000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(state >> 56)
    }
    #expect(try unpacked(compressor.gzip(noise)) == noise)
  }

  @Test func membersDoNotDisturbOneAnother() throws {
    let compressor = try #require(Compressor())
    let (long, short) = (page(lines: 2000), page(lines: 3))
    let first = compressor.gzip(long)
    let second = compressor.gzip(short)
    #expect(try unpacked(first) == long)
    #expect(try unpacked(second) == short)
    #expect(compressor.gzip(long) == first)
  }

  @Test func isOneMemberMuchSmallerThanAPage() throws {
    let compressor = try #require(Compressor())
    let input = page(lines: 2000)
    let member = compressor.gzip(input)
    // RFC 1952, section 2.3: magic, deflate, no flags; the last four bytes are the length.
    #expect(member.prefix(4) == [0x1f, 0x8b, 8, 0])
    #expect(Compressor.isMember(member))
    #expect(!Compressor.isMember(input) && !Compressor.isMember([]))
    #expect(member.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) } == input.count)
    #expect(member.count * 5 < input.count)
  }

  @Test func usesItsMemoryAgain() throws {
    let compressor = try #require(Compressor())
    let input = page(lines: 2000)
    func place() -> Int {
      compressor.gzip(input).withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    }
    let first = place()
    #expect(place() == first)
  }
}
