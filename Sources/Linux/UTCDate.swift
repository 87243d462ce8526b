/// A moment as calendar and clock show it in UTC.
package struct UTCDate: Sendable, Equatable {
  package let year: Int64
  /// 1 to 12.
  package let month: Int
  package let day: Int
  /// 0 is Sunday.
  package let weekday: Int
  package let hour: Int
  package let minute: Int
  package let second: Int

  /// Splits a Unix time, by the Gregorian calendar without leap seconds.
  package init(secondsSince1970: Int64) {
    let (days, time) = Self.divide(secondsSince1970, by: 86_400)
    hour = Int(time / 3600)
    minute = Int(time / 60 % 60)
    second = Int(time % 60)
    weekday = Int(Self.divide(days + 4, by: 7).remainder)
    // Eras of 400 years that begin on 1 March, so that a leap day is the last day of a year.
    let (era, dayOfEra) = Self.divide(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// A number in decimal digits, with zeroes in front up to the given width.
  package static func padded(_ number: some BinaryInteger, to width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  private static func divide(
    _ value: Int64, by divisor: Int64
  ) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
