import Linux
import TLS

/// How a connection becomes encrypted, and what that changes about waiting.
extension Connection {
  /// Begins the handshake, for which it has a place, once it is sure with which settings.
  func beginHandshake() {
    guard let token else { return }
    server.loop.setDeadline(
      token, min(progressDeadline, server.loop.now + limits.handshakeStallTime))
    guard let refresh = server.refreshTLS else { return encrypt() }
    refresh { [weak self] in self?.encrypt() }
  }

  private func encrypt() {
    guard state == .handshake, session == nil, let context = server.tls else { return }
    do throws(Errno) {
      session = try Session(context, on: socket)
      setInterest(.readable)
    } catch {
      close()
    }
  }

  /// Goes on with the TLS handshake; until its first byte a client costs nothing but its socket.
  func shakeHands() {
    if session == nil, let token { server.queueHandshake(token.slot) }
    guard let session else {
      if state == .handshake { setInterest([]) }
      return
    }
    do throws(HandshakeError) {
      switch try session.handshake() {
      case .readable: setInterest(.readable)
      case .writable: setInterest(.writable)
      case .done:
        server.counts.handshakes &+= 1
        endHandshake()
        enter(.new)
        setInterest(receivingInterest)
      }
    } catch {
      server.counts.count(error)
      self.session = nil
      endHandshake()
      // What the client has to be told is sent; a reset would throw it away.
      if error == .plainHTTP { refusePlain() } else { finish() }
    }
  }

  private func endHandshake() {
    if let token { server.endHandshake(token.slot) }
  }

  /// Answers a client that does not know that it has to encrypt, as Go's servers do.
  private func refusePlain() {
    let response = Response.text(
      .badRequest, "Client sent an HTTP request to an HTTPS server.\n")
    server.counts.countResponse(response.status)
    var head = response.head(date: server.dateLine.current(), connection: "close")
    // Of the request nothing is known, not even its version: the oldest one is understood by all.
    head[7] = UInt8(ascii: "0")
    state = .writing
    output(head, response.body, then: .close)
  }

  /// What to wait for until more can be received.
  ///
  /// The kernel knows nothing of bytes that are decrypted already: for them the connection waits
  /// until it is writable, which it is.
  var receivingInterest: Readiness {
    guard let session else { return .readable }
    return session.waitsToWrite || session.hasPending ? .writable : .readable
  }
}

extension Server {
  /// Lets a connection begin its handshake, now or as soon as there is room for it.
  func queueHandshake(_ slot: Int32) {
    handshakes.append(slot)
    makeRoomForHandshakes()
  }

  /// Notes that a handshake takes long.
  func noteStalledHandshake(_ slot: Int32) {
    handshakes.noteStalled(slot)
    makeRoomForHandshakes()
  }

  /// Notes that a connection is done with its handshake, or gone.
  func endHandshake(_ slot: Int32) {
    handshakes.remove(slot)
    beginHandshakes()
  }

  private func makeRoomForHandshakes() {
    beginHandshakes()
    guard handshakes.isFull(limits.handshakes), let slot = handshakes.stalled,
      let connection = connection(slot)
    else { return }
    counts.evicted &+= 1
    connection.close()
  }

  private func beginHandshakes() {
    while let slot = handshakes.next(atMost: limits.handshakes) {
      connection(slot)?.beginHandshake()
    }
  }
}
