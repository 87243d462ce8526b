import Linux
import TestSupport
import Testing

@testable import GoRuntime

/// What a group came to: its figures, or why there are none.
private struct Outcome {
  var heap: Result<HeapFigures, Refusal>
  var scheduler: Result<SchedulerFigures, Refusal>
  var collector: Result<CollectorFigures, Refusal>

  init(_ runtime: RuntimeImage, _ read: ReadMemory? = nil) throws {
    var taken = Snapshot(runtime.layout, runtime.addresses)
    try taken.take(read ?? runtime.read)
    let snapshot = taken
    heap = Result { () throws(Refusal) in try Acceptance.heap(snapshot) }
    scheduler = Result { () throws(Refusal) in
      try Acceptance.scheduler(snapshot, systemThreads: 40)
    }
    collector = Result { () throws(Refusal) in
      try Acceptance.collector(snapshot, now: RuntimeImage.wallClock)
    }
  }

  var refused: Set<FigureGroup> {
    var groups: Set<FigureGroup> = []
    if case .failure = heap { groups.insert(.heap) }
    if case .failure = scheduler { groups.insert(.scheduler) }
    if case .failure = collector { groups.insert(.gc) }
    return groups
  }
}

/// A change of one number, and the only group that must be refused then.
private struct Corruption: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let group: FigureGroup?
  let apply: @Sendable (inout RuntimeImage) -> Void

  init(
    _ description: String, _ group: FigureGroup?,
    _ apply: @escaping @Sendable (inout RuntimeImage) -> Void
  ) {
    (testDescription, self.group, self.apply) = (description, group, apply)
  }

  /// A word of one of the variables becomes another number.
  static func word(
    _ field: Field, of variable: KeyPath<Addresses, UInt64> & Sendable, _ group: FigureGroup?,
    index: Int = 0, _ value: @escaping @Sendable (UInt64) -> UInt64 = { $0 &+ 8 }
  ) -> Corruption {
    Corruption("\(field)[\(index)]", group) { runtime in
      guard let offset = runtime.layout.ifPresent(field) else { return }
      let address = runtime.addresses[keyPath: variable] + UInt64(offset + index * 8)
      runtime[address] = value(runtime[address])
    }
  }

  static func half(
    _ field: Field, of variable: KeyPath<Addresses, UInt64> & Sendable, _ group: FigureGroup?,
    _ value: UInt32
  ) -> Corruption {
    Corruption("\(field) = \(value)", group) { runtime in
      let offset = UInt64(runtime.layout[field])
      runtime.setHalf(runtime.addresses[keyPath: variable] + offset, value)
    }
  }
}

private let heapSums: [Corruption] =
  ([
    .committed, .released, .inHeap, .inStacks, .inWorkBufs, .largeAlloc, .largeFree, .stacksSys,
    .mspanSys, .mcacheSys, .buckHashSys, .gcMiscSys, .otherSys,
  ] as [Field]).map { .word($0, of: \.memstats, .heap) }

private let classes: [Corruption] = (1..<68).flatMap { index in
  [
    .word(.smallAllocCount, of: \.memstats, .heap, index: index),
    .word(.smallFreeCount, of: \.memstats, .heap, index: index),
  ] as [Corruption]
}

private let controllerSums: [Corruption] =
  ([.heapInUse, .heapReleased, .heapFree, .totalAlloc, .totalFree, .mappedReady] as [Field])
  .map { .word($0, of: \.controller, .heap) }

private let others: [Corruption] = [
  .word(.largeFreeCount, of: \.memstats, .heap) { $0 &+ 1 << 40 },
  .word(.heapMarked, of: \.controller, .heap) { _ in 1 << 50 },
  .word(.gcPercentHeapGoal, of: \.controller, .heap) { _ in .max },
  .word(.spanAllocInUse, of: \.heap, .heap),
  .word(.spanAllocInUse, of: \.heap, .heap) { _ in 160 << 40 },

  .word(.goroutineIDs, of: \.scheduler, .scheduler) { _ in 0 },
  .word(.goroutineIDs, of: \.scheduler, .scheduler) { _ in 1 << 60 },
  Corruption("more goroutines than numbers", .scheduler) {
    $0[$0.addresses.goroutineCount] = 200_000
  },
  .word(.nextM, of: \.scheduler, .scheduler) { _ in 0 },
  .word(.nextM, of: \.scheduler, .scheduler) { _ in 100 },
  .word(.nextM, of: \.scheduler, .scheduler) { _ in .max },
  .word(.freedM, of: \.scheduler, .scheduler) { _ in 1 << 40 },
  .word(.freedM, of: \.scheduler, .scheduler) { _ in .max },
  .half(.maxMCount, of: \.scheduler, .scheduler, 0),
  .half(.systemG, of: \.scheduler, .scheduler, .max),
  .half(.freeG, of: \.scheduler, .scheduler, .max),
  .word(.cacheAllocInUse, of: \.heap, .scheduler),
  Corruption("allglen", .scheduler) { $0[$0.addresses.goroutineCount] = 0 },
  Corruption("allglen, huge", .scheduler) { $0[$0.addresses.goroutineCount] = .max },
  Corruption("len(allp)", .scheduler) { $0[$0.addresses.processors + 8] = 1 },
  Corruption("len(allp), huge", .scheduler) { $0[$0.addresses.processors + 8] = .max },
  Corruption("no allp", .scheduler) { $0[$0.addresses.processors + 8] = 0 },

  .half(.numForcedGC, of: \.memstats, .gc, 6),
  .half(.numGC, of: \.memstats, .gc, 0),
  .half(.numGC, of: \.memstats, .gc, 4),
  .word(.lastGC, of: \.memstats, .gc) { _ in 0 },
  .word(.lastGC, of: \.memstats, .gc) { $0 + 3700 * 1_000_000_000 },
  .word(.pauseTotal, of: \.memstats, .gc) { $0 + 1 },
  .word(.pauseTotal, of: \.memstats, .gc) { $0 - 1 },
  .word(.pauses, of: \.memstats, .gc, index: 4) { $0 + 1 },
  .word(.pauses, of: \.memstats, .gc, index: 0) { _ in .max },
  .word(.gcCPUFraction, of: \.memstats, .gc) { _ in (1.5).bitPattern },
  .word(.gcCPUFraction, of: \.memstats, .gc) { _ in (-0.1).bitPattern },
  .word(.gcCPUFraction, of: \.memstats, .gc) { _ in Double.nan.bitPattern },
  .word(.memoryLimit, of: \.controller, .gc) { _ in 1 << 63 },
  Corruption("GOGC -2", .gc) { runtime in
    runtime.setHalf(runtime.addresses.controller, UInt32(bitPattern: -2))
    let goal = runtime.addresses.controller + UInt64(runtime.layout[.gcPercentHeapGoal])
    runtime[goal] = .max
  },
  Corruption("nothing", nil) { _ in },
]

@Suite struct ImageTests {
  @Test(arguments: Layout.all) func whatWasPutThereIsRead(_ layout: Layout) throws {
    for (cycles, processors) in [(0, 1), (1, 2), (5, 2000), (255, 3), (256, 4), (257, 1), (700, 2)]
    {
      let seed = UInt64.random(in: 0 ... .max)
      var random = SeededGenerator(seed: seed)
      let runtime = RuntimeImage(layout, processors: processors, cycles: UInt32(cycles), &random)
      let outcome = try Outcome(runtime)
      #expect(try outcome.heap.get() == runtime.heap, "seed \(seed)")
      #expect(try outcome.scheduler.get() == runtime.scheduler, "seed \(seed)")
      #expect(try outcome.collector.get() == runtime.collector, "seed \(seed)")
    }
  }

  @Test(arguments: heapSums + classes + controllerSums + others)
  fileprivate func oneWrongNumberRefusesItsGroupOnly(_ corruption: Corruption) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for layout in Layout.all where layout.machine == .amd64 {
      var runtime = RuntimeImage(layout, &random)
      corruption.apply(&runtime)
      let refused = try Outcome(runtime).refused
      #expect(refused == Set([corruption.group].compactMap { $0 }), "\(layout), seed \(seed)")
    }
  }

  @Test func anyNumbersAtAllNeverTrap() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("ImageTests: seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let extremes: [UInt64] = [0, 1, .max, 1 << 63, 1 << 32, 0xffff_ffff, 0x7fff_ffff_ffff_ffff]
    for _ in 0..<300 {
      guard let layout = Layout.all.randomElement(using: &random) else { return }
      var snapshot = Snapshot(layout, RuntimeImage(layout, &random).addresses)
      let share = Double.random(in: 0...1, using: &random)
      let garbage: ReadMemory = { (pieces, buffer) throws(Errno) in
        buffer = (0..<pieces.wordCount).map { _ in
          Double.random(in: 0...1, using: &random) < share
            ? extremes.randomElement(using: &random) ?? 0
            : random.next() >> UInt64.random(in: 0..<64, using: &random)
        }
      }
      _ = try? snapshot.take(garbage)
      if (try? snapshot.take(garbage)) == nil { continue }
      let taken = snapshot
      _ = Result { () throws(Refusal) in try Acceptance.heap(taken) }
      _ = HeapGoal.bytes(taken)
      _ = Result { () throws(Refusal) in
        try Acceptance.scheduler(taken, systemThreads: random.next())
      }
      _ = Result { () throws(Refusal) in
        try Acceptance.collector(taken, now: Int64(bitPattern: random.next()))
      }
    }
  }

  @Test(arguments: [true, false]) func aCycleThatEndsMeanwhileIsNoticed(isLast: Bool) throws {
    var random = SeededGenerator(seed: 1)
    let runtime = RuntimeImage(try #require(Layout.all.last), &random)
    let outcome = try Outcome(runtime) { (pieces, buffer) throws(Errno) in
      try runtime.read(pieces, &buffer)
      if pieces.count > 3 { buffer[isLast ? buffer.count - 1 : 0] += 1 }
    }
    #expect(outcome.refused == [.gc])
  }

  /// What was found once may become another program's memory.
  @Test(arguments: [Field.spanAllocSize, .spanAllocStat, .cacheAllocSize, .cacheAllocStat])
  func anotherRuntimeIsNoticed(_ field: Field) throws {
    var random = SeededGenerator(seed: 5)
    var runtime = RuntimeImage(try #require(Layout.all.last), &random)
    #expect(try runtime.snapshot().isOfThisRuntime)
    runtime[runtime.addresses.heap + UInt64(runtime.layout[field])] += 8
    #expect(try !runtime.snapshot().isOfThisRuntime)
  }

  /// GOMAXPROCS changes: the processors are read anew, and only then.
  @Test func processorsAreReadAnewWhenTheirNumberChanges() throws {
    var random = SeededGenerator(seed: 2)
    let layout = try #require(Layout.all.last)
    var snapshot = Snapshot(layout, RuntimeImage(layout, &random).addresses)
    for (count, reads) in [(3, 3), (3, 1), (70, 3), (2, 3), (2, 1)] {
      let runtime = RuntimeImage(layout, processors: count, &random)
      var calls = 0
      try snapshot.take { (pieces, buffer) throws(Errno) in
        calls += 1
        try runtime.read(pieces, &buffer)
      }
      #expect(calls == reads)
      let figures = try Acceptance.scheduler(snapshot, systemThreads: 40)
      #expect(figures == runtime.scheduler)
    }
  }

  @Test func processorsThatChangeAgainAndAgainAreGivenUp() throws {
    var random = SeededGenerator(seed: 3)
    let layout = try #require(Layout.all.last)
    let runtime = RuntimeImage(layout, processors: 3, &random)
    var snapshot = Snapshot(layout, runtime.addresses)
    var calls = 0
    #expect(throws: Errno.wouldBlock) {
      try snapshot.take { (pieces, buffer) throws(Errno) in
        try runtime.read(pieces, &buffer)
        guard let piece = pieces.addresses.firstIndex(of: runtime.addresses.processors) else {
          return
        }
        calls += 1
        // The length of the slice.
        buffer[Int(pieces.lengths[..<piece].reduce(0, +) / 8) + 1] = UInt64(1 + calls % 2)
      }
    }
    #expect(calls == 3)
  }

  // MARK: Heap goal

  struct Goal: Sendable {
    var minor = 27
    var limit: UInt64 = .max
    var percentGoal: UInt64
    var sweep: UInt64 = 0
    var triggered: UInt64 = .max
    var expected: UInt64
  }

  /// As `runtime/mgcpacer.go` works it out: GOGC alone, the sweeper's least distance, the least
  /// runway; a limit of 200 MiB, of which 10 are no heap, before and since 1.21; one that others use
  /// up, where what was marked counts; and one that is far above.
  @Test(arguments: [
    Goal(percentGoal: 100 << 20, expected: 100 << 20),
    Goal(percentGoal: 100 << 20, sweep: 120 << 20, expected: 120 << 20),
    Goal(percentGoal: 100 << 20, triggered: 110 << 20, expected: (110 << 20) + (64 << 10)),
    Goal(limit: 200 << 20, percentGoal: 1000 << 20, expected: 199_229_440 - 5_976_882),
    Goal(minor: 19, limit: 200 << 20, percentGoal: 1000 << 20, expected: 189 << 20),
    Goal(limit: 11 << 20, percentGoal: 1000 << 20, expected: 40 << 20),
    Goal(limit: 1 << 40, percentGoal: 100 << 20, expected: 100 << 20),
  ])
  func heapGoal(_ goal: Goal) throws {
    var random = SeededGenerator(seed: 4)
    let layout = try #require(Layout.of(minor: goal.minor, .amd64))
    var runtime = RuntimeImage(layout, &random)
    for (field, value) in [
      (.memoryLimit, min(goal.limit, UInt64(Int64.max))), (.gcPercentHeapGoal, goal.percentGoal),
      (.sweepDistanceMinTrigger, goal.sweep), (.triggered, goal.triggered),
      (.heapMarked, 40 << 20), (.totalAlloc, 150 << 20), (.totalFree, 100 << 20),
      (.heapFree, 30 << 20), (.mappedReady, 90 << 20),
    ] as [(Field, UInt64)] {
      runtime[runtime.addresses.controller + UInt64(layout[field])] = value
    }
    #expect(HeapGoal.bytes(try runtime.snapshot()) == goal.expected)
  }
}
