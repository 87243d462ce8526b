import Glibc
import Metrics
import TestSupport
import Testing

@testable import Collector

/// Whole pages over recorded trees, compared with `Tests/Golden/NAME.prom`, and some of them in
/// other formats.
@Suite struct GoldenTests {
  struct Scenario: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// The targets, given the path of the tree.
    var targets: @Sendable (String) -> [TargetSettings]

    init(_ name: String, _ targets: @escaping @Sendable (String) -> [TargetSettings]) {
      testDescription = name
      self.targets = targets
    }
  }

  /// What the files of a process look like on a release of the kernel.
  private static func kernel(_ release: String) -> Scenario {
    Scenario("linux-\(release)") { _ in [target("app", pid: 7)] }
  }

  static let scenarios = [
    Scenario("one") { _ in [target("app", pid: 2683, labels: [Label("team", "a \"b\" \\ c\nd")])] },
    Scenario("workers") { _ in
      [target("web", named: "web"), target("none", named: "nothing-like-it")]
    },
    Scenario("children") { path in
      [
        target("server", pidFile: "\(path)/run/server.pid", children: true),
        target("helper", named: "helper"),
        target("lost", pidFile: "\(path)/run/lost.pid"),
      ]
    },
    Scenario("no-io") { _ in [target("denied", pid: 7), target("missing", pid: 8)] },
    Scenario("kernel-thread") { _ in [target("kthreadd", pid: 2)] },
    Scenario("zombie") { _ in [target("app", pid: 7321)] },
    Scenario("old-kernel") { _ in [target("app", pid: 7)] },
    Scenario("cgroup-v2") { _ in
      [target("app", named: "app")]
        + [("top", 9), ("removed", 10), ("outside", 11), ("denied", 12)].map {
          target($0.0, pid: $0.1)
        }
    },
    Scenario("cgroup-v1") { _ in
      [target("app", named: "app"), target("nested", named: "nested"), target("top", pid: 11)]
    },
    Scenario("cgroup-hybrid") { _ in [target("app", pid: 7)] },
    Scenario("threads") { _ in [target("app", pid: 2684)] },
    Scenario("thread-names") { _ in [target("app", pid: 2831)] },
    Scenario("hidden") { _ in [target("hidden", pid: 7), target("shown", named: "app")] },
    Scenario("odd-names") { _ in
      [
        target("parentheses", named: ") ("), target("fields", named: "a) R 1 (b"),
        target("line", named: "a\nb) S"), target("bytes", pid: 10), target("empty", pid: 11),
      ]
    },
    kernel("3.10"), kernel("4.18"), kernel("5.4"), kernel("5.15"), kernel("6.1"), kernel("6.12"),
  ]

  /// The trees whose pages are compared in all formats.
  static let severalFormats = ["one", "children", "cgroup-v2", "odd-names"]
  /// The endings of golden files, and what is in them.
  static let formats: [(ending: String, format: Format)] = [
    ("prom", .text), ("openmetrics", .openMetrics1), ("protobuf", .protobuf),
  ]

  /// Made with the rights of nobody: root may read what a tree forbids.
  private func page(_ scenario: Scenario, _ format: Format = .text) throws -> String {
    let tree = try TestProc(fixture: scenario.testDescription)
    var page = ""
    _ = try eventually {
      page = try asNobody { [path = tree.path] in
        let watch = try Watch(path, scenario.targets(path))
        watch.collector.clock = { 1_760_000_000 }
        let form = Form(format: format)
        let bytes = watch.collector.collect(testState, [.page(form)]).pages[form] ?? []
        return try Page(format == .protobuf ? listing(readProtobuf(bytes)) : bytes).golden
      }
      // A machine that is busy enough lets a pid file or another read be late.
      return !page.contains("reason=\"late\"")
    }
    return page
  }

  @Test(arguments: scenarios)
  func pageIsAsRecorded(scenario: Scenario) throws {
    let golden = "Tests/Golden/\(scenario.testDescription).prom"
    if let problem = difference(try page(scenario), fromGolden: golden) {
      Issue.record("\(problem)")
    }
  }

  @Test(
    .enabled(if: program("promtool") != nil, "promtool is not installed"), arguments: scenarios)
  func promtoolAcceptsThePage(scenario: Scenario) throws {
    let golden = try contents("Tests/Golden/\(scenario.testDescription).prom")
    let (code, output) = try run("promtool check metrics", input: golden)
    // The name is that of other exporters; promtool reserves the suffix for histograms.
    let known =
      "process_thread_count non-histogram and non-summary metrics should not have \"_count\" suffix"
    let problems = output.split(separator: "\n").filter { $0 != known }
    #expect(problems.isEmpty && (code == 0 || code == 3), "\(output)")
  }

  @Test(arguments: severalFormats, formats.dropFirst().map(\.ending))
  func otherFormatsAreAsRecorded(name: String, ending: String) throws {
    let scenario = try #require(Self.scenarios.first { $0.testDescription == name })
    let format = try #require(Self.formats.first { $0.ending == ending }).format
    let text = try page(scenario, format)
    if let problem = difference(text, fromGolden: "Tests/Golden/\(name).\(ending)") {
      Issue.record("\(problem)")
    }
  }

  @Test func everyFixtureAndEveryGoldenFileIsUsed() throws {
    let names = Self.scenarios.map(\.testDescription)
    let others = Self.severalFormats.flatMap { name in
      Self.formats.dropFirst().map { "\(name).\($0.ending)" }
    }
    for (directory, expected) in [
      ("Fixtures", names.map { $0 + ".tree" }), ("Golden", names.map { $0 + ".prom" } + others),
    ] {
      // Those of `inspect` are no pages.
      let list = try run("ls '\(projectDirectory)Tests/\(directory)' | grep -v ^inspect").output
      #expect(Set(list.split(separator: "\n").map(String.init)) == Set(expected))
    }
  }
}

/// Families as lines, for what is not text by itself.
private func listing(_ families: [ReadFamily]) -> [UInt8] {
  var text = ""
  for family in families {
    text += "# \(family.name) \(family.type) \"\(family.unit)\" \(family.help)\n"
    for sample in family.samples {
      let labels = sample.labels.map { "\($0.name)=\($0.value.debugDescription)" }
      text += family.name
      if !labels.isEmpty { text += "{\(labels.joined(separator: ","))}" }
      text += sample.created.map { " since \($0)" } ?? ""
      text += " \(sample.value)\n"
    }
  }
  return Array(text.utf8)
}
