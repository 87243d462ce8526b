import Foundation
import Linux
import Synchronization
import TLS
import TestSupport
import Testing

@testable import HTTPServer

/// Encrypted connections, with OpenSSL's own client behind Python's `ssl`.
@Suite struct TLSTests {
  private func server(
    _ limits: Limits = Limits(), _ settings: TLSSettings = TestCertificates.settings()
  ) throws -> LiveServer {
    try LiveServer(limits, tls: settings.context())
  }

  // MARK: Requests

  @Test(arguments: ["TLSv1_2", "TLSv1_3"])
  func requestsOnOneConnection(version: String) throws {
    let server = try server()
    defer { server.stop() }
    let output = python(
      server.port,
      """
      s = connect(context(low=V.\(version), high=V.\(version), alpn=["h2", "http/1.1"]))
      print(s.version(), s.selected_alpn_protocol(), s.compression())
      print(get(s), len(get(s, "/page")[1]), len(get(s, "/big")[1]))
      send(s, method="HEAD")
      print(answer(s, head=True)[0], get(s, "/none"))
      send(s, "/echo", "POST", "Content-Length: 60000\\r\\nExpect: 100-continue\\r\\n")
      print(answer(s)[0])
      for i in range(0, 60000, 777): s.sendall(b"x" * min(777, 60000 - i))
      status, body = answer(s)
      print(status, body.count(b"x" * 60000))
      """)
    #expect(
      output == """
        \(version.replacingOccurrences(of: "_", with: ".")) http/1.1 None
        (200, b'hello /\\n') 100000 8388608
        200 (204, b'')
        100
        200 1
        """)
    #expect(server.statistics.handshakes == 1)
    #expect(eventually { server.statistics.open.total == 0 })
    #expect(server.statistics.requests == 6)
  }

  @Test("Bytes that OpenSSL has decrypted are not forgotten", arguments: [1, 7, 64, 16 << 10])
  func pending(receiveBytes: Int) throws {
    var limits = Limits()
    limits.receiveBytes = receiveBytes
    let server = try server(limits)
    defer { server.stop() }
    // All requests are one record, then two that divide a request.
    let output = python(
      server.port,
      """
      s = connect()
      one = b"GET /a HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
      s.sendall(one * 50)
      print([answer(s)[1] for _ in range(50)] == [b"hello /a\\n"] * 50)
      s.sendall(one * 2 + one[:5])
      print(answer(s), answer(s))
      s.sendall(one[5:])
      print(answer(s))
      """)
    let hello = "(200, b'hello /a\\n')"
    #expect(output == "True\n\(hello) \(hello)\n\(hello)")
  }

  @Test("Requests behind one that waits are answered once it is")
  func pendingBehindWaiting() throws {
    var limits = Limits()
    limits.receiveBytes = 40
    let server = try server(limits)
    defer { server.stop() }
    let answered = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      _ = eventually { server.waiting.withLock { !$0.isEmpty } }
      server.answer("late\n")
      answered.signal()
    }
    let output = python(
      server.port,
      """
      s = connect()
      s.sendall(b"GET /later HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" + b"GET /a HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" * 9)
      print([answer(s)[1] for _ in range(10)])
      """)
    answered.wait()
    #expect(
      output == "[b'late\\n'" + String(repeating: ", b'hello /a\\n'", count: 9) + "]")
  }

  @Test("H24 a client that has said that it will send nothing more gets its answer")
  func halfClosed() throws {
    let server = try server()
    defer { server.stop() }
    let output = python(
      server.port,
      """
      i, o = ssl.MemoryBIO(), ssl.MemoryBIO()
      raw, s = plain(), context().wrap_bio(i, o, server_hostname="localhost")
      def pump(call):
        while True:
          try:
            result = call()
            raw.sendall(o.read())
            return result
          except ssl.SSLWantReadError:
            raw.sendall(o.read())
            i.write(raw.recv(65536))
      pump(s.do_handshake)
      s.write(b"GET /page HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
      try: s.unwrap()
      except ssl.SSLWantReadError: pass
      raw.sendall(o.read())
      raw.shutdown(socket.SHUT_WR)
      count = 0
      while (more := raw.recv(65536)): count += len(more)
      print(count > 100000)
      """)
    #expect(output == "True")
  }

  @Test("A client that takes its answer slowly gets all of it, and the end is announced")
  func slowReader() throws {
    let server = try server()
    defer { server.stop() }
    let output = python(
      server.port,
      """
      raw = socket.socket()
      raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
      raw.connect(("127.0.0.1", port))
      s = context().wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
      send(s, "/big", fields="Connection: close\\r\\n")
      count = 0
      while (more := s.recv(3000)): count += len(more)
      print(count > 8 << 20)
      """)
    #expect(output == "True")
    #expect(server.statistics.timeouts.write == 0)
  }

  @Test("A socket that is not ready delays a handshake and an answer and does not change them")
  func notReady() throws {
    let server = try TurnedServer()
    server.server.useTLS(try TestCertificates.settings().context())
    guard case .ipv4(_, let port) = server.address else { return }
    let output = Mutex<String?>(nil)
    Thread.detachNewThread {
      let text = python(port, "s = connect(); print(get(s, '/a'), get(s, '/b'))")
      output.withLock { $0 = text }
    }
    let done = try Faults.force(.receive, .wouldBlock, skip: 3, times: 2) {
      try Faults.force(.send, .wouldBlock, times: 3) {
        try server.turn { server.server.statistics.requests == 2 && server.open.total == 0 }
      }
    }
    #expect(done)
    #expect(eventually { output.withLock { $0 } == "(200, b'hello /a\\n') (200, b'hello /b\\n')" })
    try server.stop()
  }

  // MARK: What is agreed upon

  @Test(arguments: [
    (TLSSettings.Version.tls12, TLSSettings.Version.tls13, "TLSv1_2", "TLSv1.2"),
    (.tls12, .tls13, "TLSv1_3", "TLSv1.3"), (.tls12, .tls13, "TLSv1_1", "refused"),
    (.tls12, .tls13, "TLSv1", "refused"), (.tls13, .tls13, "TLSv1_2", "refused"),
    (.tls13, .tls13, "TLSv1_3", "TLSv1.3"), (.tls12, .tls12, "TLSv1_3", "refused"),
    (.tls10, .tls13, "TLSv1", "TLSv1"), (.tls10, .tls13, "TLSv1_1", "TLSv1.1"),
    (.tls11, .tls11, "TLSv1_1", "TLSv1.1"), (.tls11, .tls13, "TLSv1", "refused"),
  ])
  func versions(
    minimum: TLSSettings.Version, maximum: TLSSettings.Version, client: String, expected: String
  ) throws {
    for name in ["server", "rsa"] {
      let server = try server(
        Limits(),
        TestCertificates.settings(name) {
          ($0.minimumVersion, $0.maximumVersion) = (minimum, maximum)
        })
      defer { server.stop() }
      let output = python(
        server.port,
        """
        c = context(low=V.\(client), high=V.\(client), ciphers="ALL:@SECLEVEL=0")
        def version():
          s = connect(c)
          get(s)
          return s.version()
        print(tried(version))
        """)
      #expect(output == expected)
      if expected == "refused" { #expect(server.statistics.handshakeFailures(.version) == 1) }
    }
  }

  @Test(
    arguments: [
      ([], true, "server", "AESGCM", "ECDHE-ECDSA-AES128-GCM-SHA256"),
      ([], true, "rsa", "ECDHE+AES", "ECDHE-RSA-AES128-GCM-SHA256"),
      // A client that prefers ChaCha has no hardware for AES.
      ([], true, "server", "CHACHA20:AESGCM", "ECDHE-ECDSA-CHACHA20-POLY1305"),
      ([], true, "server", "AESGCM:CHACHA20", "ECDHE-ECDSA-AES128-GCM-SHA256"),
      (
        [], true, "server", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256"
      ),
      (
        [], false, "server", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384"
      ),
      ([], true, "server", "ECDHE-ECDSA-AES128-SHA", "refused"),
      ([], true, "rsa", "AES256-GCM-SHA384:AES128-SHA:DHE-RSA-AES128-GCM-SHA256", "refused"),
      ([.ecdsaAES128CBC], true, "server", "ALL", "ECDHE-ECDSA-AES128-SHA"),
      ([.rsaAES256CBC, .rsaAES128CBC], true, "rsa", "ALL", "ECDHE-RSA-AES256-SHA"),
      ([.rsaAES128CBC, .chaCha20], true, "rsa", "ALL", "ECDHE-RSA-AES128-SHA"),
      ([.ecdsaAES256CBC], true, "server", "ALL", "ECDHE-ECDSA-AES256-SHA"),
      ([.ecdsaAES256GCM], true, "server", "ALL", "ECDHE-ECDSA-AES256-GCM-SHA384"),
      ([.rsaAES256GCM], true, "rsa", "ALL", "ECDHE-RSA-AES256-GCM-SHA384"),
      ([.rsaChaCha20], true, "rsa", "ALL", "ECDHE-RSA-CHACHA20-POLY1305"),
      ([.rsaAES128GCM], true, "server", "ALL", "refused"),
    ] as [([TLSSettings.CipherSuite], Bool, String, String, String)])
  func ciphers(
    suites: [TLSSettings.CipherSuite], serverDecides: Bool, name: String, client: String,
    expected: String
  ) throws {
    let server = try server(
      Limits(),
      TestCertificates.settings(name) {
        ($0.cipherSuites, $0.prefersServerCiphers) = (suites, serverDecides)
      })
    defer { server.stop() }
    let output = python(
      server.port,
      """
      c = context(high=V.TLSv1_2, ciphers="\(client):@SECLEVEL=0")
      print(tried(lambda: connect(c).cipher()[0]))
      print(connect(context(low=V.TLSv1_3)).version())
      """)
    #expect(output == "\(expected)\nTLSv1.3")
    if expected == "refused" { #expect(server.statistics.handshakeFailures(.cipher) == 1) }
  }

  @Test("Suites of 1.3 alone leave only 1.3")
  func suitesOf13() throws {
    let server = try server(Limits(), TestCertificates.settings { $0.cipherSuites = [.aes256GCM] })
    defer { server.stop() }
    let output = python(
      server.port,
      """
      print(connect().version(), tried(lambda: connect(context(high=V.TLSv1_2)).version()))
      """)
    #expect(output == "TLSv1.3 refused")
  }

  @Test(
    arguments: [
      ([], "X25519", true), ([], "P-256", true), ([], "P-384", true), ([], "P-521", false),
      ([], "X448", false), ([.p521], "P-521", true), ([.p521], "X25519", false),
      ([.p256, .x25519], "X25519", true), ([.p384], "P-384", true),
    ] as [([TLSSettings.Curve], String, Bool)])
  func curves(curves: [TLSSettings.Curve], client: String, isShared: Bool) throws {
    // A certificate with a curve would have to be of one that the client has.
    let server = try server(Limits(), TestCertificates.settings("rsa") { $0.curves = curves })
    defer { server.stop() }
    for version in ["-tls1_2", "-tls1_3"] {
      let result = openssl(server, [version, "-groups", client])
      #expect((result.status == 0) == isShared, "\(version): \(result.output)")
    }
  }

  @Test("A client that does not offer HTTP/1.1 among its protocols is turned away")
  func protocols() throws {
    let server = try server()
    defer { server.stop() }
    let output = python(
      server.port,
      """
      for offer in [["http/1.1"], ["h2", "http/1.1", "x"], ["h2"], ["http/1.10"], None]:
        print(tried(lambda: connect(context(alpn=offer)).selected_alpn_protocol()))
      """)
    #expect(output == "http/1.1\nhttp/1.1\nrefused\nrefused\nNone")
  }

  private func openssl(
    _ server: LiveServer, _ arguments: [String], input: String = ""
  ) -> (status: Int32, output: String) {
    run(
      "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(server.port)"] + arguments,
      input: input)
  }

  @Test("A client cannot renegotiate, and there are no tickets")
  func renegotiation() throws {
    let server = try server()
    defer { server.stop() }
    let result = openssl(server, ["-tls1_2"], input: "R\n")
    #expect(result.output.contains("no renegotiation"), "\(result.output)")
    #expect(!result.output.contains("TLS session ticket:"))
    #expect(server.statistics.requests == 0)
    let next = openssl(server, ["-tls1_3"])
    #expect(!next.output.contains("session ticket:") && !next.output.contains("Post-Handshake"))
  }

  // MARK: Errors of one client

  @Test(
    "A request that is not encrypted is told so",
    arguments: [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "G1234567890",
    ])
  func plainRequest(_ request: String) throws {
    let server = try server()
    defer { server.stop() }
    let client = Client(server)
    client.send(request)
    let answer = try #require(client.answer())
    #expect(answer.head.hasPrefix("HTTP/1.0 400 Bad Request\r\n"))
    #expect(answer.body == "Client sent an HTTP request to an HTTPS server.\n")
    #expect(answer.field("Connection") == "close")
    #expect(client.endsSilently())
    #expect(!client.sawReset)
    #expect(server.statistics.handshakeFailures(.plainHTTP) == 1)
  }

  @Test("A handshake on a port that is not encrypted is answered 400")
  func encryptedRequest() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = Client(server)
    client.send(clientHello)
    #expect(client.answer()?.status == 400)
    #expect(client.endsSilently())
  }

  /// What OpenSSL's client begins with.
  private let clientHello: [UInt8] = {
    let text = run(
      "/usr/bin/python3",
      [
        "-c",
        """
        import ssl
        i, o = ssl.MemoryBIO(), ssl.MemoryBIO()
        try: ssl.create_default_context().wrap_bio(i, o, server_hostname="localhost").do_handshake()
        except ssl.SSLWantReadError: print(*o.read())
        """,
      ]
    ).output
    return text.split(separator: " ").compactMap {
      UInt8($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }()

  @Test(
    "L1 a handshake that is not complete in time is closed without a word",
    arguments: [0, 1, 5, 100])
  func stalled(count: Int) throws {
    var limits = Limits()
    limits.handshakeTime = .milliseconds(100)
    let server = try server(limits)
    defer { server.stop() }
    let client = Client(server)
    client.send(Array(clientHello.prefix(count)))
    #expect(client.endsSilently())
    #expect(server.statistics.timeouts.handshake == 1)
    #expect(server.statistics.open.total == 0)
  }

  @Test("L1 after the handshake the time to the first byte counts")
  func silentAfterwards() throws {
    var limits = Limits()
    limits.firstByteTime = .milliseconds(50)
    limits.handshakeTime = .seconds(1000)
    let server = try server(limits)
    defer { server.stop() }
    let output = python(
      server.port,
      """
      raw = plain()
      s = context().wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
      print(s.recv(1))
      """)
    #expect(output == "b''")
    #expect(server.statistics.timeouts.firstByte == 1)
  }

  @Test("L2 a connection in its handshake goes first where places are taken, in its order")
  func eviction() throws {
    var limits = Limits()
    limits.maxConnections = 4
    let server = try server(limits)
    defer { server.stop() }
    let flood = (0..<20).map { _ in
      let client = Client(server)
      client.send(Array(clientHello.prefix(50)))
      return client
    }
    #expect(python(server.port, "print(get(connect()))") == "(200, b'hello /\\n')")
    #expect(server.statistics.evicted >= 16)
    #expect(server.statistics.open.total <= 4)
    _ = flood
  }

  @Test("Handshakes that hang make room once they take too long, and nobody else waits for them")
  func hangingHandshakes() throws {
    var limits = Limits()
    (limits.handshakes, limits.handshakeTime) = (2, .seconds(1000))
    limits.handshakeStallTime = .milliseconds(50)
    let server = try server(limits)
    defer { server.stop() }
    // Without a byte there is nothing to shake.
    let silent = (0..<5).map { _ in Client(server) }
    let held = (0..<10).map { _ in
      let client = Client(server)
      client.send(Array(clientHello.prefix(50)))
      return client
    }
    for _ in 0..<3 {
      #expect(python(server.port, "print(get(connect()))") == "(200, b'hello /\\n')")
    }
    // Each of those that wait has its turn, until there are places for all that are left; the last
    // of the good ones may have taken one more.
    #expect(eventually { server.statistics.evicted >= 8 })
    let (evicted, open) = (server.statistics.evicted, server.statistics.open)
    #expect(evicted <= 9)
    #expect(open.handshake == silent.count + held.count - Int(evicted))
    #expect(server.statistics.handshakes == 3)
    _ = held
  }

  @Test("Handshakes are not cut off while nobody waits for their places")
  func slowHandshakes() throws {
    var limits = Limits()
    limits.handshakes = 1
    limits.handshakeStallTime = .milliseconds(1)
    let server = try server(limits)
    defer { server.stop() }
    #expect(
      python(
        server.port,
        """
        import time
        i, o = ssl.MemoryBIO(), ssl.MemoryBIO()
        c, s = context().wrap_bio(i, o, server_hostname="localhost"), plain()
        def step():
          try: return c.do_handshake() or True
          except ssl.SSLWantReadError: return False
        while not step():
          time.sleep(0.05)
          s.sendall(o.read())
          i.write(s.recv(65536))
        s.sendall(o.read())
        c.write(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        s.sendall(o.read())
        i.write(s.recv(65536))
        print(c.read()[:15])
        """) == "b'HTTP/1.1 200 OK'")
    #expect(server.statistics.evicted == 0)
  }

  @Test("What is no handshake ends that connection and no other")
  func garbage() throws {
    let server = try server()
    defer { server.stop() }
    let hello = clientHello
    var broken = hello
    broken[20] ^= 0xff
    let cases: [[UInt8]] = [
      [0x16, 3, 1, 0xff, 0xff] + [UInt8](repeating: 0, count: 200),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0x80, 0x2e, 1, 0, 2] + [UInt8](repeating: 7, count: 60),
      [0x15, 3, 1, 0, 2, 2, 48], [0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5],
      Array(hello.prefix(9)) + [UInt8](repeating: 0xff, count: 600),
    ]
    let stalled = Client(server)
    stalled.send(Array(hello.prefix(100)))
    for bytes in cases {
      let client = Client(server)
      client.send(bytes)
      client.finishSending()
      _ = client.rest()
      #expect(python(server.port, "print(get(connect())[0])") == "200")
    }
    let gone = Client(server)
    gone.send(Array(hello.prefix(100)))
    gone.finishSending()
    _ = gone.rest()
    let reset = Client(server)
    reset.send(hello)
    reset.reset()
    // A client that does not like the answer says so.
    let unwilling = Client(server)
    unwilling.send(hello)
    unwilling.send([0x15, 3, 3, 0, 2, 2, 48])
    _ = unwilling.rest()
    #expect(eventually { server.statistics.open.total == 1 })
    let failures = HandshakeError.allCases.map { server.statistics.handshakeFailures($0) }
    #expect(failures.reduce(0, +) == UInt64(cases.count) + 3)
    #expect(server.statistics.handshakeFailures(.closed) >= 2)
    #expect(server.statistics.handshakeFailures(.alert) == 1, "\(failures)")
  }

  @Test("Records that are broken after the handshake end that connection")
  func brokenRecord() throws {
    let server = try server()
    defer { server.stop() }
    let output = python(
      server.port,
      """
      s = connect()
      print(get(s)[0])
      raw = socket.socket(fileno=s.detach())
      raw.settimeout(30)
      raw.sendall(b"\\x17\\x03\\x03\\x00\\x20" + b"x" * 32)
      try:
        while raw.recv(1000): pass
      except ConnectionError: pass
      print("ended")
      """)
    #expect(output == "200\nended")
    #expect(eventually { server.statistics.open.total == 0 })
  }

  @Test("Every start of a handshake is survived", arguments: [1, 2, 3])
  func fuzzed(seed: UInt64) throws {
    let server = try server()
    defer { server.stop() }
    let hello = clientHello
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      var bytes = hello
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] =
          UInt8.random(in: 0...255, using: &generator)
      }
      let client = Client(server)
      client.send(bytes)
      client.finishSending()
      _ = client.rest()
    }
    #expect(python(server.port, "print(get(connect())[0])") == "200", "seed \(seed)")
    #expect(eventually { server.statistics.open.total == 0 })
  }

  // MARK: Settings

  @Test("New settings count for new connections")
  func swap() throws {
    let server = try server()
    defer { server.stop() }
    let changed = try TestCertificates.settings("rsa") { $0.maximumVersion = .tls12 }.context()
    Thread.detachNewThread {
      _ = eventually { server.waiting.withLock { !$0.isEmpty } }
      server.post { server, _ in server.useTLS(changed) }
      server.answer("changed\n")
    }
    let output = python(
      server.port,
      """
      s = connect()
      print(get(s, "/later")[1])
      t = connect()
      print(s.version(), get(s)[0], t.version(), get(t)[0])
      print(len(s.getpeercert(True)) != len(t.getpeercert(True)))
      """)
    #expect(output == "b'changed\\n'\nTLSv1.3 200 TLSv1.2 200\nTrue")
  }

  @Test("L7 who has just connected when the end begins is answered once")
  func drainAnswersWhoHasJustConnected() throws {
    var limits = Limits()
    limits.stopTime = .seconds(30)
    let server = try server(limits)
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      _ = eventually { server.statistics.open.handshake > 0 }
      server.post { server, loop in
        server.drain(within: .seconds(60)) {
          loop.stop()
          done.signal()
        }
      }
    }
    let output = python(
      server.port,
      """
      s = plain()
      try:
        while True: plain().close()
      except ConnectionRefusedError: pass
      s = context().wrap_socket(s, server_hostname="localhost")
      send(s)
      print(s.recv(4096).count(b"Connection: close"), s.recv(4096))
      """)
    #expect(output == "1 b''")
    #expect(done.wait(timeout: .now() + 30) == .success)
  }

  @Test("Stopping tells clients that nothing more will come")
  func drain() throws {
    let server = try server()
    Thread.detachNewThread {
      _ = eventually { server.statistics.requests == 1 && server.statistics.open.idle == 1 }
      server.stop()
    }
    let output = python(
      server.port,
      """
      s = context().wrap_socket(plain(), server_hostname="localhost", suppress_ragged_eofs=False)
      print(get(s)[0], s.recv(1))
      """)
    #expect(output == "200 b''")
  }
}
