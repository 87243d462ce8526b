import CYAML

/// A step of reading YAML: what libyaml found, and where.
struct YAMLEvent {
  enum Kind {
    case documentStart, documentEnd, streamStart, streamEnd
    case alias(String)
    case scalar(String, isPlain: Bool)
    case sequenceStart, sequenceEnd, mappingStart, mappingEnd
  }

  let kind: Kind
  let position: Position
  /// The name after `&`.
  var anchor: String?
  /// The explicit tag, for example `!!str`.
  var tag: String?
}

/// Why libyaml cannot read a text, in its own words.
struct YAMLSyntaxError: Error {
  let problem: String
  let position: Position
  /// What it was reading, for example `while scanning a quoted scalar`.
  let context: String?
  let contextPosition: Position
  /// Whether the bytes themselves are at fault; then `offset` and `value` count, not `position`.
  let isEncoding: Bool
  let offset: Int
  let value: Int
}

/// The events of a text in UTF-8, from libyaml.
///
/// - Source: `yaml.h` of libyaml 0.2; positions there begin at 0.
@safe struct YAMLEvents: ~Copyable {
  // libyaml keeps a pointer to the parser inside the parser, so its address must not change.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: UnsafeMutableBufferPointer<UInt8>

  /// Begins to read; nil when memory is short.
  init?(_ bytes: [UInt8]) {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    // SAFETY: libyaml fills the whole struct before it returns 1.
    guard unsafe yaml_parser_initialize(parser) == 1 else {
      unsafe parser.deallocate()
      return nil
    }
    let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    // SAFETY: the copy lives exactly as long as the parser that reads it.
    _ = unsafe text.initialize(from: bytes)
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    unsafe self.parser = parser
    unsafe self.text = text
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// The next event; after `streamEnd` it must not be called again.
  ///
  /// - Throws: What is wrong with the text; the rest cannot be read then.
  func next() throws(YAMLSyntaxError) -> YAMLEvent {
    var event = unsafe yaml_event_t()
    // SAFETY: the event is ours until it is deleted; all its strings are copied before.
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw syntaxError }
    defer { unsafe yaml_event_delete(&event) }
    let position = unsafe Position(event.start_mark)
    switch unsafe event.type {
    case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, position: position)
    case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, position: position)
    case YAML_STREAM_START_EVENT: return YAMLEvent(kind: .streamStart, position: position)
    case YAML_ALIAS_EVENT:
      let name = unsafe copy(event.data.alias.anchor) ?? ""
      return YAMLEvent(kind: .alias(name), position: position)
    case YAML_SCALAR_EVENT:
      let scalar = unsafe event.data.scalar
      // SAFETY: libyaml gives the length beside the bytes.
      let value = unsafe String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      return YAMLEvent(
        kind: .scalar(value, isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE),
        position: position, anchor: unsafe copy(scalar.anchor), tag: unsafe copy(scalar.tag))
    case YAML_SEQUENCE_START_EVENT:
      let sequence = unsafe event.data.sequence_start
      return YAMLEvent(
        kind: .sequenceStart, position: position, anchor: unsafe copy(sequence.anchor),
        tag: unsafe copy(sequence.tag))
    case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .sequenceEnd, position: position)
    case YAML_MAPPING_START_EVENT:
      let mapping = unsafe event.data.mapping_start
      return YAMLEvent(
        kind: .mappingStart, position: position, anchor: unsafe copy(mapping.anchor),
        tag: unsafe copy(mapping.tag))
    case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mappingEnd, position: position)
    default: return YAMLEvent(kind: .streamEnd, position: position)
    }
  }

  private var syntaxError: YAMLSyntaxError {
    // SAFETY: libyaml's problem texts are literals; the field is NULL when memory is short.
    let problem = unsafe parser.pointee.problem
    let context = unsafe parser.pointee.context
    return unsafe YAMLSyntaxError(
      problem: problem.map { unsafe String(cString: $0) } ?? "not enough memory",
      position: Position(parser.pointee.problem_mark),
      context: context.map { unsafe String(cString: $0) },
      contextPosition: Position(parser.pointee.context_mark),
      isEncoding: parser.pointee.error == YAML_READER_ERROR,
      offset: Int(clamping: parser.pointee.problem_offset),
      value: Int(parser.pointee.problem_value))
  }
}

/// A copy of one of libyaml's strings, which end with NUL.
private func copy(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
  // SAFETY: libyaml ends anchors and tags with NUL.
  unsafe text.map { unsafe String(cString: $0) }
}

extension Position {
  fileprivate init(_ mark: yaml_mark_t) {
    self.init(line: Int(clamping: mark.line) &+ 1, column: Int(clamping: mark.column) &+ 1)
  }
}
