import Collector
import Targets
import Testing

@testable import Page

@Suite struct HistoryTests {
  @Test func ratesNeedTwoLooksAndNeverFallBelowZero() {
    var history = History()
    for (second, cpu) in [(0, 5.0), (2, 6), (4, 6), (6, nil), (8, 9), (10, 8), (12, 8.5)] {
      history.add(
        Sight(seconds: begin + Double(second), targets: [vitals("a", cpu: cpu)]))
    }
    #expect(history.column(1, Measure.cpu) == [nil, 0.5, 0, nil, nil, nil, 0.25])
    #expect(history.column(1, Measure.memory).count == 7)
    #expect(history.entries[0].now[Measure.cpu] == 0.25)
  }

  @Test func targetsKeepTheirNumbersWhileTheyAreThere() {
    var history = History()
    let looks: [[String]] = [["a", "b"], ["a", "b"], ["b"], ["a", "b", "c"]]
    for (index, names) in looks.enumerated() {
      history.add(Sight(seconds: begin + Double(index), targets: names.map { vitals($0) }))
    }
    #expect(history.entries.map(\.id) == [3, 2, 4])
    #expect(history.column(2, Measure.memory).map { $0 == nil } == [false, false, false, false])
    #expect(history.column(3, Measure.memory).map { $0 == nil } == [true, true, true, false])
    // Moments with the same targets share what says so.
    #expect(history.frames[0].roster === history.frames[1].roster)
    #expect(history.frames[1].roster !== history.frames[2].roster)
    // After everything is forgotten numbers are new ones.
    var next = History(after: history)
    next.add(Sight(seconds: begin, targets: [vitals("z")]))
    #expect(next.frames.count == 1 && next.entries.map(\.id) == [5])
  }

  @Test func momentsAreBounded() {
    var history = History()
    for index in 0..<2000 {
      history.add(Sight(seconds: begin + Double(index), targets: [vitals("a")]))
    }
    #expect(history.frames.count == PageLimits.frames)
    // Long ago is forgotten too.
    for index in 0..<3 {
      history.add(Sight(seconds: begin + 2500 + Double(index) * 300, targets: [vitals("a")]))
    }
    #expect(history.frames.map(\.seconds) == [2500, 2800, 3100].map { begin + $0 })
  }

  @Test func numbersAreBounded() {
    var history = History(numbers: 2000)
    let many = (0..<50).map { vitals("t\($0)") }
    for index in 0..<40 {
      history.add(Sight(seconds: begin + Double(index), targets: many))
    }
    #expect(history.frames.count == 2000 / (50 * History.width))
    #expect(history.frames.last?.seconds == begin + 39)
    // However many there are, the last moment stays.
    history.add(Sight(seconds: begin + 50, targets: (0..<500).map { vitals("c\($0)") }))
    #expect(history.frames.count == 1 && history.entries.count == 500)
  }

  @Test func aClockThatIsSetBackBeginsAnew() {
    var history = history([1, 2, 3])
    history.add(Sight(seconds: begin - 500, targets: [vitals("a", cpu: 99)]))
    #expect(history.frames.count == 1)
    #expect(history.entries[0].id == 1 && history.entries[0].now[Measure.cpu] == nil)
  }

  @Test(
    arguments: [
      // Seconds, processes and restarts at each look; the last word.
      ([(0, 1, 0)], "up"), ([(0, 0, 0)], "gone"),
      ([(0, 1, 0), (5, 0, 0)], "restarting"), ([(0, 1, 0), (5, 0, 0), (59, 0, 0)], "restarting"),
      ([(0, 1, 0), (5, 0, 0), (60, 0, 0)], "gone"), ([(0, 1, 0), (60, 0, 0)], "gone"),
      ([(0, 1, 0), (5, 0, 0), (9, 1, 1)], "up"),
      ([(0, 1, 7), (5, 1, 8), (9, 1, 9)], "up"),
      ([(0, 1, 7), (5, 1, 8), (9, 1, 9), (12, 1, 10)], "restarting"),
      ([(0, 1, 0), (5, 1, 3), (605, 1, 3)], "restarting"),
      ([(0, 1, 0), (5, 1, 3), (606, 1, 3)], "up"),
      ([(0, 1, 0), (5, 1, 2), (600, 1, 3), (606, 1, 3)], "up"),
      ([(0, 1, 0), (5, 1, UInt64.max), (6, 1, 2)], "restarting"),
      ([(0, 1, 3)], "up"),
    ] as [([(Double, Int, UInt64)], String)])
  func restarting(_ looks: [(Double, Int, UInt64)], _ word: String) {
    var history = History()
    for (seconds, processes, restarts) in looks {
      var target = vitals("a")
      (target.processes, target.restarts) = (processes, restarts)
      if processes == 0 { target.status = .failing }
      history.add(Sight(seconds: begin + seconds, targets: [target]))
    }
    #expect(history.entries[0].state.word == word)
    #expect((history.entries[0].state.sign == "●") == (word == "up"))
  }

  @Test func ambiguousIsWhatLimitsCutOff() {
    var target = vitals("a")
    target.status = .degraded
    target.troubles = [(Trouble(.process, .limit), "more than 2 processes")]
    func word() -> String { History.Entry(id: 1, vitals: target, now: []).state.word }
    #expect(word() == "incomplete")
    target.isAmbiguous = true
    #expect(word() == "ambiguous")
    target.troubles.append((Trouble(.file(.io), .denied), "process 7"))
    #expect(word() == "permission denied")
  }

  @Test func spansAndSince() {
    let history = history([1, 2, 3, 4, 5])
    #expect(history.frames(of: 4).count == 3)
    #expect(history.frames(of: 900, since: Int64(begin * 1000) + 4000).count == 2)
    #expect(history.frames(of: 900, since: .max).isEmpty)
    #expect(History().frames(of: 900).isEmpty)
    #expect(history.visibleSpan(300) == 60 && History().visibleSpan(300) == 300)
  }

  @Test func brokenTargetsComeFirstThenThoseThatUseMostCPU() {
    var history = History()
    for second in [0.0, 1] {
      var targets = ["idle", "busy", "down", "half"].map {
        vitals($0, cpu: $0 == "busy" ? second : 0)
      }
      targets[2].status = .failing
      targets[3].status = .degraded
      history.add(Sight(seconds: begin + second, targets: targets))
    }
    #expect(history.sorted.map(\.vitals.key.name) == ["down", "half", "busy", "idle"])
    #expect(history.status(around) == .failing)
    var broken = around
    broken.settings.error = "x"
    #expect(Page.History().status(broken) == .degraded && Page.History().status(around) == .ok)
  }

  @Test func theDeskForgetsWhenNobodyLooks() {
    let desk = PageDesk(around)
    let look = Look(.history, span: 900)
    func times(_ wishes: Set<Wish>, _ sight: Sight?) -> Int {
      let text = String(decoding: desk.answer(wishes, sight)[.look(look)] ?? [], as: UTF8.self)
      guard let list = text.split(separator: "\"times\":[").last?.prefix(while: { $0 != "]" })
      else { return 0 }
      return list.split(separator: ",").count
    }
    #expect(times([.look(look)], Sight(seconds: begin, targets: [vitals("a")])) == 1)
    #expect(times([.look(look)], Sight(seconds: begin + 1, targets: [vitals("a")])) == 2)
    // Whoever comes within a second sees what there is.
    #expect(times([.look(look)], nil) == 2)
    #expect(desk.answer([.nobodyLooks], nil).isEmpty)
    #expect(times([.look(look)], nil) == 0)
    #expect(desk.answer([.health], nil).isEmpty)
  }
}
