/// Settings that a command line fills.
package protocol Options {
  /// The settings without any option.
  init()
  /// The table: a row for each option, in the order of the help.
  static var options: [Option<Self>] { get }
}

/// One option, flag or argument: a row of a table.
///
/// A new option is a new row; reading, messages, help, completions and the manual page follow from
/// it. Names of one letter have one dash, others two.
package struct Option<Settings> {
  var row: Row
  /// Puts a value into the settings; false if it is none.
  let take: (_ value: String, _ settings: inout Settings) -> Bool
}

/// What an option looks like, whatever its value is for.
struct Row {
  /// Without dashes, the one for messages first; none for an argument, which has a place instead.
  let names: [String]
  /// What stands for the value in the help; nil for a flag.
  var value: String?
  /// What values look like, in messages.
  var expected = ""
  /// What completions offer as its value.
  var offer = Offer.nothing
  /// One or two sentences.
  let help: String
  /// The value if the option is not given, as it would be given; nil if there is none.
  var initial: String?
  var isRepeatable = false
  /// Whether neither help nor completions have it.
  var isHidden = false
  /// The heading in the help; empty for none of its own.
  var section = ""

  /// The names as they are given.
  var dashed: [String] { names.map(Self.dashed) }
  var isArgument: Bool { names.isEmpty }

  static func dashed(_ name: String) -> String { (name.utf8.count == 1 ? "-" : "--") + name }

  /// As it is given, with what stands for its value.
  var form: String {
    let value = value.map { "<\($0)>" } ?? ""
    return isArgument ? value : dashed.joined(separator: ", ") + (value.isEmpty ? "" : " " + value)
  }
}

/// What completions offer as a value.
package enum Offer: Equatable {
  case nothing, files, directories
  case words([String])

  var words: [String] { if case .words(let words) = self { words } else { [] } }
}

extension Option where Settings: Options {
  /// An option with a value, of which the last one counts.
  package init<Content>(
    _ name: String, _ value: Value<Content>, into path: WritableKeyPath<Settings, Content>,
    synonym: String? = nil, isHidden: Bool = false, _ help: String
  ) {
    self.init(name, synonym, value, value.show(Settings()[keyPath: path]), isHidden, help) {
      $1[keyPath: path] = $0
    }
  }

  /// An option that may be missing; otherwise as the one above.
  package init<Content>(
    _ name: String, _ value: Value<Content>, into path: WritableKeyPath<Settings, Content?>,
    synonym: String? = nil, isHidden: Bool = false, _ help: String
  ) {
    self.init(name, synonym, value, nil, isHidden, help) { $1[keyPath: path] = $0 }
  }

  /// An option that may be given several times; otherwise as the one above.
  package init<Content>(
    _ name: String, _ value: Value<Content>, into path: WritableKeyPath<Settings, [Content]>,
    synonym: String? = nil, isHidden: Bool = false, _ help: String
  ) {
    self.init(name, synonym, value, nil, isHidden, isRepeatable: true, help) {
      $1[keyPath: path].append($0)
    }
  }

  /// An option without a value.
  package init(
    flag name: String, into path: WritableKeyPath<Settings, Bool>, synonym: String? = nil,
    isHidden: Bool = false, _ help: String
  ) {
    row = Row(names: [name, synonym].compactMap { $0 }, help: help, isHidden: isHidden)
    take = { _, settings in
      settings[keyPath: path] = true
      return true
    }
  }

  /// A word that is no option and must be given; the name stands for it in the help.
  package init<Content>(
    argument name: String, _ value: Value<Content>,
    into path: WritableKeyPath<Settings, Content>, _ help: String
  ) {
    self.init(nil, nil, value, nil, false, help) { $1[keyPath: path] = $0 }
    row.value = name
  }

  private init<Content>(
    _ name: String?, _ synonym: String?, _ value: Value<Content>, _ initial: String?,
    _ isHidden: Bool, isRepeatable: Bool = false, _ help: String,
    _ put: @escaping (Content, inout Settings) -> Void
  ) {
    row = Row(
      names: [name, synonym].compactMap { $0 }, value: value.name, expected: value.expected,
      offer: value.offer, help: help, initial: initial, isRepeatable: isRepeatable,
      isHidden: isHidden)
    if row.value == nil, let last = name?.utf8.split(separator: UInt8(ascii: ".")).last {
      row.value = String(last)
    }
    take = { text, settings in
      guard let content = value.read(text) else { return false }
      put(content, &settings)
      return true
    }
  }
}

extension Options {
  /// The table for settings that contain these; rows without a heading get one.
  package static func options<Outer>(
    at path: WritableKeyPath<Outer, Self>, section: String = ""
  ) -> [Option<Outer>] {
    options.map { option in
      var row = option.row
      if row.section.isEmpty { row.section = section }
      return Option<Outer>(row: row) { option.take($0, &$1[keyPath: path]) }
    }
  }
}
