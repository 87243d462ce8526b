import Collector
import Targets
import TestSupport
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

  @Test func theFewestPointsStillShowBothEndsOfTheRange() {
    // Columns of eight moments and of three.
    let line = line([1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1], points: 3)
    #expect(line.line == "M0 90h0l420-81l60 81l120 0")
  }

  /// The points of a path, with absolute numbers; a list for each piece.
  private func points(_ path: String) -> [[(x: Int, y: Int)]] {
    path.split(separator: "M").map { piece in
      var points: [(x: Int, y: Int)] = []
      for part in piece.replacing("h0", with: "").split(separator: "l") {
        let numbers = part.replacing("-", with: " -").split(separator: " ").compactMap { Int($0) }
        let last = points.last ?? (0, 0)
        points.append((last.x + numbers[0], last.y + numbers[1]))
      }
      return points
    }
  }

  @Test(arguments: 1...200)
  func eachColumnShowsItsLeastAndItsMost(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let count = Int.random(in: 1...300, using: &random)
    let wanted = Int.random(in: 1...120, using: &random)
    var sizes: [Double?] = (0..<count).map { _ in .random(in: 0...1000, using: &random) }
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let start = Int.random(in: 0..<count, using: &random)
      for place in start..<min(count, start + Int.random(in: 1...20, using: &random)) {
        sizes[place] = nil
      }
    }
    // So that each moment has a place of its own.
    let line = line(sizes, span: 600, points: wanted)
    let drawn = points(line.line)
    let first = 600 - 2 * (count - 1)
    let high = line.high ?? 0
    let heights = sizes.map { size in
      size.map { Int((100 * (1 - Double(Float($0)) / max(high * 1.1, 1e-9))).rounded()) }
    }
    let step = Sparkline.step(count, wanted)
    for begin in stride(from: 0, to: count, by: step) {
      let column = begin..<min(count, begin + step)
      let known = column.compactMap { heights[$0] }
      let shown = drawn.joined().filter { column.contains(($0.x - first) / 2) }
      #expect(shown.map(\.y).min() == known.min() && shown.map(\.y).max() == known.max(), "\(seed)")
    }
    // A piece never crosses a gap, and there are no more points than that.
    let gaps = heights.split(separator: nil).count
    #expect(drawn.count == gaps, "\(seed)")
    #expect(drawn.joined().count <= wanted + 2 + 2 * gaps, "\(seed)")
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
