/// Writes the Prometheus text format, version 0.0.4, into one growing buffer.
///
/// Families come one after another, each with all its samples; the caller keeps their order. The
/// buffer is reused: ``reset()`` keeps its memory as long as nobody else holds the finished page.
///
/// - Source: "Text-based format" of the Prometheus documentation.
package struct TextEncoder: Sendable {
  /// The page so far.
  package private(set) var page: [UInt8] = []

  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// A family's header lines and name, rendered once.
  package struct PreparedFamily: Sendable {
    fileprivate let header: [UInt8]
    fileprivate let name: [UInt8]

    package init(_ family: Family) {
      var header = Array("# HELP \(family.name) ".utf8)
      appendEscaped(family.help, quotes: false, to: &header)
      header.append(contentsOf: "\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8)
      self.header = header
      name = Array(family.name.utf8)
    }
  }

  /// The labels of a series, rendered once: `{a="b",c="d"` or nothing.
  package struct PreparedLabels: Sendable, Hashable {
    fileprivate var bytes: [UInt8] = []

    package init(_ labels: [Label]) {
      for label in labels { append(label) }
    }

    /// Adds one more label behind the others.
    package mutating func append(_ label: Label) {
      bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
      bytes.append(contentsOf: label.name.utf8)
      bytes.append(UInt8(ascii: "="))
      bytes.append(UInt8(ascii: "\""))
      appendEscaped(label.value, quotes: true, to: &bytes)
      bytes.append(UInt8(ascii: "\""))
    }
  }

  package init() {}

  /// Starts a new page in the same memory.
  package mutating func reset() {
    page.removeAll(keepingCapacity: true)
  }

  /// Writes the header lines of a family, which its samples must follow.
  package mutating func begin(_ family: PreparedFamily) {
    page.append(contentsOf: family.header)
  }

  /// Writes one sample; an absent one leaves no trace.
  package mutating func sample(
    _ family: PreparedFamily, _ labels: PreparedLabels, _ reading: Reading
  ) {
    if case .absent = reading { return }
    page.append(contentsOf: family.name)
    if !labels.bytes.isEmpty {
      page.append(contentsOf: labels.bytes)
      page.append(UInt8(ascii: "}"))
    }
    page.append(UInt8(ascii: " "))
    switch reading {
    case .absent: break
    case .whole(let value): appendDecimal(value, to: &page)
    case .real(let value): appendNumber(value, to: &page)
    }
    page.append(UInt8(ascii: "\n"))
  }
}

/// Escapes backslash and line feed, and in label values the double quote.
private func appendEscaped(_ text: String, quotes: Bool, to bytes: inout [UInt8]) {
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
    case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
    case UInt8(ascii: "\"") where quotes: bytes.append(contentsOf: "\\\"".utf8)
    default: bytes.append(byte)
    }
  }
}
