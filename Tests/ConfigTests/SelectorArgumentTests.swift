import Collector
import Config
import Targets
import Testing

@Suite struct SelectorArgumentTests {
  @Test(arguments: [
    ("a=pid:12", Selector(pid: 12)), ("a=pid-file:/run/x.pid", Selector(pidFile: "/run/x.pid")),
    ("a=name:nginx", Selector(processNames: [Glob("nginx")])),
    ("a=name:null", Selector(processNames: [Glob("null")])),
    ("a=exe:*/python3*", Selector(executables: [Glob("*/python3*")])),
    ("a=exe:/opt/a=b:c", Selector(executables: [Glob("/opt/a=b:c")])),
  ])
  func selectors(argument: String, expected: Selector) throws {
    var configuration = Configuration()
    try configuration.add(targetArguments: [argument])
    #expect(
      configuration.collector.targets
        == [TargetSettings(rule: Rule(name: "a", selector: expected))])
  }

  private static let form =
    "expected NAME=KIND:VALUE, for example web=pid-file:/run/web.pid; KIND:VALUE is "
    + Configuration.selectorForms

  static let wrong: [(String, String)] = [
    ("x=foo", "--target \"x=foo\": \(form)"), ("", "--target \"\": \(form)"),
    ("=", "--target \"=\": \(form)"), ("web", "--target \"web\": \(form)"),
    ("pid:12", "--target \"pid:12\": \(form)"),
    (
      "x=command:a",
      "--target \"x=command:a\": unknown selector kind \"command\"; expected "
        + Configuration.selectorForms
    ),
    (
      "x=:a",
      "--target \"x=:a\": unknown selector kind \"\"; expected "
        + Configuration.selectorForms
    ),
    (
      "x=pid_file:/a",
      "--target \"x=pid_file:/a\": unknown selector kind \"pid_file\"; did you mean \"pid-file\"?"
    ),
    (
      "x=pid:0",
      "--target \"x=pid:0\": pid: expected a whole number from 1 to 4194304, found \"0\""
    ),
    ("x=pid:", "--target \"x=pid:\": pid: expected a whole number from 1 to 4194304, found \"\""),
    (
      "x=pid-file:run/a",
      "--target \"x=pid-file:run/a\": pid_file: expected an absolute path, found \"run/a\""
    ),
    (
      "x=exe:nginx",
      "--target \"x=exe:nginx\": exe: expected an absolute path or a glob that begins with / or *,"
        + " found \"nginx\"; write \"*/nginx\""
    ),
    (
      "=pid:1",
      "--target \"=pid:1\": name: expected a text of 1 to 128 bytes without control characters, found"
        + " \"\"; it has 0 bytes"
    ),
    (
      "x=name:a-long-process-name",
      "--target \"x=name:a-long-process-name\": process_name: \"a-long-process-name\" can never match:"
        + " the kernel keeps the first 15 bytes of a process name; write \"a-long-process-\""
    ),
  ]

  @Test(arguments: wrong)
  func wrongArgument(argument: String, expected: String) {
    var configuration = Configuration()
    let error = #expect(throws: ConfigError.self) {
      try configuration.add(targetArguments: [argument])
    }
    #expect(error?.description == expected)
    #expect(configuration == Configuration())
  }

  @Test func followTheFileAndCollectWhatItSays() throws {
    var configuration = try parse(
      "{defaults: {collect: [io]}, targets: [{name: a, pid: 1, collect: []}], limits: {targets: 3}}"
    )
    try configuration.add(targetArguments: ["b=pid:2", "c=pid:3"])
    #expect(configuration.collector.targets.map(\.rule.name.description) == ["a", "b", "c"])
    #expect(
      configuration.collector.targets.map(\.selection)
        == [
          Selection(includesDefault: false), Selection(includesDefault: false, groups: [.io]),
          Selection(includesDefault: false, groups: [.io]),
        ])
  }

  @Test func fileAndCommandLineShareTheLimit() throws {
    var configuration = try parse("{targets: [{name: a, pid: 1}], limits: {targets: 2}}")
    #expect(configuration.collector.limits.targets == 2)
    try configuration.add(targetArguments: ["b=pid:2"])
    let error = #expect(throws: ConfigError.self) {
      try configuration.add(targetArguments: ["c=pid:3"])
    }
    #expect(
      error?.description
        == "--target: limits.targets is 2, but there are 3 targets; raise the limit or remove targets"
    )
  }

  @Test func everyProblemIsReportedAndNothingAdded() throws {
    let before = try parse("{targets: [{name: a, pid: 1}], limits: {targets: 2}}")
    var configuration = before
    let error = #expect(throws: ConfigError.self) {
      try configuration.add(
        targetArguments: ["z", "a=pid:2", "b=pid:2", "b=pid:3", "c=pid:0", "d=pid:9"])
    }
    #expect(
      error?.problems.map(\.description) == [
        "--target \"z\": \(Self.form)",
        "--target \"a=pid:2\": name: \"a\" is already the name of a target of the configuration",
        "--target \"b=pid:3\": name: \"b\" is already the name of a target of the command line",
        "--target \"c=pid:0\": pid: expected a whole number from 1 to 4194304, found \"0\"",
        "--target: limits.targets is 2, but there are 4 targets; raise the limit or remove targets",
      ])
    #expect(configuration == before)
  }
}
