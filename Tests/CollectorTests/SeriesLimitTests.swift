import Metrics
import TestSupport
import Testing

@testable import Collector

/// `limits.series_per_target`.
@Suite struct SeriesLimitTests {
  private func page(_ limit: Int, of tree: TestProc) throws -> (Page, [Collector.Notice]) {
    var limits = CollectorLimits(keptDescriptors: 0)
    limits.seriesPerTarget = limit
    let watch = try Watch(tree.path, [target("app", pid: 7)], limits: limits)
    return (watch.collect(), watch.notices)
  }

  private func series(_ page: Page) -> [String] {
    page.samples.keys.filter { $0.hasPrefix("process_") }
  }

  private func tree() throws -> TestProc {
    let tree = try TestProc().process(7)
    try tree.add("fd/0", .link("pipe:[1]")).add("fd/1", .link("socket:[2]"))
    return tree
  }

  @Test func thereIsRoomForEverythingByDefault() throws {
    let tree = try tree()
    let (page, _) = try page(CollectorLimits().seriesPerTarget, of: tree)
    #expect(page["process_fds{target=\"app\",kind=\"pipe\"}"] == 1)
    #expect(page.value("procvitals_series_dropped_total") == 0)
  }

  @Test(arguments: [1, 10, 20])
  func thereAreNeverMoreThanTheLimitAndTheRestIsCounted(limit: Int) throws {
    let tree = try tree()
    let all = series(try page(1_000_000, of: tree).0)
    let (page, notices) = try page(limit, of: tree)
    #expect(series(page).count == limit)
    #expect(page.value("procvitals_series_dropped_total") == Double(all.count - limit))
    #expect(page.value("procvitals_target_up") == 1)
    #expect(page["process_fds{target=\"app\",kind=\"pipe\"}"] == nil)
    #expect(
      notices.contains {
        if case .trouble("app", "series", "limit", _) = $0 { true } else { false }
      })
  }

  /// One sample has to go: it is one of those that have labels of their own.
  @Test func labelledSeriesGoFirst() throws {
    let tree = try tree()
    let all = series(try page(1_000_000, of: tree).0)
    let plain = all.count { !$0.contains(",") }
    let (page, _) = try page(plain + 1, of: tree)
    let left = Set(series(page))
    #expect(all.filter { !left.contains($0) }.allSatisfy { $0.contains(",") })
    #expect(left.count { $0.contains(",") } == 1)
  }

  @Test func droppedSamplesAddUp() throws {
    let tree = try tree()
    var limits = CollectorLimits(keptDescriptors: 0)
    limits.seriesPerTarget = 1
    let watch = try Watch(tree.path, [target("app", pid: 7)], limits: limits)
    let first = try #require(watch.collect().value("procvitals_series_dropped_total"))
    #expect(first > 0)
    #expect(watch.collect().value("procvitals_series_dropped_total") == 2 * first)
    // Told once.
    #expect(watch.notices.isEmpty)
  }

  /// Rows that are on and have no sample take no room.
  @Test func asManyAsThereAre() throws {
    let tree = try tree()
    tree.remove("io").remove("schedstat")
    let all = series(try page(1_000_000, of: tree).0)
    for (limit, dropped) in [(all.count, 0.0), (all.count - 1, 1)] {
      let (page, notices) = try page(limit, of: tree)
      #expect(page.value("procvitals_series_dropped_total") == dropped)
      let told = notices.filter {
        if case .trouble(_, "series", _, _) = $0 { true } else { false }
      }
      #expect(told.isEmpty == (dropped == 0), "\(told)")
    }
  }

  /// The trouble is that of the page of the settings, whatever other pages somebody asks for.
  @Test(arguments: Names.allCases)
  func otherPagesAreNotCounted(names: Names) throws {
    let tree = try tree()
    let targets = [target("app", pid: 7)]
    let watch = try Watch(tree, targets)
    func configure(_ limit: Int) {
      var limits = CollectorLimits(keptDescriptors: 0)
      limits.seriesPerTarget = limit
      watch.collector.configure(CollectorSettings(targets: targets, limits: limits, names: names))
    }
    configure(1_000_000)
    let counts = watch.collector.collect(
      OwnState(version: ""), Set(Names.allCases.map { Wish.page(Form(names: $0)) })
    )
    .pages.mapValues { bytes in
      Page(bytes).samples.keys.count {
        $0.hasPrefix("process_") && $0.contains("{target") || $0.contains("_namegroup_")
      }
    }
    let limit = try #require(counts[Form(names: names)]) - 1
    configure(limit)
    for round in 1...4 {
      var wishes: Set<Wish> = [.page(), .details]
      if round % 2 == 0 { wishes.formUnion(Names.allCases.map { Wish.page(Form(names: $0)) }) }
      let outcome = watch.collector.collect(OwnState(version: ""), wishes)
      #expect(
        Page(outcome.page).value("procvitals_series_dropped_total") == Double(round), "\(round)")
      #expect(outcome.details.map(\.series) == [limit])
      #expect(outcome.notices.count { "\($0)".contains("series") } == (round == 1 ? 1 : 0))
    }
  }

  /// Whoever asks for a part of the page only is told as well what there is no room for.
  @Test func filteredPagesAreCountedIfThereIsNoOther() throws {
    let tree = try tree()
    let targets = [target("app", pid: 7)]
    let watch = try Watch(tree, targets)
    var limits = CollectorLimits(keptDescriptors: 0)
    limits.seriesPerTarget = 1
    watch.collector.configure(CollectorSettings(targets: targets, limits: limits))
    let name = "procvitals_series_dropped_total"
    let part = Form(
      filter: Filter(families: ["process_virtual_memory_bytes", "process_threads", name]))
    let other = Form(names: .namedprocess)
    func dropped(_ forms: Form...) -> Double? {
      let pages = watch.collector.collect(testState, Set(forms.map { Wish.page($0) })).pages
      return Page(pages[forms[0]] ?? []).value(name)
    }
    let whole = try #require(dropped(Form()))
    #expect(whole > 1)
    let details = watch.collector.collect(testState, [.details]).details.map(\.series)
    #expect(details == [1])
    // The details wanted a whole page.
    #expect(dropped(part) == 2 * whole + 1)
    #expect(dropped(part) == 2 * whole + 2)
    #expect(dropped(part, Form()) == 3 * whole + 2)
    #expect(try #require(dropped(other)) > 3 * whole + 2)
  }

  /// Pages of one collection say the same, by whatever names, in whatever order they are written.
  @Test(arguments: Names.allCases)
  func everyPageTellsTheSameCount(names: Names) throws {
    let tree = try tree()
    let targets = [target("app", pid: 7)]
    let watch = try Watch(tree, targets)
    var limits = CollectorLimits(keptDescriptors: 0)
    limits.seriesPerTarget = 3
    watch.collector.configure(CollectorSettings(targets: targets, limits: limits, names: names))
    let filter = Filter(families: ["procvitals_series_dropped_total"])
    let forms = Names.allCases.flatMap { names in
      [Format.text, .text1].flatMap { format in
        [Filter(), filter].map { Form(names: names, format: format, filter: $0) }
      }
    }
    for _ in 0..<5 {
      let pages = watch.collector.collect(testState, Set(forms.map { Wish.page($0) })).pages
      let counts = forms.map {
        Page(pages[$0] ?? []).value("procvitals_series_dropped_total")
      }
      #expect(counts[0] != nil && Set(counts).count == 1, "\(counts)")
    }
  }
}
