import Linux
import TLS

/// A connection to a server, encrypted or not; whoever uses it waits, until its deadline.
struct Connection: ~Copyable {
  private let socket: OwnedFD
  /// Nil where nothing is encrypted.
  private let session: Session?
  private let deadline: Instant

  /// Goes through with the handshake, if there has to be one.
  init(
    _ socket: consuming OwnedFD, _ endpoint: Endpoint, _ encryption: Client.Encryption?,
    until deadline: Instant
  ) throws(Client.Failure) {
    var session: Session?
    if endpoint.isEncrypted {
      guard let encryption else { throw .tls(.failed("https is not asked here")) }
      session = try Self.session(
        socket, encryption.context, encryption.serverName ?? endpoint.host, deadline)
    }
    self.socket = socket
    self.session = session
    self.deadline = deadline
  }

  private static func session(
    _ socket: borrowing OwnedFD, _ context: ClientContext, _ host: String, _ deadline: Instant
  ) throws(Client.Failure) -> Session {
    let session: Session
    do throws(Errno) {
      session = try Session(context, to: host, on: socket)
    } catch {
      throw .network(error)
    }
    while true {
      let step: Session.Step
      do throws(ServerRefusal) {
        step = try session.connect()
      } catch {
        throw .tls(error)
      }
      if step == .done { return session }
      do throws(Errno) {
        try wait(for: socket, step == .readable ? .read : .write, until: deadline)
      } catch {
        throw .network(error)
      }
    }
  }

  /// Sends more of two buffers that follow one another; see ``Session/send(head:body:from:)``.
  func send(head: [UInt8], body: [UInt8], from done: Int) throws(Errno) -> Int {
    while true {
      do throws(Errno) {
        if let session { return try session.send(head: head, body: body, from: done) }
        return try Linux.send(socket, head: head, body: body, from: done)
      } catch .wouldBlock {
        try wait(for: socket, .write, until: deadline)
      }
    }
  }

  /// Receives what is there, at least one byte.
  ///
  /// - Returns: How many bytes came; 0 at the end.
  func receive(into buffer: inout [UInt8]) throws(Errno) -> Int {
    while true {
      // There may always be more.
      if deadline <= .now { throw .timedOut }
      do throws(Errno) {
        if let session { return try session.receive(into: &buffer) }
        return try Linux.receive(socket, into: &buffer)
      } catch .wouldBlock {
        try wait(for: socket, session?.waitsToWrite == true ? .write : .read, until: deadline)
      }
    }
  }
}
