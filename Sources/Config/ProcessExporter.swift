import Collector
import Patterns
import Targets

/// What the command line says beside a configuration of process-exporter, and which it can replace.
package struct ProcessExporterFlags: Sendable, Hashable {
  /// Whether descendants of a group's processes belong to it unless an entry fits them.
  package var children = true
  /// Whether there are families about threads by name.
  package var threads = true
  /// Whether proportional memory is read.
  package var gathersSmaps = true
  /// Whether groups without processes are forgotten at once.
  package var removesEmptyGroups = false
  /// Process names, separated by commas; each is a group.
  package var processNames = ""
  /// Pairs of a process name and a regular expression, separated by commas.
  package var nameMapping = ""

  package init() {}

  /// Whether they say which processes to watch, so that no file is needed.
  package var chooses: Bool { !processNames.isEmpty || !nameMapping.isEmpty }
}

/// Reads the configuration of process-exporter: `process_names`, a list of ways to choose processes
/// and to name the groups they are counted in.
///
/// - Source: the README of process-exporter, "Using a config file".
struct ProcessExporterReader {
  /// The key at the top that tells such a file from one of procvitals' own.
  static let topKey = "process_names"
  private static let entryKeys = ["name", "comm", "exe", "cmdline"]
  /// How long a group without processes stays: process-exporter never forgets one.
  private static let patience = Duration.seconds(7 * 86_400)
  /// Names of threads in a group; process-exporter has no such limit.
  private static let threadNames = 128
  /// The most entries, and the most groups that they make.
  static let targetLimit = CollectorLimits().targets

  var problems: Problems
  let flags: ProcessExporterFlags
  private(set) var rules: [Rule] = []

  init(problems: Problems, flags: ProcessExporterFlags) {
    self.problems = problems
    self.flags = flags
  }

  /// Where the key stands that makes a document one of process-exporter's; nil if it is none.
  static func topKeyPosition(in root: Node) -> Position? {
    guard case .mapping(let entries) = root.content else { return nil }
    return entries.first { $0.key == topKey }?.position
  }

  /// The settings.
  ///
  /// - Throws: Everything that is wrong with what was read.
  func finished() throws(ConfigError) -> Configuration {
    try problems.check()
    var configuration = Configuration()
    configuration.isProcessExporter = true
    configuration.collector.names = .namedprocess
    configuration.collector.limits.threadNamesPerTarget = Self.threadNames
    configuration.collector.limits.targets = Self.targetLimit
    configuration.defaultSelection = Selection(
      includesDefault: false,
      families: Catalogue.sources(
        ofNamedProcess: flags.threads, proportional: flags.gathersSmaps))
    configuration.collector.targets = rules.map {
      TargetSettings(rule: $0, selection: configuration.defaultSelection)
    }
    return configuration
  }

  mutating func add(name: Template, selector: Selector) {
    var rule = Rule(name: name, selector: selector, includesChildren: flags.children)
    rule.forgetAfter = flags.removesEmptyGroups ? .zero : Self.patience
    rules.append(rule)
  }

  mutating func readDocument(_ root: Node) {
    guard case .mapping(let entries) = root.content else { return }
    let own = KeyTable().keys(of: "").map(\.name)
    for entry in entries {
      if entry.key == Self.topKey {
        readList(entry.value)
      } else if own.contains(entry.key) {
        problems.add(
          entry.position,
          "\(quoted(entry.key)) is a key of procvitals' own configuration, and \(Self.topKey) is"
            + " one of process-exporter's; keep them in separate files")
      } else {
        problems.add(entry.position, unknown(entry.key, among: [Self.topKey]))
      }
    }
  }

  private mutating func readList(_ node: Node) {
    if node.isInvalid || node.isNull { return }
    guard case .sequence(let nodes) = node.content else {
      problems.add(
        node.position,
        "\(Self.topKey): expected a list, found \(node.summary); begin each item with \"- \"")
      return
    }
    if nodes.count > Self.targetLimit {
      problems.add(
        nodes[Self.targetLimit].position,
        "\(Self.topKey): expected at most \(Self.targetLimit) entries, found \(nodes.count)")
      return
    }
    for node in nodes { readEntry(node) }
  }

  private mutating func readEntry(_ node: Node) {
    if node.isInvalid { return }
    guard case .mapping(let entries) = node.content else {
      problems.add(
        node.position,
        "an entry of \(Self.topKey): expected a mapping with \(alternatives(Self.entryKeys)),"
          + " found \(node.summary)")
      return
    }
    let before = problems.total
    var selector = Selector()
    var expressions: [GoExpression] = []
    var name: Node?
    for entry in entries {
      switch entry.key {
      case "name": name = entry.value
      case "comm": selector.processNames = texts(entry).map { Glob(literal: $0.text) }
      case "exe":
        selector.firstArguments = texts(entry).map {
          $0.text.contains("/") ? Glob(literal: $0.text) : Glob(lastComponent: $0.text)
        }
      case "cmdline": expressions = texts(entry).map { GoExpression($0.text, at: $0.position) }
      default: problems.add(entry.position, unknown(entry.key, among: Self.entryKeys))
      }
    }
    if problems.total == before, entries.allSatisfy({ $0.key == "name" }) {
      problems.add(
        node.position,
        "this entry chooses nothing; expected at least one of \(alternatives(["comm", "exe", "cmdline"]))"
      )
    }
    GoExpression.forgetRepeatedNames(&expressions)
    let template = self.template(name, entryAt: node.position, &expressions)
    selector.commandLines = expressions.compactMap { compiled($0) }
    if let template, problems.total == before { add(name: template, selector: selector) }
  }

  /// The name of the groups of an entry.
  private mutating func template(
    _ node: Node?, entryAt position: Position, _ expressions: inout [GoExpression]
  ) -> Template? {
    var text = GoTemplate.standard
    let place = node?.position ?? position
    if let node, !node.isNull {
      guard case .scalar(let written, _) = node.content else {
        if !node.isInvalid {
          problems.add(place, "name: expected a text, found \(node.summary)")
        }
        return nil
      }
      if !written.isEmpty { text = written }
    }
    if text.utf8.count > Limits.labelBytes {
      problems.add(place, "name: expected at most \(Limits.labelBytes) bytes")
      return nil
    }
    do throws(GoTemplate.Failure) {
      return try GoTemplate(text).template(&expressions)
    } catch {
      problems.add(place, "name: \(error.message)")
      return nil
    }
  }

  /// The texts of a list, or of one text.
  private mutating func texts(_ entry: Node.Entry) -> [(text: String, position: Position)] {
    let node = entry.value
    if node.isInvalid { return [] }
    var nodes = [node]
    if case .sequence(let items) = node.content { nodes = items }
    if nodes.isEmpty || nodes.count > Limits.patterns {
      problems.add(
        node.position,
        "\(entry.key): expected a list of 1 to \(Limits.patterns) texts, found \(nodes.count)")
      return []
    }
    return nodes.compactMap { item in
      guard case .scalar(let text, _) = item.content, !item.isNull, !text.isEmpty else {
        if !item.isInvalid {
          problems.add(item.position, "\(entry.key): expected a text, found \(item.summary)")
        }
        return nil
      }
      return (text, item.position)
    }
  }

  /// The expression, for a search; nil if it is none.
  mutating func compiled(_ expression: GoExpression) -> Pattern? {
    do throws(Pattern.Failure) {
      // What is wrong with it is said of the text as it was written.
      _ = try Pattern(expression.written)
      return try Pattern(expression.text)
    } catch {
      problems.add(
        expression.position,
        "\(problems.hasPositions ? "cmdline: " : "")\(quoted(expression.written)) is not a regular expression: \(error.message), at"
          + " byte \(error.offset + 1)")
      return nil
    }
  }

  private func unknown(_ key: String, among known: [String]) -> String {
    let message = "unknown key \(quoted(key))"
    if let near = suggestion(for: key, among: known) {
      return message + "; did you mean \(quoted(near))?"
    }
    return message + "; expected \(alternatives(known))"
  }
}
