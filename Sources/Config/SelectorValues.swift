import Patterns
import Targets

extension ValueType where Value == Duration {
  /// A length of time as Prometheus writes it: `1h30m`.
  static func duration(_ range: ClosedRange<Duration>) -> Self {
    let bounds = "\(shown(range.lowerBound)) to \(shown(range.upperBound))"
    return scalar(
      "duration, \(bounds)", expected: "a duration from \(bounds), for example 30s, 5m or 1h30m",
      show: { shown($0) }
    ) { text throws(Mismatch) in
      let isNumber = !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
      guard let count = durationMilliseconds(text) else {
        throw .unexpected(
          hint: isNumber
            ? "write \(quoted(text + "s"))"
            : "the units are \(alternatives(units.map(\.name))), the largest first")
      }
      let value = Duration.milliseconds(count)
      guard range.contains(value) else { throw .unexpected() }
      return value
    }
  }
}

/// The units of durations with their milliseconds, the largest first, as Prometheus has them.
private let units: [(name: String, milliseconds: Int64)] = [
  ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000),
  ("m", 60_000), ("s", 1000), ("ms", 1),
]

/// The milliseconds of a duration; nil if the text is none or stands for more than there are.
private func durationMilliseconds(_ text: String) -> Int64? {
  if text == "0" { return 0 }
  var rest = text.utf8[...]
  var total: Int64 = 0
  var remaining = units[...]
  while !rest.isEmpty {
    let digits = rest.prefix { (48...57).contains($0) }
    rest = rest.dropFirst(digits.count)
    let letters = rest.prefix { !(48...57).contains($0) }
    rest = rest.dropFirst(letters.count)
    guard let count = Int64(String(Substring(digits))),
      let place = remaining.firstIndex(where: { $0.name == String(Substring(letters)) })
    else { return nil }
    let (part, isTooMuch) = count.multipliedReportingOverflow(by: units[place].milliseconds)
    let (sum, isSumTooMuch) = total.addingReportingOverflow(part)
    if isTooMuch || isSumTooMuch { return nil }
    total = sum
    remaining = remaining[(place + 1)...]
  }
  return text.isEmpty ? nil : total
}

extension Duration {
  /// A length of time as Prometheus writes it, for example `1h30m`; nil if the text is none.
  package init?(prometheus text: String) {
    guard let count = durationMilliseconds(text) else { return nil }
    self = .milliseconds(count)
  }
}

/// A duration as it stands in a file.
func shown(_ duration: Duration) -> String {
  let parts = duration.components
  var rest = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
  var text = ""
  for unit in units where rest >= unit.milliseconds {
    text += "\(rest / unit.milliseconds)\(unit.name)"
    rest %= unit.milliseconds
  }
  return text.isEmpty ? "0s" : text
}

extension ValueType where Value == Pattern {
  /// A regular expression.
  static var pattern: Self {
    let expected = "a regular expression of 1 to \(Pattern.textLimit) bytes"
    return scalar("regular expression", expected: expected) { text throws(Mismatch) in
      if text.isEmpty { throw .unexpected() }
      do throws(Pattern.Failure) {
        return try Pattern(text)
      } catch {
        // An offset may lie inside a character.
        let before = String(decoding: text.utf8.prefix(error.offset), as: UTF8.self)
        throw .impossible(
          "\(quoted(text)) is not a regular expression: \(error.message), at character"
            + " \(before.unicodeScalars.count + 1)")
      }
    }
  }
}

extension ValueType where Value == Glob {
  /// A pattern for a text of the kernel or of a program.
  static func glob(_ what: String) -> Self {
    scalar("glob", expected: "\(what) or a glob") { text throws(Mismatch) in
      if text.isEmpty || hasControlCharacters(text) { throw .unexpected() }
      if text.utf8.count > Limits.pathBytes {
        throw .impossible("a glob has at most \(Limits.pathBytes) bytes, not \(text.utf8.count)")
      }
      return Glob(text)
    }
  }

  /// A pattern for the path of a control group.
  static var cgroup: Self { rooted("a control group's path") }

  /// A pattern for the name of a service or scope.
  static var unit: Self {
    scalar("glob", expected: "a unit's name or a glob") { text throws(Mismatch) in
      if text.isEmpty || hasControlCharacters(text) { throw .unexpected() }
      if text.utf8.count > Limits.unitBytes {
        throw .impossible(
          "a unit's name has at most \(Limits.unitBytes) bytes, not \(text.utf8.count)")
      }
      if !text.utf8.contains(where: { UInt8(ascii: ".") == $0 || isWildcard($0) }) {
        throw .impossible(
          "\(quoted(text)) can never match: the name of a unit ends in its type; write"
            + " \(quoted(text + ".service"))")
      }
      return Glob(text)
    }
  }
}

private func isWildcard(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?")
}

extension ValueType where Value == Selector.EnvironmentCondition {
  /// `NAME=GLOB`.
  static var environmentCondition: Self {
    scalar(
      "`NAME=GLOB`", expected: "NAME=GLOB, a variable and a glob for its value"
    ) { text throws(Mismatch) in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !hasControlCharacters(text) else {
        // What was found may be a secret.
        throw .impossible("expected NAME=GLOB, a variable and a glob for its value")
      }
      if text.utf8.count > Limits.pathBytes {
        throw .impossible(
          "a condition has at most \(Limits.pathBytes) bytes, not \(text.utf8.count)")
      }
      return Selector.EnvironmentCondition(name: String(parts[0]), value: Glob(String(parts[1])))
    }
  }
}

extension ValueType where Value == String {
  /// The name of a variable of the environment.
  static var variableName: Self {
    scalar("name of a variable", expected: "the name of a variable of the environment") {
      text throws(Mismatch) in
      guard (1...Limits.nameBytes).contains(text.utf8.count), !text.contains("="),
        !hasControlCharacters(text)
      else { throw .unexpected() }
      return text
    }
  }
}
