import ProcFS
import TestSupport
import Testing

@testable import Collector

/// Everything of a target that has exactly one process, as its one label says.
extension Page {
  /// The samples of a family by the values of its own labels, joined by commas.
  func byLabels(_ family: String, _ target: String = "app") -> [String: Double] {
    let start = "\(family){target=\"\(target)\","
    var values: [String: Double] = [:]
    for (series, value) in samples where series.hasPrefix(start) {
      let labels = series.dropFirst(start.count).dropLast().split(separator: "\",")
      let key = labels.map { $0.drop { $0 != "\"" }.filter { $0 != "\"" } }
      values[key.joined(separator: ",")] = value
    }
    return values
  }

  /// Why the states do not add up to the threads; nil if they do.
  func stateProblem(_ target: String = "app") -> String? {
    let states = byLabels("process_thread_states", target)
    let sum = states.values.reduce(0, +)
    if states.count == 6, sum == value("process_threads", target) { return nil }
    return "\(states) are not \(String(describing: value("process_threads", target)))"
  }
}

@Suite struct ThreadSurveyTests {
  private func thread(
    _ number: Int32, _ name: String = "app", state: String = "S", user: UInt64 = 0,
    system: UInt64 = 0, start: UInt64 = 100
  ) -> TestStat {
    var stat = TestStat(pid: number, name: name)
    stat.state = state
    stat.userTicks = user
    stat.systemTicks = system
    stat.startTicks = start
    return stat
  }

  private func watch(
    _ tree: TestProc, names: Int = 32, channels: Int = 32, threads: Int = 2000
  ) throws -> Watch {
    try Watch(
      tree.path, [target("app", named: "app")],
      limits: CollectorLimits(
        keptDescriptors: 0, threadsPerProcess: threads, threadNamesPerTarget: names,
        waitChannelsPerTarget: channels))
  }

  @Test(arguments: [
    ("worker-1", "worker-N"), ("worker-64", "worker-N"), ("kworker/0:12-ev", "kworker/N:N-ev"),
    ("a ) ( b", "a ) ( b"), ("42", "N"), ("GC Thread#0", "GC Thread#N"), ("", "unnamed"),
    ("caf\u{E9}1", "caf\u{E9}N"), ("a\nb\u{7F}", "a\u{FFFD}b\u{FFFD}"), ("x٣", "x٣"),
    ("1 2\u{85}", "N N\u{FFFD}"),
  ])
  func namesAreFolded(name: String, label: String) {
    #expect(ThreadSurvey.label(ProcessName(Array(name.utf8).span)) == label)
  }

  @Test func whatIsNoTextIsRepaired() {
    #expect(ThreadSurvey.label(ProcessName([0x61, 0xFF, 0x31].span)) == "a\u{FFFD}N")
    // Cut by the kernel in the middle of a character.
    let long = Array("abcdefghijklmn\u{E9}".utf8)
    #expect(ThreadSurvey.label(ProcessName(long.span)) == "abcdefghijklmn\u{FFFD}")
  }

  @Test func statesAddUpToTheThreads() throws {
    let tree = try TestProc().process(7)
    for (index, letter) in "RSDTtZXxKWPI?".enumerated() {
      try tree.thread(thread(Int32(7 + index), state: String(letter)))
    }
    let page = try watch(tree).collect()
    #expect(
      page.byLabels("process_thread_states") == [
        "running": 2, "sleeping": 2, "disk_sleep": 2, "stopped": 2, "zombie": 3, "idle": 2,
      ])
    // The process' own `stat`, which was read before, said 1.
    #expect(page.value("process_threads") == 13)
    #expect(page.stateProblem() == nil)
  }

  /// One that ends between the listing and the look is in neither.
  @Test func aThreadThatHasEndedIsLeftOut() throws {
    let tree = try TestProc().process(7).thread(thread(7)).thread(thread(8))
    try tree.add("task/9", .directory)
    let page = try watch(tree).collect()
    #expect(page.value("process_threads") == 2)
    #expect(page.stateProblem() == nil)
    #expect(!page.text.contains("procvitals_unreadable_total{"))
  }

  @Test func ofAProcessThatIsCutTheStatesAreAbsent() throws {
    let tree = try TestProc().process(7)
    var own = thread(7)
    own.threads = 5
    try tree.file("stat", own.line)
    for number in Int32(7)...11 { try tree.thread(thread(number, user: 1)) }
    let cut = try watch(tree, threads: 3).collect()
    #expect(cut.value("process_threads") == 5)
    #expect(cut.byLabels("process_thread_states").isEmpty)
    #expect(cut.byLabels("process_thread_count") == ["app": 3])
    #expect(cut[#"procvitals_unreadable_total{target="app",source="task",reason="limit"}"#] == 1)
    let whole = try watch(tree, threads: 5).collect()
    #expect(whole.stateProblem() == nil)
  }

  @Test func whatCannotBeReadIsAbsentAndCountedOnceAProcess() throws {
    let tree = try TestProc().process(7)
    for number in Int32(7)...9 {
      try tree.thread(thread(number, user: 3))
      tree.remove("task/\(number)/wchan").remove("task/\(number)/status")
      try tree.file("task/\(number)/io", "", mode: 0)
    }
    let page = try asNobody { [path = tree.path] in
      try Watch(path, [target("app", pid: 7)]).collect()
    }
    #expect(page.stateProblem() == nil)
    #expect(
      page.byLabels("process_thread_cpu_seconds_total") == ["app,user": 0.09, "app,system": 0])
    for family in [
      "process_wait_channels", "process_thread_context_switches_total",
      "process_thread_io_storage_bytes_total",
    ] {
      #expect(page.byLabels(family).isEmpty, "\(family)")
    }
    for (source, reason) in [("io", "denied"), ("wchan", "missing"), ("task", "missing")] {
      let series =
        #"procvitals_unreadable_total{target="app",source="\#(source)",reason="\#(reason)"}"#
      #expect(page[series] == 1, "\(series)")
    }
    #expect(page.value("process_context_switches_voluntary_total") == nil)
    try tree.file("task/8/stat", "garbage")
    let unknown = try watch(tree).collect()
    #expect(unknown.byLabels("process_thread_states").isEmpty)
    #expect(unknown.value("process_threads") == 1)
  }

  /// When the threads cannot be listed for once, nothing is lost and nothing counts twice.
  @Test func aListThatCannotBeReadForOnceChangesNothing() throws {
    let tree = try TestProc().process(7)
    var own = thread(7)
    own.threads = 2
    try tree.file("stat", own.line)
    let watch = try watch(tree)
    func page(listed: Bool) throws -> Page {
      tree.remove("task")
      for number in listed ? [7, 8] : [] as [Int32] {
        try tree.thread(thread(number, user: 100), switches: TestStatus(voluntary: 5))
      }
      let page = watch.collect()
      #expect(page.byLabels("process_thread_cpu_seconds_total")["app,user"] == 2)
      #expect(page.value("process_context_switches_voluntary_total") == 10)
      #expect(page.value("process_threads") == 2)
      return page
    }
    #expect(try page(listed: true).stateProblem() == nil)
    let blind = try page(listed: false)
    #expect(blind.byLabels("process_thread_states").isEmpty)
    #expect(blind.byLabels("process_thread_count").isEmpty)
    #expect(
      blind[#"procvitals_unreadable_total{target="app",source="task",reason="missing"}"#] == 1)
    #expect(try page(listed: true).stateProblem() == nil)
  }

  @Test func ofAProcessWithOneThreadTheOwnFilesServeWhereItIsNotListed() throws {
    let tree = try TestProc().process(7).file("status", TestStatus(voluntary: 5).text)
    let page = try watch(tree).collect()
    #expect(page.value("process_context_switches_voluntary_total") == 5)
    #expect(page.value("process_run_slices_total") == 3)
    #expect(page.value("process_threads") == 1)
    #expect(!page.text.contains("process_thread_"))
  }

  @Test func eachResourceIsShownByName() throws {
    let tree = try TestProc().process(7)
    var stat = thread(7, "io-1", user: 200, system: 50)
    (stat.minorFaults, stat.majorFaults) = (5, 3)
    try tree.thread(
      stat, switches: TestStatus(voluntary: 11, involuntary: 4), run: 1_500_000_000, io: 2,
      channel: "futex_wait_queue")
    try tree.thread(thread(8, "io-2", user: 100), io: 1, channel: "do_epoll_wait")
    let page = try watch(tree).collect()
    #expect(page.byLabels("process_thread_count") == ["io-N": 2])
    #expect(
      page.byLabels("process_thread_cpu_seconds_total") == ["io-N,user": 3, "io-N,system": 0.5])
    #expect(page.byLabels("process_thread_minor_page_faults_total") == ["io-N": 5])
    #expect(page.byLabels("process_thread_major_page_faults_total") == ["io-N": 3])
    #expect(
      page.byLabels("process_thread_context_switches_total")
        == ["io-N,voluntary": 11, "io-N,involuntary": 4])
    #expect(
      page.byLabels("process_thread_io_storage_bytes_total")
        == ["io-N,read": 30000, "io-N,write": 300_000])
    #expect(
      page.byLabels("process_wait_channels") == ["futex_wait_queue": 1, "do_epoll_wait": 1])
    #expect(page.value("process_thread_busiest_cpu_seconds_total") == 2.5)
    #expect(page.value("process_run_seconds_total") == 1.5)
    #expect(page.value("process_run_delay_seconds_total") == 0.75)
    #expect(page.value("process_run_slices_total") == 1_500_000)
  }

  @Test func ofOneThreadOnlyTheProcessOwnFilesAreRead() throws {
    let tree = try TestProc().process(7).file("schedstat", "2000000000 1000000000 9\n")
    // Without the group there is no look at the threads, which are not even listed.
    tree.remove("task")
    let sched = Selection(includesDefault: false, groups: [.sched])
    let page = try Watch(tree, [target("app", pid: 7, collect: sched)]).collect()
    #expect(page.value("process_run_seconds_total") == 2)
    #expect(page.value("process_run_delay_seconds_total") == 1)
    #expect(page.value("process_run_slices_total") == 9)
    #expect(page.value("process_context_switches_voluntary_total") == 0)
    #expect(!page.text.contains("procvitals_unreadable_total{"))
  }

  @Test func namesKeepTheirPlaces() throws {
    let tree = try TestProc().process(7)
    let watch = try watch(tree, names: 2, channels: 1)
    let family = "process_thread_cpu_seconds_total"
    try tree.thread(thread(7, "a", user: 100), channel: "x")
      .thread(thread(8, "b", user: 200), channel: "y").thread(thread(9, "c", user: 400))
    var page = watch.collect()
    #expect(
      page.byLabels(family).filter { $0.value > 0 } == ["a,user": 1, "b,user": 2, "other,user": 4])
    #expect(page.byLabels("process_wait_channels") == ["x": 1, "other": 1])
    // A place stays taken, also by a name that nobody has any more.
    tree.remove("task/7").remove("task/8")
    page = watch.collect()
    #expect(
      page.byLabels(family).filter { $0.value > 0 } == ["a,user": 1, "b,user": 2, "other,user": 4])
    #expect(page.byLabels("process_thread_count") == ["a": 0, "b": 0, "other": 1])
    #expect(page.byLabels("process_wait_channels") == ["x": 0, "other": 0])
    // What it used stays with the name it had.
    try tree.thread(thread(9, "a", user: 500))
    page = watch.collect()
    #expect(
      page.byLabels(family).filter { $0.value > 0 } == ["a,user": 2, "b,user": 2, "other,user": 4])
    tree.removeProcess(7)
    page = watch.collect()
    #expect(
      page.byLabels(family).filter { $0.value > 0 } == ["a,user": 2, "b,user": 2, "other,user": 4])
    #expect(page.byLabels("process_thread_states").isEmpty)
    #expect(page.value("process_threads") == nil)
  }

  @Test func busiestIsWhicheverUsedMostSinceTheLastLook() throws {
    let tree = try TestProc().process(7)
    let watch = try watch(tree)
    func busiest(_ ticks: UInt64...) throws -> Double? {
      for (index, ticks) in ticks.enumerated() {
        try tree.thread(thread(Int32(7 + index), user: ticks))
      }
      return watch.collect().value("process_thread_busiest_cpu_seconds_total")
    }
    #expect(try busiest(1000, 100) == 10)
    #expect(try busiest(1010, 150) == 10.5)
    #expect(try busiest(1010, 150, 50) == 11)
    tree.remove("task/7")
    #expect(watch.collect().value("process_thread_busiest_cpu_seconds_total") == 11)
  }

  /// A reload that switches the group off and on again does not make counters fall.
  @Test func countersOutliveAReload() throws {
    let tree = try TestProc().process(7).thread(thread(7, user: 100))
    let watch = try watch(tree)
    _ = watch.collect()
    let off = target("app", named: "app", collect: Selection())
    watch.collector.configure(CollectorSettings(targets: [off]))
    try tree.thread(thread(7, user: 200))
    #expect(!watch.collect().text.contains("process_thread_"))
    watch.collector.configure(CollectorSettings(targets: [target("app", named: "app")]))
    let page = watch.collect()
    #expect(page.byLabels("process_thread_cpu_seconds_total")["app,user"] == 2)
  }

  /// Threads and processes that come, run, change names, end and are replaced.
  @Test(arguments: 0..<UInt64(8))
  func sumsAreExactAndNeverFall(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let tree = try TestProc()
    let watch = try watch(tree, names: 3, channels: 2)
    var live: [Int32: [Int32: TestStat]] = [:]
    var next = UInt64(100)
    /// By thread, which its start time tells apart.
    var used: [UInt64: UInt64] = [:]
    var before: [String: Double] = [:]
    for round in 0..<60 {
      for pid: Int32 in [10, 20, 30] {
        if var threads = live[pid], !Bool.one(in: 8, &random) {
          for number in pid..<(pid + 6) {
            switch (threads[number], Int.random(in: 0..<8, using: &random)) {
            case (_?, 0) where number != pid: threads[number] = nil
            case (nil, 0...2),
              (_?, 1) where number != pid:
              next += 1
              threads[number] = thread(number, "new-\(next % 7)", start: next)
            case (var thread?, let choice):
              if choice == 2 {
                thread.name = "name\("abcdefg".randomElement(using: &random) ?? "x")"
              }
              thread.state = "RSDTZI".randomElement(using: &random).map(String.init) ?? "S"
              thread.userTicks += .random(in: 0...9, using: &random)
              threads[number] = thread
            case (nil, _): break
            }
          }
          live[pid] = threads
        } else if live[pid] == nil {
          next += 1
          live[pid] = [pid: thread(pid, start: next)]
          try tree.process(pid)
        } else {
          live[pid] = nil
          tree.removeProcess(pid)
        }
        tree.turn(to: pid)
        guard let threads = live[pid], let first = threads[pid] else { continue }
        var own = first
        own.name = "app"
        own.state = "S"
        // The process' own file was read at another moment.
        own.threads = .random(in: 1...9, using: &random)
        try tree.file("stat", own.line).remove("task")
        for (_, thread) in threads {
          let ticks = thread.userTicks
          try tree.thread(
            thread, switches: TestStatus(voluntary: ticks), run: ticks * 1000, io: ticks,
            channel: "w\(ticks)")
          used[thread.startTicks] = ticks
        }
        // One that ends while it is looked at.
        try tree.add("task/\(pid + 9)", .directory)
      }
      let page = watch.collect()
      let place: Comment = "seed \(seed), round \(round)"
      let count = live.values.map(\.count).reduce(0, +)
      if count > 0 {
        #expect(page.stateProblem() == nil, place)
        #expect(page.value("process_threads") == Double(count), place)
        let counts = page.byLabels("process_thread_count")
        #expect(counts.values.reduce(0, +) == Double(count) && counts.count <= 4, place)
        let channels = page.byLabels("process_wait_channels")
        #expect(channels.values.reduce(0, +) == Double(count) && channels.count <= 3, place)
      }
      let total = Double(used.values.reduce(0, +))
      let cpu = page.byLabels("process_thread_cpu_seconds_total").values.reduce(0, +)
      #expect((cpu * 100).rounded() == total, place)
      let switches = page.byLabels("process_thread_context_switches_total").values.reduce(0, +)
      #expect(switches == total, place)
      #expect((page.value("process_context_switches_voluntary_total") ?? 0) == total, place)
      #expect((page.value("process_run_slices_total") ?? 0) == total, place)
      for (series, value) in before where (page[series] ?? -1) < value {
        Issue.record("\(series) fell, seed \(seed), round \(round)")
      }
      before = page.counters.filter { !$0.key.contains("unreadable") }
    }
  }
}

extension Bool {
  fileprivate static func one(in number: Int, _ random: inout SeededGenerator) -> Bool {
    Int.random(in: 0..<number, using: &random) == 0
  }
}
