extension Program {
  private static let width = 80
  /// Where descriptions begin.
  private static let column = 26

  /// The help of the program.
  var help: String {
    var lines = Self.wrapped("OVERVIEW: \(about)", from: 0)
    if !more.isEmpty { lines += [""] + Self.wrapped(more, from: 0) }
    lines += ["", "USAGE: \(name) [<command>] [<options>]"]
    lines += Self.section("options", CommonOptions.rows.filter { !$0.isHidden })
    lines += ["", "COMMANDS:"]
    for command in commands {
      let mark = isStandard(command) ? " (default)" : ""
      lines += Self.entry(command.name + mark, command.about)
    }
    lines += ["", "  See '\(name) help <command>' for its options."]
    return lines.joined(separator: "\n") + "\n"
  }

  /// The help of one command.
  func help(of command: any Command.Type) -> String {
    let rows = rows(of: command).filter { !$0.isHidden }
    let form = [
      "USAGE: \(name)", isStandard(command) ? "[\(command.name)]" : command.name, "[<options>]",
    ]
    let arguments = rows.filter(\.isArgument)
    var lines = Self.wrapped("OVERVIEW: \(command.about)", from: 0)
    lines += ["", (form + arguments.map(\.form)).joined(separator: " ")]
    var titles: [String] = []
    for row in rows where !row.isArgument && !row.section.isEmpty && !titles.contains(row.section) {
      titles.append(row.section)
    }
    lines += Self.section("arguments", arguments)
    for title in titles { lines += Self.section(title, rows.filter { $0.section == title }) }
    lines += Self.section("options", rows.filter { !$0.isArgument && $0.section.isEmpty })
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ title: String, _ rows: [Row]) -> [String] {
    if rows.isEmpty { return [] }
    return ["", title.uppercased() + ":"] + rows.flatMap { entry($0.form, $0.description) }
  }

  /// A name, and its description beside it, or below where the name is long.
  private static func entry(_ name: String, _ description: String) -> [String] {
    var lines = wrapped(description, from: column)
    let name = "  " + name
    let free = column - name.unicodeScalars.count
    if free < 2 || lines.isEmpty { return [name] + lines }
    lines[0] = name + String(lines[0].dropFirst(column - free))
    return lines
  }

  /// Lines of words, each behind as many blanks; a word that is too long has one of its own.
  private static func wrapped(_ text: String, from column: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      let length = line.unicodeScalars.count + 1 + word.unicodeScalars.count
      if !line.isEmpty, column + length > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    if !line.isEmpty { lines.append(line) }
    let blanks = String(repeating: " ", count: column)
    return lines.map { blanks + $0 }
  }

  /// The tables for programs: lines of fields with tabs between them.
  ///
  /// - Shape: `program name about more`; for each command `command name about`, then its rows,
  ///   `argument value help` or `option names value help words default`, where names and words
  ///   have blanks between them.
  var table: String {
    var lines = [["program", name, about, more]]
    for command in commands {
      lines.append(["command", command.name, command.about])
      for row in command.rows where !row.isHidden {
        lines.append(
          row.isArgument
            ? ["argument", row.value ?? "", row.help]
            : [
              "option", row.dashed.joined(separator: " "), row.value ?? "", row.help,
              row.offer.words.joined(separator: " "), row.initial ?? "",
            ])
      }
    }
    return lines.map { $0.joined(separator: "\t") + "\n" }.joined()
  }
}

extension Row {
  /// The help with what the table says of values.
  fileprivate var description: String {
    var facts: [String] = []
    let words = offer.words
    if !words.isEmpty, words != ["true", "false"] {
      facts.append("values: " + words.joined(separator: ", "))
    }
    if let initial { facts.append("default: " + initial) }
    return facts.isEmpty ? help : "\(help) (\(facts.joined(separator: "; ")))"
  }
}
