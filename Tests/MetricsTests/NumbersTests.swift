import Metrics
import TestSupport
import Testing

private func text(_ value: Double) -> String {
  var bytes: [UInt8] = []
  // What was written before must not show.
  var digits = "left over"
  appendNumber(value, to: &bytes, digits: &digits)
  return String(decoding: bytes, as: UTF8.self)
}

private func text(_ value: UInt64) -> String {
  var bytes = Array("x".utf8)
  appendDecimal(value, to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

@Suite struct NumbersTests {
  @Test(
    arguments: [
      (0, "x0"), (9, "x9"), (10, "x10"), (100, "x100"), (4_294_967_295, "x4294967295"),
      (4_294_967_296, "x4294967296"), (9_999_999_999_999_999_999, "x9999999999999999999"),
      (10_000_000_000_000_000_000, "x10000000000000000000"), (.max, "x18446744073709551615"),
    ] as [(UInt64, String)])
  func decimal(value: UInt64, expected: String) {
    #expect(text(value) == expected)
  }

  @Test(
    arguments: [
      (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.5, "0.5"), (-2.25, "-2.25"), (0.1, "0.1"),
      (1_700_000_000.25, "1700000000.25"), (1e15, "1000000000000000"),
      (9_007_199_254_740_991, "9007199254740991"), (-9_007_199_254_740_991, "-9007199254740991"),
      (9_007_199_254_740_992, "9007199254740992.0"), (1e16, "1e+16"), (1e300, "1e+300"),
      (-1e300, "-1e+300"), (1e-7, "1e-07"), (.leastNonzeroMagnitude, "5e-324"),
      (1 / 3, "0.3333333333333333"),
      (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.infinity, "+Inf"),
      (-.infinity, "-Inf"), (.nan, "NaN"), (-.nan, "NaN"), (.signalingNaN, "NaN"),
    ] as [(Double, String)])
  func number(value: Double, expected: String) {
    #expect(text(value) == expected)
  }

  @Test func everyNumberParsesBack() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      let bits = UInt64.random(in: 0 ... .max, using: &random)
      let whole = bits >> UInt64.random(in: 0..<64, using: &random)
      // Any bit pattern, whole numbers of any size, and times with a fraction.
      for value in [Double(bitPattern: bits), Double(whole), -Double(whole), Double(whole) / 1000] {
        let isSame = value.isNaN ? text(value) == "NaN" : Double(text(value)) == value
        #expect(isSame, "\(value), seed \(seed)")
      }
      #expect(text(whole) == "x\(whole)", "seed \(seed)")
    }
  }
}
