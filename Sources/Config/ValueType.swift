import Collector
import Metrics
import Targets

/// What a setting's value looks like: how it is named, checked and shown.
struct ValueType<Value> {
  /// In the reference, with the range: `whole number, 1 to 4194304`.
  let name: String
  /// In messages, after "expected".
  let expected: String
  /// The value of a node; nil when it does not fit, which is reported under the key's name then.
  let read: (_ node: Node, _ key: String, _ problems: inout Problems) -> Value?
  /// The value as it stands in a file; nil for "not set".
  let show: (Value) -> String?
}

/// Why a text is not a value of a type.
enum Mismatch: Error {
  /// It does not look like one; the hint says what to do.
  case unexpected(hint: String? = nil)
  /// It looks like one but cannot be meant.
  case impossible(String)
}

extension Problems {
  mutating func addMismatch(
    _ key: String, _ node: Node, expected: String, hint: String? = nil
  ) {
    if node.isInvalid { return }
    let hint = node.isNull ? "write a value or leave the key out" : hint
    add(
      node.position,
      "\(key): expected \(expected), found \(node.summary)" + (hint.map { "; " + $0 } ?? ""))
  }
}

extension ValueType {
  /// A type that is written as one scalar.
  ///
  /// Text may be quoted or not; other types are not quoted, so that a value is never taken for what
  /// it was not meant to be.
  static func scalar(
    _ name: String, expected: String, isText: Bool = true,
    show: @escaping (Value) -> String? = { _ in nil },
    parse: @escaping (String) throws(Mismatch) -> Value
  ) -> ValueType {
    ValueType(
      name: name, expected: expected,
      read: { node, key, problems in
        guard case .scalar(let text, let style) = node.content, !node.isNull else {
          problems.addMismatch(key, node, expected: expected)
          return nil
        }
        if style == .quoted, !isText {
          problems.addMismatch(key, node, expected: expected, hint: "write it without quotes")
          return nil
        }
        do throws(Mismatch) {
          return try parse(text)
        } catch {
          switch error {
          case .unexpected(let hint):
            problems.addMismatch(key, node, expected: expected, hint: hint)
          case .impossible(let message): problems.add(node.position, "\(key): \(message)")
          }
        }
        return nil
      },
      show: show)
  }
}

extension ValueType where Value: FixedWidthInteger {
  /// A decimal number without sign, leading zeros or separators.
  static func integer(_ range: ClosedRange<Value>) -> Self {
    scalar(
      "whole number, \(range.lowerBound) to \(range.upperBound)",
      expected: "a whole number from \(range.lowerBound) to \(range.upperBound)", isText: false,
      show: { "\($0)" }
    ) { text throws(Mismatch) in
      let isDecimal = text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      guard isDecimal, let value = Value(text), range.contains(value) else { throw .unexpected() }
      // YAML 1.1 reads a number with a leading zero as octal.
      if text.utf8.count > 1, text.hasPrefix("0") {
        throw .unexpected(hint: "write it without leading zeros")
      }
      return value
    }
  }
}

extension ValueType where Value == Bool {
  static var boolean: Self {
    scalar("boolean", expected: "true or false", isText: false, show: { "\($0)" }) {
      text throws(Mismatch) in
      switch text {
      case "true": return true
      case "false": return false
      default:
        let hint: String? =
          switch text.lowercased() {
          case "true", "yes", "on", "y": "a boolean is only written true or false; write true"
          case "false", "no", "off", "n": "a boolean is only written true or false; write false"
          default: nil
          }
        throw .unexpected(hint: hint)
      }
    }
  }
}

extension ValueType where Value == Names {
  /// One of the sets of names.
  static var names: Self {
    let words = Names.allCases.map(\.rawValue)
    return scalar(
      words.map { "`\($0)`" }.joined(separator: " or "), expected: alternatives(words),
      show: { $0.rawValue }
    ) { text throws(Mismatch) in
      guard let names = Names(rawValue: text) else {
        throw .unexpected(hint: suggestion(for: text, among: words).map { "write \($0)" })
      }
      return names
    }
  }
}

/// Whether a text has characters that a name, path or label cannot be meant to have.
func hasControlCharacters(_ text: String) -> Bool {
  text.unicodeScalars.contains { $0.properties.generalCategory == .control }
}

extension ValueType where Value == String {
  /// Text on one line.
  static func text(bytes: ClosedRange<Int>) -> Self {
    let size = "\(bytes.lowerBound) to \(bytes.upperBound) bytes"
    return scalar(
      "text, \(size)", expected: "a text of \(size) without control characters", show: { $0 }
    ) { text throws(Mismatch) in
      guard bytes.contains(text.utf8.count) else {
        throw .unexpected(hint: "it has \(text.utf8.count) bytes")
      }
      if hasControlCharacters(text) { throw .unexpected() }
      return text
    }
  }

  static var absolutePath: Self {
    scalar("absolute path", expected: "an absolute path", show: { $0 }) { text throws(Mismatch) in
      guard text.hasPrefix("/"), !hasControlCharacters(text) else { throw .unexpected() }
      if text.utf8.count > Limits.pathBytes {
        throw .impossible("a path has at most \(Limits.pathBytes) bytes, not \(text.utf8.count)")
      }
      return text
    }
  }
}

extension ValueType where Value == Glob {
  /// A pattern for the name in `/proc/PID/comm`.
  static var processName: Self {
    scalar("glob", expected: "a process name or a glob") { text throws(Mismatch) in
      if text.isEmpty || hasControlCharacters(text) { throw .unexpected() }
      if text.hasPrefix("/") {
        throw .impossible(
          "a process name has no directory, found \(quoted(text)); use exe for a path")
      }
      let needed = text.utf8.count { $0 != UInt8(ascii: "*") }
      if needed > Limits.commBytes {
        let hint =
          text.contains("*") || text.contains("?")
          ? "shorten it" : "write \(quoted(commForm(text)))"
        throw .impossible(
          "\(quoted(text)) can never match: the kernel keeps the first \(Limits.commBytes) bytes of"
            + " a process name; \(hint)")
      }
      return Glob(text)
    }
  }

  /// A pattern for the path behind `/proc/PID/exe`.
  static var executable: Self { rooted("an absolute path") }

  /// A pattern for a path.
  static func rooted(_ what: String) -> Self {
    scalar("glob", expected: "\(what) or a glob that begins with / or *") { text throws(Mismatch) in
      guard text.hasPrefix("/") || text.hasPrefix("*"), !hasControlCharacters(text) else {
        throw .unexpected(hint: hasControlCharacters(text) ? nil : "write \(quoted("*/" + text))")
      }
      if text.utf8.count > Limits.pathBytes {
        throw .impossible("a path has at most \(Limits.pathBytes) bytes, not \(text.utf8.count)")
      }
      return Glob(text)
    }
  }
}

/// The pattern that matches what the kernel keeps of a process name without wildcards.
private func commForm(_ text: String) -> String {
  var form = ""
  for scalar in text.unicodeScalars {
    let longer = form + String(scalar)
    if longer.utf8.count > Limits.commBytes { break }
    form = longer
  }
  // A character that the kernel cuts in two cannot be written.
  return form.utf8.count == Limits.commBytes ? form : form + "*"
}

extension ValueType {
  /// The same for a setting that may be missing.
  var optional: ValueType<Value?> {
    ValueType<Value?>(
      name: name, expected: expected,
      read: { node, key, problems in read(node, key, &problems).map { .some($0) } },
      show: { $0.flatMap(show) })
  }

  /// One value, or a list of at least one.
  static func oneOrMore<Item>(_ item: ValueType<Item>) -> Self where Value == [Item] {
    ValueType(
      name: "\(item.name), or list of them", expected: "\(item.expected), or a list of them",
      read: { node, key, problems in
        guard case .sequence(let nodes) = node.content else {
          if case .mapping = node.content {
            problems.addMismatch(key, node, expected: "\(item.expected), or a list of them")
            return nil
          }
          return item.read(node, key, &problems).map { [$0] }
        }
        guard (1...Limits.patterns).contains(nodes.count) else {
          problems.add(
            node.position,
            "\(key): expected a list of 1 to \(Limits.patterns) entries, found \(nodes.count)")
          return nil
        }
        let before = problems.total
        let values = nodes.compactMap { item.read($0, key, &problems) }
        return problems.total == before ? values : nil
      },
      show: { values in
        let shown = values.compactMap(item.show)
        return shown.isEmpty ? nil : "[" + shown.joined(separator: ", ") + "]"
      })
  }
}

extension ValueType where Value == [Rule.LabelTemplate] {
  /// A mapping of label names to values, which may have variables.
  static func labels(reserved: Set<String>) -> Self {
    let expected = "a mapping of label names to values"
    let text = ValueType<Template>.template(bytes: 1...Limits.labelBytes)
    return ValueType(
      name: "mapping of names to texts", expected: expected,
      read: { node, key, problems in
        guard case .mapping(let entries) = node.content else {
          problems.addMismatch(key, node, expected: expected, hint: "write {service: shop}")
          return nil
        }
        if entries.count > Limits.labels {
          problems.add(
            node.position,
            "\(key): expected at most \(Limits.labels) labels, found \(entries.count)")
          return nil
        }
        let before = problems.total
        let labels = entries.compactMap { entry -> Rule.LabelTemplate? in
          var name = entry.key
          if reserved.contains(name) {
            problems.add(
              entry.position,
              "\(key): the label \(quoted(name)) is reserved; give it another name")
          } else if !Label.isLegalName(name) || name.utf8.count > Limits.labelBytes {
            name = quoted(name)
            problems.add(
              entry.position,
              "\(key): \(name) cannot be a label's name; expected letters, digits and _, not"
                + " beginning with a digit or __")
          }
          return text.read(entry.value, "\(key).\(name)", &problems)
            .map { Rule.LabelTemplate(name, $0) }
        }
        return problems.total == before ? labels : nil
      },
      show: {
        $0.isEmpty ? nil : "{" + $0.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}"
      })
  }
}

extension ValueType where Value == Selection {
  /// A list of metric groups, or `default` for the default set.
  static var selection: Self {
    let words = ["default"] + Group.allCases.map(\.rawValue)
    let expected = "a list of metric groups: \(alternatives(words))"
    return ValueType(
      name: "list of groups: \(words.map { "`\($0)`" }.joined(separator: ", "))",
      expected: expected,
      read: { node, key, problems in
        guard case .sequence(let nodes) = node.content else {
          var hint: String?
          if case .scalar(let text, _) = node.content, words.contains(text) {
            hint = "write [\(text)]"
          }
          problems.addMismatch(key, node, expected: expected, hint: hint)
          return nil
        }
        let before = problems.total
        var selection = Selection(includesDefault: false)
        for node in nodes {
          guard case .scalar(let text, _) = node.content, !node.isNull else {
            problems.addMismatch(key, node, expected: "the name of a metric group")
            continue
          }
          if text == "default" {
            selection.includesDefault = true
          } else if let group = Group(rawValue: text) {
            selection.groups.insert(group)
          } else if let near = suggestion(for: text, among: words) {
            problems.add(
              node.position,
              "\(key): unknown metric group \(quoted(text)); did you mean \(quoted(near))?")
          } else {
            problems.add(
              node.position,
              "\(key): unknown metric group \(quoted(text)); expected \(alternatives(words))")
          }
        }
        return problems.total == before ? selection : nil
      },
      show: { selection in
        let groups = Group.allCases.filter(selection.groups.contains).map(\.rawValue)
        let names = (selection.includesDefault ? ["default"] : []) + groups
        return "[" + names.joined(separator: ", ") + "]"
      })
  }
}
