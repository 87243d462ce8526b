import Linux

@testable import GoRuntime

/// A Go program's file and memory, as far as they are looked at, for any layout.
///
/// Each variable can be changed after ``write()``; places are addresses of the file, which are those
/// in memory if the program is loaded where the file says.
struct FakeRuntime {
  let layout: Layout
  var isStripped = false
  var isRelocatable = false
  /// What is added to addresses when it is loaded.
  var bias: UInt64 = 0
  /// Words by their address in the file.
  private(set) var words: [UInt64: UInt64] = [:]

  var processors = 3
  var goroutines: UInt64 = 20
  var threads: UInt64 = 7
  var cycles: UInt32 = 5
  var pauses: [UInt64] = [1000, 2000, 3000, 4000, 5000]
  /// Objects of 16 bytes that were allocated and freed.
  var allocations: UInt64 = 1000
  var frees: UInt64 = 400

  static let base: UInt64 = 0x10000
  static let memstats: UInt64 = 0x12000
  static let controller: UInt64 = 0x16000
  static let scheduler: UInt64 = 0x17000
  static let processorSlice: UInt64 = 0x18000
  static let goroutineSlice: UInt64 = 0x18040
  static let heap: UInt64 = 0x19000
  static let end: UInt64 = 0x40000
  /// What the program has asked for while running.
  private static let dynamic: UInt64 = 0x41000
  static let memoryEnd: UInt64 = 0x80000

  init(_ layout: Layout) {
    self.layout = layout
    write()
  }

  /// The version that the file says it has.
  var version: String { "go1.\(layout.minor).3" }

  // MARK: Memory

  /// Writes all variables anew.
  mutating func write() {
    words = [:]
    writeHeap()
    writeScheduler()
    writeCollector()
  }

  private mutating func writeHeap() {
    let (inHeap, free, stacks, work, released): (UInt64, UInt64, UInt64, UInt64, UInt64) =
      (1 << 20, 2 << 20, 64 << 10, 32 << 10, 4 << 20)
    let committed = inHeap + free + stacks + work
    // Deltas, of which single ones may be negative.
    set(memstats: .committed, committed &+ 5000, entry: 0)
    set(memstats: .committed, 0 &- 5000, entry: 2)
    set(memstats: .inHeap, inHeap)
    set(memstats: .released, released, entry: 1)
    set(memstats: .inStacks, stacks)
    set(memstats: .inWorkBufs, work)
    set(memstats: .tinyAllocCount, 11)
    set(memstats: .largeAlloc, 100_000)
    set(memstats: .largeAllocCount, 2)
    set(memstats: .smallAllocCount, index: 2, allocations)
    set(memstats: .smallFreeCount, index: 2, frees)
    let sizes: [Field] = [.stacksSys, .mspanSys, .mcacheSys, .buckHashSys, .gcMiscSys, .otherSys]
    for (index, field) in sizes.enumerated() {
      set(Self.memstats, field, UInt64(10_000 * (index + 1)))
    }
    set(Self.controller, .heapInUse, inHeap)
    set(Self.controller, .heapReleased, released)
    set(Self.controller, .heapFree, free)
    set(Self.controller, .totalAlloc, 100_000 + 16 * allocations)
    set(Self.controller, .totalFree, 16 * frees)
    set(Self.controller, .mappedReady, committed + 210_000)
    set(Self.controller, .gcPercentHeapGoal, 4 << 20)
    set(Self.controller, .triggered, .max)
    set(Self.controller, .memoryLimit, UInt64(Int64.max))
    setHalf(Self.controller, .gcPercent, 100)
    set(Self.heap, .spanAllocSize, UInt64(layout[.mspanSize]))
    set(Self.heap, .cacheAllocSize, UInt64(layout[.mcacheSize]))
    set(Self.heap, .spanAllocInUse, 100 * UInt64(layout[.mspanSize]))
    set(Self.heap, .cacheAllocInUse, UInt64(processors * layout[.mcacheSize]))
    let memstats = Self.memstats + bias
    set(Self.heap, .spanAllocStat, memstats + UInt64(layout[.mspanSys]))
    set(Self.heap, .cacheAllocStat, memstats + UInt64(layout[.mcacheSys]))
  }

  private mutating func writeScheduler() {
    set(Self.scheduler, .goroutineIDs, 32)
    set(Self.scheduler, .nextM, threads + 2)
    set(Self.scheduler, .freedM, 2)
    setHalf(Self.scheduler, .maxMCount, 10_000)
    setHalf(Self.scheduler, .systemG, 4)
    setHalf(Self.scheduler, .freeG, 3)
    if layout.ifPresent(.freeGWithoutStack) != nil {
      setHalf(Self.scheduler, .freeGWithoutStack, 1)
    }
    set(Self.scheduler, .idleM, Self.dynamic + 0x30000 + bias)
    setHalf(Self.scheduler, .idleMCount, 1)
    set(Self.scheduler, .procResizeTime, 1)
    // Their pointers, then each processor and its cache, then goroutines.
    var place = Self.dynamic
    slice(Self.processorSlice, place, count: processors, capacity: processors)
    for index in 0..<processors {
      let processor = Self.dynamic + 0x1000 + UInt64(index) * 0x4000
      let cache = processor + 0x3000
      words[place + UInt64(index) * 8] = processor + bias
      setHalf(processor, .pID, UInt32(index))
      set(processor, .pCache, cache + bias)
      set(cache, .mcacheAlloc, 0x1000)
      setHalf(processor, .pFreeG, 1)
    }
    place += 0x800
    slice(Self.goroutineSlice, place, count: Int(goroutines), capacity: Int(goroutines) + 8)
    for index in 0..<goroutines {
      let goroutine = Self.dynamic + 0x20000 + index * 0x400
      words[place + index * 8] = goroutine + bias
      words[goroutine] = 0x1000
      words[goroutine + 8] = 0x2000
      set(goroutine, .gID, index + 1)
      setHalf(goroutine, .gStatus, 4)
    }
  }

  private mutating func writeCollector() {
    setHalf(Self.memstats, .numGC, cycles)
    set(Self.memstats, .lastGC, cycles == 0 ? 0 : 1_700_000_000_000_000_000)
    set(Self.memstats, .pauseTotal, pauses.reduce(0, +))
    for (index, pause) in pauses.enumerated() {
      words[Self.memstats + UInt64(layout[.pauses] + 8 * index)] = pause
    }
    set(Self.memstats, .gcCPUFraction, 0.25.bitPattern)
  }

  private mutating func slice(_ place: UInt64, _ first: UInt64, count: Int, capacity: Int) {
    words[place] = first + bias
    words[place + 8] = UInt64(count)
    words[place + 16] = UInt64(capacity)
  }

  /// Changes a variable.
  mutating func set(_ base: UInt64, _ field: Field, _ value: UInt64) {
    words[base + UInt64(layout[field])] = value
  }

  /// Changes one of 32 bits.
  mutating func setHalf(_ base: UInt64, _ field: Field, _ value: UInt32) {
    let place = base + UInt64(layout[field])
    let (word, shift) = (place & ~7, place % 8 * 8)
    let rest = words[word, default: 0] & ~(0xffff_ffff << shift)
    words[word] = rest | UInt64(value) << shift
  }

  /// Changes a field of one of the three entries of `memstats.heapStats`.
  mutating func set(memstats field: Field, index: Int = 0, _ value: UInt64, entry: Int = 0) {
    let offset = entry * layout[.deltaSize] + layout[field] + 8 * index
    words[Self.memstats + UInt64(offset)] = value
  }

  /// The memory from address 0 to the last one, as it is loaded.
  var memory: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(Self.memoryEnd + bias))
    for (address, word) in words { bytes.put(word, 8, at: Int(address + bias)) }
    return bytes
  }

  // MARK: The file

  /// The lines of `maps`.
  func maps(_ path: String) -> String {
    let (start, text, end) = (Self.base + bias, Self.base + 0x1000 + bias, Self.end + bias)
    func hex(_ address: UInt64) -> String { String(address, radix: 16) }
    return "1000-2000 rw-p 00000000 00:00 0\n"
      + "\(hex(start))-\(hex(text)) r-xp 00000000 08:01 7                          \(path)\n"
      + "\(hex(text))-\(hex(end)) rw-p 00001000 08:01 7                          \(path)\n"
  }

  /// The program's file.
  var file: [UInt8] {
    let symbols: [(String, UInt64)] =
      isStripped
      ? []
      : [
        ("runtime.memstats", Self.memstats), ("runtime.gcController", Self.controller),
        ("runtime.mheap_", Self.heap), ("runtime.sched", Self.scheduler),
        ("runtime.allp", Self.processorSlice), ("runtime.allgs", Self.goroutineSlice),
      ]
    var names: [UInt8] = [0]
    var table = [UInt8](repeating: 0, count: 24)
    for (name, address) in symbols {
      var symbol = [UInt8](repeating: 0, count: 24)
      symbol.put(UInt64(names.count), 4, at: 0)
      symbol.put(address, 8, at: 8)
      table += symbol
      names += Array(name.utf8) + [0]
    }
    var buildInfo = [UInt8](repeating: 0, count: 32)
    buildInfo.replaceSubrange(0..<14, with: [0xff] + Array(" Go buildinf:".utf8))
    buildInfo[15] = 2
    buildInfo += [UInt8(version.utf8.count)] + Array(version.utf8)
    let sectionNames = Array("\0.go.buildinfo\0.noptrbss\0.symtab\0.strtab\0.shstrtab\0".utf8)
    func name(_ text: String) -> UInt64 {
      let bytes = [0] + Array(text.utf8) + [0]
      return UInt64(
        sectionNames.indices.first { sectionNames[$0...].starts(with: bytes) } ?? 0) + 1
    }
    var bytes = header(sectionCount: isStripped ? 4 : 6)
    func add(_ content: [UInt8]) -> (offset: UInt64, size: UInt64) {
      bytes += content
      return (UInt64(bytes.count - content.count), UInt64(content.count))
    }
    var sections: [[UInt64]] = [[0, 0, 0, 0, 0, 0]]
    let info = add(buildInfo)
    sections.append([name(".go.buildinfo"), 1, 0, info.offset, info.size, 0])
    let variables = Self.base + 0x1000
    sections.append([name(".noptrbss"), 8, variables, 0, Self.end - variables, 0])
    let strings = add(sectionNames)
    sections.append([name(".shstrtab"), 3, 0, strings.offset, strings.size, 0])
    if !isStripped {
      let (table, names) = (add(table), add(names))
      sections.append([name(".symtab"), 2, 0, table.offset, table.size, 5])
      sections.append([name(".strtab"), 3, 0, names.offset, names.size, 0])
    }
    bytes.put(UInt64(bytes.count), 8, at: 40)
    for section in sections {
      var entry = [UInt8](repeating: 0, count: 64)
      entry.put(section[0], 4, at: 0)
      entry.put(section[1], 4, at: 4)
      entry.put(section[2], 8, at: 16)
      entry.put(section[3], 8, at: 24)
      entry.put(section[4], 8, at: 32)
      entry.put(section[5], 4, at: 40)
      bytes += entry
    }
    return bytes
  }

  /// The header, with the segments behind it.
  private func header(sectionCount: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64 + 2 * 56)
    bytes.replaceSubrange(0..<6, with: Array("\u{7F}ELF".utf8) + [2, 1])
    bytes.put(isRelocatable ? 3 : 2, 2, at: 16)
    bytes.put(layout.machine == .amd64 ? 62 : 183, 2, at: 18)
    bytes.put(64, 8, at: 32)
    for (place, value) in [(54, 56), (56, 2), (58, 64), (60, sectionCount), (62, 3)] {
      bytes.put(value, 2, at: place)
    }
    let segments: [(UInt64, UInt64, UInt64)] = [
      (5, Self.base, 0x1000), (6, Self.base + 0x1000, Self.end - Self.base - 0x1000),
    ]
    for (index, (flags, address, size)) in segments.enumerated() {
      let at = 64 + index * 56
      bytes.put(1, 4, at: at)
      bytes.put(flags, 4, at: at + 4)
      bytes.put(address, 8, at: at + 16)
      bytes.put(size, 8, at: at + 40)
    }
    return bytes
  }
}

extension [UInt8] {
  /// Writes the lowest bytes of a number, the least significant first.
  fileprivate mutating func put(_ value: UInt64, _ size: Int, at place: Int) {
    for index in 0..<size {
      self[place + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
    }
  }
}
