import Arguments
import Config

/// Options that process-exporter has and that mean the same here; the others of its options have
/// another name, see ``ProcessExporterCommandLine``.
struct ProcessExporterOptions: Options {
  var processNames = ""
  var nameMapping = ""
  var children = true
  var threads = true
  var gathersSmaps = true
  var removesEmptyGroups = false
  var rechecks = false
  var recheckTimeLimit: String?

  static var options: [Option<Self>] {
    [
      Option(
        "procnames", .text("name,…"), into: \.processNames,
        "Process names, each a group, instead of a configuration file."),
      Option(
        "namemapping", .text("name,regex,…"), into: \.nameMapping,
        "Process names and expressions; what an expression catches in the command line tells groups apart."
      ),
      Option(
        "children", .boolean, into: \.children,
        "Whether descendants of a group's processes belong to it."),
      Option(
        "threads", .boolean, into: \.threads, "Whether there are families about threads by name."),
      Option(
        "gather-smaps", .boolean, into: \.gathersSmaps, "Whether proportional memory is read."),
      Option(
        "remove-empty-groups", .boolean, into: \.removesEmptyGroups,
        "Whether groups without processes are forgotten at once."),
      Option(
        "recheck", .boolean, into: \.rechecks, isHidden: true,
        "Whether processes are looked at again."),
      Option(
        "recheck-with-time-limit", .text("duration"), into: \.recheckTimeLimit, isHidden: true,
        "How long processes are looked at again."),
    ]
  }

  var flags: ProcessExporterFlags {
    var flags = ProcessExporterFlags()
    flags.processNames = processNames
    flags.nameMapping = nameMapping
    flags.children = children
    flags.threads = threads
    flags.gathersSmaps = gathersSmaps
    flags.removesEmptyGroups = removesEmptyGroups
    return flags
  }

  /// What was asked for and has no effect, and why.
  var ineffective: [(option: String, reason: String)] {
    var given: [String] = []
    if rechecks { given.append("--recheck") }
    if recheckTimeLimit != nil { given.append("--recheck-with-time-limit") }
    return given.map {
      (
        $0,
        "a process that becomes another program is always looked at again, at no cost to speak of"
      )
    }
  }
}

/// Understands process-exporter's command line, which Go's package `flag` reads: one dash or two,
/// `-name=value` or `-name value`, and booleans without a value.
enum ProcessExporterCommandLine {
  private enum Meaning {
    case value(String)
    case boolean(String)
    /// An option without a value, if it is on.
    case alone(String)
    /// An error, with the reason.
    case refused(String)
  }

  private static let meanings: [String: Meaning] = [
    "children": .boolean("children"),
    "config.path": .value("config.path"),
    "debug": .alone("log.level=debug"),
    "gather-smaps": .boolean("gather-smaps"),
    "help": .alone("help"),
    "man": .alone("help"),
    "namemapping": .value("namemapping"),
    "once-to-stdout-delay": .refused("use procvitals once, which needs no delay"),
    "procfs": .value("path.procfs"),
    "procnames": .value("procnames"),
    "recheck": .boolean("recheck"),
    "recheck-with-time-limit": .value("recheck-with-time-limit"),
    "remove-empty-groups": .boolean("remove-empty-groups"),
    "threads": .boolean("threads"),
    "version": .alone("version"),
    "web.config.file": .value("web.config.file"),
    "web.listen-address": .value("web.listen-address"),
    "web.telemetry-path": .value("web.telemetry-path"),
  ]

  /// The names of all of process-exporter's options.
  static var names: [String] { meanings.keys.sorted() }

  /// The same command line in procvitals' own words; what is not process-exporter's stays.
  ///
  /// - Throws: `Failure` for options that cannot be had.
  static func translated(_ arguments: [String]) throws -> [String] {
    var result: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return result + [argument] + rest }
      let dashes = argument.prefix { $0 == "-" }.count
      let parts = argument.dropFirst(dashes)
        .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard (1...2).contains(dashes), let name = parts.first.map(String.init),
        let meaning = meanings[name]
      else {
        try refuseOneDash(argument)
        result.append(argument)
        continue
      }
      var value = parts.count == 2 ? String(parts[1]) : nil
      // As our own options take it; Go's package does not.
      if case .boolean = meaning, value == nil, dashes == 2, let next = rest.first,
        ["true", "false"].contains(next)
      {
        value = rest.removeFirst()
      }
      switch meaning {
      case .value(let own):
        if dashes == 2, own == name {
          result.append(argument)
        } else if let value = value ?? rest.popFirst() {
          result.append("--\(own)=\(value)")
        } else {
          throw Failure.usage("-\(name): expected a value")
        }
      case .boolean(let own): result.append("--\(own)=\(try isOn(name, value))")
      case .alone(let own): if try isOn(name, value) { result.append("--\(own)") }
      case .refused(let reason):
        let isEmpty = (value ?? rest.popFirst() ?? "").isEmpty
        if !isEmpty { throw Failure.usage("-\(name): \(reason)") }
      }
    }
    return result
  }

  /// Refuses a word behind one dash, which would be taken for a bundle of letters, `-h` among them.
  private static func refuseOneDash(_ argument: String) throws {
    let name = String(argument.dropFirst().prefix { $0 != "=" })
    guard argument.hasPrefix("-"), !argument.hasPrefix("--"), name.count > 1 else { return }
    let own = Procvitals.program.optionNames(of: Serve.self)
    if own.contains(name) {
      throw Failure.usage("-\(name): expected two dashes, --\(name)")
    }
    let near =
      suggestion(for: name, among: names).map { "-\($0)" }
      ?? suggestion(for: name, among: own).map { "--\($0)" }
    throw Failure.usage(
      "-\(name): there is no such option; "
        + (near.map { "did you mean \($0)?" } ?? "see procvitals --help"))
  }

  /// - Source: `strconv.ParseBool` of Go.
  private static func isOn(_ name: String, _ value: String?) throws -> Bool {
    switch value ?? "true" {
    case "1", "t", "T", "true", "TRUE", "True": return true
    case "0", "f", "F", "false", "FALSE", "False": return false
    default: throw Failure.usage("-\(name)=\(value ?? ""): expected true or false")
    }
  }
}
