/// Turns a snapshot into figures, if it passes the checks of their group.
///
/// The runtime writes without locks that anybody outside could take, and a layout may be the wrong
/// one: either way sums that must agree do not, and nothing is given.
enum Acceptance {
  /// - Throws: The check that failed.
  static func heap(_ snapshot: Snapshot) throws(Refusal) -> HeapFigures {
    var figures = HeapFigures()
    figures.tinyObjects = snapshot.heapStat(.tinyAllocCount)
    figures.allocatedBytes = snapshot.heapStat(.largeAlloc)
    figures.freedBytes = snapshot.heapStat(.largeFree)
    figures.allocatedObjects = snapshot.heapStat(.largeAllocCount)
    figures.freedObjects = snapshot.heapStat(.largeFreeCount)
    for (index, size) in SizeClasses.sizes.enumerated() {
      let allocated = snapshot.heapStat(.smallAllocCount, index: index)
      let freed = snapshot.heapStat(.smallFreeCount, index: index)
      figures.allocatedObjects &+= allocated
      figures.freedObjects &+= freed
      figures.allocatedBytes &+= allocated &* size
      figures.freedBytes &+= freed &* size
    }
    let committed = snapshot.heapStat(.committed)
    let workBuffers =
      snapshot.heapStat(.inWorkBufs) &+ snapshot.heapStatIfPresent(.inPointerScalarBits)
    figures.inUse = snapshot.heapStat(.inHeap)
    figures.released = snapshot.heapStat(.released)
    figures.stacksInUse = snapshot.heapStat(.inStacks)
    figures.free = committed &- figures.inUse &- figures.stacksInUse &- workBuffers
    figures.stacksSys = snapshot.memstats(.stacksSys)
    figures.spansInUse = snapshot.spansInUse
    figures.spansSys = snapshot.memstats(.mspanSys)
    figures.cachesInUse = snapshot.cachesInUse
    figures.cachesSys = snapshot.memstats(.mcacheSys)
    figures.buckHashSys = snapshot.memstats(.buckHashSys)
    figures.gcSys = snapshot.memstats(.gcMiscSys) &+ workBuffers
    figures.otherSys = snapshot.memstats(.otherSys)
    figures.sys =
      committed &+ figures.released &+ figures.stacksSys &+ figures.spansSys &+ figures.cachesSys
      &+ figures.buckHashSys &+ snapshot.memstats(.gcMiscSys) &+ figures.otherSys

    try agree("heapInUse", snapshot.controller(.heapInUse), figures.inUse)
    try agree("heapReleased", snapshot.controller(.heapReleased), figures.released)
    try agree("heapFree", snapshot.controller(.heapFree), figures.free)
    try agree("totalAlloc", snapshot.controller(.totalAlloc), figures.allocatedBytes)
    try agree("totalFree", snapshot.controller(.totalFree), figures.freedBytes)
    try agree("mappedReady", snapshot.controller(.mappedReady), figures.sys &- figures.released)
    try require(figures.freedBytes <= figures.allocatedBytes, "more bytes freed than allocated")
    try require(
      figures.freedObjects <= figures.allocatedObjects, "more objects freed than allocated")
    // Numbers that agree because both are nonsense: no address space is that large.
    try require(figures.sys < 1 << 57, "more memory than a process can have")

    try require(
      figures.spansInUse <= figures.spansSys && figures.cachesInUse <= figures.cachesSys
        && figures.spansInUse.isMultiple(of: UInt64(snapshot.layout[.mspanSize])),
      "mspan_sys or mcache_sys is less than what is in use")

    figures.marked = snapshot.controller(.heapMarked)
    try require(figures.marked <= figures.sys, "more was found alive than there is")
    try require(
      (snapshot.percent < 0) == (snapshot.controller(.gcPercentHeapGoal) == .max),
      "gcPercent and its goal do not agree")
    figures.goal = HeapGoal.bytes(snapshot)
    return figures
  }

  /// - Parameters:
  ///   - snapshot: What was read.
  ///   - systemThreads: Threads of the process as the kernel counts them.
  /// - Returns: The figures.
  /// - Throws: The check that failed.
  static func scheduler(
    _ snapshot: Snapshot, systemThreads: UInt64
  ) throws(Refusal) -> SchedulerFigures {
    let (next, freed) = (snapshot.scheduler(.nextM), snapshot.scheduler(.freedM))
    try require(
      next <= UInt64(Int32.max) && freed < next, "sched.mnext and nmfreed make no count of threads")
    try require(snapshot.schedulerHalf(.maxMCount) > 0, "sched.maxmcount is 0")
    // Threads begin and end meanwhile; cgo has one that no system thread belongs to.
    try require(
      next - freed <= max(systemThreads, systemThreads &+ threadTolerance),
      "more threads than the kernel counts")
    let processors = snapshot.processorCount
    try require(
      processors == UInt64(snapshot.processors.count), "allp has no length that can be")
    try agree(
      "mheap.cachealloc.inuse", snapshot.cachesInUse,
      processors * UInt64(snapshot.layout[.mcacheSize]))
    let all = snapshot.goroutineCount
    let system = UInt64(snapshot.schedulerHalf(.systemG))
    let free = snapshot.freeGoroutines
    try require(all <= UInt64(UInt32.max), "allglen is no count of goroutines")
    try require(free <= all && system <= all, "more free goroutines than there ever were")
    let identifiers = snapshot.scheduler(.goroutineIDs)
    try require(
      (1..<(1 << 56)).contains(identifiers) && all <= identifiers + newGoroutines,
      "sched.goidgen is less than the number of goroutines")
    return SchedulerFigures(
      goroutines: free + system < all ? all - free - system : 1,
      threads: next - freed, processors: processors)
  }

  /// - Parameters:
  ///   - snapshot: What was read.
  ///   - now: Wall-clock time after that, nanoseconds since 1970.
  /// - Returns: The figures.
  /// - Throws: The check that failed.
  static func collector(_ snapshot: Snapshot, now: Int64) throws(Refusal) -> CollectorFigures {
    let cycles = snapshot.cycles
    try require(
      cycles == snapshot.cyclesBefore && cycles == snapshot.cyclesAfter,
      "a garbage collection ended meanwhile")
    var figures = CollectorFigures()
    figures.cycles = UInt64(cycles)
    figures.forcedCycles = UInt64(snapshot.forcedCycles)
    try require(figures.forcedCycles <= figures.cycles, "more forced cycles than cycles")
    figures.lastEnd = snapshot.memstats(.lastGC)
    // The clock of another machine's image, or one that was set back, is no reason for silence.
    try require(
      figures.lastEnd <= UInt64(clamping: now) + clockTolerance, "the last cycle ended in future")
    try require((figures.lastEnd == 0) == (cycles == 0), "numgc and last_gc_unix do not agree")
    figures.pauseTotal = snapshot.memstats(.pauseTotal)
    let known = min(Int(cycles), pauseCount)
    figures.pauses = (0..<known).map { snapshot.pause((Int(cycles) - 1 - $0) % pauseCount) }
    var sum: UInt64 = 0
    for pause in figures.pauses { sum = sum.addingReportingOverflow(pause).partialValue }
    try require(
      cycles <= pauseCount ? sum == figures.pauseTotal : sum <= figures.pauseTotal,
      "pause_ns and pause_total_ns do not agree")
    figures.cpuFraction = Double(bitPattern: snapshot.memstats(.gcCPUFraction))
    try require((0...1).contains(figures.cpuFraction), "gc_cpu_fraction is no share")
    figures.percent = snapshot.percent
    figures.memoryLimit = Int64(bitPattern: snapshot.controller(.memoryLimit))
    try require(
      figures.percent >= -1 && figures.memoryLimit >= 0, "gcPercent or memoryLimit is negative")
    return figures
  }

  /// Goroutines that can have been made between the reads of two words.
  private static let newGoroutines: UInt64 = 1000
  private static let pauseCount = 256
  private static let threadTolerance: UInt64 = 16
  private static let clockTolerance: UInt64 = 3600 * 1_000_000_000

  private static func agree(_ name: String, _ a: UInt64, _ b: UInt64) throws(Refusal) {
    if a != b { throw .inconsistent("\(name) is not the sum of its parts") }
  }

  static func require(_ holds: Bool, _ otherwise: String) throws(Refusal) {
    if !holds { throw .inconsistent(otherwise) }
  }
}

/// At what size of the heap the next garbage collection is to end, as the runtime works it out.
///
/// - Source: `runtime/mgcpacer.go`, `heapGoalInternal()` and `memoryLimitHeapGoal()`.
enum HeapGoal {
  static func bytes(_ snapshot: Snapshot) -> UInt64 {
    let percentGoal = snapshot.controller(.gcPercentHeapGoal)
    let limitGoal = limit(snapshot)
    if limitGoal < percentGoal { return limitGoal }
    let goal = max(percentGoal, snapshot.controller(.sweepDistanceMinTrigger))
    let triggered = snapshot.controller(.triggered)
    return triggered == .max ? goal : max(goal, triggered &+ leastRunway)
  }

  private static let leastRunway: UInt64 = 64 << 10
  private static let leastHeadroom: UInt64 = 1 << 20

  private static func limit(_ snapshot: Snapshot) -> UInt64 {
    let limit = snapshot.controller(.memoryLimit)
    let mapped = snapshot.controller(.mappedReady)
    let allocated = snapshot.controller(.totalAlloc) &- snapshot.controller(.totalFree)
    let marked = snapshot.controller(.heapMarked)
    let others = mapped &- snapshot.controller(.heapFree) &- allocated
    let over = mapped > limit ? mapped - limit : 0
    let (spent, isTooMuch) = others.addingReportingOverflow(over)
    if isTooMuch || spent >= limit { return marked }
    var goal = limit - spent
    // Until 1.20 the headroom was fixed.
    let headroom =
      snapshot.layout.minor < 21 ? leastHeadroom : max(goal / 100 * 3, leastHeadroom)
    goal = goal < headroom || goal - headroom < headroom ? headroom : goal - headroom
    return max(goal, marked)
  }
}
