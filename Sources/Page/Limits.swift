/// Bounds of the page and of what is remembered for it.
package enum PageLimits {
  /// How far back anybody can look, in seconds.
  package static let historySeconds = 900.0
  /// The spans that the page offers, in seconds; the second one is usual.
  package static let spans = [60, 300, 900]
  /// Moments that are remembered.
  static let frames = 900
  /// Numbers that are remembered, of 4 bytes each; the oldest moments go first.
  static let numbers = 1_000_000
  /// Without a look for longer than that nobody has looked, and lines have a gap.
  static let gapSeconds = 15.0
  /// How long somebody may be away until everything is forgotten.
  package static let patience = Duration.seconds(600)
  /// Targets that are read at most every so often, however many look.
  package static let interval = Duration.seconds(1)

  /// A target that has lost its process is restarting for that long, in seconds.
  static let returnSeconds = 60.0
  /// One that has restarted that often within that time is restarting, too.
  static let restarts = 3
  static let restartSeconds = 600.0
  /// Of a certificate that expires sooner than that the page warns, in seconds.
  static let certificateWarning = 14.0 * 86_400

  /// Different looks that one collection serves, each of which is a text of its own.
  package static let looks = 16
  /// Targets on the page; of more, the first ones as they are sorted.
  static let targets = 1000
  /// More targets than that are a table.
  static let cards = 50
  /// Points of all lines of the page together, and of one line.
  static let points = 10_000
  static let pointsOfLine = 20...120
  /// Numbers in one answer of the history.
  static let historyNumbers = 60_000
  /// Characters of a name or message that are shown.
  static let characters = 300

  /// Different errors that are remembered.
  static let errors = 20
  /// Collections whose time is remembered.
  static let collections = 200
  /// Minutes whose scrapes are counted.
  static let minutes = 15
}
