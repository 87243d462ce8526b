import Collector
import Config
import Metrics
import Targets
import Testing

@Suite struct SettingsTests {
  @Test(arguments: ["", "# nothing\n", "targets: []", "{}", "limits: {}", "defaults: {}"])
  func emptyMeansDefaults(text: String) throws {
    let configuration = try parse(text)
    #expect(configuration.collector == CollectorSettings(targets: []))
    #expect(configuration.defaultSelection == Selection())
    #expect(configuration.collector.limits.targets == 10_000)
  }

  @Test func documentedExample() throws {
    let configuration = try parse(
      """
      defaults:
        collect: [default]
      targets:
        - name: checkout
          pid_file: /run/checkout/checkout.pid
          labels: {service: checkout}
          collect: [default, io, sched]
        - name: nginx
          process_name: nginx
          children: true
        - name: "postgres"
          match:
            exe: /usr/lib/postgresql/*/bin/postgres
            process_name: [postgres, "postgres-*"]
          labels: {port: "5432", tier: db}
      limits: {targets: 100, kept_descriptors: 0, processes_per_target: 7, threads_per_process: 8}
      """)
    let expected = [
      TargetSettings(
        rule: Rule(
          name: "checkout", labels: [Rule.LabelTemplate("service", Template("checkout"))],
          selector: Selector(pidFile: "/run/checkout/checkout.pid")),
        selection: Selection(groups: [.io, .sched])),
      TargetSettings(
        rule: Rule(
          name: "nginx", selector: Selector(processNames: [Glob("nginx")]), includesChildren: true)),
      TargetSettings(
        rule: Rule(
          name: "postgres",
          labels: [
            Rule.LabelTemplate("port", Template("5432")),
            Rule.LabelTemplate("tier", Template("db")),
          ],
          selector: Selector(
            processNames: [Glob("postgres"), Glob("postgres-*")],
            executables: [Glob("/usr/lib/postgresql/*/bin/postgres")]))),
    ]
    #expect(configuration.collector.targets == expected)
    #expect(
      configuration.collector.limits
        == CollectorLimits(
          keptDescriptors: 0, targets: 100, processesPerTarget: 7, threadsPerProcess: 8))
  }

  @Test func budgets() throws {
    let configuration = try parse(
      """
      limits:
        pss_bytes_per_scrape: 1048576
        pss_bytes_per_process: 7
        info_series_per_target: 3
      """)
    #expect(
      configuration.collector.limits
        == CollectorLimits(
          pssBytesPerScrape: 1 << 20, pssBytesPerProcess: 7, infoSeriesPerTarget: 3))
    #expect(throws: ConfigError.self) { try parse("limits: {pss_bytes_per_scrape: 1}") }
    #expect(throws: ConfigError.self) { try parse("limits: {info_series_per_target: 0}") }
  }

  @Test func defaultsHoldWhereverTheyStand() throws {
    let configuration = try parse(
      """
      targets:
        - {name: a, pid: 1}
        - {name: b, pid: 1, collect: []}
      defaults: {collect: [cpu]}
      """)
    let cpu = Selection(includesDefault: false, groups: [.cpu])
    #expect(configuration.defaultSelection == cpu)
    #expect(
      configuration.collector.targets.map(\.selection)
        == [cpu, Selection(includesDefault: false)])
  }

  @Test(arguments: [
    ("name: 8080\n    pid: 4194304", "8080"), ("name: true\n    pid: 1", "true"),
    ("name: 'null'\n    pid: 1", "null"), ("name: \"\\u00e9\"\n    pid: 1", "é"),
    ("name: \(String(repeating: "n", count: 128))\n    pid: 1", String(repeating: "n", count: 128)),
  ])
  func namesAreTakenAsWritten(entry: String, name: String) throws {
    let configuration = try parse("targets:\n  - \(entry)\n")
    #expect(configuration.collector.targets.map(\.rule.name.description) == [name])
  }

  @Test(arguments: [
    ("process_name: 123456789012345", ["123456789012345"]),
    ("process_name: '*12345678901234?'", ["*12345678901234?"]),
    ("process_name: [a, b]", ["a", "b"]),
  ])
  func processNames(entry: String, expected: [String]) throws {
    let configuration = try parse("targets: [{name: a, \(entry)}]")
    #expect(
      configuration.collector.targets.map { $0.rule.selector.processNames.map(\.description) }
        == [expected])
  }

  @Test func instanceAndJobAreAllowedAsLabels() throws {
    let configuration = try parse("targets: [{name: a, pid: 1, labels: {instance: i, job: 7}}]")
    #expect(
      configuration.collector.targets.first?.rule.labels == [
        Rule.LabelTemplate("instance", Template("i")), Rule.LabelTemplate("job", Template("7")),
      ])
  }
}
