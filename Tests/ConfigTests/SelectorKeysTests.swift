import Collector
import Config
import Patterns
import Targets
import Testing

@Suite struct SelectorKeysTests {
  private func rule(_ entry: String) throws -> Rule {
    let configuration = try parse("targets:\n- name: a\n  \(entry)\n- {name: other, pid: 1}")
    return try #require(configuration.collector.targets.first).rule
  }

  private static func choosing(_ set: (inout Selector) throws -> Void) rethrows -> Selector {
    var selector = Selector()
    try set(&selector)
    return selector
  }

  static let selectors: [(String, Selector)] = [
    ("argv0: 'postgres: *'", choosing { $0.firstArguments = [Glob("postgres: *")] }),
    ("user: 1000", choosing { $0.users = [Glob("1000")] }),
    ("user: [www-data, 'app-*']", choosing { $0.users = [Glob("www-data"), Glob("app-*")] }),
    ("group: '?d*'", choosing { $0.groups = [Glob("?d*")] }),
    ("cgroup: /a/*", choosing { $0.cgroups = [Glob("/a/*")] }),
    ("systemd_unit: nginx.service", choosing { $0.units = [Glob("nginx.service")] }),
    (
      "systemd_unit: ['app@*', x.scope]",
      choosing { $0.units = [Glob("app@*"), Glob("x.scope")] }
    ),
    ("container: 4a5b6c7d8e9f", choosing { $0.containers = [Glob("4a5b6c7d8e9f")] }),
    ("listen_port: 80", choosing { $0.listenPorts = [80] }),
    ("listen_port: [1, 65535]", choosing { $0.listenPorts = [1, 65535] }),
    (
      "environment: 'A=x=*'",
      choosing { $0.environment = [.init(name: "A", value: Glob("x=*"))] }
    ),
    (
      "environment: [A=, B=*]",
      choosing {
        $0.environment = [.init(name: "A", value: Glob("")), .init(name: "B", value: Glob("*"))]
      }
    ),
    ("parent: other", choosing { $0.parent = "other" }),
    ("min_age: 1h30m", choosing { $0.minimumAge = .seconds(5400) }),
    ("min_age: '10ms'", choosing { $0.minimumAge = .milliseconds(10) }),
    (
      "match: {user: x}\n  group: y",
      choosing {
        $0.users = [Glob("x")]
        $0.groups = [Glob("y")]
      }
    ),
  ]

  @Test(arguments: selectors)
  func selector(entry: String, expected: Selector) throws {
    #expect(try rule(entry).selector == expected)
  }

  @Test func commandLines() throws {
    let patterns = try rule("cmdline: ['-p (?<port>\\d+)', '(?P<name>x)$']").selector.commandLines
    #expect(patterns.map(\.text) == ["-p (?<port>\\d+)", "(?P<name>x)$"])
    #expect(patterns.map(\.groups) == [["port": 1], ["name": 1]])
  }

  @Test func switches() throws {
    let rule = try rule("pid_file: /x\n  per_process: true\n  trust_pid_file: true")
    #expect(rule.isPerProcess && rule.trustsPidFile && !rule.includesChildren)
    #expect(rule.forgetAfter == .seconds(3600))
  }

  @Test func forgetAfter() throws {
    let configuration = try parse(
      """
      targets: [{name: a, pid: 1}, {name: b, pid: 1, forget_after: 2d}]
      defaults: {forget_after: 90s}
      """)
    #expect(
      configuration.collector.targets.map(\.rule.forgetAfter) == [.seconds(90), .seconds(172_800)])
    var more = configuration
    try more.add(targetArguments: ["c=pid:1"])
    #expect(more.collector.targets.last?.rule.forgetAfter == .seconds(90))
  }

  @Test(arguments: [
    ("exclude: {user: backup}", ["backup"]),
    ("exclude: [{user: a}, {user: b, pid: 4}]", ["a", "b"]),
    ("exclude: []", []),
  ])
  func exclusions(entry: String, users: [String]) throws {
    let rule = try rule("pid: 3\n  \(entry)")
    #expect(rule.exclusions.map { $0.users.map(\.description) } == users.map { [$0] })
    #expect(rule.exclusions.last?.pid == (users.count == 2 ? 4 : nil))
    #expect(rule.selector == Selector(pid: 3))
  }

  static let wrong: [(String, [String])] = [
    (
      "min_age: 30",
      [
        "3:12: min_age: expected a duration from 1ms to 1y, for example 30s, 5m or 1h30m, found \"30\";"
          + " write \"30s\""
      ]
    ),
    (
      "cmdline: '(abc'",
      [
        "3:12: cmdline: \"(abc\" is not a regular expression: missing closing parenthesis, at character"
          + " 5"
      ]
    ),
    (
      "cmdline: [x, 'é[b-a]']",
      [
        "3:16: cmdline: \"é[b-a]\" is not a regular expression: range out of order in character class,"
          + " at character 5"
      ]
    ),
    (
      "cmdline: ''",
      [
        "3:12: cmdline: expected a regular expression of 1 to 4096 bytes, found the quoted text \"\""
      ]
    ),
    (
      "user: ''",
      ["3:9: user: expected a user's name or number or a glob, found the quoted text \"\""]
    ),
    (
      "cgroup: app.slice",
      [
        "3:11: cgroup: expected a control group's path or a glob that begins with / or *, found"
          + " \"app.slice\"; write \"*/app.slice\""
      ]
    ),
    (
      "systemd_unit: nginx",
      [
        "3:17: systemd_unit: \"nginx\" can never match: the name of a unit ends in its type; write"
          + " \"nginx.service\""
      ]
    ),
    (
      "listen_port: [0, 65536]",
      [
        "3:17: listen_port: expected a whole number from 1 to 65535, found \"0\"",
        "3:20: listen_port: expected a whole number from 1 to 65535, found \"65536\"",
      ]
    ),
    (
      "environment: APP",
      [
        "3:16: environment: expected NAME=GLOB, a variable and a glob for its value"
      ]
    ),
    (
      "environment: =x",
      [
        "3:16: environment: expected NAME=GLOB, a variable and a glob for its value"
      ]
    ),
    (
      "environment: {A: x}",
      [
        "3:16: environment: expected NAME=GLOB, a variable and a glob for its value, or a list of them,"
          + " found a mapping"
      ]
    ),
    ("parent: a", ["3:3: parent: a target cannot be its own parent; name another one"]),
    ("parent: othr", ["3:3: parent: there is no target \"othr\"; did you mean \"other\"?"]),
    (
      "parent: zzzzz",
      [
        "3:3: parent: there is no target \"zzzzz\"; expected the name of another target as it stands in"
          + " the configuration"
      ]
    ),
    (
      "pid: 1\n  exclude: {parent: othr}",
      ["2:3: parent: there is no target \"othr\"; did you mean \"other\"?"]
    ),
    (
      "pid: 1\n  exclude: {pid_file: /x}",
      [
        "4:13: unknown key \"pid_file\" in this place; it belongs into an entry of targets or match in an"
          + " entry of targets"
      ]
    ),
    (
      "pid: 1\n  exclude: [{}, {user: a}]",
      [
        "4:13: this entry of exclude has no selector; expected at least one of"
          + " \(ProblemTests.keys(of: "targets[].exclude[]"))"
      ]
    ),
    (
      "pid: 1\n  exclude: x",
      ["4:12: exclude: expected a mapping of selectors, or a list of them, found \"x\""]
    ),
    (
      "pid: 1\n  exclude: [x]",
      [
        "4:13: an entry of exclude: expected a mapping with"
          + " \(ProblemTests.keys(of: "targets[].exclude[]")), found \"x\""
      ]
    ),
    (
      "pid: 1\n  exclude: [\((0...101).map { _ in "{pid: 2}" }.joined(separator: ", "))]",
      ["4:1013: exclude: expected at most 100 entries"]
    ),
    (
      "exclude: {user: x}",
      ["2:3: this target has no selector; expected at least one of \(ProblemTests.selectors)"]
    ),
  ]

  @Test(arguments: wrong)
  func wrongValue(entry: String, expected: [String]) {
    #expect(
      problems("targets:\n- name: a\n  \(entry)\n- {name: other, pid: 1}") == expected)
  }

  @Test func parentsThatWaitForEachOther() {
    let text = """
      targets:
      - {name: a, parent: b}
      - {name: b, parent: c}
      - {name: c, parent: a}
      - {name: d, parent: a}
      """
    let tail =
      "has this target among its own parents, so neither can have a process; name another one"
    #expect(
      problems(text) == [
        "2:13: parent: \"b\" \(tail)", "3:13: parent: \"c\" \(tail)", "4:13: parent: \"a\" \(tail)",
      ])
  }

  /// The chain and each of its ends are looked at once.
  @Test func aLongChainOfParents() throws {
    let count = 10_000
    let chain = (1..<count).map { "- {name: n\($0), parent: n\($0 - 1)}\n" }.joined()
    let configuration = try parse("targets:\n- {name: n0, pid: 1}\n" + chain)
    #expect(configuration.collector.targets.count == count)
    let error = #expect(throws: ConfigError.self) {
      try parse("targets:\n- {name: n0, parent: n\(count - 1)}\n" + chain)
    }
    #expect(error?.total == count)
  }

  @Test func aWayIntoACircleIsNoneOfIt() {
    let text = "targets: [{name: x, parent: a}, {name: a, parent: a}, {name: y, parent: x}]"
    #expect(
      problems(text) == ["1:43: parent: a target cannot be its own parent; name another one"])
  }

  @Test func onlyTheFirstUnknownParentsGetASuggestion() {
    let text =
      "targets:\n- {name: known, pid: 1}\n"
      + (0..<25).map { "- {name: x\($0), parent: knwon}\n" }.joined()
      + "- {name: z, parent: [1]}\n"
    let found = problems(text)
    #expect(found.count == 20)
    // One problem was found before, as the file was read.
    #expect(found.prefix(19).allSatisfy { $0.hasSuffix("did you mean \"known\"?") })
    #expect(found[19].hasSuffix("as it stands in the configuration"))
  }

  @Test func aParentMayHaveVariables() throws {
    let configuration = try parse(
      "targets: [{name: 'w-${comm}', pid: 1}, {name: b, parent: 'w-${comm}'}]")
    #expect(configuration.collector.targets.last?.rule.selector.parent == "w-${comm}")
  }

  @Test(arguments: [
    ("0", nil), ("1ms", Duration.milliseconds(1)), ("0s1ms", .milliseconds(1)), ("1s", .seconds(1)),
    ("1y", .seconds(31_536_000)), ("52w1d", .seconds(31_536_000)),
    ("1w2d3h4m5s6ms", .milliseconds(788_645_006)),
    ("1y1ms", nil), ("", nil), ("s", nil), ("1", nil), ("1m1h", nil), ("1s1s", nil), ("1.5h", nil),
    ("-1s", nil), ("1 s", nil), ("1S", nil), ("1s ", nil), ("１s", nil), ("1µs", nil), ("1sm", nil),
    ("99999999999999999999s", nil), ("9223372036854775807y", nil),
    ("292277000y292277000y", nil), ("9223372036854775807ms", nil),
  ])
  func durations(text: String, expected: Duration?) throws {
    let configuration = try? parse("targets: [{name: a, min_age: '\(text)'}]")
    #expect(configuration?.collector.targets.first?.rule.selector.minimumAge == expected)
    if expected == nil {
      #expect(
        problems("targets: [{name: a, min_age: '\(text)'}]").first?.hasPrefix(
          "1:30: min_age: expected a duration from 1ms to 1y, ") == true)
    }
  }

  @Test(arguments: [
    ("a=argv0:x y", choosing { $0.firstArguments = [Glob("x y")] }),
    ("a=user:root", choosing { $0.users = [Glob("root")] }),
    ("a=group:0", choosing { $0.groups = [Glob("0")] }),
    ("a=cgroup:/a:b", choosing { $0.cgroups = [Glob("/a:b")] }),
    ("a=unit:x@1.service", choosing { $0.units = [Glob("x@1.service")] }),
    ("a=container:web", choosing { $0.containers = [Glob("web")] }),
    ("a=port:443", choosing { $0.listenPorts = [443] }),
    (
      "a=environment:A=b:c",
      choosing { $0.environment = [.init(name: "A", value: Glob("b:c"))] }
    ),
    ("a=parent:main", choosing { $0.parent = "main" }),
    ("a=min-age:5m", choosing { $0.minimumAge = .seconds(300) }),
  ])
  func arguments(argument: String, expected: Selector) throws {
    var configuration = try parse("targets: [{name: main, pid: 1}]")
    try configuration.add(targetArguments: [argument])
    #expect(configuration.collector.targets.last?.rule.selector == expected)
  }

  @Test func argumentsHaveExpressionsAndVariables() throws {
    var configuration = try parse("allowed_environment: TENANT")
    try configuration.add(targetArguments: ["${port}-${env.TENANT}=cmdline:-p (?<port>\\d+)"])
    let rule = try #require(configuration.collector.targets.first).rule
    #expect(rule.selector.commandLines.map(\.text) == ["-p (?<port>\\d+)"])
    #expect(rule.name.variables == [.capture("port"), .environment("TENANT")])
    let error = #expect(throws: ConfigError.self) {
      try configuration.add(targetArguments: ["${prt}=cmdline:(?<port>x)", "b=parent:nobody"])
    }
    #expect(
      error?.problems.map(\.description) == [
        "--target \"${prt}=cmdline:(?<port>x)\": name: there is no variable ${prt}; did you mean"
          + " ${port}?",
        "--target \"b=parent:nobody\": parent: there is no target \"nobody\"; expected the name of"
          + " another target as it stands in the configuration",
      ])
  }
}
