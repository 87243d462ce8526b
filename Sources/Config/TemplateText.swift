import Targets

extension Template {
  /// The variables that a name or a label may have beside those of the environment and the named
  /// groups of the target's regular expressions.
  static let processVariables: [Variable] = [
    .comm, .exe, .argv0(isBase: false), .argv0(isBase: true), .user, .uid, .pid, .unit, .cgroup,
    .cgroups, .container, .pod, .startTime,
  ]

  /// What may stand between the braces, for messages.
  static var forms: [String] {
    processVariables.map(\.name) + ["env.NAME", "a named group of cmdline"]
  }

  /// Reads a text with places `${…}`; `$$` stands for a dollar sign.
  ///
  /// A name that no variable has is taken for that of a group, see ``undefined(among:)``.
  init(text: String) throws(Mismatch) {
    self.init([])
    var literal = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      literal += rest[..<dollar]
      rest = rest[dollar...].dropFirst()
      if rest.hasPrefix("$") {
        literal += "$"
        rest = rest.dropFirst()
        continue
      }
      guard rest.hasPrefix("{") else {
        throw .impossible("in \(quoted(text)) a $ stands alone; write ${NAME}, or $$ for a dollar")
      }
      guard let brace = rest.firstIndex(of: "}") else {
        throw .impossible("in \(quoted(text)) a ${ has no closing }")
      }
      let variable = try Variable(name: String(rest[..<brace].dropFirst()))
      rest = rest[brace...].dropFirst()
      if !literal.isEmpty { parts.append(.literal(literal)) }
      literal = ""
      parts.append(.variable(variable))
    }
    literal += rest
    if !literal.isEmpty { parts.append(.literal(literal)) }
    if variables.count > Limits.variables {
      throw .impossible("it has \(variables.count) variables; expected at most \(Limits.variables)")
    }
  }

  /// The names of groups that are not among the given ones, in the order of the text.
  func undefined(among groups: Set<String>) -> [String] {
    variables.compactMap {
      if case .capture(let name) = $0, !groups.contains(name) { name } else { nil }
    }
  }

  /// The names of the variables of the environment that it shows, in the order of the text.
  var environment: [String] {
    variables.compactMap { if case .environment(let name) = $0 { name } else { nil } }
  }
}

extension Template.Variable {
  private static let byName = Dictionary(
    uniqueKeysWithValues: Template.processVariables.map { ($0.name, $0) })

  /// What stands between the braces.
  fileprivate init(name: String) throws(Mismatch) {
    if let known = Self.byName[name] {
      self = known
    } else if name.hasPrefix("env.") {
      let variable = String(name.dropFirst(4))
      if variable.isEmpty { throw .impossible("${env.} has no name; write ${env.NAME}") }
      self = .environment(variable)
    } else if name.utf8.allSatisfy(isWord), let first = name.utf8.first, !(48...57).contains(first)
    {
      self = .capture(name)
    } else {
      throw .impossible(
        "${\(quoted(name).dropFirst().dropLast())} is no variable; expected"
          + " \(alternatives(Template.forms))")
    }
  }
}

func isWord(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: "_") || (48...57).contains(byte)
    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

extension ValueType where Value == Template {
  /// Text on one line with variables.
  static func template(bytes: ClosedRange<Int>) -> Self {
    let text = ValueType<String>.text(bytes: bytes)
    return scalar(
      text.name + ", with variables", expected: text.expected, show: { $0.description }
    ) { text throws(Mismatch) in
      guard bytes.contains(text.utf8.count) else {
        throw .unexpected(hint: "it has \(text.utf8.count) bytes")
      }
      if hasControlCharacters(text) { throw .unexpected() }
      return try Template(text: text)
    }
  }
}
