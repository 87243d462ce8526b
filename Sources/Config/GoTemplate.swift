import Targets

/// A name in a configuration of process-exporter: a text of Go's template language, of which only
/// places for what is known of a process are understood.
///
/// - Source: `text/template` of Go, and the README of process-exporter, "Using a config file".
struct GoTemplate {
  struct Failure: Error {
    let message: String
  }

  /// The name where none is given.
  static let standard = "{{.ExeBase}}"

  private enum Piece {
    case literal(String)
    case variable(Template.Variable)
    /// What the group of that name caught.
    case match(String)
    /// All that was caught, as Go writes a map.
    case matches
  }

  /// The fields of process-exporter and what they are here.
  private static let fields: [(name: String, variable: Template.Variable)] = [
    ("Comm", .comm), ("ExeBase", .argv0(isBase: true)), ("ExeFull", .argv0(isBase: false)),
    ("Username", .user), ("PID", .pid), ("StartTime", .startTime), ("Cgroups", .cgroups),
  ]
  /// The name that a group gets which has none; Go allows no such name.
  private static let unnamed = "_unnamed"

  private var pieces: [Piece] = []

  /// Reads a text.
  ///
  /// - Throws: What is not understood, and what would be.
  init(_ text: String) throws(Failure) {
    var rest = Array(text.utf8)[...]
    while let open = Self.place(of: "{{", in: rest) {
      pieces.append(.literal(String(decoding: rest[..<open], as: UTF8.self)))
      guard let close = Self.place(of: "}}", in: rest[(open + 2)...]) else {
        throw Failure(
          message: "\(quoted(String(decoding: rest[open...], as: UTF8.self))) has no closing }}")
      }
      let inner = String(decoding: rest[(open + 2)..<close], as: UTF8.self)
      pieces.append(try Self.piece(inner))
      rest = rest[(close + 2)...]
    }
    pieces.append(.literal(String(decoding: rest, as: UTF8.self)))
  }

  private static func place(of braces: String, in text: ArraySlice<UInt8>) -> Int? {
    text.indices.first { text[$0...].starts(with: braces.utf8) }
  }

  /// Reads what stands between braces.
  private static func piece(_ text: String) throws(Failure) -> Piece {
    let words = text.split { $0 == " " || $0 == "\t" || $0 == "\n" }
    if words.count == 1, let path = words.first, path.hasPrefix(".") {
      let names = path.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
      if names == ["Matches"] { return .matches }
      if names.count == 2, names[0] == "Matches", !names[1].isEmpty {
        return .match(String(names[1]))
      }
      if names.count == 1, let field = fields.first(where: { $0.name == names[0] }) {
        return .variable(field.variable)
      }
    }
    if words.count == 3, words[0] == "index", words[1] == ".Matches", words[2].count > 2,
      let quote = words[2].first, quote == "\"" || quote == "`", words[2].last == quote
    {
      return .match(String(words[2].dropFirst().dropLast()))
    }
    var message = "{{\(quoted(text).dropFirst().dropLast())}} is not understood"
    let known = fields.map { ".\($0.name)" } + [".Matches"]
    if words.count == 1, let near = suggestion(for: String(words[0]), among: known) {
      message += "; did you mean {{\(near)}}?"
    } else {
      message +=
        "; expected " + alternatives(known.map { "{{\($0)}}" } + ["{{.Matches.NAME}}"])
    }
    throw Failure(message: message)
  }

  /// The template, and names for the groups that it uses.
  ///
  /// - Throws: That it uses a group which there is not.
  func template(_ expressions: inout [GoExpression]) throws(Failure) -> Template {
    let names = Set(expressions.flatMap(\.names))
    var parts: [Template.Part] = []
    for piece in pieces {
      switch piece {
      case .literal(let text): if !text.isEmpty { parts.append(.literal(text)) }
      case .variable(let variable): parts.append(.variable(variable))
      case .match(let name):
        guard names.contains(name) else {
          let near = suggestion(for: name, among: names.sorted()).map { "; did you mean \($0)?" }
          throw Failure(
            message: "no expression of cmdline has a group (?P<\(name)>…)\(near ?? "")")
        }
        parts.append(.variable(.capture(name)))
      case .matches:
        // In Go's order, in which the one without a name comes first.
        var entries: [(String, String)] = names.sorted {
          $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        .map { ($0, $0) }
        if let last = expressions.indices.last {
          if !expressions[last].names.contains(Self.unnamed) {
            expressions[last].nameLastUnnamed(Self.unnamed)
          }
          entries.insert(("", Self.unnamed), at: 0)
        }
        parts.append(.literal("map["))
        for (index, entry) in entries.enumerated() {
          parts.append(.literal((index == 0 ? "" : " ") + entry.0 + ":"))
          parts.append(.variable(.capture(entry.1)))
        }
        parts.append(.literal("]"))
      }
    }
    return Template(parts)
  }
}
