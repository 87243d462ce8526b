import Glibc
import Targets
import TestSupport
import Testing

@testable import Collector

/// Control groups of recorded processes.
@Suite final class CgroupTests {
  private let tree: TestProc

  /// Version 2 with the top of the machine.
  init() throws {
    tree = try TestProc().cgroup("", ["cgroup.controllers": "cpu memory pids"])
  }

  private func process(_ pid: Int32, _ cgroup: String) throws {
    try tree.process(pid).file("cgroup", "0::\(cgroup)\n")
  }

  private func move(_ pid: Int32, _ cgroup: String) throws {
    tree.turn(to: pid)
    try tree.file("cgroup", "0::\(cgroup)\n")
  }

  private func memory(
    _ group: String, _ bytes: Int, max: String = "max", events: Int = 0
  ) throws {
    try tree.cgroup(
      group,
      [
        "memory.current": "\(bytes)", "memory.max": max, "memory.events": "oom \(events)",
        "cpu.stat": "usage_usec \(bytes)", "cpu.pressure": "some total=\(bytes)",
      ])
  }

  private func watch(_ collect: Selection = Selection()) throws -> Watch {
    try Watch(tree, [target("app", named: "app", collect: collect)])
  }

  private func limit(_ page: Page) -> Double? { page.value("process_cgroup_memory_limit_bytes") }
  private func usage(_ page: Page) -> Double? { page.value("process_cgroup_memory_bytes") }
  private func cpu(_ page: Page) -> Double? { page.value("process_cgroup_cpu_seconds_total") }

  @Test func oneGroupCountsOnce() throws {
    try memory("a", 1000, max: "5000")
    for pid in Int32(7)...9 { try process(pid, "/a") }
    let page = try watch().collect()
    #expect(usage(page) == 1000 && limit(page) == 5000 && cpu(page) == 0.001)
    #expect(page.value("process_pressure_cpu_waiting_seconds_total") == 0.001)
    #expect(page.value("process_oom_kills_total") == 0)
  }

  @Test func severalGroupsAreAddedUp() throws {
    try memory("a", 1000, max: "5000")
    try memory("b", 200, max: "300")
    try process(7, "/a")
    try process(8, "/b")
    let watch = try watch()
    var page = watch.collect()
    #expect(usage(page) == 1200 && limit(page) == 5300 && cpu(page) == 0.0012)
    // One without a limit leaves no limit of both.
    try memory("b", 200)
    page = watch.collect()
    #expect(usage(page) == 1200 && limit(page) == nil)
  }

  @Test func groupInsideAnotherCountsWithIt() throws {
    try memory("a", 1000, max: "5000")
    try memory("a/b", 200, max: "300")
    try memory("a/b/c", 100, max: "300")
    try process(7, "/a")
    try process(8, "/a/b/c")
    try process(9, "/a/b")
    let page = try watch().collect()
    #expect(usage(page) == 1000 && limit(page) == 5000 && cpu(page) == 0.001)
    #expect(page.value("process_pressure_cpu_waiting_seconds_total") == 0.001)
  }

  /// By the limits of a, a/b, a/b/c and a/b/d: what processes in the latter two can use.
  @Test(
    arguments: [
      (["9000", "max", "5000", "3000"], 8000), (["9000", "7000", "5000", "3000"], 7000),
      (["6000", "7000", "5000", "3000"], 6000), (["6000", "max", "max", "3000"], 6000),
      (["max", "max", "max", "3000"], nil), (["max", "max", "max", "max"], nil),
      (["0", "1", "2", "3"], 0),
    ] as [([String], Double?)])
  func limitsOfAncestors(limits: [String], together: Double?) throws {
    for (group, limit) in zip(["a", "a/b", "a/b/c", "a/b/d"], limits) {
      try memory(group, 1, max: limit)
    }
    try process(7, "/a/b/c")
    try process(8, "/a/b/d")
    #expect(limit(try watch().collect()) == together)
  }

  /// The controller is enabled down to `a` only.
  @Test func nearestGroupThatIsAccountedFor() throws {
    try memory("a", 1000, max: "5000")
    try tree.cgroup("a/b", ["cpu.stat": "usage_usec 70"]).cgroup("a/c", [:])
    try process(7, "/a/b")
    try process(8, "/a/c")
    let page = try watch().collect()
    #expect(usage(page) == 1000 && limit(page) == 5000)
    // CPU time is known of a/b by itself, of a/c only with a.
    #expect(cpu(page) == 0.001)
  }

  /// A process at the top has no limit, and the figures of the machine are not its own.
  @Test func topOfTheMachineCountsAsNone() throws {
    try memory("", 1_000_000, max: "5000000")
    try memory("a", 1000, max: "5000")
    try process(7, "/")
    let watch = try watch()
    var page = watch.collect()
    let names = page.samples.keys.filter {
      $0.hasPrefix("process_cgroup_") || $0.hasPrefix("process_pressure_")
    }
    #expect(names.isEmpty)
    try process(8, "/a")
    page = watch.collect()
    #expect(usage(page) == 1000 && limit(page) == nil && cpu(page) == 0.001)
    #expect(!page.text.contains("procvitals_unreadable_total{"))
  }

  @Test func topOfANamespaceIsAGroup() throws {
    try tree.cgroup("", ["cgroup.events": "populated 1"])
    try memory("", 1000, max: "5000")
    try process(7, "/")
    let page = try watch().collect()
    #expect(usage(page) == 1000 && limit(page) == 5000)
  }

  @Test(arguments: [
    ("/gone (deleted)", 0), ("/gone", 1), ("/../x", 1), ("/a/x", 1),
  ])
  func groupsThatAreNotThere(path: String, count: Double) throws {
    try memory("a", 1000)
    try process(7, path)
    let watch = try watch()
    let page = watch.collect()
    #expect(usage(page) == nil && cpu(page) == nil)
    let series =
      #"procvitals_unreadable_total{target="app",source="cgroup_files",reason="missing"}"#
    #expect(page[series] ?? 0 == count)
    // Once a collection, and told once.
    #expect(watch.collect()[series] ?? 0 == 2 * count)
    #expect(watch.notices.isEmpty)
  }

  /// The process was moved; the group that it is in now is read at once.
  @Test func movedProcessIsSeenWhereItIs() throws {
    try memory("a", 1000)
    try memory("b", 50)
    try process(7, "/a")
    let watch = try watch()
    #expect(usage(watch.collect()) == 1000)
    try move(7, "/b")
    let page = watch.collect()
    #expect(usage(page) == 50)
    // What the group had used that it was in stays in the sum.
    #expect(cpu(page) == 0.00105)
    try move(7, "/a")
    try memory("a", 1003)
    #expect(cpu(watch.collect()) == 0.001053)
  }

  /// As systemd does it when a service starts anew.
  @Test func recreatedGroupGoesOn() throws {
    try memory("a", 1000, events: 3)
    try process(7, "/a")
    let watch = try watch()
    #expect(cpu(watch.collect()) == 0.001)
    let events = #"process_cgroup_memory_events_total{target="app",event="oom"}"#
    for round in 1...3 {
      // A file system may give a new directory the number of a removed one, cgroup's does not.
      try tree.cgroup("holds-the-number-\(round)", [:])
      rename("\(tree.cgroupPath)/a", "\(tree.cgroupPath)/old-\(round)")
      try memory("a", 20, events: 1)
      let page = watch.collect()
      #expect(usage(page) == 20)
      #expect(cpu(page) == Double(1000 + 20 * round) / 1e6)
      #expect(page[events] == Double(3 + round))
    }
    // Nobody is there: the sum is.
    tree.removeProcess(7)
    #expect(cpu(watch.collect()) == 0.00106)
  }

  @Test func throttlingIsThatOfTheGroupThatLimits() throws {
    func bandwidth(_ group: String, _ limit: String, _ throttled: Int) throws {
      try tree.cgroup(
        group,
        [
          "cpu.max": limit,
          "cpu.stat":
            "usage_usec 1\nnr_periods 10\nnr_throttled \(throttled)\nthrottled_usec \(throttled)",
        ])
    }
    try bandwidth("a", "200000 100000", 5)
    try bandwidth("a/b", "max 100000", 0)
    try bandwidth("a/c", "max 100000", 0)
    try process(7, "/a/b")
    try process(8, "/a/c")
    let watch = try watch()
    var page = watch.collect()
    #expect(page.value("process_cgroup_cpu_limit_cores") == 2)
    #expect(page.value("process_cgroup_cpu_throttled_periods_total") == 5)
    #expect(page.value("process_cgroup_cpu_periods_total") == 10)
    try bandwidth("a/c", "50000 100000", 7)
    page = watch.collect()
    #expect(page.value("process_cgroup_cpu_limit_cores") == 2)
    #expect(page.value("process_cgroup_cpu_throttled_periods_total") == 12)
    try bandwidth("a/b", "50000 100000", 1)
    page = watch.collect()
    #expect(page.value("process_cgroup_cpu_limit_cores") == 1)
    #expect(page.value("process_cgroup_cpu_throttled_seconds_total") == 13e-6)
  }

  @Test func unreadableLimitIsNoLimit() throws {
    try memory("a", 1000, max: "x")
    try memory("a/b", 100, max: "500")
    try process(7, "/a/b")
    let page = try watch().collect()
    #expect(usage(page) == 100 && limit(page) == nil)
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="cgroup_files",reason="malformed"}"#]
        == 1)
  }

  @Test func moreGroupsThanTheLimit() throws {
    for number in 1...4 {
      try memory("g\(number)", 1)
      try process(Int32(number), "/g\(number)")
    }
    let watch = try Watch(
      tree.path, [target("app", named: "app")],
      limits: CollectorLimits(keptDescriptors: 0, cgroupsPerTarget: 3))
    let page = watch.collect()
    #expect(usage(page) == 3)
    let series = #"procvitals_unreadable_total{target="app",source="cgroup_files",reason="limit"}"#
    #expect(page[series] == 1)
  }

  @Test func onlyWhatIsAskedFor() throws {
    try memory("a", 1000)
    try process(7, "/a")
    func page(_ group: Group) throws -> Page {
      try watch(Selection(includesDefault: false, groups: [group])).collect()
    }
    let cgroup = try page(.cgroup)
    #expect(usage(cgroup) == 1000 && !cgroup.text.contains("process_pressure_"))
    let pressure = try page(.pressure)
    #expect(pressure.text.contains("process_pressure_") && !pressure.text.contains("_cgroup_"))
    #expect(!pressure.text.contains("process_oom_kills_total"))
    #expect(try page(.lifecycle).value("process_oom_kills_total") == 0)
  }
}
