import GoRuntime
import TestSupport
import Testing

@testable import GoReports

/// What expvar tells, and what does not come from it.
@Suite struct MemoryStatisticsTests {
  /// The members of `runtime.MemStats` as Go 1.27 writes them, with numbers that fit together.
  static func answer(
    cycles: Int = 3, replacing: [(String, String)] = [], pauses: [Int] = [100, 300, 200]
  ) -> [UInt8] {
    let ring = pauses + Array(repeating: 0, count: max(0, 256 - pauses.count))
    let zeros = Array(repeating: 0, count: 256)
    var text = """
      {
      "cmdline": ["/srv/app","-name=\\u00e9\\"\\n"],
      "memstats": {"Alloc":166896,"TotalAlloc":245072,"Sys":8747272,"Lookups":0,"Mallocs":787,\
      "Frees":84,"HeapAlloc":166896,"HeapSys":3866624,"HeapIdle":3080192,"HeapInuse":786432,\
      "HeapReleased":2990080,"HeapObjects":703,"StackInuse":327680,"StackSys":330000,\
      "MSpanInuse":23840,"MSpanSys":32640,"MCacheInuse":4592,"MCacheSys":16072,\
      "BuckHashSys":1443245,"GCSys":2250992,"OtherSys":810019,"NextGC":4194304,\
      "LastGC":1795295898419930587,"PauseTotalNs":600,"PauseNs":\(ring),"PauseEnd":\(zeros),\
      "NumGC":\(cycles),"NumForcedGC":2,"GCCPUFraction":2.5e-05,"EnableGC":true,"DebugGC":false,\
      "BySize":[{"Size":0,"Mallocs":1,"Frees":0},{"Size":8,"Mallocs":9,"Frees":9}]},
      "requests": 12.5e+3
      }

      """
    for (old, new) in replacing { text = text.replacing(old, with: new) }
    return Array(text.utf8)
  }

  private func heap(_ bytes: [UInt8]) throws -> HeapFigures {
    try GoSample(expvar: bytes).heap.get()
  }

  @Test func everythingOfMemoryAndCollectorIsTaken() throws {
    let sample = try GoSample(expvar: Self.answer())
    let heap = try sample.heap.get()
    #expect(heap.allocatedBytes == 245_072)
    #expect(heap.allocated == 166_896)
    #expect(heap.mallocs == 787)
    #expect(heap.frees == 84)
    #expect(heap.objects == 703)
    #expect(heap.sys == 8_747_272)
    #expect(heap.heapSys == 3_866_624)
    #expect(heap.idle == 3_080_192)
    #expect(heap.inUse == 786_432)
    #expect(heap.released == 2_990_080)
    #expect(heap.stacksInUse == 327_680)
    #expect(heap.stackSys == 330_000)
    #expect((heap.spansInUse, heap.spansSys) == (23_840, 32_640))
    #expect((heap.cachesInUse, heap.cachesSys) == (4592, 16_072))
    #expect((heap.buckHashSys, heap.gcSys, heap.otherSys) == (1_443_245, 2_250_992, 810_019))
    #expect(heap.goal == 4_194_304)
    let collector = try sample.collector.get()
    #expect((collector.cycles, collector.forcedCycles) == (3, 2))
    #expect(collector.lastEnd == 1_795_295_898_419_930_587)
    #expect(collector.pauseTotal == 600)
    #expect(collector.pauses == [200, 300, 100])
    #expect(collector.cpuFraction == 0.000025)
    #expect((collector.percent, collector.memoryLimit) == (-1, .max))
    #expect(sample.scheduler == .failure(.notTold))
    #expect(sample.version.isEmpty)
  }

  /// The ring has gone round: the latest stands before the oldest.
  @Test func pausesAreTheLatestOnesFirst() throws {
    let sample = try GoSample(expvar: Self.answer(cycles: 258, pauses: Array(0..<256)))
    let collector = try sample.collector.get()
    #expect(collector.pauses == [1, 0] + (2...255).reversed().map(UInt64.init))
    let none = try GoSample(expvar: Self.answer(cycles: 0)).collector.get()
    #expect(none.pauses.isEmpty)
  }

  /// What one of them lacks or has otherwise costs its group only.
  @Test(arguments: [
    ("\"TotalAlloc\":245072,", "", "heap", "memstats has no whole number TotalAlloc"),
    ("\"Sys\":8747272", "\"Sys\":-1", "heap", "memstats has no whole number Sys"),
    ("\"Sys\":8747272", "\"Sys\":1.5", "heap", "memstats has no whole number Sys"),
    ("\"Sys\":8747272", "\"Sys\":\"8\"", "heap", "memstats has no whole number Sys"),
    (
      "\"Sys\":8747272", "\"Sys\":18446744073709551616", "heap",
      "memstats has no whole number Sys"
    ),
    (
      "\"HeapSys\":3866624", "\"HeapSys\":3866625", "heap",
      "figures of memory do not agree with each other"
    ),
    ("\"NumGC\":3", "\"NumGC\":null", "gc", "memstats has no whole number NumGC"),
    ("[100, ", "[", "gc", "memstats does not have 256 numbers PauseNs"),
    ("[100, ", "[\"100\", ", "gc", "memstats has no whole number in PauseNs"),
    ("2.5e-05", "2.5", "gc", "memstats has no GCCPUFraction from 0 to 1"),
    ("2.5e-05", "-0.1", "gc", "memstats has no GCCPUFraction from 0 to 1"),
  ])
  func aGroupIsRefused(old: String, new: String, group: String, why: String) throws {
    let sample = try GoSample(expvar: Self.answer(replacing: [(old, new)]))
    let (heap, collector) = (try? sample.heap.get(), try? sample.collector.get())
    #expect((heap == nil, collector == nil) == (group == "heap", group == "gc"))
    let reason = Refusal.inconsistent(why)
    if group == "heap" { #expect(sample.heap == .failure(reason)) }
    if group == "gc" { #expect(sample.collector == .failure(reason)) }
  }

  @Test(arguments: [
    "", " ", "{}", "[]", "1", "{\"memstats\": 1}", "{\"memstats\": []}", "{\"memstats\": {}",
    "{\"memstats\": {}}}", "{\"memstats\": {}} x", "{\"memstats\": {},}", "{,}", "{\"a\" 1}",
    "{\"memstats\": {\"a\": 01}}", "{\"memstats\": {\"a\": 1.}}", "{\"memstats\": {\"a\": .1}}",
    "{\"memstats\": {\"a\": +1}}", "{\"memstats\": {\"a\": 1e}}", "{\"memstats\": {\"a\": NaN}}",
    "{\"memstats\": {\"a\": tru}}", "{\"memstats\": {\"a\": \"\\x\"}}",
    "{\"memstats\": {\"a\": \"\\u12g4\"}}", "{\"memstats\": {\"a\": \"\n\"}}",
    "{'memstats': {}}", "{\"memstats\": {} /**/}", "{\"memstats\": {}, \"a\": [1,]}",
  ])
  func whatIsNoAnswerOfExpvarIsRefused(text: String) {
    #expect(throws: Refusal.self) { try GoSample(expvar: Array(text.utf8)) }
  }

  @Test func depthHasALimit() throws {
    func nested(_ depth: Int) -> [UInt8] {
      let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      return Self.answer(replacing: [("12.5e+3", text)])
    }
    _ = try heap(nested(JSONScanner.depthLimit - 1))
    #expect(throws: Refusal.self) { try heap(nested(JSONScanner.depthLimit)) }
    #expect(throws: Refusal.self) { try heap(nested(100_000)) }
  }

  @Test func anAnswerThatIsCutIsRefused() {
    let whole = Self.answer()
    // Only blanks are missing at the very end.
    for count in 0..<(whole.count - 2) {
      #expect(throws: Refusal.self) { try GoSample(expvar: Array(whole[..<count])) }
    }
  }

  /// Whatever comes, there is an answer, and it is the same again.
  @Test func garbageDoesNoHarm() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let whole = Self.answer()
    for _ in 0..<2000 {
      let bytes = random.mutated(whole)
      let (first, second) = (try? heap(bytes), try? heap(bytes))
      #expect(first == second, "seed \(seed)")
      let sample = try? GoSample(expvar: bytes)
      if case .success(let figures)? = sample?.collector {
        #expect(figures.pauses.count == min(256, Int(clamping: figures.cycles)), "seed \(seed)")
      }
    }
  }
}
