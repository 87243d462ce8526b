/// A value of a YAML document and where it stands.
struct Node {
  enum Style {
    case plain, quoted
    /// From the command line, where there is neither quoting nor null.
    case argument
  }

  indirect enum Content {
    case scalar(String, Style)
    case sequence([Node])
    case mapping([Entry])
    /// Already reported; whoever meets it stays silent.
    case invalid
  }

  struct Entry {
    let key: String
    let position: Position
    let value: Node
  }

  let content: Content
  let position: Position

  var isInvalid: Bool { if case .invalid = content { true } else { false } }

  /// Whether there is no value: `key:`, `key: ~` or `key: null`.
  var isNull: Bool {
    guard case .scalar(let text, .plain) = content else { return false }
    return text.isEmpty || text == "~" || text.lowercased() == "null"
  }

  /// What kind of thing stands here, where it may be a secret, to follow "found".
  var kind: String {
    if case .scalar = content, !isNull { return "a text" }
    return summary
  }

  /// What stands here, to follow "found".
  var summary: String {
    switch content {
    case .scalar(let text, .quoted): "the quoted text \(quoted(text))"
    case .scalar(let text, _): isNull ? "no value" : quoted(text)
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .invalid: "nothing usable"
    }
  }
}

extension Node {
  enum Dialect {
    /// A file is one document.
    case own
    /// A file's first document counts, and messages say what exporter-toolkit's say.
    case exporterToolkit
  }

  /// Reads a text of one YAML document without anchors, aliases, merge keys and tags.
  ///
  /// - Parameters:
  ///   - bytes: The text, in UTF-8.
  ///   - dialect: Whose rules hold.
  ///   - problems: Takes what is wrong with it.
  /// - Returns: The document; for a text without content an empty mapping, or no value in the
  ///   dialect of exporter-toolkit; nil when the text could
  ///   not be read to its end.
  static func parse(
    _ bytes: [UInt8], dialect: Dialect = .own, _ problems: inout Problems
  ) -> Node? {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
    guard let events = YAMLEvents(text) else {
      problems.add(nil, "not enough memory to read the file")
      return nil
    }
    var composer = Composer(events: events, problems: problems, dialect: dialect)
    defer { problems = composer.problems }
    do throws(YAMLSyntaxError) {
      return try composer.stream()
    } catch {
      let position = error.isEncoding ? Position(of: error.offset, in: text) : error.position
      composer.problems.add(position, error.message)
      return nil
    }
  }
}

extension Node {
  /// What a text without content says.
  fileprivate static var empty: Node {
    Node(content: .mapping([]), position: Position(line: 1, column: 1))
  }

  fileprivate static var missing: Node {
    Node(content: .scalar("", .plain), position: Position(line: 1, column: 1))
  }
}

extension Position {
  /// The place of a byte in a text.
  fileprivate init(of offset: Int, in text: [UInt8]) {
    var line = 1
    var column = 1
    for byte in text.prefix(offset) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.init(line: line, column: column)
  }
}

/// Builds the tree out of libyaml's events.
private struct Composer: ~Copyable {
  let events: YAMLEvents
  var problems: Problems
  private let dialect: Node.Dialect
  private var depth = 0

  init(events: consuming YAMLEvents, problems: Problems, dialect: Node.Dialect) {
    self.events = events
    self.problems = problems
    self.dialect = dialect
  }

  mutating func stream() throws(YAMLSyntaxError) -> Node? {
    var root: Node?
    while true {
      let event = try events.next()
      switch event.kind {
      case .streamEnd:
        return root.flatMap { $0.isNull ? nil : $0 } ?? (dialect == .own ? .empty : .missing)
      case .documentStart:
        if let root {
          if dialect == .exporterToolkit { return root }
          problems.add(
            event.position, "a second document begins here; a configuration is one document")
          return nil
        }
        guard let node = try node(try events.next()) else { return nil }
        root = node
      default: break
      }
    }
  }

  /// The node that begins with an event; nil when the depth limit ends the reading.
  private mutating func node(_ event: YAMLEvent) throws(YAMLSyntaxError) -> Node? {
    var isAllowed = true
    if let anchor = event.anchor {
      problems.add(event.position, "anchors are not supported\(excerpt("&", anchor))")
      isAllowed = false
    }
    if let tag = event.tag {
      let standard = "tag:yaml.org,2002:"
      let written = tag.hasPrefix(standard) ? "!!" + tag.dropFirst(standard.count) : tag
      problems.add(event.position, "tags are not supported\(excerpt("", written))")
      isAllowed = false
    }
    let content: Node.Content
    switch event.kind {
    case .alias(let name):
      problems.add(event.position, "aliases are not supported\(excerpt("*", name))")
      content = .invalid
    case .scalar(let text, let isPlain):
      content = .scalar(text, isPlain ? .plain : .quoted)
    default:
      guard depth < Limits.nesting else {
        problems.add(
          event.position, "more than \(Limits.nesting) lists and mappings inside each other")
        return nil
      }
      depth += 1
      defer { depth -= 1 }
      if case .sequenceStart = event.kind {
        guard let nodes = try sequence() else { return nil }
        content = .sequence(nodes)
      } else {
        guard let entries = try mapping() else { return nil }
        content = .mapping(entries)
      }
    }
    return Node(content: isAllowed ? content : .invalid, position: event.position)
  }

  private mutating func sequence() throws(YAMLSyntaxError) -> [Node]? {
    var nodes: [Node] = []
    while true {
      let event = try events.next()
      if case .sequenceEnd = event.kind { return nodes }
      guard let node = try node(event) else { return nil }
      nodes.append(node)
    }
  }

  private mutating func mapping() throws(YAMLSyntaxError) -> [Node.Entry]? {
    var entries: [Node.Entry] = []
    var lines: [String: Int] = [:]
    while true {
      let event = try events.next()
      if case .mappingEnd = event.kind { return entries }
      guard let key = try node(event), let value = try node(try events.next()) else { return nil }
      guard case .scalar(let name, let style) = key.content else {
        if !key.isInvalid {
          problems.add(key.position, "expected a text as key, found \(key.summary)")
        }
        continue
      }
      if name == "<<", style == .plain {
        problems.add(key.position, "merge keys are not supported: <<")
      } else if let line = lines[name] {
        let what =
          dialect == .own
          ? "\(quoted(name)) is given twice in this mapping"
          : "key \(quoted(name)) already set in map"
        problems.add(key.position, "\(what), first in line \(line)")
      } else {
        lines[name] = key.position.line
        entries.append(Node.Entry(key: name, position: key.position, value: value))
      }
    }
  }

  /// A name of the file, shortened and without the quotes of ``quoted(_:)``; none where it may be a
  /// secret that begins with such a sign.
  private func excerpt(_ sign: String, _ text: String) -> String {
    dialect == .own ? ": \(sign)\(quoted(text).dropFirst().dropLast())" : ""
  }
}

extension YAMLSyntaxError {
  /// What is wrong, in the words of this program where libyaml's need knowledge of its inside.
  var message: String {
    if isEncoding {
      if problem == "control characters are not allowed" {
        return "the control character U+\(hexadecimal(value, digits: 4)) is not allowed"
      }
      let isByte = (0...0xFF).contains(value)
      return "not valid UTF-8" + (isByte ? ": byte 0x\(hexadecimal(value, digits: 2))" : "")
    }
    let begin = "begins in line \(contextPosition.line), column \(contextPosition.column)"
    switch (problem, context) {
    case ("found character that cannot start any token", _):
      return "this character cannot begin a value; indent with spaces, not tabs, and put quotes"
        + " around a value that begins with @, `, % or a tab"
    case ("found a tab character that violates indentation", _),
      ("found a tab character where an indentation space is expected", _):
      return "indent with spaces, not with tabs"
    case ("found unexpected end of stream", "while scanning a quoted scalar"):
      return "the quoted text that \(begin) has no closing quote"
    case ("found unexpected document indicator", "while scanning a quoted scalar"):
      return "the quoted text that \(begin) has no closing quote"
    case ("did not find expected ',' or ']'", _):
      return "expected \",\" or \"]\" in the list that \(begin)"
    case ("did not find expected ',' or '}'", _):
      return "expected \",\" or \"}\" in the mapping that \(begin)"
    case ("could not find expected ':'", _):
      return "expected \":\" and a value after the key that \(begin)"
    case ("did not find expected key", _):
      return "expected the next key, in the column of the mapping that \(begin)"
    case ("did not find expected '-' indicator", _):
      return "expected the next \"- \", in the column of the list that \(begin)"
    case ("mapping values are not allowed in this context", _):
      return "\":\" is not expected here; check the indentation, or put quotes around a value that"
        + " contains \": \""
    case ("block sequence entries are not allowed in this context", _):
      return "a list item is not expected here; begin the list on a new line"
    case ("found unknown escape character", _):
      return "unknown escape in the double-quoted text that \(begin); write \\\\ for a backslash or"
        + " use single quotes"
    case ("did not find expected node content", _): return "expected a value"
    case ("did not find expected <document start>", _):
      return "expected the end of the file; check the indentation"
    case ("found undefined tag handle", _): return "tags are not supported"
    default: return "not valid YAML: \(problem)"
    }
  }

  private func hexadecimal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
