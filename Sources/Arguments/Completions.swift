extension Program {
  /// A script that completes this program's command line.
  func script(for shell: CommonOptions.Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  private var names: [String] { commands.map { $0.name } + ["help"] }

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
          _\(name)_words '\(names.joined(separator: " "))'
          return
        fi
        case ${COMP_WORDS[1]} in
          help) _\(name)_words '\(commands.map { $0.name }.joined(separator: " "))' ;;

      """
    for command in others + [standard] {
      text += "    \(command.name == standard.name ? "*" : command.name))\n      case $prev in\n"
      let rows = shown(command)
      for row in rows where row.value != nil {
        let action =
          switch row.offer {
          case .nothing: ""
          case .files: "_\(name)_paths -f"
          case .directories: "_\(name)_paths -d"
          case .words(let words): "_\(name)_words '\(words.joined(separator: " "))'"
          }
        text += "        \(row.dashed.joined(separator: " | "))) \(action) ;;\n"
      }
      let names = rows.flatMap(\.dashed).joined(separator: " ")
      text += "        *) _\(name)_words '\(names)' ;;\n      esac\n      ;;\n"
    }
    return text + "  esac\n}\n\ncomplete -F _\(name) \(name)\n"
  }

  private var zsh: String {
    var text = "#compdef \(name)\n\n_\(name)() {\n  local -a commands=(\n"
    for command in commands { text += "    \(zshQuoted("\(command.name):\(command.about)"))\n" }
    text += """
        )
        if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
          _describe command commands
          return
        fi
        local command=\(standard.name)
        case $words[2] in
          \(names.joined(separator: "|")))
            command=$words[2]
            shift words
            ((CURRENT--))
            ;;
        esac
        case $command in
          help) _describe command commands ;;

      """
    for command in commands {
      text += "    \(command.name))\n      _arguments"
      for row in shown(command) {
        let action =
          switch row.offer {
          case .nothing: " "
          case .files: "_files"
          case .directories: "_files -/"
          case .words(let words): "(\(words.joined(separator: " ")))"
          }
        for name in row.dashed {
          let help = escaped(row.help, "[]\\")
          let value = row.value.map { ":\($0):\(action)" } ?? ""
          let spec =
            (row.isRepeatable ? "*" : "") + name + (row.value == nil ? "" : "=") + "[\(help)]"
            + value
          text += " \\\n        " + zshQuoted(spec)
        }
      }
      text += "\n      ;;\n"
    }
    return text + "  esac\n}\n\n_\(name) \"$@\"\n"
  }

  private var fish: String {
    let begin = "complete -c \(name)"
    var text = begin + " -f\n"
    for command in commands {
      text += "\(begin) -n __fish_use_subcommand -a \(command.name) -d \(quoted(command.about))\n"
    }
    let all = commands.map { $0.name }.joined(separator: " ")
    text += "\(begin) -n '__fish_seen_subcommand_from help' -a '\(all)'\n"
    for command in commands {
      let others = (self.others.map { $0.name } + ["help"]).joined(separator: " ")
      let condition =
        command.name == standard.name
        ? "not __fish_seen_subcommand_from \(others)"
        : "__fish_seen_subcommand_from \(command.name)"
      for row in shown(command) {
        let names = row.names.map { ($0.utf8.count == 1 ? " -s " : " -l ") + $0 }.joined()
        let value =
          switch row.offer {
          case .files: " -r -F"
          case .directories: " -x -a '(__fish_complete_directories)'"
          case .words(let words): " -x -a '\(words.joined(separator: " "))'"
          case .nothing: row.value == nil ? "" : " -x"
          }
        text += "\(begin) -n '\(condition)'\(names)\(value) -d \(quoted(row.help))\n"
      }
    }
    return text
  }

  /// As fish has it in single quotes.
  private func quoted(_ text: String) -> String { "'\(escaped(text, "'\\"))'" }

  /// As zsh has it in double quotes.
  private func zshQuoted(_ text: String) -> String { "\"\(escaped(text, "\"\\$`"))\"" }

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
