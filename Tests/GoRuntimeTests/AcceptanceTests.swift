import Linux
import TestSupport
import Testing

@testable import GoRuntime

/// What is read of a runtime that is laid out as the layouts say, and what is refused.
@Suite struct AcceptanceTests {
  private struct NoProgram: Error {}
  private let directory = try? TemporaryDirectory()

  /// Takes a sample of a fake runtime.
  private func sample(_ runtime: FakeRuntime, attempts: Int = 1) throws -> GoSample {
    let path = try #require(directory).path
    try writeFile("\(path)/program", runtime.file)
    try writeFile("\(path)/mem", runtime.memory)
    guard
      case .program(let file) = try ProgramFile.read(try openFile("\(path)/program", [.read]))
    else { throw NoProgram() }
    #expect((file.symbols == nil) == runtime.isStripped)
    let bias = file.bias { FakeRuntime.base + runtime.bias }
    var process = GoProcess(file, bias: bias) { pieces, buffer throws(Errno) in
      try pieces.read(from: try openFile("\(path)/mem", [.read]), into: &buffer)
    }
    return try process.sample(systemThreads: runtime.threads, attempts: attempts)
  }

  static let forms = [false, true].flatMap { stripped in
    [false, true].flatMap { moved in Layout.all.indices.map { (stripped, moved, $0) } }
  }

  @Test(arguments: forms)
  func everyFigureIsFound(isStripped: Bool, isMoved: Bool, layout: Int) throws {
    var runtime = FakeRuntime(Layout.all[layout])
    runtime.isStripped = isStripped
    runtime.isRelocatable = isMoved
    runtime.bias = isMoved ? 0x20000 : 0
    runtime.write()
    let sample = try sample(runtime)
    #expect(sample.version == runtime.version)
    let heap = try sample.heap.get()
    #expect(heap.allocatedBytes == 116_000)
    #expect(heap.freedBytes == 6400)
    #expect(heap.allocatedObjects == 1002)
    #expect(heap.freedObjects == 400)
    #expect(heap.tinyObjects == 11)
    #expect(heap.inUse == 1 << 20)
    #expect(heap.free == 2 << 20)
    #expect(heap.released == 4 << 20)
    #expect(heap.stacksSys == 10_000)
    #expect(heap.gcSys == 50_000 + 32_768)
    #expect(heap.spansInUse == 48_000)
    #expect(heap.goal == 4 << 20)
    let scheduler = try sample.scheduler.get()
    let hasTwoLists = runtime.layout.ifPresent(.freeGWithoutStack) != nil
    #expect(scheduler.goroutines == 20 - 4 - 3 - 3 - (hasTwoLists ? 1 : 0))
    #expect(scheduler.threads == 7)
    #expect(scheduler.processors == 3)
    let collector = try sample.collector.get()
    #expect(collector.cycles == 5)
    #expect(collector.pauseTotal == 15_000)
    #expect(collector.pauses == [5000, 4000, 3000, 2000, 1000])
    #expect(collector.percent == 100)
    #expect(collector.memoryLimit == .max)
    #expect(collector.cpuFraction == 0.25)
    #expect(collector.lastEnd == 1_700_000_000_000_000_000)
  }

  /// One wrong word, and the group that it makes implausible.
  struct Corruption: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var group: FigureGroup
    var change: @Sendable (inout FakeRuntime) -> Void

    init(
      _ name: String, _ group: FigureGroup,
      _ change: @escaping @Sendable (inout FakeRuntime) -> Void
    ) {
      (testDescription, self.group, self.change) = (name, group, change)
    }
  }

  static let corruptions = [
    Corruption("heapInUse", .heap) { $0.set(FakeRuntime.controller, .heapInUse, 1) },
    Corruption("heapReleased", .heap) { $0.set(FakeRuntime.controller, .heapReleased, 1) },
    Corruption("heapFree", .heap) { $0.set(FakeRuntime.controller, .heapFree, 1) },
    Corruption("totalAlloc", .heap) { $0.set(FakeRuntime.controller, .totalAlloc, 1) },
    Corruption("totalFree", .heap) { $0.set(FakeRuntime.controller, .totalFree, 1) },
    Corruption("mappedReady", .heap) { $0.set(FakeRuntime.controller, .mappedReady, 1) },
    Corruption("doubled entry", .heap) { $0.set(memstats: .inHeap, 1 << 20, entry: 1) },
    Corruption("size of a class", .heap) { $0.set(memstats: .smallAllocCount, index: 3, 1) },
    Corruption("threads without end", .scheduler) {
      $0.set(FakeRuntime.scheduler, .nextM, 365)
    },
    Corruption("no threads", .scheduler) { $0.set(FakeRuntime.scheduler, .freedM, 9) },
    Corruption("no limit of threads", .scheduler) {
      $0.setHalf(FakeRuntime.scheduler, .maxMCount, 0)
    },
    Corruption("another number of caches", .scheduler) {
      $0.set(FakeRuntime.heap, .cacheAllocInUse, UInt64($0.layout[.mcacheSize]))
    },
    Corruption("more free goroutines than ever were", .scheduler) {
      $0.setHalf(FakeRuntime.scheduler, .freeG, 1000)
    },
    Corruption("more system goroutines than ever were", .scheduler) {
      $0.setHalf(FakeRuntime.scheduler, .systemG, 1000)
    },
    Corruption("last cycle in future", .gc) { $0.set(FakeRuntime.memstats, .lastGC, 1 << 62) },
    Corruption("no last cycle", .gc) { $0.set(FakeRuntime.memstats, .lastGC, 0) },
    Corruption("sum of pauses", .gc) { $0.set(FakeRuntime.memstats, .pauseTotal, 15_001) },
    Corruption("share of the CPU", .gc) {
      $0.set(FakeRuntime.memstats, .gcCPUFraction, 1.5.bitPattern)
    },
    Corruption("forced cycles", .gc) { $0.setHalf(FakeRuntime.memstats, .numForcedGC, 6) },
    Corruption("GOGC", .gc) {
      $0.setHalf(FakeRuntime.controller, .gcPercent, UInt32(bitPattern: -2))
    },
    Corruption("GOMEMLIMIT", .gc) { $0.set(FakeRuntime.controller, .memoryLimit, .max) },
  ]

  @Test(arguments: corruptions)
  func whatIsImplausibleIsRefusedAlone(corruption: Corruption) throws {
    for layout in Layout.all where layout.machine == .amd64 {
      var runtime = FakeRuntime(layout)
      corruption.change(&runtime)
      let sample = try sample(runtime)
      var refused: [FigureGroup] = []
      if case .failure = sample.heap { refused.append(.heap) }
      if case .failure = sample.scheduler { refused.append(.scheduler) }
      if case .failure = sample.collector { refused.append(.gc) }
      #expect(refused == [corruption.group], "Go 1.\(layout.minor)")
    }
  }

  /// Sizes of structures that the table does not have: it is for another version.
  @Test(arguments: [false, true]) func anotherLayoutIsRefused(isStripped: Bool) throws {
    var runtime = FakeRuntime(try #require(Layout.of(minor: 27, .amd64)))
    runtime.isStripped = isStripped
    runtime.set(FakeRuntime.heap, .spanAllocSize, 168)
    let sample = try sample(runtime, attempts: 2)
    for group in [sample.heap.map { _ in }, sample.scheduler.map { _ in }] {
      guard case .failure(.notLocated(let what)) = group else {
        Issue.record("not refused")
        continue
      }
      #expect(what.hasPrefix("runtime.mheap_"))
    }
  }

  @Test func memoryThatIsNotThereIsAnError() throws {
    let runtime = FakeRuntime(try #require(Layout.of(minor: 27, .amd64)))
    let path = try #require(directory).path
    try writeFile("\(path)/program", runtime.file)
    guard
      case .program(let file) = try ProgramFile.read(try openFile("\(path)/program", [.read]))
    else { throw NoProgram() }
    for error in [Errno.notPermitted, .noSuchProcess, .badAddress] {
      var process = GoProcess(file, bias: 0) { _, _ throws(Errno) in throw error }
      #expect(throws: error) { try process.sample(systemThreads: 1) }
    }
  }
}
