import Foundation
import Linux
import TLS
import TestSupport
import Testing

@testable import HTTPClient

/// Against servers of Python's `ssl`.
@Suite struct EncryptionTests {
  /// Keys and certificates, made once per run; `Tests/EndToEnd/certificates.sh` says which.
  private static let certificates: String = {
    let path = NSTemporaryDirectory() + "procvitals-client-certificates-\(getpid())"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let script = projectDirectory + "Tests/EndToEnd/certificates.sh"
    let made = try? TestSupport.run("bash '\(script)' '\(path)'")
    precondition(made?.code == 0, "\(String(describing: made))")
    atexit { try? FileManager.default.removeItem(atPath: EncryptionTests.certificates) }
    return path
  }()

  private static func file(_ name: String) throws -> [UInt8] {
    try contents("\(certificates)/\(name)")
  }

  /// A server with a certificate, until the end of the body.
  private func withServer(
    _ certificate: String, _ options: String = "", _ body: (UInt16) throws -> Void
  ) throws {
    let server = try TalkingChild([
      "python3", "-Wignore", "-c",
      """
      import socket, ssl, sys
      directory, name = sys.argv[1:]
      c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
      c.load_cert_chain(f"{directory}/{name}.pem", f"{directory}/{name}.key")
      names = []
      c.sni_callback = lambda s, name, c: names.append(name)
      \(options)
      listener = socket.create_server(("127.0.0.1", 0))
      print(listener.getsockname()[1], flush=True)
      while True:
        s = listener.accept()[0]
        try:
          s = c.wrap_socket(s, server_side=True)
          data = b""
          while b"\\r\\n\\r\\n" not in data: data += s.recv(65536)
          head, data = data.split(b"\\r\\n\\r\\n", 1)
          length = [int(f[15:]) for f in head.split(b"\\r\\n") if f.startswith(b"Content-Length:")]
          while length and len(data) < length[0]: data += s.recv(65536)
          peer = dict(s.getpeercert() or {}).get("subject", [[("", "nobody")]])[0][0][1]
          answer = f"{s.version()} {names[-1:]} {len(data)} {peer}".encode() + b"." * 100000
          s.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(answer) + answer)
          s.close()
        except (OSError, IndexError) as error: pass
      """, Self.certificates, certificate,
    ])
    try body(try #require(UInt16(server.line())))
    withExtendedLifetime(server) {}
  }

  private func ask(
    _ port: UInt16, _ context: ClientContext, host: String = "localhost", name: String? = nil
  ) throws -> Result<String, Client.Failure> {
    let client = Client(
      isLoopbackOnly: true, bodyLimit: 1 << 20,
      encryption: Client.Encryption(context, serverName: name))
    let endpoint = try Endpoint("https://\(host):\(port)/a", takesTLS: true)
    return Result { () throws(Client.Failure) in
      let answer = try client.ask(
        endpoint, "POST", body: [UInt8](repeating: 0, count: 100_000), until: .now + .seconds(60))
      let text = String(decoding: answer.body, as: UTF8.self)
      return text.hasSuffix(filling) ? String(text.dropLast(filling.count)) : "cut"
    }
  }

  /// What answers end with, so that they are many records.
  private let filling = String(repeating: ".", count: 100_000)

  private func trusting(_ name: String = "root.pem") throws -> ClientContext {
    try ClientContext(isVerified: true, authorities: Self.file(name))
  }

  @Test(arguments: ["server", "rsa"])
  func aServerThatIsTrusted(certificate: String) throws {
    try withServer(certificate) { port in
      let context = try trusting()
      for (host, name) in [("localhost", "['localhost']"), ("127.0.0.1", "[None]")] {
        #expect(try ask(port, context, host: host).get() == "TLSv1.3 \(name) 100000 nobody")
      }
    }
  }

  @Test(arguments: [
    ("server", "clients.pem", nil as String?, "unable to get local issuer certificate"),
    ("elsewhere", "root.pem", nil, "hostname mismatch"),
    ("server", "root.pem", "other.example", "hostname mismatch"),
    ("server", "root.pem", "192.0.2.1", "IP address mismatch"),
    ("expired", "root.pem", nil, "certificate has expired"),
    ("stranger", "root.pem", nil, "self-signed certificate"),
    ("client", "clients.pem", "client.example", "unsuitable certificate purpose"),
  ])
  func aServerThatIsNotTrusted(
    certificate: String, authority: String, name: String?, words: String
  ) throws {
    try withServer(certificate) { port in
      let outcome = try ask(port, trusting(authority), name: name)
      #expect(outcome == .failure(.tls(.untrusted(words))))
      // Nothing of it matters to whoever does not ask for it.
      _ = try ask(port, ClientContext(isVerified: false), name: name).get()
    }
  }

  @Test func theSystemDoesNotTrustTheTests() throws {
    try withServer("server") { port in
      let outcome = try ask(port, ClientContext(isVerified: true))
      guard case .failure(.tls(.untrusted)) = outcome else {
        Issue.record("\(outcome)")
        return
      }
    }
  }

  @Test func aNameThatIsGivenCounts() throws {
    try withServer("elsewhere") { port in
      _ = try ask(port, trusting(), name: "other.example").get()
    }
  }

  @Test func aClientShowsItsCertificate() throws {
    let options = """
      c.verify_mode = ssl.CERT_REQUIRED; c.load_verify_locations(directory + "/clients.pem")
      """
    try withServer("server", options) { port in
      let context = try trusting()
      try context.identify(chain: Self.file("client.pem"), privateKey: Self.file("client.key"))
      #expect(try ask(port, context).get().hasSuffix(" client"))
      let without = try ask(port, trusting())
      #expect(throws: Client.Failure.self) { try without.get() }
    }
  }

  @Test(arguments: ["TLSv1_2", "TLSv1_3"])
  func versions(version: String) throws {
    let options = "c.minimum_version = c.maximum_version = ssl.TLSVersion.\(version)"
    try withServer("server", options) { port in _ = try ask(port, trusting()).get() }
  }

  @Test func oldVersionsAreNotSpoken() throws {
    let options = """
      c.set_ciphers("ALL:@SECLEVEL=0"); c.minimum_version = c.maximum_version = ssl.TLSVersion.TLSv1_1
      """
    try withServer("server", options) { port in
      let outcome = try ask(port, trusting())
      guard case .failure(.tls(.failed)) = outcome else {
        Issue.record("\(outcome)")
        return
      }
    }
  }

  @Test func aServerWithoutTLSIsToldApart() throws {
    let plain = """
      class c: wrap_socket = lambda s, server_side: s.sendall(b"HTTP/1.1 400 Bad Request\\r\\n\\r\\n")
      """
    try withServer("server", plain) { port in
      let outcome = try ask(port, trusting())
      #expect(outcome == .failure(.tls(.failed("it does not speak TLS"))))
    }
  }

  @Test func nothingIsEncryptedUnlessItCanBe() throws {
    let client = Client(isLoopbackOnly: true, bodyLimit: 10)
    let sockets = TestSockets()
    let endpoint = try Endpoint(
      "https://127.0.0.1:\(TestSockets.port(try sockets.listener(backlog: 1)))", takesTLS: true)
    #expect(throws: Client.Failure.self) { try client.ask(endpoint, until: .now + .seconds(5)) }
  }
}
