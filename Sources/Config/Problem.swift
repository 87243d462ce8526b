/// A place in a configuration file; both numbers begin at 1, columns count characters.
package struct Position: Sendable, Hashable, Comparable {
  package let line: Int
  package let column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  package static func < (left: Position, right: Position) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// Where something stands among several files.
struct Place {
  /// The file's path, or the command line's argument.
  let source: String
  let position: Position

  /// As a message about a source names it: `line 7`, or with the file where that is another one.
  func seen(from source: String) -> String {
    source == self.source
      ? "line \(position.line)" : "\(self.source):\(position.line):\(position.column)"
  }
}

/// One thing that is wrong with the configuration: where, what, and what was expected.
package struct Problem: Sendable, Hashable, CustomStringConvertible {
  /// The file's path, or the command line's argument.
  package let source: String
  /// Nil where the problem is the source as a whole.
  package let position: Position?
  package let message: String

  /// `FILE:LINE:COLUMN: message` or `FILE: message`.
  package var description: String {
    guard let position else { return "\(source): \(message)" }
    return "\(source):\(position.line):\(position.column): \(message)"
  }
}

/// Everything that is wrong with a configuration, in the order of the files and their lines.
package struct ConfigError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The first problems, at most 20.
  package let problems: [Problem]
  /// How many problems there are, with those that are not shown.
  package let total: Int

  /// One line per problem.
  package var description: String {
    var lines = problems.map(\.description)
    if total > problems.count { lines.append("and \(total - problems.count) more") }
    return lines.joined(separator: "\n")
  }
}

/// The problems found so far.
struct Problems {
  /// What the next problems are about: a file's path, or an argument.
  var source: String {
    didSet { if ranks[source] == nil { ranks[source] = ranks.count } }
  }
  /// Whether the source has lines.
  let hasPositions: Bool
  private var kept: [Problem] = []
  private(set) var total = 0
  /// The places of the sources in the order they came up.
  private var ranks: [String: Int] = [:]

  init(source: String, hasPositions: Bool = true) {
    self.source = source
    self.hasPositions = hasPositions
  }

  mutating func add(_ position: Position?, _ message: String) {
    total += 1
    guard kept.count < Limits.keptProblems else { return }
    kept.append(
      Problem(source: source, position: hasPositions ? position : nil, message: message))
  }

  /// What is reported, in the order of the sources; nil when nothing is wrong.
  var error: ConfigError? {
    if total == 0 { return nil }
    let sorted = kept.enumerated().sorted { order($0) < order($1) }
    return ConfigError(
      problems: sorted.prefix(Limits.shownProblems).map(\.element), total: total)
  }

  private func order(_ problem: (offset: Int, element: Problem)) -> (Int, Position, Int) {
    (
      ranks[problem.element.source] ?? 0, problem.element.position ?? Position(line: 0, column: 0),
      problem.offset
    )
  }
}

/// The operator's text as a message repeats it: in quotes, on one line, not too long.
///
/// Characters that do not show or that steer a terminal are written as `\u{…}`.
func quoted(_ text: String) -> String {
  var result = "\""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    if index == Limits.excerptCharacters {
      result += "…"
      break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default:
      if scalar == "\"" || scalar == "\\" { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// Words as a sentence lists them: `a, b or c`.
func alternatives(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}
