import HTTPServer
import Linux

/// Turns a web configuration and the files that it names into settings, and collects what is wrong.
///
/// - Source: `web/tls_config.go` of prometheus/exporter-toolkit, whose words messages contain.
struct WebReader {
  let path: String
  /// Whether a file without any is wrong.
  let needsContent: Bool
  var problems: Problems
  var configuration = WebConfiguration()
  /// What was read, in which version; nil for what could not be.
  private(set) var files: [(path: String, version: FileFacts?)] = []

  init(path: String, needsContent: Bool) {
    self.needsContent = needsContent
    self.path = path
    problems = Problems(source: path)
  }

  /// Reads everything.
  mutating func read() -> Result<WebConfiguration, ConfigError> {
    do throws(FileTrouble) {
      read(text: try content(of: path))
    } catch {
      let isMissing = error.errno == .notFound
      let hint = isMissing ? "; create it, or name another one with --web.config.file" : ""
      problems.add(nil, "cannot read the file: \(error.message)\(hint)")
    }
    return problems.error.map { .failure($0) } ?? .success(configuration)
  }

  private mutating func read(text: [UInt8]) {
    guard let root = Node.parse(text, dialect: .exporterToolkit, &problems) else { return }
    if needsContent, root.isNull {
      problems.add(
        nil, "the file has no content; write {} for a configuration in which nothing is set")
    }
    let sections = [
      "tls_server_config", "http_server_config", "basic_auth_users", "rate_limit",
    ]
    for entry in entries(of: root, "the web configuration", sections) {
      switch entry.key {
      case "tls_server_config": readTLS(entry)
      case "http_server_config": readHTTP(entry)
      case "basic_auth_users": readUsers(entry)
      default: readRateLimit(entry)
      }
    }
  }

  // MARK: Files

  struct FileTrouble: Error {
    let errno: Errno?
    let message: String
  }

  /// Reads a file and remembers its version.
  mutating func content(of path: String) throws(FileTrouble) -> [UInt8] {
    files.append((path, nil))
    do throws(Errno) {
      // Non-blocking, because opening a FIFO would wait for a writer that may never come.
      let file = try openFile(path, [.read, .nonBlocking])
      // Before the content: what changes in between has another version the next time.
      let facts = try fileFacts(file)
      files[files.count - 1].version = facts
      if facts.isRegular {
        var buffer = ReadBuffer(capacity: 1 << 14, limit: Limits.webFileBytes + 1)
        try buffer.readAll(file)
        return buffer.content
      }
    } catch {
      throw FileTrouble(errno: error, message: sentence(error))
    }
    throw FileTrouble(errno: nil, message: "expected a regular file")
  }

  private func sentence(_ error: Errno) -> String {
    switch error {
    case .notFound: "no such file or directory"
    case .accessDenied:
      "permission denied; the daemon's user must be able to read the file"
    case .fileTooLarge: "the file is longer than \(Limits.webFileBytes) bytes"
    default: "\(error)"
    }
  }

  /// The path of a file that the configuration names: relative to its own directory.
  func joined(_ name: String) -> String {
    guard !name.hasPrefix("/"), let end = path.lastIndex(of: "/") else { return name }
    return path[...end] + name
  }

  // MARK: Nodes

  /// The entries of a mapping; without value it has none.
  mutating func entries(of node: Node, _ name: String, _ known: [String]?) -> [Node.Entry] {
    if node.isInvalid || node.isNull { return [] }
    guard case .mapping(let entries) = node.content else {
      let form = known.map { "a mapping with \(alternatives($0))" } ?? "a mapping"
      // It may be a password or a key in the wrong place.
      problems.add(
        node.position, "cannot unmarshal \(name): expected \(form), found \(node.kind)")
      return []
    }
    guard let known else { return entries }
    return entries.filter { entry in
      if known.contains(entry.key) { return true }
      let hint =
        suggestion(for: entry.key, among: known).map { "did you mean \(quoted($0))?" }
        ?? "expected \(alternatives(known))"
      problems.add(entry.position, "field \(shown(entry.key)) not found in \(name); \(hint)")
      return false
    }
  }

  mutating func addMismatch(_ name: String, _ node: Node, expected: String) {
    if node.isInvalid { return }
    problems.add(
      node.position, "cannot unmarshal \(name): expected \(expected), found \(node.summary)")
  }

  /// A text, which may be a number or a word as well; no value is an empty text.
  mutating func text(_ name: String, _ node: Node) -> String? {
    if node.isNull { return "" }
    guard case .scalar(let text, _) = node.content else {
      addMismatch(name, node, expected: "a text")
      return nil
    }
    return text
  }

  /// A boolean in the words of YAML 1.1.
  mutating func boolean(_ entry: Node.Entry, _ standard: Bool) -> Bool {
    if entry.value.isNull { return standard }
    if case .scalar(let text, .plain) = entry.value.content {
      for (value, words) in [
        (true, ["y", "yes", "true", "on"]), (false, ["n", "no", "false", "off"]),
      ]
      where words.contains(where: { [$0, $0.uppercased(), capitalized($0)].contains(text) }) {
        return value
      }
    }
    addMismatch(entry.key, entry.value, expected: "true or false")
    return standard
  }

  private func capitalized(_ word: String) -> String {
    word.prefix(1).uppercased() + word.dropFirst()
  }

  /// The texts of a list, with their places.
  mutating func texts(_ entry: Node.Entry) -> [(text: String, position: Position)] {
    if entry.value.isNull { return [] }
    guard case .sequence(let nodes) = entry.value.content else {
      addMismatch(entry.key, entry.value, expected: "a list of texts")
      return []
    }
    if nodes.count > Limits.webEntries {
      problems.add(
        entry.value.position,
        "\(entry.key): expected at most \(Limits.webEntries) entries, found \(nodes.count)")
      return []
    }
    var texts: [(String, Position)] = []
    for node in nodes {
      if let text = text("an entry of \(entry.key)", node) { texts.append((text, node.position)) }
    }
    return texts
  }

  /// A word of the operator as toolkit's messages show it: bare, but on one line and not too long.
  func shown(_ text: String) -> String { String(quoted(text).dropFirst().dropLast()) }
}
