import CPCRE2

/// A regular expression over bytes, as PCRE2 understands it.
///
/// Text that is not UTF-8 is searched all the same: each byte that belongs to no character counts as
/// U+FFFD, as in Go. Bounded are the expression, the text, and the steps of a search, so that none
/// takes longer than a few milliseconds, whatever somebody writes into a command line. A step is
/// counted at each item of the expression that is tried, by callouts: the limit that PCRE2 itself has
/// is one for each place of the text where a match could begin, and there are many.
///
/// - Source: `pcre2pattern(3)`, `pcre2callout(3)`. Expressions of Go (RE2) mean the same here, but
///   for what `docs/process-exporter.md` names.
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
  /// Steps of one search, at 20 to 30 nanoseconds each.
  static let stepLimit = 250_000
  /// Memory of one search, in KiB.
  static let heapLimit: UInt32 = 4096

  package let text: String
  /// The names of groups, with their numbers.
  package let groups: [String: Int]
  /// How many groups there are besides the whole.
  package let groupCount: Int
  private let hasBackreferences: Bool
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
    // In Go `$` is the very end, and a line begins after every line break.
    let options =
      PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT | PCRE2_DOLLAR_ENDONLY
      | PCRE2_ALT_CIRCUMFLEX
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
    var backreferences: UInt32 = 0
    _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_BACKREFMAX), &backreferences)
    hasBackreferences = backreferences > 0
    self.text = text
    unsafe self.code = code
    groupCount = Int(count)
    groups = unsafe Self.names(code)
  }

  deinit { unsafe pcre2_code_free_8(code) }

  /// Searches a text for the first place that fits.
  ///
  /// - Parameter subject: What is beyond ``subjectLimit`` is not looked at.
  /// - Returns: What was found, in UTF-8.
  package func search(_ subject: [UInt8]) -> Outcome {
    // PCRE2 looks whether it is UTF-8 before it searches.
    searchUTF8(subject) ?? searchUTF8(Self.repaired(subject)) ?? .tooExpensive
  }

  /// A text with U+FFFD for each byte that belongs to no character, up to ``subjectLimit``.
  static func repaired(_ subject: [UInt8]) -> [UInt8] {
    let subject = Array(subject.prefix(subjectLimit))
    var result: [UInt8] = []
    var start = 0
    while start < subject.count {
      do throws(UTF8.ValidationError) {
        _ = try UTF8Span(validating: subject.span.extracting(start..<subject.count))
        result += subject[start...]
        break
      } catch {
        let bad = error.byteOffsets
        result += subject[start..<(start + bad.lowerBound)]
        for _ in bad { result += [0xEF, 0xBF, 0xBD] }
        start += bad.upperBound
      }
    }
    if result.count <= subjectLimit { return result }
    // The limit may be within a character.
    var end = subjectLimit
    while end > 0, result[end] & 0xC0 == 0x80 { end -= 1 }
    return Array(result[..<end])
  }

  /// Searches; nil if the text is not UTF-8.
  private func searchUTF8(_ subject: [UInt8]) -> Outcome? {
    let length = min(subject.count, Self.subjectLimit)
    // SAFETY: both are freed below, and nothing keeps the pointers.
    guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil),
      let context = unsafe pcre2_match_context_create_8(nil)
    else { return .tooExpensive }
    defer {
      unsafe pcre2_match_data_free_8(data)
      unsafe pcre2_match_context_free_8(context)
    }
    _ = unsafe pcre2_set_heap_limit_8(context, Self.heapLimit)
    // What a callout cannot see is how long a text it was that a backreference was compared with.
    var steps = Steps(cost: hasBackreferences ? 1 + length / Steps.bytesPerStep : 1)
    // An empty array has no address, which PCRE2 allows for an empty text only since 10.43.
    let bytes = subject.isEmpty ? [0] : subject
    // SAFETY: the text is read, and the steps are counted, during the call only.
    let result = unsafe withUnsafeMutablePointer(to: &steps) { steps in
      _ = unsafe pcre2_set_callout_8(context, countStep, steps)
      return unsafe bytes.withUnsafeBufferPointer {
        unsafe pcre2_match_8(code, $0.baseAddress, length, 0, 0, data, context)
      }
    }
    if result == PCRE2_ERROR_NOMATCH { return .notFound }
    if (PCRE2_ERROR_UTF8_ERR21...PCRE2_ERROR_UTF8_ERR1).contains(result) { return nil }
    // SAFETY: the pairs belong to the match data, which still lives; there are that many of them.
    guard result > 0, let pairs = unsafe pcre2_get_ovector_pointer_8(data) else {
      return .tooExpensive
    }
    var groups: [Int: [UInt8]] = [:]
    for group in 0..<Int(result) {
      let start = unsafe pairs[2 * group]
      let end = unsafe pairs[2 * group + 1]
      // A group that took no part has PCRE2_UNSET, here -1; `\K` can put the start behind the end.
      if start >= 0, start <= end, end <= length { groups[group] = Array(subject[start..<end]) }
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

/// What a search has done so far.
private struct Steps {
  /// Bytes that take about as long as a step when one item runs over them.
  static let bytesPerStep = 16

  /// What a step costs at least.
  let cost: Int
  var left = Pattern.stepLimit
  var position = 0

  /// Counts that an item is tried at a place of the text.
  ///
  /// - Returns: Whether the search may go on.
  mutating func count(at place: Int) -> Bool {
    left -= cost + abs(place - position) / Self.bytesPerStep
    position = place
    return left > 0
  }
}

/// Called by PCRE2 before each item of the expression.
private func countStep(
  _ callout: UnsafeMutablePointer<pcre2_callout_block_8>?, _ steps: UnsafeMutableRawPointer?
) -> Int32 {
  // SAFETY: PCRE2 hands over its own block and the pointer that the search was given.
  guard let callout = unsafe callout?.pointee,
    let steps = unsafe steps?.assumingMemoryBound(to: Steps.self)
  else { return PCRE2_ERROR_CALLOUT }
  return unsafe steps.pointee.count(at: callout.current_position) ? 0 : PCRE2_ERROR_CALLOUT
}
