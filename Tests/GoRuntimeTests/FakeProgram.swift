import TestSupport

/// Makes small ELF files such as Go's linker writes.
struct FakeProgram {
  var version = "go1.27.3"
  var machine: UInt16 = 62
  /// 2 for programs that cannot be loaded elsewhere, 3 for others.
  var type: UInt16 = 2
  var hasSymbols = true
  var hasSections = true
  /// Bytes between the start of what can be written to and the build information.
  var room = 0
  /// Bit 1 of the build information: texts, not pointers, follow.
  var buildInfoFlags: UInt8 = 2

  static let names = [
    "runtime.memstats", "runtime.gcController", "runtime.mheap_", "runtime.sched", "runtime.allp",
    "runtime.allgs",
  ]
  static let data = 0x1000
  static let dataAddress: UInt64 = 0x50_1000

  var bytes: [UInt8] {
    var file = [UInt8](repeating: 0, count: Self.data)
    func put(_ value: UInt64, _ size: Int, at place: Int) {
      for byte in 0..<size { file[place + byte] = UInt8(truncatingIfNeeded: value >> (byte * 8)) }
    }
    // Data: the build information; then symbols and names.
    file += [UInt8](repeating: 0, count: room)
    let buildInfo = file.count
    file += [0xff] + Array(" Go buildinf:".utf8) + [8, buildInfoFlags]
    file += [UInt8](repeating: 0, count: 16) + [UInt8(version.utf8.count)] + Array(version.utf8)
    file += [UInt8](repeating: 0, count: (8 - file.count % 8) % 8)
    let dataEnd = file.count
    var strings: [UInt8] = [0] + Array("runtime.schedule".utf8) + [0]
    let symbols = file.count
    if hasSymbols {
      file += [UInt8](repeating: 0, count: 24)
      for (index, name) in Self.names.enumerated() {
        let entry = file.count
        file += [UInt8](repeating: 0, count: 24)
        put(UInt64(strings.count), 4, at: entry)
        put(0x60_0000 + UInt64(index) * 0x100, 8, at: entry + 8)
        strings += Array(name.utf8) + [0]
      }
    }
    let symbolsEnd = file.count
    file += strings
    let stringsEnd = file.count

    // Sections: none, .go.buildinfo, .noptrbss, .bss, .symtab, .strtab.
    let sectionNames = ["", ".go.buildinfo", ".noptrbss", ".bss", ".symtab", ".strtab", ".names"]
    let nameStart = file.count
    var nameOffsets: [Int] = []
    for name in sectionNames {
      nameOffsets.append(file.count - nameStart)
      file += Array(name.utf8) + [0]
    }
    let nameEnd = file.count
    file += [UInt8](repeating: 0, count: (8 - file.count % 8) % 8)
    let sections = file.count
    let rows: [(type: UInt64, address: UInt64, start: Int, size: Int, link: UInt64)] = [
      (0, 0, 0, 0, 0),
      (1, Self.dataAddress + UInt64(room), buildInfo, dataEnd - buildInfo, 0),
      (8, 0x60_0000, dataEnd, 0x1_0000, 0), (8, 0x61_0000, dataEnd, 0x2_0000, 0),
      (hasSymbols ? 2 : 1, 0, symbols, symbolsEnd - symbols, 5),
      (3, 0, symbolsEnd, stringsEnd - symbolsEnd, 0), (3, 0, nameStart, nameEnd - nameStart, 0),
    ]
    for (index, row) in rows.enumerated() {
      file += [UInt8](repeating: 0, count: 64)
      let at = sections + index * 64
      put(UInt64(nameOffsets[index]), 4, at: at)
      put(row.type, 4, at: at + 4)
      put(row.address, 8, at: at + 16)
      put(UInt64(row.start), 8, at: at + 24)
      put(UInt64(row.size), 8, at: at + 32)
      put(row.link, 4, at: at + 40)
    }

    let header: [(place: Int, size: Int, value: UInt64)] = [
      (0, 4, 0x464c_457f), (4, 1, 2), (5, 1, 1), (16, 2, UInt64(type)), (18, 2, UInt64(machine)),
      (32, 8, 64), (40, 8, hasSections ? UInt64(sections) : 0), (54, 2, 56), (56, 2, 2),
      (58, 2, 64), (60, 2, hasSections ? UInt64(rows.count) : 0), (62, 2, hasSections ? 6 : 0),
    ]
    for (place, size, value) in header { put(value, size, at: place) }
    let segments: [(flags: UInt64, start: UInt64, address: UInt64, file: UInt64, memory: UInt64)] =
      [
        (5, 0, 0x50_0000, 0x1000, 0x1000),
        (6, 0x1000, Self.dataAddress, UInt64(dataEnd - Self.data), 0x12_f000),
      ]
    for (index, row) in segments.enumerated() {
      let at = 64 + index * 56
      put(1, 4, at: at)
      put(row.flags, 4, at: at + 4)
      put(row.start, 8, at: at + 8)
      put(row.address, 8, at: at + 16)
      put(row.file, 8, at: at + 32)
      put(row.memory, 8, at: at + 40)
    }
    return file
  }
}
