import GoRuntime
import Targets
import TestSupport
import Testing

@testable import Collector
@testable import GoRuntime

/// The runtimes of Go programs: families, sums over processes, and what is left out.
@Suite struct GoTests {
  private let go = Selection(includesDefault: false, groups: [.go, .goTinyObs])
  private let layout = Layout.all[0]

  /// A process with a fake runtime; its program is the file `NAME.program` in the tree.
  private func add(
    _ runtime: FakeRuntime, _ pid: Int32, _ tree: TestProc, program: String = "go"
  ) throws {
    tree.turn(to: pid)
    tree.remove("exe")
    try tree.process(pid)
    try tree.file("maps", runtime.maps("\(tree.path)/\(program).program"))
    try tree.file("mem", runtime.memory)
    try run(program, runtime.file, pid, tree)
  }

  private func run(_ program: String, _ bytes: [UInt8], _ pid: Int32, _ tree: TestProc) throws {
    try writeFile("\(tree.path)/\(program).program", bytes)
    tree.turn(to: pid)
    tree.remove("exe")
    try tree.add("exe", .link("\(tree.path)/\(program).program"))
  }

  private func watch(_ tree: TestProc) throws -> Watch {
    try Watch(tree, [target("app", named: "app", collect: go)])
  }

  private func page(_ watch: Watch) -> Page { watch.page(withoutLate: .file(.mem)) }

  @Test(arguments: [false, true]) func familiesAreSumsOverProcesses(isRelocatable: Bool) throws {
    let tree = try TestProc()
    var runtime = FakeRuntime(layout)
    runtime.isRelocatable = isRelocatable
    runtime.bias = isRelocatable ? 0x20000 : 0
    runtime.write()
    try add(runtime, 7, tree)
    runtime.setHalf(FakeRuntime.controller, .gcPercent, UInt32(bitPattern: -1))
    runtime.set(FakeRuntime.controller, .gcPercentHeapGoal, .max)
    runtime.set(FakeRuntime.controller, .memoryLimit, 1 << 30)
    runtime.set(FakeRuntime.memstats, .gcCPUFraction, 0.5.bitPattern)
    runtime.set(FakeRuntime.memstats, .lastGC, 1_600_000_000_500_000_000)
    try add(runtime, 8, tree)
    let watch = try watch(tree)
    let page = page(watch)
    #expect(page.value("go_memstats_alloc_bytes") == 219_200)
    #expect(page.value("go_memstats_alloc_bytes_total") == 232_000)
    #expect(page.value("go_memstats_mallocs_total") == 2026)
    #expect(page.value("go_memstats_frees_total") == 822)
    #expect(page.value("go_memstats_heap_objects") == 1204)
    #expect(page.value("go_memstats_heap_sys_bytes") == 14_680_064)
    #expect(page.value("go_threads") == 14)
    #expect(page.value("go_sched_gomaxprocs_threads") == 6)
    #expect(page.value("go_gc_cycles_total") == 10)
    #expect(page.value("go_memstats_gc_duration_seconds") == 0.00003)
    #expect(page.value("go_gc_gogc_percent") == 100)
    #expect(page.value("go_gc_gomemlimit_bytes") == 1_073_741_824)
    #expect(page.value("go_memstats_gc_cpu_fraction") == 0.5)
    #expect(page.value("go_memstats_last_gc_time_seconds") == 1_600_000_000.5)
    #expect(page[#"go_info{target="app",version="\#(runtime.version)"}"#] == 1)
    for group in ["heap", "scheduler", "gc"] { #expect(page[runtimeOK(group)] == 1) }
    #expect(page.samples.count { $0.key.hasPrefix("go_") } == 38)
    #expect(watch.troubles.isEmpty)
  }

  @Test func tinyObsHasSixFamilies() throws {
    let tree = try TestProc()
    try add(FakeRuntime(layout), 7, tree)
    let selection = Selection(includesDefault: false, groups: [.goTinyObs])
    let page = page(try Watch(tree, [target("app", named: "app", collect: selection)]))
    #expect(
      Set(page.samples.keys.filter { !$0.hasPrefix("procvitals_") })
        == Set(
          [
            "gc_cycles_total", "goroutines", "memstats_gc_duration_seconds",
            "memstats_heap_alloc_bytes", "memstats_heap_objects", "memstats_heap_sys_bytes",
          ].map { #"go_\#($0){target="app"}"# }))
  }

  /// Unlimited is absent, as everywhere.
  @Test func offIsAbsent() throws {
    let tree = try TestProc()
    var runtime = FakeRuntime(layout)
    runtime.setHalf(FakeRuntime.controller, .gcPercent, UInt32(bitPattern: -1))
    runtime.set(FakeRuntime.controller, .gcPercentHeapGoal, .max)
    try add(runtime, 7, tree)
    let page = try page(watch(tree))
    #expect(page.value("go_goroutines") != nil)
    #expect(page.value("go_gc_gogc_percent") == nil)
    #expect(page.value("go_gc_gomemlimit_bytes") == nil)
  }

  @Test func countersStayThroughEndAndRestart() throws {
    let tree = try TestProc()
    try add(FakeRuntime(layout), 7, tree)
    let watch = try watch(tree)
    #expect(page(watch).value("go_gc_cycles_total") == 5)
    tree.removeProcess(7)
    let none = watch.collect()
    #expect(none.value("go_gc_cycles_total") == 5)
    #expect(none.value("go_memstats_alloc_bytes_total") == 116_000)
    #expect(none.value("go_goroutines") == nil)
    #expect(none[runtimeOK("heap")] == nil)
    try add(FakeRuntime(layout), 9, tree)
    let after = page(watch)
    #expect(after.value("go_gc_cycles_total") == 10)
    #expect(after.value("go_memstats_alloc_bytes_total") == 232_000)
    #expect(after.value("go_threads") == 7)
  }

  /// What is read while the runtime is at work can be lower than before.
  @Test func countersOfARunNeverFall() throws {
    let tree = try TestProc()
    var runtime = FakeRuntime(layout)
    try add(runtime, 7, tree)
    let watch = try watch(tree)
    _ = page(watch)
    runtime.allocations = 900
    runtime.write()
    try tree.file("mem", runtime.memory)
    #expect(page(watch).value("go_memstats_mallocs_total") == 1013)
    runtime.allocations = 2000
    runtime.write()
    try tree.file("mem", runtime.memory)
    #expect(page(watch).value("go_memstats_mallocs_total") == 2013)
  }

  /// What the program before it had counts on.
  @Test func anotherProgramIsAnotherRun() throws {
    let tree = try TestProc()
    try add(FakeRuntime(layout), 7, tree)
    let watch = try watch(tree)
    _ = page(watch)
    var other = FakeRuntime(Layout.all[6])
    other.cycles = 6
    other.pauses.append(1)
    other.write()
    try add(other, 7, tree, program: "other")
    try tree.file(
      "stat",
      TestStat(pid: 7).line.replacing(" 0 0 0 0 0 0 0 0 0 0 0\n", with: " 0 0 0 0 0 0 9 0 0 0 0\n"))
    let page = page(watch)
    #expect(page[#"go_info{target="app",version="\#(other.version)"}"#] == 1)
    #expect(page.value("go_gc_cycles_total") == 11)
  }

  @Test func aRefusedGroupIsAbsentAndSaysWhy() throws {
    let tree = try TestProc()
    try add(FakeRuntime(layout), 7, tree)
    var wrong = FakeRuntime(layout)
    wrong.set(FakeRuntime.controller, .heapInUse, 1)
    try add(wrong, 8, tree)
    let watch = try watch(tree)
    let page = page(watch)
    #expect(page[runtimeOK("heap")] == 0)
    #expect(page[runtimeOK("scheduler")] == 1)
    #expect(page.value("go_memstats_alloc_bytes") == nil)
    #expect(page.value("go_memstats_mallocs_total") == nil)
    #expect(page.value("go_threads") == 14)
    #expect(page.value("go_gc_cycles_total") == 10)
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="mem",reason="malformed"}"#] ?? 0 > 0)
    #expect("\(watch.notices)".contains("process 8: figures of its Go runtime are left out"))
    #expect("\(watch.notices)".contains("heap: heapInUse is not the sum of its parts"))
    _ = watch.collect()
    #expect(!"\(watch.notices)".contains("heapInUse"))
    try tree.file("mem", FakeRuntime(layout).memory)
    #expect(self.page(watch).value("go_memstats_mallocs_total") == 2026)
  }

  @Test func otherProgramsDoNotMatter() throws {
    let tree = try TestProc()
    try add(FakeRuntime(layout), 7, tree)
    for (pid, bytes) in [(8, Array("#!/bin/sh\n".utf8)), (9, [])] as [(Int32, [UInt8])] {
      try tree.process(pid)
      try run("p\(pid)", bytes, pid, tree)
    }
    let watch = try watch(tree)
    let page = page(watch)
    #expect(page.value("go_threads") == 7)
    #expect(page[runtimeOK("heap")] == 1)
    #expect(watch.troubles.isEmpty)
    tree.removeProcess(7)
    #expect(watch.collect()[runtimeOK("heap")] == nil)
  }

  /// Of a version without a layout nothing is told but that.
  @Test func anUnknownVersionIsTold() throws {
    let tree = try TestProc()
    var file = FakeRuntime(layout).file
    let version = Array(FakeRuntime(layout).version.utf8)
    let place = try #require(file.indices.first { file[$0...].starts(with: version) })
    file.replaceSubrange(place..<(place + version.count), with: Array("go1.20.3".utf8))
    try add(FakeRuntime(layout), 7, tree)
    try run("go", file, 7, tree)
    let watch = try watch(tree)
    let page = page(watch)
    #expect(page[runtimeOK("heap")] == 0)
    #expect(!page.text.contains("\ngo_"))
    #expect("\(watch.notices)".contains("the layout of go1.20.3 is not known"))
  }

  /// One that gives nothing again and again is left alone for a while; the reason stays.
  @Test func aHopelessProcessRests() throws {
    let tree = try TestProc()
    var wrong = FakeRuntime(layout)
    wrong.set(FakeRuntime.heap, .spanAllocSize, 1)
    try add(wrong, 7, tree)
    let watch = try watch(tree)
    for _ in 0..<3 { #expect(page(watch)[runtimeOK("heap")] == 0) }
    try tree.file("mem", FakeRuntime(layout).memory)
    let page = page(watch)
    #expect(page[runtimeOK("heap")] == 0)
    #expect(page.value("go_threads") == nil)
    #expect(watch.troubles == [Trouble(.file(.mem), .malformed)])
  }
}
