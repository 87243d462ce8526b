/// What an option's value looks like: how it is named, checked, shown and offered.
package struct Value<Content> {
  /// What stands for it in the help; nil for the last part of the option's name.
  let name: String?
  /// In messages, after "expected".
  let expected: String
  let offer: Offer
  /// The value of a text; nil if it is none.
  let read: (String) -> Content?
  /// The value as it would be given; nil if there is nothing to show.
  let show: (Content) -> String?

  package init(
    _ name: String?, expected: String, offer: Offer = .nothing,
    read: @escaping (String) -> Content?, show: @escaping (Content) -> String?
  ) {
    (self.name, self.expected, self.offer) = (name, expected, offer)
    (self.read, self.show) = (read, show)
  }
}

extension Value where Content == String {
  /// Any text.
  package static func text(_ name: String, offer: Offer = .nothing) -> Self {
    Value(
      name, expected: "<\(name)>", offer: offer, read: { $0 }, show: { $0.isEmpty ? nil : $0 })
  }

  package static var file: Self { .text("file", offer: .files) }
  package static var directory: Self { .text("directory", offer: .directories) }
}

extension Value where Content == Bool {
  package static var boolean: Self {
    Value(
      nil, expected: "true or false", offer: .words(["true", "false"]), read: { Bool($0) },
      show: { $0 ? "true" : "false" })
  }
}

extension Value where Content: FixedWidthInteger {
  package static func number(_ range: ClosedRange<Content>) -> Self {
    Value(
      "n", expected: "a number from \(range.lowerBound) to \(range.upperBound)",
      read: { text in Content(text).flatMap { range.contains($0) ? $0 : nil } },
      show: { "\($0)" })
  }
}

extension Value where Content: RawRepresentable & CaseIterable, Content.RawValue == String {
  /// One of the words of an enumeration.
  package static var word: Self {
    let words = Content.allCases.map(\.rawValue)
    return Value(
      nil, expected: "one of " + words.joined(separator: ", "), offer: .words(words),
      read: { Content(rawValue: $0) }, show: { $0.rawValue })
  }
}
