import Collector
import Foundation
import HTTPServer
import Linux
import Patterns
import ProcFS
import Targets
import TestSupport
import Testing

@testable import procvitals

private func key(_ name: String, _ labels: KeyValuePairs<String, String> = [:]) -> TargetKey {
  TargetKey(name: name, labels: labels.map { TargetKey.Label(name: $0.key, value: $0.value) })
}

/// What can be asked about targets over HTTP: `/probe`, `/sd` and `/api/v1/targets`.
@Suite struct TargetPagesTests {
  // MARK: /probe

  @Test(
    arguments: [
      ([("target", "a")], "a", [:]), ([("x", "1"), ("target", "a")], "a", ["x": "1"]),
      // The first one counts.
      ([("target", "a"), ("x", "1"), ("x", "2")], "a", ["x": "1"]),
      ([("target", "a"), ("name[]", "up"), ("collect[]", "io"), ("exclude[]", "")], "a", [:]),
      ([("target", "a"), ("x", "")], "a", ["x": ""]),
      ([("target", "a b\"é"), ("", "")], "a b\"é", ["": ""]),
      ([], nil, [:]), ([("target", "")], nil, [:]), ([("Target", "a")], nil, [:]),
      ([("target", ""), ("target", "a")], nil, [:]),
      ([("target", "a"), ("target", "b")], nil, [:]),
      ([("target", "a"), ("target", "a")], nil, [:]),
    ] as [([(String, String)], String?, [String: String])])
  func queries(query: [(String, String)], name: String?, labels: [String: String]) throws {
    let noPrefix = try self.noPrefix
    let items = query.map { (name: $0.0, value: $0.1) }
    guard let name else {
      #expect(throws: PageQuery.Failure.self) { try ProbeQuery(items, noPrefix) }
      return
    }
    let probe = try ProbeQuery(items, noPrefix).probe
    #expect(probe.name == name)
    #expect(Dictionary(uniqueKeysWithValues: probe.labels.map { ($0.name, $0.value) }) == labels)
  }

  private var noPrefix: WebPaths {
    get throws { try WebPaths(externalURL: nil, routePrefix: nil) }
  }

  @Test func parametersAreBounded() throws {
    let noPrefix = try self.noPrefix
    func query(_ count: Int) -> [(name: String, value: String)] {
      [("target", "a")] + (0..<count).map { ("l\($0)", "") }
    }
    #expect(try ProbeQuery(query(64), noPrefix).probe.labels.count == 64)
    #expect(throws: PageQuery.Failure.self) { try ProbeQuery(query(65), noPrefix) }
  }

  @Test func answersOfProbes() throws {
    let tree = try TestProc().process(7, name: "web").process(8, name: "db").process(9, name: "db2")
    func rule(_ name: String, _ comm: String, _ role: String? = nil) -> TargetSettings {
      let labels = role.map { [Rule.LabelTemplate("role", Template($0))] } ?? []
      return TargetSettings(
        rule: Rule(name: name, labels: labels, selector: Selector(processNames: [Glob(comm)])))
    }
    let collector = try collector(
      tree,
      [rule("web", "web"), rule("db&1", "db", "a"), rule("db&1", "db2", "b"), rule("no", "no")])
    func answer(
      _ name: String, _ role: String? = nil, prefix: String? = nil
    ) throws -> (code: Int, text: String) {
      let paths = try WebPaths(externalURL: nil, routePrefix: prefix)
      let probe = Probe(
        name: name, labels: role.map { [TargetKey.Label(name: "role", value: $0)] } ?? [])
      let wishes: Set<Wish> = [.probe(probe)]
      let report = Report(collector.collect(OwnState(version: "0"), wishes), wishes, paths)
      let response = Response.probe(probe, Form(), report, paths) { .text(.ok, $0) }
      return (response?.status.code ?? 0, String(decoding: response?.body ?? [], as: UTF8.self))
    }
    let web = try answer("web")
    #expect(web.code == 200 && web.text.hasPrefix("# HELP process_"))
    #expect(try answer("db&1", "a").code == 200)
    #expect(try answer("no") == (503, "The target \"no\" has no process.\n"))
    #expect(try answer("wbe") == (404, "There is no target \"wbe\"; did you mean \"web\"?\n"))
    #expect(try answer("zzzzz") == (404, "There is no target \"zzzzz\"; /sd lists them.\n"))
    #expect(
      try answer("db&1", "c")
        == (404, "There is no target \"db&1\" with role=\"c\"; /sd lists them.\n"))
    let (code, text) = try answer("db&1")
    #expect(code == 400 && text.contains("differ in role;"))
    #expect(text.contains(" /probe?target=db%261&role=…; /sd lists them"))
  }

  /// Paths in messages are those that lead there.
  @Test func pathsInMessages() throws {
    let paths = try WebPaths(externalURL: "https://h/x", routePrefix: "/y")
    let failure = #expect(throws: PageQuery.Failure.self) { try ProbeQuery([], paths) }
    #expect(failure?.sentence == "Expected /x/probe?target=NAME; /x/sd lists the targets.")
    let tree = try TestProc().process(7, name: "db").process(8, name: "db2")
    let collector = try collector(
      tree,
      ["db", "db2"].map {
        TargetSettings(
          rule: Rule(
            name: "db", labels: [Rule.LabelTemplate("comm", Template($0))],
            selector: Selector(processNames: [Glob($0)])))
      })
    for (name, expected) in [
      ("db", "like /x/probe?target=db&comm=…; /x/sd lists them.\n"),
      ("zzzzz", "There is no target \"zzzzz\"; /x/sd lists them.\n"),
    ] {
      let probe = Probe(name: name)
      let report = Report(
        collector.collect(OwnState(version: "0"), [.probe(probe)]), [.probe(probe)], paths)
      let response = Response.probe(probe, Form(), report, paths) { _ in .text(.ok, "") }
      let text = String(decoding: response?.body ?? [], as: UTF8.self)
      #expect(text.hasSuffix(expected), "\(text)")
    }
  }

  // MARK: /sd

  @Test(
    arguments: [
      ("h:1", ":2", "h:1"), ("h", ":2", "h:80"), ("h:", ":2", "h:80"), ("[::1]", ":2", "[::1]:80"),
      ("[::1]:9", ":2", "[::1]:9"), ("[::1]:", ":2", "[::1]:80"), (nil, ":2", "localhost:2"),
      (nil, "0.0.0.0:2", "localhost:2"), (nil, "10.0.0.1:2", "10.0.0.1:2"),
      (nil, "[::1]:2", "[::1]:2"), (nil, "unix:/s", "localhost:80"), ("", ":2", "localhost:2"),
    ] as [(String?, String, String)])
  func addresses(authority: String?, listening: String, expected: String) throws {
    let address = try ListenAddress(listening)
    #expect(ServiceDiscovery.address(authority: authority, listening: address) == expected)
  }

  @Test func entries() {
    let targets = [
      key("db", ["port": "1", "team": "x"]), key("db", ["port": "", "team": "x"]),
      key("we\"b\n\u{7f}", ["a": "\\"]),
    ]
    #expect(
      list(targets, Access(address: "h:1")) == """
        [{"targets":["h:1"],"labels":{"__metrics_path__":"/probe","__param_target":"db",\
        "__param_port":"1","target":"db","port":"1","team":"x"}},\
        {"targets":["h:1"],"labels":{"__metrics_path__":"/probe","__param_target":"db",\
        "target":"db","port":"","team":"x"}},\
        {"targets":["h:1"],"labels":{"__metrics_path__":"/probe",\
        "__param_target":"we\\"b\\n\\u007f","target":"we\\"b\\n\\u007f","a":"\\\\"}}]

        """)
    #expect(list([], Access(address: "h:1")) == "[]\n")
  }

  private func list(_ targets: [TargetKey], _ access: Access) -> String {
    String(decoding: ServiceDiscovery(targets).document(access), as: UTF8.self)
  }

  /// Each entry repeats the address, and each address is a document of its own.
  @Test func longAddressesAreRefused() throws {
    let name = String(repeating: "a", count: ServiceDiscovery.authorityLimit - 2)
    let address = try ListenAddress(":2")
    #expect(ServiceDiscovery.address(authority: name + ":1", listening: address) == name + ":1")
    #expect(ServiceDiscovery.address(authority: name + ":12", listening: address) == nil)
  }

  @Test func everyAddressHasItsList() throws {
    let tree = try TestProc().process(7, name: "web")
    let web = TargetSettings(
      rule: Rule(name: "web", selector: Selector(processNames: [Glob("web")])))
    let accesses = (0..<40).map { Access(address: "h\($0):1", isSecure: $0 % 2 == 1) }
    let wishes = Set(accesses.map(Wish.list) + [.page()])
    let report = Report(
      try collector(tree, [web]).collect(OwnState(version: "0"), wishes), wishes, try noPrefix)
    #expect(report.pages.count == 1)
    for access in accesses {
      let scheme = access.isSecure ? #""__scheme__":"https","# : ""
      #expect(
        String(decoding: report.document(.list(access)), as: UTF8.self) == """
          [{"targets":["\(access.address)"],"labels":{"__metrics_path__":"/probe",\(scheme)\
          "__param_target":"web","target":"web"}}]

          """)
    }
  }

  // MARK: /api/v1/targets

  private func collector(_ tree: TestProc, _ targets: [TargetSettings]) throws -> Collector {
    try Collector(
      root: try ProcRoot(
        path: tree.path,
        facts: SystemFacts(pageBytes: 4096, ticksPerSecond: 100, bootTicks: 170_000_000_000)),
      cgroups: CgroupTree(path: tree.cgroupPath),
      settings: CollectorSettings(targets: targets, limits: CollectorLimits(keptDescriptors: 0)),
      loop: try EventLoop(), waiter: try Waiter(), users: "\(tree.path)/etc/passwd")
  }

  private func targets(_ collector: Collector) -> [TargetDetails] {
    collector.collect(OwnState(version: "0"), [.details]).details
  }

  @Test func theWholeDocument() throws {
    let tree = try TestProc().process(7, name: "a\"\u{1}é").file("io", "x")
    var rule = Rule(
      name: "app", labels: [Rule.LabelTemplate("service", Template("shop"))],
      selector: Selector(pid: 7))
    rule.selector.environment = [.init(name: "TOKEN", value: Glob("hunter2"))]
    rule.exclusions = [Selector(processNames: [Glob("x*"), Glob("y")])]
    // Conditions that are not looked at in a tree would choose nothing.
    let real = Rule(
      name: "app", labels: rule.labels, selector: Selector(pid: 7), includesChildren: true)
    let settings = TargetSettings(
      rule: real, selection: Selection(includesDefault: false, groups: [.io]))
    let down = TargetSettings(rule: Rule(name: "down", selector: Selector(pid: 9)))
    let text = TargetsPage.text(targets(try collector(tree, [settings, down])))
    let process = #"{"pid":7,"start_time":1700000001.0,"name":"a\"\u0001é","inherited":false}"#
    let groups = #""core","cpu","memory","io","sched","cgroup","pressure","lifecycle""#
    #expect(
      text == """
        {"version":1,"targets":[{"name":"app","labels":{"service":"shop"},\
        "selectors":["pid: 7"],"exclude":[],"children":true,"per_process":false,\
        "groups":["io"],"up":true,"process_count":1,"processes":[\(process)],\
        "starts":1,"restarts":0,"exits":[],\
        "troubles":[{"source":"io","reason":"malformed","count":1,"standing":true}],"series":0},\
        {"name":"down","labels":{},"selectors":["pid: 9"],"exclude":[],"children":false,\
        "per_process":false,"groups":[\(groups)],"up":false,"process_count":0,"processes":[],\
        "starts":0,"restarts":0,"exits":[],\
        "troubles":[{"source":"process","reason":"gone","count":1,"standing":true}],"series":3}],\
        "omitted":0}

        """)
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
    #expect(rule.selector.words == ["pid: 7", "environment: TOKEN=<secret>"])
    #expect(rule.exclusions.map(\.words) == [["process_name: x* or y"]])
  }

  @Test func allConditionsInWords() throws {
    var selector = Selector(
      pid: 1, pidFile: "/p", processNames: [Glob("n?")], executables: [Glob("/e*")])
    selector.firstArguments = [Glob("arg")]
    selector.commandLines = [try Pattern("a.b"), try Pattern("c")]
    selector.users = [Glob("u")]
    selector.groups = [Glob("g")]
    selector.cgroups = [Glob("/c/*")]
    selector.units = [Glob("s.service")]
    selector.containers = [Glob("abc")]
    selector.listenPorts = [80, 443]
    selector.environment = [.init(name: "A", value: Glob("b"))]
    selector.parent = "init"
    selector.minimumAge = .seconds(30)
    #expect(
      selector.words == [
        "pid: 1", "pid_file: /p", "process_name: n?", "exe: /e*", "argv0: arg", "cmdline: a.b",
        "cmdline: c", "user: u", "group: g", "cgroup: /c/*", "systemd_unit: s.service",
        "container: abc", "listen_port: 80 or 443", "environment: A=<secret>", "parent: init",
        "min_age: 30.0 seconds",
      ])
    #expect(Selector().words.isEmpty)
  }

  @Test func theDocumentIsBounded() throws {
    let tree = try TestProc()
    for pid in Int32(1)...150 { try tree.process(pid) }
    let many = TargetSettings(
      rule: Rule(name: "many", selector: Selector(processNames: [Glob("*")])))
    let others = (0..<9).map {
      TargetSettings(rule: Rule(name: "none \($0)", selector: Selector(processNames: [Glob("no")])))
    }
    let details = targets(try collector(tree, [many] + others))
    #expect(details[0].processCount == 150 && details[0].processes.count == 100)
    let whole = TargetsPage.text(details)
    #expect(whole.hasSuffix("\"omitted\":0}\n"))
    let text = TargetsPage.text(details, byteLimit: whole.utf8.count - 500)
    #expect(text.hasSuffix("\"omitted\":1}\n") || text.hasSuffix("\"omitted\":2}\n"))
    #expect(text.utf8.count < whole.utf8.count - 400)
    #expect(
      TargetsPage.text(details, byteLimit: 10) == "{\"version\":1,\"targets\":[],\"omitted\":10}\n")
  }
}
