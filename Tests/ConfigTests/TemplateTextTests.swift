import Config
import Targets
import Testing

@Suite struct TemplateTextTests {
  private func name(_ text: String, _ more: String = "pid: 1") throws -> Template {
    let configuration = try parse("targets: [{name: '\(text)', \(more)}]")
    return try #require(configuration.collector.targets.first).rule.name
  }

  @Test(
    arguments: [
      ("a", [.literal("a")]), ("$$", [.literal("$")]), ("a$$b$$", [.literal("a$b$")]),
      ("$${comm}", [.literal("${comm}")]), ("$$${comm}", [.literal("$"), .variable(.comm)]),
      ("${comm}", [.variable(.comm)]),
      (
        "a-${exe}/${pid}é",
        [.literal("a-"), .variable(.exe), .literal("/"), .variable(.pid), .literal("é")]
      ),
      (
        "${argv0}${argv0_base}",
        [.variable(.argv0(isBase: false)), .variable(.argv0(isBase: true))]
      ),
      ("${user}${uid}", [.variable(.user), .variable(.uid)]),
      ("${unit}${cgroup}${cgroups}", [.variable(.unit), .variable(.cgroup), .variable(.cgroups)]),
      ("${container}${pod}", [.variable(.container), .variable(.pod)]),
      ("${start_time}", [.variable(.startTime)]), ("{x}", [.literal("{x}")]),
      ("}{", [.literal("}{")]),
    ] as [(String, [Template.Part])])
  func parts(text: String, expected: [Template.Part]) throws {
    #expect(try name(text).parts == expected)
  }

  @Test func fixedNamesAreTakenAsMeant() throws {
    #expect(try name("a$$b").fixed == "a$b")
    #expect(try name("${comm}").fixed == nil)
  }

  private static let alone = "a $ stands alone; write ${NAME}, or $$ for a dollar"
  private static let forms =
    "comm, exe, argv0, argv0_base, user, uid, pid, unit, cgroup, cgroups, container, pod, start_time,"
    + " env.NAME or a named group of cmdline"

  @Test(arguments: [
    ("$", "name: in \"$\" \(alone)"), ("a$b", "name: in \"a$b\" \(alone)"),
    ("$$$", "name: in \"$$$\" \(alone)"), ("$ {x}", "name: in \"$ {x}\" \(alone)"),
    ("${", "name: in \"${\" a ${ has no closing }"),
    ("a${b", "name: in \"a${b\" a ${ has no closing }"),
    ("${}", "name: ${} is no variable; expected \(forms)"),
    ("${1a}", "name: ${1a} is no variable; expected \(forms)"),
    ("${a b}", "name: ${a b} is no variable; expected \(forms)"),
    ("${é}", "name: ${é} is no variable; expected \(forms)"),
    ("${a${b}}", "name: ${a${b} is no variable; expected \(forms)"),
    ("${env.}", "name: ${env.} has no name; write ${env.NAME}"),
  ])
  func wrong(text: String, expected: String) {
    #expect(problems("targets: [{name: '\(text)', pid: 1}]") == ["1:18: \(expected)"])
  }

  @Test(arguments: [
    ("${com}", "there is no variable ${com}; did you mean ${comm}?"),
    ("${prt}", "there is no variable ${prt}; did you mean ${port}?"),
    ("${zzzzzz}", "there is no variable ${zzzzzz}; expected \(forms)"),
    (
      "${env.HOME}",
      "${env.HOME} would show a variable of the environment that allowed_environment does not name; add"
        + " HOME to it if it is no secret"
    ),
    (
      "${uid}",
      "${uid} is a variable of every process, and cmdline has a group of that name; rename the group"
    ),
  ])
  func undefined(text: String, expected: String) {
    let entry = "cmdline: '(?<port>x)(?<uid>y)'"
    #expect(
      problems("targets: [{name: '\(text)', \(entry)}]") == ["1:12: name: \(expected)"])
    #expect(
      problems("targets: [{name: a, labels: {x: '\(text)'}, \(entry)}]")
        == ["1:21: labels.x: \(expected)"])
  }

  @Test func groupsOfAllExpressionsAreVariables() throws {
    let template = try name(
      "${a}${b}${c_1}",
      "cmdline: ['(?<a>x)', '(?P<b>y)'], match: {user: x}, labels: {z: '${c_1}'}"
        .replacing("(?P<b>y)", with: "(?P<b>y)(?<c_1>z)"))
    #expect(template.variables == [.capture("a"), .capture("b"), .capture("c_1")])
  }

  @Test func whatFollowsFromAWrongExpressionIsNotReported() {
    #expect(
      problems("targets: [{name: '${port}', cmdline: '(?<port>x'}]").count == 1)
  }

  @Test func environmentIsAllowedWhereverTheListStands() throws {
    let configuration = try parse(
      "{targets: [{name: '${env.A}', pid: 1, labels: {b: '${env.B}'}}], allowed_environment: [A, B]}"
    )
    #expect(configuration.allowedEnvironment == ["A", "B"])
    #expect(
      problems("allowed_environment: [A=, '', \"a\\0\"]") == [
        "1:23: allowed_environment: expected the name of a variable of the environment, found \"A=\"",
        "1:27: allowed_environment: expected the name of a variable of the environment, found the quoted"
          + " text \"\"",
        "1:31: allowed_environment: expected the name of a variable of the environment, found the quoted"
          + " text \"a\\u{0}\"",
      ])
  }

  @Test func numberOfVariablesIsLimited() throws {
    #expect(try name(String(repeating: "${pid}", count: 21)).variables.count == 21)
    let text = String(repeating: "${pid}", count: 33)
    #expect(
      problems("targets: [{name: a, pid: 1, labels: {x: '\(text)'}}]")
        == ["1:41: labels.x: it has 33 variables; expected at most 32"])
  }

  @Test func namesWithVariablesMayRepeat() throws {
    let configuration = try parse(
      "targets: [{name: '${comm}', user: a}, {name: '${comm}', user: b}, {name: 'comm', pid: 1}]")
    #expect(configuration.collector.targets.count == 3)
    #expect(
      problems("targets: [{name: 'a$$', user: a}, {name: a$$, user: b}]")
        == ["1:36: name: \"a$\" is already the name of the target in line 1"])
  }

  @Test func labelsMayHaveVariables() throws {
    let configuration = try parse(
      "targets: [{name: a, cmdline: '(?<port>x)', labels: {port: '${port}', n: x}}]")
    #expect(
      configuration.collector.targets.first?.rule.labels == [
        Rule.LabelTemplate("port", Template([.variable(.capture("port"))])),
        Rule.LabelTemplate("n", Template("x")),
      ])
  }
}
