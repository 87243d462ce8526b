import GoReports
import GoRuntime
import TestSupport
import Testing

@testable import Collector

/// What a page of Go's client library tells, and what does not come from it.
@Suite struct GoPageTests {
  /// A page as client_golang 1.20 writes it; its older ones lack what is in ``recent``.
  static let page = """
    # HELP go_gc_duration_seconds A summary of the pause duration of garbage collection cycles.
    # TYPE go_gc_duration_seconds summary
    go_gc_duration_seconds{quantile="0"} 4.1237e-05
    go_gc_duration_seconds{quantile="0.25"} 5.0e-05
    go_gc_duration_seconds{quantile="0.5"} 6.25e-05
    go_gc_duration_seconds{quantile="0.75"} 0.0001
    go_gc_duration_seconds{quantile="1"} 0.001
    go_gc_duration_seconds_sum 0.012345678
    go_gc_duration_seconds_count 42
    # TYPE go_goroutines gauge
    go_goroutines 37
    # TYPE go_info gauge
    go_info{version="go1.27.3"} 1
    # TYPE go_memstats_alloc_bytes gauge
    go_memstats_alloc_bytes 2.052704e+06
    # TYPE go_memstats_alloc_bytes_total counter
    go_memstats_alloc_bytes_total 9.007199254e+09
    # TYPE go_memstats_buck_hash_sys_bytes gauge
    go_memstats_buck_hash_sys_bytes 1.443245e+06
    # TYPE go_memstats_frees_total counter
    go_memstats_frees_total 1000
    # TYPE go_memstats_gc_sys_bytes gauge
    go_memstats_gc_sys_bytes 8.0e+06
    go_memstats_heap_alloc_bytes 2.052704e+06
    go_memstats_heap_idle_bytes 5.0e+06
    go_memstats_heap_inuse_bytes 3.0e+06
    go_memstats_heap_objects 500
    go_memstats_heap_released_bytes 4.0e+06
    go_memstats_heap_sys_bytes 8.0e+06
    go_memstats_last_gc_time_seconds 1.7952958984199305e+09
    go_memstats_lookups_total 0
    # TYPE go_memstats_mallocs_total counter
    go_memstats_mallocs_total 1500
    go_memstats_mcache_inuse_bytes 4592
    go_memstats_mcache_sys_bytes 16072
    go_memstats_mspan_inuse_bytes 23840
    go_memstats_mspan_sys_bytes 32640
    go_memstats_next_gc_bytes 4.194304e+06
    go_memstats_other_sys_bytes 810019
    go_memstats_stack_inuse_bytes 327680
    go_memstats_stack_sys_bytes 330000
    go_memstats_sys_bytes 1.5e+07 1700000000000
    go_threads 8
    process_open_fds 7
    shop_orders_total{way="a b\\"}"} NaN

    """
  static let recent = """
    # TYPE go_gc_gogc_percent gauge
    go_gc_gogc_percent 100
    # TYPE go_gc_gomemlimit_bytes gauge
    go_gc_gomemlimit_bytes 9.223372036854776e+18
    # TYPE go_sched_gomaxprocs_threads gauge
    go_sched_gomaxprocs_threads 4

    """
  static let distributions = """
    # TYPE go_sched_latencies_seconds histogram
    go_sched_latencies_seconds_bucket{le="6.399999999999999e-08"} 10
    go_sched_latencies_seconds_bucket{le="6.399999999999999e-07"} 12
    go_sched_latencies_seconds_bucket{le="7.167999999999999e-06"} 12
    go_sched_latencies_seconds_bucket{le="8.191999999999999e-05"} 20
    go_sched_latencies_seconds_bucket{le="0.0009175039999999999"} 20
    go_sched_latencies_seconds_bucket{le="0.010485759999999998"} 20
    go_sched_latencies_seconds_bucket{le="0.11744051199999998"} 20
    go_sched_latencies_seconds_bucket{le="+Inf"} 21
    go_sched_latencies_seconds_sum 0.5
    go_sched_latencies_seconds_count 21

    """

  static func sample(_ text: String) throws(Refusal) -> GoSample {
    try GoPage(Array(text.utf8)).sample
  }

  @Test func allOfTheCatalogueIsTaken() throws {
    let sample = try Self.sample(Self.page + Self.recent)
    let heap = try sample.heap.get()
    #expect(heap.allocatedBytes == 9_007_199_254)
    #expect(heap.allocated == 2_052_704)
    #expect((heap.mallocs, heap.frees, heap.objects) == (1500, 1000, 500))
    #expect((heap.inUse, heap.idle, heap.released) == (3_000_000, 5_000_000, 4_000_000))
    #expect((heap.stacksInUse, heap.stackSys) == (327_680, 330_000))
    #expect((heap.sys, heap.goal) == (15_000_000, 4_194_304))
    let scheduler = try sample.scheduler.get()
    #expect(scheduler == SchedulerFigures(goroutines: 37, threads: 8, processors: 4))
    let collector = try sample.collector.get()
    #expect((collector.cycles, collector.pauseTotal) == (42, 12_345_678))
    #expect(collector.pauses == [41_237, 50_000, 62_500, 100_000, 1_000_000])
    #expect(Double(collector.lastEnd) / 1e9 == 1.7952958984199305e+09)
    #expect((collector.percent, collector.memoryLimit) == (100, .max))
    #expect(collector.cpuFraction.isNaN)
    #expect(sample.version == "go1.27.3")
    #expect(sample.latencies == nil)
    #expect(sample.cpuTimes == nil)
  }

  /// What is taken are families of the catalogue, but for those that say the same as others.
  @Test func typesAreThoseOfTheCatalogue() {
    let rows = Catalogue.go + [Catalogue.goPauseSummary] + Catalogue.goLatencies + Catalogue.goCPU
    var kinds = Dictionary(
      uniqueKeysWithValues: rows.map { ($0.family.name, $0.family.kind.rawValue) })
    for name in ["go_gc_cycles_total", "go_memstats_gc_duration_seconds"] { kinds[name] = nil }
    #expect(GoPage.kinds == kinds)
  }

  /// Older and newer versions of the library lack these.
  @Test func whatCameLaterMayBeMissing() throws {
    let sample = try Self.sample(Self.page)
    #expect(try sample.scheduler.get().processors == 0)
    #expect(try sample.collector.get().percent == -1)
    #expect(try sample.collector.get().memoryLimit == .max)
  }

  @Test func settingsThatAreOff() throws {
    let off = Self.recent.replacing("percent 100", with: "percent 1.8446744073709552e+19")
    #expect(try Self.sample(Self.page + off).collector.get().percent == -1)
    let limit = Self.recent.replacing("9.223372036854776e+18", with: "1.073741824e+09")
    #expect(try Self.sample(Self.page + limit).collector.get().memoryLimit == 1 << 30)
  }

  @Test func histogramsOfTheSameBuckets() throws {
    let sample = try Self.sample(Self.page + Self.distributions)
    let histogram = try #require(sample.latencies).get()
    #expect(histogram.counts == [10, 2, 0, 8, 0, 0, 0, 1])
    for (old, new) in [
      ("6.399999999999999e-08", "6.4e-08"), ("} 12", "} 9"), ("le=\"+Inf\"", "le=\"9\""),
    ] {
      let other = Self.distributions.replacing(old, with: new)
      #expect(try Self.sample(Self.page + other).latencies == nil)
    }
  }

  @Test func timesOfTheCPU() throws {
    let names = Catalogue.goCPU.map(\.family.name)
    let text = names.enumerated().map { "\($1) \($0).5\n" }.joined()
    let times = try #require(try Self.sample(Self.page + text).cpuTimes).get()
    #expect(times.assist == 500_000_000)
    #expect(times.user == 10_500_000_000)
    #expect(try Self.sample(Self.page + text.replacing(names[3], with: "other")).cpuTimes == nil)
  }

  /// A family that is missing costs its group.
  @Test(arguments: [
    ("go_goroutines 37", "scheduler", "go_goroutines"),
    ("go_threads 8", "scheduler", "go_threads"),
    ("go_memstats_sys_bytes 1.5e+07 1700000000000", "heap", "go_memstats_sys_bytes"),
    ("go_memstats_mallocs_total 1500", "heap", "go_memstats_mallocs_total"),
    ("go_gc_duration_seconds_count 42", "gc", "go_gc_duration_seconds_count"),
    (
      "go_gc_duration_seconds{quantile=\"0.5\"} 6.25e-05", "gc", "go_gc_duration_seconds 0.5"
    ),
  ])
  func aMissingFamilyCostsItsGroup(line: String, group: String, name: String) throws {
    let other = line.replacing(name, with: name + "{instance=\"other\"}")
    for text in ["", "# \(line)", other == line ? "" : other] {
      let sample = try Self.sample(Self.page.replacing(line, with: text))
      #expect(sample.refusals.map(\.group.rawValue) == [group])
      #expect(sample.refusals[0].reason == .inconsistent("no number \(name) without other labels"))
    }
  }

  @Test(arguments: [
    ("go_memstats_heap_sys_bytes 8.0e+06", "go_memstats_heap_sys_bytes 8.1e+06"),
    ("go_memstats_heap_objects 500", "go_memstats_heap_objects 501"),
    ("go_memstats_heap_alloc_bytes 2.052704e+06", "go_memstats_heap_alloc_bytes 1"),
    ("go_memstats_mspan_sys_bytes 32640", "go_memstats_mspan_sys_bytes 32640.5"),
    ("go_memstats_mspan_sys_bytes 32640", "go_memstats_mspan_sys_bytes -1"),
    ("go_memstats_mspan_sys_bytes 32640", "go_memstats_mspan_sys_bytes NaN"),
    ("go_memstats_mspan_sys_bytes 32640", "go_memstats_mspan_sys_bytes 1e300"),
    ("go_memstats_mspan_sys_bytes 32640", "go_memstats_mspan_sys_bytes x"),
  ])
  func numbersThatCannotBeCostTheirGroup(old: String, new: String) throws {
    let sample = try Self.sample(Self.page.replacing(old, with: new))
    #expect(sample.refusals.map(\.group) == [.heap])
  }

  /// These are no pages of such a program.
  @Test(arguments: [
    ("# TYPE go_goroutines gauge", "# TYPE go_goroutines counter"),
    ("# TYPE go_gc_duration_seconds summary", "# TYPE go_gc_duration_seconds histogram"),
    ("# TYPE go_goroutines gauge", "# TYPE go_goroutines"),
    ("go_threads 8", "go_threads 8\ngo_threads 8"),
    ("go_threads 8", "go_threads"),
    ("go_threads 8", "go_threads 8 1 2"),
    ("go_threads 8", "go_threads{ 8"),
    ("go_threads 8", "go_threads{a=\"} 8"),
    ("go_threads 8", "go_threads{a} 8"),
    ("quantile=\"0.5\"", "quantile=\"half\""),
    ("go_threads 8", "go_threads \(String(repeating: "0", count: 33))"),
  ])
  func otherPagesAreRefused(old: String, new: String) {
    #expect(throws: Refusal.self) {
      try Self.sample(Self.page.replacing(old, with: new))
    }
  }

  @Test(arguments: [
    ("# TYPE go_goroutines gauge", "# TYPE go_goroutines untyped"),
    ("# TYPE go_goroutines gauge\n", ""),
    ("# TYPE go_info gauge", "# TYPE go_other_thing counter\ngo_other_thing{x=\"}\"} zero"),
    ("go_info{version=", "go_info{ version="),
    ("go_info{version=\"go1.27.3\"}", "go_info{version=\"go1.27.3\",}"),
    ("go_threads 8", "go_threads\t8"),
    ("go_threads 8", "go_threads{} 8"),
  ])
  func otherWaysToWriteTheSame(old: String, new: String) throws {
    let sample = try Self.sample(Self.page.replacing(old, with: new))
    #expect(sample.refusals.isEmpty)
    #expect(sample.version == "go1.27.3")
  }

  /// A page that is cut gives nothing that it would not have given whole.
  @Test func aPageThatIsCut() throws {
    let whole = Array((Self.page + Self.recent).utf8)
    let heap = try GoPage(whole).sample.heap.get()
    for count in 0..<whole.count {
      let sample = try? GoPage(Array(whole[..<count])).sample
      if whole[..<count].last == 0x0a {
        #expect(sample != nil)
      } else {
        #expect(sample == nil)
      }
      if case .success(let figures)? = sample?.heap { #expect(figures == heap) }
    }
  }

  @Test func garbageDoesNoHarm() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let whole = Array((Self.page + Self.recent + Self.distributions).utf8)
    for _ in 0..<1000 {
      let bytes = random.mutated(whole)
      let sample = try? GoPage(bytes).sample
      if case .success(let figures)? = sample?.collector {
        #expect(figures.pauses.count == 5, "seed \(seed)")
      }
      if case .success(let figures)? = sample?.heap {
        #expect(figures.heapSys == figures.inUse &+ figures.idle, "seed \(seed)")
      }
    }
  }

  @Test func numbersAreBounded() {
    let many = (0..<2000).map { "go_sched_latencies_seconds_bucket{le=\"\($0)\"} 1\n" }.joined()
    #expect(throws: Refusal.self) { try Self.sample(Self.page + many) }
  }
}
