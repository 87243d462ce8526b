/// One setting: a row of ``KeyTable``.
struct Key {
  enum Content {
    /// Checks a value and puts it into the draft at the destination.
    case value(
      destination: PartialKeyPath<Draft>, read: (Node, inout Draft, inout Problems) -> Void)
    case mapping
    /// A list whose items are mappings, or one of them by itself where that is allowed; their keys
    /// stand below `PATH[]`.
    case list(item: String, takesOne: Bool, read: (Node, inout Reader) -> Void)
  }

  /// From the top of the file; `[]` stands for every item of a list.
  let path: String
  let content: Content
  /// What the reference calls the type, with its range.
  let type: String
  /// The value when the key is missing, as it would stand in a file.
  let initial: String?
  /// The value in a draft, as it would stand in a file; nil if it cannot be told.
  let shown: (Draft) -> String?
  /// What holds when the key is missing and there is no such value, in words.
  let otherwise: String?
  /// One or two sentences.
  let meaning: String
  /// A value as it may stand in a file; empty for mappings and lists.
  let example: String
  /// The same selector on the command line, for example `pid-file:PATH`.
  let argument: String?

  /// The key as it stands in a file.
  let name: String
  /// The path of the mapping that the key stands in; empty for the top of the file.
  let parent: String

  /// Where the value of a setting goes.
  var destination: PartialKeyPath<Draft>? {
    if case .value(let destination, _) = content { destination } else { nil }
  }

  /// Whether it is a setting, not a mapping or list of settings.
  var isValue: Bool { destination != nil }

  private init(
    _ path: String, _ content: Content, type: String,
    shown: @escaping (Draft) -> String? = { _ in nil }, otherwise: String? = nil, meaning: String,
    example: String = "", argument: String? = nil
  ) {
    self.path = path
    self.content = content
    self.type = type
    initial = shown(Draft())
    self.shown = shown
    self.otherwise = otherwise
    self.meaning = meaning
    self.example = example
    self.argument = argument
    let parts = path.split(separator: ".")
    name = parts.last.map(String.init) ?? ""
    parent = parts.dropLast().joined(separator: ".")
  }

  /// A setting whose value is that of a new draft when it is missing.
  ///
  /// - Parameters:
  ///   - path: See ``path``.
  ///   - type: What its value looks like.
  ///   - destination: Where the value goes. Of several keys with the same destination one may be
  ///     given.
  ///   - example: See ``example``.
  ///   - otherwise: See ``otherwise``.
  ///   - argument: See ``argument``.
  ///   - meaning: See ``meaning``.
  init<Value>(
    _ path: String, _ type: ValueType<Value>, into destination: WritableKeyPath<Draft, Value>,
    example: String, otherwise: String? = nil, argument: String? = nil, _ meaning: String
  ) {
    let name = path.split(separator: ".").last.map(String.init) ?? path
    let content = Content.value(destination: destination) { node, draft, problems in
      guard let value = type.read(node, name, &problems) else { return }
      draft[keyPath: destination] = value
    }
    self.init(
      path, content, type: type.name,
      shown: { type.show($0[keyPath: destination]) }, otherwise: otherwise, meaning: meaning,
      example: example, argument: argument)
  }

  /// A setting that may be missing; otherwise as the one above.
  init<Value>(
    _ path: String, _ type: ValueType<Value>, into destination: WritableKeyPath<Draft, Value?>,
    example: String, otherwise: String? = nil, argument: String? = nil, _ meaning: String
  ) {
    self.init(
      path, type.optional, into: destination, example: example, otherwise: otherwise,
      argument: argument, meaning)
  }

  /// A mapping whose keys have rows of their own.
  static func mapping(_ path: String, _ meaning: String) -> Key {
    Key(path, .mapping, type: "mapping", meaning: meaning)
  }

  /// A list of mappings whose keys have rows of their own.
  static func list(
    _ path: String, of item: String, takesOne: Bool = false, _ meaning: String,
    read: @escaping (Node, inout Reader) -> Void
  ) -> Key {
    Key(
      path, .list(item: item, takesOne: takesOne, read: read),
      type: takesOne ? "mapping, or list of mappings" : "list", meaning: meaning)
  }
}
