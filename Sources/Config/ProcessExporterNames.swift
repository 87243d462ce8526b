import Patterns
import Targets

extension Configuration {
  /// The settings that process-exporter's `-procnames` and `-namemapping` make without a file.
  ///
  /// - Parameter flags: What the command line says.
  /// - Returns: The settings.
  /// - Throws: Everything that is wrong with the two.
  package static func processExporter(
    _ flags: ProcessExporterFlags
  ) throws(ConfigError) -> Configuration {
    var reader = ProcessExporterReader(
      problems: Problems(source: "--namemapping", hasPositions: false), flags: flags)
    reader.readNames()
    return try reader.finished()
  }
}

extension ProcessExporterReader {
  /// Reads pairs first: a process name in one of them is no group by itself.
  ///
  /// - Source: process-exporter's manual, `-man`.
  fileprivate mutating func readNames() {
    var isMapped: Set<String> = []
    let words = flags.nameMapping.isEmpty ? [] : parts(flags.nameMapping)
    if words.count % 2 != 0 || words.contains("") {
      problems.add(
        nil,
        "expected NAME,EXPRESSION,NAME,EXPRESSION…, found \(quoted(flags.nameMapping)); an"
          + " expression can have no comma")
      return
    }
    // Of two pairs for one name the later one counts.
    for index in stride(from: words.count - 2, through: 0, by: -2)
    where isMapped.insert(words[index]).inserted {
      map(words[index], GoExpression(words[index + 1], at: nil))
    }
    for name in parts(flags.processNames) where !name.isEmpty && !isMapped.contains(name) {
      add(name: Template(name), selector: Selector(processNames: [Glob(literal: name)]))
    }
    if rules.count > Self.targetLimit {
      problems.source = "--procnames"
      problems.add(nil, "expected at most \(Self.targetLimit) groups, found \(rules.count)")
    }
  }

  /// Reads a pair: processes of that name are grouped by what the expression catches first.
  private mutating func map(_ name: String, _ written: GoExpression) {
    var expression = written
    let groups = expression.nameAll("group_")
    guard let pattern = compiled(expression) else { return }
    if groups.isEmpty {
      problems.add(
        nil,
        "\(quoted(expression.written)) has no group, so \(quoted(name)) would never be counted;"
          + " put parentheses around what tells the groups apart")
    }
    var selector = Selector(processNames: [Glob(literal: name)])
    selector.commandLines = [pattern]
    add(
      name: Template([.literal("\(name):"), .variable(.firstCapture(groups))]),
      selector: selector)
  }

  private func parts(_ list: String) -> [String] {
    list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }
}
