import Linux

/// Accepts the connections of one listening socket.
final class Listener: EventHandler {
  private let server: Server
  private let socket: ListenSocket
  private var token: EventToken?

  /// Where it really listens.
  var address: ListenAddress { socket.address }

  init(_ socket: consuming ListenSocket, _ server: Server) throws(Errno) {
    // Accepted sockets inherit the options from the one that listens.
    disableDelay(socket.fd)
    limitDelivery(socket.fd, to: server.limits.writeTime)
    self.socket = socket
    self.server = server
    token = try server.loop.add(self.socket.fd, .readable, self)
  }

  func ready(_ token: EventToken, _ readiness: Readiness) {
    accept(atMost: server.limits.acceptsPerTurn)
  }

  /// The pause is over.
  func expired(_ token: EventToken) {
    server.takeSpare()
    server.loop.modify(token, .readable)
  }

  func close() {
    if let token { server.loop.remove(token) }
    token = nil
  }

  /// Accepts what waits, but not so much that open connections would have to wait.
  func accept(atMost count: Int) {
    var isFailing = true
    for _ in 0..<count {
      do throws(Errno) {
        server.adopt(try socket.accept())
        isFailing = false
      } catch .wouldBlock {
        return
      } catch .tooManyOpenFiles, .tooManyOpenFilesInSystem {
        // Said even if nothing waits: the kernel looks for a descriptor first.
        do throws(Errno) {
          try acceptWithSpare()
          isFailing = false
        } catch .wouldBlock {
          return
        } catch {
          return pause()
        }
      } catch .noMemory, .noBufferSpace {
        return pause()
      } catch {
        // The connection failed before it was accepted; the next one may be sound (accept(2)).
        server.counts.rejected.aborted &+= 1
      }
    }
    // An error that stays would be reported for ever.
    if isFailing { pause() }
  }

  /// Accepts one connection with the spare descriptor, and keeps it if another one can go.
  ///
  /// Left where it is, it would be reported for ever, because the loop is level-triggered.
  private func acceptWithSpare() throws(Errno) {
    guard server.giveUpSpare() else { throw .tooManyOpenFiles }
    defer { server.takeSpare() }
    let connection = try socket.accept()
    if server.evict() {
      server.adopt(connection)
    } else {
      server.counts.rejected.resources &+= 1
      _ = consume connection
    }
  }

  /// Stops accepting for a moment, so that the loop does not spin.
  private func pause() {
    guard let token else { return }
    server.loop.modify(token, [])
    server.loop.setDeadline(token, server.loop.now + server.limits.acceptPause)
  }
}
