import Foundation
import Patterns
import TestSupport
import Testing

@testable import Linux
@testable import ProcFS
@testable import Targets

/// Every condition, on processes that run.
@Suite(.timeLimit(.minutes(2))) struct SelectorTests {
  private let scratch: Scratch
  private let name = uniqueName()

  init() throws { scratch = try Scratch() }

  /// A process whose name nothing else has, and whose arguments are free to choose.
  ///
  /// What a shell forks goes by its name too until it runs a program of its own, so one that is to be
  /// alone forks nothing.
  private func shell(
    _ arguments: String..., environment: [String] = [], forks: Bool = false
  ) throws -> Child {
    let script = scratch.file(forks ? "parent" : "script")
    let copy = scratch.file(name)
    if !FileManager.default.fileExists(atPath: copy) {
      try scratch.write("script", "kill -STOP $$\n")
      try scratch.write("parent", "sleep 60\nexit 0\n")
      try FileManager.default.copyItem(atPath: "/bin/dash", toPath: copy)
      // Unlike this, `env` does not try again if the file is still busy.
      try Child(copy, "-c", ":").reap()
    }
    return try Child(["/usr/bin/env"] + environment + [copy, script] + arguments, input: nil)
  }

  private func rule(
    _ target: String, _ change: (inout Selector) throws -> Void
  ) rethrows -> Rule {
    var selector = Selector(processNames: [Glob(name)])
    try change(&selector)
    return Rule(name: target, selector: selector)
  }

  /// Whether the rules choose a process as expected, by target; soon, because it has to call exec.
  private func chosen(_ rules: [Rule], _ expected: [String: [Int32]]) throws -> Bool {
    let roster = try Roster.live(rules)
    return eventually {
      roster.refresh()
      let found = roster.targets.filter { !$0.members.isEmpty }
        .map { ($0.name, $0.members.map(\.pid)) }
      return Dictionary(found) { $0 + $1 } == expected
    }
  }

  @Test func firstArgument() throws {
    let child = try shell()
    let path = scratch.file(name)
    #expect(
      try chosen(
        [
          rule("no", { $0.firstArguments = [Glob("/nowhere"), Glob(name)] }),
          rule("yes", { $0.firstArguments = [Glob(path)] }),
        ], ["yes": [child.pid]]))
  }

  @Test func commandLineWithAllOfItsExpressions() throws {
    let child = try shell("-p", "5432", "primary")
    let port = try Pattern(#"-p (?<port>\d+)"#)
    #expect(
      try chosen(
        [
          rule("no", { $0.commandLines = [port, try Pattern("standby$")] }),
          rule("yes", { $0.commandLines = [port, try Pattern("primary$")] }),
        ], ["yes": [child.pid]]))
  }

  @Test func environment() throws {
    let child = try shell(environment: ["PV_ROLE=blue=1"])
    #expect(
      try chosen(
        [
          rule("no", { $0.environment = [.init(name: "PV_ROLE", value: Glob("green"))] }),
          rule("none", { $0.environment = [.init(name: "PV_NONE", value: Glob("*"))] }),
          rule("yes", { $0.environment = [.init(name: "PV_ROLE", value: Glob("blue*"))] }),
        ], ["yes": [child.pid]]))
  }

  @Test(.enabled(if: isRoot, "another user takes root"))
  func userAndGroupByNameAndNumber() throws {
    _ = try shell()
    let copy = scratch.file(name)
    chmod(scratch.path, 0o755)
    let child = try Child(
      [
        "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "-c",
        "sleep 60; :",
      ], input: nil)
    for user in ["nobody", "65534", "no*"] {
      #expect(try chosen([rule("t", { $0.users = [Glob(user)] })], ["t": [child.pid]]))
    }
    for group in ["nogroup", "65534"] {
      #expect(
        try chosen(
          [
            rule("no", { ($0.users, $0.groups) = ([Glob("nobody")], [Glob("root")]) }),
            rule("t", { $0.groups = [Glob(group)] }),
          ], ["t": [child.pid]]))
    }
  }

  @Test func controlGroup() throws {
    let child = try shell()
    var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
    let root = try ProcRoot(path: "/proc", facts: .current())
    let path = try #require(try root.cgroup(pid: child.pid, &buffer).path)
    #expect(
      try chosen(
        [
          rule("no", { $0.cgroups = [Glob("/none" + path)] }),
          rule("yes", { $0.cgroups = [Glob(path)] }),
        ], ["yes": [child.pid]]))
  }

  /// The control groups of a unit, of a container and of a unit that a user's manager named like the
  /// first, with their own processes in them.
  @Test(.enabled(if: isRoot, "making control groups takes root"))
  func unitAndContainer() throws {
    _ = try shell()
    let id = String(repeating: "0123456789abcdef", count: 4)
    let (unit, scope) = ("\(name).service", "docker-\(id).scope")
    let groups = [
      try OwnGroup(unit), try OwnGroup("\(name).slice/\(scope)"),
      try OwnGroup("user@\(name).service/\(unit)"),
    ]
    let script = "echo $$ > \"$0\"/cgroup.procs; kill -STOP $$"
    let children = try groups.map { group in
      try Child([scratch.file(name), "-c", script, group.path], input: nil)
    }
    defer { for child in children { child.kill() } }
    #expect(
      try chosen(
        [
          rule("unit") { $0.units = [Glob(unit)] },
          rule("other") { $0.containers = [Glob("docker*")] },
          rule("container") { $0.containers = [Glob(String(id.prefix(12)))] },
          rule("user") { $0.units = [Glob("user@*.service")] },
        ],
        [
          "unit": [children[0].pid], "container": [children[1].pid], "user": [children[2].pid],
        ]))
  }

  @Test func listeningPort() throws {
    let sockets = TestSockets()
    let first = try sockets.listener(backlog: 1)
    let second = try sockets.listener(backlog: 1)
    _ = try shell()
    let children = try [first, second].map { socket in
      try Child([scratch.file(name), "-c", "kill -STOP $$"], input: nil, open: [socket])
    }
    #expect(
      try chosen(
        [
          rule("first") { $0.listenPorts = [1, TestSockets.port(first)] },
          rule("second") { $0.listenPorts = [TestSockets.port(second)] },
        ], ["first": [children[0].pid], "second": [children[1].pid]]))
  }

  @Test func minimumAge() throws {
    let child = try shell()
    let young = rule("young") { _ in }
    let old = rule("old") { $0.minimumAge = .seconds(3600) }
    #expect(try chosen([old, young], ["young": [child.pid]]))
    // One of another name, which is old enough in a moment.
    let roster = try Roster.live([rule("t") { $0.minimumAge = .seconds(1) }])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t") == [child.pid]
      })
  }

  @Test func parentAndDescendants() throws {
    let child = try shell(forks: true)
    let outer = rule("outer") { _ in }
    var selector = Selector(processNames: [Glob("sleep")])
    selector.parent = "outer"
    let inner = Rule(name: "inner", selector: selector)
    let roster = try Roster.live([inner, outer])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("outer") == [child.pid] && roster.pids("inner").count == 1
      })
    // It stays when its parent has ended.
    let descendant = roster.pids("inner")
    child.kill()
    roster.refresh()
    #expect(roster.pids("outer") == [])
    #expect(roster.pids("inner") == descendant)
    for pid in descendant { kill(pid, SIGKILL) }
  }

  @Test func exclusionsAreSets() throws {
    let (first, second) = (try shell("one"), try shell("two"))
    var rule = rule("t") { _ in }
    var one = Selector()
    one.commandLines = [try Pattern("one")]
    var other = one
    other.processNames = [Glob("another")]
    rule.exclusions = [other]
    #expect(try chosen([rule], ["t": [first.pid, second.pid].sorted()]))
    rule.exclusions = [other, one]
    #expect(try chosen([rule], ["t": [second.pid]]))
  }

  // MARK: Variables

  @Test func capturesNameTargets() throws {
    let (first, second) = (try shell("-p", "1"), try shell("-p", "2"))
    var rule = try rule("") { $0.commandLines = [try Pattern(#"-p (?<port>\d+)"#)] }
    rule.name = Template([.literal("db-"), .variable(.capture("port"))])
    rule.labels = [
      .init("port", Template([.variable(.capture("port"))])), .init("of", Template("x")),
    ]
    let roster = try Roster.live([rule])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("db-1") == [first.pid] && roster.pids("db-2") == [second.pid]
      })
    #expect(
      roster.target("db-2")?.key.labels
        == [.init(name: "of", value: "x"), .init(name: "port", value: "2")])
    #expect(roster.targets.count { $0.kind == .rule && !$0.isShown } == 1)
  }

  @Test func whatProcessesAreNamesTargets() throws {
    let child = try shell(environment: ["PV_ROLE=blue"])
    var rule = rule("") { _ in }
    rule.name = Template(
      [
        .comm, .argv0(isBase: true), .pid, .environment("PV_ROLE"), .environment("PV_NONE"),
      ].flatMap { [.variable($0), .literal("/")] })
    #expect(
      try chosen([rule], ["\(name)/\(name)/\(child.pid)/blue//": [child.pid]]))
    rule.name = Template([.variable(.exe)])
    #expect(try chosen([rule], [scratch.file(name): [child.pid]]))
    rule.name = Template([.variable(.uid), .literal(" "), .variable(.user)])
    let user = isRoot ? "root" : NSUserName()
    #expect(try chosen([rule], ["\(geteuid()) \(user)": [child.pid]]))
  }

  @Test func eachProcessIsATargetOfItsOwn() throws {
    let (first, second) = (try shell(), try shell())
    var rule = rule("t") { _ in }
    rule.isPerProcess = true
    let roster = try Roster.live([rule])
    #expect(
      eventually {
        roster.refresh()
        return roster.targets.filter { $0.kind == .made }.map(\.key.labels)
          == [first.pid, second.pid].sorted().map { [.init(name: "pid", value: "\($0)")] }
      })
    let standing = try #require(roster.targets.first { $0.kind == .rule })
    #expect(standing.isShown)
    #expect(standing.processes == 2)
  }

  @Test func madeTargetsGoWhenTheyWereEmptyForLongEnough() throws {
    var rule = rule("") { _ in }
    rule.name = Template([.variable(.comm)])
    rule.forgetAfter = .zero
    let roster = try Roster.live([rule])
    var gone: [String] = []
    roster.didVanish = { gone.append($0.name) }
    let child = try shell()
    #expect(
      eventually {
        roster.refresh()
        return roster.pids(name) == [child.pid]
      })
    child.kill()
    roster.refresh()
    // What it used until its end is shown once more.
    #expect(roster.target(name)?.members.isEmpty == true)
    roster.refresh()
    #expect(roster.target(name) == nil)
    #expect(gone == [name])
  }

  @Test func madeTargetsStayUntilItIsKnownHowTheirProcessesEnded() throws {
    var rule = rule("") { _ in }
    rule.name = Template([.variable(.comm)])
    rule.forgetAfter = .zero
    let loop = try EventLoop()
    let roster = try Roster.live([rule], loop: loop)
    let child = try shell()
    #expect(
      eventually {
        roster.refresh()
        return roster.pids(name) == [child.pid]
      })
    let target = try #require(roster.target(name))
    child.send(SIGKILL)
    child.waitForEnd()
    for _ in 0..<3 { roster.refresh() }
    #expect(roster.target(name) === target && target.members.isEmpty)
    child.reap()
    while target.exits.isEmpty { try loop.turn() }
    for _ in 0..<2 { roster.refresh() }
    #expect(roster.target(name) == nil)
    #expect(target.exits.values.reduce(0, +) == 1)
  }

  @Test func targetsAreLimited() throws {
    let children = [try shell("a"), try shell("b"), try shell("c")]
    var rule = try rule("") { $0.commandLines = [try Pattern("(?<last>[abc])$")] }
    rule.name = Template([.variable(.capture("last"))])
    let roster = try Roster.live(
      [rule], limits: Roster.Limits(keptDescriptors: 0, processesPerTarget: 9, targets: 3))
    #expect(
      eventually {
        roster.refresh()
        let standing = roster.targets.first { $0.kind == .rule }
        return roster.targets.count { !$0.members.isEmpty } == 2
          && standing?.troubles.keys.contains(Trouble(.target, .limit)) == true
      })
    withExtendedLifetime(children) {}
  }

  /// A target goes on over a reload as long as its name does.
  @Test func reloadsKeepTargets() throws {
    let child = try shell("x")
    var made = try rule("") { $0.commandLines = [try Pattern("(?<word>x)$")] }
    made.name = Template([.literal("made-"), .variable(.capture("word"))])
    let roster = try Roster.live([made])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("made-x") == [child.pid]
      })
    let target = try #require(roster.target("made-x"))
    let limits = Roster.Limits(keptDescriptors: 0, processesPerTarget: 9)
    made.selector.minimumAge = .zero
    roster.setRules([.name("other", "none"), made], limits)
    roster.refresh()
    #expect(roster.target("made-x") === target)
    #expect(roster.pids("made-x") == [child.pid])
    #expect(target.starts == 1)
    roster.setRules([.name("other", "none")], limits)
    roster.refresh()
    #expect(roster.targets.map(\.name) == ["other"])
  }

  /// Counts go on when a name changes between being written and coming from variables.
  @Test func namedAndMadeTargetsBecomeEachOther() throws {
    let child = try shell()
    var made = rule("") { _ in }
    made.name = Template([.variable(.comm)])
    let named = rule(name) { _ in }
    let limits = Roster.Limits(keptDescriptors: 0, processesPerTarget: 9)
    let roster = try Roster.live([made])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids(name) == [child.pid]
      })
    let target = try #require(roster.target(name))
    let starts = target.starts
    for (rules, kind) in [([named], Target.Kind.fixed), ([made], .made), ([named, made], .fixed)] {
      roster.setRules(rules, limits)
      roster.refresh()
      #expect(roster.targets.filter { $0.name == name }.map { $0 === target } == [true])
      #expect(target.kind == kind && !target.isOrphan)
      #expect(target.starts == starts && roster.pids(name) == [child.pid])
    }
    roster.setRules([.name("other", "none")], limits)
    #expect(roster.targets.map(\.name) == ["other"])
  }

  /// What only stands for a rule is not told of beside a target of the same name and labels.
  @Test func keysAreUnique() throws {
    let child = try shell()
    var first = rule("t") { _ in }
    first.labels = [
      .init("v", Template([.variable(.environment("PV_NONE"))])), .init("b", Template("1")),
    ]
    var second = rule("t") { _ in }
    second.labels = [.init("b", Template("1")), .init("a", Template("2"))]
    let roster = try Roster.live([first, second])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t") == [child.pid] || roster.targets.contains { !$0.members.isEmpty }
      })
    let shown = roster.targets.filter(\.isShown).map(\.key)
    #expect(Set(shown).count == shown.count)
    #expect(shown.allSatisfy { $0.labels.map(\.name) == $0.labels.map(\.name).sorted() })
  }

  /// One that runs for long already is a child from when its parent belongs to a target.
  @Test func parentsThatComeLater() throws {
    let child = try shell(forks: true)
    let file = scratch.file("pid")
    var selector = Selector(processNames: [Glob("sleep")])
    selector.parent = "outer"
    let roster = try Roster.live([
      Rule(name: "inner", selector: selector),
      Rule(name: "outer", selector: Selector(pidFile: file)),
    ])
    for _ in 0..<3 { roster.refresh() }
    #expect(
      eventually {
        (try? contents("/proc/\(child.pid)/task/\(child.pid)/children"))?.isEmpty == false
      })
    roster.refresh()
    try scratch.write("pid", "\(child.pid)\n")
    roster.refresh()
    #expect(roster.pids("outer") == [child.pid])
    #expect(roster.pids("inner").count == 1)
    for pid in roster.pids("inner") { kill(pid, SIGKILL) }
  }

  // MARK: Change

  /// A process that runs another program of the same name is looked at anew.
  @Test func execIsNoticed() throws {
    let line =
      "trap 'exec \(scratch.file(name)) -c \"sleep 60; : second\"' USR1; : first; sleep 60 & wait"
    _ = try shell()
    let child = try Child([scratch.file(name), "-c", line], input: nil)
    let roster = try Roster.live([
      try rule("second") { $0.commandLines = [try Pattern(": second$")] },
      try rule("first") { $0.commandLines = [try Pattern(": first")] },
    ])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("first") == [child.pid]
      })
    child.send(SIGUSR1)
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("second") == [child.pid] && roster.pids("first") == []
      })
  }

  @Test func explanationsNameTheFirstConditionThatFails() throws {
    let child = try shell("x")
    let roster = try Roster.live([
      Rule(name: "number", selector: Selector(pid: 1)),
      try rule("line") { $0.commandLines = [try Pattern("y$")] },
      rule("name") { _ in },
      try rule("later") { $0.commandLines = [try Pattern("x$")] },
    ])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("name") == [child.pid]
      })
    let all = try roster.explain(until: .now + .seconds(30))
    #expect(all.count > 1)
    let own = try #require(all.first { $0.pid == child.pid })
    #expect(own.rules == [.fails(.pid), .fails(.commandLine), .fits, .fits])
    #expect(own.target?.key == TargetKey(name: "name"))
  }
}

/// A control group of this test, removed again when nothing runs in it any more.
private final class OwnGroup {
  let path: String
  private let made: [String]

  init(_ name: String) throws {
    let top = "/sys/fs/cgroup"
    let isVersion2 = access("\(top)/cgroup.controllers", F_OK) == 0
    var path = isVersion2 ? top : top + "/unified"
    var made: [String] = []
    for part in name.split(separator: "/") {
      path += "/" + part
      guard mkdir(path, 0o755) == 0 else { throw Errno(errno) }
      made.append(path)
    }
    (self.path, self.made) = (path, made)
  }

  deinit {
    for directory in made.reversed() {
      _ = eventually { rmdir(directory) == 0 || errno == ENOENT }
    }
  }
}
