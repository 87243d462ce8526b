import Foundation
import Glibc
import Linux
import Synchronization
import TLS

@testable import HTTPServer

/// A server on its own thread, and a way to run code on that thread.
final class LiveServer: Sendable {
  struct Job: Sendable {
    let run: @Sendable (Server, EventLoop) -> Void
  }

  /// Wakes the loop for jobs.
  private final class Jobs: EventHandler {
    let mailbox: Mailbox<Job>
    let server: Server
    let loop: EventLoop

    init(_ mailbox: Mailbox<Job>, _ server: Server, _ loop: EventLoop) {
      self.mailbox = mailbox
      self.server = server
      self.loop = loop
    }

    func ready(_ token: EventToken, _ readiness: Readiness) {
      for job in mailbox.drain() { job.run(server, loop) }
    }

    func expired(_ token: EventToken) {}
  }

  let address: ListenAddress
  /// Names of requests that wait, in order, with their paths.
  let waiting = Mutex<[(id: RequestID, path: String)]>([])
  let abandoned = Mutex<[RequestID]>([])
  private let mailbox: Mailbox<Job>
  private let finished = DispatchSemaphore(value: 0)

  /// Starts a server with the test handler.
  ///
  /// `/later` waits until ``answer(_:)``, `/big` has 8 MiB, `/page` 100 kB, `/echo` repeats the
  /// request, `/none` is 204, `/refused` wants no body, anything else is 200.
  init(
    _ limits: Limits = Limits(), on wanted: ListenAddress = .ipv4(0x7f00_0001, port: 0),
    tls: ServerContext? = nil
  ) throws {
    mailbox = try Mailbox<Job>()
    let started = DispatchSemaphore(value: 0)
    let result = Mutex<Result<ListenAddress, Errno>?>(nil)
    let weakSelf = Mutex<LiveServer?>(nil)
    let mailbox = mailbox
    let finished = finished
    let thread = Foundation.Thread {
      do throws(Errno) {
        let loop = try EventLoop()
        let server = Server(loop: loop, limits: limits) { request, id in
          switch request.path {
          case "/later":
            weakSelf.withLock { $0 }?.waiting.withLock { $0.append((id, request.target)) }
            return .later
          case "/big":
            return .now(Response(.ok, contentType: "application/octet-stream", body: bigBody))
          case "/page":
            return .now(
              Response(.ok, contentType: "text/plain", body: Array(bigBody.prefix(100_000))))
          case "/echo": return .now(echo(request))
          case "/none": return .now(Response(.noContent, contentType: nil, body: []))
          default: return .now(.text(.ok, "hello \(request.target)\n"))
          }
        } abandoned: { id in
          weakSelf.withLock { $0 }?.abandoned.withLock { $0.append(id) }
        }
        if let tls { server.useTLS(tls) }
        server.refusal = { request in
          request.path == "/refused" ? .methodNotAllowed(allow: [.get]) : nil
        }
        let address = try server.listen(on: wanted)
        let jobs = Jobs(mailbox, server, loop)
        _ = try loop.add(mailbox.wake.fd, .readable, jobs)
        result.withLock { $0 = .success(address) }
        started.signal()
        try loop.run()
      } catch {
        result.withLock { $0 = .failure(error) }
        started.signal()
      }
      weakSelf.withLock { $0 = nil }
      finished.signal()
    }
    thread.start()
    started.wait()
    guard let outcome = result.withLock({ $0 }) else { throw Errno.invalid }
    address = try outcome.get()
    weakSelf.withLock { $0 = self }
  }

  var port: UInt16 {
    switch address {
    case .ipv4(_, let port), .ipv6(_, let port), .any(let port): port
    case .unix, .vsock: 0
    }
  }

  func post(_ body: @escaping @Sendable (Server, EventLoop) -> Void) {
    mailbox.post(Job(run: body))
  }

  /// Runs code on the server's thread and waits for its result.
  func sync<Value: Sendable>(_ body: @escaping @Sendable (Server) -> Value) -> Value? {
    let done = DispatchSemaphore(value: 0)
    let value = Mutex<Value?>(nil)
    post { server, _ in
      let result = body(server)
      value.withLock { $0 = result }
      done.signal()
    }
    done.wait()
    return value.withLock { $0 }
  }

  var statistics: ServerStatistics { sync { $0.statistics } ?? ServerStatistics() }

  /// Answers the oldest waiting request.
  func answer(_ text: String) {
    let oldest = waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let oldest else { return }
    post { server, _ in server.answer(oldest.id, .text(.ok, text)) }
  }

  /// Ends the server and waits for its thread.
  func stop() {
    post { server, loop in server.drain(within: .zero) { loop.stop() } }
    finished.wait()
  }
}

private let bigBody = [UInt8](repeating: 0x62, count: 8 << 20)

private func echo(_ request: Request) -> Response {
  var text = "\(request.method.rawValue) \(request.target) \(request.version)\n"
  for field in request.fields { text += "\(field.name): \(field.value)\n" }
  return Response(
    .ok, contentType: "text/plain; charset=utf-8", body: Array("\(text)\n".utf8) + request.body)
}

/// Asks again and again until the condition holds; a generous limit keeps a failure from hanging.
func eventually(_ condition: () -> Bool) -> Bool {
  let limit = Date(timeIntervalSinceNow: 30)
  while Date() < limit {
    if condition() { return true }
    usleep(2000)
  }
  return condition()
}

/// One client connection; calls wait, but not for ever.
final class Client {
  let socket: Int32
  private var received: [UInt8] = []
  private(set) var sawEnd = false
  private(set) var sawReset = false
  private(set) var isConnected = false

  struct Answer: Equatable {
    var status: Int
    var head: String
    var body: String

    func field(_ name: String) -> String? {
      for line in head.split(separator: "\r\n").dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts[0].lowercased() == name.lowercased() {
          return parts[1].trimmingCharacters(in: .whitespaces)
        }
      }
      return nil
    }
  }

  convenience init(_ server: LiveServer, receiveBuffer: Int32? = nil) {
    if case .unix(let path) = server.address {
      self.init(path: path)
    } else {
      self.init(port: server.port, receiveBuffer: receiveBuffer)
    }
  }

  init(path: String) {
    socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    connect(&name)
  }

  init(port: UInt16, receiveBuffer: Int32? = nil) {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var receiveBuffer {
      setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4)
    }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    connect(&name)
  }

  deinit { close() }

  private var isOpen = true

  func close() {
    if isOpen { Glibc.close(socket) }
    isOpen = false
  }

  /// Closes so that the other end gets a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  private func connect<Name>(_ name: inout Name) {
    // A wait that is never over in a sound test.
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let size = socklen_t(MemoryLayout<Name>.size)
    withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        isConnected = Glibc.connect(socket, $0, size) == 0
      }
    }
  }

  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Says that nothing more will be sent.
  func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

  private func receiveMore() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(socket, &buffer, buffer.count, 0)
    if count == 0 { sawEnd = true }
    if count < 0, errno == ECONNRESET { sawReset = true }
    if count <= 0 { return false }
    received.append(contentsOf: buffer[..<count])
    return true
  }

  /// Reads one answer; nil if the connection ends before.
  func answer(toHead: Bool = false) -> Answer? {
    while true {
      if let answer = takeAnswer(toHead: toHead) { return answer }
      if !receiveMore() { return nil }
    }
  }

  private func takeAnswer(toHead: Bool) -> Answer? {
    let separator = Array("\r\n\r\n".utf8)
    guard let end = received.firstRange(of: separator) else { return nil }
    let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
    var answer = Answer(status: Int(head.split(separator: " ")[1]) ?? 0, head: head, body: "")
    let length = toHead ? 0 : Int(answer.field("Content-Length") ?? "0") ?? 0
    guard received.count >= end.upperBound + length else { return nil }
    answer.body = String(
      decoding: received[end.upperBound..<end.upperBound + length], as: UTF8.self)
    received.removeFirst(end.upperBound + length)
    return answer
  }

  /// Reads to the end of the connection.
  func rest() -> String {
    while receiveMore() {}
    return String(decoding: received, as: UTF8.self)
  }

  /// Whether the server ends the connection without another byte.
  func endsSilently() -> Bool { rest().isEmpty && (sawEnd || sawReset) }

  /// A request and its answer.
  func get(_ path: String, _ fields: String = "") -> Answer? {
    send("GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    return answer()
  }
}
