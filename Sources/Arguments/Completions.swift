extension Program {
  /// A script that completes this program's command line.
  func script(for shell: CommonOptions.Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  private var names: String { commands.map { $0.name }.joined(separator: " ") }
  private var otherNames: String { others.map { $0.name + " " }.joined() + "help" }

  private func shown(_ command: any Command.Type) -> [Row] {
    rows(of: command).filter { !$0.isHidden && !$0.isArgument }
  }

  private var bash: String {
    var text = """
      _\(name)_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

      _\(name)_paths() {
        compopt -o filenames 2> /dev/null
        mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
      }

      _\(name)() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
        COMPREPLY=()
        # In --option=value the sign is a word of its own.
        if [[ $cur == = ]]; then
          cur=
        elif [[ $prev == = ]]; then
          prev=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        if ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then
          _\(name)_words '\(names) help'
          return
        fi
        case ${COMP_WORDS[1]} in
          help) _\(name)_words '\(names)' ;;

      """
    for command in others + [standard] {
      let rows = shown(command)
      text += "    \(isStandard(command) ? "*" : command.name))\n      case $prev in\n"
      for row in rows where row.value != nil {
        let action = row.offer.script(
          files: "_\(name)_paths -f", directories: "_\(name)_paths -d",
          words: ("_\(name)_words '", "'"), nothing: "")
        text += "        \(row.dashed.joined(separator: " | "))) \(action) ;;\n"
      }
      let options = rows.flatMap(\.dashed).joined(separator: " ")
      text += "        *) _\(name)_words '\(options)' ;;\n      esac\n      ;;\n"
    }
    return text + "  esac\n}\n\ncomplete -F _\(name) \(name)\n"
  }

  private var zsh: String {
    let commands = commands.map { "\n    " + quoted("\($0.name):\($0.about)") }.joined()
    var text = """
      #compdef \(name)

      _\(name)() {
        local -a commands=(\(commands)
        )
        local command=\(standard.name)
        if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
          _describe command commands
          return
        fi
        if [[ " \(names) help " == *" $words[2] "* ]]; then
          command=$words[2]
          shift words
          ((CURRENT--))
        fi
        case $command in
          help) _describe command commands ;;

      """
    for command in self.commands {
      text += "    \(command.name))\n      _arguments"
      for row in shown(command) {
        let action = row.offer.script(
          files: "_files", directories: "_files -/", words: ("(", ")"), nothing: " ")
        let value = row.value.map { ":\($0):\(action)" } ?? ""
        for name in row.dashed {
          let form = (row.isRepeatable ? "*" : "") + name + (value.isEmpty ? "" : "=")
          text += " \\\n        " + quoted("\(form)[\(escaped(row.help, "[]\\"))]\(value)")
        }
      }
      text += "\n      ;;\n"
    }
    return text + "  esac\n}\n\n_\(name) \"$@\"\n"
  }

  private var fish: String {
    let begin = "complete -c \(name)"
    var text = "\(begin) -f\n\(begin) -n '__fish_seen_subcommand_from help' -a '\(names)'\n"
    for command in commands {
      text += "\(begin) -n __fish_use_subcommand -a \(command.name) -d '\(fish(command.about))'\n"
      let seen = "__fish_seen_subcommand_from "
      let when = isStandard(command) ? "not \(seen)\(otherNames)" : seen + command.name
      for row in shown(command) {
        let names = row.names.map { ($0.utf8.count == 1 ? " -s " : " -l ") + $0 }.joined()
        let value = row.offer.script(
          files: " -r -F", directories: " -x -a '(__fish_complete_directories)'",
          words: (" -x -a '", "'"), nothing: row.value == nil ? "" : " -x")
        text += "\(begin) -n '\(when)'\(names)\(value) -d '\(fish(row.help))'\n"
      }
    }
    return text
  }

  private func fish(_ text: String) -> String { escaped(text, "'\\") }

  /// A text in single quotes for zsh.
  private func quoted(_ text: String) -> String {
    "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
  }

  /// A text with a backslash before each of the characters.
  private func escaped(_ text: String, _ characters: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if characters.unicodeScalars.contains(scalar) { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result
  }
}

extension Offer {
  fileprivate func script(
    files: String, directories: String, words: (before: String, after: String), nothing: String
  ) -> String {
    switch self {
    case .nothing: nothing
    case .files: files
    case .directories: directories
    case .words(let all): words.before + all.joined(separator: " ") + words.after
    }
  }
}
