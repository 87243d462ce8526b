import GoReports
import Linux
import Patterns
import Synchronization
import Targets
import TestSupport
import Testing

@testable import Collector

/// Programs that tell what they are told to tell.
private final class Tellers: Sendable {
  private struct State {
    var answers: [String: Result<String, GoAddress.Failure>] = [:]
    var asked: [String] = []
    var isHeld = false
  }

  private let state = Mutex(State())

  var asked: [String] { state.withLock { $0.asked } }

  func tell(_ url: String, _ answer: String) {
    state.withLock { $0.answers[url] = .success(answer) }
  }

  func fail(_ url: String, _ reason: Trouble.Reason, _ detail: String = "no") {
    state.withLock { $0.answers[url] = .failure(.init(reason, detail)) }
  }

  /// Lets nobody have an answer, or everybody.
  func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

  var ask: GoAddress.Ask {
    { address, _ throws(GoAddress.Failure) in
      self.state.withLock { $0.asked.append(address.url) }
      _ = eventually { !self.state.withLock { $0.isHeld } }
      guard let answer = self.state.withLock({ $0.answers[address.url] }) else {
        throw .init(.failed, "Connection refused")
      }
      return Array(try answer.get().utf8)
    }
  }
}

/// Figures of Go programs that tell them themselves: which are taken, how they add up, and what
/// comes of no answer.
@Suite(.timeLimit(.minutes(5))) struct GoSourceTests {
  private let tellers = Tellers()
  private let url = "http://127.0.0.1:80/x"

  private func vars(allocated: Int = 245_072, mallocs: Int = 787, cycles: Int = 3) -> String {
    let pauses = (0..<256).map { $0 < cycles ? 100 * ($0 + 1) : 0 }
    return """
      {"memstats": {"Alloc":1000,"TotalAlloc":\(allocated),"Sys":8747272,"Mallocs":\(mallocs),"Frees":84,\
      "HeapAlloc":1000,"HeapSys":3866624,"HeapIdle":3080192,"HeapInuse":786432,\
      "HeapReleased":2990080,"HeapObjects":\(mallocs - 84),"StackInuse":327680,"StackSys":330000,\
      "MSpanInuse":1,"MSpanSys":2,"MCacheInuse":3,"MCacheSys":4,"BuckHashSys":5,"GCSys":6,\
      "OtherSys":7,"NextGC":8,"LastGC":1600000000500000000,"PauseTotalNs":600,\
      "PauseNs":\(pauses),"NumGC":\(cycles),"NumForcedGC":0,"GCCPUFraction":0.25}}
      """
  }

  private func watch(
    _ tree: TestProc, _ source: GoSource, url: Template? = nil, commandLine: String? = nil
  ) throws -> Watch {
    var settings = target(
      "app", named: "app",
      collect: Selection(includesDefault: false, groups: [.go, .goTinyObs, .goLatencies]))
    settings.goSource = source
    settings.rule.url = url ?? Template(self.url)
    if let commandLine { settings.rule.selector.commandLines = [try Pattern(commandLine)] }
    return try Watch(tree, [settings], ask: tellers.ask)
  }

  private func page(_ watch: Watch) -> Page { watch.page(withoutLate: .goURL) }

  @Test func expvarTellsMemoryAndCollector() throws {
    tellers.tell(url, vars())
    let watch = try watch(try TestProc().process(7), GoSource(.expvar))
    let page = page(watch)
    #expect(page.value("go_memstats_alloc_bytes") == 1000)
    #expect(page.value("go_memstats_alloc_bytes_total") == 245_072)
    #expect(page.value("go_memstats_mallocs_total") == 787)
    #expect(page.value("go_memstats_heap_sys_bytes") == 3_866_624)
    #expect(page.value("go_memstats_last_gc_time_seconds") == 1_600_000_000.5)
    #expect(page.value("go_memstats_gc_cpu_fraction") == 0.25)
    #expect(page.value("go_memstats_gc_duration_seconds") == 0.0000006)
    #expect(page[#"go_gc_duration_seconds{target="app",quantile="0.5"}"#] == 0.0000002)
    #expect(page[#"go_gc_duration_seconds_count{target="app"}"#] == 3)
    for name in [
      "go_goroutines", "go_threads", "go_sched_gomaxprocs_threads", "go_info",
      "go_gc_gogc_percent", "go_gc_gomemlimit_bytes", "go_sched_latencies_seconds_count",
    ] {
      #expect(!page.text.contains("\n\(name){"), "\(name)")
    }
    #expect(page[runtimeOK("heap")] == 1)
    #expect(page[runtimeOK("gc")] == 1)
    #expect(page[runtimeOK("scheduler")] == nil)
    #expect(watch.troubles.isEmpty)
  }

  /// Every number is the one that the program's own page has.
  @Test func pagesAreTheSame() throws {
    let text = GoPageTests.page + GoPageTests.recent + GoPageTests.distributions
    tellers.tell(url, text)
    let watch = try watch(try TestProc().process(7), GoSource(.metrics))
    let page = page(watch)
    // A time that stands behind a number is no part of it.
    let own = Page(Array(text.replacing(" 1700000000000", with: "").utf8))
    let names = own.samples.keys.filter { name in
      // Those that the catalogue does not have, that are absent, and the sum that Go leaves out.
      !["lookups", "gomemlimit", "process_", "shop_", "latencies_seconds_sum"]
        .contains { name.contains($0) }
    }
    #expect(names.count > 40)
    for name in names {
      let parts = name.split(separator: "{", maxSplits: 1)
      let labels = parts.count == 2 ? "," + parts[1] : "}"
      #expect(page["\(parts[0]){target=\"app\"\(labels)"] == own.samples[name], "\(name)")
    }
    #expect(page.value("go_gc_gomemlimit_bytes") == nil)
    #expect(page.value("go_memstats_gc_cpu_fraction") == nil)
    for group in ["heap", "scheduler", "gc"] { #expect(page[runtimeOK(group)] == 1) }
    #expect(watch.troubles.isEmpty)
  }

  @Test func processesWithOneURLAreOneProgram() throws {
    tellers.tell(url, vars())
    let tree = try TestProc().process(7).process(8)
    let watch = try watch(tree, GoSource(.expvar))
    #expect(page(watch).value("go_memstats_mallocs_total") == 787)
    #expect(tellers.asked.count == 1)
    // The first of them is not the program.
    tree.removeProcess(7)
    #expect(page(watch).value("go_memstats_mallocs_total") == 787)
    // Without a process nobody is asked.
    tree.removeProcess(8)
    let asked = tellers.asked.count
    let none = watch.collect()
    #expect(none.value("go_memstats_mallocs_total") == 787)
    #expect(none.value("go_memstats_sys_bytes") == nil)
    #expect(none[runtimeOK("heap")] == nil)
    #expect(tellers.asked.count == asked)
  }

  @Test func variablesMakeAPlaceForEachProcess() throws {
    let tree = try TestProc().process(7).process(8)
    for (pid, port) in [(7, "81"), (8, "82")] as [(Int32, String)] {
      tree.turn(to: pid)
      try tree.file("cmdline", "app\0-p\0\(port)\0")
    }
    tellers.tell("http://127.0.0.1:81/x", vars())
    tellers.tell("http://127.0.0.1:82/x", vars(mallocs: 1000))
    let watch = try watch(
      tree, GoSource(.expvar),
      url: Template([
        .literal("http://127.0.0.1:"), .variable(.capture("port")), .literal("/x"),
      ]), commandLine: #"-p (?<port>\S+)"#)
    let page = page(watch)
    #expect(page.value("go_memstats_mallocs_total") == 1787)
    #expect(page.value("go_memstats_sys_bytes") == 17_494_544)
  }

  /// What a process says of itself does not lead anywhere else.
  @Test func variablesStayWhereTheyAre() throws {
    let tree = try TestProc().process(7)
    try tree.file("cmdline", "app\0-p\080@evil:1/../?#\0")
    let watch = try watch(
      tree, GoSource(.expvar),
      url: Template([.literal("http://127.0.0.1:"), .variable(.capture("port"))]),
      commandLine: #"-p (?<port>\S+)"#)
    _ = watch.collect()
    #expect(eventually { tellers.asked == ["http://127.0.0.1:80%40evil%3A1%2F..%2F%3F%23"] })
    #expect(throws: GoAddress.Failure.self) {
      try GoAddress.overHTTP(
        GoAddress(source: GoSource(.expvar), url: tellers.asked[0]), .now + .seconds(9))
    }
  }

  /// A program that began anew counts on; nothing falls.
  @Test func countersStayThroughARestart() throws {
    let watch = try watch(try TestProc().process(7), GoSource(.expvar))
    tellers.tell(url, vars())
    #expect(page(watch).value("go_memstats_mallocs_total") == 787)
    tellers.tell(url, vars(allocated: 300_000, mallocs: 800, cycles: 4))
    let more = page(watch)
    #expect(more.value("go_memstats_mallocs_total") == 800)
    #expect(more.value("go_gc_cycles_total") == 4)
    tellers.tell(url, vars(allocated: 1000, mallocs: 100, cycles: 1))
    let anew = page(watch)
    #expect(anew.value("go_memstats_mallocs_total") == 900)
    #expect(anew.value("go_memstats_alloc_bytes_total") == 301_000)
    #expect(anew.value("go_gc_cycles_total") == 5)
    #expect(anew.value("go_memstats_heap_objects") == 16)
    tellers.tell(url, vars(allocated: 1500, mallocs: 150, cycles: 1))
    #expect(page(watch).value("go_memstats_mallocs_total") == 950)
  }

  /// A group that is refused for once is no restart.
  @Test func whatIsMissingForOnceIsNoRestart() throws {
    let watch = try watch(try TestProc().process(7), GoSource(.expvar))
    tellers.tell(url, vars())
    _ = page(watch)
    tellers.tell(url, vars().replacing("\"Sys\":8747272,", with: ""))
    let without = page(watch)
    #expect(without[runtimeOK("heap")] == 0)
    #expect(without[runtimeOK("gc")] == 1)
    #expect(without.value("go_memstats_sys_bytes") == nil)
    #expect(without.value("go_memstats_mallocs_total") == 787)
    #expect(watch.troubles == [Trouble(.goURL, .malformed)])
    #expect("\(watch.notices)".contains("heap: memstats has no whole number Sys"))
    tellers.tell(url, vars(mallocs: 800))
    #expect(page(watch).value("go_memstats_mallocs_total") == 800)
  }

  /// The reason is told once and stays; after some failures nobody asks for a while.
  @Test func whoeverFailsIsLeftAlone() throws {
    tellers.fail(url, .failed, "Connection refused")
    let watch = try watch(try TestProc().process(7), GoSource(.metrics))
    let first = page(watch)
    for group in ["heap", "scheduler", "gc"] { #expect(first[runtimeOK(group)] == 0) }
    #expect(!first.text.contains("\ngo_"))
    #expect("\(watch.notices)".contains(url + ": no figures of the Go runtime: Connection refused"))
    for _ in 0..<5 {
      let page = page(watch)
      #expect(page[runtimeOK("heap")] == 0)
      #expect(watch.troubles == [Trouble(.goURL, .failed)])
      #expect(!"\(watch.notices)".contains("Connection refused"))
    }
    #expect(tellers.asked.count == Breaker.patience)
    let unreadable =
      #"procvitals_unreadable_total{target="app",source="go_url",reason="failed"}"#
    #expect(page(watch)[unreadable] ?? 0 >= 6)
    #expect(
      watch.outcome().health?.targets.first?.troubles == [Trouble(.goURL, .failed)])
  }

  @Test func oneAnswerEndsTheTrouble() throws {
    tellers.fail(url, .failed)
    let watch = try watch(try TestProc().process(7), GoSource(.expvar))
    for _ in 1..<Breaker.patience { _ = page(watch) }
    tellers.tell(url, vars())
    #expect(page(watch)[runtimeOK("heap")] == 1)
    #expect("\(watch.notices)".contains("recovered"))
    tellers.fail(url, .failed)
    let asked = tellers.asked.count
    for _ in 0..<Breaker.patience { _ = page(watch) }
    #expect(tellers.asked.count >= asked + Breaker.patience)
  }

  /// A collection does not wait for it, and what comes late is told by the next one.
  @Test func anAnswerThatTakesLong() throws {
    tellers.tell(url, vars())
    tellers.hold(true)
    let watch = try watch(try TestProc().process(7), GoSource(.expvar))
    for _ in 0..<3 {
      let page = watch.collect()
      #expect(page[runtimeOK("heap")] == 0)
      #expect(page.value("go_memstats_mallocs_total") == nil)
    }
    #expect(watch.troubles == [Trouble(.goURL, .late)])
    #expect(tellers.asked.count == 1)
    tellers.hold(false)
    #expect(eventually { watch.collect().value("go_memstats_mallocs_total") == 787 })
  }

  @Test func anotherProgramsAnswerIsRefused() throws {
    for (answer, kind) in [("<html>\n", GoSource.Kind.expvar), ("<html>", .metrics)] {
      tellers.tell(url, answer)
      let watch = try watch(try TestProc().process(7), GoSource(kind))
      _ = page(watch)
      #expect(watch.troubles == [Trouble(.goURL, .malformed)])
    }
  }
}
