import HTTPServer

/// The sections of a web configuration but the one about TLS.
extension WebReader {
  // MARK: http_server_config

  /// The fields that may be set, and the values that those with a fixed set may have.
  private static let fields: [(name: String, values: [String])] = [
    ("Strict-Transport-Security", []),
    ("X-Content-Type-Options", ["nosniff"]),
    ("X-Frame-Options", ["deny", "sameorigin"]),
    ("X-XSS-Protection", []),
    ("Content-Security-Policy", []),
  ]

  mutating func readHTTP(_ section: Node.Entry) {
    for entry in entries(of: section.value, section.key, ["http2", "headers"]) {
      if entry.key == "http2" {
        configuration.http2 = boolean(entry, true)
      } else {
        for field in entries(of: entry.value, entry.key, nil) { readField(field) }
      }
    }
  }

  private mutating func readField(_ entry: Node.Entry) {
    guard let field = Self.fields.first(where: { $0.name == entry.key }) else {
      problems.add(
        entry.position,
        "HTTP header \(quoted(entry.key)) can not be configured; expected"
          + " \(alternatives(Self.fields.map(\.name)))")
      return
    }
    guard let text = text(entry.key, entry.value) else { return }
    if !field.values.isEmpty, !field.values.contains(text) {
      let list = field.values.map { "\"\($0)\"" }.joined(separator: " ")
      problems.add(
        entry.value.position,
        "invalid value for \(field.name). Expected one of: [\(list)], but got: \(quoted(text))")
      return
    }
    // A value of several lines is sent on one.
    let bytes = text.utf8.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    let isLegal = bytes.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }
    guard isLegal, bytes.count <= Limits.webFieldBytes else {
      problems.add(
        entry.value.position,
        "\(entry.key): expected at most \(Limits.webFieldBytes) bytes without control characters")
      return
    }
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let value = bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    configuration.gate.fields.append(
      GateSettings.Field(field.name, String(decoding: Array(value), as: UTF8.self)))
  }

  // MARK: basic_auth_users

  mutating func readUsers(_ section: Node.Entry) {
    let users = entries(of: section.value, section.key, nil)
    if users.count > Limits.webEntries {
      problems.add(
        section.position,
        "\(section.key): expected at most \(Limits.webEntries) users, found \(users.count)")
      return
    }
    for user in users {
      // Behind a colon there may be a password; clients cannot send names that contain one.
      let name = quoted(String(user.key.prefix { $0 != ":" }))
      guard let hash = text("the password of \(name)", user.value) else { continue }
      if let message = mistake(inHash: Array(hash.utf8)) {
        // The hash itself is not repeated, it may be a password.
        problems.add(
          user.value.position,
          "basic_auth_users: \(name): \(message); make one with htpasswd -nBC 12 \"\"")
      } else {
        configuration.gate.users[Array(user.key.utf8)] = Secret(Array(hash.utf8))
      }
    }
  }

  /// What is wrong with the hash of a password; nil if nothing is.
  ///
  /// - Source: `newFromHash` of golang.org/x/crypto/bcrypt; `crypt(5)`.
  private func mistake(inHash hash: [UInt8]) -> String? {
    if hash.count < 59 { return "hashedSecret too short to be a bcrypted password" }
    if hash[0] != UInt8(ascii: "$") { return "bcrypt hashes must start with '$'" }
    if hash[1] > UInt8(ascii: "2") {
      return "the algorithm is newer than bcrypt, which begins with $2y$"
    }
    guard ["$2a$", "$2b$", "$2y$"].contains(where: { hash.starts(with: $0.utf8) }) else {
      return "expected a bcrypt hash that begins with $2a$, $2b$ or $2y$"
    }
    let digits = hash[4..<6].map { Int($0) - 48 }
    guard digits.allSatisfy((0...9).contains), hash[6] == UInt8(ascii: "$") else {
      return "expected a cost of two digits behind $2y$"
    }
    let cost = digits[0] * 10 + digits[1]
    guard (4...31).contains(cost) else {
      return "cost \(cost) is outside allowed inclusive range 4..31"
    }
    let isLegal = hash[7...].allSatisfy {
      switch $0 {
      case 0x2E...0x39, 0x41...0x5A, 0x61...0x7A: true
      default: false
      }
    }
    guard hash.count == 60, isLegal else {
      return "expected 53 letters, digits, dots and slashes behind the cost"
    }
    return nil
  }

  // MARK: rate_limit

  mutating func readRateLimit(_ section: Node.Entry) {
    var interval = Duration.zero
    var burst = 0
    for entry in entries(of: section.value, section.key, ["interval", "burst"]) {
      if entry.value.isNull { continue }
      if entry.key == "interval" {
        interval = readInterval(entry) ?? .zero
      } else if case .scalar(let text, .plain) = entry.value.content, let number = Int(text),
        number >= 0
      {
        burst = number
      } else {
        addMismatch(entry.key, entry.value, expected: "a whole number that is not negative")
      }
    }
    if interval > .zero {
      configuration.rateLimit = RateLimit(interval: interval, burst: burst)
    }
  }

  private mutating func readInterval(_ entry: Node.Entry) -> Duration? {
    guard case .scalar(let text, let style) = entry.value.content,
      let interval = goDuration(text)
        ?? (style == .plain ? Int64(text).map { .nanoseconds($0) } : nil)
    else {
      addMismatch(entry.key, entry.value, expected: "a duration like 1s or 500ms")
      return nil
    }
    if interval < .zero {
      problems.add(
        entry.value.position,
        "interval: expected a duration that is not negative, found \(quoted(text)); write 0 for no"
          + " limit")
    } else if interval > .zero, Int64(text) != nil {
      problems.add(
        entry.value.position,
        "interval: \(quoted(text)) without a unit would be nanoseconds; write the unit, as in"
          + " \(text)s or \(text)ns")
    }
    return interval
  }
}
