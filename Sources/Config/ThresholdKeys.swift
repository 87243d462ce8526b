import Collector
import Linux

/// Thresholds as they stand in one place, and where.
struct GivenThresholds {
  var levels: Thresholds = [:]
  var positions: [Int: Position] = [:]
}

extension KeyTable {
  /// What holds for all targets.
  static var health: [Key] {
    [
      .mapping(
        "health",
        "From when on targets are degraded or failing, beside what cannot be read of them."
      ),
      Key(
        "health.thresholds", .thresholds, into: \.thresholds,
        example: "{open_fds_ratio: 0.9, go_goroutines: {degraded: 10000, failing: 50000}}",
        otherwise: "none",
        "Thresholds of all targets; those about Go hold where the group `go` is collected."),
      Key(
        "health.restart_interval", .duration(.seconds(60)...(.seconds(86_400))),
        into: \.restartInterval, example: "1h",
        "How long a restart counts for the threshold `restarts`."),
    ]
  }

  static var targetHealth: [Key] {
    [
      .mapping("targets[].health", "Thresholds of this target."),
      Key(
        "targets[].health.thresholds", .thresholds, into: \.target.thresholds,
        example: "{open_fds_ratio: off, restarts: 3}", otherwise: "as in `health`",
        "Thresholds that hold instead of those of the same names, which `off` switches off."),
    ]
  }
}

extension Threshold {
  /// What its numbers look like.
  var type: ValueType<Double> {
    switch unit {
    case .ratio: .ratio
    case .bytes: ValueType<Int>.integer(1...1 << 50).converted { Double($0) }
    case .count(let range): ValueType<Int>.integer(range).converted { Double($0) }
    case .duration:
      ValueType<Duration>.duration(.milliseconds(1)...(.seconds(3600))).converted { $0.seconds }
    }
  }

  fileprivate func text(_ number: Double) -> String {
    if case .duration = unit { return shown(.milliseconds(Int64((number * 1000).rounded()))) }
    return Int(exactly: number)?.description ?? number.description
  }

  /// Levels as they stand in a file.
  func text(_ levels: Levels) -> String {
    let parts = [("degraded", levels.degraded), ("failing", levels.failing)].compactMap {
      name, limit in
      limit.map { "\(name): \(text($0))" }
    }
    if levels.failing == nil { return levels.degraded.map(text) ?? "off" }
    return "{\(parts.joined(separator: ", "))}"
  }

  /// Reads a number, a mapping of levels to numbers, or `off`.
  fileprivate func read(_ node: Node, _ key: String, _ problems: inout Problems) -> Levels? {
    guard case .mapping(let entries) = node.content else {
      if case .scalar("off", _) = node.content { return Levels() }
      return type.read(node, key, &problems).map { Levels(degraded: $0) }
    }
    var levels = Levels()
    var failing: Node?
    let before = problems.total
    for entry in entries {
      let number = type.read(entry.value, "\(key).\(entry.key)", &problems)
      switch entry.key {
      case "degraded": levels.degraded = number
      case "failing": (levels.failing, failing) = (number, entry.value)
      default:
        problems.add(
          entry.position, "\(key): unknown key \(quoted(entry.key)); expected degraded or failing")
      }
    }
    if problems.total > before { return nil }
    if levels.isOff {
      problems.add(node.position, "\(key): expected degraded, failing or both, found neither")
    } else if let failing, let least = levels.degraded, let most = levels.failing, most < least {
      problems.add(
        failing.position,
        "\(key): failing is \(text(most)), below degraded, \(text(least)); expected at least that")
    }
    return levels
  }
}

extension ValueType where Value == Double {
  /// A decimal number without sign and exponent.
  static var ratio: Self {
    scalar("number above 0, at most 1", expected: "a number above 0 and at most 1", isText: false) {
      text throws(Mismatch) in
      let isDecimal =
        text.utf8.allSatisfy { $0 &- 48 < 10 || $0 == UInt8(ascii: ".") } && !text.hasPrefix(".")
      guard isDecimal, let value = Double(text), value > 0, value <= 1 else { throw .unexpected() }
      return value
    }
  }
}

extension ValueType {
  fileprivate func converted(_ number: @escaping (Value) -> Double) -> ValueType<Double> {
    ValueType<Double>(
      name: name, expected: expected,
      read: { node, key, problems in read(node, key, &problems).map(number) }, show: { _ in nil })
  }
}

extension ValueType where Value == GivenThresholds {
  /// A mapping of thresholds to numbers.
  static var thresholds: Self {
    let names = Threshold.all.map(\.name)
    let expected = "a mapping of thresholds to numbers"
    return ValueType(
      name: "mapping of [thresholds](#thresholds)", expected: expected,
      read: { node, key, problems in
        guard case .mapping(let entries) = node.content else {
          problems.addMismatch(key, node, expected: expected, hint: "write {open_fds_ratio: 0.9}")
          return nil
        }
        var given = GivenThresholds()
        for entry in entries {
          guard let place = names.firstIndex(of: entry.key) else {
            let near = suggestion(for: entry.key, among: names)
            problems.add(
              entry.position,
              "\(key): unknown threshold \(quoted(entry.key)); "
                + (near.map { "did you mean \(quoted($0))?" } ?? "expected \(alternatives(names))"))
            continue
          }
          given.levels[place] = Threshold.all[place].read(
            entry.value, "\(key).\(entry.key)", &problems)
          given.positions[place] = entry.position
        }
        return given
      },
      show: { given in
        let shown = given.levels.sorted { $0.key < $1.key }.map { place, levels in
          "\(Threshold.all[place].name): \(Threshold.all[place].text(levels))"
        }
        return shown.isEmpty ? nil : "{" + shown.joined(separator: ", ") + "}"
      })
  }
}

extension Reader {
  /// Reports thresholds of a target that nothing will ever be compared with.
  mutating func checkThresholds(_ entry: Entry) {
    let selection = selection(of: entry.target)
    for (place, levels) in entry.target.thresholds.levels where !levels.isOff {
      let threshold = Threshold.all[place]
      let missing = threshold.groups.filter { !selection.has($0) }.map(\.rawValue)
      if missing.isEmpty { continue }
      problems.add(
        entry.target.thresholds.positions[place],
        "thresholds: \(threshold.name) needs \(missing.joined(separator: " and ")), which this"
          + " target does not collect; add it to its key collect, or write \(threshold.name): off")
    }
  }
}

extension ConfigurationReference {
  /// What can stand in a mapping of thresholds.
  static var thresholds: String {
    var text = """
      ## Thresholds

      A number says above what a target is degraded; `{degraded: 10000, failing: 50000}` says above \
      what it is failing, too, and either may stand alone. `off` switches a threshold off.
      What is not known is above nothing. The groups that the thresholds of a single target need have \
      to be in its `collect`; those of all targets hold where the groups are.

      | Threshold | Value | What | Needs |
      |---|---|---|---|

      """
    for threshold in Threshold.all {
      let groups = threshold.groups.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      text +=
        "| `\(threshold.name)` | \(threshold.type.name) | \(threshold.meaning) | \(groups) |\n"
    }
    return text
  }
}
