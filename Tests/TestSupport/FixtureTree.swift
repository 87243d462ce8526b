import Glibc

/// A directory tree as one text, so that a change of it can be read and git keeps all of it.
///
/// A line that begins with `@` starts an entry; the lines behind it are its content:
///
///     @ 7/stat                    a file
///     @ 7/io 0000                 a file and its mode
///     @ 7/task/                   a directory without entries
///     @ 7/ 0000                   a directory and its mode
///     @ 7/exe -> /usr/bin/app     a symbolic link
///
/// A line that begins with `#` is a comment. In content, `\\` is a backslash, `\0` a NUL byte,
/// `\xHH` any byte, and a `\` at the end of a line leaves out the line feed. Directories come by
/// themselves.
package struct FixtureTree: Equatable {
  package enum Node: Equatable {
    case file([UInt8], mode: UInt32)
    case link(String)
    case directory
  }

  /// A line that is none of the above, or a file system that did not take an entry.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package var description: String
  }

  /// By path.
  package var entries: [String: Node] = [:]
  /// Of directories that are not open to all, by path.
  package var directoryModes: [String: UInt32] = [:]

  package init() {}

  /// Reads the text of a `.tree` file.
  ///
  /// - Throws: ``Failure``.
  package init(text: String) throws {
    var path: String?
    var content: [UInt8] = []
    var mode: UInt32 = 0o644
    func failure(_ line: Int, _ what: String) -> Failure {
      Failure(description: "line \(line + 1): \(what)")
    }
    func finish() {
      if let path { entries[path] = .file(content, mode: mode) }
      path = nil
      content = []
      mode = 0o644
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    for (number, line) in lines.enumerated() {
      if line.hasPrefix("#") { continue }
      guard line.hasPrefix("@") else {
        guard path != nil else { throw failure(number, "content without an entry") }
        guard let bytes = Self.unescaped(line) else { throw failure(number, "unknown escape") }
        content += bytes
        continue
      }
      finish()
      let words = line.dropFirst().split(separator: " ", maxSplits: 2).map(String.init)
      guard let name = words.first, !name.hasPrefix("/"), !name.contains("..") else {
        throw failure(number, "expected a relative path")
      }
      if words.count == 3, words[1] == "->" {
        entries[name] = .link(words[2])
      } else if words.count == 1, name.hasSuffix("/") {
        entries[String(name.dropLast())] = .directory
      } else if words.count == 1 {
        path = name
      } else if words.count == 2, name.hasSuffix("/"), let octal = UInt32(words[1], radix: 8) {
        entries[String(name.dropLast())] = .directory
        directoryModes[String(name.dropLast())] = octal
      } else if words.count == 2, let octal = UInt32(words[1], radix: 8) {
        path = name
        mode = octal
      } else {
        throw failure(number, "expected \"@ path\", \"@ path mode\" or \"@ path -> target\"")
      }
    }
    finish()
  }

  /// Reads `Tests/Fixtures/NAME.tree`.
  ///
  /// - Throws: ``Failure``.
  package init(named name: String) throws {
    try self.init(
      text: String(decoding: try contents("Tests/Fixtures/\(name).tree"), as: UTF8.self))
  }

  /// Makes the tree in an existing directory.
  ///
  /// - Throws: ``Failure``.
  package func unpack(into root: String) throws {
    for (path, node) in entries.sorted(by: { $0.key < $1.key }) {
      var parent = root
      for part in path.split(separator: "/").dropLast() {
        parent += "/\(part)"
        mkdir(parent, 0o755)
      }
      let full = "\(root)/\(path)"
      switch node {
      case .directory:
        guard mkdir(full, 0o755) == 0 || errno == EEXIST else { throw failure(full) }
      case .link(let target):
        guard symlink(target, full) == 0 else { throw failure(full) }
      case .file(let bytes, let mode):
        try writeFile(full, bytes)
        guard chmod(full, mode) == 0 else { throw failure(full) }
      }
    }
    for (path, mode) in directoryModes {
      guard chmod("\(root)/\(path)", mode) == 0 else { throw failure("\(root)/\(path)") }
    }
  }

  private func failure(_ path: String) -> Failure {
    Failure(description: "\(path): \(String(cString: strerror(errno)))")
  }

  /// The bytes of one line, with its line feed; nil for an unknown escape.
  private static func unescaped(_ line: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = Array(line.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      switch rest.popFirst() {
      case nil: return bytes
      case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
      case UInt8(ascii: "0"): bytes.append(0)
      case UInt8(ascii: "x"):
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        guard digits.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(2)
      default: return nil
      }
    }
    return bytes + [UInt8(ascii: "\n")]
  }
}
