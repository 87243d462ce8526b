import CPCRE2

/// A regular expression over bytes, as PCRE2 understands it.
///
/// Text that is not UTF-8 is searched all the same: what is no character fits nothing. Bounded are
/// the expression, the text, and the steps of a search, so that none takes longer than a few
/// milliseconds, whatever somebody writes into a command line.
///
/// - Source: `pcre2pattern(3)`. Expressions of Go (RE2) mean the same here.
@safe package final class Pattern: Sendable {
  package struct Failure: Error, Equatable {
    /// In PCRE2's words.
    package let message: String
    /// How many bytes of the expression come before the mistake.
    package let offset: Int
  }

  /// What a search yields.
  package enum Outcome: Sendable, Equatable {
    /// Texts of the groups that took part, by number; the whole at 0.
    case found([Int: [UInt8]])
    case notFound
    /// It took more steps or memory than one search may.
    case tooExpensive
  }

  /// The longest expression in bytes.
  package static let textLimit = 4096
  /// How much of a text is searched.
  package static let subjectLimit = 64 << 10
  /// Steps of one search; about a millisecond.
  static let matchLimit: UInt32 = 100_000
  /// Memory of one search, in KiB.
  static let heapLimit: UInt32 = 4096

  package let text: String
  /// The names of groups, with their numbers.
  package let groups: [String: Int]
  /// How many groups there are besides the whole.
  package let groupCount: Int
  // Compiled code is never written to after it was made.
  private nonisolated(unsafe) let code: OpaquePointer

  /// Compiles an expression.
  ///
  /// - Throws: What is wrong with it, and where.
  package init(_ text: String) throws(Failure) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.textLimit else {
      throw Failure(
        message: "it is longer than \(Self.textLimit) bytes", offset: Self.textLimit)
    }
    var error: Int32 = 0
    var offset = 0
    let options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C
    // SAFETY: the bytes are read during the call only; a nil result owns nothing.
    let code = unsafe bytes.withUnsafeBufferPointer {
      unsafe pcre2_compile_8($0.baseAddress, $0.count, options, &error, &offset, nil)
    }
    guard let code = unsafe code else {
      throw Failure(message: Self.message(error), offset: offset)
    }
    var count: UInt32 = 0
    // SAFETY: the code is valid and the question's answer is a 32-bit number.
    _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    self.text = text
    unsafe self.code = code
    groupCount = Int(count)
    groups = unsafe Self.names(code)
  }

  deinit { unsafe pcre2_code_free_8(code) }

  /// Searches a text for the first place that fits.
  ///
  /// - Parameter subject: What is beyond ``subjectLimit`` is not looked at.
  /// - Returns: What was found.
  package func search(_ subject: [UInt8]) -> Outcome {
    let length = min(subject.count, Self.subjectLimit)
    // SAFETY: both are freed below, and nothing keeps the pointers.
    guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil),
      let context = unsafe pcre2_match_context_create_8(nil)
    else { return .tooExpensive }
    defer {
      unsafe pcre2_match_data_free_8(data)
      unsafe pcre2_match_context_free_8(context)
    }
    _ = unsafe pcre2_set_match_limit_8(context, Self.matchLimit)
    _ = unsafe pcre2_set_heap_limit_8(context, Self.heapLimit)
    // An empty array has no address, which PCRE2 allows for an empty text only since 10.43.
    let bytes = subject.isEmpty ? [0] : subject
    // SAFETY: the text is read during the call only.
    let result = unsafe bytes.withUnsafeBufferPointer {
      unsafe pcre2_match_8(code, $0.baseAddress, length, 0, 0, data, context)
    }
    if result == PCRE2_ERROR_NOMATCH { return .notFound }
    // SAFETY: the pairs belong to the match data, which still lives; there are that many of them.
    guard result > 0, let pairs = unsafe pcre2_get_ovector_pointer_8(data) else {
      return .tooExpensive
    }
    var groups: [Int: [UInt8]] = [:]
    for group in 0..<Int(result) {
      let start = unsafe pairs[2 * group]
      let end = unsafe pairs[2 * group + 1]
      // A group that took no part has the largest number; `\K` can put the start behind the end.
      if start <= end, end <= length { groups[group] = Array(subject[start..<end]) }
    }
    return .found(groups)
  }

  private static func message(_ error: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    // SAFETY: the call writes at most the buffer, and a zero behind the text.
    let length = unsafe buffer.withUnsafeMutableBufferPointer {
      unsafe pcre2_get_error_message_8(error, $0.baseAddress, $0.count)
    }
    return String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
  }

  /// The table of names: entries of one size, each the group's number in two bytes and the name.
  private static func names(_ code: OpaquePointer) -> [String: Int] {
    var count: UInt32 = 0
    var size: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    // SAFETY: the answers have the types that `pcre2api(3)` names; the table belongs to the code.
    _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
    _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size)
    _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    guard count > 0, let table = unsafe table else { return [:] }
    // SAFETY: the table has that many entries of that size.
    let bytes = unsafe Array(UnsafeBufferPointer(start: table, count: Int(count * size)))
    var names: [String: Int] = [:]
    for entry in stride(from: 0, to: bytes.count, by: Int(size)) {
      let name = bytes[(entry + 2)..<(entry + Int(size))].prefix { $0 != 0 }
      names[String(decoding: name, as: UTF8.self)] =
        Int(bytes[entry]) << 8 | Int(bytes[entry + 1])
    }
    return names
  }
}

extension Pattern: Hashable {
  package static func == (left: Pattern, right: Pattern) -> Bool { left.text == right.text }
  package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
