package import Linux
package import TLS

/// Asks somebody else's HTTP server, one request for each connection.
///
/// It waits, so it belongs on a waiter thread.
/// - Source: RFC 9112.
package struct Client: Sendable {
  package struct Answer: Sendable, Equatable {
    package var status: Int
    /// Names in lower case.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]

    package static func == (left: Answer, right: Answer) -> Bool {
      left.status == right.status && left.body == right.body
        && left.fields.elementsEqual(right.fields, by: ==)
    }

    /// The value of a field, the first if there are several.
    package func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
  }

  package enum Failure: Error, Equatable, Sendable {
    /// The network, or the time was over (`ETIMEDOUT`).
    case network(Errno)
    /// The host is another machine, which was not allowed.
    case notLoopback
    /// The answer is not HTTP; the part that is not.
    case malformed(String)
    /// The answer is larger than allowed.
    case tooLarge(limit: Int)
    /// There is no encrypted connection.
    case tls(ServerRefusal)
  }

  /// How encrypted connections are made.
  package struct Encryption: Sendable {
    package var context: ClientContext
    /// The name of which the server has to show a certificate; nil for that of the endpoint.
    package var serverName: String?

    package init(_ context: ClientContext, serverName: String? = nil) {
      self.context = context
      self.serverName = serverName
    }
  }

  /// Bytes of status line and fields.
  private static let headLimit = 32 << 10

  /// Whether only this machine is asked.
  let isLoopbackOnly: Bool
  /// The most bytes of a body.
  let bodyLimit: Int
  /// Nil where no `https` is asked.
  let encryption: Encryption?

  package init(isLoopbackOnly: Bool, bodyLimit: Int, encryption: Encryption? = nil) {
    self.isLoopbackOnly = isLoopbackOnly
    self.bodyLimit = bodyLimit
    self.encryption = encryption
  }

  /// Sends a request and waits for its answer.
  ///
  /// - Parameters:
  ///   - endpoint: Whom and what for.
  ///   - method: GET or POST.
  ///   - fields: Beside Host, Connection and Content-Length.
  ///   - body: What is sent with POST.
  ///   - deadline: When to give up.
  /// - Returns: The answer, whatever its status.
  /// - Throws: ``Failure``.
  package func ask(
    _ endpoint: Endpoint, _ method: String = "GET", fields: [(name: String, value: String)] = [],
    body: [UInt8] = [], until deadline: Instant
  ) throws(Failure) -> Answer {
    let connection = try Connection(
      connect(endpoint, deadline), endpoint, encryption, until: deadline)
    var head = "\(method) \(endpoint.target) HTTP/1.1\r\nHost: \(endpoint.authority)\r\n"
    head += "Connection: close\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    if method == "POST" { head += "Content-Length: \(body.count)\r\n" }
    head += "\r\n"
    let bytes = Array(head.utf8)
    do throws(Errno) {
      var sent = 0
      while sent < bytes.count + body.count {
        sent += try connection.send(head: bytes, body: body, from: sent)
      }
    } catch {
      // An answer may have come before the whole request was taken.
      if error != .brokenPipe, error != .connectionReset { throw .network(error) }
    }
    var input = Input(connection)
    return try input.answer(headLimit: Self.headLimit, bodyLimit: bodyLimit)
  }

  private func connect(_ endpoint: Endpoint, _ deadline: Instant) throws(Failure) -> OwnedFD {
    do throws(Errno) {
      let addresses = try PeerAddress.resolve(endpoint.host, port: endpoint.port)
      if isLoopbackOnly, !addresses.allSatisfy(\.isLoopback) { throw .notPermitted }
      var last = Errno.unreachable
      for (place, address) in addresses.enumerated() {
        // One that does not answer must leave the others time.
        let now = Instant.now
        let share = (deadline - now) / (addresses.count - place)
        do throws(Errno) {
          return try address.connect(until: now + share)
        } catch {
          last = error
        }
      }
      throw last
    } catch {
      throw error == .notPermitted ? .notLoopback : .network(error)
    }
  }
}

/// What comes through a connection.
private struct Input: ~Copyable {
  private let connection: Connection
  private var bytes: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var piece = [UInt8](repeating: 0, count: 32 << 10)

  init(_ connection: consuming Connection) { self.connection = connection }

  mutating func answer(headLimit: Int, bodyLimit: Int) throws(Client.Failure) -> Client.Answer {
    var left = headLimit
    var answer = try head(&left)
    // Interim answers (100, 103) come before the one that is meant.
    while (100..<200).contains(answer.status) { answer = try head(&left) }
    if answer.status == 204 || answer.status == 304 { return answer }
    if let coding = answer.field("transfer-encoding") {
      guard coding.lowercased() == "chunked" else {
        throw .malformed("a Transfer-Encoding that was not asked for")
      }
      answer.body = try chunks(bodyLimit, headLimit)
    } else if let length = answer.field("content-length") {
      guard let count = UInt64(length), length.utf8.allSatisfy({ (0x30...0x39).contains($0) })
      else {
        throw .malformed("Content-Length")
      }
      guard count <= bodyLimit else { throw .tooLarge(limit: bodyLimit) }
      answer.body = try take(Int(count))
    } else {
      while bytes.count - start <= bodyLimit, try receiveMore() {}
      if bytes.count - start > bodyLimit { throw .tooLarge(limit: bodyLimit) }
      answer.body = try take(bytes.count - start)
    }
    return answer
  }

  private mutating func head(_ left: inout Int) throws(Client.Failure) -> Client.Answer {
    let status = try line(&left)
    let words = status.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0",
      words[1].utf8.count == 3, let code = Int(words[1]), (100...599).contains(code)
    else { throw .malformed("status line") }
    var answer = Client.Answer(status: code, fields: [], body: [])
    while true {
      let field = try line(&left)
      if field.isEmpty { return answer }
      guard let colon = field.firstIndex(of: ":"), colon != field.startIndex else {
        throw .malformed("header section")
      }
      let value = field[field.index(after: colon)...]
      answer.fields.append(
        (field[..<colon].lowercased(), String(value.drop { $0 == " " || $0 == "\t" })))
    }
  }

  private mutating func chunks(_ limit: Int, _ headLimit: Int) throws(Client.Failure) -> [UInt8] {
    var body: [UInt8] = []
    // Chunks of a byte each must not cost more than the bytes of a body.
    var left = headLimit + limit
    while true {
      let size = try line(&left).prefix { $0 != ";" && $0 != " " }
      guard (1...8).contains(size.utf8.count), let count = Int(size, radix: 16), size.first != "+",
        size.first != "-"
      else { throw .malformed("size of a chunk") }
      if count == 0 {
        while try !line(&left).isEmpty {}
        return body
      }
      guard body.count + count <= limit else { throw .tooLarge(limit: limit) }
      body += try take(count)
      guard try line(&left).isEmpty else { throw .malformed("end of a chunk") }
    }
  }

  /// The next line, without its end.
  private mutating func line(_ left: inout Int) throws(Client.Failure) -> String {
    var at = start
    while true {
      while at < bytes.count {
        if bytes[at] == 0x0a {
          let end = at > start && bytes[at - 1] == 0x0d ? at - 1 : at
          let text = String(decoding: bytes[start..<end], as: UTF8.self)
          left -= at + 1 - start
          if left < 0 { throw .malformed("header section, which is too long") }
          start = at + 1
          return text
        }
        at += 1
      }
      if bytes.count - start > left { throw .malformed("header section, which is too long") }
      guard try receiveMore() else { throw .malformed("end in the middle of the answer") }
    }
  }

  private mutating func take(_ count: Int) throws(Client.Failure) -> [UInt8] {
    while bytes.count - start < count {
      guard try receiveMore() else { throw .malformed("end in the middle of the answer") }
    }
    defer {
      start += count
      // What was taken is not kept.
      bytes.removeFirst(start)
      start = 0
    }
    return Array(bytes[start..<(start + count)])
  }

  /// - Returns: False at the end.
  private mutating func receiveMore() throws(Client.Failure) -> Bool {
    if isAtEnd { return false }
    do throws(Errno) {
      let count = try connection.receive(into: &piece)
      if count == 0 { isAtEnd = true }
      bytes += piece[..<count]
      return count > 0
    } catch {
      throw .network(error)
    }
  }
}
