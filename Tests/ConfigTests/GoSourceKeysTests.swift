import Collector
import GoReports
import Targets
import Testing

@testable import Config

/// The keys `go`: where programs tell their own Go figures.
@Suite struct GoSourceKeysTests {
  private func targets(_ lines: String, before: String = "") -> String {
    before + "targets:\n- {name: a, process_name: a, \(lines)}\n"
  }

  private func settings(_ text: String) throws -> TargetSettings {
    try #require(try parse(text).collector.targets.first)
  }

  @Test func aURLSwitchesTheGroupOn() throws {
    let metrics = try settings(targets("go: {metrics: \"http://localhost:9090/metrics\"}"))
    #expect(metrics.rule.url == Template("http://localhost:9090/metrics"))
    #expect(metrics.goSource == GoSource(.metrics))
    #expect(metrics.selection == Selection(groups: [.go]))
    let expvar = try settings(
      targets(
        "collect: [io], go: {expvar: \"http://[::1]/debug/vars\", timeout: 2s, remote: true}"))
    #expect(expvar.goSource == GoSource(.expvar, allowsRemote: true, timeout: .seconds(2)))
    #expect(expvar.selection == Selection(includesDefault: false, groups: [.io, .go]))
    let none = try settings(targets("collect: [go]"))
    #expect(none.goSource == nil)
    #expect(none.rule.url == nil)
  }

  @Test func defaultsHoldWhereATargetDoesNotSayOtherwise() throws {
    let defaults = "defaults: {go: {timeout: 300ms, remote: true}}\n"
    let url = "go: {metrics: \"http://10.0.0.1/metrics\""
    let inherited = try settings(targets(url + "}", before: defaults))
    #expect(
      inherited.goSource == GoSource(.metrics, allowsRemote: true, timeout: .milliseconds(300)))
    let own = try settings(targets(url + ", timeout: 10ms}", before: defaults))
    #expect(own.goSource?.timeout == .milliseconds(10))
    let configuration = try parse(targets(url + "}", before: defaults))
    #expect(
      configuration.settings.contains { $0.path == "defaults.go.timeout" && $0.value == "300ms" })
    #expect(try settings(targets("collect: [go]", before: defaults)).goSource == nil)
  }

  @Test func urlsHaveTheVariablesOfLabels() throws {
    let text = targets(
      #"cmdline: '-p (?<port>\d+)', go: {expvar: "http://127.0.0.1:${port}/${unit}"}"#)
    #expect(
      try settings(text).rule.url
        == Template([
          .literal("http://127.0.0.1:"), .variable(.capture("port")), .literal("/"),
          .variable(.unit),
        ]))
  }

  @Test(arguments: [
    (
      #"go: {expvar: "http://127.0.0.1/a", metrics: "http://127.0.0.1/b"}"#,
      "2:65: go: expvar and metrics are both given; expected one of them, keep the one to take"
    ),
    ("go: {timeout: 1s}", "2:35: go: there is no URL; expected expvar or metrics beside this"),
    (
      #"go: {metrics: "http://10.0.0.1:80/"}"#,
      "2:35: go: \"10.0.0.1\" is not this machine; expected a loopback address, or remote: true if"
        + " the program runs there"
    ),
    (
      #"go: {metrics: "http://[2001:db8::1]/"}"#,
      "2:35: go: \"2001:db8::1\" is not this machine; expected a loopback address, or remote: true"
        + " if the program runs there"
    ),
    (
      #"go: {metrics: "http://me:secret@127.0.0.1/"}"#,
      "2:44: metrics: expected no user or password in a URL, where others would see them"
    ),
    (
      #"go: {expvar: "https://127.0.0.1/"}"#,
      "2:43: expvar: expected a URL, for example http://127.0.0.1:8080/debug/vars, found"
        + " the quoted text \"https://127.0.0.1/\"; programs are asked over http:// only"
    ),
    (
      #"go: {expvar: "127.0.0.1:80"}"#,
      "2:43: expvar: expected a URL, for example http://127.0.0.1:8080/debug/vars, found"
        + " the quoted text \"127.0.0.1:80\"; write http:// in front"
    ),
    (
      #"go: {metrics: "http://${comm}/"}"#,
      "2:44: metrics: expected a URL, for example http://127.0.0.1:8080/metrics, found"
        + " the quoted text \"http://${comm}/\"; the host is a name or an address without variables"
    ),
    (
      #"go: {metrics: "http://localhost:99999/"}"#,
      "2:44: metrics: expected a URL, for example http://127.0.0.1:8080/metrics, found"
        + " the quoted text \"http://localhost:99999/\"; a port is 1 to 65535"
    ),
    (
      #"go: {metrics: "http://localhost/é"}"#,
      "2:44: metrics: expected a URL, for example http://127.0.0.1:8080/metrics, found"
        + " the quoted text \"http://localhost/é\"; what is not ASCII is written as %XX"
    ),
    (
      #"go: {metrics: "http://localhost:${nope}/"}"#,
      "2:35: go.metrics: there is no variable ${nope}; expected"
    ),
    (
      #"go: {metrics: "http://localhost/${env.TOKEN}"}"#,
      "2:35: go.metrics: ${env.TOKEN} would show a variable of the environment"
    ),
    ("go: {timeout: 9ms}", "2:44: timeout: expected a duration from 10ms to 30s"),
    ("go: {url: x}", "2:35: unknown key \"url\""),
    ("go: true", "2:34: go: expected a mapping with expvar, metrics, remote or timeout, found"),
  ])
  func whatCannotBeMeant(lines: String, message: String) throws {
    let found = problems(targets(lines))
    let only = try #require(found.count == 1 ? found.first : nil, "\(found)")
    #expect(only.hasPrefix(message), "\(only)")
  }
}
