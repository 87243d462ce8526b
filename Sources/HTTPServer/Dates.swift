import Linux

/// The Date field's line, made anew once a second.
///
/// - Source: IMF-fixdate, RFC 9110, section 5.6.7.
struct DateLine {
  private var second = Int64.min
  private var line: [UInt8] = []

  /// The line for the current time, line end included.
  mutating func current() -> [UInt8] {
    let now = wallClockNanoseconds() / 1_000_000_000
    if now != second {
      second = now
      line = Array("Date: \(httpDate(secondsSince1970: now))\r\n".utf8)
    }
    return line
  }
}

/// A date as HTTP writes it, for example `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// - Parameter secondsSince1970: Unix time; years 0 to 9999 have the right shape.
/// - Returns: 29 characters.
package func httpDate(secondsSince1970: Int64) -> String {
  let date = UTCDate(secondsSince1970: secondsSince1970)
  let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  func padded(_ number: Int) -> String { UTCDate.padded(number) }
  return "\(weekdays[date.weekday]), \(padded(date.day)) \(months[date.month - 1]) "
    + "\(UTCDate.padded(date.year, to: 4)) "
    + "\(padded(date.hour)):\(padded(date.minute)):\(padded(date.second)) GMT"
}
