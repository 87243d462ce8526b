import Metrics
import Targets
import TestSupport
import Testing

@testable import Collector

/// Counters of groups by process-exporter's names whose processes move between their targets.
@Suite struct GroupCounterTests {
  /// One group of a target for each process name.
  private func targets(
    _ label: String = "comm", forgetAfter patience: Duration = .seconds(3600)
  ) -> [TargetSettings] {
    var rule = Rule(
      name: "web", labels: [.init(label, Template([.variable(.comm)]))],
      selector: Selector(processNames: [Glob("w-*")]))
    rule.forgetAfter = patience
    return [TargetSettings(rule: rule, selection: everything)]
  }

  private func settings(_ targets: [TargetSettings]) -> CollectorSettings {
    CollectorSettings(
      targets: targets, limits: CollectorLimits(keptDescriptors: 0), names: .namedprocess)
  }

  private func watch(_ tree: TestProc, _ targets: [TargetSettings]) throws -> Watch {
    let watch = try Watch(tree, targets)
    watch.collector.configure(settings(targets))
    return watch
  }

  private func set(
    _ tree: TestProc, of pid: Int32 = 7, _ name: String, ticks: UInt64, start: UInt64 = 100
  ) throws {
    var stat = TestStat(pid: pid, name: name)
    stat.userTicks = ticks
    stat.startTicks = start
    tree.turn(to: pid)
    try tree.file("stat", stat.line).file("task/\(pid)/stat", stat.line)
      .file("task/\(pid)/comm", "\(name)\n").file("task/\(pid)/status", TestStatus().text)
  }

  private func seconds(_ page: Page) -> Double? {
    page["namedprocess_namegroup_cpu_seconds_total{groupname=\"web\",mode=\"user\"}"]
  }

  private func threadSeconds(_ page: Page) -> Double {
    page.samples.filter {
      $0.key.hasPrefix("namedprocess_namegroup_thread_cpu_seconds_total{")
        && $0.key.contains("\"user\"")
    }.values.reduce(0, +)
  }

  @Test(arguments: [
    ["w-a", "w-b", "w-c"], ["w-a", "w-b", "w-a", "w-b"], ["w-a", "other", "w-a"],
    ["w-a", "w-b", "other", "w-c", "w-a", "other", "w-b"],
  ])
  func aProcessThatMovesCountsOnce(names: [String]) throws {
    let tree = try TestProc().process(7).process(8)
    let watch = try watch(tree, targets())
    try set(tree, of: 8, "w-z", ticks: 1000)
    var (expected, expectedThreads) = (10.0, 10.0)
    for (index, name) in names.enumerated() {
      let ticks = UInt64(index + 1) * 100
      try set(tree, name, ticks: ticks)
      let isMember = name != "other"
      // A process is read once more when it leaves, its threads are not.
      if isMember || names[index - 1] != "other" { expected = 10 + Double(ticks) / 100 }
      if isMember { expectedThreads = expected }
      let page = watch.collect()
      #expect(seconds(page) == expected, "\(index)")
      #expect(threadSeconds(page) == expectedThreads, "\(index)")
    }
    tree.removeProcess(7)
    #expect(seconds(watch.collect()) == expected)
    // Another one has got its number.
    try tree.process(7)
    try set(tree, "w-b", ticks: 50, start: 999)
    #expect(seconds(watch.collect()) == expected + 0.5)
  }

  @Test func targetsThatVanishKeepTheirShare() throws {
    let tree = try TestProc().process(7).process(8)
    let watch = try watch(tree, targets(forgetAfter: .zero))
    try set(tree, of: 8, "w-z", ticks: 1000)
    for (index, name) in ["w-a", "w-b", "w-b", "other", "other", "w-c", "w-c"].enumerated() {
      try set(tree, name, ticks: UInt64(index + 1) * 100)
      let page = watch.collect()
      let isMember = name != "other"
      #expect(seconds(page) == 10 + (isMember ? Double(index + 1) : 4), "\(index)")
      #expect(threadSeconds(page) == 10 + (isMember ? Double(index + 1) : 3), "\(index)")
    }
  }

  @Test func newSettingsMakeNewTargets() throws {
    let tree = try TestProc().process(7)
    let watch = try watch(tree, targets())
    try set(tree, "w-a", ticks: 100)
    #expect(seconds(watch.collect()) == 1)
    watch.collector.configure(settings(targets("program")))
    try set(tree, "w-a", ticks: 200)
    #expect(seconds(watch.collect()) == 2)
  }

  /// What cannot be read of a process where it is now counts as it did before.
  @Test func aMoveToWhatCannotBeRead() throws {
    let tree = try TestProc().process(7)
    let watch = try watch(tree, targets())
    try set(tree, "w-a", ticks: 100)
    try tree.file("io", testIO(1000))
    let series = "namedprocess_namegroup_read_bytes_total{groupname=\"web\"}"
    let before = watch.collect()[series]
    tree.remove("io")
    try set(tree, "w-b", ticks: 100)
    let after = watch.collect()[series]
    #expect(before != nil && after == before)
  }

  /// What was counted for a target that is no longer there.
  @Test func failedReadsOfTargetsThatVanish() throws {
    let tree = try TestProc().process(7)
    let watch = try watch(tree, targets(forgetAfter: .zero))
    var last = 0.0
    let late = "procvitals_late_reads_total{source=\"io\"}"
    for (index, name) in ["w-a", "w-b", "other", "other", "w-c", "other", "other"].enumerated() {
      try set(tree, name, ticks: 1)
      var page = watch.collect()
      if name != "other" {
        let target = try #require(watch.collector.roster.targets.first { !$0.members.isEmpty })
        target.note(Trouble(.file(.io), .late), "")
        target.note(Trouble(.file(.stat), .denied), "")
        page = watch.collect()
      }
      let expected = Double([1, 2, 2, 2, 3, 3, 3][index])
      #expect(page[late] == expected, "\(index)")
      // Files that the tree lacks count too.
      let partial = try #require(page["namedprocess_scrape_partial_errors"])
      #expect(name == "other" ? partial == last : partial > last, "\(index)")
      last = partial
      #expect(page["namedprocess_scrape_procread_errors"] == expected, "\(index)")
    }
    #expect(watch.collector.roster.targets.count == 1)
  }
}
