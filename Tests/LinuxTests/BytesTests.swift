import Testing

@testable import Linux

@Suite struct BytesTests {
  @Test func everyOffset() {
    let text = Array("a:b::c:".utf8)
    let colon = UInt8(ascii: ":")
    let bytes = text.span
    let found = (0...text.count).map { bytes.firstIndex(of: colon, from: $0) }
    #expect(found == [1, 1, 3, 3, 4, 6, 6, nil])
    let last = (0...text.count).map { bytes.extracting(0..<$0).lastIndex(of: colon) }
    #expect(last == [nil, nil, 1, 1, 3, 4, 4, 6])
    let prefix = (0...text.count).map { bytes.hasPrefix(":c", at: $0) }
    #expect(prefix == [false, false, false, false, true, false, false, false])
    let long = (0...text.count).map { bytes.hasPrefix("a:b::c:d", at: $0) }
    #expect(!long.contains(true))
    let empty = (0...text.count + 1).map { bytes.hasPrefix("", at: $0) }
    #expect(empty == [Bool](repeating: true, count: text.count + 1) + [false])
  }

  @Test func nothingIsFoundInNothing() {
    let none: [UInt8] = []
    let bytes = none.span
    let indices = [bytes.firstIndex(of: 0), bytes.lastIndex(of: 0)]
    let prefixes = [bytes.hasPrefix("x"), bytes.hasPrefix("")]
    let text = bytes.lossyText
    #expect(indices == [nil, nil])
    #expect(prefixes == [false, true])
    #expect(text == "")
  }

  @Test func sameAsNaive() {
    withRandom { random, seed in
      for _ in 0..<2000 {
        let count = Int.random(in: 0...40, using: &random)
        let text = (0..<count).map { _ in UInt8.random(in: 97...99, using: &random) }
        let byte = UInt8.random(in: 97...100, using: &random)
        let start = Int.random(in: 0...count, using: &random)
        let bytes = text.span
        let first = bytes.firstIndex(of: byte, from: start)
        let last = bytes.lastIndex(of: byte)
        let begins = bytes.hasPrefix("ab", at: start)
        let row = Comment(rawValue: "\(byte) in \(text) from \(start), \(seed)")
        #expect(first == text[start...].firstIndex(of: byte), row)
        #expect(last == text.lastIndex(of: byte), row)
        #expect(begins == text[start...].starts(with: "ab".utf8), row)
      }
    }
  }

  @Test(
    arguments: [
      ([0x61, 0xc3, 0xa9], "aé"), ([0x61, 0xff, 0x62], "a\u{fffd}b"), ([0xc3], "\u{fffd}"),
      ([0x00], "\0"),
    ] as [([UInt8], String)])
  func lossyText(bytes: [UInt8], expected: String) {
    let text = bytes.span.lossyText
    #expect(text == expected)
  }
}
