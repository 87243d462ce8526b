import RequestChecks
import TestSupport
import Testing

@testable import HTTPServer

@Suite struct RequestParserTests {
  @Test(arguments: requestTable)
  func table(_ row: RequestCase) {
    #expect(outcome(of: row.bytes) == row.expected)
  }

  @Test(arguments: requestTable)
  func cutAnywhereTheResultIsTheSame(_ row: RequestCase) {
    let bytes = row.bytes
    // Long rows repeat one character; their ends are where it matters.
    let cuts = (0...bytes.count).filter { $0 < 100 || $0 > bytes.count - 100 || $0 % 97 == 0 }
    for cut in cuts { #expect(outcome(of: bytes, cutAt: [cut]) == row.expected, "cut at \(cut)") }
    #expect(outcome(of: bytes, cutAt: Array(0..<bytes.count)) == row.expected, "byte by byte")
  }

  @Test func cutAtRandomTheResultIsTheSame() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<3000 {
      guard let row = requestTable.randomElement(using: &random) else { return }
      let bytes = row.bytes
      let cuts = (0..<Int.random(in: 1...5, using: &random))
        .map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
      #expect(outcome(of: bytes, cutAt: cuts) == row.expected, "\(row.name) \(cuts), seed \(seed)")
    }
  }

  @Test func damagedBytesNeverTrapAndCutsNeverMatter() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<5000 {
      guard var bytes = requestTable.randomElement(using: &random)?.bytes else { return }
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert("\r\n: ;,0%/".utf8.randomElement(using: &random) ?? 0, at: place)
        default: bytes.removeSubrange(place...)
        }
      }
      let cut = Int.random(in: 0...bytes.count, using: &random)
      #expect(outcome(of: bytes) == outcome(of: bytes, cutAt: [cut]), "cut \(cut), seed \(seed)")
    }
  }

  @Test func fieldsAreFoundWhateverTheirCase() throws {
    let head =
      "GET /a HTTP/1.1\r\nhost: h:1\r\nAccept: x\r\nX:  1 \r\naccept:\ty\r\nE:\r\nB: \u{ff}\r\n\r\n"
    var parser = RequestParser()
    var position = 0
    let bytes = head.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    let event = parser.parse(bytes, &position, bytes.count, Limits())
    guard case .complete(let request) = event else {
      Issue.record("not complete")
      return
    }
    #expect(request.field("ACCEPT") == "x")
    #expect(request.fieldValues("Accept") == ["x", "y"])
    #expect(request.field("x") == "1")
    #expect(request.field("e") == "")
    #expect(request.field("b") == "\u{fffd}")
    #expect(request.field("missing") == nil)
    #expect(request.authority == "h:1")
    #expect(request.target == "/a")
    #expect(request.fields.map(\.name) == ["host", "Accept", "X", "accept", "E", "B"])
  }

  @Test func bodiesAreCheckedAndDroppedIfTheyAreNotWanted() {
    var limits = Limits()
    limits.keepsBodies = false
    let rows = requestTable.filter { $0.name.hasPrefix("H11") || $0.name.hasPrefix("H12") }
    for row in rows {
      let expected = row.expected.prefix { $0 != "[" }.trimmingSuffix { $0 == " " }
      #expect(outcome(of: row.bytes, limits).hasPrefix(expected), "\(row.name)")
      #expect(!outcome(of: row.bytes, limits).contains("["), "\(row.name)")
    }
  }

  @Test func aFinishedParserHoldsNothing() {
    var parser = RequestParser()
    var position = 0
    let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    #expect(parser.isEmpty)
    _ = parser.parse(bytes, &position, 3, Limits())
    #expect(!parser.isEmpty)
    _ = parser.parse(bytes, &position, bytes.count, Limits())
    #expect(position == bytes.count)
    #expect(parser.isEmpty)
    #expect(MemoryLayout<RequestParser>.size < 256)
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> Substring {
    var result = self
    while let last = result.last, isTrimmed(last) { result.removeLast() }
    return result
  }
}
