import Linux

/// Sections as lines of text, and as what a terminal is sent to show them in place of what it shows.
enum Screen {
  /// Where the texts begin.
  private static let indent = 24
  /// The least room for sections side by side.
  private static let columnWidth = 76

  /// Headings at the margin, and the lines of each section below its own.
  static func lines(_ sections: [InspectSection]) -> [String] {
    sections.flatMap { section in
      [section.heading]
        + section.lines.map { line in padded("  " + line.name, to: indent) + line.text }
    }
  }

  /// What replaces everything on a terminal; the cursor comes to stand below it.
  ///
  /// The cursor is shown again at the end, and lines wrap again: wherever the program is stopped,
  /// the terminal is as it was.
  static func frame(_ title: String, _ sections: [InspectSection], _ size: TerminalSize) -> String {
    let lines = [title] + arranged(sections, rows: size.rows - 2, columns: size.columns)
    // Hide the cursor, do not wrap, go home; clear what is behind each line and below the last one.
    return "\u{1b}[?25l\u{1b}[?7l\u{1b}[H"
      + lines.map { "\($0)\u{1b}[K\r\n" }.joined() + "\u{1b}[J\u{1b}[?7h\u{1b}[?25h"
  }

  /// At most so many lines, with sections side by side where they would be more.
  static func arranged(_ sections: [InspectSection], rows: Int, columns: Int) -> [String] {
    let all = lines(sections)
    if all.count <= rows || rows < 1 { return all }
    let count = max(1, columns / columnWidth)
    var places: [[String]] = [[]]
    for section in sections {
      let new = lines([section])
      let used = places[places.count - 1].count
      if used > 0, used + new.count > rows, places.count < count { places.append([]) }
      places[places.count - 1] += new
    }
    let hidden = places.reduce(0) { $0 + max(0, $1.count - rows) }
    var shown = (0..<min(rows, places.map(\.count).max() ?? 0)).map { row in
      places.map { place in
        cut(
          row < place.count ? place[row] : "", to: count > 1 ? columns / places.count - 1 : columns)
      }
      .enumerated().map { index, text in
        index + 1 < places.count ? padded(text, to: columns / places.count) : text
      }
      .joined()
    }
    if hidden > 0, !shown.isEmpty {
      shown[shown.count - 1] = "… \(hidden + 1) more lines: the window is too small"
    }
    return shown
  }

  private static func cut(_ text: String, to width: Int) -> String { String(text.prefix(width)) }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
