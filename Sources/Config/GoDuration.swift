/// A duration as Go writes it: `1.5h`, `1m30s`, `-250ms`; `0` needs no unit.
///
/// - Source: `time.ParseDuration` of Go.
/// - Returns: Nil for what is none, and for one of more than 292 years.
func goDuration(_ text: String) -> Duration? {
  var rest = text.utf8[...]
  let isNegative = rest.first == UInt8(ascii: "-")
  if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
  if rest.elementsEqual("0".utf8) { return .zero }
  if rest.isEmpty { return nil }
  var total: UInt64 = 0
  while !rest.isEmpty {
    // Fractions of a nanosecond are dropped; beyond 18 digits nothing is left of them.
    var number: UInt64 = 0
    var scale: UInt64 = 1
    var digits = 0
    var hasPoint = false
    while let byte = rest.first {
      if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        digits += 1
        if !hasPoint || scale < 1_000_000_000_000_000 {
          let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
          let (sum, isTooLargeToo) = product.addingReportingOverflow(UInt64(byte - 48))
          if isTooLarge || isTooLargeToo { return nil }
          number = sum
          if hasPoint { scale *= 10 }
        }
      } else {
        break
      }
      rest = rest.dropFirst()
    }
    let name = rest.prefix { $0 != UInt8(ascii: ".") && !(48...57).contains($0) }
    guard digits > 0, let unit = goUnits.first(where: { name.elementsEqual($0.name.utf8) })
    else { return nil }
    rest = rest.dropFirst(name.count)
    let part = number.multipliedFullWidth(by: unit.nanoseconds)
    guard part.high < scale else { return nil }
    let (sum, isTooLarge) = total.addingReportingOverflow(scale.dividingFullWidth(part).quotient)
    if isTooLarge { return nil }
    total = sum
  }
  guard let nanoseconds = Int64(exactly: total) else { return nil }
  return .nanoseconds(isNegative ? -nanoseconds : nanoseconds)
}

private let goUnits: [(name: String, nanoseconds: UInt64)] = [
  ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
  ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
]
