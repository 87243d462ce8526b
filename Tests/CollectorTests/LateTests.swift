import Linux
import Metrics
import Targets
import TestSupport
import Testing

@testable import Collector

/// L5: collections whose time is over before all targets were looked at.
@Suite struct LateTests {
  private let tree: TestProc

  init() throws { tree = try TestProc().process(7).process(8, name: "other") }

  private func watch() throws -> Watch {
    try Watch(tree, [target("app", pid: 7), target("other", pid: 8), target("none", pid: 9)])
  }

  /// A collection that has time for so many targets.
  private func collect(
    _ watch: Watch, targets: Int, _ wishes: Set<Wish> = [.page()]
  ) -> Collector.Outcome {
    var left = targets
    return watch.collector.collect(OwnState(version: "0"), wishes) {
      left -= 1
      return left < 0
    }
  }

  private func late(_ page: Page, _ name: String) -> Double? {
    page["procvitals_unreadable_total{target=\"\(name)\",source=\"process\",reason=\"late\"}"]
  }

  @Test func L5_targetsThatAreNotReadFailAndTheOthersAreServed() throws {
    let watch = try watch()
    let first = watch.collect()
    let cpu = "process_cpu_seconds_total"
    let memory = "process_resident_memory_bytes"
    let success = "procvitals_target_scrape_success"
    for name in ["app", "none", "other"] { #expect(first.value(success, name) == 1) }
    #expect(late(first, "other") == nil)

    // By name: app, none, other.
    let outcome = collect(watch, targets: 2)
    #expect(!outcome.isLate)
    let page = Page(outcome.page)
    #expect(page.value(success) == 1 && page.value(success, "none") == 1)
    #expect(page.value(memory) == first.value(memory) && page.value(memory) != nil)
    #expect(page.value(success, "other") == 0 && late(page, "other") == 1)
    #expect(page["procvitals_late_reads_total{source=\"process\"}"] == 1)
    // It is there all the same, its counters stay and what is true of one moment only is absent.
    #expect(page.value("procvitals_target_up", "other") == 1)
    #expect(page.value(cpu, "other") == first.value(cpu, "other"))
    #expect(page.value(memory, "other") == nil)
    let kept = page.samples.keys.filter {
      $0.contains("\"other\"") && !$0.hasPrefix("procvitals_") && !$0.contains("_total")
    }
    #expect(kept.isEmpty, "\(kept.sorted())")
    #expect(outcome.notices.contains { "\($0)".contains("time was over") })
    #expect(!outcome.notices.contains { if case .down = $0 { true } else { false } })

    let again = watch.collect()
    #expect(again.value(success, "other") == 1 && late(again, "other") == 1)
    #expect(again.value(memory, "other") == first.value(memory, "other"))
    #expect(again.samples.count == first.samples.count + 2)
  }

  /// What is a sum over a part of the group would look like that over all of it.
  @Test func L5_groupsOfWhichATargetIsLateHaveCountersOnly() throws {
    let settings = ["a", "b"].map { label in
      target("app", pid: label == "a" ? 7 : 8, labels: [Label("x", label)])
    }
    let watch = try Watch(tree, settings + [target("zeta", pid: 7)])
    watch.collector.configure(
      CollectorSettings(
        targets: settings, limits: CollectorLimits(keptDescriptors: 0), names: .namedprocess))
    func group(_ targets: Int) -> [String: Double] {
      Page(collect(watch, targets: targets).page).samples.filter {
        $0.key.hasPrefix("namedprocess_namegroup_") && $0.key.contains("groupname=\"app\"")
      }
    }
    let whole = group(2)
    #expect(whole.keys.contains { $0.hasPrefix("namedprocess_namegroup_memory_bytes") })
    let part = group(1)
    let gauges = part.keys.filter { !$0.contains("_total") }
    #expect(gauges == ["namedprocess_namegroup_num_procs{groupname=\"app\"}"])
    #expect(part.values.isEmpty == false && part == whole.filter { part.keys.contains($0.key) })
    #expect(Set(whole.keys.filter { $0.contains("_total") }).isSubset(of: part.keys))
    #expect(group(2) == whole)
  }

  /// A target that is late takes no part in families that it does not have.
  @Test func L5_aLateTargetTakesNothingFromFamiliesOfOthers() throws {
    let settings = [(7, everything), (8, Selection(includesDefault: false, groups: [.io]))].map {
      target("app", pid: $0.0, labels: [Label("x", "\($0.0)")], collect: $0.1)
    }
    let watch = try Watch(tree, settings)
    watch.collector.configure(
      CollectorSettings(
        targets: settings, limits: CollectorLimits(keptDescriptors: 0), names: .namedprocess))
    func gauges(_ targets: Int) -> [String: Double] {
      Page(collect(watch, targets: targets).page).samples.filter {
        $0.key.hasPrefix("namedprocess_namegroup_") && !$0.key.contains("_total")
      }
    }
    let whole = gauges(2)
    #expect(whole.keys.contains { $0.hasPrefix("namedprocess_namegroup_memory_bytes") })
    #expect(gauges(1) == whole)
  }

  @Test func L5_onlyACollectionThatFoundNothingIsLate() throws {
    let watch = try watch()
    #expect(collect(watch, targets: 0).isLate)
    #expect(!collect(watch, targets: 1).isLate)
    let alone = try Watch(tree, [target("none", pid: 9)])
    #expect(!collect(alone, targets: 0).isLate)
  }

  @Test func L5_probesThatAreLateSaySo() throws {
    let watch = try watch()
    let app = Probe(name: "app")
    let both: Set<Wish> = [.probe(app), .probe(Probe(name: "other"))]
    let outcome = collect(watch, targets: 1, both)
    #expect(outcome.probes[app]?.page?.isEmpty == false)
    #expect(outcome.probes[Probe(name: "other")] == .late)
    #expect(collect(watch, targets: 0, [.probe(Probe(name: "none"))]).probes.values.first == .down)
  }

  @Test func L5_lateCollectionsLoseNoCounters() throws {
    let watch = try watch()
    func use(_ ticks: UInt64) throws {
      tree.turn(to: 8)
      var stat = TestStat(pid: 8, name: "other")
      stat.userTicks = ticks
      try tree.file("stat", stat.line)
    }
    let cpu = "process_cpu_user_seconds_total"
    var last = 0.0
    for (round, targets) in [3, 2, 0, 3, 2, 2, 3].enumerated() {
      try use(UInt64(100 * (round + 1)))
      let value = try #require(Page(collect(watch, targets: targets).page).value(cpu, "other"))
      #expect(value >= last)
      last = value
    }
    #expect(last == 7)
  }
}
