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
  /// Whether what is found may be a little less sure.
  private let isLenient: Bool
  private let image: Range<UInt64>
  private let read: ReadMemory

  init(
    _ file: ProgramFile, bias: UInt64, isLenient: Bool = false, _ read: @escaping ReadMemory
  ) {
    self.file = file
    self.bias = bias
    self.isLenient = isLenient
    self.read = read
    layout = file.layout
    let start = file.image.lowerBound &+ bias
    image = start..<max(start, file.image.upperBound &+ bias)
  }

  /// How many bytes of a range are searched at most; linkers put large variables last.
  private static let searchLimit: UInt64 = 64 << 20
  /// Words that are searched in one go.
  private static let window = 1 << 17
  /// Possible finds that are looked at more closely.
  private static let candidateLimit = 10_000

  /// Finds everything.
  ///
  /// - Throws: What was not found; another attempt can succeed, since a busy program changes
  ///   meanwhile.
  func locate() throws(Refusal) -> Addresses {
    if let symbols = file.symbols { return try bySymbols(symbols) }
    guard let heap = heap() else { throw .notLocated("runtime.mheap_") }
    let memstats = memstats(of: heap)
    guard let controller = controller(memstats) else {
      throw .notLocated("runtime.gcController")
    }
    guard let count = processorCount(heap), let processors = processors(count) else {
      throw .notLocated("runtime.allp")
    }
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
    let (processors, goroutines) = (address(.processors), address(.goroutines))
    guard let count = processorCount(heap), self.processors(at: processors, count) != nil else {
      throw .notLocated("runtime.allp with the layout of this version")
    }
    guard areGoroutines(at: goroutines) else {
      throw .notLocated("runtime.allgs with the layout of this version")
    }
    return Addresses(
      memstats: address(.memstats), controller: address(.controller), heap: heap,
      scheduler: address(.scheduler), processors: processors, goroutineCount: goroutines &+ 8)
  }

  // MARK: mheap_ and memstats

  private func heap() -> UInt64? {
    let distance = (layout[.cacheAllocSize] - layout[.spanAllocSize]) / 8
    let (span, cache) = (UInt64(layout[.mspanSize]), UInt64(layout[.mcacheSize]))
    let hits = search(ahead: distance) { window in
      let words = window.words
      return window.places.filter { words[$0] == span && words[$0 + distance] == cache }
    }
    return only(hits.map { $0 &- UInt64(layout[.spanAllocSize]) }.filter(isHeap))
  }

  /// Whether the allocators of spans and caches are there, with the sizes of this version's.
  private func isHeap(_ address: UInt64) -> Bool {
    guard
      let found = words(
        address, at: layout[.spanAllocSize], layout[.spanAllocStat], layout[.cacheAllocSize],
        layout[.cacheAllocStat])
    else { return false }
    return found[0] == UInt64(layout[.mspanSize]) && found[2] == UInt64(layout[.mcacheSize])
      && image.contains(found[1]) && image.contains(found[3])
      && found[3] &- found[1] == UInt64(layout[.mcacheSys] - layout[.mspanSys])
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
    let hits = search(ahead: 2, with: (memstats, 3 * layout[.deltaSize] / 8)) { window in
      let words = window.words
      func sum(_ field: Field) -> UInt64 {
        (0..<3).reduce(0) { $0 &+ words[($1 * layout[.deltaSize] + layout[field]) / 8] }
      }
      let (inUse, released) = (sum(.inHeap), sum(.released))
      var free = sum(.committed) &- inUse &- sum(.inStacks) &- sum(.inWorkBufs)
      if layout.ifPresent(.inPointerScalarBits) != nil { free &-= sum(.inPointerScalarBits) }
      if inUse == 0 { return [] }
      return window.places.filter {
        words[$0] == inUse && words[$0 + 1] == released && words[$0 + 2] == free
      }
    }
    return only(hits).map { $0 &- UInt64(layout[.heapInUse]) }
  }

  // MARK: allp

  /// Finds the slice of processors; each has its number, and a cache of its own.
  private func processors(_ count: UInt64) -> (address: UInt64, pointers: [UInt64])? {
    let slices = search(ahead: 2) { window in
      let words = window.words
      return window.places.filter {
        words[$0 + 1] == count && words[$0 + 2] >= count && words[$0 + 2] <= 1 << 16
          && isPointer(words[$0])
      }
    }
    // Of two, one may be an old copy.
    return only(
      slices.compactMap { slice in
        guard let pointers = self.processors(at: slice, count), !isInFirstThread(slice) else {
          return nil
        }
        return (slice, pointers)
      })
  }

  private func processors(at slice: UInt64, _ count: UInt64) -> [UInt64]? {
    guard let place = word(slice, 0), let pointers = words(place, Int(count)),
      areProcessors(pointers)
    else { return nil }
    return pointers
  }

  private func areProcessors(_ pointers: [UInt64]) -> Bool {
    var caches: Set<UInt64> = []
    for (index, processor) in pointers.enumerated() {
      guard isPointer(processor), let found = words(processor, at: layout[.pID], layout[.pCache]),
        isPointer(found[1]), let span = word(found[1], layout[.mcacheAlloc]), span != 0
      else { return false }
      let (id, status) = (UInt32(truncatingIfNeeded: found[0]), found[0] >> 32)
      guard id == UInt32(index), status <= 4, caches.insert(found[1]).inserted else { return false }
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
    let slices = search(ahead: 2) { window in
      let words = window.words
      return window.places.filter {
        (1...(1 << 32)).contains(words[$0 + 1]) && words[$0 + 2] >= words[$0 + 1]
          && words[$0 + 2] <= 1 << 33 && isPointer(words[$0])
      }
    }
    let hits = slices.filter(areGoroutines(at:))
    // While garbage is collected, work.stackRoots is a copy without room for more.
    let roomy = hits.filter { slice in words(slice, 3).map { $0[2] > $0[1] } ?? false }
    return only(roomy.isEmpty ? hits : roomy).map { $0 &+ 8 }
  }

  /// Whether a slice begins with the first goroutine of the program, and ends with some: numbers
  /// that happen to follow a pointer to goroutines are the length of nothing.
  private func areGoroutines(at slice: UInt64) -> Bool {
    guard let header = words(slice, 2) else { return false }
    let count = min(header[1], 8)
    guard count > 0, let first = words(header[0], Int(count)),
      let last = words(header[0] &+ (header[1] - count) &* 8, Int(count))
    else { return false }
    return areGoroutines(first + last) && word(first[0], layout[.gID]) == 1
  }

  private func areGoroutines(_ pointers: [UInt64]) -> Bool {
    pointers.allSatisfy { goroutine in
      let status = layout[.gStatus]
      guard isPointer(goroutine), let found = words(goroutine, at: 0, 8, status & ~7) else {
        return false
      }
      let state = found[2] >> UInt64((status & 7) * 8) & 0xfff
      // 6 is dead: such a one need not have a stack.
      return state <= 12 && (state == 6 || found[0] < found[1])
    }
  }

  // MARK: sched

  /// Finds the scheduler: counts and times that fit together, and an idle processor that is one.
  ///
  /// Small numbers, of a histogram say, fit together, too, at a moment at which those of the scheduler
  /// do not. So it has to have the limit of threads that all programs have but for those that set
  /// another one, or, when several searches found none of that kind, a list of idle threads.
  private func scheduler(_ processors: [UInt64]) -> UInt64? {
    let now = UInt64(clamping: Instant.now.nanoseconds)
    let idle = Set(processors + [0])
    let first = layout[.goroutineIDs]
    func place(_ field: Field) -> Int { layout[field] - first }
    var best: (score: Int, addresses: [UInt64]) = (0, [])
    _ = search(ahead: place(.procResizeTime) / 8) { window in
      let words = window.words
      for start in window.places {
        func value(_ field: Field) -> UInt64 { words[start + place(field) / 8] }
        func number(_ field: Field) -> UInt32 { words.half(start * 8 + place(field)) }
        let next = value(.nextM)
        guard (1..<(1 << 56)).contains(value(.goroutineIDs)), value(.lastPoll) <= now,
          (1...1_000_000).contains(next), value(.freedM) < next,
          (1...now).contains(value(.procResizeTime)), idle.contains(value(.idleP)),
          (1...1000).contains(number(.systemG)), number(.idlePCount) <= processors.count,
          UInt64(number(.idleMCount)) <= next, number(.maxMCount) > 0,
          // Lists are empty when their lengths are 0.
          (value(.idleP) == 0) == (number(.idlePCount) == 0),
          number(.idleMCount) == 0 ? value(.idleM) == 0 : isPointer(value(.idleM))
        else { continue }
        let score = (number(.maxMCount) == 10_000 ? 2 : 0) + (value(.idleM) == 0 ? 0 : 1)
        let address = window.address(start) &- UInt64(first)
        if score > best.score || best.addresses.isEmpty {
          best = (score, [address])
        } else if score == best.score, best.addresses.count < 2 {
          best.addresses.append(address)
        }
      }
      return []
    }
    return best.score >= (isLenient ? 1 : 2) ? only(best.addresses) : nil
  }

  // MARK: Memory

  /// A part of what is searched.
  struct Window {
    /// Where the first of the words would be, if all of them were of this part.
    var start: UInt64
    /// What else was read in the same call, and then the part.
    var words: [UInt64]
    /// Which words are to be looked at; behind each are as many more as were asked for.
    var places: Range<Int>

    func address(_ place: Int) -> UInt64 { start &+ UInt64(place) * 8 }
  }

  /// Where `runtime.work` is, as far as that is known.
  func work(bytes: Int) -> [Range<UInt64>]? {
    file.symbols?[.work].flatMap { start in
      let end = min(start &+ UInt64(bytes), file.image.upperBound)
      return start < end ? [start..<end] : nil
    }
  }

  /// Goes through the variables of the program, window by window.
  ///
  /// - Parameters:
  ///   - ahead: How many words behind a place `body` needs.
  ///   - with: What else is read each time, just before the window.
  ///   - ranges: Addresses of the file, instead of all variables.
  ///   - body: Says at which places of a window something is.
  /// - Returns: The addresses of these.
  func search(
    ahead: Int, with: (address: UInt64, words: Int)? = nil, in ranges: [Range<UInt64>]? = nil,
    _ body: (Window) -> [Int]
  ) -> [UInt64] {
    var hits: [UInt64] = []
    var buffer: [UInt64] = []
    let skipped = with?.words ?? 0
    for range in ranges ?? file.variables {
      let lower = range.lowerBound &+ bias
      var start = (lower &+ 7) & ~7
      let end = (lower &+ min(range.upperBound - range.lowerBound, Self.searchLimit)) & ~7
      while start < end, hits.count < Self.candidateLimit {
        let length = min(Int((end - start) / 8), Self.window)
        if length <= ahead { break }
        var pieces = MemoryPieces()
        if let with { pieces.add(with.address, words: with.words) }
        pieces.add(start, words: length)
        do throws(Errno) {
          try read(pieces, &buffer)
        } catch {
          break
        }
        let window = Window(
          start: start &- UInt64(skipped) * 8, words: buffer,
          places: skipped..<(skipped + length - ahead))
        hits += body(window).prefix(Self.candidateLimit - hits.count).map(window.address)
        start += UInt64(length - ahead) * 8
      }
    }
    return hits
  }

  /// The one that there is; nothing of several, which nobody could choose from.
  private func only<Hit>(_ hits: [Hit]) -> Hit? { hits.count == 1 ? hits[0] : nil }

  private func isPointer(_ value: UInt64) -> Bool {
    value & 7 == 0 && (4096..<(1 << 57)).contains(value)
  }

  private func words(_ address: UInt64, _ count: Int) -> [UInt64]? {
    var pieces = MemoryPieces()
    pieces.add(address, words: count)
    return try? pieces.words(read)
  }

  private func words(_ address: UInt64, at offsets: Int...) -> [UInt64]? {
    try? MemoryPieces(words: offsets.map { address &+ UInt64($0) }).words(read)
  }

  private func word(_ address: UInt64, _ offset: Int) -> UInt64? {
    words(address &+ UInt64(offset), 1)?[0]
  }
}
