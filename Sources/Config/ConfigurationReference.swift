/// What operators read about the settings, made from ``KeyTable``.
package enum ConfigurationReference {
  /// The text of `docs/configuration.md`.
  package static var markdown: String {
    let table = KeyTable()
    var text = """
      # Configuration

      <!-- Made from Sources/Config/Keys.swift; `make golden` writes it anew. -->

      The configuration file is YAML in UTF-8: one document of at most \(Limits.fileBytes) bytes, \
      without anchors, aliases, merge keys and tags.
      Unknown keys, keys that are given twice, values of the wrong type and values out of range are \
      errors; `procvitals check` reports each with file, line and column.
      Text may stand with or without quotes; numbers and booleans stand without.
      An empty file means the defaults.

      In globs `*` stands for any run of bytes, `/` included, and `?` for one byte.


      """
    for section in table.keys(of: "") {
      text += "## \(section.name)\n\n"
      if case .value = section.content {} else { text += "\(section.meaning)\n\n" }
      text += "| Key | Type | Default | Meaning | Example |\n|---|---|---|---|---|\n"
      for key in documented(table, below: section) {
        let cells = [
          "`\(key.path)`", type(key, table), key.initial ?? key.otherwise ?? "–", key.meaning,
          key.example.isEmpty ? "" : "`\(key.example)`",
        ]
        text += "| " + cells.map(escaped).joined(separator: " | ") + " |\n"
      }
      text += "\n"
    }
    text += """
      ## Targets on the command line

      `--target=NAME=KIND:VALUE` adds a target, and may be repeated:


      """
    text += "| KIND:VALUE | Key |\n|---|---|\n"
    for key in table.keys(of: "targets[]") {
      if let argument = key.argument { text += "| `\(argument)` | `\(key.path)` |\n" }
    }
    return text
  }

  /// The text of `config/procvitals.yaml`: every setting, commented out.
  ///
  /// Without the `#` at the beginning of the lines that hold keys it is a valid file.
  package static var example: String {
    let table = KeyTable()
    var text = """
      # Configuration of procvitals. Without targets, the daemon watches itself.
      #
      # Every key is shown with its default or an example, commented out. To set one, remove the # at
      # the beginning of its line and of the lines of the keys it stands under.
      # `procvitals check` says whether the file is right.

      """
    for section in table.keys(of: "") {
      text += "\n"
      if case .value = section.content {
        text += comment(facts(section, table), before: "# ")
        text += "#\(section.name): \(section.initial ?? section.example)\n"
        continue
      }
      text += comment(section.meaning, before: "# ")
      text += "#\(section.name):\n"
      var marker = if case .list = section.content { "  - " } else { "  " }
      let indentation = String(repeating: " ", count: marker.utf8.count)
      for key in documented(table, below: section) {
        text += comment(facts(key, table), before: "#\(indentation)# ")
        if case .value = key.content {
          text += "#\(marker)\(key.name): \(key.initial ?? key.example)\n"
          marker = indentation
        }
      }
    }
    return text
  }

  private static func documented(_ table: KeyTable, below section: Key) -> [Key] {
    if case .value = section.content { return [section] }
    return table.keys(of: section.path) + table.keys(of: section.path + "[]")
  }

  /// What a value looks like; a mapping inside a section holds keys that have rows already.
  private static func type(_ key: Key, _ table: KeyTable) -> String {
    guard case .mapping = key.content else { return key.type }
    return "mapping of " + table.keys(of: key.path).map { "`\($0.name)`" }.joined(separator: ", ")
  }

  private static func facts(_ key: Key, _ table: KeyTable) -> String {
    let otherwise = key.otherwise.map { "; \($0)" } ?? ""
    var name = ""
    if case .mapping = key.content { name = "\(key.name): " }
    return "\(name)\(key.meaning) (\(type(key, table))\(otherwise))".filter { $0 != "`" }
  }

  /// Text as comment lines of at most 100 columns.
  private static func comment(_ text: String, before: String) -> String {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + word.count < 100 {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(before + word)
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// A cell of a Markdown table.
  private static func escaped(_ text: String) -> String {
    String(text.flatMap { $0 == "|" ? ["\\", "|"] : [$0] })
  }
}
