import Glibc
import HTTPServer
import Linux
import TLS

/// What is wrong with the command line.
struct UsageError: Error, CustomStringConvertible {
  let description: String
}

func exitWithFailure() -> Never { exit(2) }

/// A server whose answers show what it understood.
///
/// | path | answer |
/// |---|---|
/// | `/`, `/echo` | the request as it was understood, any method |
/// | `/N` | N bytes |
/// | `/later?ms=N` | `later`, after N milliseconds |
/// | `/refused` | 405 to everything, known before a body is read |
/// | `/counts` | what the server has counted |
final class Echo: EventHandler {
  private static let drainTime = Duration.seconds(5)
  private static let mostBytes = 64 << 20

  private let loop: EventLoop
  private let signals: SignalFD
  private var server: Server?
  private var later: [EventToken: RequestID] = [:]
  private var pages: [String: Response] = [:]

  private init(_ limits: Limits) throws {
    signals = try SignalFD([.interrupt, .terminate])
    loop = try EventLoop()
    server = Server(
      loop: loop, limits: limits,
      handler: { [unowned self] request, id in answer(request, id) },
      abandoned: { _ in })
    server?.refusal = { $0.path == "/refused" ? Self.refused : nil }
  }

  static func run(_ arguments: [String]) throws {
    guard let address = arguments.first else {
      throw UsageError(description: "say where to listen, for example 127.0.0.1:0")
    }
    var limits = Limits()
    var context: ServerContext?
    for argument in arguments.dropFirst() {
      if argument.hasPrefix("tls=") {
        context = try settings(String(argument.dropFirst(4))).context()
      } else {
        try set(argument, &limits)
      }
    }
    _ = try raiseDescriptorLimit(to: 1 << 20)
    let echo = try Echo(limits)
    if let context { echo.server?.useTLS(context) }
    guard let real = try echo.server?.listen(on: ListenAddress(address)) else { return }
    _ = try echo.loop.add(echo.signals.fd, .readable, echo)
    try writeAll(Array("\(real)\n".utf8), to: 1)
    try echo.loop.run()
  }

  /// Settings with the certificate and those above it in `NAME.pem`, and the key in `NAME.key`.
  private static func settings(_ name: String) throws -> TLSSettings {
    func bytes(_ file: String) throws -> [UInt8] {
      let opened = try openFile(file, .read)
      var bytes = [UInt8](repeating: 0, count: 64 << 10)
      let count = read(opened.raw, &bytes, bytes.count)
      return Array(bytes.prefix(max(0, count)))
    }
    return TLSSettings(
      certificateChain: try bytes("\(name).pem"), privateKey: Secret(try bytes("\(name).key")))
  }

  // MARK: Limits

  private static var times: [String: WritableKeyPath<Limits, Duration>] {
    [
      "answerTime": \.answerTime, "bodyTime": \.bodyTime, "firstByteTime": \.firstByteTime,
      "handshakeTime": \.handshakeTime, "headerTime": \.headerTime, "idleTime": \.idleTime,
      "lingerTime": \.lingerTime, "stopTime": \.stopTime,
      "writeProgressTime": \.writeProgressTime, "writeTime": \.writeTime,
    ]
  }
  private static var numbers: [String: WritableKeyPath<Limits, Int>] {
    [
      "bodyBytes": \.bodyBytes, "handshakes": \.handshakes, "lingerBytes": \.lingerBytes,
      "maxConnections": \.maxConnections,
    ]
  }

  private static func set(_ argument: String, _ limits: inout Limits) throws {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    if parts.count == 2, let path = times[parts[0]], let seconds = Double(parts[1]) {
      limits[keyPath: path] = .milliseconds(Int64(seconds * 1000))
    } else if parts.count == 2, let path = numbers[parts[0]], let number = Int(parts[1]) {
      limits[keyPath: path] = number
    } else {
      let names = (Array(times.keys) + numbers.keys).sorted().joined(separator: " ")
      throw UsageError(description: "\(argument): expected NAME=VALUE, NAME one of: \(names)")
    }
  }

  // MARK: Answers

  private static let refused = Response.methodNotAllowed(allow: [.get])

  private func answer(_ request: Request, _ id: RequestID) -> Answer {
    switch request.path {
    case "/", "/echo": return .now(Self.echo(request))
    case "/later":
      let token = loop.add(self)
      later[token] = id
      loop.setDeadline(token, .now + .milliseconds(Int64(Self.number(request, "ms"))))
      return .later
    case "/refused": return .now(Self.refused)
    case "/counts": return .now(.text(.ok, counts))
    default: return .now(fixed(request.path))
    }
  }

  /// So many bytes as the path says, made once: what is measured is the server.
  private func fixed(_ path: String) -> Response {
    if let known = pages[path] { return known }
    guard let count = Int(path.dropFirst()), (0...Self.mostBytes).contains(count) else {
      return .text(.notFound, "There is nothing here.\n")
    }
    let page = Response(
      .ok, contentType: "application/octet-stream",
      body: [UInt8](repeating: UInt8(ascii: "x"), count: count))
    pages[path] = page
    return page
  }

  private static func echo(_ request: Request) -> Response {
    let version = request.version == .http10 ? "HTTP/1.0" : "HTTP/1.1"
    var text = "\(request.method.rawValue) \(request.target) \(version)\r\n"
    for field in request.fields { text += "\(field.name): \(field.value)\r\n" }
    return Response(
      .ok, contentType: "message/http", body: Array("\(text)\r\n".utf8) + request.body)
  }

  private static func number(_ request: Request, _ name: String) -> Int {
    request.query.first { $0.name == name }.flatMap { Int($0.value) } ?? 0
  }

  private var counts: String {
    guard let counts = server?.statistics else { return "" }
    let (open, timeouts, rejected) = (counts.open, counts.timeouts, counts.rejected)
    return """
      accepted \(counts.accepted)
      evicted \(counts.evicted)
      requests \(counts.requests)
      open \(open.total)
      rejected \(rejected.limit) \(rejected.resources) \(rejected.aborted)
      timeouts.firstByte \(timeouts.firstByte)
      timeouts.header \(timeouts.header)
      timeouts.body \(timeouts.body)
      timeouts.idle \(timeouts.idle)
      timeouts.write \(timeouts.write)

      """
  }

  // MARK: Events

  func ready(_ token: EventToken, _ readiness: Readiness) {
    while signals.next() != nil {
      server?.drain(within: Self.drainTime) { [unowned self] in loop.stop() }
    }
  }

  func expired(_ token: EventToken) {
    loop.remove(token)
    guard let id = later.removeValue(forKey: token) else { return }
    server?.answer(id, .text(.ok, "later\n"))
  }
}
