import Collector
import Targets
import Testing

@testable import Page

@Suite struct SparklineTests {
  private func line(
    _ sizes: [Double?], span: Int = 20, points: Int = 100, limit: Double? = nil
  ) -> Sparkline {
    Sparkline(
      1, Measure.memory, history(sizes).frames(of: span), span: span, points: points, limit: limit)
  }

  @Test func goldenLine() {
    let line = line([100, 200, 150, 150, 300, 50, 100, 100, 100, 100, 100])
    #expect(line.low == 50 && line.high == 300)
    #expect(
      line.line
        == "M0 70h0l60-31l60 16l60 0l60-46l60 76l60-15l60 0l60 0l60 0l60 0")
    #expect(
      line.area
        == "M0 70l60-31l60 16l60 0l60-46l60 76l60-15l60 0l60 0l60 0l60 0V100H0z")
    #expect(line.marks.isEmpty && line.limitHeight == nil)
  }

  @Test func absentIsAGapAndNeverZero() {
    let line = line([100, nil, nil, 100, 100, nil])
    #expect(line.line == "M300 9h0M480 9h0l60 0")
    #expect(line.area == "M300 9V100H300zM480 9l60 0V100H480z")
    #expect(self.line([nil, nil]).line.isEmpty && self.line([nil]).high == nil)
    #expect(self.line([]).line.isEmpty)
    // Zero itself is a line along the bottom.
    #expect(self.line([0, 0]).line == "M540 100h0l60 0")
  }

  @Test func timeWithoutALookIsAGap() {
    var history = history([100, 100])
    history.add(Sight(seconds: begin + 30, targets: [vitals("a", memory: 100)]))
    let line = Sparkline(
      1, Measure.memory, history.frames(of: 60), span: 60, points: 100, limit: nil)
    #expect(line.line == "M300 9h0l20 0M600 9h0")
  }

  @Test func pointsAreBoundedAndKeepPeaks() {
    let line = line([1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1], points: 3)
    #expect(line.line.count { $0 == "l" } == 2)
    // The highest of the first four.
    #expect(line.line.hasPrefix("M180 9h0"))
  }

  @Test(arguments: [(nil, nil), (1000, nil), (400, 5), (110, 5), (100, 9), (50, 55), (0, nil)])
  func limitsInSight(_ limit: Double?, _ height: Int?) {
    #expect(line([100, 100], limit: limit).limitHeight == height)
  }

  @Test func restartsAreMarked() {
    var history = History()
    for (index, restarts) in [0, 0, 1, 1, 3].enumerated() {
      var target = vitals("a", memory: 100)
      target.restarts = UInt64(restarts)
      history.add(Sight(seconds: begin + Double(index) * 2, targets: [target]))
    }
    let line = Sparkline(
      1, Measure.memory, history.frames(of: 20), span: 20, points: 100, limit: nil)
    #expect(line.marks == "M480 0v100M600 0v100")
  }
}
