import Linux
import ProcFS
import Targets
import TestSupport
import Testing

@testable import Collector

@Suite struct LookTests {
  private let look = Wish.look(Look(.page))

  @Test func whoeverLooksGetsFigures() throws {
    let tree = try TestProc().process(7, name: "web").process(8, name: "db")
    try tree.file("io", "nonsense\n")
    let watch = try Watch(
      tree, [target("a", pid: 7), target("b", pid: 8), target("c", pidFile: "/nowhere/c.pid")])
    let page = watch.collect()
    let outcome = watch.collector.collect(testState, [look])
    // No page is written for it.
    #expect(outcome.pages.isEmpty && outcome.health != nil)
    let sight = try #require(outcome.sight)
    #expect(sight.own == nil && sight.targets.map(\.key.name) == ["a", "b", "c"])
    let a = sight.targets[0]
    #expect(a.status == .ok && a.pids == [7] && a.command == "web" && a.troubles.isEmpty)
    #expect(a.cpuSeconds == page.value("process_cpu_seconds_total", "a"))
    #expect(a.residentBytes == page.value("process_resident_memory_bytes", "a"))
    #expect(a.openDescriptors == page.value("process_open_fds", "a"))
    #expect(a.descriptorLimit == page.value("process_max_fds", "a"))
    #expect(a.descriptorRatio == page.value("process_fd_usage_ratio", "a"))
    #expect(a.threads == page.value("process_threads", "a"))
    #expect(a.startSeconds == page.value("process_start_time_seconds", "a"))
    #expect(a.residentBytes != nil && a.cpuSeconds != nil && a.threads != nil)
    #expect(a.goroutines == nil && a.heapBytes == nil)
    // What cannot be read is absent, and why is said as long as it is so.
    let b = sight.targets[1]
    #expect(b.status == .degraded && b.storageBytes == nil && b.residentBytes != nil)
    #expect(b.troubles.map(\.trouble) == [Trouble(.file(.io), .malformed)])
    #expect(b.troubles[0].detail.contains("process 8"))
    // Whoever is not there has no figures, not even sums of the past.
    let c = sight.targets[2]
    #expect(c.status == .failing && c.processes == 0 && c.cpuSeconds == nil)
    #expect(
      c.troubles.map(\.trouble.source) == [.pidFile] && c.troubles[0].detail.contains("c.pid"))
  }

  @Test func whatThisProgramUses() {
    let own = OwnUsage(Stat(), 17, facts)
    #expect(own.openDescriptors == 17 && OwnUsage(Stat(), nil, facts).openDescriptors == nil)
  }

  @Test func commandLinesAreForThoseWhoMaySeeThem() throws {
    let tree = try TestProc().process(7, name: "web").process(8, name: "db").process(9)
    for (pid, line) in [
      (7, "web\0--token=secret\0"), (8, String(repeating: "é", count: 300) + "\0"), (9, ""),
    ] {
      tree.turn(to: Int32(pid))
      try tree.file("cmdline", line)
    }
    let watch = try Watch(tree, [target("a", pid: 7), target("b", pid: 8), target("c", pid: 9)])
    let outcome = watch.collector.collect(testState, [look])
    #expect(outcome.sight?.targets.map(\.commandLine) == [nil, nil, nil])
    let may = Wish.look(Look(.page, tellsCommandLines: true))
    let lines = watch.collector.collect(testState, [look, may]).sight?.targets.map(\.commandLine)
    #expect(lines == ["web --token=secret", String(repeating: "é", count: 100) + "…", nil])
    // It is read once for a program, and forgotten when nobody looks.
    tree.turn(to: 7)
    try tree.file("cmdline", "other\0")
    let again = watch.collector.collect(testState, [may]).sight?.targets.first?.commandLine
    #expect(again == "web --token=secret")
    _ = watch.collector.collect(testState, [.nobodyLooks])
    #expect(watch.collector.collect(testState, [look]).sight?.targets[0].commandLine == nil)
    #expect(watch.collector.collect(testState, [may]).sight?.targets[0].commandLine == "other")
  }

  @Test func statesAndWhatLimitsLeaveOut() throws {
    let tree = try TestProc().process(7, name: "web").process(8, name: "web").process(
      9, name: "web")
    let watch = try Watch(tree, [target("a", named: "web")])
    let all = try #require(watch.collector.collect(testState, [look]).sight?.targets.first)
    #expect(all.states.map(\.name) == ["sleeping"] && all.states.map(\.count) == [3])
    #expect(!all.isAmbiguous)
    var limits = CollectorLimits(keptDescriptors: 0)
    limits.processesPerTarget = 2
    let narrow = try Watch(
      tree.path, cgroups: tree.cgroupPath, [target("a", named: "web")], limits: limits)
    let few = narrow.collector.collect(testState, [look]).sight?.targets.first
    #expect(few?.isAmbiguous == true && few?.states.map(\.count) == [2])
  }

  @Test func aLookAtThePastReadsNothing() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("a", pid: 7)])
    #expect(watch.outcome().census.up == 1)
    tree.remove("stat")
    for wish in [Wish.look(Look(.history, isFresh: false)), .nobodyLooks] {
      let outcome = watch.collector.collect(testState, [wish])
      #expect(outcome.sight == nil && outcome.health == nil && outcome.notices.isEmpty)
      #expect(outcome.census.up == 1)
    }
    // With somebody else's fresh one it is part of that collection.
    let both = watch.collector.collect(testState, [look, .look(Look(.page, isFresh: false))])
    #expect(both.sight?.targets.count == 1)
  }
}
