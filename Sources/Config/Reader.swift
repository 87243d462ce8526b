import Collector
import Metrics
import Targets

/// Settings as they are being read.
struct Draft {
  /// One entry of `targets`, or one `--target`.
  struct Target {
    var position = Position(line: 1, column: 1)
    var name: String?
    var selector = Selector()
    var includesChildren = false
    var labels: [Label] = []
    var selection: Selection?
  }

  var defaultSelection = Selection()
  var limits = CollectorLimits()
  var targetLimit = 10_000
  var names = Names.process
  /// The target that is being read.
  var target = Target()
}

/// Turns a document into settings, key by key, and collects what is wrong.
struct Reader {
  let table: KeyTable
  var draft = Draft()
  var problems: Problems
  private let earlier: [TargetSettings]
  private var targets: [Draft.Target] = []
  /// What the targets' names belong to, for messages.
  private var names: [String: String] = [:]
  /// Where the settings of the list item that is being read were given, good or bad.
  private var given: [PartialKeyPath<Draft>: Position] = [:]

  /// Begins with the targets and settings that hold already.
  init(table: KeyTable, problems: Problems, after configuration: Configuration = Configuration()) {
    self.table = table
    self.problems = problems
    earlier = configuration.collector.targets
    draft.limits = configuration.collector.limits
    draft.defaultSelection = configuration.defaultSelection
    draft.targetLimit = configuration.targetLimit
    draft.names = configuration.collector.names
    for target in earlier { names[target.rule.name.description] = "a target of the configuration" }
  }

  /// The settings, once everything was read without problems.
  var configuration: Configuration {
    let targets = targets.map { target in
      var rule = Rule(
        name: target.name ?? "", selector: target.selector,
        includesChildren: target.includesChildren)
      rule.labels = target.labels.map { Rule.LabelTemplate($0.name, Template($0.value)) }
      var selection = target.selection ?? draft.defaultSelection
      if draft.names == .namedprocess, selection.families.isEmpty {
        selection.families.formUnion(Catalogue.sources(ofNamedProcess: true))
      }
      return TargetSettings(rule: rule, selection: selection)
    }
    return Configuration(
      collector: CollectorSettings(
        targets: earlier + targets, limits: draft.limits, names: draft.names),
      defaultSelection: draft.defaultSelection, targetLimit: draft.targetLimit)
  }

  /// Reads the whole document.
  mutating func readDocument(_ root: Node) {
    readMapping(root, at: "", named: "the configuration")
    checkTargetLimit()
  }

  /// Reports the first target beyond the limit, which may stand anywhere in the file.
  mutating func checkTargetLimit() {
    let room = max(0, draft.targetLimit - earlier.count)
    if targets.count <= room { return }
    problems.add(
      targets[room].position,
      "limits.targets is \(draft.targetLimit), but there are \(earlier.count + targets.count)"
        + " targets; raise the limit or remove targets")
  }

  /// Reads the keys of a mapping.
  private mutating func readMapping(_ node: Node, at path: String, named name: String) {
    if node.isInvalid { return }
    let known = table.keys(of: path)
    guard case .mapping(let entries) = node.content else {
      let hint = node.isNull ? "; leave the key out to have the defaults" : ""
      problems.add(
        node.position,
        "\(name): expected a mapping with \(alternatives(known.map(\.name))),"
          + " found \(node.summary)\(hint)")
      return
    }
    for entry in entries {
      if let key = known.first(where: { $0.name == entry.key }) {
        read(entry, as: key)
      } else {
        problems.add(entry.position, unknownKey(entry.key, known: known))
      }
    }
  }

  private mutating func read(_ entry: Node.Entry, as key: Key) {
    let node = entry.value
    switch key.content {
    case .mapping: readMapping(node, at: key.path, named: key.name)
    case .list(let item, let readItem):
      if node.isInvalid { return }
      guard case .sequence(let items) = node.content else {
        let hint = node.isNull ? "; leave the key out or write []" : "; begin each item with \"- \""
        problems.add(
          node.position,
          "\(key.name): expected a list, each item \(item), found \(node.summary)\(hint)")
        return
      }
      for item in items { readItem(item, &self) }
    case .value(let destination, let read):
      if let first = given.updateValue(entry.position, forKey: destination) {
        problems.add(
          entry.position,
          "\(quoted(key.name)) is given twice, first in line \(first.line); keep one of them")
        return
      }
      read(node, &draft, &problems)
    }
  }

  private func unknownKey(_ name: String, known: [Key]) -> String {
    let message = "unknown key \(quoted(name))"
    if let near = suggestion(for: name, among: known.map(\.name)) {
      return message + "; did you mean \(quoted(near))?"
    }
    let parents = table.keys.filter { $0.name == name }.map { place(of: $0.parent) }
    if !parents.isEmpty {
      return message + " in this place; it belongs into \(alternatives(parents))"
    }
    return message + "; expected \(alternatives(known.map(\.name)))"
  }

  /// A mapping's path in words: `match in an entry of targets`.
  private func place(of path: String) -> String {
    if path.isEmpty { return "the top of the file" }
    let parts = path.split(separator: ".").reversed().map {
      $0.hasSuffix("[]") ? "an entry of \($0.dropLast(2))" : String($0)
    }
    return parts.joined(separator: " in ")
  }

  /// Reads one item of `targets`.
  mutating func readTarget(_ node: Node) {
    guard case .mapping = node.content else {
      readMapping(node, at: "targets[]", named: "an entry of targets")
      return
    }
    begin(at: node.position)
    let before = problems.total
    readMapping(node, at: "targets[]", named: "an entry of targets")
    // A selector that is misspelt or wrong was reported; that there is none is only its echo.
    let selectors = table.keys(of: "targets[].match")
    let isGiven = selectors.contains { $0.destination.map { given[$0] != nil } ?? false }
    if !isGiven, problems.total == before {
      problems.add(
        node.position,
        "this target has no selector; expected at least one of "
          + alternatives(selectors.map(\.name)))
    }
    if given[\Draft.target.name] == nil {
      problems.add(node.position, "this target has no name; expected name: …")
    }
    finish(as: "the target in line \(node.position.line)")
  }

  /// Reads a target of the command line.
  ///
  /// - Parameters:
  ///   - name: The text before the `=`.
  ///   - selector: The row of the selector's kind.
  ///   - value: The text after the kind.
  mutating func readTarget(name: String, selector: Key, value: String) {
    let position = Position(line: 1, column: 1)
    begin(at: position)
    let nameKey = table.keys(of: "targets[]").first { $0.name == "name" }
    for (key, text) in [(nameKey, name), (selector, value)] {
      guard let key else { continue }
      let node = Node(content: .scalar(text, .argument), position: position)
      read(Node.Entry(key: key.name, position: position, value: node), as: key)
    }
    finish(as: "a target of the command line")
  }

  private mutating func begin(at position: Position) {
    draft.target = Draft.Target(position: position)
    given = [:]
  }

  /// Keeps the target that was read, unless its name is another's: series would be ambiguous.
  private mutating func finish(as place: String) {
    if let name = draft.target.name {
      if let other = names[name] {
        problems.add(
          given[\Draft.target.name], "name: \(quoted(name)) is already the name of \(other)")
        return
      }
      names[name] = place
    }
    targets.append(draft.target)
  }
}
