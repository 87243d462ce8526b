/// A pattern over bytes: `*` stands for any run of bytes, `?` for one, everything else for itself.
///
/// `*` also crosses `/`, as in the patterns of `fnmatch(3)` without `FNM_PATHNAME`.
package struct Glob: Sendable, Hashable {
  private enum Kind {
    case pattern, literal, lastComponent
  }

  private let pattern: [UInt8]
  private let kind: Kind

  package init(_ pattern: String) { self.init(pattern, .pattern) }

  /// A text without wildcards, whatever bytes are in it.
  package init(literal: String) { self.init(literal, .literal) }

  /// A file's name without wildcards, for paths with or without directories.
  package init(lastComponent: String) { self.init(lastComponent, .lastComponent) }

  private init(_ pattern: String, _ kind: Kind) {
    self.pattern = Array(pattern.utf8)
    self.kind = kind
  }

  /// Whether the whole text fits the pattern.
  ///
  /// Costs at most pattern × text steps.
  package func matches(_ text: [UInt8]) -> Bool {
    switch kind {
    case .pattern: fits(text)
    case .literal: text == pattern
    case .lastComponent:
      text == pattern
        || text.dropLast(pattern.count).last == UInt8(ascii: "/")
          && text.suffix(pattern.count) == pattern[...]
    }
  }

  private func fits(_ text: [UInt8]) -> Bool {
    var p = 0
    var t = 0
    // Where to go on when the bytes after the last `*` do not fit: it takes one byte more.
    var star: (pattern: Int, text: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = (p + 1, t)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        p = last.pattern
        t = last.text + 1
      } else {
        return false
      }
    }
    while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
    return p == pattern.count
  }
}

extension Glob: CustomStringConvertible {
  package var description: String { String(decoding: pattern, as: UTF8.self) }
}
