import Foundation
import RequestChecks
import TestSupport
import Testing

/// What fuzzing has found, as ordinary tests, and a short search of its own.
@Suite struct RequestCorpusTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fuzz/Requests")

  private static func files(_ name: String) throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appending(path: name), includingPropertiesForKeys: nil
    ).sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
  }

  @Test("No input of the corpus breaks a promise", arguments: ["corpus", "regression"])
  func replay(_ name: String) throws {
    let inputs = try Self.files(name)
    #expect(!inputs.isEmpty)
    for input in inputs { checkThatCutsDoNotMatter(input) }
  }

  @Test func mutationsOfTheCorpusBreakNoPromise() throws {
    let seed = UInt64.random(in: 0 ... .max)
    // Printed first: a broken promise is a trap.
    print("RequestCorpusTests: seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let inputs = try Self.files("corpus") + requestTable.map(\.bytes).filter { $0.count < 500 }
    for _ in 0..<5000 {
      guard let first = inputs.randomElement(using: &random),
        let second = inputs.randomElement(using: &random)
      else { return }
      let glued = Bool.random(using: &random) ? first + second : first
      checkThatCutsDoNotMatter(random.mutated(glued))
    }
  }

  @Test func twoRequestsThatFollowOneAnotherAreTwoRequests() {
    let rows = requestTable.filter { $0.bytes.count < 500 }
    let whole = rows.filter { row in
      !row.expected.hasSuffix("...") && Int(row.expected.suffix(3)) == nil
    }
    #expect(whole.count > 50)
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for first in whole {
      guard let second = rows.randomElement(using: &random) else { return }
      let bytes = first.bytes + second.bytes
      let expected = "\(first.expected); \(second.expected)"
      // Empty lines behind the one and before the other add up to too many.
      if first.input.hasSuffix("\r\n\r\n\r\n"), second.input.hasPrefix("\r\n") { continue }
      #expect(outcome(of: bytes) == expected, "\(first), \(second), seed \(seed)")
      #expect(outcome(of: bytes, cutAt: Array(0..<bytes.count)) == expected, "byte by byte")
      for _ in 0..<5 {
        let cuts = (0..<Int.random(in: 1...9, using: &random))
          .map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
        #expect(outcome(of: bytes, cutAt: cuts) == expected, "\(cuts), seed \(seed)")
      }
    }
  }
}
