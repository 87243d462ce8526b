import Collector
import Patterns
import Targets
import TestSupport
import Testing

@testable import Config

private func parse(
  _ text: String, _ flags: ProcessExporterFlags = ProcessExporterFlags()
) throws(ConfigError) -> Configuration {
  try Configuration.parse(text: Array(text.utf8), file: "f", flags)
}

private func rule(_ entry: String) throws -> Rule {
  let configuration = try parse("process_names:\n- \(entry)\n")
  return try #require(configuration.collector.targets.first).rule
}

/// A configuration of process-exporter, as its own program reads it.
@Suite struct ProcessExporterTests {
  @Test func whatAnEntryMeans() throws {
    let rule = try rule(
      #"{name: "{{.Comm}}", comm: [a*, b], exe: [nginx, /usr/bin/x], cmdline: ["-p (?P<Port>\\d+)"]}"#
    )
    #expect(rule.name == Template([.variable(.comm)]))
    var selector = Selector(processNames: [Glob(literal: "a*"), Glob(literal: "b")])
    selector.firstArguments = [Glob(lastComponent: "nginx"), Glob(literal: "/usr/bin/x")]
    selector.commandLines = [try Pattern(#"-p (?P<Port>\d+)"#)]
    #expect(rule.selector == selector)
    #expect(rule.includesChildren && rule.exclusions.isEmpty && rule.labels.isEmpty)
    #expect(rule.forgetAfter == .seconds(604_800))
  }

  @Test func whatTheWholeMeans() throws {
    let configuration = try parse("process_names:\n- comm: [b]\n- comm: [a]\n")
    #expect(configuration.isProcessExporter)
    #expect(configuration.collector.names == .namedprocess)
    #expect(configuration.collector.limits.threadNamesPerTarget == 128)
    #expect(configuration.collector.targets.count == 2)
    let selection = Selection(
      includesDefault: false, families: Catalogue.sources(ofNamedProcess: true))
    for target in configuration.collector.targets { #expect(target.selection == selection) }
    for empty in ["process_names:", "process_names: []"] {
      let none = try parse(empty)
      #expect(none.isProcessExporter && none.collector.targets.isEmpty)
    }
    #expect(try !parse("targets: []").isProcessExporter)
  }

  @Test func whatTheCommandLineSays() throws {
    var flags = ProcessExporterFlags()
    flags.children = false
    flags.removesEmptyGroups = true
    flags.threads = false
    flags.gathersSmaps = false
    let target = try #require(
      try parse("process_names: [{comm: [a]}]", flags).collector.targets.first)
    #expect(!target.rule.includesChildren && target.rule.forgetAfter == .zero)
    #expect(
      target.selection.families
        == Catalogue.sources(ofNamedProcess: false, proportional: false))
    // The same flags say nothing about a configuration of procvitals.
    let own = try #require(
      try parse("targets: [{name: a, pid: 1, children: true}]", flags).collector.targets.first)
    #expect(own.rule.includesChildren && own.selection == Selection())
  }

  @Test func targetsOfTheCommandLineFollow() throws {
    var configuration = try parse("process_names: [{comm: [a]}]")
    try configuration.add(targetArguments: ["web=pid:7"])
    #expect(configuration.isProcessExporter)
    #expect(configuration.collector.names == .namedprocess)
    #expect(
      configuration.collector.targets.map(\.rule.name.description) == ["${argv0_base}", "web"])
    let selections = Set(configuration.collector.targets.map(\.selection))
    #expect(selections.count == 1)
  }

  @Test func numberOfTargetsIsLimited() throws {
    func text(_ count: Int) -> String {
      "process_names:\n" + String(repeating: "- comm: [a]\n", count: count)
    }
    var configuration = try parse(text(10_000))
    #expect(configuration.collector.limits.targets == 10_000)
    #expect(
      problems(text(10_001)) == [
        "10002:3: process_names: expected at most 10000 entries, found 10001"
      ])
    let error = #expect(throws: ConfigError.self) {
      try configuration.add(targetArguments: ["x=pid:1"])
    }
    #expect(
      error?.description
        == "--target: expected at most 10000 targets with those of process-exporter, found 10001")
    var flags = ProcessExporterFlags()
    flags.processNames = (0...10_000).map { "n\($0)" }.joined(separator: ",")
    let names = #expect(throws: ConfigError.self) { try Configuration.processExporter(flags) }
    #expect(names?.description == "--procnames: expected at most 10000 groups, found 10001")
  }

  static let names: [(String, [Template.Part])] = [
    ("plain", [.literal("plain")]), ("''", [.variable(.argv0(isBase: true))]),
    ("", [.variable(.argv0(isBase: true))]), ("~", [.variable(.argv0(isBase: true))]),
    ("'{{.ExeBase}}'", [.variable(.argv0(isBase: true))]),
    ("'{{ .ExeFull }}'", [.variable(.argv0(isBase: false))]),
    ("'{{.Comm}}-{{.Username}}'", [.variable(.comm), .literal("-"), .variable(.user)]),
    ("'{{.PID}}{{.StartTime}}'", [.variable(.pid), .variable(.startTime)]),
    ("'c {{.Cgroups}}'", [.literal("c "), .variable(.cgroups)]),
    ("'{{.Matches.A}}'", [.variable(.capture("A"))]),
    (#"'{{index .Matches "A"}}'"#, [.variable(.capture("A"))]),
    ("'{{index .Matches `B`}}'", [.variable(.capture("B"))]),
    (
      "'{{.Matches}}'",
      [
        .literal("map["), .literal(":"), .variable(.capture("_unnamed")), .literal(" A:"),
        .variable(.capture("A")), .literal(" B:"), .variable(.capture("B")), .literal("]"),
      ]
    ),
    ("'}} { é'", [.literal("}} { é")]),
  ]

  @Test(arguments: names)
  func name(text: String, parts: [Template.Part]) throws {
    let rule = try rule("{cmdline: ['(?P<B>b)', '(?P<A>a)'], name: \(text)}")
    #expect(rule.name.parts == parts)
  }

  /// What `{{.Matches}}` calls the group that has no name: the last one, or else the whole.
  @Test(arguments: [
    (["a"], ["(?P<_unnamed>a)"]), (["a(b)(c)"], ["a(b)(?P<_unnamed>c)"]),
    (["(a)", "b"], ["(a)", "(?P<_unnamed>b)"]), (["(?:a)"], ["(?P<_unnamed>(?:a))"]),
    ([#"\(a"#], [#"(?P<_unnamed>\(a)"#]), (["[(]a"], ["(?P<_unnamed>[(]a)"]),
    (["[]()]a"], ["(?P<_unnamed>[]()]a)"]), (["[^](]"], ["(?P<_unnamed>[^](])"]),
    (["[[:alpha:](]"], ["(?P<_unnamed>[[:alpha:](])"]),
    ([#"\Q(\E(x)"#], [#"\Q(\E(?P<_unnamed>x)"#]), ([#"[\](]"#], [#"(?P<_unnamed>[\](])"#]),
    ([#"a\Q("#], [#"(?P<_unnamed>a\Q(\E)"#]), (["(?i)(x)"], ["(?i)(?P<_unnamed>x)"]),
    (["(?P<X>(y))"], ["(?P<X>(?P<_unnamed>y))"]),
    // The last one of a name counts.
    (["(?P<X>a)", "(?P<X>b)"], ["(?:a)", "(?P<_unnamed>(?P<X>b))"]),
  ])
  func unnamedGroups(written: [String], expected: [String]) throws {
    let list = written.map { "'\($0)'" }.joined(separator: ", ")
    let rule = try rule("{cmdline: [\(list)], name: '{{.Matches}}'}")
    #expect(rule.selector.commandLines.map(\.text) == expected)
  }

  @Test func scanningNeverTraps() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "(", ")", "[", "]", "\\", "?", "P", "<", ">", ":", "[:", ":]", "^", "\\Q", "\\E", "é", "x",
    ]
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 0...12, using: &random))
        .compactMap { _ in pieces.randomElement(using: &random) }.joined()
      var expressions = [GoExpression(text, at: nil), GoExpression(text, at: nil)]
      GoExpression.forgetRepeatedNames(&expressions)
      _ = expressions[1].nameAll("g")
      expressions[0].nameLastUnnamed("u")
      // Whatever is legal stays legal.
      if (try? Pattern(text)) != nil {
        #expect((try? Pattern(expressions[0].text)) != nil, "\(text) \(seed)")
        #expect((try? Pattern(expressions[1].text)) != nil, "\(text) \(seed)")
      }
      _ = try? GoTemplate(text + "{{" + text + "}}")
    }
  }

  static let wrong: [(String, [String])] = [
    (
      "process_names: {}",
      ["1:16: process_names: expected a list, found a mapping; begin each item with \"- \""]
    ),
    (
      "process_names: [a]",
      [
        "1:17: an entry of process_names: expected a mapping with name, comm, exe or cmdline, found"
          + " \"a\""
      ]
    ),
    (
      "process_names:\n- {com: [a], comm: [b]}",
      ["2:4: unknown key \"com\"; did you mean \"comm\"?"]
    ),
    (
      "process_names:\n- {xyz: 1}",
      ["2:4: unknown key \"xyz\"; expected name, comm, exe or cmdline"]
    ),
    (
      "process_names: []\nprocess_name: []",
      ["2:1: unknown key \"process_name\"; did you mean \"process_names\"?"]
    ),
    (
      "process_names: []\ntargets: []",
      [
        "2:1: \"targets\" is a key of procvitals' own configuration, and process_names is one of"
          + " process-exporter's; keep them in separate files"
      ]
    ),
    (
      "process_names:\n- name: x",
      ["2:3: this entry chooses nothing; expected at least one of comm, exe or cmdline"]
    ),
    ("process_names:\n- comm: []", ["2:9: comm: expected a list of 1 to 1000 texts, found 0"]),
    ("process_names:\n- comm: [~]", ["2:10: comm: expected a text, found no value"]),
    ("process_names:\n- exe: [[a]]", ["2:9: exe: expected a text, found a list"]),
    (
      "process_names:\n- cmdline: ['a(']",
      [
        "2:13: cmdline: \"a(\" is not a regular expression: missing closing parenthesis, at byte 3"
      ]
    ),
    (
      "process_names:\n- {comm: [a], name: '{{.Comm'}",
      ["2:21: name: \"{{.Comm\" has no closing }}"]
    ),
    (
      "process_names:\n- {comm: [a], name: '{{.Exebase}}'}",
      ["2:21: name: {{.Exebase}} is not understood; did you mean {{.ExeBase}}?"]
    ),
    (
      "process_names:\n- {comm: [a], name: '{{if .Comm}}x{{end}}'}",
      [
        "2:21: name: {{if .Comm}} is not understood; expected {{.Comm}}, {{.ExeBase}},"
          + " {{.ExeFull}}, {{.Username}}, {{.PID}}, {{.StartTime}}, {{.Cgroups}}, {{.Matches}} or"
          + " {{.Matches.NAME}}"
      ]
    ),
    (
      "process_names:\n- {cmdline: ['(?P<Port>x)'], name: '{{.Matches.Prot}}'}",
      ["2:36: name: no expression of cmdline has a group (?P<Prot>…); did you mean Port?"]
    ),
    ("process_names:\n- {comm: [a], name: [b]}", ["2:21: name: expected a text, found a list"]),
    (
      "process_names:\n- {comm: [a], comm: [b]}",
      ["2:15: \"comm\" is given twice in this mapping, first in line 2"]
    ),
  ]

  @Test(arguments: wrong)
  func mistakes(text: String, expected: [String]) {
    #expect(problems(text) == expected)
  }
}

/// `-procnames` and `-namemapping`.
@Suite struct ProcessExporterNamesTests {
  private func rules(_ names: String, _ mapping: String = "") throws -> [Rule] {
    var flags = ProcessExporterFlags()
    (flags.processNames, flags.nameMapping) = (names, mapping)
    let configuration = try Configuration.processExporter(flags)
    #expect(configuration.isProcessExporter)
    return configuration.collector.targets.map(\.rule)
  }

  @Test func names() throws {
    let rules = try rules("bash,,a*")
    #expect(rules.map(\.name) == [Template("bash"), Template("a*")])
    #expect(rules.map(\.selector.processNames) == [[Glob(literal: "bash")], [Glob(literal: "a*")]])
    #expect(rules.allSatisfy { $0.includesChildren })
  }

  @Test func mapping() throws {
    let rules = try rules("python2,java,sh", #"python2,([^/]+)\.py,java,-jar\s+(\S+/)?([^/]+).jar"#)
    #expect(
      rules.map(\.name) == [
        Template([.literal("java:"), .variable(.firstCapture(["group_1", "group_2"]))]),
        Template([.literal("python2:"), .variable(.firstCapture(["group_1"]))]), Template("sh"),
      ])
    #expect(
      rules.map(\.selector.commandLines.first?.text) == [
        #"-jar\s+(?P<group_1>\S+/)?(?P<group_2>[^/]+).jar"#, #"(?P<group_1>[^/]+)\.py"#, nil,
      ])
    #expect(rules[1].selector.processNames == [Glob(literal: "python2")])
  }

  @Test func theLaterPairCounts() throws {
    let rules = try rules("", "a,(x),a,(?P<N>y)")
    #expect(
      rules.map(\.name) == [
        Template([.literal("a:"), .variable(.firstCapture(["N"]))])
      ])
  }

  @Test(arguments: [
    ("a", "expected NAME,EXPRESSION,NAME,EXPRESSION…, found \"a\""),
    ("a,", "expected NAME,EXPRESSION,NAME,EXPRESSION…, found \"a,\""),
    ("a,x", "\"x\" has no group, so \"a\" would never be counted"),
    ("a,(", "\"(\" is not a regular expression: missing closing parenthesis, at byte 2"),
  ])
  func mistakes(mapping: String, expected: String) throws {
    let error = #expect(throws: ConfigError.self) { try rules("", mapping) }
    #expect(error?.description.hasPrefix("--namemapping: \(expected)") == true, "\(error as Any)")
  }
}
