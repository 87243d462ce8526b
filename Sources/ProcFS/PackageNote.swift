import Linux

/// What the maker of a program says about the package it belongs to, from the program's file.
///
/// - Source: "Package Metadata for Executable Files" of the UAPI group: a note of the owner `FDO`
///   and type 0xcafe1a7e, whose text is a JSON object; `elf(5)`.
enum PackageNote {
  private static let noteType: UInt64 = 0xcafe_1a7e
  /// Segments of a program; a real one has about a dozen.
  private static let segmentLimit = 128
  private static let noteSegmentLimit = 64 << 10
  private static let versionLimit = 128

  /// Reads the version out of a program's file.
  ///
  /// It may wait for the file system, so it belongs on a waiter thread.
  /// - Parameter file: Any open file.
  /// - Returns: The version; nil if it is no ELF file, has no such note or the note no version.
  /// - Throws: `EIO`.
  static func version(of file: borrowing OwnedFD) throws(Errno) -> String? {
    var buffer = ReadBuffer(capacity: 4 << 10, limit: noteSegmentLimit)
    try buffer.readPart(file, from: 0, length: 64)
    guard let header = buffer.content(Header.init) else { return nil }
    let count = min(header.segmentCount, segmentLimit)
    try buffer.readPart(file, from: header.segmentsStart, length: count * header.segmentBytes)
    let segments = buffer.content { table in
      (0..<count).compactMap { header.noteSegment(table, $0) }
    }
    for segment in segments {
      try buffer.readPart(
        file, from: segment.start, length: min(segment.length, noteSegmentLimit))
      let found = buffer.content { notes in
        description(notes, header.isBigEndian, segment.alignment).map {
          version(json: notes.extracting($0))
        }
      }
      if let found { return found }
    }
    return nil
  }

  struct Segment: Equatable {
    var start: Int
    var length: Int
    /// To how many bytes each note is padded.
    var alignment: Int
  }

  /// The head of an ELF file, as far as it tells where the segments are described.
  struct Header: Equatable {
    var isBigEndian: Bool
    /// Whether it is of the 64-bit class.
    var isWide: Bool
    var segmentsStart: Int
    var segmentBytes: Int
    var segmentCount: Int

    /// Reads the first bytes of a file; nil if it is no ELF file with sensible numbers.
    init?(_ bytes: Span<UInt8>) {
      guard bytes.hasPrefix("\u{7F}ELF"), bytes.count >= 52, (1...2).contains(bytes[4]),
        (1...2).contains(bytes[5])
      else { return nil }
      isWide = bytes[4] == 2
      isBigEndian = bytes[5] == 2
      guard
        let start = number(bytes, isWide ? 32 : 28, isWide ? 8 : 4, isBigEndian),
        let size = number(bytes, isWide ? 54 : 42, 2, isBigEndian),
        let count = number(bytes, isWide ? 56 : 44, 2, isBigEndian),
        let segmentsStart = Int(exactly: start), (isWide ? 56...256 : 32...256).contains(size)
      else { return nil }
      self.segmentsStart = segmentsStart
      segmentBytes = Int(size)
      segmentCount = Int(count)
    }

    /// The segment of a place in the table if it holds notes.
    func noteSegment(_ table: Span<UInt8>, _ index: Int) -> Segment? {
      let entry = index * segmentBytes
      guard number(table, entry, 4, isBigEndian) == 4,  // PT_NOTE
        let start = number(table, entry + (isWide ? 8 : 4), isWide ? 8 : 4, isBigEndian),
        let length = number(table, entry + (isWide ? 32 : 16), isWide ? 8 : 4, isBigEndian),
        let alignment = number(table, entry + (isWide ? 48 : 28), isWide ? 8 : 4, isBigEndian),
        let start = Int(exactly: start), let length = Int(exactly: length)
      else { return nil }
      return Segment(start: start, length: length, alignment: alignment == 8 ? 8 : 4)
    }
  }

  /// Finds the note among others.
  ///
  /// - Returns: Where its text is.
  static func description(
    _ bytes: Span<UInt8>, _ isBigEndian: Bool, _ alignment: Int
  ) -> Range<Int>? {
    var at = 0
    while let nameBytes = number(bytes, at, 4, isBigEndian),
      let textBytes = number(bytes, at + 4, 4, isBigEndian),
      let type = number(bytes, at + 8, 4, isBigEndian)
    {
      // Each of them has 32 bits, so that no sum overflows.
      let text = (at + 12 + Int(nameBytes) + alignment - 1) / alignment * alignment
      let end = text + Int(textBytes)
      guard end <= bytes.count else { return nil }
      if type == noteType, nameBytes == 4, bytes.hasPrefix("FDO\0", at: at + 12) {
        return text..<end
      }
      at = (end + alignment - 1) / alignment * alignment
    }
    return nil
  }

  /// The value of `version` in a JSON object.
  ///
  /// - Returns: The text; nil if there is none, or one that no package has.
  static func version(json bytes: Span<UInt8>) -> String? {
    var at = 0
    var depth = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        let isKey = depth == 1 && bytes.hasPrefix("\"version\"", at: at)
        guard let end = stringEnd(bytes, at) else { return nil }
        at = skippingBlanks(bytes, end + 1)
        guard isKey, at < bytes.count, bytes[at] == UInt8(ascii: ":") else { continue }
        return plainString(bytes, skippingBlanks(bytes, at + 1))
      default: break
      }
      at += 1
    }
    return nil
  }

  /// A string without escapes and characters that are none of a version.
  private static func plainString(_ bytes: Span<UInt8>, _ start: Int) -> String? {
    guard start < bytes.count, bytes[start] == UInt8(ascii: "\""),
      let end = stringEnd(bytes, start), (2...versionLimit).contains(end - start)
    else { return nil }
    let text = bytes.extracting((start + 1)..<end)
    for index in text.indices where !(0x20...0x7E).contains(text[index]) || text[index] == 0x5C {
      return nil
    }
    return text.lossyText
  }

  /// Where the string that begins at a quote has its other one.
  private static func stringEnd(_ bytes: Span<UInt8>, _ quote: Int) -> Int? {
    var at = quote + 1
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
      at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
    }
    return at < bytes.count ? at : nil
  }

  private static func skippingBlanks(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var at = start
    while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    return at
  }
}

extension ReadBuffer {
  /// Calls `body` with what the last read returned.
  fileprivate func content<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(storage.span.extracting(0..<count))
  }
}

/// An unsigned number of some bytes; nil beyond the end.
private func number(
  _ bytes: Span<UInt8>, _ start: Int, _ count: Int, _ isBigEndian: Bool
) -> UInt64? {
  guard start >= 0, start <= bytes.count, bytes.count - start >= count else { return nil }
  var value: UInt64 = 0
  for index in 0..<count {
    value = value << 8 | UInt64(bytes[start + (isBigEndian ? index : count - 1 - index)])
  }
  return value
}
