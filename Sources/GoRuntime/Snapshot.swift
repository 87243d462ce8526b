import Linux

/// What one read of a Go runtime's memory returned, and where in it everything is.
///
/// The process runs on meanwhile, so nothing in it is sure before ``Acceptance`` has looked at it.
struct Snapshot {
  /// Where pieces begin among the words.
  private struct Places {
    var before = 0
    var memstats = 0
    var controller = 0
    var scheduler = 0
    var spans = 0
    var caches = 0
    var goroutineCount = 0
    var processors = 0
    var freeGoroutines = 0
    var latencies: Range<Int>?
    var pauses: Range<Int>?
    var cpuTimes: [Range<Int>] = []
    var after = 0
  }

  /// Processors whose list of free goroutines is read.
  static let processorLimit: UInt64 = 4096

  let layout: Layout
  private let addresses: Addresses
  private var pieces = MemoryPieces()
  private var words: [UInt64] = []
  private var places = Places()
  /// `allp`, as it was when the pieces were laid out.
  private(set) var processors: [UInt64] = []
  private var processorsAt: UInt64 = 0
  /// What is read besides.
  var extras: GoExtras = [] {
    didSet { if extras != oldValue { layOut() } }
  }
  /// Where `cpuStats` may be.
  var cpuTimesAt: [UInt64] = [] {
    didSet { if cpuTimesAt != oldValue { layOut() } }
  }

  init(_ layout: Layout, _ addresses: Addresses) {
    self.layout = layout
    self.addresses = addresses
    layOut()
  }

  /// Says what is read, in which order: what tells of a garbage collection that went on goes first
  /// and last.
  private mutating func layOut() {
    pieces.removeAll()
    places.before = add(addresses.memstats, layout[.numGC], to: 8)
    places.memstats = add(addresses.memstats, 0, to: layout[.gcCPUFraction] + 8)
    places.controller = add(addresses.controller, 0, to: layout[.mappedReady] + 8)
    let schedulerEnd = max(layout[.freeG], layout.ifPresent(.freeGWithoutStack) ?? 0) + 8
    places.scheduler = add(
      addresses.scheduler, layout[.goroutineIDs], to: schedulerEnd - layout[.goroutineIDs])
    places.spans = add(
      addresses.heap, layout[.spanAllocSize],
      to: layout[.spanAllocStat] + 8 - layout[.spanAllocSize])
    places.caches = add(
      addresses.heap, layout[.cacheAllocSize],
      to: layout[.cacheAllocStat] + 8 - layout[.cacheAllocSize])
    places.goroutineCount = add(addresses.goroutineCount, 0, to: 8)
    places.processors = add(addresses.processors, 0, to: 16)
    places.freeGoroutines = pieces.wordCount
    for processor in processors { _ = add(processor, layout[.pFreeG], to: 8) }
    places.latencies = extras.contains(.latencies) ? addHistogram(.timeToRun) : nil
    places.pauses = extras.contains(.pauses) ? addHistogram(.stwTotalTimeGC) : nil
    places.cpuTimes = (extras.contains(.cpuTimes) ? cpuTimesAt : []).map { address in
      let start = add(address, 0, to: CPUTimes.wordCount * 8)
      return start..<(start + CPUTimes.wordCount)
    }
    places.after = add(addresses.memstats, layout[.numGC], to: 8)
  }

  /// Adds a piece.
  ///
  /// - Returns: Where its words begin.
  private mutating func add(_ base: UInt64, _ offset: Int, to bytes: Int) -> Int {
    pieces.add(base &+ UInt64(offset), words: bytes / 8)
  }

  private mutating func addHistogram(_ field: Field) -> Range<Int>? {
    guard let offset = layout.ifPresent(field) else { return nil }
    let size = layout[.timeHistogramSize]
    let start = add(addresses.scheduler, offset, to: size)
    return start..<(start + size / 8)
  }

  /// Reads everything anew, and if `allp` has changed, once more with the processors that are there
  /// now.
  ///
  /// - Parameter read: Reads the process' memory.
  /// - Throws: What it throws, and `EAGAIN` if the processors change again and again.
  mutating func take(_ read: ReadMemory) throws(Errno) {
    for _ in 0..<3 {
      try read(pieces, &words)
      if try !refreshProcessors(read) { return }
    }
    throw .wouldBlock
  }

  /// Forgets which processors there are, since their memory could not be read.
  mutating func forgetProcessors() {
    processors = []
    layOut()
  }

  /// Gives back the memory of what was read.
  mutating func discard() { words = [] }

  /// Reads the pointers of `allp` if its length or place is not the known one.
  ///
  /// - Returns: Whether they have changed.
  private mutating func refreshProcessors(_ read: ReadMemory) throws(Errno) -> Bool {
    let (place, count) = (words[places.processors], processorCount)
    // What is no length is for the checks to find.
    guard (1...Self.processorLimit).contains(count) else { return false }
    if count == UInt64(processors.count), place == processorsAt { return false }
    var list = MemoryPieces()
    list.add(place, words: Int(count))
    (processors, processorsAt) = (try list.words(read), place)
    layOut()
    return true
  }

  // MARK: What was read

  /// Nothing if it was not asked for, or if this version has none.
  var latencies: ArraySlice<UInt64> { words[places.latencies ?? 0..<0] }
  var pauses: ArraySlice<UInt64> { words[places.pauses ?? 0..<0] }
  /// What is where `cpuStats` may be.
  var cpuTimes: [ArraySlice<UInt64>] { places.cpuTimes.map { words[$0] } }
  var memstatsAddress: UInt64 { addresses.memstats }
  var schedulerAddress: UInt64 { addresses.scheduler }

  func memstats(_ field: Field) -> UInt64 { words[places.memstats + layout[field] / 8] }
  func controller(_ field: Field) -> UInt64 { words[places.controller + layout[field] / 8] }
  func scheduler(_ field: Field) -> UInt64 { words[schedulerPlace(field) / 8] }
  func schedulerHalf(_ field: Field) -> UInt32 { words.half(schedulerPlace(field)) }

  private func schedulerPlace(_ field: Field) -> Int {
    places.scheduler * 8 + layout[field] - layout[.goroutineIDs]
  }

  /// The sum of a field over the three entries of `heapStats`, each of which may be negative.
  func heapStat(_ field: Field, index: Int = 0) -> UInt64 {
    var sum: UInt64 = 0
    for entry in 0..<3 {
      sum &+= words[places.memstats + (entry * layout[.deltaSize] + layout[field]) / 8 + index]
    }
    return sum
  }

  /// The same; 0 for a field that this version does not have.
  func heapStatIfPresent(_ field: Field) -> UInt64 {
    layout.ifPresent(field) == nil ? 0 : heapStat(field)
  }

  /// Of the ring of 256.
  func pause(_ index: Int) -> UInt64 { words[places.memstats + layout[.pauses] / 8 + index] }

  var cycles: UInt32 { words.half(places.memstats * 8 + layout[.numGC]) }
  var cyclesBefore: UInt32 { words.half(places.before * 8) }
  var cyclesAfter: UInt32 { words.half(places.after * 8) }
  var forcedCycles: UInt32 { words.half(places.memstats * 8 + layout[.numForcedGC]) }
  var percent: Int32 {
    Int32(bitPattern: words.half(places.controller * 8 + layout[.gcPercent]))
  }
  var spansInUse: UInt64 { span(.spanAllocInUse) }
  var cachesInUse: UInt64 { cache(.cacheAllocInUse) }

  private func span(_ field: Field) -> UInt64 {
    words[places.spans + (layout[field] - layout[.spanAllocSize]) / 8]
  }
  private func cache(_ field: Field) -> UInt64 {
    words[places.caches + (layout[field] - layout[.cacheAllocSize]) / 8]
  }

  /// Whether this is still the runtime that was found: its allocators of spans and caches have the
  /// sizes of this version and count in `memstats`.
  var isOfThisRuntime: Bool {
    span(.spanAllocSize) == UInt64(layout[.mspanSize])
      && cache(.cacheAllocSize) == UInt64(layout[.mcacheSize])
      && span(.spanAllocStat) == addresses.memstats &+ UInt64(layout[.mspanSys])
      && cache(.cacheAllocStat) == addresses.memstats &+ UInt64(layout[.mcacheSys])
  }
  var goroutineCount: UInt64 { words[places.goroutineCount] }
  /// The length of `allp`.
  var processorCount: UInt64 { words[places.processors + 1] }

  /// How many goroutines that have ended wait to be used again.
  var freeGoroutines: UInt64 {
    var sum = UInt64(schedulerHalf(.freeG))
    if layout.ifPresent(.freeGWithoutStack) != nil {
      sum += UInt64(schedulerHalf(.freeGWithoutStack))
    }
    for index in processors.indices {
      sum += UInt64(words.half((places.freeGoroutines + index) * 8))
    }
    return sum
  }
}

/// Reads pieces of a process' memory into a buffer.
typealias ReadMemory = (MemoryPieces, inout [UInt64]) throws(Errno) -> Void

extension MemoryPieces {
  /// Single words.
  init(words addresses: [UInt64]) {
    self.init()
    for address in addresses { add(address, words: 1) }
  }

  /// What is there.
  func words(_ read: ReadMemory) throws(Errno) -> [UInt64] {
    var words: [UInt64] = []
    try read(self, &words)
    return words
  }
}

extension [UInt64] {
  /// The 32-bit number at a place in bytes; the machines that layouts are known of are little-endian.
  func half(_ byte: Int) -> UInt32 { UInt32(truncatingIfNeeded: self[byte / 8] >> (byte % 8 * 8)) }
}
