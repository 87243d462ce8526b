import TestSupport
import Testing

@testable import Collector

@Suite struct LedgerTests {
  struct Number: Cumulative {
    var value: UInt64
    init(_ value: UInt64) { self.value = value }
    static let zero = Number(0)
    static func + (left: Number, right: Number) -> Number { Number(left.value &+ right.value) }
    func continues(_ before: Number) -> Bool { value >= before.value }
  }

  typealias Sums = Ledger<String, Number>

  private func sum(
    _ ledger: inout Sums, _ now: KeyValuePairs<String, UInt64>, kept: [String] = []
  ) -> UInt64 {
    ledger.begin()
    for (key, value) in now { ledger.note(key, Number(value)) }
    for key in kept { ledger.keep(key) }
    ledger.finish()
    return ledger.sum.value
  }

  @Test func whatGoesStaysInTheSum() {
    var ledger = Sums()
    #expect(sum(&ledger, ["a": 5, "b": 3]) == 8)
    #expect(sum(&ledger, ["b": 4]) == 9)
    #expect(sum(&ledger, [:]) == 9)
    // Another thing by the name of one that is forgotten.
    #expect(sum(&ledger, ["a": 6]) == 15)
  }

  @Test func whatComesBackCountsOnce() {
    var ledger = Sums(memory: 2)
    #expect(sum(&ledger, ["a": 5]) == 5)
    #expect(sum(&ledger, [:]) == 5)
    #expect(sum(&ledger, ["a": 7]) == 7)
    #expect(sum(&ledger, ["b": 1]) == 8)
    // Fewer than it had: another thing.
    #expect(sum(&ledger, ["a": 6]) == 14)
  }

  @Test func tooManyToRememberAreForgotten() {
    var ledger = Sums(memory: 2)
    #expect(sum(&ledger, ["a": 1, "b": 1, "c": 1]) == 3)
    #expect(sum(&ledger, [:]) == 3)
    #expect(sum(&ledger, ["a": 1]) == 4)
  }

  @Test func whatCannotBeReadIsKept() {
    var ledger = Sums()
    #expect(sum(&ledger, ["a": 5]) == 5)
    #expect(sum(&ledger, [:], kept: ["a", "unknown"]) == 5)
    #expect(sum(&ledger, ["a": 6]) == 6)
  }

  @Test func fallingNumbersAreAnotherThing() {
    var ledger = Sums()
    #expect(sum(&ledger, ["a": 5]) == 5)
    #expect(sum(&ledger, ["a": 2]) == 7)
  }

  @Test(arguments: 0..<UInt64(20))
  func neverFallsAndIsExactForThingsWithNamesOfTheirOwn(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var ledger = Sums(memory: .random(in: 0...3, using: &random))
    var next = 0
    var live: [Int: UInt64] = [:]
    var used: UInt64 = 0
    var last: UInt64 = 0
    for _ in 0..<200 {
      for key in live.keys {
        if .random(using: &random) {
          live[key] = nil
        } else {
          let more = UInt64.random(in: 0...9, using: &random)
          live[key, default: 0] += more
          used += more
        }
      }
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let first = UInt64.random(in: 0...9, using: &random)
        live[next] = first
        used += first
        next += 1
      }
      ledger.begin()
      for (key, value) in live { ledger.note("\(key)", Number(value)) }
      ledger.finish()
      #expect(ledger.sum.value >= last)
      #expect(ledger.sum.value == used)
      last = ledger.sum.value
    }
  }
}
