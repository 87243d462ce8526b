/// A status code and its reason phrase.
package struct Status: Hashable, Sendable {
  /// 200 to 599.
  package let code: Int
  package let reason: String
  /// The status line, made once because every answer begins with one.
  let line: [UInt8]

  package init(_ code: Int, _ reason: String) {
    self.code = code
    self.reason = reason
    line = Array("HTTP/1.1 \(code) \(reason)\r\n".utf8)
  }

  package static let ok = Status(200, "OK")
  package static let noContent = Status(204, "No Content")
  package static let notModified = Status(304, "Not Modified")
  package static let badRequest = Status(400, "Bad Request")
  package static let unauthorized = Status(401, "Unauthorized")
  package static let forbidden = Status(403, "Forbidden")
  package static let notFound = Status(404, "Not Found")
  package static let methodNotAllowed = Status(405, "Method Not Allowed")
  package static let requestTimeout = Status(408, "Request Timeout")
  package static let contentTooLarge = Status(413, "Content Too Large")
  package static let uriTooLong = Status(414, "URI Too Long")
  package static let expectationFailed = Status(417, "Expectation Failed")
  package static let misdirectedRequest = Status(421, "Misdirected Request")
  package static let tooManyRequests = Status(429, "Too Many Requests")
  package static let requestHeaderFieldsTooLarge = Status(431, "Request Header Fields Too Large")
  package static let internalServerError = Status(500, "Internal Server Error")
  package static let notImplemented = Status(501, "Not Implemented")
  package static let serviceUnavailable = Status(503, "Service Unavailable")
  package static let httpVersionNotSupported = Status(505, "HTTP Version Not Supported")

  /// Whether RFC 9110 allows content with it.
  var allowsContent: Bool { code >= 200 && self != .noContent && self != .notModified }

  package static func == (left: Status, right: Status) -> Bool { left.code == right.code }
  package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// An answer, complete before its first byte is sent.
///
/// The server adds Date, Content-Length and Connection, and leaves the body out for HEAD.
package struct Response: Sendable {
  package var status: Status
  /// Fields in the order they are sent, without those that the server adds.
  package var fields: [(name: String, value: String)]
  /// The content; shared, never copied for sending.
  package var body: [UInt8]

  /// An answer with content.
  ///
  /// - Parameters:
  ///   - status: The status.
  ///   - contentType: The media type; no content needs none.
  ///   - body: The content.
  ///   - fields: Further fields.
  package init(
    _ status: Status, contentType: String?, body: [UInt8],
    fields: [(name: String, value: String)] = []
  ) {
    self.status = status
    self.fields = contentType.map { [("Content-Type", $0)] + fields } ?? fields
    self.body = body
  }

  /// A short answer for people.
  ///
  /// - Parameters:
  ///   - status: The status.
  ///   - text: The content, line end included.
  ///   - fields: Further fields.
  /// - Returns: The answer, as UTF-8 text that no browser takes for anything else.
  package static func text(
    _ status: Status, _ text: String, fields: [(name: String, value: String)] = []
  ) -> Response {
    .text(status, Array(text.utf8), fields: fields)
  }

  /// The same with content that is UTF-8 already.
  package static func text(
    _ status: Status, _ text: [UInt8], fields: [(name: String, value: String)] = []
  ) -> Response {
    Response(
      status, contentType: "text/plain; charset=utf-8", body: text,
      fields: [("X-Content-Type-Options", "nosniff")] + fields)
  }

  /// The answer where there is no room now: 503.
  ///
  /// - Parameter sentence: For what there is none.
  /// - Returns: The answer, which asks to try again.
  package static func tryLater(_ sentence: String) -> Response {
    .text(
      .serviceUnavailable, "\(sentence), try again later.\n", fields: [("Retry-After", "1")])
  }

  /// The answer to OPTIONS: 204 and what is allowed.
  package static func options(allow: [Method]) -> Response {
    Response(
      .noContent, contentType: nil, body: [], fields: [("Allow", Self.list(allow))])
  }

  /// The answer to a method that this resource does not have: 405 and what is allowed.
  package static func methodNotAllowed(allow: [Method]) -> Response {
    let list = list(allow)
    return .text(
      .methodNotAllowed, "This resource answers \(list) only.\n", fields: [("Allow", list)])
  }

  private static func list(_ methods: [Method]) -> String {
    methods.map(\.rawValue).joined(separator: ", ")
  }

  /// Status line and header section.
  ///
  /// - Source: RFC 9110, sections 6.6.1 and 8.6; RFC 9112, sections 4 and 9.
  func head(date: [UInt8], connection: String?) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    bytes.append(contentsOf: status.line)
    bytes.append(contentsOf: date)
    for field in fields where !Self.isServersOwn(field.name) {
      bytes.append(contentsOf: field.name.utf8)
      bytes.append(.colon)
      bytes.append(.space)
      let start = bytes.count
      bytes.append(contentsOf: field.value.utf8)
      // A line break in a value would end the header section.
      for index in start..<bytes.count where !bytes[index].isFieldCharacter {
        bytes[index] = .space
      }
      bytes.endLine()
    }
    if status.allowsContent {
      bytes.append(contentsOf: Self.contentLength)
      bytes.append(contentsOf: String(body.count).utf8)
      bytes.endLine()
    }
    if let connection {
      bytes.append(contentsOf: "Connection: ".utf8)
      bytes.append(contentsOf: connection.utf8)
      bytes.endLine()
    }
    bytes.endLine()
    return bytes
  }

  private static let contentLength = Array("Content-Length: ".utf8)

  private static func isServersOwn(_ name: String) -> Bool {
    switch name.utf8.count {
    case 4, 10, 14, 17:
      ["date", "connection", "content-length", "transfer-encoding"].contains(name.lowercased())
    default: false
    }
  }
}

/// What a handler says to a request.
package enum Answer: Sendable {
  case now(Response)
  /// ``Server/answer(_:_:)`` will be called with the request's name.
  case later
}

extension [UInt8] {
  fileprivate mutating func endLine() {
    append(.carriageReturn)
    append(.lineFeed)
  }
}
