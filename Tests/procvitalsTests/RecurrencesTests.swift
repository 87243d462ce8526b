import Collector
import Linux
import Testing

@testable import procvitals

private func began(_ target: String = "a", _ reason: String = "late") -> Collector.Notice {
  .trouble(target: target, source: "exe", reason: reason, detail: "d")
}
private func ended(_ target: String = "a") -> Collector.Notice {
  .recovered(target: target, source: "exe", reason: "late")
}

@Suite struct RecurrencesTests {
  /// Whoever does not fit is told without a look at those who do.
  @Test(.timeLimit(.minutes(1))) func manyMoreTroublesCostLittle() {
    var recurrences = Recurrences()
    let start = Instant.now
    for number in 0..<Recurrences.limit {
      _ = recurrences.telling(began("t\(number)"), at: start + .seconds(number % 300))
    }
    for round in 0..<1_000_000 {
      if recurrences.telling(began("x"), at: start + .seconds(300)) != .asUsual {
        Issue.record("\(round)")
      }
    }
  }

  @Test func onlySoMuchIsToldOfOneCollection() {
    let start = Instant.now
    let ups = (0..<300).map { Collector.Notice.up(target: "u\($0)", pid: 1, processes: 1) }
    let changes = (0..<3000).map {
      Collector.Notice.changed(target: "c\($0)", processes: 2, started: 1, left: 0)
    }
    let troubles = (0..<400).map { began("t\($0)") }
    let desk = NewsDesk(.info)
    // What is not logged takes no place.
    var news = desk.news(changes + ups, at: start)
    #expect(news.notices.map(\.notice) == ups && news.omitted == 0)
    news = desk.news(changes + ups + troubles, at: start)
    #expect(news.notices.map(\.notice) == troubles + ups.prefix(News.limit - 400))
    #expect(news.notices.allSatisfy { $0.telling == .asUsual } && news.omitted == 200)
    // It is decided for all of them.
    news = desk.news(troubles, at: start)
    #expect(news.notices.count == 400 && news.omitted == 0)
    #expect(news.notices.allSatisfy { $0.telling == .forTheLastTime })
    #expect(desk.news(troubles, at: start).notices.isEmpty)
    news = NewsDesk(.debug).news(changes, at: start)
    #expect(news.notices.count == News.limit && news.omitted == 3000 - News.limit)
  }

  @Test func whatComesAndGoesIsToldTwice() {
    var recurrences = Recurrences()
    let start = Instant.now
    func telling(_ notice: Collector.Notice, _ seconds: Int) -> Recurrences.Telling {
      recurrences.telling(notice, at: start + .seconds(seconds))
    }
    #expect(telling(began(), 0) == .asUsual)
    #expect(telling(ended(), 1) == .asUsual)
    #expect(telling(began(), 2) == .forTheLastTime)
    for second in 3..<100 {
      #expect(telling(ended(), second) == .quietly)
      #expect(telling(began(), second) == .quietly)
    }
    // Others have nothing to do with it.
    #expect(telling(began("b"), 100) == .asUsual)
    #expect(telling(began("a", "denied"), 100) == .asUsual)
    #expect(telling(.up(target: "a", pid: 1, processes: 1), 100) == .asUsual)
    // Once the time is over it is news again.
    #expect(telling(ended(), 599) == .quietly)
    #expect(telling(began(), 600) == .asUsual)
    #expect(telling(ended(), 601) == .asUsual)
    #expect(telling(began(), 1199) == .forTheLastTime)
    #expect(telling(ended(), 1200) == .asUsual)
  }

  @Test func eachLevelOfAThresholdComesAndGoesByItself() {
    var recurrences = Recurrences()
    let start = Instant.now
    var before = Health.Status.ok
    func telling(_ now: Health.Status, _ second: Int) -> Recurrences.Telling {
      defer { before = now }
      let value = [Health.Status.ok: 0.0, .degraded: 2, .failing: 3][now]
      let finding = Threshold.Finding(
        name: "restarts", levels: .init(degraded: 1, failing: 2), value: value)
      #expect(finding.status == now)
      return recurrences.telling(
        .threshold(target: "a", finding, before: before), at: start + .seconds(second))
    }
    // Up and down again is told in full.
    for (second, status) in [Health.Status.degraded, .failing, .degraded, .ok].enumerated() {
      #expect(telling(status, second) == .asUsual)
    }
    #expect(telling(.degraded, 4) == .forTheLastTime)
    #expect(telling(.failing, 5) == .forTheLastTime)
    for second in 3..<50 {
      for status in [Health.Status.degraded, .ok, .failing, .degraded, .failing] {
        #expect(telling(status, 2 * second) == .quietly)
      }
    }
    #expect(telling(.ok, 601) == .asUsual)
    #expect(telling(.degraded, 602) == .asUsual)
  }

  @Test func manyTroublesAreToldAsUsual() {
    var recurrences = Recurrences()
    let start = Instant.now
    for round in 0..<2 {
      for number in 0..<3000 {
        let telling = recurrences.telling(began("t\(number)"), at: start)
        #expect(telling == (round == 1 && number < 1000 ? .forTheLastTime : .asUsual))
      }
    }
    // The forgotten ones make room.
    let later = start + Recurrences.quietTime
    #expect(recurrences.telling(began("x"), at: later) == .asUsual)
    #expect(recurrences.telling(began("x"), at: later) == .forTheLastTime)
  }
}
