/// A small line chart of the last minutes, for a box of 600 by 100.
///
/// The line has gaps where nothing is known; it never falls to zero for that. Where there are more
/// moments than points, some moments are a column, at whose sides its lowest and its highest are
/// drawn in their order; what lies on each side of a gap is a column of its own.
struct Sparkline {
  static let width = 600.0
  static let height = 100.0

  /// Of all moments.
  private(set) var low, high: Double?
  /// The line as `d` of a path has it.
  private(set) var line = ""
  /// The same, closed along the bottom.
  private(set) var area = ""
  /// Where the target has restarted.
  private(set) var marks = ""
  /// The height of the limit; nil if it is too far away to be seen.
  private(set) var limitHeight: Int?

  /// Draws a figure of a target.
  ///
  /// - Parameters:
  ///   - id: The target.
  ///   - place: Which figure.
  ///   - frames: The moments.
  ///   - span: How long they take, in seconds, up to the last one.
  ///   - points: How many points the line may have.
  ///   - limit: What the figure may be at most.
  init(
    _ id: Int, _ place: Int, _ frames: ArraySlice<History.Frame>, span: Int, points: Int,
    limit: Double?
  ) {
    guard let end = frames.last?.seconds else { return }
    let start = end - Double(span)
    frames.walk(id, place) { _, value in
      if value.isNaN { return }
      low = min(low ?? .infinity, Double(value))
      high = max(high ?? 0, Double(value))
    }
    guard let high else { return }
    var top = max(high * 1.1, 1e-9)
    if let limit, limit > 0, limit <= 4 * high {
      top = max(top, limit * 1.05)
      limitHeight = Int((Self.height * (1 - limit / top)).rounded())
    }
    let step = Self.step(frames.count, points)
    var pen = Pen()
    var (count, before) = (0, start)
    frames.walk(id, place) { frame, value in
      if value.isNaN || frame.seconds - before > PageLimits.gapSeconds { pen.lift() }
      before = frame.seconds
      count += 1
      if !value.isNaN {
        pen.add(
          (
            Int(((frame.seconds - start) / Double(span) * Self.width).rounded()),
            Int((Self.height * (1 - Double(value) / top)).rounded())
          ))
      }
      if count % step == 0 { pen.endColumn() }
    }
    pen.lift()
    (line, area) = (pen.line, pen.area)
    drawMarks(id, frames, start, span)
  }

  /// How many moments are a column.
  static func step(_ moments: Int, _ points: Int) -> Int {
    moments <= points ? 1 : (2 * moments + points - 1) / max(1, points)
  }

  private mutating func drawMarks(
    _ id: Int, _ frames: ArraySlice<History.Frame>, _ start: Double, _ span: Int
  ) {
    var before = Float.nan
    var marks = ""
    frames.walk(id, Measure.all.count) { frame, restarts in
      if restarts > before {
        let x = Int(((frame.seconds - start) / Double(span) * Self.width).rounded())
        marks += "M\(x) 0v100"
      }
      before = restarts
    }
    self.marks = marks
  }

  /// Writes paths with relative steps, which are shortest.
  private struct Pen {
    typealias Point = (x: Int, y: Int)

    private(set) var line = ""
    private(set) var area = ""
    private var at: Point?
    private var begin = 0
    /// Of the column; down is more.
    private var lowest, highest: Point?
    private var (first, last) = (0, 0)

    mutating func add(_ point: Point) {
      if lowest == nil { first = point.x }
      last = point.x
      if point.y > lowest?.y ?? .min { lowest = point }
      if point.y <= highest?.y ?? .max { highest = point }
    }

    mutating func endColumn() {
      guard let lowest, let highest else { return }
      let isFalling = highest.x < lowest.x
      move(to: (first, (isFalling ? highest : lowest).y))
      if first < last || lowest.y > highest.y { move(to: (last, (isFalling ? lowest : highest).y)) }
      (self.lowest, self.highest) = (nil, nil)
    }

    mutating func lift() {
      endColumn()
      if at != nil { area += "V100H\(begin)z" }
      at = nil
    }

    private mutating func move(to point: Point) {
      let (x, y) = point
      if let at {
        // A sign separates as well as a blank does.
        let step = "l\(x - at.x)\(y < at.y ? "" : " ")\(y - at.y)"
        line += step
        area += step
      } else {
        line += "M\(x) \(y)h0"
        area += "M\(x) \(y)"
        begin = x
      }
      at = point
    }
  }
}
