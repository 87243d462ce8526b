extension Configuration {
  /// What may follow `--target=NAME=`, as a list in words: `pid:N, … or min-age:DURATION`.
  package static var selectorForms: String {
    alternatives(KeyTable().keys(of: "targets[]").compactMap(\.argument))
  }

  /// Adds the targets that `--target=NAME=KIND:VALUE` names on the command line.
  ///
  /// They follow those of the file and collect what the file says for all targets.
  /// - Parameter arguments: The texts after `--target=`.
  /// - Throws: Everything that is wrong with them; nothing is added then.
  package mutating func add(targetArguments arguments: [String]) throws(ConfigError) {
    var reader = Reader(
      table: KeyTable(), problems: Problems(source: "--target", hasPositions: false), after: self)
    for argument in arguments {
      reader.problems.source = "--target \(quoted(argument))"
      reader.readArgument(argument)
    }
    reader.checkTargets()
    try reader.problems.check()
    self = reader.configuration
  }
}

extension Reader {
  /// Reads one `NAME=KIND:VALUE`; the name ends at the first `=`, the kind at the first `:` behind.
  fileprivate mutating func readArgument(_ argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let selector =
      parts.last?
      .split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) ?? []
    guard parts.count == 2, selector.count == 2 else {
      problems.add(
        nil,
        "expected NAME=KIND:VALUE, for example web=pid-file:/run/web.pid; KIND:VALUE is "
          + alternatives(arguments.map(\.form)))
      return
    }
    let kind = String(selector[0])
    guard let known = arguments.first(where: { $0.kind == kind }) else {
      let near = suggestion(for: kind, among: arguments.map(\.kind))
      problems.add(
        nil,
        "unknown selector kind \(quoted(kind)); "
          + (near.map { "did you mean \(quoted($0))?" }
            ?? "expected \(alternatives(arguments.map(\.form)))"))
      return
    }
    readTarget(name: String(parts[0]), selector: known.key, value: String(selector[1]))
  }

  /// The selectors that the command line knows, from the table.
  private var arguments: [(kind: String, form: String, key: Key)] {
    table.keys(of: "targets[]").compactMap { key in
      guard let form = key.argument, let kind = form.split(separator: ":").first else { return nil }
      return (String(kind), form, key)
    }
  }
}
