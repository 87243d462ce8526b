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
  let (days, second) = secondsSince1970.quotientAndRemainder(flooringBy: 86_400)
  // Eras of 400 years that begin on 1 March, so that a leap day is the last day of a year.
  let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooringBy: 146_097)
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shiftedMonth = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
  let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

  let weekday = (days + 4).quotientAndRemainder(flooringBy: 7).remainder
  let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  let time = "\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))"
  return "\(weekdays[Int(weekday)]), \(padded(day)) \(months[Int(month - 1)]) "
    + "\(padded(year, to: 4)) \(time) GMT"
}

private func padded(_ number: Int64, to width: Int = 2) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

extension Int64 {
  fileprivate func quotientAndRemainder(flooringBy divisor: Int64) -> (
    quotient: Int64, remainder: Int64
  ) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
