import Collector
import Config
import Foundation
import Linux
import TestSupport
import Testing

@testable import procvitals

/// process-exporter's command line.
@Suite struct ProcessExporterOptionsTests {
  @Test(
    arguments: [
      ([], []),
      (["-config.path", "x.yml"], ["--config.path=x.yml"]),
      (["-config.path=x.yml"], ["--config.path=x.yml"]),
      (["--config.path", "x.yml"], ["--config.path", "x.yml"]),
      (["-threads"], ["--threads=true"]), (["--threads"], ["--threads=true"]),
      (["-threads=false", "-children=0"], ["--threads=false", "--children=false"]),
      (["-threads=T", "x"], ["--threads=true", "x"]),
      (["-procfs", "/host/proc"], ["--path.procfs=/host/proc"]),
      (["--procfs=/host/proc"], ["--path.procfs=/host/proc"]),
      (["-debug"], ["--log.level=debug"]), (["-debug=false"], []),
      (["-version"], ["--version"]), (["-man"], ["--help"]), (["-help"], ["--help"]),
      (["-procnames", "-x"], ["--procnames=-x"]), (["-procnames="], ["--procnames="]),
      (["-namemapping", "a,(b=c)"], ["--namemapping=a,(b=c)"]),
      (
        ["-recheck", "-recheck-with-time-limit=10s"],
        ["--recheck=true", "--recheck-with-time-limit=10s"]
      ),
      (["-web.listen-address", ":1"], ["--web.listen-address=:1"]),
      (["-web.config.file="], ["--web.config.file="]),
      (["-web.config.file", "x.yml"], ["--web.config.file=x.yml"]),
      // What is ours stays as it is.
      (
        ["check", "--target=a=pid:1", "-h", "-x", "-"],
        ["check", "--target=a=pid:1", "-h", "-x", "-"]
      ),
      (["--web.listen-address", ":1"], ["--web.listen-address", ":1"]),
      (["--", "-threads"], ["--", "-threads"]), (["---threads"], ["---threads"]),
    ] as [([String], [String])])
  func translations(arguments: [String], expected: [String]) throws {
    #expect(try ProcessExporterCommandLine.translated(arguments) == expected)
  }

  @Test(arguments: [
    (["-threads=maybe"], "-threads=maybe: expected true or false"),
    (["-procnames"], "-procnames: expected a value"),
    (
      ["-once-to-stdout-delay", "5s"],
      "-once-to-stdout-delay: use procvitals once, which needs no delay"
    ),
    (["-nosuch"], "-nosuch: there is no such option; see procvitals --help"),
    (["check", "-proc-names=a"], "-proc-names: there is no such option; did you mean -procnames?"),
    (["-log.levl", "x"], "-log.levl: there is no such option; did you mean --log.level?"),
    (["-config.file=x"], "-config.file: expected two dashes, --config.file"),
  ])
  func refusals(arguments: [String], expected: String) {
    let failure = #expect(throws: Failure.self) {
      try ProcessExporterCommandLine.translated(arguments)
    }
    #expect(failure?.description == expected && failure?.code == 2)
  }

  /// The options that the installed process-exporter says it has.
  @Test(
    .enabled(
      if: program("prometheus-process-exporter") != nil,
      "prometheus-process-exporter is not installed"))
  func everyOptionIsKnown() throws {
    let usage = try run("prometheus-process-exporter -help 2>&1").output
    let names = usage.split(separator: "\n").compactMap { line -> String? in
      line.hasPrefix("  -") ? line.dropFirst(3).split(separator: " ").first.map(String.init) : nil
    }
    #expect(names.count > 10)
    for name in names { #expect(ProcessExporterCommandLine.names.contains(name), "\(name)") }
  }

  private func serve(_ arguments: [String]) throws -> Serve {
    try #require(try parsed(ProcessExporterCommandLine.translated(arguments)))
  }

  @Test func optionsReachTheConfiguration() throws {
    let serve = try serve([
      "-procnames", "a,b", "-namemapping", "b,(x)", "-children=false", "-threads=false",
      "-gather-smaps=false", "-remove-empty-groups", "-recheck",
    ])
    let configuration = try serve.source.settings(serve.source.configurationFile, ownPid: 1)
    #expect(configuration.isProcessExporter)
    let rules = configuration.collector.targets.map(\.rule)
    #expect(rules.map(\.name.description).sorted() == ["a", "b:${group_1}"])
    #expect(rules.allSatisfy { !$0.includesChildren && $0.forgetAfter == .zero })
    #expect(
      configuration.collector.targets.first?.selection.families
        == Catalogue.sources(ofNamedProcess: false, proportional: false))
    #expect(serve.source.processExporter.ineffective.map(\.option) == ["--recheck"])
    #expect(try serve.web.addresses(likeProcessExporter: true) == [.any(port: 9256)])
    let given = try self.serve(["-web.listen-address", ":1"])
    #expect(try given.web.addresses(likeProcessExporter: true) == [.any(port: 1)])
  }

  @Test func namesAndAFileAtOnce() throws {
    let serve = try serve(["-procnames", "a", "-config.path", "/nonexistent"])
    let failure = #expect(throws: Failure.self) {
      try serve.source.settings(serve.source.configurationFile, ownPid: 1)
    }
    #expect(failure?.description.contains("either them or --config.file") == true)
  }
}
