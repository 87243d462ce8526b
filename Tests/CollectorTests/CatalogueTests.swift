import Metrics
import ProcFS
import Testing

@testable import Collector

/// What every row of the catalogue must keep to.
@Suite struct CatalogueTests {
  /// A row without the types of what it is taken from.
  struct Entry: Sendable, CustomTestStringConvertible {
    let family: Family
    let over: Combination
    let grain: Grain
    var testDescription: String { family.name }
    var words: [String] { family.name.split(separator: "_").map(String.init) }

    init<Value, Group, Source>(_ row: Row<Value, Group, Source>) {
      family = row.family
      over = row.over
      grain = row.grain
    }
  }

  static let lists = [
    Catalogue.process.map(Entry.init), Catalogue.target.map(Entry.init),
    Catalogue.exporter.map(Entry.init),
  ]
  static let entries = lists.flatMap { $0 }

  @Test func listsAreSortedByName() {
    for list in [Self.lists[0], Self.lists[2]] + Catalogue.subjects.map({ $0.map(Entry.init) }) {
      let names = list.map(\.family.name)
      #expect(!names.isEmpty)
      for (before, after) in zip(names, names.dropFirst()) { #expect(before < after) }
    }
  }

  @Test func namesAreUnique() {
    let names = Self.entries.map(\.family.name)
    #expect(Set(names).count == names.count)
  }

  @Test(arguments: entries)
  func nameIsLegalAndSaysWhoseItIs(entry: Entry) {
    #expect(entry.family.name.wholeMatch(of: /(process|procvitals|go)(_[a-z]+)+/) != nil)
  }

  /// Others have named it.
  @Test(arguments: entries.filter { $0.family.name != "go_memstats_gc_duration_seconds" })
  func countersAndOnlyCountersEndInTotal(entry: Entry) {
    #expect((entry.family.kind == .counter) == (entry.words.last == "total"))
  }

  @Test(arguments: entries)
  func unitIsTheLastWord(entry: Entry) {
    let last = entry.words.last { $0 != "total" }
    let unit = entry.family.unit
    if unit == .none {
      #expect(!Unit.allCases.contains { $0 != .none && $0.rawValue == last })
    } else {
      #expect(last == unit.rawValue)
    }
  }

  @Test(arguments: entries)
  func nameHoldsNoTypeAndNoLabel(entry: Entry) {
    let forbidden = Kind.allCases.map(\.rawValue) + ["histogram", "summary"] + entry.family.labels
    // What is about a thread is called so, and the label tells which one, as `pid` would; so is what
    // is about a threshold.
    let isAboutOne = [["process", "thread"], ["procvitals", "threshold"]]
      .contains { entry.words.starts(with: $0) }
    let words = entry.words[(isAboutOne ? 2 : 0)...]
    for word in forbidden { #expect(!words.contains(word)) }
  }

  @Test(arguments: entries)
  func helpIsOneSentenceWithItsSource(entry: Entry) {
    let help = entry.family.help
    #expect(help.wholeMatch(of: /[A-Z][^.]*(\/[^.]*)?\([^()]+\)\./) != nil, "\(help)")
    #expect(!help.contains(". "))
    // The JSON form writes it as it is, and so does the table.
    #expect(!help.contains { "\"\\|\n".contains($0) || !$0.isASCII })
  }

  @Test(arguments: entries)
  func labelNamesAreLegalAndNotThoseOfTargets(entry: Entry) {
    let labels = entry.family.labels
    #expect(labels.allSatisfy(Label.isLegalName))
    #expect(Set(labels).count == labels.count)
    #expect(!labels.contains { ["target", "job", "instance", "le", "quantile"].contains($0) })
  }

  /// A counter is a sum, else one could fall; ticks become seconds.
  @Test(arguments: entries)
  func combinationsFit(entry: Entry) {
    if entry.family.kind == .counter { #expect(entry.over == .sum) }
    if entry.grain == .ticks { #expect(entry.family.unit == .seconds) }
    if entry.family.unit == .ratio { #expect(entry.over != .sum) }
  }

  // MARK: OpenTelemetry

  /// What has a name of OpenTelemetry's, and what it is.
  static let conventions =
    (entries.map(\.family) + Catalogue.conventional.map(\.family)).compactMap { family in
      family.convention.map { (family, $0) }
    } + Catalogue.olderGoNames.map { ($0.row.family, $0.convention) }

  @Test func conventionsFitTheirFamilies() {
    for (family, convention) in Self.conventions {
      let isLegal = convention.name.wholeMatch(of: /(process|go|runtime\.go)(\.[a-z_]+)+/) != nil
      #expect(isLegal, "\(convention.name)")
      let kinds: [Convention.Instrument: Kind] = [
        .sum: .counter, .upDownSum: .gauge, .gauge: .gauge, .age: .gauge, .summary: .summary,
        .histogram: .histogram,
      ]
      #expect(kinds[convention.instrument] == family.kind, "\(family.name)")
      #expect(family.labels.isEmpty, "\(family.name)")
      switch family.unit {
      case .bytes: #expect(convention.unit == "By", "\(family.name)")
      case .seconds:
        #expect(convention.unit == (convention.factor == 1 ? "s" : "ns"), "\(family.name)")
      default: #expect(!["s", "By"].contains(convention.unit), "\(family.name)")
      }
    }
  }

  @Test func familiesOfOneMetricAgree() {
    for (name, parts) in Dictionary(grouping: Self.conventions, by: \.1.name) {
      #expect(Set(parts.map(\.1.unit)).count == 1, "\(name)")
      #expect(Set(parts.map(\.1.instrument)).count == 1, "\(name)")
      #expect(Set(parts.map(\.1.attribute?.name)).count == 1, "\(name)")
      // Of several all have an attribute, each another one.
      #expect(Set(parts.map(\.1.attribute?.value)).count == parts.count, "\(name)")
      if parts.count > 1 { #expect(parts.allSatisfy { $0.1.attribute != nil }, "\(name)") }
    }
  }

  @Test func noMetricHasTheNameOfAFamily() {
    let names = Set(Self.entries.map(\.family.name))
    #expect(names.isDisjoint(with: Self.conventions.map(\.1.name)))
    #expect(names.isDisjoint(with: Catalogue.conventional.map(\.family.name)))
  }

  /// The figures of the older instrumentation, but those that nobody reads here.
  @Test func olderNamesAreComplete() {
    #expect(
      Set(Catalogue.olderGoNames.map(\.convention.name))
        == Set(
          [
            "mem.heap_alloc", "mem.heap_idle", "mem.heap_inuse", "mem.heap_objects",
            "mem.heap_released", "mem.heap_sys", "mem.live_objects", "gc.count", "gc.pause_ns",
            "gc.pause_total_ns", "goroutines",
          ].map { "runtime.go.\($0)" }))
  }

  @Test(arguments: Group.allCases)
  func everyGroupIsDocumentedAndHasFamilies(group: Group) {
    #expect(group.summary.wholeMatch(of: /[A-Z].*\./) != nil)
    let process = Catalogue.process.filter { $0.group == group }
    let target = Catalogue.target.filter { $0.group == group }
    #expect(process.count + target.count > 0)
    // The default set shows something of each group that belongs to it, and nothing of others.
    let isShown = process.contains(where: \.isDefault) || target.contains(where: \.isDefault)
    #expect(isShown == group.isDefault)
  }

  @Test func everyProcessRowNamesItsFiles() {
    for row in Catalogue.process { #expect(!row.sources.isEmpty, "\(row.family.name)") }
  }

  @Test func selectionDecidesRowsAndFiles() {
    func names(_ selection: Selection) -> [String] {
      Catalogue.enabled(selection).map { Catalogue.process[$0].family.name }
    }
    let io = Selection(includesDefault: false, groups: [.io])
    #expect(names(io).allSatisfy { $0.hasPrefix("process_io_") } && names(io).count == 7)
    #expect(Catalogue.wanted(io).files == SourceFiles([.io]))
    #expect(names(Selection(includesDefault: false)).isEmpty)
    #expect(Catalogue.wanted(Selection(includesDefault: false)).files == [])
    #expect(names(Selection()).count == Catalogue.process.count(where: \.isDefault))
    #expect(!names(Selection()).contains("process_text_bytes"))
    #expect(names(everything).count == Catalogue.process.count)
    let core = Catalogue.wanted(Selection(includesDefault: false, groups: [.core])).files
    #expect(core == SourceFiles([.stat, .status, .fd, .limits]))
  }
}
