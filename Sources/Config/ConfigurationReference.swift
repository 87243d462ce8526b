import Patterns
import Targets

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
      Regular expressions are those of PCRE2, at most \(Pattern.textLimit) bytes; expressions of Go \
      (RE2) mean the same, but for [a few](process-exporter.md#the-configuration).
      A duration is one or more numbers with units, the largest first: `1h30m`; the units are \
      `y`, `w`, `d`, `h`, `m`, `s` and `ms`.

      \(severalFiles)
      \(variables)
      \(thresholds)

      """
    for section in table.keys(of: "") {
      text += "## \(section.name)\n\n"
      if !section.isValue { text += "\(section.meaning)\n\n" }
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

  private static var severalFiles: String {
    """
    ## Several files

    After the configuration file the files of the directory `\(FileLoader.directoryName)` beside it \
    are read, in the order of the bytes of their names: with `/etc/procvitals/procvitals.yaml` \
    those are `/etc/procvitals/\(FileLoader.directoryName)/*.yaml` and `*.yml`.
    Hidden files, directories and names with other endings (`*.yaml~`, `*.yaml.dpkg-old`) are left \
    out; everything else that is no readable regular file is an error.
    All files have the same keys. Targets add up, in the order in which they are read; any other \
    setting may stand in one file only, and a name may belong to one target only.
    The default file may be missing where there is a `\(FileLoader.directoryName)`; one that \
    `--config.file` names may not.
    A file of process-exporter (`process_names`) can only be the configuration file itself: in \
    `\(FileLoader.directoryName)` it is an error, and beside it `\(FileLoader.directoryName)` is not \
    read.
    At most \(Limits.directoryFiles) files count, with \(Limits.totalBytes) bytes together.

    """
  }

  private static var variables: String {
    """
    ## Variables

    The name of a target, the values of its labels and the URLs of `go` may have variables, \
    `${NAME}`; a dollar sign is written `$$`.
    There is a target for each name with its labels, kept for `forget_after` once it has no processes.
    At most \(Limits.variables) may stand in one text. They are:

    | Variable | Stands for |
    |---|---|
    | `${comm}` | the process name |
    | `${exe}` | the executable's path |
    | `${argv0}`, `${argv0_base}` | the first word of the command line, as it is or without directories |
    | `${user}`, `${uid}` | the effective user's name, or number where it has none; the number |
    | `${pid}` | the process' number |
    | `${unit}` | the service or scope of the service manager |
    | `${cgroup}`, `${cgroups}` | the path of the control group; the paths of all, between brackets |
    | `${container}`, `${pod}` | the container's identifier or name; the pod's uid |
    | `${start_time}` | when the process started |
    | `${env.NAME}` | a variable of its environment that `allowed_environment` names |
    | any other | what the group of that name in `cmdline` caught |

    """
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
      if section.isValue {
        text += "\n" + comment(facts(section, table), before: "# ")
        text += "#\(section.name): \(section.initial ?? section.example)\n"
        continue
      }
      text += "\n" + comment(section.meaning, before: "# ")
      text += "#\(section.name):\n"
      var marker = if case .list = section.content { "  - " } else { "  " }
      let indentation = String(repeating: " ", count: marker.utf8.count)
      let keys = documented(table, below: section)
      for key in keys {
        let isInner = keys.contains { $0.path == key.parent }
        let place = isInner ? indentation + "  " : indentation
        text += comment(facts(key, table), before: "#\(place)# ")
        if !key.isValue, keys.contains(where: { $0.parent == key.path }) {
          text += "#\(place)\(key.name):\n"
        } else if key.isValue {
          // What stands instead of another key stays a comment.
          let start = key.otherwise?.hasPrefix("instead") == true ? place + "# " : place
          text += "#\(isInner ? start : marker)\(key.name): \(key.initial ?? key.example)\n"
          marker = indentation
        }
      }
      if section.name == "targets" {
        text += "#  # A second target, the one that `parent` above names.\n"
        text += "#  - name: sshd\n#    process_name: sshd\n"
      }
    }
    return text
  }

  /// The keys of a section, and those of its mappings that have keys of their own.
  private static func documented(_ table: KeyTable, below section: Key) -> [Key] {
    if section.isValue { return [section] }
    let keys = table.keys(of: section.path) + table.keys(of: section.path + "[]")
    let known = Set(keys.compactMap(\.destination))
    return keys.flatMap { key in
      let inner = table.keys(of: key.path)
      return [key] + inner.filter { $0.destination.map { !known.contains($0) } ?? false }
    }
  }

  /// What a value looks like; a mapping inside a section holds keys that have rows already.
  private static func type(_ key: Key, _ table: KeyTable) -> String {
    let keys = table.keys(of: key.path) + table.keys(of: key.path + "[]")
    return keys.isEmpty
      ? key.type
      : "\(key.type) of " + keys.map { "`\($0.name)`" }.joined(separator: ", ")
  }

  private static func facts(_ key: Key, _ table: KeyTable) -> String {
    let otherwise = key.otherwise.map { "; \($0)" } ?? ""
    let name = key.isValue ? "" : "\(key.name): "
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
