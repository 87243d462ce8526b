import Linux
import TestSupport
import Testing

@testable import GoRuntime

@Suite struct LocatorTests {
  private static func locate(
    _ runtime: RuntimeImage, hasSymbols: Bool = false, layout: Layout? = nil,
    isLenient: Bool = false
  ) throws(Refusal) -> Addresses {
    let file = runtime.file(hasSymbols: hasSymbols, layout: layout)
    return try Locator(file, bias: 0, isLenient: isLenient, runtime.read).locate()
  }

  @Test(arguments: Layout.all, [true, false])
  func everythingIsFound(_ layout: Layout, hasSymbols: Bool) throws {
    for processors in [1, 2, 3, 300] {
      let seed = UInt64.random(in: 0 ... .max)
      var random = SeededGenerator(seed: seed)
      let runtime = RuntimeImage(layout, processors: processors, &random)
      let found = try Self.locate(runtime, hasSymbols: hasSymbols)
      #expect(found == runtime.addresses, "seed \(seed)")
    }
  }

  /// Layouts that agree in all that is looked for cannot be told apart, and need not be.
  @Test(arguments: Layout.all) func aWrongLayoutFindsNothing(_ layout: Layout) throws {
    var random = SeededGenerator(seed: 1)
    let runtime = RuntimeImage(layout, &random)
    for other in Layout.all
    where Field.allCases.contains(where: { layout.ifPresent($0) != other.ifPresent($0) })
      && other.machine == layout.machine
    {
      for hasSymbols in [true, false] {
        #expect(throws: Refusal.self, "\(other.testDescription), \(hasSymbols)") {
          try Self.locate(runtime, hasSymbols: hasSymbols, layout: other)
        }
      }
    }
  }

  @Test func aRelocatedProgramIsSearchedWhereItIs() throws {
    var random = SeededGenerator(seed: 2)
    let runtime = RuntimeImage(try #require(Layout.all.last), &random)
    let bias: UInt64 = 0x40_0000
    let lower = RuntimeImage.image.lowerBound - bias..<RuntimeImage.image.upperBound - bias
    let file = ProgramFile(
      version: "go1.27", layout: runtime.layout, isNewerThanKnown: false, symbols: nil,
      variables: [lower], image: lower, isRelocatable: true)
    let found = try Locator(file, bias: bias, runtime.read).locate()
    #expect(found == runtime.addresses)
  }

  // MARK: Decoys

  private static let free = RuntimeImage.image.lowerBound + 0x7_0000

  /// While garbage is collected, `work.stackRoots` has the same goroutines, but no room for more.
  @Test func theListOfStackRootsIsNotTheListOfGoroutines() throws {
    var random = SeededGenerator(seed: 3)
    var runtime = RuntimeImage(try #require(Layout.all.last), &random)
    let slice = runtime.addresses.goroutineCount - 8
    runtime[Self.free] = runtime[slice]
    runtime[Self.free + 8] = runtime[slice + 8]
    runtime[Self.free + 16] = runtime[slice + 8]
    #expect(try Self.locate(runtime) == runtime.addresses)
    // And nobody chooses between two that look the same.
    runtime[Self.free + 16] += 1
    #expect(throws: Refusal.notLocated("runtime.allgs")) { try Self.locate(runtime) }
  }

  /// Numbers that happen to follow a pointer to goroutines.
  @Test func aListOfGoroutinesEndsWithSome() throws {
    var random = SeededGenerator(seed: 3)
    var runtime = RuntimeImage(try #require(Layout.all.last), &random)
    runtime[Self.free] = runtime[runtime.addresses.goroutineCount - 8]
    for length: UInt64 in [33_751_040, 1 << 32] {
      (runtime[Self.free + 8], runtime[Self.free + 16]) = (length, length + 1)
      #expect(try Self.locate(runtime) == runtime.addresses)
    }
  }

  @Test func aListOfGoroutinesThatIsFullIsFound() throws {
    var random = SeededGenerator(seed: 3)
    var runtime = RuntimeImage(try #require(Layout.all.last), &random)
    let slice = runtime.addresses.goroutineCount - 8
    runtime[slice + 16] = runtime[slice + 8]
    #expect(try Self.locate(runtime) == runtime.addresses)
    for offset: UInt64 in [0, 8, 16] { runtime[Self.free + offset] = runtime[slice + offset] }
    #expect(throws: Refusal.notLocated("runtime.allgs")) { try Self.locate(runtime) }
  }

  /// The first thread's copy of `allp` lies in a structure that begins with its first goroutine.
  @Test func theSnapshotOfTheFirstThreadIsNotTheListOfProcessors() throws {
    var random = SeededGenerator(seed: 4)
    let layout = try #require(Layout.all.last)
    var runtime = RuntimeImage(layout, &random)
    let copy = Self.free + UInt64(layout[.mAllPSnapshot])
    for offset: UInt64 in [0, 8, 16] {
      runtime[copy + offset] = runtime[runtime.addresses.processors + offset]
    }
    #expect(throws: Refusal.notLocated("runtime.allp")) { try Self.locate(runtime) }
    runtime[Self.free] = RuntimeImage.image.lowerBound + 0x100
    #expect(try Self.locate(runtime) == runtime.addresses)
  }

  /// A histogram of a few durations has counts that fit together like those of the scheduler, which
  /// do not while threads begin to wait.
  @Test(arguments: Layout.all) func aHistogramIsNotTheScheduler(_ layout: Layout) throws {
    var random = SeededGenerator(seed: 6)
    var runtime = RuntimeImage(layout, &random)
    for field in [Field.nextM, .freedM, .procResizeTime, .maxMCount, .systemG] {
      let counts: [Field: UInt64] = [.nextM: 6, .systemG: 3 << UInt64(layout[.systemG] % 8 * 8)]
      runtime[Self.free + UInt64(layout[field] & ~7)] = counts[field] ?? 1
    }
    runtime[Self.free] = 22
    #expect(try Self.locate(runtime) == runtime.addresses)
    runtime[runtime.addresses.scheduler + UInt64(layout[.idleM])] = 0
    #expect(throws: Refusal.notLocated("runtime.sched")) { try Self.locate(runtime) }
    runtime[runtime.addresses.scheduler + UInt64(layout[.idleM])] = RuntimeImage.heapStart
    // A program that set another limit is found when no other has been.
    let limit = runtime.addresses.scheduler + UInt64(layout[.maxMCount])
    runtime.setHalf(limit, 500)
    #expect(throws: Refusal.notLocated("runtime.sched")) { try Self.locate(runtime) }
    #expect(try Self.locate(runtime, isLenient: true) == runtime.addresses)
  }

  /// Threads that count their calls of C functions, in a list.
  @Test(arguments: Layout.all) func callsOfAllThreadsAreCounted(_ layout: Layout) throws {
    var random = SeededGenerator(seed: 7)
    var runtime = RuntimeImage(layout, &random)
    let threads = runtime.scheduler.threads
    let (head, ended) = (Self.free, Self.free + 8)
    runtime[ended] = 1000
    var link = head
    for index in 0..<threads {
      let thread = RuntimeImage.heapStart + 0x10_0000 + index * 0x800
      runtime[link] = thread
      runtime[thread + UInt64(layout[.mCgoCalls])] = index
      link = thread + UInt64(layout[.mAllLink])
    }
    let calls = CgoCalls(
      layout: layout, scheduler: runtime.addresses.scheduler, threads: head, ended: ended)
    #expect(try calls.count(runtime.read) == 1000 + threads * (threads - 1) / 2)
    // One that has just begun, one that has just ended, one that leads in a circle, and nowhere.
    let freed = runtime.addresses.scheduler + UInt64(layout[.freedM])
    for wrong: UInt64 in [2, .max - 1] {
      runtime[freed] &-= wrong
      #expect(throws: Refusal.self) { try calls.count(runtime.read) }
      runtime[freed] &+= wrong
    }
    for target in [runtime[head], 1 << 50, 12345] {
      runtime[link] = target
      #expect(throws: Refusal.self) { try calls.count(runtime.read) }
    }
  }

  @Test func twoControllersAreNone() throws {
    var random = SeededGenerator(seed: 5)
    var runtime = RuntimeImage(try #require(Layout.all.last), &random)
    let counts = runtime.addresses.controller + UInt64(runtime.layout[.heapInUse])
    for offset: UInt64 in [0, 8, 16] { runtime[Self.free + offset] = runtime[counts + offset] }
    #expect(throws: Refusal.notLocated("runtime.gcController")) { try Self.locate(runtime) }
  }

  /// Whatever a word of what is looked at becomes, what is found is right or nothing.
  @Test(arguments: Layout.all.filter { $0.machine == .amd64 })
  func nothingWrongIsFound(_ layout: Layout) throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("LocatorTests: seed \(seed)")
    var random = SeededGenerator(seed: seed)
    for _ in 0..<40 {
      var runtime = RuntimeImage(layout, &random)
      let variables = [
        runtime.addresses.heap + UInt64(layout[.spanAllocSize]), runtime.addresses.processors,
        runtime.addresses.goroutineCount - 8, RuntimeImage.heapStart + 0x2000,
        RuntimeImage.heapStart + 0x4_0000, runtime.addresses.scheduler,
      ]
      for _ in 0..<3 {
        guard let variable = variables.randomElement(using: &random) else { return }
        runtime[variable + UInt64.random(in: 0..<30, using: &random) * 8] =
          random.next() >> UInt64.random(in: 0..<64, using: &random)
      }
      guard let found = try? Self.locate(runtime) else { continue }
      #expect(found == runtime.addresses, "seed \(seed)")
    }
  }

  /// Ranges that no process has, and memory without end.
  @Test(
    arguments: [
      (0, 1 << 58, 0), (1 << 57, 1 << 58, UInt64.max), (0, 1 << 58, 1 << 63),
      (0x1000, 0x1001, UInt64.max - 0x1000), (8, 8, 0),
    ] as [(UInt64, UInt64, UInt64)])
  func hostileRangesEndTheSearch(start: UInt64, end: UInt64, bias: UInt64) throws {
    let layout = try #require(Layout.all.last)
    let file = ProgramFile(
      version: "go1.27", layout: layout, isNewerThanKnown: false, symbols: nil,
      variables: [start..<end], image: start..<end, isRelocatable: false)
    var words = 0
    let locator = Locator(file, bias: bias) { (pieces, buffer) throws(Errno) in
      if buffer.count != pieces.wordCount {
        buffer = [UInt64](repeating: 0, count: pieces.wordCount)
      }
      words += pieces.wordCount
      if start > 0, words > 1 << 18 { throw .badAddress }
    }
    #expect(throws: Refusal.notLocated("runtime.mheap_")) { try locator.locate() }
    #expect(words < 9 << 20)
  }
}
