package import Linux
package import TLS

/// An HTTP/1.1 server on an event loop; everything happens on the loop's thread, nothing blocks.
///
/// - Source: RFC 9110, RFC 9112.
package final class Server: EventHandler {
  let loop: EventLoop
  let limits: Limits
  let handler: (Request, RequestID) -> Answer
  let abandoned: (RequestID) -> Void
  /// Refuses a request whose client asks before it sends the body (`Expect: 100-continue`).
  ///
  /// The request comes without its body, and reaches no handler if it is refused; nil lets the
  /// client send.
  package var refusal: (Request) -> Response? = { _ in nil }

  /// One for all connections: what is left of a read is copied before the next one.
  var receiveBuffer: [UInt8]
  var dateLine = DateLine()
  var counts = ServerStatistics()
  var evictionOrder = EvictionOrder()
  var handshakes = HandshakeQueue()
  private(set) var isDraining = false
  /// When requests have to be complete that had begun to arrive as it was told to stop.
  private(set) var readingEnd: Instant?
  /// What new connections are encrypted with; nil for plain HTTP.
  private(set) var tls: ServerContext?
  /// Calls back as soon as new connections may be encrypted with what ``useTLS(_:)`` was told last;
  /// nil if that is always the case.
  package var refreshTLS: ((_ then: @escaping () -> Void) -> Void)?

  private var listeners: [Listener] = []
  /// By slot of the event loop.
  private var connections: [Connection?] = []
  private var connectionCount = 0
  /// The most connections since memory was last given back.
  private var peak = 0
  private var lastRequestNumber: UInt64 = 0
  /// Given up for a moment to accept a connection when no other descriptor is left.
  private var spare: OwnedFD?
  private var drainToken: EventToken?
  private var whenDrained: (() -> Void)?

  /// A server that does not listen yet.
  ///
  /// - Parameters:
  ///   - loop: The loop that it lives on.
  ///   - limits: Its bounds.
  ///   - handler: Decides what a request is answered. Also decides about methods; OPTIONS `*`,
  ///     unknown methods and broken messages do not reach it.
  ///   - abandoned: Told when nobody wants the answer to a request any more that was to be
  ///     answered later.
  package init(
    loop: EventLoop, limits: Limits,
    handler: @escaping (Request, RequestID) -> Answer,
    abandoned: @escaping (RequestID) -> Void
  ) {
    self.loop = loop
    self.limits = limits
    self.handler = handler
    self.abandoned = abandoned
    receiveBuffer = [UInt8](repeating: 0, count: max(1, limits.receiveBytes))
  }

  /// Opens a listening socket; several may be open.
  ///
  /// - Parameter address: Where to listen.
  /// - Returns: Where it really listens, if the port was 0.
  /// - Throws: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `EMFILE`.
  package func listen(on address: ListenAddress) throws(Errno) -> ListenAddress {
    try listen(on: try ListenSocket(address))
  }

  /// Accepts the connections of a socket that listens already.
  ///
  /// - Parameter socket: The socket.
  /// - Returns: Where it listens.
  /// - Throws: `ENOSPC`, `ENOMEM`.
  package func listen(on socket: consuming ListenSocket) throws(Errno) -> ListenAddress {
    let listener = try Listener(socket, self)
    takeSpare()
    listeners.append(listener)
    return listener.address
  }

  /// Encrypts new connections, wherever they come in; those that are open stay as they are.
  ///
  /// - Parameter context: What ``TLSSettings/context()`` made.
  package func useTLS(_ context: ServerContext) { tls = context }

  /// Whether new connections are encrypted.
  package var isEncrypted: Bool { tls != nil }

  /// When the first certificate expires that new clients are shown, in seconds since 1970; nil
  /// without TLS.
  package var certificateExpiration: Double? { tls?.expirationSeconds }

  /// Answers a request whose handler said ``Answer/later``.
  ///
  /// - Parameters:
  ///   - id: The request's name; nothing happens if its client has gone or has been answered.
  ///   - response: The answer.
  package func answer(_ id: RequestID, _ response: Response) {
    guard let connection = connection(id.slot), connection.requestNumber == id.number
    else { return }
    connection.respond(response)
  }

  /// Stops: takes no new connection, closes those that are idle, finishes the others.
  ///
  /// Requests that have arrived when this is called are answered; those of which a part has come, and
  /// those of clients that have just connected, which could not know and would not try again, have
  /// ``Limits/stopTime`` to be complete.
  /// - Parameters:
  ///   - duration: How long the others may take.
  ///   - then: Called once all connections are closed; at once if there are none.
  package func drain(within duration: Duration, then: @escaping () -> Void) {
    if isDraining { return }
    // What the kernel has accepted for us would be reset otherwise.
    for listener in listeners { listener.accept(atMost: Int(ListenSocket.backlog)) }
    isDraining = true
    readingEnd = loop.now + limits.stopTime
    whenDrained = then
    for listener in listeners { listener.close() }
    listeners = []
    spare = nil
    for connection in connections { connection?.drain() }
    if whenDrained == nil { return }
    let token = loop.add(self)
    drainToken = token
    loop.setDeadline(token, loop.now + duration)
    endDrainIfEmpty()
  }

  /// What it has done and is doing.
  package var statistics: ServerStatistics {
    var statistics = counts
    statistics.requests = lastRequestNumber
    for case let connection? in connections {
      switch connection.state {
      case .handshake: statistics.open.handshake += 1
      case .new, .idle: statistics.open.idle += 1
      case .readingHeader, .readingBody: statistics.open.reading += 1
      case .waiting: statistics.open.waiting += 1
      case .writing: statistics.open.writing += 1
      case .closing: statistics.open.closing += 1
      case .closed: break
      }
    }
    return statistics
  }

  /// The server itself registers no descriptor.
  package func ready(_ token: EventToken, _ readiness: Readiness) {}

  /// The time to drain is over.
  package func expired(_ token: EventToken) {
    for connection in connections { connection?.close() }
  }

  // MARK: Connections

  /// Takes over an accepted connection, or closes it where there is no place.
  func adopt(_ socket: consuming OwnedFD) {
    if connectionCount >= limits.maxConnections, !evict() {
      counts.rejected.limit &+= 1
      return refuse(socket)
    }
    let connection = Connection(socket, self)
    guard let token = try? connection.open() else {
      counts.rejected.resources &+= 1
      return
    }
    counts.accepted &+= 1
    connectionCount += 1
    peak = max(peak, connectionCount)
    let index = Int(token.slot)
    while connections.count <= index { connections.append(nil) }
    connections[index] = connection
  }

  /// Says why before it closes; a client that sends its request later may miss it.
  private func refuse(_ socket: consuming OwnedFD) {
    // No handshake, no words.
    if tls != nil { return }
    let response = Response.tryLater("All connections are in use")
    counts.countResponse(response.status)
    let head = response.head(date: dateLine.current(), connection: "close")
    _ = try? Linux.send(socket, head: head, body: response.body, from: 0)
    // Bytes left unread would turn the end of the connection into a reset.
    _ = try? Linux.receive(socket, into: &receiveBuffer)
  }

  /// Closes the connection that may go first.
  ///
  /// - Returns: Whether there was one.
  func evict() -> Bool {
    guard let slot = evictionOrder.first, let connection = connection(slot) else { return false }
    counts.evicted &+= 1
    connection.close()
    return true
  }

  func forget(_ slot: Int32) {
    evictionOrder.remove(slot)
    connections[Int(slot)] = nil
    connectionCount -= 1
    if tls != nil { endHandshake(slot) }
    returnMemory()
    endDrainIfEmpty()
  }

  /// Gives memory back after a crowd has gone, because the allocator alone keeps most of it.
  private func returnMemory() {
    guard peak >= limits.crowd, connectionCount <= peak / 4 else { return }
    peak = connectionCount
    releaseFreeMemory()
  }

  func nextRequestNumber() -> UInt64 {
    lastRequestNumber &+= 1
    return lastRequestNumber
  }

  /// Keeps one descriptor in reserve, if there is one.
  func takeSpare() {
    if spare == nil, !isDraining { spare = try? openFile("/dev/null", .read) }
  }

  /// Frees the descriptor that is kept in reserve.
  ///
  /// - Returns: Whether there was one.
  func giveUpSpare() -> Bool {
    defer { spare = nil }
    return spare != nil
  }

  func connection(_ slot: Int32) -> Connection? {
    slot >= 0 && Int(slot) < connections.count ? connections[Int(slot)] : nil
  }

  private func endDrainIfEmpty() {
    guard isDraining, connectionCount == 0, let then = whenDrained else { return }
    whenDrained = nil
    if let drainToken { loop.remove(drainToken) }
    drainToken = nil
    then()
  }
}
