import Linux

/// Finds the variables of the Go runtime in a running program: by its symbols, or, where it was
/// stripped, by what the variables hold.
///
/// Either way what is found must look like what it should be, which also shows that the layout is
/// the right one.
struct Locator {
  private let file: ProgramFile
  let layout: Layout
  /// What is added to addresses of the file.
  private let bias: UInt64
  private let image: Range<UInt64>
  private let read: ReadMemory

  init(_ file: ProgramFile, bias: UInt64, _ read: @escaping ReadMemory) {
    self.file = file
    self.bias = bias
    self.read = read
    layout = file.layout
    image = (file.image.lowerBound &+ bias)..<(file.image.upperBound &+ bias)
  }

  /// How much is searched at most.
  private static let searchLimit: UInt64 = 64 << 20
  /// Words that are searched in one go, and how many of them are looked at again with the next.
  private static let window = 1 << 17
  private static let overlap = 128
  /// Possible finds that are looked at more closely.
  private static let candidateLimit = 10_000

  /// Finds everything.
  ///
  /// - Throws: What was not found; another attempt can succeed, since a busy program changes
  ///   meanwhile.
  func locate() throws(Refusal) -> Addresses {
    if let symbols = file.symbols { return try bySymbols(symbols) }
    guard let heap = search({ heap(at: $0) }).first else {
      throw .notLocated("runtime.mheap_")
    }
    let memstats = memstats(of: heap)
    guard let controller = controller(memstats) else {
      throw .notLocated("runtime.gcController")
    }
    let count = processorCount(heap)
    guard let count, let processors = processors(count) else { throw .notLocated("runtime.allp") }
    guard let goroutines = goroutines() else { throw .notLocated("runtime.allgs") }
    guard let scheduler = scheduler(processors.pointers) else {
      throw .notLocated("runtime.sched")
    }
    return Addresses(
      memstats: memstats, controller: controller, heap: heap, scheduler: scheduler,
      processors: processors.address, goroutineCount: goroutines)
  }

  private func bySymbols(_ symbols: ProgramFile.Symbols) throws(Refusal) -> Addresses {
    func address(_ symbol: ProgramFile.Symbol) -> UInt64 { (symbols[symbol] ?? 0) &+ bias }
    let heap = address(.heap)
    guard isHeap(heap), memstats(of: heap) == address(.memstats) else {
      throw .notLocated("runtime.mheap_ with the layout of this version")
    }
    return Addresses(
      memstats: address(.memstats), controller: address(.controller), heap: heap,
      scheduler: address(.scheduler), processors: address(.processors),
      goroutineCount: address(.goroutines) &+ 8)
  }

  // MARK: mheap_ and memstats

  private func heap(at found: Window) -> [UInt64] {
    let distance = (layout[.cacheAllocSize] - layout[.spanAllocSize]) / 8
    let size = UInt64(layout[.mspanSize])
    var hits: [UInt64] = []
    for place in found.words.indices
    where found.words[place] == size && place + distance < found.words.count
      && found.words[place + distance] == UInt64(layout[.mcacheSize])
    {
      let heap = found.address(place) &- UInt64(layout[.spanAllocSize])
      if isHeap(heap) { hits.append(heap) }
    }
    return hits
  }

  /// Whether the allocators of spans and caches are there, with the sizes of this version's.
  private func isHeap(_ address: UInt64) -> Bool {
    guard let span = word(address, layout[.spanAllocSize]),
      let cache = word(address, layout[.cacheAllocSize]),
      let spanStat = word(address, layout[.spanAllocStat]),
      let cacheStat = word(address, layout[.cacheAllocStat])
    else { return false }
    return span == UInt64(layout[.mspanSize]) && cache == UInt64(layout[.mcacheSize])
      && image.contains(spanStat) && image.contains(cacheStat)
      && cacheStat &- spanStat == UInt64(layout[.mcacheSys] - layout[.mspanSys])
  }

  private func memstats(of heap: UInt64) -> UInt64 {
    (word(heap, layout[.spanAllocStat]) ?? 0) &- UInt64(layout[.mspanSys])
  }

  private func processorCount(_ heap: UInt64) -> UInt64? {
    guard let inUse = word(heap, layout[.cacheAllocInUse]) else { return nil }
    let count = inUse / UInt64(layout[.mcacheSize])
    return (1...Snapshot.processorLimit).contains(count) ? count : nil
  }

  // MARK: gcController

  /// Finds the controller, whose own counts agree with those of `memstats`.
  private func controller(_ memstats: UInt64) -> UInt64? {
    search(before: (memstats, 3 * layout[.deltaSize] / 8)) { window in
      func sum(_ field: Field) -> UInt64 {
        (0..<3).reduce(0) { $0 &+ window.before[($1 * layout[.deltaSize] + layout[field]) / 8] }
      }
      var free = sum(.committed) &- sum(.inHeap) &- sum(.inStacks) &- sum(.inWorkBufs)
      if layout.ifPresent(.inPointerScalarBits) != nil { free &-= sum(.inPointerScalarBits) }
      let wanted = (sum(.inHeap), sum(.released), free)
      if wanted.0 == 0 { return [] }
      let words = window.words
      return words.indices.dropLast(2).filter {
        words[$0] == wanted.0 && words[$0 + 1] == wanted.1 && words[$0 + 2] == wanted.2
      }.map { window.address($0) &- UInt64(layout[.heapInUse]) }
    }.first
  }

  // MARK: allp

  /// Finds the slice of processors; each has its number, and a cache of its own.
  private func processors(_ count: UInt64) -> (address: UInt64, pointers: [UInt64])? {
    let slices = search { window in
      let words = window.words
      return words.indices.dropLast(2).filter {
        words[$0 + 1] == count && words[$0 + 2] >= count && words[$0 + 2] <= 1 << 16
          && isPointer(words[$0])
      }.map { window.address($0) }
    }
    var found: (address: UInt64, pointers: [UInt64])?
    for slice in slices {
      guard let place = word(slice, 0), let pointers = words(place, Int(count)),
        areProcessors(pointers), !isInFirstThread(slice)
      else { continue }
      // Another one may be an old copy.
      if found != nil { return nil }
      found = (slice, pointers)
    }
    return found
  }

  private func areProcessors(_ pointers: [UInt64]) -> Bool {
    var caches: Set<UInt64> = []
    for (index, processor) in pointers.enumerated() {
      guard isPointer(processor), let head = word(processor, layout[.pID]),
        let cache = word(processor, layout[.pCache]), isPointer(cache),
        let span = word(cache, layout[.mcacheAlloc]), span != 0
      else { return false }
      let (id, status) = (UInt32(truncatingIfNeeded: head), head >> 32)
      guard id == UInt32(index), status <= 4, caches.insert(cache).inserted else { return false }
    }
    return true
  }

  /// Whether a slice is the copy that the first thread has: its structure begins with a pointer to
  /// its own first goroutine, which is a variable.
  private func isInFirstThread(_ slice: UInt64) -> Bool {
    guard let offset = layout.ifPresent(.mAllPSnapshot) else { return false }
    guard let goroutine = word(slice &- UInt64(offset), 0) else { return false }
    return image.contains(goroutine)
  }

  // MARK: allgs

  /// Finds the slice of all goroutines; its first one is the first of the program.
  ///
  /// - Returns: Where its length is.
  private func goroutines() -> UInt64? {
    let slices = search { window in
      let words = window.words
      return words.indices.dropLast(2).filter {
        (1...(1 << 32)).contains(words[$0 + 1]) && words[$0 + 2] > words[$0 + 1]
          && words[$0 + 2] <= 1 << 33 && isPointer(words[$0])
      }.map { window.address($0) }
    }
    let hits = slices.filter { slice in
      guard let place = word(slice, 0), let count = word(slice, 8),
        let pointers = words(place, Int(min(count, 8)))
      else { return false }
      return areGoroutines(pointers)
    }
    return hits.count == 1 ? hits[0] &+ 8 : nil
  }

  private func areGoroutines(_ pointers: [UInt64]) -> Bool {
    for (index, goroutine) in pointers.enumerated() {
      guard isPointer(goroutine), let id = word(goroutine, layout[.gID]),
        let low = word(goroutine, 0), let high = word(goroutine, 8),
        let status = half(goroutine, layout[.gStatus])
      else { return false }
      let state = status & 0xfff
      // 6 is dead: such a one need not have a stack.
      guard state <= 12, state == 6 || low < high, index > 0 || id == 1 else { return false }
    }
    return true
  }

  // MARK: sched

  /// Finds the scheduler: counts and times that fit together, and an idle processor that is one.
  private func scheduler(_ processors: [UInt64]) -> UInt64? {
    let now = UInt64(clamping: Instant.now.nanoseconds)
    let idle = Set(processors + [0])
    let first = layout[.idleM]
    func place(_ field: Field) -> Int { layout[field] - first }
    var best: (score: Int, addresses: [UInt64]) = (0, [])
    _ = search { window in
      let words = window.words
      let span = place(.procResizeTime) / 8
      for start in words.indices.dropLast(span) {
        func value(_ field: Field) -> UInt64 { words[start + place(field) / 8] }
        func number(_ field: Field) -> UInt32 { words.half(start * 8 + place(field)) }
        let next = value(.nextM)
        guard (1...1_000_000).contains(next), value(.freedM) < next,
          (1...now).contains(value(.procResizeTime)), idle.contains(value(.idleP)),
          number(.systemG) <= 1000, number(.idlePCount) <= processors.count,
          UInt64(number(.idleMCount)) <= next, number(.maxMCount) > 0
        else { continue }
        let score = (number(.maxMCount) == 10_000 ? 2 : 0) + (value(.idleM) == 0 ? 0 : 1)
        let address = window.address(start) &- UInt64(first)
        if score > best.score || best.addresses.isEmpty {
          best = (score, [address])
        } else if score == best.score {
          best.addresses.append(address)
        }
      }
      return []
    }
    return best.addresses.count == 1 ? best.addresses[0] : nil
  }

  // MARK: Memory

  /// A part of what is searched.
  struct Window {
    var start: UInt64
    var words: [UInt64]
    /// What was read in the same call, before it.
    var before: [UInt64]

    func address(_ place: Int) -> UInt64 { start &+ UInt64(place) * 8 }
  }

  /// Where `runtime.work` is, as far as that is known.
  func work(bytes: Int) -> [Range<UInt64>]? {
    file.symbols?[.work].map { [$0..<min($0 &+ UInt64(bytes), max($0, file.image.upperBound))] }
  }

  /// Goes through the variables of the program, window by window.
  ///
  /// - Parameters:
  ///   - before: What else is read each time, just before the window.
  ///   - ranges: Addresses of the file, instead of all variables.
  ///   - body: Looks at a window.
  /// - Returns: What it found, each address once.
  func search(
    before: (address: UInt64, words: Int)? = nil, in ranges: [Range<UInt64>]? = nil,
    _ body: (Window) -> [UInt64]
  ) -> [UInt64] {
    var hits: [UInt64] = []
    var left = Self.searchLimit
    var buffer: [UInt64] = []
    for range in ranges ?? file.variables {
      var start = (range.lowerBound &+ bias &+ 7) & ~7
      let end = (range.upperBound &+ bias) & ~7
      while start < end, left > 0 {
        let length = min(Int((end - start) / 8), Self.window)
        var pieces = MemoryPieces()
        if let before { pieces.add(before.address, words: before.words) }
        pieces.add(start, words: length)
        do throws(Errno) {
          try read(pieces, &buffer)
        } catch {
          break
        }
        let skipped = before?.words ?? 0
        for hit in body(
          Window(
            start: start, words: Array(buffer[skipped...]), before: Array(buffer[..<skipped])))
        where !hits.contains(hit) && hits.count < Self.candidateLimit { hits.append(hit) }
        left -= min(left, UInt64(length) * 8)
        if length < Self.window { break }
        start += UInt64(length - Self.overlap) * 8
      }
    }
    return hits
  }

  private func isPointer(_ value: UInt64) -> Bool {
    value & 7 == 0 && (4096..<(1 << 57)).contains(value)
  }

  private func words(_ address: UInt64, _ count: Int) -> [UInt64]? {
    var pieces = MemoryPieces()
    pieces.add(address, words: count)
    var buffer: [UInt64] = []
    do throws(Errno) {
      try read(pieces, &buffer)
    } catch {
      return nil
    }
    return buffer
  }

  private func word(_ address: UInt64, _ offset: Int) -> UInt64? {
    words(address &+ UInt64(offset), 1)?[0]
  }

  private func half(_ address: UInt64, _ offset: Int) -> UInt32? {
    words(address &+ UInt64(offset & ~7), 1)?.half(offset & 7)
  }
}
