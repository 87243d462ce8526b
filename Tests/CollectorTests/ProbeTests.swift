import Linux
import Metrics
import ProcFS
import TestSupport
import Testing

@testable import Collector
@testable import Targets

private func key(_ name: String, _ labels: KeyValuePairs<String, String> = [:]) -> TargetKey {
  TargetKey(name: name, labels: labels.map { TargetKey.Label(name: $0.key, value: $0.value) })
}

private func probe(_ name: String, _ labels: KeyValuePairs<String, String> = [:]) -> Probe {
  Probe(name: name, labels: key(name, labels).labels)
}

@Suite struct ProbeChoiceTests {
  private static let keys = [
    key("db", ["port": "5432", "role": "main", "team": "x"]),
    key("db", ["port": "5433", "role": "main", "team": "x"]),
    key("db", ["port": "", "team": "x"]), key("web", ["service": "shop"]), key("cache", [:]),
    key("job", ["n": "1"]), key("job", ["n": "2"]),
  ]

  @Test(
    arguments: [
      (probe("cache"), .one(4)), (probe("web"), .one(3)),
      (probe("web", ["service": "shop"]), .one(3)),
      (probe("db", ["port": "5433"]), .one(1)),
      (probe("db", ["port": "5433", "role": "main"]), .one(1)),
      // Without a value for what tells them apart there is only one.
      (probe("db"), .one(2)), (probe("db", ["port": ""]), .one(2)),
      (probe("db", ["role": "main"]), .several(["port"])), (probe("job"), .several(["n"])),
      (probe("nope"), .none), (probe("DB"), .none), (probe(""), .none),
      (probe("db", ["port": "1"]), .none), (probe("cache", ["port": "1"]), .none),
      // An absent label is an empty one.
      (probe("cache", ["port": ""]), .one(4)),
    ] as [(Probe, Probe.Choice)])
  func table(probe: Probe, choice: Probe.Choice) {
    #expect(probe.choice(among: Self.keys) == choice)
  }

  @Test func labelsThatTellTargetsApart() {
    #expect(TargetKey.distinguishing(Array(Self.keys[0..<3])) == ["port", "role"])
    #expect(TargetKey.distinguishing([Self.keys[0]]) == [])
    #expect(TargetKey.distinguishing([key("a", ["x": ""]), key("a")]) == [])
  }
}

/// Collections that look at some targets only.
@Suite struct ProbeTests {
  private func cpu(_ pid: Int32, _ ticks: UInt64) -> String {
    var stat = TestStat(pid: pid, name: "p\(pid)")
    stat.userTicks = ticks
    return stat.line
  }

  private func tree(_ pids: Int32...) throws -> TestProc {
    let tree = try TestProc()
    for pid in pids { try tree.process(pid, name: "p\(pid)").file("stat", cpu(pid, 100)) }
    return tree
  }

  private func named(_ pid: Int32, labels: [Label] = [], collect: Selection = everything)
    -> TargetSettings
  {
    target("t\(pid)", named: "p\(pid)", labels: labels, collect: collect)
  }

  private func answer(_ watch: Watch, _ probe: Probe) throws -> ProbeAnswer {
    let outcome = watch.collector.collect(OwnState(version: "0.0.0"), [.probe(probe)])
    #expect(outcome.page.isEmpty && outcome.health == nil)
    return try #require(outcome.probes[probe])
  }

  private func page(_ watch: Watch, _ name: String) throws -> Page {
    guard let bytes = try answer(watch, probe(name)).page else {
      Issue.record("no page of \(name)")
      return Page([])
    }
    return Page(bytes)
  }

  /// The same families and values as on the page of all, without what is not the program's.
  @Test func aPageIsWhatTheProgramWouldHaveServed() throws {
    let tree = try tree(7, 8)
    let watch = try Watch(tree, [named(7, labels: [Label("service", "shop")]), named(8)])
    let all = watch.collect()
    let own = try page(watch, "t7")
    let labels = #"target="t7",service="shop""#
    var expected: [String: Double] = [:]
    for (series, value) in all.samples where series.contains(labels) {
      if series.hasPrefix("procvitals_") { continue }
      let plain = series.replacing("{\(labels)}", with: "").replacing("{\(labels),", with: "{")
      expected[plain] = value
    }
    #expect(expected.count > 50)
    let age = "process_proportional_memory_age_seconds"
    #expect(own.samples.filter { $0.key != age } == expected.filter { $0.key != age })
    #expect(!own.text.contains("target=") && !own.text.contains("procvitals_"))
    #expect(own.text.hasPrefix("# HELP ") && own.text.hasSuffix("\n"))
  }

  @Test func onlyTheTargetsProcessesAreRead() throws {
    let tree = try tree(7, 8)
    let watch = try Watch(tree, [named(7), named(8)])
    _ = watch.collect()
    tree.turn(to: 8)
    try tree.file("stat", "x").file("io", "x")
    tree.turn(to: 7)
    try tree.file("stat", cpu(7, 300))
    #expect(try page(watch, "t7")["process_cpu_seconds_total"] == 3)
    let all = watch.collect()
    #expect(all[#"procvitals_unreadable_total{target="t8",source="stat",reason="malformed"}"#] == 1)
    #expect(all.value("process_cpu_seconds_total", "t8") == 1)
  }

  /// A trouble is told when it begins and when it ends, whoever else is looked at in between.
  @Test func noticesOfOthersWait() throws {
    let tree = try tree(7, 8)
    let watch = try Watch(tree, [named(7), named(8)])
    func notices(_ wish: Wish) -> [Collector.Notice] {
      watch.collector.collect(OwnState(version: "0.0.0"), [wish]).notices
    }
    let (first, other) = (Wish.probe(probe("t7")), Wish.probe(probe("t8")))
    // That there are processes is known in any case.
    #expect(
      notices(first) == [
        .up(target: "t7", pid: 7, processes: 1), .up(target: "t8", pid: 8, processes: 1),
      ])
    tree.turn(to: 8)
    try tree.file("io", "x")
    #expect(notices(first).isEmpty)
    #expect(notices(other).count == 1)
    for wish in [first, other, first, .page()] { #expect(notices(wish).isEmpty) }
    try tree.file("io", testIO(1))
    #expect(notices(first).isEmpty)
    #expect(notices(other) == [.recovered(target: "t8", source: "io", reason: "malformed")])
    try tree.process(9, name: "p8")
    #expect(
      notices(first) == [.changed(target: "t8", processes: 2, started: 1, left: 0)])
    #expect(notices(other).isEmpty && notices(.page()).isEmpty)
  }

  @Test func countersGoOnWhateverIsLookedAt() throws {
    let tree = try tree(7, 8)
    let watch = try Watch(tree, [named(7), named(8)])
    var last: [String: [String: Double]] = [:]
    for round in UInt64(1)...20 {
      for pid in [7, 8] as [Int32] {
        tree.turn(to: pid)
        // One ends and is another one from then on.
        if pid == 8, round == 10 { try tree.removeProcess(8).process(8, name: "p8") }
        var stat = TestStat(pid: pid, name: "p\(pid)")
        stat.userTicks = pid == 8 && round >= 10 ? round - 10 : 100 * round
        stat.startTicks = pid == 8 && round >= 10 ? 500 : 100
        try tree.file("stat", stat.line)
      }
      let name = round % 3 == 0 ? "t7" : "t8"
      let counters = try page(watch, name).counters
      for (series, before) in last[name] ?? [:] {
        #expect(try #require(counters[series], "\(series)") >= before, "\(series), round \(round)")
      }
      last[name] = counters
    }
    #expect(try page(watch, "t8")["process_starts_total"] == 2)
    #expect(try page(watch, "t8")["process_cpu_seconds_total"] == 8.1)
    #expect(watch.collect().value("process_cpu_seconds_total", "t7") == 20)
  }

  @Test func whatIsAnsweredWithoutAPage() throws {
    let tree = try tree(7, 8)
    func replica(_ pid: Int32, _ role: String) -> TargetSettings {
      target("db", named: "p\(pid)", labels: [Label("role", role)])
    }
    let watch = try Watch(tree, [named(9), replica(7, "main"), replica(8, "copy")])
    #expect(try answer(watch, probe("t9")) == .down)
    #expect(try answer(watch, probe("t1")) == .unknown)
    #expect(try answer(watch, probe("db")) == .ambiguous(["role"]))
    #expect(try answer(watch, probe("db", ["role": "x"])) == .unknown)
    guard let main = try answer(watch, probe("db", ["role": "main"])).page else {
      Issue.record("no page")
      return
    }
    #expect(Page(main)["process_cpu_seconds_total"] == 1)
    // Who asks for one that is not there is told which there are.
    let wishes: Set<Wish> = [.probe(probe("t1")), .probe(probe("t9"))]
    let outcome = watch.collector.collect(OwnState(version: "0.0.0"), wishes)
    #expect(outcome.targets.map(\.name) == ["db", "db", "t9"])
    #expect(outcome.probes == [probe("t1"): .unknown, probe("t9"): .down])
    // A process that appears is found by a collection that looks at others.
    try tree.process(9, name: "p9")
    _ = try answer(watch, probe("t1"))
    #expect(try page(watch, "t9")["process_starts_total"] == 1)
  }

  /// Several wishes share a collection, and each gets what it would get alone.
  @Test func severalWishesAtOnce() throws {
    let tree = try tree(7, 8)
    let watch = try Watch(tree, [named(7), named(8)])
    let outcome = watch.collector.collect(
      OwnState(version: "0.0.0"),
      [.page(), .details, .list(), .probe(probe("t7")), .probe(probe("t8"))])
    #expect(Page(outcome.page).value("procvitals_target_up", "t8") == 1)
    #expect(outcome.probes.count == 2 && outcome.targets.map(\.name) == ["t7", "t8"])
    #expect(outcome.details.map(\.processes).map { $0.map(\.pid) } == [[7], [8]])
    #expect(outcome.health?.status == .ok)
    let list = watch.collector.collect(OwnState(version: "0.0.0"), [.list()])
    #expect(list.targets == outcome.targets && list.page.isEmpty && list.health == nil)
  }

  /// What a large process' memory is takes until after the collection, in which others are looked at.
  @Test func whatComesLaterIsThereTheNextTime() throws {
    let tree = try tree(7, 8)
    for pid in [7, 8] as [Int32] {
      tree.turn(to: pid)
      var stat = TestStat(pid: pid, name: "p\(pid)")
      stat.residentPages = 600 << 8
      try tree.file("stat", stat.line).file("smaps_rollup", testSmapsRollup(proportional: 1 << 10))
    }
    let pss = Selection(includesDefault: false, groups: [.pss])
    let watch = try Watch(tree, [named(7, collect: pss), named(8, collect: pss)])
    func seen() throws -> [Double?] {
      try ["t7", "t8"].map { try page(watch, $0)["process_proportional_memory_bytes"] }
    }
    let both = [Double(1 << 20), Double(1 << 20)]
    #expect(try eventually { try seen() == both })
    // From then on it is known.
    for _ in 0..<20 { #expect(try seen() == both) }
  }

  @Test func leftOutSeriesAreTroubleAsLongAsTheyAre() throws {
    let tree = try tree(7, 8)
    let watch = try Watch(
      tree.path, [named(7), named(8)],
      limits: CollectorLimits(keptDescriptors: 0, seriesPerTarget: 5))
    func notices(_ wish: Wish) -> Int {
      watch.collector.collect(OwnState(version: "0.0.0"), [wish]).notices.count {
        if case .trouble(_, "series", _, _) = $0 { true } else { false }
      }
    }
    #expect(notices(.probe(probe("t7"))) == 1)
    #expect(notices(.page()) == 1)
    #expect(notices(.probe(probe("t7"))) == 0 && notices(.details) == 0 && notices(.page()) == 0)
    #expect(try page(watch, "t7").samples.count == 5)
  }

  @Test func detailsOfATarget() throws {
    let tree = try tree(7)
    try tree.file("io", "x")
    let watch = try Watch(tree, [named(7, collect: Selection(groups: [.fds]))])
    let details = try #require(
      watch.collector.collect(OwnState(version: "0.0.0"), [.details]).details.first)
    #expect(
      details.processes == [
        .init(pid: 7, startSeconds: 1_700_000_001, name: "p7", isInherited: false)
      ])
    #expect(details.processCount == 1 && details.starts == 1 && details.restarts == 0)
    let on = Set(Catalogue.enabled(Selection()).map { Catalogue.process[$0].group })
    #expect(on.isSubset(of: details.groups) && details.groups.contains(.fds))
    #expect(!details.groups.contains(.threads))
    let failure = try #require(details.failures.first)
    #expect(failure.trouble == Trouble(.file(.io), .malformed))
    #expect(failure.count == 1 && failure.isStanding)
    let samples = Page(watch.outcome().page).samples.keys.filter { !$0.hasPrefix("procvitals_") }
    #expect(details.series == samples.count)
  }
}

@Suite struct QuickCollectionTests {
  /// The kernel counts a kill at once, and the process is gone only some time later: collections of
  /// others in between do not make it anybody else's end.
  @Test(arguments: [true, false])
  func aKillIsExplainedAfterManyCollections(isKill: Bool) throws {
    let tree = try TestProc().process(7)
    let waiter = try Waiter()
    defer { waiter.stop() }
    let roster = try Roster(
      root: try ProcRoot(path: tree.path, facts: facts), loop: try EventLoop(), waiter: waiter,
      limits: Roster.Limits(keptDescriptors: 0, processesPerTarget: 10))
    roster.setRules(
      [Rule(name: "app", selector: Selector(pid: 7))],
      Roster.Limits(keptDescriptors: 0, processesPerTarget: 10))
    roster.refresh()
    let target = try #require(roster.targets.first)
    let member = try #require(target.members.first)
    let kills = OOMKills()
    for _ in 0..<3 { kills.begin(5, looksAtAll: true) }
    for _ in 0..<50 { kills.begin(isKill ? 6 : 5, looksAtAll: false) }
    kills.leave(member, target)
    let reader = CgroupReader(CgroupTree(path: tree.cgroupPath))
    let killed = kills.ended(
      member.identity, Exit(.signalled(signal: 9, coreDumped: false)), reader
    ) { isKill ? 6 : 5 }
    #expect(killed.count == (isKill ? 1 : 0))
  }
}
