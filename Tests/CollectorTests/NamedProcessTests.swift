import Metrics
import Targets
import TestSupport
import Testing

@testable import Collector

/// The families of process-exporter, which are other names for samples of the catalogue.
@Suite struct NamedProcessTests {
  private static let rows = Catalogue.namedprocess

  private struct Source {
    var kind: Kind
    var labels: Int
    var grain: Grain
    var over: Combination
    var files: Int
  }

  private static let sources: [String: Source] = {
    var sources: [String: Source] = [:]
    for row in Catalogue.process {
      sources[row.family.name] = Source(
        kind: row.family.kind, labels: 0, grain: row.grain, over: row.over,
        files: row.sources.count)
    }
    for row in Catalogue.target {
      sources[row.family.name] = Source(
        kind: row.family.kind, labels: row.family.labels.count, grain: row.grain, over: row.over,
        files: row.sources.count)
    }
    return sources
  }()

  @Test(arguments: rows.map(\.family.name))
  func everySourceExistsAndFits(name: String) throws {
    let row = try #require(Self.rows.first { $0.family.name == name })
    #expect(!row.parts.isEmpty)
    var grains: Set<String> = []
    for part in row.parts {
      let source = try #require(Self.sources[part.source], "\(part.source)")
      #expect(source.kind == row.family.kind)
      grains.insert("\(source.grain)")
      let values: [String]?
      switch part.place {
      case .fixed(let fixed):
        #expect(source.labels == 0)
        values = fixed
      case .each(let place):
        let isState = name.hasSuffix("_states")
        values = place(isState ? ["running"] : Array(repeating: "stat", count: source.labels))
        // Samples that fall together are added up.
        #expect(source.over == .sum)
      }
      if name != "namedprocess_scrape_partial_errors", name != "namedprocess_scrape_errors" {
        #expect(values?.count == row.family.labels.count - (row.isAboutGroups ? 1 : 0))
      }
    }
    #expect(grains.count == 1)
    #expect(row.isAboutGroups == name.hasPrefix("namedprocess_namegroup_"))
  }

  /// As process-exporter 0.8.7 has them.
  @Test func namesTypesAndLabels() {
    let thread = ["groupname", "threadname"]
    let expected: [String: (Kind, [String])] = [
      "context_switches_total": (.counter, ["groupname", "ctxswitchtype"]),
      "cpu_seconds_total": (.counter, ["groupname", "mode"]),
      "major_page_faults_total": (.counter, ["groupname"]),
      "memory_bytes": (.gauge, ["groupname", "memtype"]),
      "minor_page_faults_total": (.counter, ["groupname"]),
      "num_procs": (.gauge, ["groupname"]), "num_threads": (.gauge, ["groupname"]),
      "oldest_start_time_seconds": (.gauge, ["groupname"]),
      "open_filedesc": (.gauge, ["groupname"]), "read_bytes_total": (.counter, ["groupname"]),
      "states": (.gauge, ["groupname", "state"]),
      "thread_context_switches_total": (.counter, thread + ["ctxswitchtype"]),
      "thread_count": (.gauge, thread),
      "thread_cpu_seconds_total": (.counter, thread + ["mode"]),
      "thread_io_bytes_total": (.counter, thread + ["iomode"]),
      "thread_major_page_faults_total": (.counter, thread),
      "thread_minor_page_faults_total": (.counter, thread),
      "threads_wchan": (.gauge, ["groupname", "wchan"]),
      "worst_fd_ratio": (.gauge, ["groupname"]), "write_bytes_total": (.counter, ["groupname"]),
    ]
    let groups = Self.rows.filter(\.isAboutGroups).map(\.family)
    #expect(
      groups.map(\.name) == expected.keys.sorted().map { "namedprocess_namegroup_" + $0 })
    for family in groups {
      let (kind, labels) = expected[String(family.name.dropFirst(23))] ?? (.gauge, [])
      #expect(family.kind == kind && family.labels == labels, "\(family.name)")
    }
    let own = Self.rows.filter { !$0.isAboutGroups }.map(\.family)
    #expect(
      own.map(\.name)
        == ["errors", "partial_errors", "procread_errors"].map {
          "namedprocess_scrape_" + $0
        })
    for family in own { #expect(family.kind == .counter && family.labels.isEmpty) }
  }

  @Test func onlyWhatIsNeededIsSwitchedOn() {
    let all = Catalogue.sources(ofNamedProcess: true)
    #expect(all.isSuperset(of: ["process_thread_count", "process_proportional_memory_bytes"]))
    let some = Catalogue.sources(ofNamedProcess: false, proportional: false)
    #expect(some.isSubset(of: all))
    #expect(
      all.subtracting(some) == [
        "process_proportional_memory_bytes", "process_proportional_swap_bytes",
        "process_thread_context_switches_total", "process_thread_count",
        "process_thread_cpu_seconds_total", "process_thread_io_storage_bytes_total",
        "process_thread_major_page_faults_total", "process_thread_minor_page_faults_total",
      ])
    let selection = Selection(includesDefault: false, families: some)
    #expect(Catalogue.surveys(.task, selection) && !Catalogue.surveys(.smapsRollup, selection))
    #expect(!Catalogue.surveys(.cgroupFiles, selection))
    #expect(!Catalogue.wanted(selection).files.contains(.oomScore))
  }

  private func pages(
    _ fixture: String, _ targets: [TargetSettings], names: Names = .namedprocess
  ) throws -> (named: Page, own: Page) {
    let tree = try TestProc(fixture: fixture)
    let watch = try Watch(tree, targets)
    watch.collector.configure(
      CollectorSettings(
        targets: targets, limits: CollectorLimits(keptDescriptors: 0), names: names))
    let pages = watch.collector.collect(
      OwnState(version: "1.2"), Set(Names.allCases.map { Wish.page(Form(names: $0)) })
    ).pages
    return (Page(pages[Form(names: .namedprocess)] ?? []), Page(pages[Form(names: .process)] ?? []))
  }

  /// Every sample of the one page is one of the other.
  @Test func samplesAreThoseOfTheOtherPage() throws {
    let (named, own) = try pages("threads", [target("app", pid: 2684)])
    func expectSame(_ name: String, _ labels: String, _ other: String) {
      let value = own[other]
      #expect(value != nil, "\(other)")
      #expect(
        named["namedprocess_namegroup_\(name){groupname=\"app\"\(labels)}"] == value, "\(name)")
    }
    for (mode, name) in [("user", "user"), ("system", "system")] {
      expectSame(
        "cpu_seconds_total", ",mode=\"\(mode)\"",
        "process_cpu_\(name)_seconds_total{target=\"app\"}")
    }
    for (type, name) in [("voluntary", "voluntary"), ("nonvoluntary", "involuntary")] {
      expectSame(
        "context_switches_total", ",ctxswitchtype=\"\(type)\"",
        "process_context_switches_\(name)_total{target=\"app\"}")
    }
    for (type, name) in [
      ("resident", "resident_memory"), ("virtual", "virtual_memory"), ("swapped", "swap"),
    ] {
      expectSame(
        "memory_bytes", ",memtype=\"\(type)\"", "process_\(name)_bytes{target=\"app\"}")
    }
    expectSame("num_procs", "", "procvitals_target_processes{target=\"app\"}")
    expectSame("num_threads", "", "process_threads{target=\"app\"}")
    for (state, name) in [("Running", "running"), ("Sleeping", "sleeping"), ("Zombie", "zombie")] {
      expectSame(
        "states", ",state=\"\(state)\"",
        "process_thread_states{target=\"app\",state=\"\(name)\"}")
    }
    let states = named.samples.filter { $0.key.hasPrefix("namedprocess_namegroup_states{") }
    #expect(states.count == 5)
    #expect(
      states.values.reduce(0, +) == named["namedprocess_namegroup_num_threads{groupname=\"app\"}"])
    #expect(!named.text.contains("\nprocess_thread") && !own.text.contains("namedprocess"))
    #expect(named["procvitals_target_up{target=\"app\"}"] == 1)
    #expect(named["namedprocess_scrape_errors"] == 0)
    let info = named.samples.keys.filter { $0.hasPrefix("process_exporter_build_info{") }
    #expect(info.count == 1 && info.allSatisfy { $0.hasSuffix(",version=\"1.2\"}") })
  }

  /// Numbers in the names of threads stay where process-exporter's names are the standard.
  @Test func threadNames() throws {
    let folded = try pages("thread-names", [target("app", pid: 2831)], names: .process).own
    let (named, own) = try pages("thread-names", [target("app", pid: 2831)])
    func names(_ page: Page, _ family: String) -> Set<String> {
      Set(
        page.samples.keys.filter { $0.hasPrefix(family + "{") }.map {
          String($0.split(separator: "\"").dropFirst(3).first ?? "")
        })
    }
    let whole = names(named, "namedprocess_namegroup_thread_count")
    #expect(whole == names(own, "process_thread_count"))
    #expect(whole.contains { $0.contains { $0.isNumber } })
    #expect(!names(folded, "process_thread_count").contains { $0.contains { $0.isNumber } })
  }

  @Test func aGroupWithoutProcesses() throws {
    let named = try pages("one", [target("none", named: "nothing-like-it")]).named
    let samples = named.samples.filter { $0.key.hasPrefix("namedprocess_namegroup") }
    #expect(samples == ["namedprocess_namegroup_num_procs{groupname=\"none\"}": 0])
  }

  /// What could not be read is counted under the names that it has there.
  @Test func failedReads() throws {
    let tree = try TestProc(fixture: "no-io")
    let samples = try asNobody { [path = tree.path] in
      let targets = [target("denied", pid: 7)]
      let watch = try Watch(path, targets)
      watch.collector.configure(CollectorSettings(targets: targets, names: .namedprocess))
      return Page(watch.outcome().page).samples
    }
    let unreadable = samples.filter { $0.key.hasPrefix("procvitals_unreadable_total{") }
    #expect(!unreadable.isEmpty)
    #expect(samples["namedprocess_scrape_partial_errors"] == unreadable.values.reduce(0, +))
    #expect(samples["namedprocess_scrape_procread_errors"] == 0)
    #expect(samples["namedprocess_namegroup_read_bytes_total{groupname=\"denied\"}"] == nil)
  }

  /// Targets that differ in labels only are one group.
  @Test func targetsOfOneNameAreOneGroup() throws {
    let targets = ["a", "b"].map { value in
      target("web", named: "web", labels: [Label("side", value)])
    }
    let (named, own) = try pages("workers", targets)
    let processes = own.samples.filter { $0.key.hasPrefix("procvitals_target_processes{") }
    #expect(processes.count == 2)
    #expect(
      named.samples.filter { $0.key.hasPrefix("namedprocess_namegroup_num_procs{") }
        == ["namedprocess_namegroup_num_procs{groupname=\"web\"}": processes.values.reduce(0, +)])
    let starts = own.samples.filter { $0.key.hasPrefix("process_start_time_seconds{") }
    #expect(
      named["namedprocess_namegroup_oldest_start_time_seconds{groupname=\"web\"}"]
        == starts.values.min())
  }

  @Test func helpIsOneSentenceWithItsSource() {
    for family in Self.rows.map(\.family) + Catalogue.processExporter.map(\.family) {
      #expect(
        family.help.wholeMatch(of: /[A-Z][^.]*(\/[^.]*)?\([^()]+\)\./) != nil, "\(family.help)")
      #expect(!family.help.contains { "\"\\|\n".contains($0) || !$0.isASCII })
    }
  }
}
