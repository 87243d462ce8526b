import Glibc
import Testing

@testable import Linux

extension UTCDate: CustomTestStringConvertible {
  public var testDescription: String {
    "\(year)-\(month)-\(day) (\(weekday)) \(hour):\(minute):\(second)"
  }
}

@Suite struct UTCDateTests {
  @Test(arguments: [
    (0, "1970-1-1 (4) 0:0:0"), (-1, "1969-12-31 (3) 23:59:59"), (59, "1970-1-1 (4) 0:0:59"),
    (951_782_399, "2000-2-28 (1) 23:59:59"), (951_782_400, "2000-2-29 (2) 0:0:0"),
    (951_868_800, "2000-3-1 (3) 0:0:0"), (1_000_000_000, "2001-9-9 (0) 1:46:40"),
    (1_709_164_800, "2024-2-29 (4) 0:0:0"), (2_147_483_647, "2038-1-19 (2) 3:14:7"),
    (2_147_483_648, "2038-1-19 (2) 3:14:8"), (4_107_542_399, "2100-2-28 (0) 23:59:59"),
    (4_107_542_400, "2100-3-1 (1) 0:0:0"), (253_402_300_799, "9999-12-31 (5) 23:59:59"),
    (253_402_300_800, "10000-1-1 (6) 0:0:0"), (-2_203_891_201, "1900-2-28 (3) 23:59:59"),
    (-2_203_891_200, "1900-3-1 (4) 0:0:0"), (-62_135_596_800, "1-1-1 (1) 0:0:0"),
    (-62_135_596_801, "0-12-31 (0) 23:59:59"), (-62_167_219_201, "-1-12-31 (5) 23:59:59"),
  ])
  func knownDates(seconds: Int64, expected: String) {
    #expect(UTCDate(secondsSince1970: seconds).testDescription == expected)
  }

  /// Day by day, as a calendar on paper.
  @Test func everyDayOfACycle() {
    func length(_ year: Int64, _ month: Int) -> Int {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }
    var (year, month, day, weekday) = (Int64(1970), 1, 1, 4)
    for number in 0..<Int64(146_097 + 366) {
      let date = UTCDate(secondsSince1970: number * 86_400 + 86_399)
      let isSame =
        date.year == year && date.month == month && date.day == day && date.weekday == weekday
        && date.hour == 23 && date.minute == 59 && date.second == 59
      if !isSame {
        Issue.record("day \(number): \(date.testDescription), not \(year)-\(month)-\(day)")
        return
      }
      weekday = (weekday + 1) % 7
      day += 1
      if day > length(year, month) { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
  }

  @Test func sameAsTheCLibrary() {
    withRandom { random, seed in
      for _ in 0..<5000 {
        let limit = Int64(1) << Int64.random(in: 1...45, using: &random)
        var seconds = Int.random(in: Int(-limit)...Int(limit), using: &random)
        var expected = tm()
        gmtime_r(&seconds, &expected)
        let date = UTCDate(secondsSince1970: Int64(seconds))
        #expect(
          date.testDescription == """
            \(Int64(expected.tm_year) + 1900)-\(expected.tm_mon + 1)-\(expected.tm_mday) \
            (\(expected.tm_wday)) \(expected.tm_hour):\(expected.tm_min):\(expected.tm_sec)
            """, "\(seconds) \(seed)")
      }
    }
  }

  @Test func noMomentTraps() {
    for seconds in [Int64.min, .min + 1, .max - 1, .max] {
      #expect((1...12).contains(UTCDate(secondsSince1970: seconds).month))
    }
  }

  @Test(arguments: [(0, 2, "00"), (7, 2, "07"), (12, 2, "12"), (123, 2, "123"), (7, 0, "7")])
  func padding(number: Int, width: Int, expected: String) {
    #expect(UTCDate.padded(number, to: width) == expected)
  }
}
