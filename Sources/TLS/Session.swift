import COpenSSL
package import Linux

/// One encrypted connection; nothing blocks.
@safe package final class Session {
  /// What a handshake waits for.
  package enum Step: Sendable {
    case done
    case readable
    case writable
  }

  private let context: Context
  private let ssl: OpaquePointer
  /// Open as long as the session; it belongs to the connection.
  fileprivate let socket: Int32
  /// What came first, which tells one protocol from another.
  fileprivate var firstByte: UInt8?
  fileprivate var sawEnd = false
  fileprivate var failure: Errno?
  /// Whether the other end can no longer be told anything.
  private var isBroken = false

  /// Encrypted bytes that the kernel has taken; wraps.
  package fileprivate(set) var sentBytes = 0
  /// Whether the last call has to be repeated when the socket is writable, not when it is readable.
  package private(set) var waitsToWrite = false

  private var functions: UnsafePointer<copenssl> { unsafe context.library.functions }

  /// A connection whose handshake is still to come.
  ///
  /// - Parameters:
  ///   - context: The settings.
  ///   - socket: A connected, non-blocking socket, which has to stay open as long as this exists.
  /// - Throws: `ENOMEM`.
  package convenience init(_ context: ServerContext, on socket: borrowing OwnedFD) throws(Errno) {
    try self.init(of: context, on: socket)
    unsafe functions.pointee.SSL_set_accept_state(ssl)
  }

  /// A connection to a server.
  ///
  /// - Parameters:
  ///   - context: The settings.
  ///   - host: The name or address that its certificate has to be for.
  ///   - socket: As above.
  /// - Throws: `ENOMEM`.
  package convenience init(
    _ context: ClientContext, to host: String, on socket: borrowing OwnedFD
  ) throws(Errno) {
    try self.init(of: context, on: socket)
    unsafe functions.pointee.SSL_set_connect_state(ssl)
    var name = host.utf8CString
    // RFC 6066, section 3: addresses are not sent.
    let isAddress =
      host.contains(":") || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 &- 48 < 10 }
    if !isAddress {
      let isSet = unsafe name.withUnsafeMutableBytes {
        unsafe functions.pointee.SSL_ctrl(
          ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), $0.baseAddress)
      }
      if isSet != 1 { throw .noMemory }
    }
    unsafe functions.pointee.SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    if unsafe functions.pointee.SSL_set1_host(ssl, host) != 1 { throw .noMemory }
  }

  private init(of context: Context, on socket: borrowing OwnedFD) throws(Errno) {
    let functions = unsafe context.library.functions
    context.library.clearErrors()
    guard let methods = unsafe socketMethods(context.library),
      let ssl = unsafe functions.pointee.SSL_new(context.context)
    else { throw .noMemory }
    guard let bio = unsafe functions.pointee.BIO_new(methods) else {
      unsafe functions.pointee.SSL_free(ssl)
      throw .noMemory
    }
    self.context = context
    unsafe self.ssl = ssl
    self.socket = socket.raw
    // SAFETY: the session owns `ssl` and with it the BIO, so neither outlives it.
    unsafe functions.pointee.BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    unsafe functions.pointee.BIO_set_init(bio, 1)
    unsafe functions.pointee.SSL_set_bio(ssl, bio, bio)
  }

  deinit { unsafe functions.pointee.SSL_free(ssl) }

  /// Goes on with the handshake.
  ///
  /// - Returns: Whether it is complete, or what the socket has to be ready for.
  /// - Throws: Why there will be no connection; the client has been told, where it can be.
  package func handshake() throws(HandshakeError) -> Step {
    if let step = advance() { return step }
    // No record begins with a letter, every request does.
    if let firstByte, firstByte &- UInt8(ascii: "A") < 26 { throw .plainHTTP }
    if sawEnd || failure != nil { throw .closed }
    throw HandshakeError(reason: context.library.reason)
  }

  /// Goes on with the handshake with a server.
  ///
  /// - Returns: As above.
  /// - Throws: Why there will be no connection; the server has been told, where it can be.
  package func connect() throws(ServerRefusal) -> Step {
    if let step = advance() { return step }
    let verdict = unsafe functions.pointee.SSL_get_verify_result(ssl)
    if verdict != Int(X509_V_OK), (context as? ClientContext)?.isVerified == true {
      let words = unsafe functions.pointee.X509_verify_cert_error_string(verdict)
      throw .untrusted(unsafe words.map { unsafe String(cString: $0) } ?? "error \(verdict)")
    }
    if let firstByte, firstByte == UInt8(ascii: "H") { throw .failed("it does not speak TLS") }
    if context.library.reason == 0, sawEnd || failure != nil { throw .closed }
    throw .failed(context.library.sentence)
  }

  /// The handshake's next step; nil if it has failed.
  private func advance() -> Step? {
    context.library.clearErrors()
    let result = unsafe functions.pointee.SSL_do_handshake(ssl)
    if result == 1 { return .done }
    switch unsafe functions.pointee.SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return .readable
    case SSL_ERROR_WANT_WRITE: return .writable
    default:
      isBroken = true
      return nil
    }
  }

  /// Whether decrypted bytes wait, of which the kernel knows nothing.
  package var hasPending: Bool { unsafe functions.pointee.SSL_pending(ssl) > 0 }

  /// Receives and decrypts into a buffer; at most one record is looked at.
  ///
  /// - Parameter buffer: Where the bytes go, from the start.
  /// - Returns: How many bytes came; 0 when the client will send nothing more.
  /// - Throws: `EAGAIN` (see ``waitsToWrite``); anything else is the end of the connection.
  package func receive(into buffer: inout [UInt8]) throws(Errno) -> Int {
    context.library.clearErrors()
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe functions.pointee.SSL_read(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
    }
    waitsToWrite = false
    if count > 0 { return Int(count) }
    switch unsafe functions.pointee.SSL_get_error(ssl, count) {
    case SSL_ERROR_WANT_READ: throw .wouldBlock
    case SSL_ERROR_WANT_WRITE:
      waitsToWrite = true
      throw .wouldBlock
    case SSL_ERROR_ZERO_RETURN: return 0
    default:
      isBroken = true
      if sawEnd { return 0 }
      throw failure ?? .connectionReset
    }
  }

  /// Encrypts and sends the next record of two buffers that follow one another.
  ///
  /// - Parameters:
  ///   - head: The first buffer.
  ///   - body: The second one.
  ///   - done: How many bytes of both together were sent before; the same again after `EAGAIN`.
  /// - Returns: How many bytes have gone.
  /// - Throws: `EAGAIN` (to be repeated when the socket is writable); anything else is the end of the
  ///   connection.
  package func send(head: [UInt8], body: [UInt8], from done: Int) throws(Errno) -> Int {
    context.library.clearErrors()
    let bodyDone = max(0, done - head.count)
    let room = Int(SSL3_RT_MAX_PLAIN_LENGTH)
    let count: Int32
    if done < head.count {
      // One record with the beginning of the body: it arrives with the head.
      var record = Array(head[done...].prefix(room))
      record += body.prefix(room - record.count)
      count = unsafe record.withUnsafeBytes { unsafe write($0) }
    } else {
      count = unsafe body.withUnsafeBytes {
        unsafe write(UnsafeRawBufferPointer(rebasing: $0.dropFirst(bodyDone).prefix(room)))
      }
    }
    if count > 0 { return Int(count) }
    if unsafe functions.pointee.SSL_get_error(ssl, count) == SSL_ERROR_WANT_WRITE {
      throw .wouldBlock
    }
    isBroken = true
    throw failure ?? .connectionReset
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    unsafe functions.pointee.SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
  }

  /// Tells the client that nothing more will come (`close_notify`).
  ///
  /// - Throws: `EAGAIN` (to be repeated when the socket is writable).
  package func close() throws(Errno) {
    if isBroken { return }
    context.library.clearErrors()
    let result = unsafe functions.pointee.SSL_shutdown(ssl)
    if result < 0,
      unsafe functions.pointee.SSL_get_error(ssl, result) == SSL_ERROR_WANT_WRITE
    {
      throw .wouldBlock
    }
  }
}

// MARK: The way to the socket

/// Functions of a BIO over the socket of a session: OpenSSL's own would raise SIGPIPE.
///
/// - Source: `BIO_meth_new(3)`.
private func socketMethods(_ library: Library) -> OpaquePointer? { unsafe methods.pointer }

@safe private struct Methods: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer?
}

/// Made once; never freed, because sessions may need it at any time.
private let methods: Methods = {
  guard let library = try? Library.get() else { return unsafe Methods(pointer: nil) }
  let functions = unsafe library.functions
  guard let made = unsafe functions.pointee.BIO_meth_new(BIO_TYPE_SOURCE_SINK, "connection")
  else { return unsafe Methods(pointer: nil) }
  _ = unsafe functions.pointee.BIO_meth_set_read(made, readSocket)
  _ = unsafe functions.pointee.BIO_meth_set_write(made, writeSocket)
  _ = unsafe functions.pointee.BIO_meth_set_ctrl(made, controlSocket)
  return unsafe Methods(pointer: made)
}()

/// The session that a BIO belongs to, and OpenSSL's functions.
private func session(of bio: OpaquePointer?) -> (Session, UnsafePointer<copenssl>)? {
  guard let library = try? Library.get(),
    let data = unsafe library.functions.pointee.BIO_get_data(bio)
  else { return nil }
  // SAFETY: the data is the session, which is in the middle of the call that leads here.
  return unsafe (Unmanaged<Session>.fromOpaque(data).takeUnretainedValue(), library.functions)
}

private func readSocket(
  _ bio: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ count: Int32
) -> Int32 {
  guard let (session, functions) = unsafe session(of: bio), let buffer = unsafe buffer, count > 0
  else { return -1 }
  unsafe functions.pointee.BIO_clear_flags(
    bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
  let bytes = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))
  do throws(Errno) {
    let received = try unsafe receive(session.socket, into: bytes)
    if received == 0 { session.sawEnd = true }
    if session.firstByte == nil, received > 0 { session.firstByte = unsafe bytes.first }
    return Int32(received)
  } catch .wouldBlock {
    unsafe functions.pointee.BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
  } catch {
    session.failure = error
  }
  return -1
}

private func writeSocket(
  _ bio: OpaquePointer?, _ buffer: UnsafePointer<CChar>?, _ count: Int32
) -> Int32 {
  guard let (session, functions) = unsafe session(of: bio), let buffer = unsafe buffer, count > 0
  else { return -1 }
  unsafe functions.pointee.BIO_clear_flags(
    bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
  do throws(Errno) {
    let sent = try unsafe send(
      session.socket, UnsafeRawBufferPointer(start: buffer, count: Int(count)))
    session.sentBytes &+= sent
    return Int32(sent)
  } catch .wouldBlock {
    unsafe functions.pointee.BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
  } catch {
    session.failure = error
  }
  return -1
}

private func controlSocket(
  _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int { command == BIO_CTRL_FLUSH ? 1 : 0 }
