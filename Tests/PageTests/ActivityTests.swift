import Testing

@testable import Page

@Suite struct ActivityTests {
  @Test func errorsAreCountedAndBounded() {
    var activity = Activity()
    for number in 0..<50 { activity.note("scrape", "error \(number % 25)", at: Double(number)) }
    #expect(activity.failures.count == PageLimits.errors)
    #expect(
      activity.failures[0]
        == .init(subject: "scrape", message: "error 24", count: 1, first: 49, last: 49))
    activity.note("scrape", "error 10", at: 60)
    activity.note("login", "error 10", at: 61)
    #expect(
      activity.failures[1]
        == .init(subject: "scrape", message: "error 10", count: 2, first: 35, last: 60))
    #expect(activity.failures[0].subject == "login" && activity.failures.count == PageLimits.errors)
  }

  @Test func scrapesOfMinutes() {
    var activity = Activity()
    #expect(activity.scrapesPerMinute(at: 0) == [Int](repeating: 0, count: 15))
    func scrape(at seconds: Double) {
      activity.note(
        .init(client: "", seconds: seconds, duration: 0, format: "", isCompressed: false, bytes: 0))
    }
    for second in [600, 615, 659, 660, 721] { scrape(at: Double(second)) }
    #expect(activity.scrapesPerMinute(at: 730).suffix(4) == [0, 3, 1, 1])
    #expect(activity.scrapesPerMinute(at: 800).suffix(4) == [3, 1, 1, 0])
    #expect(activity.scrapesPerMinute(at: 9000).allSatisfy { $0 == 0 })
    scrape(at: 9001)
    // A clock that is set back.
    #expect(activity.scrapesPerMinute(at: 10).allSatisfy { $0 == 0 })
  }

  @Test func quantilesOfTheLastCollections() {
    var activity = Activity()
    #expect(activity.quantiles == nil)
    for _ in 0..<500 { activity.note(collection: 9) }
    for number in 1...PageLimits.collections { activity.note(collection: Double(number)) }
    #expect(activity.quantiles?.half == 100 && activity.quantiles?.most == 198)
  }

  @Test(
    arguments: [
      (0, "0"), (0.004, "0.004"), (0.0996, "0.10"), (0.5, "0.50"), (9.994, "9.99"), (9.996, "10.0"),
      (42.25, "42.3"),
      (99.96, "100"), (12345.6, "12346"), (.infinity, "–"), (.nan, "–"),
    ] as [(Double, String)])
  func digits(_ number: Double, _ words: String) { #expect(Words.digits(number) == words) }

  @Test func quantities() {
    #expect(
      ["0 B", "999 B", "0.98 KiB", "1.50 MiB", "8192 PiB"]
        == [0, 999, 1000, 1.5 * 1048576, 8192 * 1125899906842624].map(Words.bytes))
    #expect(
      ["7", "9999", "10.0 k", "1.00 M", "2.50"] == [7, 9999, 10_000, 1e6, 2.5].map(Words.count))
    #expect(["18.0 ms", "1.00 s", "1 min 1 s"] == [0.018, 1, 61].map(Words.seconds))
    #expect(["0 s", "2 h 3 min", "3 d 4 h"] == [-1, 7380, 273_600].map(Words.age))
    #expect(["0 %", "< 1 %", "1 %", "85 %"] == [0, 0.001, 0.012, 0.85].map(Words.percent))
    #expect(Words.range("1.0 MiB", "2.0 MiB", " – ") == "1.0 – 2.0 MiB")
    #expect(Words.range("900 KiB", "2.0 MiB", " – ") == "900 KiB – 2.0 MiB")
    #expect(Words.range("3", "3", " – ") == "3" && Words.range("3", "4", " – ") == "3 – 4")
  }
}
