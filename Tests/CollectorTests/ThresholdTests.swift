import GoRuntime
import Linux
import Targets
import TestSupport
import Testing

@testable import Collector
@testable import GoRuntime

extension Watch {
  /// Reloads.
  fileprivate func configure(_ target: TargetSettings) {
    collector.configure(
      CollectorSettings(targets: [target], limits: CollectorLimits(keptDescriptors: 0)))
  }
}

/// Thresholds: what they are compared with, what follows from it, and what is told of it.
@Suite struct ThresholdTests {
  private static func place(_ name: String) -> Int {
    Threshold.all.firstIndex { $0.name == name } ?? -1
  }

  private static func settings(
    _ thresholds: [String: Threshold.Levels], collect: Selection = everything
  ) -> TargetSettings {
    var settings = target("app", named: "app", collect: collect)
    for (name, levels) in thresholds { settings.thresholds[place(name)] = levels }
    return settings
  }

  /// A process with four descriptors of eight, 40 KiB of the 80 KiB of its control group.
  private func tree() throws -> TestProc {
    let tree = try TestProc().cgroup("", ["cgroup.controllers": "memory"])
      .cgroup("app", ["memory.max": "81920", "memory.current": "50000"])
    try tree.process(7).file("limits", testLimits(openFiles: "8", addressSpace: "unlimited"))
    try setDescriptors(4, tree)
    return tree
  }

  private func setDescriptors(_ count: Int, _ tree: TestProc) throws {
    tree.remove("fd")
    try tree.add("fd", .directory)
    for number in 0..<count { try tree.add("fd/\(number)", .link("/dev/null")) }
  }

  private func health(_ outcome: Collector.Outcome) throws -> Health.TargetHealth {
    try #require(outcome.health?.targets.first)
  }

  private func series(_ threshold: String, _ level: String) -> String {
    #"procvitals_threshold_crossed{target="app",threshold="\#(threshold)",level="\#(level)"}"#
  }

  @Test(arguments: [
    ("open_fds_ratio", 0.5), ("resident_memory_bytes", 40_960), ("resident_memory_ratio", 0.5),
    ("restarts", 0),
  ])
  func figuresAreComparedWithBothLevels(name: String, value: Double) throws {
    let tree = try tree()
    let cases: [(Threshold.Levels, Health.Status)] = [
      (.init(degraded: value), .ok), (.init(failing: value), .ok),
      (.init(degraded: value.nextDown), .degraded),
      (.init(failing: value.nextDown), .failing),
      (.init(degraded: value.nextDown, failing: value), .degraded),
      (.init(degraded: value.nextDown, failing: value.nextDown), .failing),
    ]
    for (levels, status) in cases {
      let outcome = try Watch(tree, [Self.settings([name: levels])]).outcome()
      let found = try health(outcome)
      #expect(found.thresholds == [.init(name: name, levels: levels, value: value)], "\(levels)")
      #expect(found.status == status && outcome.health?.status == status, "\(levels)")
      let page = Page(outcome.page)
      for (level, limit) in [("degraded", levels.degraded), ("failing", levels.failing)] {
        #expect(page[series(name, level)] == limit.map { value > $0 ? 1 : 0 }, "\(levels) \(level)")
      }
    }
  }

  @Test func whatIsNotKnownIsAboveNothing() throws {
    let low = Threshold.Levels(degraded: 0, failing: 0)
    let all = Dictionary(uniqueKeysWithValues: Threshold.all.map { ($0.name, low) })
    let tree = try TestProc().process(7)
    tree.remove("limits").remove("status").remove("cgroup")
    let watch = try Watch(tree, [Self.settings(all)])
    let outcome = watch.outcome()
    let found = try health(outcome).thresholds
    #expect(found.map(\.name) == Threshold.all.map(\.name))
    #expect(found.map(\.value) == [nil, nil, nil, nil, nil, nil, 0])
    #expect(found.allSatisfy { $0.status == .ok })
    let crossed = Page(outcome.page).samples.filter { $0.key.contains("threshold_crossed") }
    #expect(
      crossed == [series("restarts", "degraded"): 0, series("restarts", "failing"): 0])
    tree.removeProcess(7)
    #expect(try health(watch.outcome()).thresholds.map(\.value) == found.map(\.value))
    // A page of all has no time for a process, so its figures are of the past.
    try tree.process(7)
    try tree.file("limits", testLimits(openFiles: "8", addressSpace: "unlimited"))
    #expect(try health(watch.outcome()).thresholds[1].value == 40_960)
    let late = watch.collector.collect(testState, [.page()]) { true }
    #expect(try health(late).thresholds.map(\.value) == [nil, nil, nil, nil, nil, nil, 1])
  }

  @Test func withoutThresholdsThereIsNothing() throws {
    let outcome = try Watch(try tree(), [Self.settings([:])]).outcome()
    #expect(try health(outcome).thresholds.isEmpty)
    #expect(!Page(outcome.page).text.contains("procvitals_threshold_crossed"))
  }

  @Test func crossingsAreToldOnceEach() throws {
    let tree = try tree()
    let name = "open_fds_ratio"
    let settings = Self.settings([name: .init(degraded: 0.5, failing: 0.75)])
    let watch = try Watch(tree, [settings])
    func told() -> [String] {
      watch.outcome().notices.compactMap { notice in
        guard case .threshold(let target, let finding, let before) = notice else { return nil }
        #expect(target == "app")
        return finding.status > before ? finding.sentence : finding.sentence(after: before)
      }
    }
    #expect(told() == [])
    try setDescriptors(5, tree)
    #expect(told() == ["open_fds_ratio is 0.625, above 0.5 (degraded)"])
    #expect(told() == [])
    try setDescriptors(7, tree)
    #expect(told() == ["open_fds_ratio is 0.875, above 0.75 (failing)"])
    // What is not known is neither the end nor another beginning.
    tree.remove("limits")
    #expect(told() == [])
    try tree.file("limits", testLimits(openFiles: "8", addressSpace: "unlimited"))
    #expect(told() == [])
    // Nor is a reload, and new levels hold from the next collection on.
    watch.configure(settings)
    #expect(told() == [])
    let higher = Self.settings([name: .init(degraded: 0.5, failing: 0.9)])
    watch.configure(higher)
    #expect(told() == ["open_fds_ratio is 0.875, no longer above 0.9 (failing)"])
    try setDescriptors(1, tree)
    #expect(told() == ["open_fds_ratio is 0.125, no longer above 0.5 (degraded)"])
    #expect(told() == [])
  }

  @Test func thePageAndDetailsSayWhatIsAbove() throws {
    let watch = try Watch(
      try tree(),
      [Self.settings(["open_fds_ratio": .init(failing: 0.4), "restarts": .init(degraded: 1)])])
    _ = watch.outcome()
    let outcome = watch.collector.collect(testState, [.look(Look(.page)), .details])
    let vitals = try #require(outcome.sight?.targets.first)
    #expect(vitals.status == .failing && vitals.crossed.map(\.name) == ["open_fds_ratio"])
    #expect(outcome.details.first?.crossed == vitals.crossed)
  }

  @Test func restartsCountThroughReloadsAndStepsOfTheClock() throws {
    let tree = try tree()
    let settings = Self.settings(["restarts": .init(degraded: 1)])
    let watch = try Watch(tree, [settings])
    var wall = 1_750_000_000.0
    watch.collector.clock = { wall }
    func restarts() throws -> Double? { try health(watch.outcome()).thresholds.first?.value }
    #expect(try restarts() == 0)
    for round in 1...3 {
      tree.removeProcess(Int32(6 + round))
      _ = watch.outcome()
      try tree.process(Int32(7 + round))
      wall += round == 2 ? -1e6 : 1e6
      watch.configure(settings)
      #expect(try restarts() == Double(round))
    }
    #expect(try health(watch.outcome()).status == .degraded)
    // What happened while nobody counted is not known later.
    watch.configure(Self.settings([:]))
    #expect(try restarts() == nil)
    watch.configure(settings)
    #expect(try restarts() == 0)
  }

  /// Against a list of all restarts, each with its time.
  @Test(arguments: 0..<50 as Range<UInt64>)
  func aRestartCountsForItsInterval(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var history = RestartHistory()
    var (now, total) = (
      Instant(nanoseconds: 1_000_000_000_000), UInt64.random(in: 0...5, using: &random)
    )
    var all: [Instant] = []
    for look in 0..<300 {
      // An interval changes with a reload; one that was longer cannot bring back what is forgotten.
      let interval = Duration.seconds(look < 200 ? 600 : 60)
      now = now + .milliseconds(Int.random(in: 1...60_000, using: &random))
      let new =
        Int.random(in: 0...9, using: &random) < 3 ? Int.random(in: 1...4, using: &random) : 0
      if look > 0 { all += [Instant](repeating: now, count: new) }
      total += UInt64(new)
      history.note(total, at: now, within: interval)
      let expected = all.count { now - $0 < interval }
      #expect(history.count == UInt64(expected), "seed \(seed), look \(look)")
    }
  }

  @Test func restartsThatAreRememberedAreBounded() {
    var history = RestartHistory()
    for look in 0..<10_000 as Range<UInt64> {
      history.note(look, at: Instant(nanoseconds: look), within: .seconds(600))
    }
    #expect(history.count == UInt64(RestartHistory.limit))
    guard case .count(let range) = Threshold.all[Self.place("restarts")].unit else { return }
    #expect(RestartHistory.limit > range.upperBound)
  }

  @Test func thresholdsHoldWhereWhatTheyNeedIsCollected() {
    let all = Dictionary(
      uniqueKeysWithValues: Threshold.all.indices.map {
        ($0, Threshold.Levels(degraded: 1))
      })
    func names(_ selection: Selection) -> [String] {
      all.inForce(selection).keys.sorted().map { Threshold.all[$0].name }
    }
    #expect(
      names(Selection()) == [
        "open_fds_ratio", "resident_memory_bytes", "resident_memory_ratio", "restarts",
      ])
    #expect(names(Selection(includesDefault: false)) == ["restarts"])
    #expect(
      names(Selection(includesDefault: false, groups: [.core, .go])) == [
        "open_fds_ratio", "resident_memory_bytes", "go_goroutines", "go_heap_bytes",
        "go_gc_pause_seconds", "restarts",
      ])
    #expect([0: Threshold.Levels()].inForce(everything).isEmpty)
  }

  @Test func figuresOfGoPrograms() throws {
    let tree = try TestProc().process(7)
    tree.remove("exe")
    var runtime = FakeRuntime(Layout.all[0])
    try tree.file("maps", runtime.maps("\(tree.path)/go.program")).file("mem", runtime.memory)
    try writeFile("\(tree.path)/go.program", runtime.file)
    try tree.add("exe", .link("\(tree.path)/go.program"))
    let names = ["go_goroutines", "go_heap_bytes", "go_gc_pause_seconds"]
    let watch = try Watch(
      tree,
      [
        Self.settings(
          Dictionary(uniqueKeysWithValues: names.map { ($0, .init(degraded: 0.5)) }),
          collect: Selection(includesDefault: false, groups: [.go]))
      ])
    var page = Page([])
    func values(_ wanted: ([Double?]) -> Bool) throws -> [Double?] {
      var values: [Double?] = []
      _ = try eventually {
        let outcome = watch.outcome()
        page = Page(outcome.page)
        values = try health(outcome).thresholds.map(\.value)
        return wanted(values)
      }
      return values
    }
    // Which cycles ended between two looks is not known at the first one.
    let first = try values { $0[0] != nil }
    #expect(first == [page.value("go_goroutines"), page.value("go_memstats_alloc_bytes"), nil])
    #expect(try values { $0[2] != nil }[2] == 0)
    #expect(page[series("go_gc_pause_seconds", "degraded")] == 0)
    // The longest one of all is old.
    runtime.pauses += [3_000, 700_000_000, 2_000]
    runtime.cycles += 3
    runtime.write()
    try tree.file("mem", runtime.memory)
    #expect(try values { $0[2].map { $0 > 0 } ?? false }[2] == 0.7)
    #expect(page[series("go_gc_pause_seconds", "degraded")] == 1)
    runtime.pauses += [1_000]
    runtime.cycles += 1
    runtime.write()
    try tree.file("mem", runtime.memory)
    #expect(try values { ($0[2] ?? 1) < 0.7 && $0[2] != 0 }[2] == 0.000001)
    #expect(try values { $0[2] != nil }[2] == 0)
  }
}
