import Linux

/// Numbers as people read them; machines get them in base units instead.
enum Quantity {
  /// A number with a fixed count of digits behind the point.
  static func decimal(_ number: Double, places: Int = 2) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let whole = Int64((abs(number) * scale).rounded())
    let digits = String(whole)
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = number < 0 && whole > 0 ? "-" : ""
    return places == 0
      ? sign + padded : "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
  }

  /// "512 B", "1.50 KiB", "12.00 MiB".
  static func bytes(_ count: UInt64) -> String {
    if count < 1024 { return "\(count) B" }
    var (value, unit) = (Double(count) / 1024, 0)
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while value >= 1024, unit + 1 < units.count { (value, unit) = (value / 1024, unit + 1) }
    return "\(decimal(value)) \(units[unit])"
  }

  /// "0 s", "850 ns", "12.30 µs", "4.56 ms", "7.00 s", "3m05s", "2h03m", "5d04h".
  static func duration(nanoseconds: UInt64) -> String {
    switch nanoseconds {
    case 0: return "0 s"
    case ..<1000: return "\(nanoseconds) ns"
    case ..<1_000_000: return "\(decimal(Double(nanoseconds) / 1e3)) µs"
    case ..<1_000_000_000: return "\(decimal(Double(nanoseconds) / 1e6)) ms"
    case ..<60_000_000_000: return "\(decimal(Double(nanoseconds) / 1e9)) s"
    default:
      let seconds = nanoseconds / 1_000_000_000
      let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60)
      if days > 0 { return "\(days)d\(two(hours))h" }
      if hours > 0 { return "\(hours)h\(two(minutes))m" }
      return "\(minutes)m\(two(seconds % 60))s"
    }
  }

  /// "2026-02-03 04:05:06 UTC".
  static func moment(_ nanosecondsSince1970: Int64) -> String {
    let date = UTCDate(secondsSince1970: nanosecondsSince1970 / 1_000_000_000)
    let days = [
      UTCDate.padded(date.year, to: 4), UTCDate.padded(date.month), UTCDate.padded(date.day),
    ]
    let clock = [date.hour, date.minute, date.second].map { UTCDate.padded($0) }
    return "\(days.joined(separator: "-")) \(clock.joined(separator: ":")) UTC"
  }

  /// "12.34 %".
  static func percent(_ share: Double) -> String { "\(decimal(share * 100)) %" }

  private static func two(_ number: UInt64) -> String { UTCDate.padded(number) }
}
