/// The words of a command line, each as the row of a table that it belongs to.
///
/// - Shape: `--name=value`, `--name value` unless the value begins with a dash, `--flag`; what
///   follows `--` is no option, and neither is `-`.
struct SortedWords {
  /// Indices of rows with values, which are empty for flags, as they were given.
  private(set) var given: [(row: Int, value: String)] = []
  /// The first thing that is wrong.
  private(set) var problem: ArgumentError?

  private let rows: [Row]
  private let command: String

  /// Sorts words; the last two say which option, and which first word, was probably meant.
  init(
    _ words: ArraySlice<String>, by rows: [Row], command: String,
    nearestOption: (String) -> String?, nearestWord: (String) -> String?
  ) {
    (self.rows, self.command) = (rows, command)
    var rest = words
    var places = rows.indices.filter { rows[$0].isArgument }[...]
    var isAfterOptions = false
    while let word = rest.popFirst() {
      if isAfterOptions || !Self.isOption(word) {
        if let place = places.popFirst() {
          given.append((place, word))
        } else {
          let isFirst = rest.count == words.count - 1
          note(.unexpectedArgument(word, near: isFirst ? nearestWord(word) : nil))
        }
      } else if word == "--" {
        isAfterOptions = true
      } else {
        take(word, &rest, nearestOption)
      }
    }
    if let place = places.first { note(.missingArgument(rows[place].form, command: command)) }
  }

  private mutating func take(
    _ word: String, _ rest: inout ArraySlice<String>, _ nearest: (String) -> String?
  ) {
    let end = word.utf8.firstIndex(of: UInt8(ascii: "="))
    let name = String(word[..<(end ?? word.endIndex)])
    let value = end.map { String(word[$0...].utf8.dropFirst()) ?? "" }
    guard let index = rows.firstIndex(where: { $0.dashed.contains(name) }) else {
      let dashes = name.utf8.prefix { $0 == UInt8(ascii: "-") }.count
      let near = nearest(String(name.utf8.dropFirst(dashes)) ?? "").map { "--" + $0 }
      return note(.unknownOption(name, command: command, near: near))
    }
    switch (rows[index].value, value) {
    case (nil, nil): given.append((index, ""))
    case (nil, let value?): note(.needlessValue(option: name, value: value))
    case (_?, let value?): given.append((index, value))
    case (_?, nil):
      guard let next = rest.first, !Self.isOption(next) else {
        return note(.missingValue(option: name, expected: rows[index].expected))
      }
      rest.removeFirst()
      given.append((index, next))
    }
  }

  private mutating func note(_ problem: ArgumentError) { self.problem = self.problem ?? problem }

  private static func isOption(_ word: String) -> Bool {
    word.utf8.first == UInt8(ascii: "-") && word.utf8.count > 1
  }
}
