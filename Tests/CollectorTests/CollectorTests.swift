import Linux
import Metrics
import Targets
import TestSupport
import Testing

@testable import Collector

/// What changes from one collection to the next, over a tree that the test edits.
@Suite struct CollectorTests {
  private func cpu(_ pid: Int32, _ ticks: UInt64, name: String = "app") -> String {
    var stat = TestStat(pid: pid, name: name)
    stat.userTicks = ticks
    return stat.line
  }

  @Test func valuesAreFreshInEveryPage() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    for ticks in UInt64(1)...3 {
      try tree.file("stat", cpu(7, ticks * 100))
      #expect(watch.collect().value("process_cpu_seconds_total") == Double(ticks))
    }
  }

  @Test func countersOfEndedProcessesStay() throws {
    let tree = try TestProc()
    try tree.process(7).file("stat", cpu(7, 1000)).process(8).file("stat", cpu(8, 500))
    let watch = try Watch(tree, [target("app", named: "app")])
    #expect(watch.collect().value("process_cpu_seconds_total") == 15)
    tree.removeProcess(7)
    #expect(watch.collect().value("process_cpu_seconds_total") == 15)
    tree.removeProcess(8)
    let down = watch.collect()
    #expect(down.value("process_cpu_seconds_total") == 15)
    #expect(down.value("procvitals_target_up") == 0)
    #expect(down.value("process_resident_memory_bytes") == nil)
    #expect(down.value("process_io_read_bytes_total") == 2)
    // A tree has no pidfds, so nobody knows how they ended.
    #expect(down[#"process_exits_total{target="app",reason="unknown",status=""}"#] == 2)
    // Another process under an old number counts from what it has.
    var stat = TestStat(pid: 7)
    stat.userTicks = 100
    stat.startTicks = 777
    try tree.process(7).file("stat", stat.line)
    let again = watch.collect()
    #expect(again.value("process_cpu_seconds_total") == 16)
    #expect(again.value("process_starts_total") == 3)
    #expect(again.value("process_start_time_seconds") == 1_700_000_007.77)
  }

  @Test func aCounterStaysWhereItsFileCannotBeRead() throws {
    let tree = try TestProc().process(7).file("io", testIO(50))
    let watch = try Watch(tree, [target("app", pid: 7)])
    #expect(watch.collect().value("process_io_read_bytes_total") == 50)
    try tree.file("io", "rchar: x\n")
    let page = watch.collect()
    #expect(page.value("process_io_read_bytes_total") == 50)
    #expect(page[#"procvitals_unreadable_total{target="app",source="io",reason="malformed"}"#] == 1)
    try tree.file("io", testIO(60))
    #expect(watch.collect().value("process_io_read_bytes_total") == 60)
  }

  @Test func aGaugeIsAbsentWhereItsFileCannotBeRead() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    #expect(watch.collect().value("process_swap_bytes") == 0)
    try tree.file("status", "Name:\tapp\nVmSwap:\tx kB\n")
    let page = watch.collect()
    #expect(page.value("process_swap_bytes") == nil)
    // Nothing else suffers.
    #expect(page.value("process_open_fds") == 0)
  }

  /// Files that fail are a fact about the target; the log tells it once and when it is over.
  @Test func noticesTellChangesOnce() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", named: "app")])
    _ = watch.collect()
    #expect(watch.notices == [.up(target: "app", pid: 7, processes: 1)])
    _ = watch.collect()
    #expect(watch.notices.isEmpty)
    try tree.file("io", "x")
    _ = watch.collect()
    guard case .trouble("app", "io", "malformed", let detail)? = watch.notices.first else {
      Issue.record("\(watch.notices)")
      return
    }
    #expect(detail.contains("process 7") && detail.contains("rchar"))
    _ = watch.collect()
    #expect(watch.notices.isEmpty)
    try tree.file("io", testIO(1))
    _ = watch.collect()
    #expect(watch.notices == [.recovered(target: "app", source: "io", reason: "malformed")])
    try tree.process(8)
    _ = watch.collect()
    #expect(watch.notices == [.changed(target: "app", processes: 2, started: 1, left: 0)])
    tree.removeProcess(7).removeProcess(8)
    _ = watch.collect()
    #expect(watch.notices == [.down(target: "app", ended: "unknown ×2")])
  }

  @Test func switchesAreThoseOfAllThreads() throws {
    let tree = try TestProc().process(7)
    func threads(_ voluntary: [Int: UInt64]) throws {
      var stat = TestStat(pid: 7)
      stat.threads = UInt64(voluntary.count)
      try tree.file("stat", stat.line).remove("task").add("task", .directory)
      for (thread, count) in voluntary {
        try tree.thread(TestStat(pid: Int32(thread)), switches: TestStatus(voluntary: count))
      }
      try tree.file("status", TestStatus(voluntary: voluntary[7] ?? 0).text)
    }
    let watch = try Watch(tree, [target("app", pid: 7)])
    func collected() -> Double? {
      watch.collect().value("process_context_switches_voluntary_total")
    }
    try threads([7: 10, 8: 5, 9: 1])
    #expect(collected() == 16)
    try threads([7: 11, 9: 2])
    #expect(collected() == 18)
    // Down to the first thread, whose numbers are in the process' own file.
    try threads([7: 12])
    #expect(collected() == 19)
    try threads([7: 12, 10: 1])
    #expect(collected() == 20)
  }

  @Test func onlySoManyThreadsAreLookedAt() throws {
    let tree = try TestProc().process(7)
    var stat = TestStat(pid: 7)
    stat.threads = 5
    try tree.file("stat", stat.line)
    for thread in Int32(7)...11 {
      try tree.thread(TestStat(pid: thread), switches: TestStatus(voluntary: 1))
    }
    func page(_ limit: Int) throws -> Page {
      try Watch(
        tree.path, [target("app", pid: 7)], limits: CollectorLimits(threadsPerProcess: limit)
      ).collect()
    }
    let trouble = #"procvitals_unreadable_total{target="app",source="task",reason="limit"}"#
    let limited = try page(3)
    #expect(limited.value("process_context_switches_voluntary_total") == 3)
    #expect(limited[trouble] == 1)
    let exact = try page(5)
    #expect(exact.value("process_context_switches_voluntary_total") == 5)
    #expect(exact[trouble] == nil)
    // One that ended between stat and the listing is no trouble.
    tree.remove("task/11")
    let ended = try page(2000)
    #expect(ended.value("process_context_switches_voluntary_total") == 4)
    #expect(ended[trouble] == nil)
  }

  @Test func processesBeyondTheLimitAreLeftOut() throws {
    let tree = try TestProc().process(7).process(8).process(9)
    let page = try Watch(
      tree.path, [target("app", named: "app")], limits: CollectorLimits(processesPerTarget: 2)
    ).collect()
    #expect(page.value("procvitals_target_processes") == 2)
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="process",reason="limit"}"#] == 1)
  }

  // MARK: Coming back

  /// A process that fits, does not fit and fits again is one process.
  @Test func aProcessThatComesBackCountsOnce() throws {
    let tree = try TestProc().process(7)
    func turn(name: String, ticks: UInt64) throws {
      var stat = TestStat(pid: 7, name: name)
      stat.userTicks = ticks
      try tree.file("stat", stat.line).file("io", testIO(ticks))
    }
    try turn(name: "app", ticks: 100)
    let watch = try Watch(tree, [target("app", named: "app")])
    #expect(watch.collect().value("process_cpu_seconds_total") == 1)
    for ticks: UInt64 in [200, 400] {
      try turn(name: "other", ticks: ticks)
      let away = watch.collect()
      #expect(away.value("procvitals_target_processes") == 0)
      #expect(away.value("process_cpu_seconds_total") == Double(ticks) / 100)
      try turn(name: "app", ticks: ticks + 100)
      let back = watch.collect()
      #expect(back.value("process_cpu_seconds_total") == Double(ticks + 100) / 100)
      #expect(back.value("process_io_read_bytes_total") == Double(ticks + 100))
      #expect(back.value("process_starts_total") == 1)
    }
    // Another process under the same number is another process.
    try turn(name: "other", ticks: 500)
    _ = watch.collect()
    var stat = TestStat(pid: 7, name: "app")
    stat.startTicks = 900
    stat.userTicks = 10
    try tree.file("stat", stat.line)
    let page = watch.collect()
    #expect(page.value("process_cpu_seconds_total") == 5.1)
    #expect(page.value("process_starts_total") == 2)
  }

  /// Most programs write their pid file by cutting it to nothing first.
  @Test func aPidFileThatIsBeingWrittenDropsNobody() throws {
    let tree = try TestProc()
    let file = tree.path + "/pid"
    try tree.process(7).file("stat", cpu(7, 1000))
    try writeFile(file, Array("7\n".utf8))
    let watch = try Watch(tree, [target("app", pidFile: file)])
    #expect(watch.collect().value("procvitals_target_up") == 1)
    try writeFile(file, [])
    let page = watch.collect()
    #expect(page.value("procvitals_target_up") == 1)
    #expect(page.value("process_cpu_seconds_total") == 10)
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="pid_file",reason="empty"}"#] == 1)
  }

  /// The kernel shows no memory and no descriptors of a process whose first thread has ended.
  @Test func afterTheFirstThreadsEndNothingIsShownAsZero() throws {
    let tree = try TestProc()
    var stat = TestStat(pid: 7)
    stat.state = "Z"
    stat.threads = 2
    stat.virtualBytes = 0
    try tree.process(7).file("stat", stat.line).file("status", "Name:\tapp\n")
    let page = try Watch(tree, [target("app", pid: 7)]).collect()
    #expect(page.value("process_threads") == 2)
    for family in [
      "process_open_fds", "process_fd_usage_ratio", "process_virtual_memory_bytes",
      "process_resident_memory_bytes",
    ] {
      #expect(page.value(family) == nil, "\(family)")
    }
  }

  @Test func whatCouldNotBeReadAnewIsNotServed() throws {
    let tree = try TestProc()
    try tree.process(7).file("stat", cpu(7, 1000))
    let watch = try Watch(tree, [target("app", pid: 7)])
    #expect(watch.collect().value("process_threads") == 1)
    try tree.file("stat", "garbage")
    let page = watch.collect()
    #expect(page.value("process_threads") == nil)
    #expect(page.value("process_cpu_seconds_total") == 10)
    #expect(page.value("procvitals_target_up") == 1)
  }

  /// While a target has no process, nothing shows that its files can be read again.
  @Test func aTroubleIsLoggedOnceHoweverOftenTheTargetRestarts() throws {
    let tree = try TestProc()
    var count = 0
    let watch = try Watch(tree, [target("app", named: "app")])
    for start: UInt64 in 1...3 {
      var stat = TestStat(pid: 7)
      stat.startTicks = start
      try tree.process(7).file("stat", stat.line).file("io", "garbage")
      _ = watch.collect()
      count += watch.notices.count { if case .trouble = $0 { true } else { false } }
      tree.removeProcess(7)
      _ = watch.collect()
      #expect(!watch.notices.contains { if case .recovered = $0 { true } else { false } })
    }
    #expect(count == 1)
    try tree.process(7)
    _ = watch.collect()
    #expect(watch.notices.contains { if case .recovered = $0 { true } else { false } })
  }

  @Test func lifecycleIsAGroupLikeAnother() throws {
    let tree = try TestProc().process(7)
    for (groups, isOn) in [([Group.cpu], false), ([.lifecycle], true)] {
      let selection = Selection(includesDefault: false, groups: Set(groups))
      let page = try Watch(tree, [target("app", pid: 7, collect: selection)]).collect()
      #expect((page.value("process_starts_total") != nil) == isOn)
      #expect((page.value("process_cpu_user_seconds_total") != nil) == !isOn)
      #expect(page.value("procvitals_target_up") == 1)
    }
  }

  // MARK: Reload

  @Test func reloadKeepsCountersAndTakesNewLabels() throws {
    let tree = try TestProc()
    try tree.process(7).file("stat", cpu(7, 1000)).process(8).file("stat", cpu(8, 500))
    let watch = try Watch(tree, [target("app", named: "app"), target("old", pid: 7)])
    _ = watch.collect()
    tree.removeProcess(8)
    #expect(watch.collect().value("process_cpu_seconds_total") == 15)
    watch.collector.configure(
      CollectorSettings(
        targets: [
          target("new", pid: 99), target("app", named: "app", labels: [Label("team", "x")]),
        ],
        limits: CollectorLimits(keptDescriptors: 0)))
    let page = watch.collect()
    #expect(page[#"process_cpu_seconds_total{target="app",team="x"}"#] == 15)
    #expect(page[#"process_starts_total{target="app",team="x"}"#] == 2)
    #expect(!page.text.contains(#"target="old""#))
    #expect(page.value("procvitals_target_up", "new") == 0)
  }

  @Test func reloadSwitchesFamilies() throws {
    let tree = try TestProc().process(7).file("io", testIO(50))
    let watch = try Watch(tree, [target("app", pid: 7)])
    #expect(watch.collect().value("process_io_read_bytes_total") == 50)
    func configure(_ selection: Selection) {
      watch.collector.configure(
        CollectorSettings(targets: [target("app", pid: 7, collect: selection)]))
    }
    configure(Selection(includesDefault: false, groups: [.cpu]))
    let page = watch.collect()
    #expect(page.value("process_io_read_bytes_total") == nil)
    #expect(page.value("process_major_page_faults_total") == nil)
    #expect(page.value("process_cpu_user_seconds_total") == 0)
    #expect(page.value("process_resident_memory_bytes") == nil)
    configure(everything)
    #expect(watch.collect().value("process_io_read_bytes_total") == 50)
  }

  /// Other words for the same processes: nothing starts and nothing is counted twice.
  @Test func reloadWithAnotherRuleForTheSameProcesses() throws {
    let tree = try TestProc()
    var child = TestStat(pid: 8, name: "child")
    child.parent = 7
    child.userTicks = 500
    try tree.process(7).file("stat", cpu(7, 1000)).process(8).file("stat", child.line)
    let watch = try Watch(tree, [target("app", pid: 7, children: true)])
    let before = watch.collect()
    #expect(before.value("process_cpu_seconds_total") == 15)
    watch.collector.configure(
      CollectorSettings(
        targets: [target("app", named: "app", children: true)],
        limits: CollectorLimits(keptDescriptors: 0)))
    let after = watch.collect()
    #expect(after.value("procvitals_target_processes") == 2)
    #expect(after.value("process_cpu_seconds_total") == 15)
    #expect(after.value("process_starts_total") == 2)
  }

  @Test func reloadThatDropsChildren() throws {
    let tree = try TestProc()
    var child = TestStat(pid: 8, name: "child")
    child.parent = 7
    child.userTicks = 500
    try tree.process(7).file("stat", cpu(7, 1000)).process(8).file("stat", child.line)
    let watch = try Watch(tree, [target("app", pid: 7, children: true)])
    #expect(watch.collect().value("process_cpu_seconds_total") == 15)
    watch.collector.configure(
      CollectorSettings(targets: [target("app", pid: 7)], limits: .init(keptDescriptors: 0)))
    let page = watch.collect()
    #expect(page.value("procvitals_target_processes") == 1)
    #expect(page.value("process_cpu_seconds_total") == 15)
  }

  // MARK: Anything

  /// Processes come, end, change their names, let their numbers fall and their files become
  /// unreadable, while the configuration is loaded again and again.
  @Test func countersNeverFall() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let tree = try TestProc()
    let settings = [
      [target("app", named: "a*", children: true), target("seven", pid: 7)],
      [target("seven", pid: 7), target("app", named: "app")],
      [target("app", named: "*p", children: true), target("seven", named: "bee")],
    ]
    let watch = try Watch(tree, settings[0])
    var live: Set<Int32> = []
    var last: [String: Double] = [:]
    func number() -> UInt64 { .random(in: 0...5000, using: &random) }
    for round in 0..<150 {
      for pid in Int32(5)...10 {
        let dice = Int.random(in: 0..<20, using: &random)
        if live.contains(pid), dice == 0 {
          tree.removeProcess(pid)
          live.remove(pid)
        } else if live.contains(pid) || dice < 4 {
          if live.insert(pid).inserted { try tree.process(pid) }
          tree.turn(to: pid)
          try tree.file("stat", line(pid, &random))
          try tree.file("status", TestStatus(voluntary: number()).text)
          try tree.file("io", testIO(number()))
          switch dice {
          case 1: try tree.file("io", "")
          case 2: try tree.file("status", "Name:\tx\nvoluntary_ctxt_switches:\t-\n")
          case 3: tree.remove("io")
          case 5: try tree.file("stat", "garbage")
          default: break
          }
        }
      }
      if Int.random(in: 0..<10, using: &random) == 0 {
        let next = settings[Int.random(in: settings.indices, using: &random)]
        watch.collector.configure(
          CollectorSettings(targets: next, limits: CollectorLimits(keptDescriptors: 0)))
      }
      let now = watch.collect().counters
      for (series, before) in last {
        if now[series] ?? -1 < before {
          Issue.record("\(series) fell, seed \(seed), round \(round)")
        }
      }
      last = now
    }
    #expect(last.keys.contains { $0.hasPrefix("process_exits_total") })
  }

  private func line(_ pid: Int32, _ random: inout SeededGenerator) -> String {
    var stat = TestStat(pid: pid, name: ["app", "ape", "bee"].randomElement(using: &random) ?? "")
    stat.parent = Int32.random(in: 1...10, using: &random)
    stat.userTicks = UInt64.random(in: 0...5000, using: &random)
    stat.minorFaults = UInt64.random(in: 0...5000, using: &random)
    // Rarely another process in place of this one.
    stat.startTicks = Int.random(in: 0..<10, using: &random) == 0 ? 101 : 100
    stat.state = Int.random(in: 0..<15, using: &random) == 0 ? "Z" : "S"
    return stat.line
  }
}
