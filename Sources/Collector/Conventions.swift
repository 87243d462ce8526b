import GoRuntime
import Metrics

extension Convention {
  /// A metric that only rises, or a series of it.
  static func sum(
    _ name: String, _ unit: String, _ attribute: String? = nil, _ value: String = ""
  ) -> Convention {
    Convention(name, unit, .sum, attribute.map { Label($0, value) })
  }

  /// A metric that goes up and down, or a series of it.
  static func upDown(
    _ name: String, _ unit: String, _ attribute: String? = nil, _ value: String = ""
  ) -> Convention {
    Convention(name, unit, .upDownSum, attribute.map { Label($0, value) })
  }

  static func contextSwitches(_ type: String) -> Convention {
    .sum("process.context_switches", "{context_switch}", "process.context_switch.type", type)
  }

  static func pagingFaults(_ type: String) -> Convention {
    .sum("process.paging.faults", "{fault}", "system.paging.fault.type", type)
  }

  static func networkIO(_ direction: String) -> Convention {
    .sum("process.network.io", "By", "network.io.direction", direction)
  }
}

extension Catalogue {
  /// What only OpenTelemetry's conventions have, and no Prometheus page.
  static let conventional: [TargetRow] = [
    .single(
      "go_memory_allocations_total", .counter, .none, .go, from: .go,
      otel: .sum("go.memory.allocations", "{allocation}"),
      "Objects that were ever allocated, but tiny ones (heapStats of runtime.memstats)."
    ) { .init($0.heapCounts?.objects) },
    .single(
      "go_memory_other_bytes", .gauge, .bytes, .go, from: .go,
      otel: .upDown("go.memory.used", "By", "go.memory.type", "other"),
      "Memory of the runtime, but stacks of goroutines and what was given back (runtime.memstats)."
    ) { .init($0.heap?.sum { $0.sys &- $0.released &- $0.stacksInUse }) },
  ]

  /// What they have once older names are wanted.
  private static let pauseNanoseconds: TargetRow = .single(
    "go_pause_nanoseconds_total", .counter, .none, .go, from: .go,
    otel: .sum("runtime.go.gc.pause_total_ns", "ns"),
    "Time that the program was stopped for garbage collection (pause_total_ns of runtime.memstats)."
  ) { .init($0.collectorCounts?.pauseNanoseconds) }

  /// Names that OpenTelemetry's instrumentation of Go had before there were conventions, beside
  /// `runtime.go.` and without the figures that nobody reads here.
  static var olderGoNames: [(row: TargetRow, convention: Convention)] {
    let rows = go + goLatencies
    return olderNames.compactMap { family, name, unit, instrument in
      rows.first { $0.family.name == family }.map {
        ($0, Convention("runtime.go.\(name)", unit, instrument, factor: unit == "ns" ? 1e9 : 1))
      }
    } + [(pauseNanoseconds, Convention("runtime.go.gc.pause_total_ns", "ns", .sum))]
  }

  private static let olderNames: [(String, String, String, Convention.Instrument)] = [
    ("go_gc_cycles_total", "gc.count", "", .sum),
    ("go_goroutines", "goroutines", "", .upDownSum),
    ("go_memstats_heap_alloc_bytes", "mem.heap_alloc", "By", .upDownSum),
    ("go_memstats_heap_idle_bytes", "mem.heap_idle", "By", .upDownSum),
    ("go_memstats_heap_inuse_bytes", "mem.heap_inuse", "By", .upDownSum),
    ("go_memstats_heap_objects", "mem.heap_objects", "", .upDownSum),
    ("go_memstats_heap_objects", "mem.live_objects", "", .upDownSum),
    ("go_memstats_heap_released_bytes", "mem.heap_released", "By", .upDownSum),
    ("go_memstats_heap_sys_bytes", "mem.heap_sys", "By", .upDownSum),
    ("go_sched_pauses_total_gc_seconds", "gc.pause_ns", "ns", .histogram),
  ]
}
