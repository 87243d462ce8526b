/// Appends an unsigned number in decimal digits.
package func appendDecimal(_ value: UInt64, to bytes: inout [UInt8]) {
  var digits = InlineArray<20, UInt8>(repeating: 0)
  var rest = value
  var start = 20
  repeat {
    start -= 1
    digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
    rest /= 10
  } while rest > 0
  for index in start..<20 { bytes.append(digits[index]) }
}

/// Appends a number as Prometheus reads it back: the shortest digits that give the same value,
/// without a fraction where there is none, `+Inf`, `-Inf` and `NaN`.
///
/// - Parameters:
///   - value: The number.
///   - bytes: Where it goes.
///   - digits: Memory for digits, for a caller who writes many numbers.
package func appendNumber(_ value: Double, to bytes: inout [UInt8], digits: inout String) {
  // Beyond 2^53 not every integer is a Double, and digits would claim more than is known.
  if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 {
    if whole < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDecimal(whole.magnitude, to: &bytes)
  } else if value.isNaN {
    bytes.append(contentsOf: "NaN".utf8)
  } else if value.isInfinite {
    bytes.append(contentsOf: (value > 0 ? "+Inf" : "-Inf").utf8)
  } else {
    digits.removeAll(keepingCapacity: true)
    value.write(to: &digits)
    bytes.append(contentsOf: digits.utf8)
  }
}
