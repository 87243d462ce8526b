import Glibc
import Linux
import Metrics
import ProcFS
import TestSupport
import Testing

@testable import Collector
@testable import Targets

/// Defects that other exporters of process metrics have or had; each test is named for the one that
/// it keeps out.
///
/// Those that only a running daemon can have are kept out by end-to-end tests: 01 (it listens before
/// it knows anything), 05 (one slow process stops all scrapes), 24 (debug pages, an answer to every
/// path) and 30 (a unit with all rights).
@Suite struct PeersDefectsTests {
  private let switches = "process_context_switches_voluntary_total"

  private static func serves(_ name: String) -> Bool {
    CatalogueTests.entries.contains { $0.family.name == name }
  }

  private func stat(_ pid: Int32, cpu ticks: UInt64 = 0, threads: Int = 1) -> String {
    var stat = TestStat(pid: pid)
    stat.userTicks = ticks
    stat.threads = UInt64(threads)
    return stat.line
  }

  /// Threads of process 7 by their numbers, with the switches of each.
  private func setThreads(_ tree: TestProc, _ voluntary: [Int: UInt64]) throws {
    try tree.file("stat", stat(7, threads: voluntary.count))
    try tree.remove("task").add("task", .directory)
    for (thread, count) in voluntary {
      var own = TestStat(pid: Int32(thread))
      own.threads = UInt64(voluntary.count)
      own.userTicks = count
      try tree.file("task/\(thread)/stat", own.line).file("task/\(thread)/comm", "app\n")
        .file("task/\(thread)/status", TestStatus(voluntary: count).text)
    }
    try tree.file("status", TestStatus(voluntary: voluntary[7] ?? 0).text)
  }

  // MARK: Threads

  @Test func switchesFallWhenThreadsEnd() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    try setThreads(tree, [7: 10, 8: 33_000, 9: 500])
    #expect(watch.collect().value(switches) == 33_510)
    try setThreads(tree, [7: 11, 9: 501])
    #expect(watch.collect().value(switches) == 33_512)
  }

  @Test func differencesBelowZeroAreQuintillions() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    try setThreads(tree, [7: 10, 8: 1000])
    try tree.file("io", testIO(1000))
    let before = watch.collect().counters
    // The thread's number has gone to another one, and the kernel has corrected itself.
    try setThreads(tree, [7: 9, 8: 1])
    try tree.file("io", testIO(999))
    let after = watch.collect().counters
    for (series, value) in before {
      let now = try #require(after[series], "\(series)")
      #expect(now >= value && now < value + 2000, "\(series)")
    }
  }

  @Test func aNewThreadsFirstCountsAreDropped() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    try setThreads(tree, [7: 10])
    #expect(watch.collect().value(switches) == 10)
    try setThreads(tree, [7: 10, 8: 700])
    #expect(watch.collect().value(switches) == 710)
  }

  @Test func sumsOfThreadsAreForgottenWhenOneIsLeft() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    try setThreads(tree, [7: 10, 8: 700])
    let before = watch.collect()
    try setThreads(tree, [7: 10])
    let after = watch.collect()
    #expect(after.value(switches) == 710)
    for (series, value) in before.counters where series.hasPrefix("process_thread") {
      #expect(try #require(after[series]) >= value, "\(series)")
    }
  }

  @Test(.enabled(if: serves("process_thread_states"), "there is no process_thread_states yet"))
  func statesAreOneMoreThanThreads() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    for threads in [[7], [7, 8], [7, 8, 9, 10]] {
      try setThreads(tree, Dictionary(uniqueKeysWithValues: threads.map { ($0, 1) }))
      let page = watch.collect()
      let states = page.samples.filter { $0.key.hasPrefix("process_thread_states{") }
      #expect(states.values.reduce(0, +) == Double(threads.count))
      #expect(page.value("process_threads") == Double(threads.count))
    }
  }

  // MARK: What is read

  /// The names below a directory of the tree that a collection opens.
  private func opened(
    _ path: String, _ targets: [TargetSettings], in tree: TestProc
  ) throws -> Set<String> {
    let watch = try Watch(tree, targets)
    let events = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    defer { close(events) }
    #expect(inotify_add_watch(events, path, UInt32(IN_OPEN)) > 0)
    _ = watch.collect()
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(events, &bytes, bytes.count)
    var names: Set<String> = []
    var at = 0
    // struct inotify_event: three numbers, the length of the name, the name.
    while at + 16 <= count {
      let length = (0..<4).reduce(0) { $0 | Int(bytes[at + 12 + $1]) << (8 * $1) }
      let name = bytes[(at + 16)..<(at + 16 + length)].prefix { $0 != 0 }
      names.insert(String(decoding: name, as: UTF8.self))
      at += 16 + length
    }
    return names
  }

  @Test func filesOfProcessesThatNothingMatchesAreRead() throws {
    let tree = try TestProc().process(7).process(8, name: "other")
    let names = try opened("\(tree.path)/8", [target("app", named: "app")], in: tree)
    #expect(names == ["stat"])
  }

  @Test func filesThatNoFamilyNeedsAreRead() throws {
    let tree = try TestProc().process(7)
    try setThreads(tree, [7: 1, 8: 1])
    let core = Selection(includesDefault: false, groups: [.core])
    let names = try opened("\(tree.path)/7", [target("app", pid: 7, collect: core)], in: tree)
    #expect(names.isSuperset(of: ["stat", "status"]))
    #expect(names.isDisjoint(with: ["io", "task", "cmdline", "smaps_rollup", "maps", "wchan"]))
  }

  @Test func ignoredProcessesAreRememberedForEver() throws {
    let discovery = Discovery(try EventLoop(), ticksPerSecond: 100)
    for round in 1...Int32(100) {
      let living = (round * 100 - 99)...(round * 100)
      let machine = Discovery.Machine(
        now: 10_000, lastPid: { living.upperBound }, isProcess: living.contains
      ) { (body: (Int32) -> Void) throws(Errno) in living.forEach(body) }
      for pid in try discovery.begin(machine, isHeld: { _ in false }) where living.contains(pid) {
        discovery.note(pid, try Stat(Array(stat(pid).utf8).span, facts))
      }
      #expect(discovery.pids.reduce(0) { count, _ in count + 1 } < 2000)
    }
  }

  // MARK: What is shown

  @Test func minusOneDescriptorsMakeARatio() throws {
    let tree = try TestProc().process(7)
    chmod("\(tree.path)/7/fd", 0)
    let page = try asNobody { [path = tree.path] in
      try Watch(path, [target("app", pid: 7)]).collect()
    }
    #expect(page.value("process_open_fds") == nil)
    #expect(page.value("process_fd_usage_ratio") == nil)
    #expect(page.value("process_max_fds") == 1024)
    #expect(page[#"procvitals_unreadable_total{target="app",source="fd",reason="denied"}"#] == 1)
  }

  @Test func unreadableInputAndOutputIsZeroAndThenHuge() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    func read() -> Double? { watch.collect().value("process_io_read_bytes_total") }
    try tree.file("io", "garbage")
    #expect(read() == nil)
    try tree.file("io", testIO(1 << 40))
    #expect(read() == Double(1 << 40))
    try tree.file("io", "garbage")
    #expect(read() == Double(1 << 40))
    try tree.file("io", testIO(1 << 40 + 5))
    #expect(read() == Double(1 << 40 + 5))
  }

  @Test func unlimitedIsALargeNumber() throws {
    let page = try Watch(try TestProc().process(7), [target("app", pid: 7)]).collect()
    #expect(page.value("process_virtual_memory_max_bytes") == nil)
    #expect(!page.samples.values.contains { $0 > 1e18 })
  }

  @Test func aTargetWithoutProcessesHasNoSeries() throws {
    let page = try Watch(try TestProc().process(7), [target("lost", named: "lost")]).collect()
    #expect(page.value("procvitals_target_up", "lost") == 0)
    #expect(page.value("procvitals_target_processes", "lost") == 0)
  }

  @Test func countersHaveNoTotal() throws {
    let page = try Watch(try TestProc().process(7), [target("app", pid: 7)]).collect()
    #expect(page.counters.count > 10)
    for series in page.counters.keys { #expect(series.prefix { $0 != "{" }.hasSuffix("_total")) }
  }

  @Test func labelsOfOneTargetAppearOnAnother() throws {
    let tree = try TestProc().process(7).process(8, name: "other")
    let targets = [
      target("first", named: "app", labels: [Label("port", "1")]),
      target("second", named: "other", labels: [Label("shard", "2")]),
    ]
    for series in try Watch(tree, targets).collect().samples.keys {
      if series.contains(#"target="first""#) { #expect(!series.contains("shard=")) }
      if series.contains(#"target="second""#) { #expect(!series.contains("port=")) }
    }
  }

  @Test func oneBadProcessSpoilsTheOthers() throws {
    let tree = try TestProc().process(7).process(8)
    try tree.file("status", "garbage").file("io", "garbage").file("limits", "garbage")
    let page = try Watch(tree, [target("app", named: "app")]).collect()
    #expect(page.value("procvitals_target_processes") == 2)
    #expect(page.value("process_threads") == 2)
    #expect(page.value("process_io_read_bytes_total") == 1)
    #expect(page.value("process_swap_bytes") == 0)
  }

  // MARK: What is counted

  @Test func processesThatRanBeforeBeginAtZero() throws {
    let tree = try TestProc().process(7).file("stat", stat(7, cpu: 12_345))
    let page = try Watch(tree, [target("app", pid: 7)]).collect()
    #expect(page.value("process_cpu_seconds_total") == 123.45)
    #expect(page.value("process_io_read_bytes_total") == 1)
  }

  @Test func whatIsUsedBetweenTheLastScrapeAndTheEndIsLost() throws {
    let child = try Child("sh", "-c", "while :; do :; done")
    let asking = try Asking([target("app", pid: child.pid)])
    let first = try asking.collect { $0.value("procvitals_target_up") == 1 }
    let before = try #require(first.value("process_cpu_seconds_total"))
    // Its own clock tells when it has used more, without a scrape.
    #expect(eventually { child.cpuSeconds > before + 0.3 })
    child.send(SIGKILL)
    child.waitForEnd()
    let page = try asking.collect { $0.value("procvitals_target_up") == 0 }
    let after = try #require(page.value("process_cpu_seconds_total"))
    child.reap()
    // The kernel's last numbers are still there until the parent has fetched the status.
    #expect(after >= before + 0.27)
  }

  // MARK: What is taken for granted

  @Test func aHundredTicksAreASecond() throws {
    let tree = try TestProc().process(7).file("stat", stat(7, cpu: 500))
    let machine = SystemFacts(pageBytes: 65536, ticksPerSecond: 250, bootTicks: 250_000)
    let waiter = try Waiter()
    defer { waiter.stop() }
    let collector = try Collector(
      root: try ProcRoot(path: tree.path, facts: machine),
      cgroups: CgroupTree(path: TestProc.cgroupPath(below: tree.path)),
      settings: CollectorSettings(targets: [target("app", pid: 7)]), loop: try EventLoop(),
      waiter: waiter)
    let page = Page(collector.collect(OwnState(version: "0.0.0")).page)
    #expect(page.value("process_cpu_seconds_total") == 2)
    #expect(page.value("process_start_time_seconds") == 1000.4)
  }

  @Test(arguments: ["a b", ") (", "a) R 1 (b", "(", ")", " "])
  func blanksAndParenthesesInNamesShiftTheFields(name: String) throws {
    var line = TestStat(pid: 7, name: name)
    line.userTicks = 700
    line.threads = 3
    let tree = try TestProc().process(7).file("stat", line.line)
    let page = try Watch(tree, [target("app", named: name)]).collect()
    #expect(page.value("process_cpu_seconds_total") == 7)
    #expect(page.value("process_threads") == 3)
  }

  @Test func aProgramIsWhatItsFirstArgumentSays() throws {
    let tree = try TestProc().process(7).file("cmdline", "/usr/sbin/nginx\0")
    let claims = Rule(name: "app", selector: Selector(executables: [Glob("/usr/sbin/nginx")]))
    let page = try Watch(tree, [TargetSettings(rule: claims)]).collect()
    #expect(page.value("procvitals_target_up") == 0)
  }
}
