/// A small line chart of the last minutes, for a box of 600 by 100.
///
/// The line has gaps where nothing is known; it never falls to zero for that. Where there are more
/// moments than points, a point is the highest of its moments.
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
    let step = (frames.count + points - 1) / max(1, points)
    var pen = Pen()
    var (count, peak, before) = (0, -Double.infinity, start)
    frames.walk(id, place) { frame, value in
      if value.isNaN || frame.seconds - before > PageLimits.gapSeconds { pen.lift() }
      before = frame.seconds
      peak = value.isNaN ? peak : max(peak, Double(value))
      count += 1
      guard count % step == 0 || frame.seconds == end, peak > -.infinity else { return }
      if !value.isNaN {
        pen.move(
          to: Int(((frame.seconds - start) / Double(span) * Self.width).rounded()),
          Int((Self.height * (1 - peak / top)).rounded()))
      }
      peak = -.infinity
    }
    pen.lift()
    (line, area) = (pen.line, pen.area)
    drawMarks(id, frames, start, span)
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
    private(set) var line = ""
    private(set) var area = ""
    private var at: (x: Int, y: Int)?
    private var begin = 0

    mutating func move(to x: Int, _ y: Int) {
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
      at = (x, y)
    }

    mutating func lift() {
      if at != nil { area += "V100H\(begin)z" }
      at = nil
    }
  }
}
