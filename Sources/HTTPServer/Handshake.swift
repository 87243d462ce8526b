import Linux
import TLS

/// How a connection becomes encrypted, and what that changes about waiting.
extension Connection {
  /// Takes the settings that count now for the connection.
  ///
  /// - Throws: `ENOMEM`.
  func encrypt() throws(Errno) {
    if let context = server.tls { session = try Session(context, on: socket) }
  }

  /// Begins to encrypt once it is sure with what.
  func encryptWhenCurrent() {
    if state != .handshake || session != nil { return }
    server.refreshTLS? { [weak self] in self?.beginHandshake() }
  }

  private func beginHandshake() {
    guard state == .handshake, session == nil else { return }
    do throws(Errno) {
      try encrypt()
      setInterest(.readable)
    } catch {
      close()
    }
  }

  /// Goes on with the TLS handshake.
  func shakeHands() {
    guard let session else { return }
    do throws(HandshakeError) {
      switch try session.handshake() {
      case .readable: setInterest(.readable)
      case .writable: setInterest(.writable)
      case .done:
        server.counts.handshakes &+= 1
        enter(.new)
        setInterest(receivingInterest)
      }
    } catch {
      server.counts.count(error)
      self.session = nil
      // What the client has to be told is sent; a reset would throw it away.
      if error == .plainHTTP { refusePlain() } else { finish() }
    }
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
