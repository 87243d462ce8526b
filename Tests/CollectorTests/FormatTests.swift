import Metrics
import ProcFS
import TestSupport
import Testing

@testable import Collector

/// What every exposition format must keep to, over all families and over pages of recorded trees.
@Suite struct FormatTests {
  // MARK: The catalogue

  private static func families(_ names: Names) -> [Family] { Catalogue.families(names) }

  /// What a family of OpenMetrics is called, and all that its samples may be called.
  private static func reserved(_ family: Family) -> (name: String, samples: [String]) {
    guard family.kind == .counter, family.name.hasSuffix("_total"), family.name != clashing else {
      return (family.name, [family.name])
    }
    let name = String(family.name.dropLast("_total".count))
    return (name, [name, family.name, name + "_created"])
  }

  /// Go's client library has a gauge whose name OpenMetrics would give to this counter.
  private static let clashing = "go_memstats_alloc_bytes_total"

  /// A family must not be called as samples of another one may be, whatever its type.
  @Test(arguments: Names.allCases)
  func namesDoNotClash(names: Names) {
    var owners: [String: String] = [:]
    for family in Self.families(names) {
      for name in Self.reserved(family).samples {
        #expect(owners.updateValue(family.name, forKey: name) == nil, "\(name)")
      }
    }
    let suffixes = [
      "total", "created", "count", "sum", "bucket", "gcount", "gsum", "info",
    ]
    for family in Self.families(names) {
      for suffix in suffixes {
        let name = "\(Self.reserved(family).name)_\(suffix)"
        if name == Self.clashing { continue }
        #expect([nil, family.name].contains(owners[name]), "\(name)")
      }
    }
  }

  @Test(arguments: Names.allCases)
  func familiesAreSortedAndUnique(names: Names) {
    let list = Self.families(names).map(\.name)
    for (before, after) in zip(list, list.dropFirst()) { #expect(before < after) }
  }

  /// In OpenMetrics too, where the name of a counter has no `_total`.
  @Test(arguments: Names.allCases)
  func unitIsTheSuffix(names: Names) {
    for family in Self.families(names) where family.unit != .none && family.name != Self.clashing {
      #expect(Self.reserved(family).name.hasSuffix("_\(family.unit.rawValue)"), "\(family.name)")
      #expect(!family.name.hasSuffix("_info"))
    }
  }

  /// What promtool and OpenMetrics say about names; those of process-exporter are as they are.
  @Test(arguments: Names.allCases)
  func namesAndLabelsAreLegal(names: Names) {
    let reserved = ["le", "quantile"]
    for family in Self.families(names) {
      #expect(family.name.wholeMatch(of: /[a-z]+(_[a-z]+)+/) != nil, "\(family.name)")
      #expect(!family.help.isEmpty)
      #expect(!family.labels.contains(where: reserved.contains))
      #expect(family.labels.allSatisfy(Label.isLegalName))
      #expect(Set(family.labels).count == family.labels.count)
    }
  }

  /// Only they are of unknown type in OpenMetrics.
  @Test func countersOfAnotherName() {
    let odd = Names.allCases.flatMap(Self.families).filter {
      $0.kind == .counter && !$0.name.hasSuffix("_total")
    }
    #expect(
      odd.map(\.name) == [
        "go_memstats_gc_duration_seconds", "namedprocess_scrape_errors",
        "namedprocess_scrape_partial_errors",
        "namedprocess_scrape_procread_errors",
      ])
  }

  // MARK: Pages

  private static let forms = Names.allCases.flatMap { names in
    Format.allCases.map { Form(names: names, format: $0) }
  }

  private static func read(_ page: [UInt8], _ format: Format) throws -> [ReadFamily] {
    switch format {
    case .text, .text1, .json: try readText(page, isOpenMetrics: false)
    case .openMetrics0, .openMetrics1: try readText(page, isOpenMetrics: true)
    case .protobuf: try readProtobuf(page)
    }
  }

  private func outcome(
    _ scenario: GoldenTests.Scenario, _ wishes: Set<Wish>
  ) throws -> Collector.Outcome {
    let tree = try TestProc(fixture: scenario.testDescription)
    return try asNobody { [path = tree.path] in
      let targets = scenario.targets(path)
      let watch = try Watch(path, targets)
      var settings = CollectorSettings(
        targets: targets, limits: CollectorLimits(keptDescriptors: 0))
      settings.writesCreated = true
      watch.collector.configure(settings)
      return watch.collector.collect(testState, wishes)
    }
  }

  /// No series twice, no family twice, families in order, and the same in all formats.
  @Test(arguments: GoldenTests.scenarios)
  func allFormatsSayTheSame(scenario: GoldenTests.Scenario) throws {
    let pages = try outcome(scenario, Set(Self.forms.map { Wish.page($0) })).pages
    for names in Names.allCases {
      let text = try Self.read(pages[Form(names: names)] ?? [], .text)
      #expect(text.count > 10)
      #expect(text.map(\.name) == text.map(\.name).sorted())
      for family in text {
        let series = family.samples.map { "\($0.labels)" }
        #expect(!series.isEmpty && Set(series).count == series.count, "\(family.name)")
      }
      let protobuf = try Self.read(
        pages[Form(names: names, format: .protobuf)] ?? [], .protobuf)
      for format in [Format.text1, .openMetrics0, .openMetrics1, .protobuf] {
        let page = try Self.read(pages[Form(names: names, format: format)] ?? [], format)
        #expect(page.map(\.name) == text.map(\.name), "\(format)")
        for (own, other) in zip(page, text) {
          #expect(own.help == other.help)
          #expect(own.samples.map(\.labels) == other.samples.map(\.labels), "\(own.name)")
          #expect(own.samples.map(\.value) == other.samples.map(\.value), "\(own.name)")
        }
        // Counters tell since when they count wherever that has a place.
        for (own, other) in zip(page, protobuf) where format != .text1 && own.type == "counter" {
          #expect(own.samples.map(\.created) == other.samples.map(\.created), "\(own.name)")
          #expect(own.samples.allSatisfy { $0.created != nil }, "\(own.name)")
        }
        for (own, other) in zip(page, protobuf) where format != .text1 {
          #expect(own.unit == other.unit && (own.type == other.type || own.type == "unknown"))
        }
      }
    }
  }

  /// The page of one target is the same in all formats too.
  @Test func formatsOfAProbe() throws {
    let scenario = try #require(GoldenTests.scenarios.first { $0.testDescription == "one" })
    let probe = Probe(name: "app")
    let formats: [Format] = [.text, .openMetrics1, .protobuf]
    let answer = try outcome(
      scenario, Set(formats.map { Wish.probe(probe, Form(format: $0)) })
    ).probes[probe]
    guard case .pages(let pages)? = answer else {
      Issue.record("\(String(describing: answer))")
      return
    }
    let text = try Self.read(pages[Form()] ?? [], .text)
    #expect(text.count > 10 && text.allSatisfy { !$0.name.hasPrefix("procvitals_") })
    for format in formats {
      let page = try Self.read(pages[Form(format: format)] ?? [], format)
      #expect(page.map { $0.samples.map(\.value) } == text.map { $0.samples.map(\.value) })
      #expect(page.map(\.name) == text.map(\.name))
    }
  }

  // MARK: Filters

  @Test func filtersTakePartOfThePage() throws {
    let scenario = try #require(GoldenTests.scenarios.first { $0.testDescription == "one" })
    let name = "process_cpu_seconds_total"
    let filters = [
      Filter(families: [name, "nothing"]), Filter(groups: [.io, .cpu]),
      Filter(families: [name, "process_cpu_user_seconds_total"], groups: [.cpu]),
      Filter(families: []), Filter(groups: []),
    ]
    let whole = [Form(), Form(names: .namedprocess)]
    let forms = filters.flatMap { filter in
      Format.allCases.map { Form(format: $0, filter: filter) }
    }
    let named = Form(names: .namedprocess, filter: Filter(groups: [.cpu]))
    let pages = try outcome(
      scenario, Set((whole + forms + [named]).map { Wish.page($0) })
    ).pages
    let all = try Self.read(pages[Form()] ?? [], .text)
    func page(_ filter: Filter, _ format: Format = .text) throws -> [ReadFamily] {
      try Self.read(pages[Form(format: format, filter: filter)] ?? [], format)
    }
    #expect(try page(filters[0]) == all.filter { $0.name == name })
    #expect(try page(filters[0], .openMetrics1).map(\.name) == [name])
    #expect(try page(filters[0], .protobuf).map(\.name) == [name])
    let groups = Catalogue.process.filter { [.io, .cpu].contains($0.group) }.map(\.family.name)
    #expect(try page(filters[1]) == all.filter { groups.contains($0.name) })
    #expect(try page(filters[2]).map(\.name) == ["process_cpu_user_seconds_total"])
    #expect(try page(filters[3]).isEmpty && page(filters[4]).isEmpty)
    #expect(
      try Self.read(pages[named] ?? [], .text).map(\.name)
        == ["namedprocess_namegroup_cpu_seconds_total"])
  }

  // MARK: Since when counters count

  private static let now = 1_800_000_000.0

  /// By family, of a target.
  private func created(_ watch: Watch, _ names: Names = .process) throws -> [String: [Double?]] {
    let form = Form(names: names, format: .protobuf)
    let page = watch.collector.collect(testState, [.page(form)]).pages[form] ?? []
    var result: [String: [Double?]] = [:]
    for family in try readProtobuf(page) where family.type == "counter" {
      result[family.name] = family.samples.map(\.created)
    }
    return result
  }

  private func watch(
    _ tree: TestProc, _ targets: [TargetSettings], names: Names = .process
  ) throws -> Watch {
    let watch = try Watch(tree, targets)
    watch.collector.configure(
      CollectorSettings(
        targets: targets, limits: CollectorLimits(keptDescriptors: 0), names: names))
    watch.collector.clock = { Self.now }
    return watch
  }

  private func add(_ pid: Int32, startedAt seconds: UInt64, to tree: TestProc) throws {
    var stat = TestStat(pid: pid, name: "app")
    stat.startTicks = seconds * 100
    try tree.process(pid).file("stat", stat.line)
  }

  @Test func aTargetCountsSinceItsOldestProcessStarted() throws {
    let tree = try TestProc().cgroup("", ["cgroup.controllers": "cpu"])
      .cgroup("app", ["cpu.stat": "usage_usec 5"])
    try add(7, startedAt: 50, to: tree)
    try add(8, startedAt: 40, to: tree)
    let watch = try watch(tree, [target("app", named: "app")])
    let first = try created(watch)
    #expect(first["process_cpu_seconds_total"] == [1_700_000_040])
    #expect(first["process_starts_total"] == [1_700_000_040])
    // Control groups and network namespaces may have been there before.
    #expect(first["process_cgroup_cpu_seconds_total"] == [1_700_000_000])
    #expect(first["process_network_receive_bytes_total"] == [1_700_000_000])
    // What the exporter says about a target begins with it, about itself with itself.
    #expect(first["procvitals_series_dropped_total"] == [1_750_000_000])
    #expect(try created(watch) == first)

    // Counters go on, and so does the time: an older process, none at all, another one.
    watch.collector.clock = { Self.now + 1000 }
    try add(9, startedAt: 1, to: tree)
    let names = ["process_cpu_seconds_total", "process_starts_total"]
    for pids: [Int32] in [[], [7, 8], [9]] {
      for pid in pids { tree.removeProcess(pid) }
      let now = try created(watch)
      for name in names { #expect(now[name] == [1_700_000_040], "\(pids)") }
    }
    try add(10, startedAt: 500, to: tree)
    let last = try created(watch)
    for name in names { #expect(last[name] == [1_700_000_040]) }
    #expect(last["procvitals_series_dropped_total"] == [1_750_000_000])
  }

  /// It counts from nothing before there is a process, and a later start is no new beginning.
  @Test func aTargetWithoutProcessCountsSinceItIsKnown() throws {
    let tree = try TestProc()
    let watch = try watch(tree, [target("app", named: "app")])
    #expect(try created(watch)["process_starts_total"] == [Self.now])
    watch.collector.clock = { Self.now + 1000 }
    try add(7, startedAt: 50, to: tree)
    let later = try created(watch)
    #expect(later["process_starts_total"] == [Self.now])
    #expect(later["process_cpu_seconds_total"] == [Self.now])
  }

  /// By process-exporter's names a group goes on although a target of it vanishes.
  @Test func aGroupCountsSinceItsOldestTarget() throws {
    let tree = try TestProc()
    try add(7, startedAt: 50, to: tree)
    try add(8, startedAt: 40, to: tree)
    let targets = [
      target("app", pid: 7, labels: [Label("n", "1")]),
      target("app", pid: 8, labels: [Label("n", "2")]),
    ]
    let watch = try watch(tree, targets, names: .namedprocess)
    let name = "namedprocess_namegroup_major_page_faults_total"
    #expect(try created(watch, .namedprocess)[name] == [1_700_000_040])
    #expect(
      try created(watch, .namedprocess)["namedprocess_scrape_errors"] == [testState.startSeconds])
    watch.collector.configure(
      CollectorSettings(
        targets: [targets[0]], limits: CollectorLimits(keptDescriptors: 0), names: .namedprocess))
    #expect(try created(watch, .namedprocess)[name] == [1_700_000_040])
  }

  @Test func theExporterCountsSinceItStarted() throws {
    let watch = try watch(try TestProc(), [])
    var own = testState
    own.scrapes = [OwnState.Scrapes(format: "text", code: "200", count: 3)]
    let form = Form(format: .protobuf)
    let page = watch.collector.collect(own, [.page(form)]).pages[form] ?? []
    let scrapes = try readProtobuf(page).first { $0.name == "procvitals_scrapes_total" }
    #expect(scrapes?.samples.map(\.created) == [own.startSeconds])
  }

  /// Without the setting OpenMetrics has no further samples.
  @Test func createdSamplesAreOffByDefault() throws {
    let watch = try watch(try TestProc().process(7), [target("app", pid: 7)])
    let form = Form(format: .openMetrics1)
    let page = watch.collector.collect(testState, [.page(form)]).pages[form] ?? []
    #expect(!String(decoding: page, as: UTF8.self).contains("_created"))
  }
}
