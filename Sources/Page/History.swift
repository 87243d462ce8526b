import Collector
import Targets

/// The figures of the targets in the last minutes in which somebody looked.
///
/// A moment is one array of numbers; which target is where in it is said once for all moments that
/// have the same targets.
struct History {
  /// The targets of some moments by their numbers.
  final class Roster: Sendable {
    let ids: [Int]
    let places: [Int: Int]

    init(_ ids: [Int]) {
      self.ids = ids
      places = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    }
  }

  struct Frame {
    /// Since 1970.
    let seconds: Double
    let roster: Roster
    /// Of each target its figures and how often it has restarted; not a number is what is not known.
    let values: [Float]
  }

  /// A target as it was last.
  struct Entry {
    /// The same as long as the target is there.
    let id: Int
    let vitals: Vitals
    /// Whether it has just lost its process or loses it again and again, as far as somebody looked.
    var isRestarting = false
    /// By places in ``Measure/all``.
    let now: [Double?]
  }

  /// What is remembered of a target to see how fast it goes.
  private struct Track {
    let id: Int
    var seconds: Double
    var counters: [Double?]
    /// When it last had a process, in seconds since 1970.
    var alive: Double?
    /// When the last of its restarts were seen.
    var restarts: [Double] = []
    var restartCount: UInt64 = 0

    /// Takes note of how it is now.
    mutating func note(_ vitals: Vitals, after before: Track?) {
      alive = vitals.processes > 0 ? seconds : before?.alive
      restartCount = vitals.restarts
      guard let before else { return }
      let new = vitals.restarts > before.restartCount ? vitals.restarts - before.restartCount : 0
      let times = [Double](repeating: seconds, count: Int(min(new, UInt64(PageLimits.restarts))))
      restarts = (before.restarts + times).suffix(PageLimits.restarts)
    }

    func isRestarting(_ vitals: Vitals) -> Bool {
      if restarts.count == PageLimits.restarts, seconds - restarts[0] <= PageLimits.restartSeconds {
        return true
      }
      guard let alive else { return false }
      return vitals.processes == 0 && seconds - alive < PageLimits.returnSeconds
    }
  }

  static let width = Measure.all.count + 1

  private(set) var frames: [Frame] = []
  /// The targets at the last moment, in the order of the page of metrics.
  private(set) var entries: [Entry] = []
  private(set) var own: (usage: OwnUsage, cores: Double?)?
  private var tracks: [TargetKey: Track] = [:]
  private var nextID: Int
  private var size = 0
  private let limit: Int

  /// Remembers nothing.
  ///
  /// - Parameters:
  ///   - former: What was remembered before; no target gets a number that one had then.
  ///   - numbers: How many numbers are remembered.
  init(after former: History? = nil, numbers: Int = PageLimits.numbers) {
    nextID = former?.nextID ?? 1
    limit = numbers
  }

  /// Remembers what was seen.
  mutating func add(_ sight: Sight) {
    if let last = frames.last, sight.seconds <= last.seconds {
      // Somebody has set the clock.
      (frames, size, tracks) = (
        [], 0, tracks.mapValues { Track(id: $0.id, seconds: 0, counters: []) }
      )
    }
    var values: [Float] = []
    values.reserveCapacity(sight.targets.count * Self.width)
    var now: [TargetKey: Track] = [:]
    entries = sight.targets.map { vitals in
      let before = tracks[vitals.key]
      let counters = Measure.all.map { $0.isRate ? $0.read(vitals) : nil }
      var track = Track(id: before?.id ?? nextID, seconds: sight.seconds, counters: counters)
      track.note(vitals, after: before)
      if before == nil { nextID &+= 1 }
      now[vitals.key] = track
      let figures = Measure.all.indices.map { place in
        Measure.all[place].isRate
          ? Self.rate(before, track, place) : Measure.all[place].read(vitals)
      }
      for figure in figures { values.append(figure.map { Float($0) } ?? .nan) }
      values.append(Float(vitals.restarts))
      return Entry(
        id: track.id, vitals: vitals, isRestarting: track.isRestarting(vitals), now: figures)
    }
    tracks = now
    own = sight.own.map { usage in
      let elapsed = sight.seconds - (frames.last?.seconds ?? .infinity)
      let used = usage.cpuSeconds - (own?.usage.cpuSeconds ?? .infinity)
      return (usage, elapsed > 0 && used >= 0 ? used / elapsed : nil)
    }
    let ids = entries.map(\.id)
    var roster = frames.last?.roster
    if roster?.ids != ids { roster = Roster(ids) }
    guard let roster else { return }
    frames.append(Frame(seconds: sight.seconds, roster: roster, values: values))
    size += values.count
    forget(before: sight.seconds - PageLimits.historySeconds)
  }

  private static func rate(_ before: Track?, _ now: Track, _ place: Int) -> Double? {
    guard let before, place < before.counters.count, let old = before.counters[place],
      let new = now.counters[place], new >= old, now.seconds > before.seconds
    else { return nil }
    return (new - old) / (now.seconds - before.seconds)
  }

  private mutating func forget(before start: Double) {
    var first = 0
    while first + 1 < frames.count,
      frames[first].seconds < start || size > limit
        || frames.count - first > PageLimits.frames
    {
      size -= frames[first].values.count
      first += 1
    }
    frames.removeFirst(first)
  }

  /// How long before the last moment charts begin, in seconds: a span, but no longer than there is
  /// anything to be seen, and a minute at least.
  func visibleSpan(_ span: Int) -> Int {
    guard let first = frames.first, let last = frames.last else { return span }
    return min(span, max(PageLimits.spans[0], Int((last.seconds - first.seconds).rounded(.up))))
  }

  /// The moments of a span.
  ///
  /// - Parameters:
  ///   - seconds: How long before the last one they begin.
  ///   - since: Only those after that, in milliseconds since 1970.
  /// - Returns: Them in order.
  func frames(of seconds: Int, since: Int64? = nil) -> ArraySlice<Frame> {
    guard let last = frames.last else { return [] }
    let start = last.seconds - Double(seconds)
    let first = frames.firstIndex { frame in
      frame.seconds >= start && since.map { frame.milliseconds > $0 } ?? true
    }
    return frames[(first ?? frames.endIndex)...]
  }
}

extension History.Frame {
  var milliseconds: Int64 { Int64((seconds * 1000).rounded()) }
}

extension ArraySlice<History.Frame> {
  /// Calls `body` with a target's figure at each moment; not a number where it is not known.
  func walk(_ id: Int, _ place: Int, _ body: (History.Frame, Float) -> Void) {
    var (roster, at): (History.Roster?, Int?) = (nil, nil)
    for frame in self {
      if frame.roster !== roster { (roster, at) = (frame.roster, frame.roster.places[id]) }
      body(frame, at.map { frame.values[$0 * History.width + place] } ?? .nan)
    }
  }
}
