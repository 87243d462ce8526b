import Collector
import Metrics
import Targets

/// Settings as they are being read.
struct Draft {
  /// One entry of `targets`, or one `--target`.
  struct Target {
    var name: Template?
    var selector = Selector()
    var exclusions: [Selector] = []
    var includesChildren = false
    var isPerProcess = false
    var trustsPidFile = false
    var forgetAfter: Duration?
    var labels: [Rule.LabelTemplate] = []
    var selection: Selection?
    var goExpvar, goMetrics: Template?
    var goAllowsRemote: Bool?
    var goTimeout: Duration?
    var thresholds = GivenThresholds()
  }

  var defaultSelection = Selection()
  var defaultForgetAfter = Duration.seconds(3600)
  var goDefaults = GoDefaults()
  var allowedEnvironment: [String] = []
  var limits = CollectorLimits()
  var names = Names.process
  var pushing = Pushing()
  var thresholds = GivenThresholds()
  var restartInterval = CollectorSettings(targets: []).restartInterval
  /// The target that is being read.
  var target = Target()
  /// The entry of its `exclude` that is being read.
  var exclusion = Selector()
}

/// Turns documents into settings, key by key, and collects what is wrong.
struct Reader {
  /// A target that was read, and where.
  struct Entry {
    var target: Draft.Target
    var place: Place
    /// Where its settings were given, good or bad.
    var given: [PartialKeyPath<Draft>: Place]
    /// Whether something was wrong with it; what follows from that is not reported then.
    var isFaulty: Bool
  }

  let table: KeyTable
  var draft = Draft()
  /// The content of the main file, if it is one of process-exporter's.
  private(set) var processExporter: Node?
  var problems: Problems
  let earlier: [TargetSettings]
  /// Whether those are process-exporter's.
  let followsProcessExporter: Bool
  private(set) var entries: [Entry] = []
  private(set) var files: [String]
  /// Where the targets that have a name were given; nil for earlier ones.
  private var names: [String: Place?] = [:]
  /// Whether every file could be read to its end.
  var isComplete = true
  /// Where the settings that stand beside the one that is being read were given, good or bad.
  private var given: [PartialKeyPath<Draft>: Place] = [:]

  /// Begins with the targets and settings that hold already.
  init(table: KeyTable, problems: Problems, after configuration: Configuration = Configuration()) {
    self.table = table
    self.problems = problems
    earlier = configuration.collector.targets
    followsProcessExporter = configuration.isProcessExporter
    files = configuration.files
    draft.limits = configuration.collector.limits
    draft.defaultSelection = configuration.defaultSelection
    draft.defaultForgetAfter = configuration.defaultForgetAfter
    draft.goDefaults = configuration.goDefaults
    draft.allowedEnvironment = configuration.allowedEnvironment
    for target in earlier {
      if let name = target.rule.name.fixed { names[name] = .some(nil) }
    }
    draft.names = configuration.collector.names
    draft.pushing = configuration.pushing
    draft.thresholds.levels = configuration.thresholds
    draft.restartInterval = configuration.collector.restartInterval
  }

  /// Where a setting of the top of the files was given, good or bad.
  func placeGiven(_ path: String) -> Place? {
    table.keys.first { $0.path == path }?.destination.flatMap { given[$0] }
  }

  /// The settings, once everything was read without problems.
  var configuration: Configuration {
    let targets = entries.map { entry in
      let target = entry.target
      var rule = Rule(
        name: target.name ?? Template(""), labels: target.labels, selector: target.selector,
        includesChildren: target.includesChildren)
      rule.exclusions = target.exclusions
      rule.isPerProcess = target.isPerProcess
      rule.trustsPidFile = target.trustsPidFile
      rule.forgetAfter = target.forgetAfter ?? draft.defaultForgetAfter
      rule.url = target.goExpvar ?? target.goMetrics
      let selection = selection(of: target)
      return TargetSettings(
        rule: rule, selection: selection, goSource: target.goSource(draft.goDefaults),
        thresholds: draft.thresholds.levels.merging(target.thresholds.levels) { $1 }
          .inForce(selection))
    }
    var collector = CollectorSettings(
      targets: earlier + targets, limits: draft.limits, names: draft.names)
    collector.restartInterval = draft.restartInterval
    var configuration = Configuration(collector: collector, draft)
    configuration.files = files
    configuration.isProcessExporter = followsProcessExporter
    return configuration
  }

  /// What is collected of a target.
  func selection(of target: Draft.Target) -> Selection {
    var selection = target.selection ?? draft.defaultSelection
    if draft.names == .namedprocess, selection.families.isEmpty {
      selection.families.formUnion(Catalogue.sources(ofNamedProcess: true))
    }
    if target.goExpvar != nil || target.goMetrics != nil { selection.groups.insert(.go) }
    return selection
  }

  /// Reads a whole file.
  ///
  /// - Parameters:
  ///   - text: YAML in UTF-8.
  ///   - file: Its name, for messages.
  ///   - isPart: Whether it is one of `conf.d`.
  mutating func read(_ text: [UInt8], file: String, isPart: Bool = false) {
    problems.source = file
    files.append(file)
    guard let root = Node.parse(text, &problems) else {
      isComplete = false
      return
    }
    if let position = ProcessExporterReader.topKeyPosition(in: root) {
      if isPart {
        problems.add(
          position,
          "\(ProcessExporterReader.topKey) is process-exporter's and cannot stand in"
            + " \(FileLoader.directoryName); name the file with --config.file")
        isComplete = false
      } else {
        processExporter = root
      }
      return
    }
    readMapping(root, at: "", named: "the configuration")
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
    case .list(let item, let takesOne, let readItem):
      switch node.content {
      case .invalid: return
      case .sequence(let items): for item in items { readItem(item, &self) }
      case .mapping where takesOne: readItem(node, &self)
      default:
        let expected = takesOne ? "\(item), or a list of them" : "a list, each item \(item)"
        var hint = node.isNull ? "; leave the key out or write []" : ""
        if !takesOne, !node.isNull { hint = "; begin each item with \"- \"" }
        problems.add(
          node.position, "\(key.name): expected \(expected), found \(node.summary)\(hint)")
      }
    case .value(let destination, let read):
      let place = Place(source: problems.source, position: entry.position)
      if let first = given.updateValue(place, forKey: destination) {
        problems.add(
          entry.position,
          "\(quoted(key.name)) is given twice, first in \(first.seen(from: problems.source));"
            + " keep one of them")
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
    readTarget(at: node.position) { reader in
      let before = reader.problems.total
      reader.readMapping(node, at: "targets[]", named: "an entry of targets")
      // A selector that is misspelt or wrong was reported; that there is none is only its echo.
      let selectors = reader.table.keys(of: "targets[].match")
      let isGiven = selectors.contains { $0.destination.map { reader.given[$0] != nil } ?? false }
      if !isGiven, reader.problems.total == before {
        reader.problems.add(
          node.position,
          "this target has no selector; expected at least one of "
            + alternatives(selectors.map(\.name)))
      }
      if reader.given[\Draft.target.name] == nil {
        reader.problems.add(node.position, "this target has no name; expected name: …")
      }
    }
  }

  /// Reads a target of the command line.
  ///
  /// - Parameters:
  ///   - name: The text before the `=`.
  ///   - selector: The row of the selector's kind.
  ///   - value: The text after the kind.
  mutating func readTarget(name: String, selector: Key, value: String) {
    let position = Position(line: 1, column: 1)
    readTarget(at: position) { reader in
      let nameKey = reader.table.keys(of: "targets[]").first { $0.name == "name" }
      for (key, text) in [(nameKey, name), (selector, value)] {
        guard let key else { continue }
        let node = Node(content: .scalar(text, .argument), position: position)
        reader.read(Node.Entry(key: key.name, position: position, value: node), as: key)
      }
    }
  }

  /// Reads one entry of a target's `exclude`.
  mutating func readExclusion(_ node: Node) {
    guard draft.target.exclusions.count < Limits.exclusions else {
      if draft.target.exclusions.count == Limits.exclusions {
        problems.add(node.position, "exclude: expected at most \(Limits.exclusions) entries")
        // One too many is remembered, so that this is said once.
        draft.target.exclusions.append(Selector())
      }
      return
    }
    let outer = given
    defer { given = outer }
    draft.exclusion = Selector()
    let before = problems.total
    readMapping(node, at: "targets[].exclude[]", named: "an entry of exclude")
    if draft.exclusion.isEmpty, problems.total == before, !node.isInvalid {
      problems.add(
        node.position,
        "this entry of exclude has no selector; expected at least one of "
          + alternatives(table.keys(of: "targets[].exclude[]").map(\.name)))
    }
    draft.target.exclusions.append(draft.exclusion)
  }

  /// Keeps the target that is read, unless its name is another's: series would be ambiguous.
  private mutating func readTarget(at position: Position, _ read: (inout Reader) -> Void) {
    let outer = given
    defer { given = outer }
    draft.target = Draft.Target()
    given = [:]
    let before = problems.total
    read(&self)
    let place = Place(source: problems.source, position: position)
    if let name = draft.target.name?.fixed {
      if let other = names[name] {
        problems.add(
          given[\Draft.target.name]?.position,
          "name: \(quoted(name)) is already the name of \(owner(other))")
        return
      }
      names[name] = place
    }
    entries.append(
      Entry(
        target: draft.target, place: place, given: given, isFaulty: problems.total > before))
  }

  /// What a name belongs to, for messages.
  private func owner(_ place: Place?) -> String {
    guard let place else { return "a target of the configuration" }
    return problems.hasPositions
      ? "the target in \(place.seen(from: problems.source))" : "a target of the command line"
  }
}
