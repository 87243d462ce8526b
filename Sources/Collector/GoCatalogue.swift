import GoRuntime
import Metrics

extension Catalogue {
  /// What Go's client library says of its own process; the names are those of its collector.
  static let go: [TargetRow] = [
    .single(
      "go_gc_cycles_total", .counter, .none, .go, from: .go,
      otel: .sum("go.memory.gc.cycles", "{gc_cycle}"),
      "Garbage collections that have ended (numgc of runtime.memstats)."
    ) { .init($0.collectorCounts?.cycles) },
    .single(
      "go_gc_gogc_percent", .gauge, .none, .go, from: .go, over: .tightest,
      otel: .upDown("go.config.gogc", "%"),
      "GOGC, absent while it is off (gcPercent of runtime.gcController)."
    ) { .init($0.collector?.compactMap { UInt64(exactly: $0.percent) }.min()) },
    .single(
      "go_gc_gomemlimit_bytes", .gauge, .bytes, .go, from: .go, over: .tightest,
      otel: .upDown("go.memory.limit", "By"),
      "GOMEMLIMIT, absent while there is none (memoryLimit of runtime.gcController)."
    ) { survey in
      .init(
        survey.collector?.map(\.memoryLimit).filter { $0 < .max }.min().map(UInt64.init(clamping:)))
    },
    .single(
      "go_goroutines", .gauge, .none, .go, from: .go,
      otel: .upDown("go.goroutine.count", "{goroutine}"),
      "Goroutines, but for those of the runtime itself (runtime.sched and runtime.allglen)."
    ) { .init($0.scheduler?.sum { $0.goroutines }) },
    .labelled(
      "go_info", .gauge, .none, .go, labels: ["version"], from: .go,
      "Always 1, with the version of Go that the program was built with (build information of the file)."
    ) { survey in survey.versions.map { ([$0], .whole(1)) } },
    .heap(
      "go_memstats_alloc_bytes", .bytes,
      "Bytes of objects that are alive or not yet freed (heapStats of runtime.memstats)."
    ) { $0.allocated },
    .single(
      "go_memstats_alloc_bytes_total", .counter, .bytes, .go, from: .go,
      otel: .sum("go.memory.allocated", "By"),
      "Bytes of objects that were ever allocated (heapStats of runtime.memstats)."
    ) { .init($0.heapCounts?.allocatedBytes) },
    .heap(
      "go_memstats_buck_hash_sys_bytes", .bytes,
      "Memory for profiles (buckhash_sys of runtime.memstats)."
    ) { $0.buckHashSys },
    .single(
      "go_memstats_frees_total", .counter, .none, .go, from: .go,
      "Objects that were ever freed (heapStats of runtime.memstats)."
    ) { .init($0.heapCounts?.frees) },
    .single(
      "go_memstats_gc_cpu_fraction", .gauge, .none, .go, from: .go, over: .worst,
      "Share of the CPU that garbage collection has taken since the start of the program, 0 to 1 (gc_cpu_fraction of runtime.memstats)."
    ) { survey in
      survey.collector?.map(\.cpuFraction).filter(\.isFinite).max().map(Reading.real) ?? .absent
    },
    .single(
      "go_memstats_gc_duration_seconds", .counter, .seconds, .goTinyObs, from: .go,
      in: .nanoseconds,
      "Time that the program was stopped for garbage collection (pause_total_ns of runtime.memstats)."
    ) { .init($0.collectorCounts?.pauseNanoseconds) },
    .heap(
      "go_memstats_gc_sys_bytes", .bytes,
      "Memory for what the garbage collector keeps (gcMiscSys and heapStats of runtime.memstats)."
    ) { $0.gcSys },
    .heap(
      "go_memstats_heap_alloc_bytes", .bytes,
      "The same as go_memstats_alloc_bytes (heapStats of runtime.memstats)."
    ) { $0.allocated },
    .heap(
      "go_memstats_heap_idle_bytes", .bytes,
      "Memory for the heap in which no object is (heapStats of runtime.memstats)."
    ) { $0.idle },
    .heap(
      "go_memstats_heap_inuse_bytes", .bytes,
      "Memory for the heap in which objects are (heapStats of runtime.memstats)."
    ) { $0.inUse },
    .heap(
      "go_memstats_heap_objects", .none,
      "Objects that are alive or not yet freed (heapStats of runtime.memstats)."
    ) { $0.objects },
    .heap(
      "go_memstats_heap_released_bytes", .bytes,
      "Memory for the heap that was given back to the kernel (heapStats of runtime.memstats)."
    ) { $0.released },
    .heap(
      "go_memstats_heap_sys_bytes", .bytes,
      "Memory for the heap, in use or not (heapStats of runtime.memstats)."
    ) { $0.heapSys },
    .single(
      "go_memstats_last_gc_time_seconds", .gauge, .seconds, .go, from: .go, in: .nanoseconds,
      over: .oldest,
      "When the last garbage collection ended, since unix epoch, 0 before the first (last_gc_unix of runtime.memstats)."
    ) { survey in
      .init(survey.collector.map { $0.map(\.lastEnd).filter { $0 > 0 }.min() ?? 0 })
    },
    .single(
      "go_memstats_mallocs_total", .counter, .none, .go, from: .go,
      "Objects that were ever allocated (heapStats of runtime.memstats)."
    ) { .init($0.heapCounts?.allocations) },
    .heap(
      "go_memstats_mcache_inuse_bytes", .bytes,
      "Memory for mcache structures in use (cachealloc of runtime.mheap_)."
    ) { $0.cachesInUse },
    .heap(
      "go_memstats_mcache_sys_bytes", .bytes,
      "Memory for mcache structures (mcache_sys of runtime.memstats)."
    ) { $0.cachesSys },
    .heap(
      "go_memstats_mspan_inuse_bytes", .bytes,
      "Memory for mspan structures in use (spanalloc of runtime.mheap_)."
    ) { $0.spansInUse },
    .heap(
      "go_memstats_mspan_sys_bytes", .bytes,
      "Memory for mspan structures (mspan_sys of runtime.memstats)."
    ) { $0.spansSys },
    .heap(
      "go_memstats_next_gc_bytes", .bytes,
      otel: .upDown("go.memory.gc.goal", "By"),
      "At what size of the heap the garbage collection ends that comes next (runtime.gcController)."
    ) { $0.goal },
    .heap(
      "go_memstats_other_sys_bytes", .bytes,
      "Memory for anything else (other_sys of runtime.memstats)."
    ) { $0.otherSys },
    .heap(
      "go_memstats_stack_inuse_bytes", .bytes,
      otel: .upDown("go.memory.used", "By", "go.memory.type", "stack"),
      "Memory for stacks of goroutines (heapStats of runtime.memstats)."
    ) { $0.stacksInUse },
    .heap(
      "go_memstats_stack_sys_bytes", .bytes,
      "Memory for stacks of goroutines and of threads (stacks_sys of runtime.memstats)."
    ) { $0.stackSys },
    .heap(
      "go_memstats_sys_bytes", .bytes,
      "Memory obtained from the kernel, without that of C code (runtime.memstats)."
    ) { $0.sys },
    .single(
      "go_sched_gomaxprocs_threads", .gauge, .none, .go, from: .go,
      otel: .upDown("go.processor.limit", "{thread}"),
      "Threads that can run Go code at the same time, GOMAXPROCS (runtime.allp)."
    ) { survey in
      // None has 0, so one of them did not tell it.
      let isTold = survey.scheduler?.allSatisfy { $0.processors > 0 } ?? false
      return isTold ? .init(survey.scheduler?.sum { $0.processors }) : .absent
    },
    .single(
      "go_threads", .gauge, .none, .go, from: .go,
      "Threads as the runtime counts them (runtime.sched)."
    ) { .init($0.scheduler?.sum { $0.threads }) },
  ]
}

extension TargetRow {
  /// A row with a sum over the heaps of the Go processes.
  fileprivate static func heap(
    _ name: String, _ unit: Unit, otel: Convention? = nil, _ help: String,
    value: @escaping @Sendable (HeapFigures) -> UInt64
  ) -> TargetRow {
    .single(name, .gauge, unit, .go, from: .go, otel: otel, help) { .init($0.heap?.sum(value)) }
  }
}

extension Array {
  func sum(_ value: (Element) -> UInt64) -> UInt64 {
    reduce(0) { $0 &+ value($1) }
  }
}
