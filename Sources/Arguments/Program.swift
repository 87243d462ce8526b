/// What a program can be asked to do, with the options that this takes.
package protocol Command: Options {
  static var name: String { get }
  /// One sentence.
  static var about: String { get }
  func run() throws
}

/// A program's commands; understands its command line.
package struct Program {
  /// What a command line asks for.
  package enum Request {
    case run(any Command)
    /// Help, version or a script, with the ends of its lines.
    case print(String)
  }

  let name: String
  /// One sentence.
  let about: String
  /// Further sentences; may be empty.
  let more: String
  /// What `--version` prints.
  let version: String
  /// The one for a command line that names none, and the others.
  let standard: any Command.Type
  let others: [any Command.Type]
  /// The word that was probably meant, among those known.
  let nearest: (_ word: String, _ known: [String]) -> String?

  package init(
    _ name: String, about: String, more: String = "", version: String,
    standard: any Command.Type, others: [any Command.Type],
    nearest: @escaping (_ word: String, _ known: [String]) -> String?
  ) {
    self.name = name
    self.about = about
    self.more = more
    self.version = version
    self.standard = standard
    self.others = others
    self.nearest = nearest
  }

  var commands: [any Command.Type] { [standard] + others }

  /// The names of a command's options that its help has, without dashes.
  package func optionNames(of command: any Command.Type) -> [String] {
    rows(of: command).flatMap { $0.isHidden ? [] : $0.names }
  }

  /// Understands a command line, without the program's name.
  ///
  /// The first word may be a command's name, or `help` before a command's name; all others belong
  /// to that command.
  /// - Throws: The first error, unless help or version is asked for.
  package func parse(_ words: [String]) throws(ArgumentError) -> Request {
    if let first = words.first {
      if first == "help" { return .print(try help(of: words.dropFirst())) }
      if let command = commands.first(where: { $0.name == first }) {
        return try parse(command, words.dropFirst())
      }
    }
    if words == ["--help"] || words == ["-h"] { return .print(help) }
    return try parse(standard, words[...], known: commands.map { $0.name })
  }

  private func help(of words: ArraySlice<String>) throws(ArgumentError) -> String {
    guard let name = words.first, !["-h", "--help"].contains(name) else { return help }
    guard let command = commands.first(where: { $0.name == name }) else {
      throw .unexpectedArgument(name, near: nearest(name, commands.map { $0.name }))
    }
    return help(of: command)
  }

  private func parse<C: Command>(
    _ type: C.Type, _ words: ArraySlice<String>, known: [String] = []
  ) throws(ArgumentError) -> Request {
    let (own, common) = (C.options, CommonOptions.options)
    let rows = own.map(\.row) + common.map(\.row)
    let sorted = SortedWords(
      words, by: rows, command: "\(name) \(C.name)",
      nearestOption: { nearest($0, optionNames(of: type)) }, nearestWord: { nearest($0, known) })
    var (command, general) = (C(), CommonOptions())
    var problem = sorted.problem
    for (index, value) in sorted.given {
      let isTaken =
        index < own.count
        ? own[index].take(value, &command) : common[index - own.count].take(value, &general)
      if !isTaken, problem == nil {
        problem = .invalidValue(
          option: rows[index].dashed.first, value: value, expected: rows[index].expected)
      }
    }
    if general.wantsVersion { return .print(version + "\n") }
    if general.wantsHelp { return .print(help(of: type)) }
    if let problem { throw problem }
    if let shell = general.shell { return .print(script(for: shell)) }
    if general.wantsTable { return .print(table) }
    return .run(command)
  }

  /// The rows of a command's table, and of what every command takes.
  func rows(of command: any Command.Type) -> [Row] { command.rows + CommonOptions.rows }
}

extension Options {
  static var rows: [Row] { options.map(\.row) }
}

/// What every command takes beside its own options.
struct CommonOptions: Options {
  enum Shell: String, CaseIterable { case bash, zsh, fish }

  var wantsVersion = false
  var wantsHelp = false
  var wantsTable = false
  var shell: Shell?

  static var options: [Option<Self>] {
    [
      Option(flag: "version", into: \.wantsVersion, "Show the version."),
      Option(flag: "h", into: \.wantsHelp, synonym: "help", "Show help information."),
      Option(
        "generate-completion-script", .word, into: \.shell, isHidden: true,
        "Print completions for a shell."),
      Option(
        flag: "dump-options", into: \.wantsTable, isHidden: true,
        "Print the tables of options for programs."),
    ]
  }
}
