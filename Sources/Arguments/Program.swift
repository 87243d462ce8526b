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
    (self.name, self.about, self.more, self.version) = (name, about, more, version)
    (self.standard, self.others, self.nearest) = (standard, others, nearest)
  }

  var commands: [any Command.Type] { [standard] + others }

  func isStandard(_ command: any Command.Type) -> Bool { command.name == standard.name }

  /// The names that the help of a command has behind two dashes, without them.
  package func optionNames(of command: any Command.Type) -> [String] {
    rows(of: command).flatMap { $0.isHidden ? [] : $0.names.filter { $0.utf8.count > 1 } }
  }

  /// Understands a command line, without the program's name.
  ///
  /// The first word may be a command's name, or `help` before a command's name; all others belong
  /// to that command.
  /// - Throws: What is wrong first, unless help or version is asked for.
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
    let options = Line<C>.options
    let rows = options.map(\.row)
    let sorted = SortedWords(
      words, by: rows, command: "\(name) \(C.name)",
      nearestOption: { nearest($0, optionNames(of: type)) }, nearestWord: { nearest($0, known) })
    var line = Line<C>()
    var problem = sorted.problem
    for (index, value) in sorted.given where !options[index].take(value, &line) && problem == nil {
      problem = .invalidValue(
        option: rows[index].dashed.first, value: value, expected: rows[index].expected)
    }
    if line.common.wantsVersion { return .print(version + "\n") }
    if line.common.wantsHelp { return .print(help(of: type)) }
    if let problem { throw problem }
    if let shell = line.common.shell { return .print(script(for: shell)) }
    return line.common.wantsTable ? .print(table) : .run(line.command)
  }

  /// The rows of a command's table, and of what every command takes.
  func rows(of command: any Command.Type) -> [Row] { command.rows + CommonOptions.rows }
}

extension Options {
  static var rows: [Row] { options.map(\.row) }
}

/// All that the command line of a command fills.
private struct Line<C: Command>: Options {
  var command = C()
  var common = CommonOptions()

  static var options: [Option<Self>] {
    C.options(at: \.command) + CommonOptions.options(at: \.common)
  }
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
