import HTTPServer
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Config

/// The directory of a web configuration and what it names.
private final class Desk {
  let directory: TemporaryDirectory
  var path: String { directory.path + "/web.yml" }

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["server.crt", "server.key", "client_selfsigned.pem"] { try write(name, name) }
  }

  func write(_ name: String, _ text: String) throws {
    try writeFile(directory.path + "/" + name, Array(text.utf8))
  }

  func read(_ text: String) throws -> WebConfigurationFiles.Outcome {
    try write("web.yml", text)
    var files = WebConfigurationFiles(path: path)
    return files.read()
  }

  /// What is wrong with a text, `LINE:COLUMN: message`, with the directory as `/D`.
  func problems(_ text: String) throws -> [String] {
    switch try read(text) {
    case .success: return []
    case .failure(let error):
      return error.description.split(separator: "\n").map {
        String($0.replacing(path + ":", with: "", maxReplacements: 1))
          .replacing(directory.path, with: "/D")
      }
    }
  }

  func configuration(_ text: String) throws -> WebConfiguration { try read(text).get() }
}

@Suite struct WebConfigurationTests {
  @Test(arguments: WebVerdict.corpus + WebVerdict.more + WebVerdict.deviations)
  func verdicts(expected: WebVerdict) throws {
    let problems = try Desk().problems(expected.text)
    guard let phrase = expected.phrase else {
      #expect(problems == [], "\(expected.name)")
      return
    }
    #expect(
      problems.contains {
        $0.hasPrefix(expected.place + ":") || expected.place.isEmpty ? $0.contains(phrase) : false
      },
      "\(expected.name): \(problems)")
  }

  @Test func aFileThatIsNotThere() throws {
    let desk = try Desk()
    var files = WebConfigurationFiles(path: desk.directory.path + "/nonexistent")
    guard case .failure(let error) = files.read() else { return #expect(Bool(false)) }
    #expect(
      error.description
        == "\(desk.directory.path)/nonexistent: cannot read the file: no such file or"
        + " directory; create it, or name another one with --web.config.file")
  }

  @Test func whatIsRead() throws {
    let desk = try Desk()
    let configuration = try desk.configuration(
      """
      tls_server_config:
        cert_file: server.crt
        key_file: \(desk.directory.path)/server.key
        cert: not this
        client_ca: inline
        client_auth_type: VerifyClientCertIfGiven
        client_allowed_sans: [one, 2]
        min_version: TLS12
        max_version: TLS12
        cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
        prefer_server_cipher_suites: no
        curve_preferences: [X25519, CurveP256]
      http_server_config:
        http2: false
        headers:
          X-XSS-Protection: 1
          Content-Security-Policy: |
            default-src 'self';
            img-src *
      basic_auth_users: {"é": $2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu}
      rate_limit: {interval: 1.5s, burst: 20}
      """)
    var tls = TLSSettings(
      certificateChain: Array("server.crt".utf8), privateKey: Secret(Array("server.key".utf8)))
    tls.clientAuthorities = Array("inline".utf8)
    tls.clientAuthentication = .verifyIfGiven
    tls.allowedClientNames = ["one", "2"]
    tls.maximumVersion = .tls12
    tls.cipherSuites = [.rsaAES128GCM]
    tls.prefersServerCiphers = false
    tls.curves = [.x25519, .p256]
    #expect(configuration.tls == tls)
    #expect(!configuration.http2)
    #expect(
      configuration.gate.fields == [
        GateSettings.Field("X-XSS-Protection", "1"),
        GateSettings.Field("Content-Security-Policy", "default-src 'self'; img-src *"),
      ])
    #expect(Array(configuration.gate.users.keys) == [Array("é".utf8)])
    #expect(
      configuration.rateLimit == RateLimit(interval: .milliseconds(1500), burst: 20))
  }

  @Test func theDefaults() throws {
    let desk = try Desk()
    #expect(try desk.configuration("") == WebConfiguration())
    let tls = try #require(try desk.configuration(WebVerdict.pair).tls)
    #expect(tls.minimumVersion == .tls12 && tls.maximumVersion == .tls13)
    #expect(tls.clientAuthentication == .none && tls.clientAuthorities == nil)
    #expect(tls.prefersServerCiphers && tls.cipherSuites.isEmpty && tls.curves.isEmpty)
  }

  /// Neither passwords nor keys, whoever prints whatever.
  @Test func secretsAreNotShown() throws {
    let desk = try Desk()
    try desk.write("server.key", "GEHEIM")
    let configuration = try desk.configuration(
      WebVerdict.pair
        + "basic_auth_users: {x: $2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu}")
    var text = "\(configuration) \(String(reflecting: configuration))"
    dump(configuration, to: &text)
    #expect(!text.contains("71, 69, 72") && !text.contains("GEHEIM"))
    #expect(!text.contains("113, 82, 84") && !text.contains("qRTB"))
    #expect(text.contains("<secret>"))
    // What was meant to be a hash may be the password itself.
    let problems = try desk.problems("basic_auth_users: {x: Geheim-Geheim}")
    #expect(problems.count == 1 && !problems.joined().contains("Geheim"))
    for text in [
      "alice:Geheim", "\"alice:Geheim\"", "basic_auth_users: alice:Geheim",
      "basic_auth_users: [Geheim]",
      "basic_auth_users: {alice:Geheim}", "basic_auth_users: {alice: [Geheim]}",
      "basic_auth_users: {alice: &Geheim x}", "basic_auth_users: {alice: *Geheim}",
      "basic_auth_users: {alice: !Geheim x}", "tls_server_config: Geheim",
      "tls_server_config: {cert: [Geheim], key: {Geheim: x}}",
      "tls_server_config: {cert_file: server.crt, key_file: '-----BEGIN PRIVATE KEY----- Geheim'}",
    ] {
      let problems = try desk.problems(text).joined()
      #expect(!problems.isEmpty && !problems.contains("Geheim"), "\(text): \(problems)")
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("1ns", 1), ("1us", 1_000), ("1µs", 1_000), ("1μs", 1_000), ("1ms", 1_000_000),
      ("1s", 1_000_000_000), ("1m", 60_000_000_000), ("1h", 3_600_000_000_000),
      ("+5s", 5_000_000_000), ("-5s", -5_000_000_000), ("1.5h", 5_400_000_000_000),
      (".5s", 500_000_000), ("5.s", 5_000_000_000), ("1h2m3.004s", 3_723_004_000_000),
      ("0.3333333333333333333h", 1_199_999_999_999), ("0.9ns", 0), ("-0", 0), ("0s", 0),
      ("1.00000000000000000000000001s", 1_000_000_000),
      ("9223372036854775807ns", Int64.max), ("9223372036854775808ns", nil),
      ("3000000h", nil), ("99999999999999999999s", nil), ("", nil), ("-", nil), ("3", nil),
      ("s", nil), (".s", nil), ("1x", nil), ("1s ", nil), (" 1s", nil), ("1.2.3s", nil),
      ("1s1", nil), ("--1s", nil), ("1S", nil), ("µs", nil), ("1e3s", nil),
    ] as [(String, Int64?)])
  func durations(text: String, nanoseconds: Int64?) {
    #expect(
      goDuration(text).map { $0.components.seconds } == nanoseconds.map { $0 / 1_000_000_000 })
    #expect(goDuration(text) == nanoseconds.map { .nanoseconds($0) })
  }

  @Test(arguments: [
    ("http_server_config: {headers: {X-XSS-Protection: \"a\\0b\"}}", "without control characters"),
    ("http_server_config: {headers: [X-XSS-Protection]}", "cannot unmarshal headers"),
    ("tls_server_config: {cert: [x], key: y}", "cannot unmarshal cert: expected a text"),
    ("tls_server_config: {client_allowed_sans: []}", "at least one name"),
    ("rate_limit: {interval: 1s, burst: -1}", "cannot unmarshal burst"),
    ("basic_auth_users: {a: $2x$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu}", "$2y$"),
    (
      "basic_auth_users: {a: $3y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu}", "newer"
    ),
    (
      "basic_auth_users: {a: $2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTu!}",
      "53 letters"
    ),
    (
      "basic_auth_users: {a: $2y$1a$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu}",
      "two digits"
    ),
    (
      "basic_auth_users: {a: x$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTu}",
      "start with '$'"
    ),
    ("basic_auth_users:\n  a: b\n c: d", "expected the next key"),
    ("tls_server_config: {cert_file: /dev/null, key_file: /proc}", "expected a regular file"),
  ])
  func refusals(text: String, phrase: String) throws {
    let problems = try Desk().problems(text)
    #expect(problems.contains { $0.contains(phrase) }, "\(problems)")
  }

  @Test func filesHaveABound() throws {
    let desk = try Desk()
    let full = String(repeating: "#", count: Limits.webFileBytes)
    #expect(try desk.problems(full) == [])
    #expect(
      try desk.problems(full + "#")
        == ["cannot read the file: the file is longer than \(Limits.webFileBytes) bytes"].map {
          " " + $0
        })
    try desk.write("server.key", full + "#")
    #expect(try desk.problems(WebVerdict.pair).count == 1)
  }

  /// Any text is a configuration or has problems; nothing else happens.
  @Test func hostileTexts() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let desk = try Desk()
    let texts = WebVerdict.corpus.map(\.text) + WebVerdict.more.map(\.text)
    for _ in 0..<400 {
      let text = generator.mutated(Array((texts.randomElement(using: &generator) ?? "").utf8))
      try writeFile(desk.path, text)
      var files = WebConfigurationFiles(path: desk.path)
      if case .failure(let error) = files.read() { #expect(error.total > 0, "seed \(seed)") }
    }
  }
}

@Suite struct WebConfigurationFilesTests {
  private func describe(_ outcome: WebConfigurationFiles.Outcome?) -> String {
    switch outcome {
    case nil: "same"
    case .success(let configuration):
      configuration.tls.map { String(decoding: $0.privateKey.bytes, as: UTF8.self) } ?? "plain"
    case .failure: "bad"
    }
  }

  /// Changes within one tick of a file system's clock show as well.
  @Test func everyChangeShows() throws {
    let desk = try Desk()
    var files = WebConfigurationFiles(path: desk.path)
    #expect(describe(files.read()) == "bad")
    try desk.write("web.yml", WebVerdict.pair)
    #expect(describe(files.check()) == "server.key")
    for round in 0..<200 {
      try desk.write("server.key", "key \(round % 10)")
      #expect(describe(files.check()) == "key \(round % 10)")
    }
    removeTree(desk.directory.path + "/server.crt")
    #expect(describe(files.check()) == "bad")
    try desk.write("server.crt", "again")
    #expect(describe(files.check()) == "key 9")
    removeTree(desk.path)
    #expect(describe(files.check()) == "bad")
    for text in ["", "# soon\n", "---\n"] {
      try desk.write("web.yml", text)
      #expect(describe(files.check()) == "bad")
    }
    try desk.write("web.yml", "{}")
    #expect(describe(files.check()) == "plain")
  }

  /// A configuration that protects less may be one that is just being written.
  @Test func lessProtectionHasToLast() throws {
    let desk = try Desk()
    let hash = "$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu"
    let users = "basic_auth_users: {x: \(hash)}\n"
    try desk.write("web.yml", users)
    var files = WebConfigurationFiles(path: desk.path)
    _ = files.read()
    final class Done: Sendable { let flag = Atomic(false) }
    let done = Done()
    let path = desk.path
    // A writer that never comes to an end, with and without users.
    let writer = try Thread(name: "writer") {
      var round = 0
      while !done.flag.load(ordering: .relaxed) {
        round += 1
        try? writeFile(path, Array("basic_auth_users:\n# \(round)\n".utf8))
      }
    }
    for _ in 0..<2 {
      if case .success(let read) = files.check() { #expect(!read.gate.users.isEmpty) }
    }
    done.flag.store(true, ordering: .relaxed)
    writer.join()
    try desk.write("web.yml", "basic_auth_users:\n")
    #expect(try files.check()?.get().gate.users.isEmpty == true)
    // More protection holds at once, and so does the same with other content.
    try desk.write("web.yml", users)
    #expect(try files.check()?.get().gate.users.count == 1)
  }

  /// A file that has just changed may change again and look the same: where clocks of file systems
  /// tick in steps of 2 s, what is younger is read, although it is what it was.
  @Test(
    arguments: [
      (-1_000_000_000, true), (0, true), (2_000_000_000, true), (2_000_000_001, false),
    ] as [(Int64, Bool)])
  func youngFilesAreRead(ageNanoseconds: Int64, isRead: Bool) throws {
    let desk = try Desk()
    try desk.write("web.yml", WebVerdict.pair)
    let names = ["web.yml", "server.key", "server.crt"].map { desk.directory.path + "/" + $0 }
    let changed = try names.map { try fileFacts($0).changedNanoseconds }
    let youngest = try #require(changed.max())
    var files = WebConfigurationFiles(path: desk.path) { youngest + ageNanoseconds }
    #expect(describe(files.read()) == "server.key")
    for _ in 0..<3 { #expect(describe(files.check()) == (isRead ? "server.key" : "same")) }
    // Each of them counts.
    let oldest = try #require(changed.min())
    files = WebConfigurationFiles(path: desk.path) { oldest + 2_000_000_001 }
    _ = files.read()
    #expect((describe(files.check()) == "same") == (oldest == youngest))
  }

  /// Files that were left alone for a while are not read.
  @Test func nothingIsReadForNothing() throws {
    let desk = try Desk()
    try desk.write("web.yml", WebVerdict.pair)
    var files = WebConfigurationFiles(path: desk.path)
    _ = files.read()
    #expect(eventually { describe(files.check()) == "same" })
    #expect(describe(files.check(isForced: true)) == "server.key")
    #expect(describe(files.check()) == "same")
    try desk.write("server.key", "other key!")
    #expect(describe(files.check()) == "other key!")
  }
}
