import Arguments
import Collector
import Foundation
import Linux
import Targets
import Testing

@testable import procvitals

private func settings(_ source: SourceOptions) throws -> CollectorSettings {
  try source.settings(source.configurationFile, ownPid: source.ownPid).collector
}

/// The command of a command line, without process-exporter's words.
func parsed<C: Command>(_ arguments: [String], as type: C.Type = C.self) throws -> C? {
  guard case .run(let command) = try Procvitals.program.parse(arguments) else { return nil }
  return command as? C
}

/// What the program would write to standard error, without "procvitals: ".
private func complaint(_ arguments: [String]) -> String? {
  do {
    guard case .run(let command) = try Procvitals.program.parse(arguments) else { return nil }
    switch command {
    case let serve as Serve:
      try serve.web.check()
      _ = try serve.web.addresses()
      _ = try settings(serve.source)
      try serve.source.checkMounts()
    case let check as Check: _ = try settings(check.source)
    case let once as Once: _ = try settings(once.source)
    default: break
    }
    return nil
  } catch let failure as Failure {
    #expect(failure.code == 2)
    return failure.description
  } catch {
    #expect(error is ArgumentError)
    return "\(error)"
  }
}

@Suite struct OptionsTests {
  private static let forms = "expected HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH or vsock://:PORT"

  static let wrong: [([String], String)] = [
    (["--web.listen-address", ""], "--web.listen-address=: \(forms)"),
    (["--web.listen-address=9656"], "--web.listen-address=9656: there is no port; \(forms)"),
    (
      ["--web.listen-address=:http"],
      "--web.listen-address=:http: \"http\" is not a port; expected a number from 0 to 65535"
    ),
    (
      ["--web.listen-address=:0", "--web.listen-address", "127.0.0.1:65536"],
      "--web.listen-address=127.0.0.1:65536: \"65536\" is not a port; expected a number from 0 to"
        + " 65535"
    ),
    (
      ["--web.listen-address=example.org:80"],
      "--web.listen-address=example.org:80: \"example.org\" is not an address; expected an IPv4"
        + " address, [an IPv6 address] or localhost"
    ),
    (
      ["--web.listen-address=unix:/" + String(repeating: "x", count: 107)],
      "--web.listen-address=unix:/\(String(repeating: "x", count: 107)): the path is too long;"
        + " expected at most 107 bytes"
    ),
    (
      ["--web.telemetry-path=metrics"],
      "--web.telemetry-path=metrics: expected a path like /metrics"
    ),
    (["--web.telemetry-path=/"], "--web.telemetry-path=/: expected a path like /metrics"),
    (["--web.telemetry-path", ""], "--web.telemetry-path=: expected a path like /metrics"),
    (["--web.max-requests=0"], "--web.max-requests=0: expected a number from 1 to 100000"),
    (["--web.max-requests=-1"], "--web.max-requests=-1: expected a number from 1 to 100000"),
    (
      ["--web.max-connections=100001"],
      "--web.max-connections=100001: expected a number from 1 to 100000"
    ),
    (
      ["--web.read-timeout=10"],
      "--web.read-timeout=10: expected a duration from 100ms to 1h, for example 10s or 1m30s"
    ),
    (
      ["--web.idle-timeout=2h"],
      "--web.idle-timeout=2h: expected a duration from 100ms to 1h, for example 10s or 1m30s"
    ),
    (
      ["--web.write-timeout=1ms"],
      "--web.write-timeout=1ms: expected a duration from 100ms to 1h, for example 10s or 1m30s"
    ),
    (
      ["--path.procfs=/nonexistent"],
      "--path.procfs=/nonexistent: cannot be opened: No such file or directory; expected a mounted"
        + " proc file system"
    ),
    (
      ["--target", "web=pid:0"],
      "--target \"web=pid:0\": pid: expected a whole number from 1 to 4194304, found \"0\""
    ),
    (
      ["check", "--target=web=pid:x"],
      "--target \"web=pid:x\": pid: expected a whole number from 1 to 4194304, found \"x\""
    ),
  ]

  @Test(arguments: wrong)
  func wrongValue(arguments: [String], expected: String) {
    #expect(complaint(arguments) == expected)
  }

  /// The parser's own messages name the option and the value.
  @Test(arguments: [
    (["--web.max-requests=many"], ["many", "--web.max-requests"]),
    (["--log.level=loud"], ["loud", "--log.level", "debug", "error"]),
    (["--log.format=xml"], ["xml", "--log.format", "logfmt", "json"]),
    (["once", "--format=yaml"], ["yaml", "--format", "text"]),
    (["--web.listen-adress=:1"], ["--web.listen-adress"]), (["serv"], ["serv"]),
    (["--config.file"], ["--config.file"]), (["check", "--web.max-requests=1"], ["--web"]),
  ])
  func refusedByTheParser(arguments: [String], parts: [String]) throws {
    let message = try #require(complaint(arguments))
    for part in parts { #expect(message.contains(part)) }
  }

  @Test func configurationThatIsMissing() throws {
    let message = try #require(complaint(["check", "--config.file=/nonexistent.yaml"]))
    #expect(message.contains("/nonexistent.yaml"))
    #expect(message.contains("does not exist"))
  }

  @Test func everyErrorOfAConfiguration() throws {
    let path = NSTemporaryDirectory() + "procvitals-test-\(UUID().uuidString).yaml"
    try "targets:\n- name: a\n  pidd: 1\nlimit: {}\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let lines = try #require(complaint(["check", "--config.file=\(path)"])).split(separator: "\n")
    #expect(lines.count >= 2)
    #expect(lines.contains { $0.hasPrefix("\(path):3:3: ") })
    #expect(lines.contains { $0.hasPrefix("\(path):4:1: ") })
  }

  @Test func defaults() throws {
    let serve = try #require(try parsed([], as: Serve.self))
    #expect(try serve.web.addresses() == [.any(port: 9656)])
    #expect(serve.web.telemetryPath == "/metrics")
    #expect(serve.web.maxRequests == 40)
    #expect(serve.web.maxConnections == 512)
    #expect(!serve.web.enablesLifecycle)
    #expect(serve.source.procPath == "/proc")
    #expect(serve.log.level == .info && serve.log.format == .logfmt)
    #expect(serve.log.logger(try LogSink(.journal)).logLevel == .info)
    try serve.web.check()
    try serve.source.checkMounts()
  }

  @Test func severalAddressesInTheirOrder() throws {
    let serve = try #require(
      try parsed(
        [
          "serve", "--web.listen-address=127.0.0.1:1", "--web.listen-address", "unix:/run/p.sock",
          "--web.listen-address=[::1]:2", "--log.level=debug", "--log.format", "json",
        ], as: Serve.self))
    let loopback6 = [UInt8](repeating: 0, count: 15) + [1]
    #expect(
      try serve.web.addresses() == [
        .ipv4(0x7f00_0001, port: 1), .unix(path: "/run/p.sock"), .ipv6(loopback6, port: 2),
      ])
    #expect(serve.log.level == .debug && serve.log.format == .json)
    #expect(serve.log.logger(try LogSink(.journal)).logLevel == .debug)
  }

  /// Nothing is configured where the tests run, or this says nothing about the default.
  @Test(
    .enabled(if: !FileManager.default.fileExists(atPath: SourceOptions.defaultConfigFile)))
  func withoutTargetsTheDaemonWatchesItself() throws {
    let check = try #require(try parsed(["check"], as: Check.self))
    let own = try settings(check.source)
    #expect(own.targets.map(\.rule.name.description) == ["procvitals"])
    #expect(own.targets.map(\.rule.selector) == [Selector(pid: processID())])
    let given = try #require(
      try parsed(["check", "--target=web=pid:1"], as: Check.self))
    #expect(try settings(given.source).targets.map(\.rule.name.description) == ["web"])
  }

  @Test(arguments: [(["--version"], Version.text), (["serve", "--help"], "--web.listen-address")])
  func helpAndVersionAreNoErrors(arguments: [String], expected: String) throws {
    guard case .print(let text) = try Procvitals.program.parse(arguments) else {
      Issue.record("\(arguments) is not printed")
      return
    }
    #expect(text.contains(expected))
  }

  /// The fields of the table are lines and tabs; the manual page reads them.
  @Test func everyRowIsOneLine() throws {
    guard case .print(let table) = try Procvitals.program.parse(["--dump-options"]) else {
      Issue.record("there is no table")
      return
    }
    var names: Set<String> = []
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      switch fields[0] {
      case "program": #expect(fields.count == 4)
      case "command":
        #expect(fields.count == 3)
        names = []
      default:
        #expect(fields[0] == "option" && fields.count == 6 && fields[3].last == ".", "\(line)")
        for name in fields[1].split(separator: " ") {
          #expect(names.insert(String(name)).inserted, "\(name) twice")
        }
      }
    }
  }

  /// All that `--help` says that an option takes when it is not given is what it takes then.
  @Test func defaultsAreValues() throws {
    guard case .print(let table) = try Procvitals.program.parse(["--dump-options"]) else { return }
    var command = ""
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      if fields[0] == "command" { command = fields[1] }
      guard fields[0] == "option", !fields[5].isEmpty else { continue }
      #expect(throws: Never.self) {
        try Procvitals.program.parse([command, "\(fields[1])=\(fields[5])"])
      }
    }
  }
}
