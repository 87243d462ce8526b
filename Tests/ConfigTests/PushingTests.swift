import Collector
import Metrics
import OTLP
import Testing

@testable import Config

@Suite struct PushingTests {
  @Test func nothingIsPushedByDefault() throws {
    #expect(try parse("").pushing == Pushing())
    #expect(try parse("otlp: {}").pushing.settings.receiver == nil)
  }

  @Test func anEndpointIsEnough() throws {
    let pushing = try parse("otlp: {endpoint: 'http://127.0.0.1:4318'}").pushing
    var settings = Settings()
    settings.receiver = try Settings.Receiver("http://127.0.0.1:4318")
    #expect(pushing.settings == settings)
    #expect(pushing.page == Push())
    #expect(settings.interval == .seconds(15) && settings.timeout == .seconds(10))
    #expect(settings.isCompressed && !settings.encryption.skipsVerification)
  }

  private let all = """
    otlp:
      endpoint: https://collector.example/base
      interval: 1m30s
      timeout: 500ms
      headers: {Authorization: "Bearer abc", X_a-1: ""}
      header_files: {X-B: /run/b}
      compression: none
      ca_file: /a.pem
      cert_file: /c.pem
      key_file: /k.pem
      server_name: other.example
      insecure_skip_verify: true
      resource_attributes: {host.name: me, "a b": c}
      older_go_names: true

    """

  @Test func everything() throws {
    let pushing = try parse(all).pushing
    var settings = Settings()
    settings.receiver = try Settings.Receiver("https://collector.example/base")
    settings.interval = .seconds(90)
    settings.timeout = .milliseconds(500)
    settings.fields = [
      Settings.Field("Authorization", "Bearer abc"), Settings.Field("X_a-1", ""),
    ]
    settings.fieldFiles = [Settings.Field("X-B", "/run/b")]
    settings.isCompressed = false
    settings.encryption.authorityFile = "/a.pem"
    settings.encryption.certificateFile = "/c.pem"
    settings.encryption.keyFile = "/k.pem"
    settings.encryption.serverName = "other.example"
    settings.encryption.skipsVerification = true
    #expect(pushing.settings == settings)
    #expect(
      pushing.page
        == Push(
          attributes: [Label("host.name", "me"), Label("a b", "c")], hasOlderGoNames: true))
  }

  @Test func itStaysWithTargetsOfTheCommandLine() throws {
    var configuration = try parse(all)
    let before = configuration.pushing
    try configuration.add(targetArguments: ["a=pid:7"])
    #expect(configuration.pushing == before)
  }

  @Test func secretsAreNotShown() throws {
    let settings = Dictionary(uniqueKeysWithValues: try parse(all).settings)
    #expect(settings["otlp.headers"] == "{Authorization: <secret>, X_a-1: <secret>}")
    #expect(settings["otlp.header_files"] == "{X-B: /run/b}")
    #expect(settings["otlp.endpoint"] == "https://collector.example/base")
    #expect(settings["otlp.compression"] == "none")
    #expect(!settings.values.contains { $0.contains("abc") })
  }

  @Test(
    arguments: [
      ("endpoint: collector:4318", "begin it with http:// or https://"),
      ("endpoint: 'http://u:s3cret@a'", "a password in the URL would be seen"),
      ("endpoint: 'http://a:0'", "a port is 1 to 65535"),
      ("endpoint: 'http://'", "expected a URL such as http://127.0.0.1:4318"),
      ("interval: 10s", "otlp has no endpoint"),
      ("endpoint: 'http://a', interval: 999ms", "expected a duration from 1s to 1h"),
      ("endpoint: 'http://a', timeout: 0", "expected a duration"),
      ("endpoint: 'http://a', compression: zstd", "expected gzip or none"),
      ("endpoint: 'http://a', headers: s3cret", "expected a mapping of names to secrets"),
      ("endpoint: 'http://a', headers: [s3cret]", "expected a mapping of names to secrets"),
      ("endpoint: 'http://a', headers: {'a b': s3cret}", "cannot be the name of a header"),
      ("endpoint: 'http://a', headers: {Host: s3cret}", "is set by the daemon itself"),
      ("endpoint: 'http://a', headers: {A: \"s3cret\\nB: c\"}", "without control characters"),
      ("endpoint: 'http://a', headers: {A: [s3cret]}", "has to be a text"),
      ("endpoint: 'http://a', header_files: {A: b}", "expected an absolute path"),
      ("endpoint: 'https://a', cert_file: /a", "needs both cert_file and key_file"),
      ("endpoint: 'http://a', ca_file: /a", "its endpoint begins with http://"),
      ("endpoint: 'http://a', insecure_skip_verify: true", "its endpoint begins with http://"),
      ("endpoint: 'http://a', resource_attributes: {service.name: x}", "different for each target"),
      ("endpoint: 'http://a', resource_attributes: {process.pid: x}", "different for each target"),
      ("endpoint: 'http://a', resource_attributes: {a: [b]}", "expected a text"),
    ])
  func mistakes(keys: String, words: String) throws {
    #expect {
      try parse("otlp: {\(keys)}")
    } throws: { error in
      let text = "\(error)"
      let isOne = (error as? ConfigError)?.total == 1
      return isOne && text.contains(words) && text.contains(":1:") && !text.contains("s3cret")
    }
  }
}
