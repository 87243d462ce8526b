/// A regular expression as Go writes it, with its groups, of which some get a name.
///
/// What a group catches can only be had by its name, but process-exporter also uses groups without
/// one, and the whole.
///
/// - Source: `regexp/syntax` of Go.
struct GoExpression {
  private enum Group {
    /// The place of its parenthesis.
    case unnamed(Int)
    /// The place of its parenthesis, how many bytes there are before the expression in it, and its
    /// name.
    case named(Int, Int, String)
  }

  /// As it stands in the configuration.
  let written: String
  let position: Position?
  /// With the names that were given to groups, and without those that were taken from them.
  private(set) var text: String

  init(_ text: String, at position: Position?) {
    written = text
    self.text = text
    self.position = position
  }

  /// The names of its groups, in the order of their beginnings.
  var names: [String] {
    groups.compactMap { if case .named(_, _, let name) = $0 { name } else { nil } }
  }

  /// Gives a name to the last group without one, or else to the whole.
  mutating func nameLastUnnamed(_ name: String) {
    let (groups, isQuoting) = scan()
    let last = groups.last { if case .unnamed = $0 { true } else { false } }
    if case .unnamed(let place)? = last {
      replace(place, 1, with: "(?P<\(name)>")
    } else {
      // A quotation may go on to the end of the expression.
      text = "(?P<\(name)>\(text)\(isQuoting ? "\\E" : ""))"
    }
  }

  /// Gives names to all groups without one.
  ///
  /// - Parameter prefix: What the names begin with; a number follows.
  /// - Returns: The names of all groups, in the order of their beginnings.
  mutating func nameAll(_ prefix: String) -> [String] {
    let groups = groups
    let names = groups.enumerated().map { index, group in
      if case .named(_, _, let name) = group { name } else { "\(prefix)\(index + 1)" }
    }
    for (group, name) in zip(groups, names).reversed() {
      if case .unnamed(let place) = group { replace(place, 1, with: "(?P<\(name)>") }
    }
    return names
  }

  /// Of several groups with the same name the one in the last expression counts.
  static func forgetRepeatedNames(_ expressions: inout [GoExpression]) {
    var later: Set<String> = []
    for index in expressions.indices.reversed() {
      for group in expressions[index].groups.reversed() {
        if case .named(let place, let length, let name) = group, later.contains(name) {
          expressions[index].replace(place, length, with: "(?:")
        }
      }
      later.formUnion(expressions[index].names)
    }
  }

  private mutating func replace(_ place: Int, _ length: Int, with new: String) {
    var bytes = Array(text.utf8)
    bytes.replaceSubrange(place..<(place + length), with: new.utf8)
    text = String(decoding: bytes, as: UTF8.self)
  }

  private var groups: [Group] { scan().groups }

  /// The groups that catch something, in the order of their beginnings, and whether the end is quoted.
  private func scan() -> (groups: [Group], isQuoting: Bool) {
    let bytes = Array(text.utf8)
    var groups: [Group] = []
    var index = 0
    var isInClass = false
    var isQuoting = false
    func begins(_ word: String) -> Bool { bytes[index...].starts(with: word.utf8) }
    while index < bytes.count {
      if begins("\\Q") {
        // Everything up to the end of the quotation stands for itself.
        while index < bytes.count, !begins("\\E") { index += 1 }
        isQuoting = index == bytes.count
        index += 2
      } else if bytes[index] == UInt8(ascii: "\\") {
        index += 2
      } else if isInClass {
        // Only with its end a class of POSIX is one.
        let name =
          begins("[:")
          ? bytes[(index + 2)...].prefix { 0x61...0x7A ~= $0 | 0x20 || $0 == 0x5E } : []
        if begins("[:"), bytes[(index + 2 + name.count)...].starts(with: ":]".utf8) {
          index += name.count + 4
        } else {
          isInClass = bytes[index] != UInt8(ascii: "]")
          index += 1
        }
      } else if bytes[index] == UInt8(ascii: "[") {
        isInClass = true
        index += begins("[^") ? 2 : 1
        // At the beginning the bracket stands for itself.
        if begins("]") { index += 1 }
      } else if let opening = ["(?P<", "(?<"].first(where: begins),
        case let name = bytes[(index + opening.utf8.count)...].prefix(while: isWord),
        name.endIndex < bytes.count, bytes[name.endIndex] == UInt8(ascii: ">")
      {
        let length = opening.utf8.count + name.count + 1
        if index + length <= bytes.count {
          groups.append(.named(index, length, String(decoding: name, as: UTF8.self)))
        }
        index += length
      } else {
        if begins("("), !begins("(?") { groups.append(.unnamed(index)) }
        index += 1
      }
    }
    return (groups, isQuoting)
  }
}
