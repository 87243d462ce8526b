import Collector
import Patterns
import Targets

/// What can only be checked once every file was read.
extension Reader {
  mutating func checkTargets() {
    // What follows from a file that could not be read is not reported.
    if isComplete {
      let parents = Parents(configuration.collector.targets.map(\.rule))
      for entry in entries where !entry.isFaulty {
        problems.source = entry.place.source
        checkTemplates(entry)
        checkGoSource(entry)
        checkThresholds(entry)
        checkParent(entry, parents)
      }
    }
    checkTargetLimit()
  }

  /// Reports the first target beyond the limit, which may stand anywhere.
  private mutating func checkTargetLimit() {
    let limit = draft.limits.targets
    let room = max(0, limit - earlier.count)
    if entries.count <= room { return }
    problems.source = problems.hasPositions ? entries[room].place.source : "--target"
    let count = earlier.count + entries.count
    problems.add(
      entries[room].place.position,
      followsProcessExporter
        ? "expected at most \(limit) targets with those of process-exporter, found \(count)"
        : "limits.targets is \(limit), but there are \(count) targets; raise the limit or remove"
          + " targets")
  }

  /// Reports variables that stand for nothing and those that may not be shown.
  private mutating func checkTemplates(_ entry: Entry) {
    let target = entry.target
    let groups = Set(target.selector.commandLines.flatMap(\.groups.keys))
    var texts = [("name", target.name ?? Template(""), entry.given[\Draft.target.name])]
    texts += target.labels.map {
      ("labels.\($0.name)", $0.value, entry.given[\Draft.target.labels])
    }
    texts += [
      ("go.expvar", target.goExpvar ?? Template(""), entry.given[\Draft.target.goExpvar]),
      ("go.metrics", target.goMetrics ?? Template(""), entry.given[\Draft.target.goMetrics]),
    ]
    for (key, template, place) in texts where template.fixed == nil {
      for name in template.undefined(among: groups) {
        let known = Template.processVariables.map(\.name) + groups.sorted()
        let near = suggestion(for: name, among: known)
        problems.add(
          place?.position,
          "\(key): there is no variable ${\(name)}; "
            + (near.map { "did you mean ${\($0)}?" }
              ?? "expected \(alternatives(Template.forms))"))
      }
      for variable in template.variables
      where Template.processVariables.contains(variable) && groups.contains(variable.name) {
        problems.add(
          place?.position,
          "\(key): ${\(variable.name)} is a variable of every process, and cmdline has a group of"
            + " that name; rename the group")
      }
      for name in template.environment where !draft.allowedEnvironment.contains(name) {
        problems.add(
          place?.position,
          "\(key): ${env.\(name)} would show a variable of the environment that"
            + " allowed_environment does not name; add \(name) to it if it is no secret")
      }
    }
  }

  /// Reports parents that are no targets, and targets that wait for each other.
  private mutating func checkParent(_ entry: Entry, _ parents: Parents) {
    let own = entry.target.name.map(Parents.name) ?? ""
    let place = entry.given[\Draft.target.selector.parent] ?? entry.place
    for parent in ([entry.target.selector] + entry.target.exclusions).compactMap(\.parent)
    where !parents.names.contains(parent) {
      // Each suggestion compares all names, and a later problem might not be shown.
      let isWorthIt =
        problems.total < Limits.shownProblems && parents.sorted.count <= Limits.suggestionNames
      let near = isWorthIt ? suggestion(for: parent, among: parents.sorted) : nil
      problems.add(
        place.position,
        "parent: there is no target \(quoted(parent)); "
          + (near.map { "did you mean \(quoted($0))?" }
            ?? "expected the name of another target as it stands in the configuration"))
    }
    if let parent = entry.target.selector.parent, parents.isCircular(own, parent) {
      problems.add(
        place.position,
        parent == own
          ? "parent: a target cannot be its own parent; name another one"
          : "parent: \(quoted(parent)) has this target among its own parents, so neither can have a"
            + " process; name another one")
    }
  }
}

/// Which targets are whose parents, by name as it stands in the configuration.
private struct Parents {
  let names: Set<String>
  let sorted: [String]
  private let byName: [String: String]
  /// Those that have themselves among their parents.
  private var circular: Set<String> = []

  init(_ rules: [Rule]) {
    names = Set(rules.map { Self.name($0.name) })
    sorted = names.sorted()
    byName = Dictionary(
      rules.compactMap { rule in rule.selector.parent.map { (Self.name(rule.name), $0) } },
      uniquingKeysWith: { first, _ in first })
    findCircles()
  }

  /// Follows each target's parents until there are no more, or one that was met before.
  private mutating func findCircles() {
    var walks: [String: Int] = [:]
    for (walk, start) in byName.keys.enumerated() {
      var name: String? = start
      while let current = name, walks[current] == nil {
        walks[current] = walk
        name = byName[current]
      }
      // One that the same walk has met is part of a circle.
      while let current = name, walks[current] == walk, circular.insert(current).inserted {
        name = byName[current]
      }
    }
  }

  /// What another target calls a target.
  static func name(_ template: Template) -> String { template.fixed ?? template.description }

  /// Whether a target has itself for a parent, however far away, by way of the given one.
  func isCircular(_ name: String, _ parent: String) -> Bool {
    byName[name] == parent && circular.contains(name)
  }
}
