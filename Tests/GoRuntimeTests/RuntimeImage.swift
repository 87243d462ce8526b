import Linux
import TestSupport
import Testing

@testable import GoRuntime

/// The variables of a Go runtime in memory, as a layout has them, holding figures that agree.
struct RuntimeImage {
  let layout: Layout
  private(set) var heap = HeapFigures()
  private(set) var scheduler = SchedulerFigures()
  private(set) var collector = CollectorFigures()
  let addresses: Addresses
  private var regions: [Region]

  /// Memory that is there, in words.
  struct Region {
    let start: UInt64
    var words: [UInt64]
  }

  static let image: Range<UInt64> = 0x40_0000..<0x48_0000
  static let heapStart: UInt64 = 0xc0_0000_0000
  static let wallClock: Int64 = 1_800_000_000_000_000_000

  /// - Parameters:
  ///   - layout: Of the version and machine.
  ///   - processors: GOMAXPROCS.
  ///   - cycles: How often garbage was collected.
  ///   - random: Where the figures come from.
  init(
    _ layout: Layout, processors: Int = 3, cycles: UInt32 = 5,
    _ random: inout SeededGenerator
  ) {
    self.layout = layout
    let image = Self.image.lowerBound
    addresses = Addresses(
      memstats: image + 0x1_0000, controller: image + 0x8000, heap: image + 0x2_0000,
      scheduler: image + 0x6_0000, processors: image + 0x6_8000, goroutineCount: image + 0x6_8108)
    regions = [
      Region(start: image, words: [UInt64](repeating: 0, count: 0x8_0000 / 8)),
      Region(
        start: Self.heapStart,
        words: [UInt64](repeating: 0, count: 0x8_000 + max(100, processors) * 0x801)),
    ]
    layOutHeap(&random)
    layOutScheduler(processors: processors, &random)
    layOutCollector(cycles: cycles, &random)
  }

  // MARK: Memory

  /// A word.
  subscript(_ address: UInt64) -> UInt64 {
    get {
      let region = regions[address >= Self.heapStart ? 1 : 0]
      return region.words[Int(address - region.start) / 8]
    }
    set {
      let index = address >= Self.heapStart ? 1 : 0
      regions[index].words[Int(address - regions[index].start) / 8] = newValue
    }
  }

  mutating func setHalf(_ address: UInt64, _ value: UInt32) {
    let shift = address % 8 * 8
    self[address & ~7] = self[address & ~7] & ~(0xffff_ffff << shift) | UInt64(value) << shift
  }

  /// Reads what is there, as `process_vm_readv(2)` does.
  func read(_ pieces: MemoryPieces, _ buffer: inout [UInt64]) throws(Errno) {
    buffer.removeAll(keepingCapacity: true)
    for (address, length) in zip(pieces.addresses, pieces.lengths) {
      guard
        let region = regions.first(where: {
          address >= $0.start && length <= $0.words.count * 8
            && address - $0.start <= UInt64($0.words.count) * 8 - length
        })
      else { throw .badAddress }
      let first = Int(address - region.start) / 8
      buffer += region.words[first..<(first + Int(length / 8))]
    }
  }

  /// What the program's file would say.
  func file(hasSymbols: Bool, layout other: Layout? = nil) -> ProgramFile {
    let symbols: ProgramFile.Symbols = [
      .memstats: addresses.memstats, .controller: addresses.controller, .heap: addresses.heap,
      .scheduler: addresses.scheduler, .processors: addresses.processors,
      .goroutines: addresses.goroutineCount - 8,
    ]
    return ProgramFile(
      version: "go1.\(layout.minor)", layout: other ?? layout, isNewerThanKnown: false,
      symbols: hasSymbols ? symbols : nil, variables: [Self.image], image: Self.image,
      isRelocatable: false)
  }

  func snapshot() throws -> Snapshot {
    var snapshot = Snapshot(layout, addresses)
    try snapshot.take(read)
    return snapshot
  }

  // MARK: What it holds

  private mutating func layOutHeap(_ random: inout SeededGenerator) {
    func number(_ range: Range<UInt64>) -> UInt64 { .random(in: range, using: &random) }
    heap.tinyObjects = number(0..<1000)
    heap.allocatedBytes = number(1..<1 << 30)
    heap.freedBytes = number(0..<heap.allocatedBytes)
    put(.tinyAllocCount, heap.tinyObjects, &random)
    put(.largeAlloc, heap.allocatedBytes, &random)
    put(.largeFree, heap.freedBytes, &random)
    let large = number(100..<10_000)
    let largeFreed = number(0..<100)
    put(.largeAllocCount, large, &random)
    put(.largeFreeCount, largeFreed, &random)
    (heap.allocatedObjects, heap.freedObjects) = (large, largeFreed)
    for (index, size) in SizeClasses.sizes.enumerated() {
      let allocated = number(0..<1000)
      let freed = number(0..<allocated + 1)
      put(.smallAllocCount, index: index, allocated, &random)
      put(.smallFreeCount, index: index, freed, &random)
      heap.allocatedObjects += allocated
      heap.freedObjects += freed
      heap.allocatedBytes += allocated * size
      heap.freedBytes += freed * size
    }
    heap.inUse = heap.allocatedBytes - heap.freedBytes + number(1 << 20..<1 << 32)
    heap.released = number(0..<1 << 32)
    heap.free = number(0..<1 << 32)
    heap.stacksInUse = number(0..<1 << 28)
    let workBuffers = number(0..<1 << 28)
    let bits = layout.ifPresent(.inPointerScalarBits) == nil ? 0 : number(0..<1 << 20)
    let committed = heap.inUse + heap.free + heap.stacksInUse + workBuffers + bits
    put(.committed, committed, &random)
    put(.released, heap.released, &random)
    put(.inHeap, heap.inUse, &random)
    put(.inStacks, heap.stacksInUse, &random)
    put(.inWorkBufs, workBuffers, &random)
    if bits > 0 { put(.inPointerScalarBits, bits, &random) }

    heap.stacksSys = number(0..<1 << 20)
    heap.spansInUse = number(0..<1000) * UInt64(layout[.mspanSize])
    heap.spansSys = heap.spansInUse + number(0..<1 << 14)
    heap.cachesSys = number(1 << 24..<1 << 25)
    heap.buckHashSys = number(0..<1 << 20)
    let miscellaneous = number(0..<1 << 20)
    heap.gcSys = miscellaneous + workBuffers + bits
    heap.otherSys = number(0..<1 << 20)
    heap.sys =
      committed + heap.released + heap.stacksSys + heap.spansSys + heap.cachesSys
      + heap.buckHashSys + miscellaneous + heap.otherSys
    for (field, value) in [
      (.stacksSys, heap.stacksSys), (.mspanSys, heap.spansSys), (.mcacheSys, heap.cachesSys),
      (.buckHashSys, heap.buckHashSys), (.gcMiscSys, miscellaneous), (.otherSys, heap.otherSys),
    ] as [(Field, UInt64)] {
      self[addresses.memstats + UInt64(layout[field])] = value
    }

    heap.marked = number(0..<heap.inUse)
    heap.goal = heap.marked * 2 + (4 << 20)
    for (field, value) in [
      (.heapInUse, heap.inUse), (.heapReleased, heap.released), (.heapFree, heap.free),
      (.totalAlloc, heap.allocatedBytes), (.totalFree, heap.freedBytes),
      (.mappedReady, heap.sys - heap.released), (.heapMarked, heap.marked),
      (.gcPercentHeapGoal, heap.goal), (.triggered, .max),
    ] as [(Field, UInt64)] {
      self[addresses.controller + UInt64(layout[field])] = value
    }
    for (field, value) in [
      (.spanAllocSize, UInt64(layout[.mspanSize])), (.spanAllocInUse, heap.spansInUse),
      (.spanAllocStat, addresses.memstats + UInt64(layout[.mspanSys])),
      (.cacheAllocSize, UInt64(layout[.mcacheSize])),
      (.cacheAllocStat, addresses.memstats + UInt64(layout[.mcacheSys])),
    ] as [(Field, UInt64)] {
      self[addresses.heap + UInt64(layout[field])] = value
    }
  }

  /// Spreads a sum over the three entries of the ring.
  private mutating func put(
    _ field: Field, index: Int = 0, _ sum: UInt64, _ random: inout SeededGenerator
  ) {
    let parts = [UInt64.random(in: 0 ... .max, using: &random), random.next()]
    for (entry, value) in (parts + [sum &- parts[0] &- parts[1]]).enumerated() {
      let offset = entry * layout[.deltaSize] + layout[field] + index * 8
      self[addresses.memstats + UInt64(offset)] = value
    }
  }

  private mutating func layOutScheduler(processors: Int, _ random: inout SeededGenerator) {
    func number(_ range: Range<UInt32>) -> UInt32 { .random(in: range, using: &random) }
    let caches = Self.heapStart + 0x8000
    let list = Self.heapStart + 0x4_0000 + UInt64(processors) * 0x4000
    var free: UInt32 = 0
    for index in 0..<processors {
      let processor = Self.heapStart + 0x4_0000 + UInt64(index) * 0x4000
      let cache = index == 0 ? caches : processor + 0x2000
      self[list + UInt64(index) * 8] = processor
      setHalf(processor + UInt64(layout[.pID]), UInt32(index))
      setHalf(processor + UInt64(layout[.pStatus]), 1)
      self[processor + UInt64(layout[.pCache])] = cache
      self[cache + UInt64(layout[.mcacheAlloc])] = Self.image.lowerBound
      let ofThis = number(0..<20)
      setHalf(processor + UInt64(layout[.pFreeG]), ofThis)
      free += ofThis
    }
    self[addresses.processors] = list
    self[addresses.processors + 8] = UInt64(processors)
    self[addresses.processors + 16] = UInt64(processors)
    heap.cachesInUse = UInt64(processors * layout[.mcacheSize])
    self[addresses.heap + UInt64(layout[.cacheAllocInUse])] = heap.cachesInUse

    let ofAll = number(0..<20)
    set(.freeG, ofAll)
    free += ofAll
    if layout.ifPresent(.freeGWithoutStack) != nil {
      let withoutStack = number(0..<20)
      set(.freeGWithoutStack, withoutStack)
      free += withoutStack
    }
    let system = number(3..<9)
    set(.systemG, system)
    scheduler.goroutines = UInt64(number(1..<50))
    let all = scheduler.goroutines + UInt64(system + free)
    let goroutine = Self.heapStart + 0x2000
    let slice = addresses.goroutineCount - 8
    self[slice] = Self.heapStart + 0x1800
    self[slice + 8] = all
    self[slice + 16] = all + 5
    for index in 0..<all { self[self[slice] + index * 8] = goroutine + index % 8 * 0x400 }
    for index in 0..<UInt64(8) {
      let address = goroutine + index * 0x400
      self[address] = 0x1000
      self[address + 8] = 0x2000
      setHalf(address + UInt64(layout[.gStatus]), 4)
      self[address + UInt64(layout[.gID])] = index + 1
    }

    scheduler.threads = UInt64(number(1..<30))
    let ended = UInt64(number(0..<5))
    self[addresses.scheduler + UInt64(layout[.goroutineIDs])] = (all + 15) & ~15
    self[addresses.scheduler + UInt64(layout[.lastPoll])] = 1_000_000
    self[addresses.scheduler + UInt64(layout[.nextM])] = scheduler.threads + ended
    self[addresses.scheduler + UInt64(layout[.freedM])] = ended
    set(.maxMCount, 10_000)
    self[addresses.scheduler + UInt64(layout[.procResizeTime])] = 1_000_000
    self[addresses.scheduler + UInt64(layout[.idleM])] = Self.heapStart
    set(.idleMCount, 1)
    scheduler.processors = UInt64(processors)
  }

  private mutating func set(_ field: Field, _ value: UInt32) {
    setHalf(addresses.scheduler + UInt64(layout[field]), value)
  }

  private mutating func layOutCollector(cycles: UInt32, _ random: inout SeededGenerator) {
    collector.cycles = UInt64(cycles)
    collector.forcedCycles = UInt64(cycles / 2)
    collector.lastEnd = cycles == 0 ? 0 : UInt64(Self.wallClock) - 5_000_000_000
    for cycle in 0..<cycles {
      let pause = UInt64.random(in: 1000..<1_000_000, using: &random)
      self[addresses.memstats + UInt64(layout[.pauses]) + UInt64(cycle % 256) * 8] = pause
      collector.pauses.insert(pause, at: 0)
      collector.pauseTotal += pause
    }
    collector.pauses.removeLast(max(0, collector.pauses.count - 256))
    collector.cpuFraction = .random(in: 0..<1, using: &random)
    collector.percent = 100
    collector.memoryLimit = .max
    let memstats = addresses.memstats
    setHalf(memstats + UInt64(layout[.numGC]), cycles)
    setHalf(memstats + UInt64(layout[.numForcedGC]), cycles / 2)
    self[memstats + UInt64(layout[.lastGC])] = collector.lastEnd
    self[memstats + UInt64(layout[.pauseTotal])] = collector.pauseTotal
    self[memstats + UInt64(layout[.gcCPUFraction])] = collector.cpuFraction.bitPattern
    setHalf(addresses.controller + UInt64(layout[.gcPercent]), 100)
    self[addresses.controller + UInt64(layout[.memoryLimit])] = UInt64(Int64.max)
  }
}

extension Layout: CustomTestStringConvertible {
  public var testDescription: String { "1.\(minor) \(machine)" }
}
