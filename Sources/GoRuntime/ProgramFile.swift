package import Linux

/// What the file of a Go program says about it: its version, and where to look for its runtime.
///
/// - Source: `elf(5)`; Go's `debug/buildinfo`.
package struct ProgramFile: Sendable {
  /// As `runtime.Version()` has it: "go1.25.5", "go1.27.3-X:nogreenteagc".
  package let version: String
  let layout: Layout
  /// What it was compiled for.
  package var machine: Machine { layout.machine }
  /// Whether the layout is that of an older version, because this one is not known yet.
  let isNewerThanKnown: Bool
  /// Where the variables lie, if the file has symbols; addresses in the file.
  let symbols: Symbols?
  /// Where variables lie that are zero at the start; addresses in the file.
  let variables: [Range<UInt64>]
  /// From the first to the last byte that is loaded; addresses in the file.
  let image: Range<UInt64>
  /// Whether it can be loaded anywhere.
  let isRelocatable: Bool

  /// Addresses of symbols in the file.
  typealias Symbols = [Symbol: UInt64]
  enum Symbol: String, CaseIterable {
    case memstats = "runtime.memstats"
    case controller = "runtime.gcController"
    case heap = "runtime.mheap_"
    case scheduler = "runtime.sched"
    case processors = "runtime.allp"
    case goroutines = "runtime.allgs"
    case work = "runtime.work"
    case threads = "runtime.allm"
    case endedCgoCalls = "runtime.ncgocall"

    /// Those without which there are none.
    static let needed = Set(allCases).subtracting([.work, .threads, .endedCgoCalls])
  }

  /// What a file turned out to be.
  package enum Outcome: Sendable {
    case program(ProgramFile)
    /// A Go program of a version whose layout is not known.
    case unknown(version: String)
    /// Why nothing can be read: no Go program, or none for a machine that is known.
    case other(String)
  }

  /// Reads a program's file; it may wait for the file system, so it belongs on a waiter thread.
  ///
  /// - Parameter file: Any open file.
  /// - Returns: What it is.
  /// - Throws: `EIO`.
  package static func read(_ file: borrowing OwnedFD) throws(Errno) -> Outcome {
    var reader = Reader()
    guard let header = try reader.header(file) else { return .other("it is no 64-bit ELF program") }
    guard let machine = header.machine else {
      return .other("programs for this kind of machine are not known")
    }
    let segments = try reader.segments(file, header)
    guard let first = segments.first, let end = segments.map(\.addresses.upperBound).max() else {
      return .other("it has no segments that are loaded")
    }
    let sections = try reader.sections(file, header)
    guard let version = try reader.goVersion(file, sections, segments) else {
      return .other("it is no Go program, or one of Go 1.17 or older")
    }
    guard let minor = minor(of: version), let layout = Layout.of(minor: minor, machine) else {
      return .unknown(version: version)
    }
    var variables = [".noptrbss", ".bss"].compactMap { name in
      sections.first { $0.name == name }?.addresses
    }
    if variables.isEmpty { variables = segments.filter(\.isWritable).prefix(2).map(\.addresses) }
    return .program(
      ProgramFile(
        version: version, layout: layout, isNewerThanKnown: minor > layout.minor,
        symbols: try reader.symbols(file, sections), variables: variables,
        image: first.addresses.lowerBound..<end, isRelocatable: header.isRelocatable))
  }

  /// What is added to addresses of the file in a process.
  ///
  /// - Parameter base: Finds where the process has the program's first page; asked if the program can
  ///   be loaded anywhere.
  /// - Returns: The difference; wraps.
  /// - Throws: What that throws.
  package func bias<Failure>(_ base: () throws(Failure) -> UInt64) throws(Failure) -> UInt64 {
    isRelocatable ? try base() &- (image.lowerBound & ~4095) : 0
  }

  /// The minor version in a text such as "go1.25.5 X:greenteagc" or "devel go1.28-abcdef".
  static func minor(of version: String) -> Int? {
    let bytes = Array(version.utf8)
    let mark = Array("go1.".utf8)
    guard
      let start = bytes.indices.first(where: { bytes[$0...].starts(with: mark) })
    else { return nil }
    let digits = bytes[(start + mark.count)...].prefix { (0x30...0x39).contains($0) }
    return digits.count <= 4 ? Int(String(decoding: digits, as: UTF8.self)) : nil
  }
}

/// The parts of an ELF file that are looked at; every number in it may be a lie.
private struct Reader: ~Copyable {
  struct Header {
    var machine: Machine?
    var isRelocatable: Bool
    var segmentsStart: Int
    var segmentCount: Int
    var sectionsStart: Int
    var sectionCount: Int
    var nameSection: Int
  }
  struct Segment {
    var addresses: Range<UInt64>
    var fileRange: Range<Int>
    var isWritable: Bool
  }
  struct Section {
    var name: String
    var type: UInt64
    var addresses: Range<UInt64>
    var fileRange: Range<Int>
    var link: Int
  }

  private static let segmentBytes = 56
  private static let sectionBytes = 64
  private static let symbolBytes = 24
  private static let segmentLimit = 128
  private static let sectionLimit = 4096
  private static let nameLimit = 256 << 10
  private static let tableLimit = 64 << 20
  private static let pieceBytes = 192 << 10
  private static let buildInfoLimit = 64 << 10

  private var buffer = ReadBuffer(capacity: 4 << 10, limit: 256 << 10)

  mutating func header(_ file: borrowing OwnedFD) throws(Errno) -> Header? {
    try buffer.readPart(file, from: 0, length: 64)
    let bytes = buffer.content
    guard bytes.count == 64, bytes.starts(with: "\u{7F}ELF".utf8), bytes[4] == 2, bytes[5] == 1,
      let type = bytes.number(16, 2), type == 2 || type == 3,
      let machine = bytes.number(18, 2),
      let segmentsStart = bytes.place(32), let sectionsStart = bytes.place(40),
      bytes.number(54, 2) == UInt64(Self.segmentBytes)
    else { return nil }
    return Header(
      machine: machine == 62 ? .amd64 : machine == 183 ? .arm64 : nil, isRelocatable: type == 3,
      segmentsStart: segmentsStart, segmentCount: Int(bytes.number(56, 2) ?? 0),
      sectionsStart: bytes.number(58, 2) == UInt64(Self.sectionBytes) ? sectionsStart : 0,
      sectionCount: Int(bytes.number(60, 2) ?? 0), nameSection: Int(bytes.number(62, 2) ?? 0))
  }

  /// The segments that are loaded, by address.
  mutating func segments(
    _ file: borrowing OwnedFD, _ header: Header
  ) throws(Errno) -> [Segment] {
    let count = min(header.segmentCount, Self.segmentLimit)
    try buffer.readPart(file, from: header.segmentsStart, length: count * Self.segmentBytes)
    let bytes = buffer.content
    var segments: [Segment] = []
    for index in 0..<count {
      let at = index * Self.segmentBytes
      guard bytes.number(at, 4) == 1,  // PT_LOAD
        let flags = bytes.number(at + 4, 4),
        let file = bytes.fileRange(at + 8, at + 32), let memory = bytes.addresses(at + 16, at + 40)
      else { continue }
      segments.append(Segment(addresses: memory, fileRange: file, isWritable: flags & 2 != 0))
    }
    return segments.sorted { $0.addresses.lowerBound < $1.addresses.lowerBound }
  }

  /// The sections; none where a program was stripped of their table.
  mutating func sections(
    _ file: borrowing OwnedFD, _ header: Header
  ) throws(Errno) -> [Section] {
    let count = min(header.sectionCount, Self.sectionLimit)
    guard header.sectionsStart > 0, header.nameSection < count else { return [] }
    try buffer.readPart(file, from: header.sectionsStart, length: count * Self.sectionBytes)
    let table = buffer.content
    guard
      let names = table.fileRange(
        header.nameSection * Self.sectionBytes + 24, header.nameSection * Self.sectionBytes + 32)
    else { return [] }
    try buffer.readPart(file, from: names.lowerBound, length: min(names.count, Self.nameLimit))
    let nameBytes = buffer.content
    return (0..<count).map { index in
      let at = index * Self.sectionBytes
      // Those that are cut or lie keep their place, because others say which they mean by number.
      guard let name = table.number(at, 4), let type = table.number(at + 4, 4),
        let addresses = table.addresses(at + 16, at + 32),
        let file = table.fileRange(at + 24, at + 32), let link = table.number(at + 40, 4)
      else { return Section(name: "", type: 0, addresses: 0..<0, fileRange: 0..<0, link: 0) }
      return Section(
        name: nameBytes.text(Int(name)), type: type, addresses: addresses, fileRange: file,
        link: Int(link))
    }
  }

  /// The version in the build information that every program has since Go 1.18.
  mutating func goVersion(
    _ file: borrowing OwnedFD, _ sections: [Section], _ segments: [Segment]
  ) throws(Errno) -> String? {
    guard
      let range = sections.first(where: { $0.name == ".go.buildinfo" })?.fileRange
        ?? segments.first(where: \.isWritable)?.fileRange
    else { return nil }
    try buffer.readPart(
      file, from: range.lowerBound, length: min(range.count, Self.buildInfoLimit))
    let content = buffer.content
    // Without sections, it need not be the first of what can be written to.
    let magic = [0xff] + Array(" Go buildinf:".utf8)
    guard
      let start = stride(from: 0, to: content.count, by: 16).first(where: {
        content[$0...].starts(with: magic)
      })
    else { return nil }
    let bytes = Array(content[start...].prefix(33 + 127))
    // Bit 1 of the flags: the texts follow, each behind its length; before 1.18 there were pointers.
    guard bytes.count > 33, bytes[15] & 2 != 0 else { return nil }
    // A length of 128 or more has two bytes; no version is that long.
    let length = Int(bytes[32])
    guard (1..<128).contains(length), 33 + length <= bytes.count else { return nil }
    let version = bytes[33..<(33 + length)]
    return version.allSatisfy { (0x20...0x7e).contains($0) }
      ? String(decoding: version, as: UTF8.self) : nil
  }

  /// Where the symbols lie; nil if the file has not all of them.
  mutating func symbols(
    _ file: borrowing OwnedFD, _ sections: [Section]
  ) throws(Errno) -> ProgramFile.Symbols? {
    guard let table = sections.first(where: { $0.type == 2 }),  // SHT_SYMTAB
      sections.indices.contains(table.link), table.fileRange.count <= Self.tableLimit
    else { return nil }
    let names = sections[table.link]
    guard names.fileRange.count <= Self.tableLimit else { return nil }
    // By the place of the name among the names.
    var places: [UInt64: ProgramFile.Symbol] = [:]
    let wanted = ProgramFile.Symbol.allCases.map { ($0, [0] + Array($0.rawValue.utf8) + [0]) }
    try pieces(file, names.fileRange, overlap: 64) { bytes, start in
      for place in bytes.indices where bytes[place] == 0 {
        for (symbol, text) in wanted where bytes[place...].starts(with: text) {
          places[UInt64(start + place + 1)] = symbol
        }
      }
    }
    if !ProgramFile.Symbol.needed.isSubset(of: places.values) { return nil }
    var found: ProgramFile.Symbols = [:]
    try pieces(file, table.fileRange, overlap: 0) { bytes, _ in
      for at in stride(from: 0, through: bytes.count - Self.symbolBytes, by: Self.symbolBytes) {
        if let name = bytes.number(at, 4), let symbol = places[name],
          let address = bytes.number(at + 8, 8)
        {
          found[symbol] = address
        }
      }
    }
    return ProgramFile.Symbol.needed.isSubset(of: found.keys) ? found : nil
  }

  /// Reads a range piece by piece; the last bytes of each are the first of the next.
  private mutating func pieces(
    _ file: borrowing OwnedFD, _ range: Range<Int>, overlap: Int, _ body: ([UInt8], Int) -> Void
  ) throws(Errno) {
    // A multiple of the size of a symbol.
    let length = Self.pieceBytes
    var start = range.lowerBound
    while start < range.upperBound {
      try buffer.readPart(file, from: start, length: min(length, range.upperBound - start))
      let bytes = buffer.content
      if bytes.isEmpty { return }
      body(bytes, start - range.lowerBound)
      if bytes.count < length { return }
      start += bytes.count - overlap
    }
  }
}

extension [UInt8] {
  /// An unsigned number of some bytes, the least significant first; nil beyond the end.
  fileprivate func number(_ at: Int, _ size: Int) -> UInt64? {
    guard at >= 0, at <= count, count - at >= size else { return nil }
    return self[at..<(at + size)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A place in a file that can be that large.
  fileprivate func place(_ at: Int) -> Int? {
    number(at, 8).flatMap { $0 < 1 << 48 ? Int($0) : nil }
  }

  fileprivate func fileRange(_ start: Int, _ length: Int) -> Range<Int>? {
    guard let start = place(start), let length = place(length) else { return nil }
    return start..<(start + length)
  }

  /// Addresses that a process can have.
  fileprivate func addresses(_ start: Int, _ length: Int) -> Range<UInt64>? {
    guard let start = number(start, 8), let length = number(length, 8), start < 1 << 57,
      length < 1 << 57
    else { return nil }
    return start..<(start + length)
  }

  /// The text that begins at a place and ends at the next 0.
  fileprivate func text(_ at: Int) -> String {
    guard at < count else { return "" }
    return String(decoding: self[at...].prefix { $0 != 0 }.prefix(64), as: UTF8.self)
  }
}
