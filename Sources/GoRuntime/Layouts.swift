// Made by make go-layouts from the debug information of Go's own toolchains; do not edit.

/// A number of a layout: where a field of the Go runtime lies in its structure, or a structure's size.
///
/// In bytes. Fields are 64 bits wide unless said otherwise.
enum Field: Int, CaseIterable {
  /// Size of `heapStatsDelta`. Size of one of the three entries of memstats.heapStats.
  case deltaSize
  /// `heapStatsDelta.committed`.
  case committed
  /// `heapStatsDelta.released`.
  case released
  /// `heapStatsDelta.inHeap`.
  case inHeap
  /// `heapStatsDelta.inStacks`.
  case inStacks
  /// `heapStatsDelta.inWorkBufs`.
  case inWorkBufs
  /// `heapStatsDelta.inPtrScalarBits`. Until 1.24.
  case inPointerScalarBits
  /// `heapStatsDelta.tinyAllocCount`.
  case tinyAllocCount
  /// `heapStatsDelta.largeAlloc`.
  case largeAlloc
  /// `heapStatsDelta.largeAllocCount`.
  case largeAllocCount
  /// `heapStatsDelta.smallAllocCount`. An array, one for each size class.
  case smallAllocCount
  /// `heapStatsDelta.largeFree`.
  case largeFree
  /// `heapStatsDelta.largeFreeCount`.
  case largeFreeCount
  /// `heapStatsDelta.smallFreeCount`. An array, one for each size class.
  case smallFreeCount
  /// Size of `mstats`.
  case memstatsSize
  /// `mstats.heapStats.gen`.
  case generation
  /// `mstats.stacks_sys`.
  case stacksSys
  /// `mstats.mspan_sys`.
  case mspanSys
  /// `mstats.mcache_sys`.
  case mcacheSys
  /// `mstats.buckhash_sys`.
  case buckHashSys
  /// `mstats.gcMiscSys`.
  case gcMiscSys
  /// `mstats.other_sys`.
  case otherSys
  /// `mstats.last_gc_unix`. Nanoseconds since 1970.
  case lastGC
  /// `mstats.pause_total_ns`.
  case pauseTotal
  /// `mstats.pause_ns`. An array of 256.
  case pauses
  /// `mstats.numgc`.
  case numGC
  /// `mstats.numforcedgc`.
  case numForcedGC
  /// `mstats.gc_cpu_fraction`. A double.
  case gcCPUFraction
  /// `mheap.spanalloc.size`.
  case spanAllocSize
  /// `mheap.spanalloc.inuse`.
  case spanAllocInUse
  /// `mheap.spanalloc.stat`.
  case spanAllocStat
  /// `mheap.cachealloc.size`.
  case cacheAllocSize
  /// `mheap.cachealloc.inuse`.
  case cacheAllocInUse
  /// `mheap.cachealloc.stat`.
  case cacheAllocStat
  /// Size of `mspan`.
  case mspanSize
  /// Size of `mcache`.
  case mcacheSize
  /// `mcache.alloc`. An array of 136 pointers.
  case mcacheAlloc
  /// Size of `gcControllerState`.
  case controllerSize
  /// `gcControllerState.gcPercent`. 32 bits.
  case gcPercent
  /// `gcControllerState.memoryLimit`.
  case memoryLimit
  /// `gcControllerState.gcPercentHeapGoal`.
  case gcPercentHeapGoal
  /// `gcControllerState.sweepDistMinTrigger`.
  case sweepDistanceMinTrigger
  /// `gcControllerState.triggered`.
  case triggered
  /// `gcControllerState.heapMarked`.
  case heapMarked
  /// `gcControllerState.heapInUse`.
  case heapInUse
  /// `gcControllerState.heapReleased`.
  case heapReleased
  /// `gcControllerState.heapFree`.
  case heapFree
  /// `gcControllerState.totalAlloc`.
  case totalAlloc
  /// `gcControllerState.totalFree`.
  case totalFree
  /// `gcControllerState.mappedReady`.
  case mappedReady
  /// Size of `schedt`.
  case schedSize
  /// `schedt.goidgen`.
  case goroutineIDs
  /// `schedt.lastpoll`.
  case lastPoll
  /// `schedt.midle`.
  case idleM
  /// `schedt.nmidle`. 32 bits.
  case idleMCount
  /// `schedt.mnext`.
  case nextM
  /// `schedt.maxmcount`. 32 bits.
  case maxMCount
  /// `schedt.nmfreed`.
  case freedM
  /// `schedt.ngsys`. 32 bits.
  case systemG
  /// `schedt.pidle`.
  case idleP
  /// `schedt.npidle`. 32 bits.
  case idlePCount
  /// `schedt.gFree.n`, later `schedt.gFree.stack.size`. 32 bits.
  case freeG
  /// `schedt.gFree.noStack.size`. 32 bits, since 1.25; before, freeG is both.
  case freeGWithoutStack
  /// `schedt.procresizetime`.
  case procResizeTime
  /// `schedt.timeToRun`. A time histogram.
  case timeToRun
  /// `schedt.stwTotalTimeGC`. A time histogram, since 1.22.
  case stwTotalTimeGC
  /// Size of `timeHistogram`.
  case timeHistogramSize
  /// `workType.cpuStats`. Moves between patch releases: only a hint.
  case cpuStats
  /// `p.id`. 32 bits.
  case pID
  /// `p.status`. 32 bits.
  case pStatus
  /// `p.mcache`.
  case pCache
  /// `p.gFree.n`, later `p.gFree.size`. 32 bits.
  case pFreeG
  /// `g.atomicstatus`. 32 bits.
  case gStatus
  /// `g.goid`.
  case gID
  /// `m.alllink`.
  case mAllLink
  /// `m.ncgocall`.
  case mCgoCalls
  /// `m.allpSnapshot`. Added within 1.24.
  case mAllPSnapshot
}

extension Layout {
  /// One for each minor version and machine, by version.
  static let all: [Layout] = [
    // go1.19.8
    Layout(
      minor: 19, machine: .amd64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 13512, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 92224, 92272, 92280, 92296, 92344,
        92352, 144, 1200, 40, 424, 0, 8, 104, 112, 120, 184, 304, 312, 320, 328, 336, 344, 6080, 0,
        8, 32, 40, 48, 56, 64, 72, 80, 88, 176, absent, 288, 312, absent, 5768, absent, 0, 4, 64,
        2472, 144, 152, 336, 304, absent,
      ]),
    // go1.19.8
    Layout(
      minor: 19, machine: .arm64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 13512, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 92224, 92272, 92280, 92296, 92344,
        92352, 144, 1200, 40, 424, 0, 8, 104, 112, 120, 184, 304, 312, 320, 328, 336, 344, 6080, 0,
        8, 32, 40, 48, 56, 64, 72, 80, 88, 176, absent, 288, 312, absent, 5768, absent, 0, 4, 64,
        2472, 144, 152, 336, 304, absent,
      ]),
    // go1.21.13
    Layout(
      minor: 21, machine: .amd64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 9040, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 92232, 92280, 92288, 92304, 92352,
        92360, 168, 1200, 40, 392, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312, 1632, 0, 8,
        32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, absent, 1296, 488, 0, 4, 64, 2472,
        144, 152, 336, 304, absent,
      ]),
    // go1.21.13
    Layout(
      minor: 21, machine: .arm64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 9040, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 100936, 100984, 100992, 101008,
        101056, 101064, 168, 1200, 40, 456, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312,
        1632, 0, 8, 32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, absent, 1296, 616, 0, 4,
        64, 2472, 144, 152, 336, 304, absent,
      ]),
    // go1.22.10
    Layout(
      minor: 22, machine: .amd64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 7744, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 92296, 92344, 92352, 92368, 92416,
        92424, 160, 1200, 40, 392, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312, 6824, 0, 8,
        32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, 4224, 1296, 480, 0, 4, 64, 2472, 144,
        152, 328, 296, absent,
      ]),
    // go1.22.10
    Layout(
      minor: 22, machine: .arm64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 7744, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 101064, 101112, 101120, 101136,
        101184, 101192, 160, 1200, 40, 456, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312,
        6824, 0, 8, 32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, 4224, 1296, 608, 0, 4,
        64, 2472, 144, 152, 328, 296, absent,
      ]),
    // go1.23.9
    Layout(
      minor: 23, machine: .amd64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 7744, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 92296, 92344, 92352, 92368, 92416,
        92424, 160, 1200, 40, 392, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312, 6824, 0, 8,
        32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, 4224, 1296, 504, 0, 4, 56, 2464, 152,
        160, 328, 296, absent,
      ]),
    // go1.23.9
    Layout(
      minor: 23, machine: .arm64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 7744, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 101064, 101112, 101120, 101136,
        101184, 101192, 160, 1200, 40, 456, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312,
        6824, 0, 8, 32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, 4224, 1296, 632, 0, 4,
        56, 2464, 152, 160, 328, 296, absent,
      ]),
    // go1.24.11
    Layout(
      minor: 24, machine: .amd64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 7744, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 92296, 92344, 92352, 92368, 92416,
        92424, 160, 1208, 48, 392, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312, 6824, 0, 8,
        32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, 4224, 1296, 504, 0, 4, 56, 2464, 152,
        160, 352, 320, 296,
      ]),
    // go1.24.11
    Layout(
      minor: 24, machine: .arm64,
      values: [
        1176, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 616, 624, 632, 7744, 3528, 3544, 3552, 3560,
        3568, 3576, 3584, 3592, 3600, 3608, 7704, 7708, 7712, 101064, 101112, 101120, 101136,
        101184, 101192, 160, 1208, 48, 456, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312,
        6824, 0, 8, 32, 40, 48, 56, 64, 72, 80, 88, 184, absent, 296, 320, 4224, 1296, 632, 0, 4,
        56, 2464, 152, 160, 352, 320, 296,
      ]),
    // go1.25.5
    Layout(
      minor: 25, machine: .amd64,
      values: [
        1168, 0, 8, 16, 24, 32, absent, 40, 48, 56, 64, 608, 616, 624, 8264, 3504, 3520, 3528, 3536,
        3544, 3552, 3560, 3568, 3576, 3584, 7680, 7684, 7688, 92320, 92368, 92376, 92392, 92440,
        92448, 160, 1208, 48, 392, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312, 6848, 0, 8,
        40, 48, 56, 64, 72, 80, 88, 96, 184, 200, 312, 344, 4248, 1296, 592, 0, 4, 56, 2464, 144,
        152, 344, 312, 288,
      ]),
    // go1.25.5
    Layout(
      minor: 25, machine: .arm64,
      values: [
        1168, 0, 8, 16, 24, 32, absent, 40, 48, 56, 64, 608, 616, 624, 8264, 3504, 3520, 3528, 3536,
        3544, 3552, 3560, 3568, 3576, 3584, 7680, 7684, 7688, 101088, 101136, 101144, 101160,
        101208, 101216, 160, 1208, 48, 456, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312,
        6848, 0, 8, 40, 48, 56, 64, 72, 80, 88, 96, 184, 200, 312, 344, 4248, 1296, 784, 0, 4, 56,
        2464, 144, 152, 344, 312, 288,
      ]),
    // go1.26.6
    Layout(
      minor: 26, machine: .amd64,
      values: [
        1168, 0, 8, 16, 24, 32, absent, 40, 48, 56, 64, 608, 616, 624, 10440, 3504, 3520, 3528,
        3536, 3544, 3552, 3560, 3568, 3576, 3584, 7680, 7684, 7688, 92320, 92368, 92376, 92464,
        92512, 92520, 160, 2296, 48, 392, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312, 6872,
        0, 8, 40, 64, 72, 80, 88, 96, 104, 112, 200, 216, 328, 360, 4264, 1296, 728, 0, 4, 56, 2472,
        144, 152, 352, 320, 296,
      ]),
    // go1.26.6
    Layout(
      minor: 26, machine: .arm64,
      values: [
        1168, 0, 8, 16, 24, 32, absent, 40, 48, 56, 64, 608, 616, 624, 10440, 3504, 3520, 3528,
        3536, 3544, 3552, 3560, 3568, 3576, 3584, 7680, 7684, 7688, 101088, 101136, 101144, 101232,
        101280, 101288, 160, 2296, 48, 456, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312,
        6872, 0, 8, 40, 64, 72, 80, 88, 96, 104, 112, 200, 216, 328, 360, 4264, 1296, 984, 0, 4, 56,
        2472, 144, 152, 352, 320, 296,
      ]),
    // go1.27.3
    Layout(
      minor: 27, machine: .amd64,
      values: [
        1168, 0, 8, 16, 24, 32, absent, 40, 48, 56, 64, 608, 616, 624, 10440, 3504, 3520, 3528,
        3536, 3544, 3552, 3560, 3568, 3576, 3584, 7680, 7684, 7688, 92320, 92368, 92376, 92464,
        92512, 92520, 160, 2296, 48, 392, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312, 6872,
        0, 8, 40, 64, 72, 80, 88, 96, 104, 112, 200, 216, 328, 360, 4264, 1296, 728, 0, 4, 56, 2472,
        144, 152, 352, 320, 296,
      ]),
    // go1.27.3
    Layout(
      minor: 27, machine: .arm64,
      values: [
        1168, 0, 8, 16, 24, 32, absent, 40, 48, 56, 64, 608, 616, 624, 10440, 3504, 3520, 3528,
        3536, 3544, 3552, 3560, 3568, 3576, 3584, 7680, 7684, 7688, 101088, 101136, 101144, 101232,
        101280, 101288, 160, 2296, 48, 456, 0, 8, 72, 80, 88, 152, 272, 280, 288, 296, 304, 312,
        6872, 0, 8, 40, 64, 72, 80, 88, 96, 104, 112, 200, 216, 328, 360, 4264, 1296, 984, 0, 4, 56,
        2472, 144, 152, 352, 320, 296,
      ]),
  ]
}
