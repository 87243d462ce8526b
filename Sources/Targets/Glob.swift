/// A pattern over bytes: `*` stands for any run of bytes, `?` for one, everything else for itself.
///
/// `*` also crosses `/`, as in the patterns of `fnmatch(3)` without `FNM_PATHNAME`.
package struct Glob: Sendable, Hashable {
  private let pattern: [UInt8]

  package init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

  /// Whether the whole text fits the pattern.
  ///
  /// Costs at most pattern × text steps.
  package func matches(_ text: [UInt8]) -> Bool {
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
