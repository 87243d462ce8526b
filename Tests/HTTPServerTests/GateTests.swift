import Linux
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// A gate, requests for it, and somebody who compares passwords when told to.
private final class Desk {
  /// "HASH of PASSWORD" is the hash of a password.
  private final class Comparer: Sendable {
    let isOpen: Bool
    let gate: EventFD
    let seen = Mutex<[String]>([])

    init(isOpen: Bool) throws {
      self.isOpen = isOpen
      gate = try EventFD()
    }

    func compare(_ password: [UInt8], _ hash: [UInt8]) -> Bool {
      let password = String(decoding: password, as: UTF8.self)
      let hash = String(decoding: hash, as: UTF8.self)
      seen.withLock { $0.append("\(password) \(hash)") }
      if !isOpen {
        _ = gate.wait(atMost: .seconds(60))
        gate.clear()
      }
      return hash == "hash of \(password)" || hash.hasPrefix("$2y$") && password == "fakepassword"
    }
  }

  let loop: EventLoop
  let gate: Gate
  private let comparer: Comparer
  private(set) var answers: [UInt64: Response] = [:]
  /// Paths of requests that reached the handler.
  private(set) var passed: [String] = []
  private var number: UInt64 = 0

  init(
    _ users: [String: String] = [:], _ fields: [GateSettings.Field] = [],
    isOpen: Bool = true, limits: Limits = Limits(), rateLimit: RateLimit? = nil
  ) throws {
    loop = try EventLoop()
    let comparer = try Comparer(isOpen: isOpen)
    self.comparer = comparer
    var handle: (Request) -> Answer = { _ in .later }
    let box = Box()
    gate = try Gate(
      loop: loop, limits: limits, realm: "test", settings: Self.settings(users, fields),
      rateLimit: rateLimit, compare: { comparer.compare($0, $1) },
      handler: { request, _ in box.handle(request) })
    handle = { [unowned self] request in
      passed.append(request.path)
      return request.path == "/later" ? .later : .now(.text(.ok, "here\n"))
    }
    box.handle = handle
    gate.answer = { [unowned self] id, response in answers[id.number] = response }
  }

  private final class Box {
    var handle: (Request) -> Answer = { _ in .later }
  }

  deinit {
    gate.stop()
    for _ in 0..<200 { comparer.gate.signal() }
  }

  static func settings(
    _ users: [String: String], _ fields: [GateSettings.Field] = []
  ) -> GateSettings {
    var settings = GateSettings()
    settings.fields = fields
    for (user, hash) in users { settings.users[Array(user.utf8)] = Secret(Array(hash.utf8)) }
    return settings
  }

  func id(_ number: UInt64) -> RequestID { RequestID(slot: 0, number: number) }

  /// Sends a request; returns its number.
  func send(_ path: String = "/", authorization: String? = nil) throws -> UInt64 {
    var text = "GET \(path) HTTP/1.1\r\nHost: x\r\n"
    if let authorization { text += "Authorization: \(authorization)\r\n" }
    var parser = RequestParser()
    var position = 0
    let bytes = Array((text + "\r\n").utf8)
    guard case .complete(let request) = parser.parse(bytes, &position, bytes.count, Limits())
    else { throw Errno.invalid }
    number += 1
    if case .now(let response) = gate.admit(request, id(number)) { answers[number] = response }
    return number
  }

  func send(_ user: String, _ password: String, _ path: String = "/") throws -> UInt64 {
    try send(path, authorization: "Basic " + base64(Array("\(user):\(password)".utf8)))
  }

  /// The status of an answer, once it is there.
  func status(_ number: UInt64) throws -> Int {
    while answers[number] == nil { try loop.turn() }
    return answers[number]?.status.code ?? 0
  }

  func login(_ user: String, _ password: String) throws -> Int {
    try status(try send(user, password))
  }

  func letOneGo() { comparer.gate.signal() }
  var compared: [String] { comparer.seen.withLock { $0 } }
  func wait(compared count: Int) -> Bool { eventually { compared.count >= count } }
}

private func base64(_ bytes: [UInt8]) -> String {
  let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  var text = ""
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = Array(bytes[start..<min(start + 3, bytes.count)])
    let value = (group + [0, 0])[..<3].reduce(0) { $0 << 8 | Int($1) }
    for index in 0..<4 {
      text.append(index <= group.count ? letters[value >> (18 - 6 * index) & 63] : "=")
    }
  }
  return text
}

@Suite struct GateTests {
  @Test func withoutUsersEverybodyPasses() throws {
    let desk = try Desk()
    #expect(try desk.status(try desk.send()) == 200)
    #expect(try desk.login("who", "ever") == 200)
    #expect(desk.compared.isEmpty)
  }

  @Test func usersPassWithTheirPassword() throws {
    let desk = try Desk(["alice": "hash of alice123", "bob": "hash of bob123", "": "hash of "])
    #expect(try desk.login("alice", "alice123") == 200)
    #expect(try desk.login("bob", "bob123") == 200)
    #expect(try desk.login("", "") == 200)
    for (user, password) in [
      ("alice", "alice1234"), ("alice", "bob123"), ("alice", ""), ("Alice", "alice123"),
      ("alice ", "alice123"), ("", "alice123"), ("carol", "alice123"),
    ] {
      #expect(try desk.login(user, password) == 401, "\(user):\(password)")
    }
    #expect(try desk.status(try desk.send()) == 401)
    #expect(desk.passed == ["/", "/", "/"])
  }

  @Test func theAnswerToNobody() throws {
    let desk = try Desk(["alice": "hash of alice123"])
    let number = try desk.send()
    #expect(try desk.status(number) == 401)
    let response = try #require(desk.answers[number])
    #expect(String(decoding: response.body, as: UTF8.self) == "Unauthorized\n")
    let fields = Dictionary(uniqueKeysWithValues: response.fields.map { ($0.name, $0.value) })
    #expect(
      fields == [
        "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
        "WWW-Authenticate": "Basic realm=\"test\", charset=\"UTF-8\"",
      ])
    #expect(desk.compared.isEmpty)
  }

  /// As Go's net/http decides.
  @Test(arguments: [
    ("Basic YWxpY2U6YWxpY2UxMjM=", 200), ("basic YWxpY2U6YWxpY2UxMjM=", 200),
    ("BASIC YWxpY2U6YWxpY2UxMjM=", 200),
    // Bits behind the last byte.
    ("Basic YWxpY2U6YWxpY2UxMjN=", 200),
    ("Basic YWxpY2U6YWxpY2UxMjM", 401), ("Basic YWxpY2U6YWxpY2UxMjM==", 401),
    ("Basic  YWxpY2U6YWxpY2UxMjM=", 401), ("Basic\tYWxpY2U6YWxpY2UxMjM=", 401),
    ("Basic YWxpY2U6YWxpY2UxMjM= ", 200), ("Basic YWxp Y2U6YWxpY2UxMjM=", 401),
    ("Basic YWxpY2U6YWxpY2UxMjM=,", 401), ("Basic YWxpY2U6YWxpY2Ux-jM=", 401),
    ("Basic YWxpY2U=", 401), ("Basic", 401), ("Basic =", 401), ("Basic ====", 401),
    ("Bearer YWxpY2U6YWxpY2UxMjM=", 401), ("YWxpY2U6YWxpY2UxMjM=", 401), ("", 401),
    ("Basic YWxpY2U6YWxpY2UxMjM=YWxp", 401), ("Basic YQ==YWxpY2U6YWxpY2UxMjM=", 401),
  ])
  func credentials(authorization: String, expected: Int) throws {
    let desk = try Desk(["alice": "hash of alice123"])
    #expect(try desk.status(try desk.send(authorization: authorization)) == expected)
  }

  @Test func base64IsReadAsItIsWritten() {
    for count in 0..<200 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
      #expect(decodeBase64(base64(bytes)[...].utf8) == bytes)
    }
  }

  /// A password may contain colons, and neither a name nor a password needs to be a text.
  @Test func anyBytes() throws {
    let desk = try Desk(["alice": "hash of a:b:c", "é": "hash of ü"])
    #expect(try desk.login("alice", "a:b:c") == 200)
    #expect(try desk.login("é", "ü") == 200)
    // The same letter in two parts is another name, and so is what stands for a broken byte.
    #expect(try desk.login("e\u{301}", "ü") == 401)
    #expect(try desk.login("\u{FFFD}", "ü") == 401)
    let broken = base64([0xC3, 0x3A] + Array("ü".utf8))
    #expect(try desk.status(try desk.send(authorization: "Basic \(broken)")) == 401)
  }

  /// CVE-2022-46146: what is remembered of one user says nothing of another one.
  @Test func nobodyPoisonsTheCache() throws {
    let hash = "hash of alice123"
    let fake = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
    let desk = try Desk(["alice": hash])
    #expect(try desk.login("alice" + hash, "fakepassword") == 401)
    #expect(try desk.login("alice", fake + "fakepassword") == 401)
    #expect(desk.compared.count == 2)
  }

  /// Users that do not exist take as long as others, and are rejected even with the password of
  /// what they are compared with, remembered or not.
  @Test func nobodyIsLetIn() throws {
    let known = "$2y$07$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSj"
    let desk = try Desk(["alice": known, "bob": known.replacing("$07$", with: "$12$")])
    for _ in 0..<2 { #expect(try desk.login("mallory", "fakepassword") == 401) }
    #expect(
      desk.compared == [
        "fakepassword $2y$07$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
      ])
    // The user that has come to exist is not taken for the one that did not.
    desk.gate.settings = Desk.settings(["mallory": "hash of fakepassword"])
    #expect(try desk.login("mallory", "fakepassword") == 200)
  }

  @Test func outcomesAreRemembered() throws {
    let desk = try Desk(["alice": "hash of alice123"])
    for _ in 0..<150 {
      #expect(try desk.login("alice", "alice123") == 200)
      #expect(try desk.login("alice", "alice1234") == 401)
    }
    #expect(desk.compared.count == 2)
    // Another hash is another claim.
    desk.gate.settings = Desk.settings(["alice": "hash of alice1234"])
    #expect(try desk.login("alice", "alice123") == 401)
    #expect(try desk.login("alice", "alice1234") == 200)
    #expect(desk.compared.count == 4)
  }

  /// Guessing neither grows what is remembered nor makes those pay who know their password.
  @Test func guessesMakeRoomForGuesses() throws {
    var limits = Limits()
    limits.passwordVerdicts = 10
    let desk = try Desk(["alice": "hash of alice123"], limits: limits)
    #expect(try desk.login("alice", "alice123") == 200)
    for guess in 0..<100 { #expect(try desk.login("alice", "\(guess)") == 401) }
    #expect(desk.compared.count == 101)
    #expect(try desk.login("alice", "alice123") == 200)
    #expect(desk.compared.count == 101)
    var forgotten = 0
    for guess in 0..<100 {
      let before = desk.compared.count
      #expect(try desk.login("alice", "\(guess)") == 401)
      forgotten += desk.compared.count - before
    }
    #expect(forgotten >= 90)
  }

  /// Requests with the same password wait together; others wait their turn, and not too many.
  @Test func comparisonsWaitTheirTurn() throws {
    var limits = Limits()
    limits.passwordQueue = 3
    let desk = try Desk(["alice": "hash of a"], isOpen: false, limits: limits)
    let same = try (0..<20).map { _ in try desk.send("alice", "a") }
    let others = try ["b", "c"].map { try desk.send("alice", $0) }
    #expect(desk.wait(compared: 1))
    #expect(desk.answers.isEmpty)
    desk.letOneGo()
    for number in same { #expect(try desk.status(number) == 200) }
    #expect(desk.wait(compared: 2))
    #expect(desk.answers.count == 20)
    let next = try desk.send("alice", "d")
    for (index, number) in (others + [next]).enumerated() {
      #expect(desk.wait(compared: index + 2))
      desk.letOneGo()
      #expect(try desk.status(number) == 401)
    }
    #expect(desk.compared == ["a hash of a", "b hash of a", "c hash of a", "d hash of a"])
  }

  /// A claim too many is looked at in place of another one that waits, not of the one under way.
  @Test func aClaimTooManyTakesTheirPlace() throws {
    var limits = Limits()
    limits.passwordQueue = 3
    let desk = try Desk(["alice": "hash of a"], isOpen: false, limits: limits)
    let first = try desk.send("alice", "x")
    #expect(desk.wait(compared: 1))
    let guesses = try (0..<50).map { try desk.send("alice", "\($0)") }
    let right = try desk.send("alice", "a")
    let displaced = guesses.filter { desk.answers[$0] != nil }
    #expect(displaced.count == 49)
    for number in displaced {
      #expect(try desk.status(number) == 503)
      #expect(desk.answers[number]?.fields.contains { $0.name == "Retry-After" } == true)
    }
    for count in 1...3 {
      #expect(desk.wait(compared: count))
      desk.letOneGo()
      try desk.loop.turn()
    }
    #expect(try desk.status(first) == 401)
    #expect(try desk.status(right) == 200)
  }

  /// Requests that wait are bounded, even those with the same password.
  @Test func notTooManyAskForTheSame() throws {
    var limits = Limits()
    limits.passwordAskers = 5
    let desk = try Desk(["alice": "hash of a"], isOpen: false, limits: limits)
    let guesses = try (0..<50).map { _ in try desk.send("alice", "b") }
    let right = try desk.send("alice", "a")
    #expect(desk.answers.count == 46)
    #expect(desk.answers.values.allSatisfy { $0.status.code == 503 })
    for count in 1...2 {
      #expect(desk.wait(compared: count))
      desk.letOneGo()
      try desk.loop.turn()
    }
    #expect(desk.answers[right]?.status.code == 200)
    #expect(guesses.filter { desk.answers[$0]?.status.code == 401 }.count == 4)
    #expect(try desk.status(right) == 200)
  }

  /// A password that nobody waits for any more is not compared.
  @Test func whoGoesAwayCostsNothing() throws {
    let desk = try Desk(["alice": "hash of a"], isOpen: false)
    let first = try desk.send("alice", "a")
    #expect(desk.wait(compared: 1))
    let second = try desk.send("alice", "b")
    let third = try desk.send("alice", "c")
    let fourth = try desk.send("alice", "c")
    desk.gate.forget(desk.id(first))
    desk.gate.forget(desk.id(second))
    desk.gate.forget(desk.id(third))
    desk.letOneGo()
    try desk.loop.turn()
    #expect(desk.wait(compared: 2))
    desk.letOneGo()
    #expect(try desk.status(fourth) == 401)
    #expect(desk.compared == ["a hash of a", "c hash of a"])
    #expect(desk.answers.count == 1)
    // What was under way is remembered.
    #expect(try desk.login("alice", "a") == 200)
    #expect(desk.passed.count == 1)
  }

  @Test func fieldsAreOnWhatHandlersAndTheGateAnswer() throws {
    let fields = [
      GateSettings.Field("X-Frame-Options", "deny"),
      GateSettings.Field("X-Content-Type-Options", "nosniff"),
      GateSettings.Field("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ]
    let desk = try Desk(
      ["alice": "hash of a"], fields, rateLimit: RateLimit(interval: .seconds(3600), burst: 2))
    let good = try desk.send("alice", "a")
    let bad = try desk.send("alice", "b")
    for (number, status) in [(good, 200), (bad, 401)] {
      #expect(try desk.status(number) == status)
      let response = try #require(desk.answers[number])
      for field in fields {
        #expect(response.fields.filter { $0.name == field.name }.map(\.value) == [field.value])
      }
    }
    let late = desk.gate.dressed(.text(.notFound, "", fields: [("x-frame-options", "sameorigin")]))
    #expect(
      late.fields.filter { $0.name.lowercased() == "x-frame-options" }.map(\.value) == ["deny"])
    // The limit comes before everything else.
    let limited = try desk.send("alice", "a")
    #expect(try desk.status(limited) == 429)
    let names = try #require(desk.answers[limited]).fields.map(\.name)
    #expect(names == ["Content-Type", "X-Content-Type-Options", "Retry-After"])
  }

  /// The settings that a request is measured by are those of its time.
  @Test func settingsAreBroughtUpToDate() throws {
    let desk = try Desk(["alice": "hash of a"])
    var held: [() -> Void] = []
    desk.gate.refresh = { held.append($0) }
    let first = try desk.send("alice", "a")
    let second = try desk.send("/later")
    let third = try desk.send("alice", "a")
    #expect(desk.answers.isEmpty && held.count == 3)
    desk.gate.settings = Desk.settings([:])
    desk.gate.forget(desk.id(third))
    for then in held { then() }
    #expect(try desk.status(first) == 200)
    #expect(desk.passed == ["/", "/later"])
    #expect(desk.answers[second] == nil && desk.answers[third] == nil)
  }
}

@Suite struct RateLimitTests {
  private func passes(_ limit: inout RateLimit, _ milliseconds: [UInt64]) -> [Bool] {
    milliseconds.map { limit.take(at: Instant(nanoseconds: (1_000_000 + $0) * 1_000_000)) }
  }

  @Test func aBucketOfTokens() {
    var limit = RateLimit(interval: .seconds(1), burst: 3)
    #expect(
      passes(&limit, [0, 0, 0, 0, 999, 1000, 1001, 1999, 2000, 2000, 9000, 9000, 9000, 9000])
        == [
          true, true, true, false, false, true, false, false, true, false, true, true, true, false,
        ])
  }

  @Test func aBucketWithoutRoom() {
    var limit = RateLimit(interval: .seconds(1), burst: 0)
    #expect(passes(&limit, [0, 1000, 100_000]) == [false, false, false])
  }

  @Test func numbersThatAreHuge() {
    var limit = RateLimit(interval: .nanoseconds(Int64.max), burst: Int.max)
    #expect(passes(&limit, [0, 0, 0, 0, 0]) == [true, true, true, true, true])
    var one = RateLimit(interval: .nanoseconds(Int64.max), burst: 1)
    #expect(passes(&one, [0, 0, 1000]) == [true, false, false])
  }
}
