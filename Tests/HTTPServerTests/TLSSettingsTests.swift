import Foundation
import TLS
import Testing

@testable import HTTPServer

/// What `tls_server_config` means: certificates, keys, and who may come in.
@Suite struct TLSSettingsTests {
  private func problem(_ settings: TLSSettings) -> String? {
    do throws(ContextError) {
      _ = try settings.context()
      return nil
    } catch {
      return error.description
    }
  }

  @Test func goodOnes() {
    #expect(problem(TestCertificates.settings()) == nil)
    #expect(problem(TestCertificates.settings("rsa")) == nil)
    // Everything in one file, as some tools write it; what is not wanted is passed over.
    let file = TestCertificates.file("server.key") + [10] + TestCertificates.file("server.pem")
    #expect(
      problem(TLSSettings(certificateChain: file, privateKey: Secret(file))) == nil)
  }

  @Test func theFirstCertificateThatExpires() throws {
    let now = Date().timeIntervalSince1970
    func left(_ settings: TLSSettings) throws -> Double {
      try #require(try settings.context().expirationSeconds) - now
    }
    #expect((1.9...2.1 ~= (try left(TestCertificates.settings())) / 86_400))
    #expect((try left(TestCertificates.settings("expired"))) < 0)
    // One that stands for another on the way to the authority is no better.
    let chain = TestCertificates.settings {
      $0.certificateChain += TestCertificates.file("expired.pem")
    }
    #expect((try left(chain)) < 0)
  }

  @Test(arguments: [
    ("server.pem", "rsa.key", "tls: private key does not match public key"),
    ("rsa.pem", "server.key", "tls: private key does not match public key"),
    ("server.pem", "client.key", "tls: private key does not match public key"),
    ("", "server.key", "tls: failed to find any PEM data in certificate input"),
    ("server.key", "server.key", "tls: failed to find any PEM data in certificate input"),
    ("server.pem", "", "tls: failed to find a private key in the key input: "),
    ("server.pem", "server.pem", "tls: failed to find a private key in the key input: "),
    ("server.pem", "locked.key", "tls: failed to find a private key in the key input: "),
    ("broken", "server.key", "tls: failed to parse the certificate: "),
    ("server.pem", "broken", "tls: failed to find a private key in the key input: "),
  ])
  func badOnes(certificate: String, key: String, expected: String) throws {
    func bytes(_ name: String) -> [UInt8] {
      if name != "broken" { return TestCertificates.file(name) }
      let kind = certificate == "broken" ? "CERTIFICATE" : "PRIVATE KEY"
      return Array("-----BEGIN \(kind)-----\nTm8gREVS\n-----END \(kind)-----\n".utf8)
    }
    let settings = TLSSettings(
      certificateChain: bytes(certificate), privateKey: Secret(bytes(key)))
    let message = try #require(problem(settings))
    #expect(message.hasPrefix(expected), "\(message)")
  }

  @Test func versionsThatExcludeEachOther() {
    #expect(
      problem(
        TestCertificates.settings { ($0.minimumVersion, $0.maximumVersion) = (.tls13, .tls12) })
        == "tls: min_version TLS13 is above max_version TLS12")
    #expect(
      problem(
        TestCertificates.settings {
          ($0.cipherSuites, $0.maximumVersion) = ([.chaCha20], .tls12)
        }) == "tls: the cipher_suites are those of TLS13, which is above max_version")
  }

  @Test func badAuthorities() {
    let settings = TestCertificates.settings {
      ($0.clientAuthentication, $0.clientAuthorities) = (.requireAndVerify, Array("none".utf8))
    }
    #expect(problem(settings) == "tls: failed to find any PEM data in client CA input")
  }

  /// Every suite, curve and version that has a name can be used.
  @Test func allNames() {
    #expect(
      problem(
        TestCertificates.settings {
          $0.cipherSuites = TLSSettings.CipherSuite.allCases
          $0.curves = TLSSettings.Curve.allCases
        }) == nil)
    for suite in TLSSettings.CipherSuite.allCases {
      #expect(problem(TestCertificates.settings { $0.cipherSuites = [suite] }) == nil)
    }
    for curve in TLSSettings.Curve.allCases {
      #expect(problem(TestCertificates.settings { $0.curves = [curve] }) == nil)
    }
    for version in TLSSettings.Version.allCases {
      #expect(
        problem(
          TestCertificates.settings { ($0.minimumVersion, $0.maximumVersion) = (version, version) })
          == nil)
    }
  }

  @Test("The messages are whole when the library is missing")
  func missingLibrary() {
    let error = ContextError.notInstalled("libssl.so.3: cannot open shared object file")
    #expect(
      error.description
        == "TLS needs OpenSSL 3 (libssl.so.3: cannot open shared object file); install Debian's package libssl3, or libssl3t64 since Debian 13"
    )
  }

  // MARK: Clients

  /// Who gets in with: no certificate, one of the authority, one of another authority, one of the
  /// authority that is for servers only.
  @Test(
    arguments: [
      (.none, [true, true, true, true]), (.request, [true, true, true, true]),
      (.requireAny, [false, true, true, true]), (.verifyIfGiven, [true, true, false, false]),
      (.requireAndVerify, [false, true, false, false]),
    ] as [(TLSSettings.ClientAuthentication, [Bool])], ["TLSv1_2", "TLSv1_3"])
  func clientCertificates(
    expected: (mode: TLSSettings.ClientAuthentication, admitted: [Bool]), version: String
  ) throws {
    let server = try LiveServer(
      tls: TestCertificates.settings {
        $0.clientAuthentication = expected.mode
        $0.clientAuthorities = TestCertificates.file("clients.pem")
      }.context())
    defer { server.stop() }
    let output = python(
      server.port,
      """
      for name in [None, "client", "stranger", "serving"]:
        c = context(name, high=V.\(version))
        print(tried(lambda: get(connect(c))[0]))
      """)
    let words = expected.admitted.map { $0 ? "200" : "refused" }
    #expect(output == words.joined(separator: "\n"))
    let refusals = expected.admitted.count { !$0 }
    #expect(server.statistics.handshakeFailures(.clientCertificate) == UInt64(refusals))
  }

  @Test("Without authorities those count that the system trusts")
  func systemAuthorities() throws {
    let server = try LiveServer(
      tls: TestCertificates.settings { $0.clientAuthentication = .requireAndVerify }.context())
    defer { server.stop() }
    let output = python(server.port, "print(tried(lambda: get(connect(context('client')))[0]))")
    #expect(output == "refused")
  }

  @Test("A certificate of the list is trusted even if it is not its own authority")
  func partialChain() throws {
    let server = try LiveServer(
      tls: TestCertificates.settings {
        $0.clientAuthentication = .requireAndVerify
        $0.clientAuthorities = TestCertificates.file("between.pem")
      }.context())
    defer { server.stop() }
    let output = python(
      server.port,
      """
      print(tried(lambda: get(connect(context("server")))[0]), tried(lambda: get(connect(context("client")))[0]))
      """)
    #expect(output == "200 refused")
  }

  @Test(
    arguments: [
      (["client.example"], true), (["a@client.example"], true), (["192.0.2.7"], true),
      (["2001:db8::1"], true), (["spiffe://client.example/one"], true),
      (["nobody", "client.example"], true), (["other.example"], false), (["Client.example"], false),
      (["client.exampl"], false), (["client.example."], false), (["*.example"], false),
      (["client"], false), (["2001:db8:0::1"], false), ([""], false),
    ] as [([String], Bool)])
  func alternativeNames(allowed: [String], isAdmitted: Bool) throws {
    let server = try LiveServer(
      tls: TestCertificates.settings {
        $0.clientAuthentication = .requireAndVerify
        $0.clientAuthorities = TestCertificates.file("clients.pem")
        $0.allowedClientNames = allowed
      }.context())
    defer { server.stop() }
    let output = python(
      server.port,
      """
      for name in ["client", "nameless"]: print(tried(lambda: get(connect(context(name)))[0]))
      """)
    #expect(output == (isAdmitted ? "200" : "refused") + "\nrefused")
  }

  @Test("Where names are allowed, a client without a certificate has none of them")
  func namesNeedCertificates() throws {
    for mode in [TLSSettings.ClientAuthentication.request, .verifyIfGiven] {
      let server = try LiveServer(
        tls: TestCertificates.settings {
          $0.clientAuthentication = mode
          $0.clientAuthorities = TestCertificates.file("clients.pem")
          $0.allowedClientNames = ["client.example"]
        }.context())
      defer { server.stop() }
      let output = python(
        server.port,
        """
        for name in [None, "client", "other"]: print(tried(lambda: get(connect(context(name)))[0]))
        """)
      #expect(output == "refused\n200\nrefused")
    }
  }

  @Test("Of what a client sends as its certificates there is a limit")
  func longChain() throws {
    let server = try LiveServer(
      tls: TestCertificates.settings { $0.clientAuthentication = .requireAny }.context())
    defer { server.stop() }
    let output = python(
      server.port,
      """
      import os, tempfile
      chain = open(directory + "/stranger.pem").read()
      with tempfile.NamedTemporaryFile("w") as file:
        file.write(chain * 200)
        file.flush()
        c = context()
        c.load_cert_chain(file.name, directory + "/stranger.key")
        print(tried(lambda: get(connect(c))[0]))
      """)
    #expect(output == "refused")
  }
}
