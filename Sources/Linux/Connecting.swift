import Glibc

/// Where something else listens.
package struct PeerAddress: Sendable, Hashable {
  private let family: Int32
  /// The kernel's form, `sockaddr_in`, `sockaddr_in6` or `sockaddr_un`.
  private let name: [UInt8]

  private init(family: Int32, name: [UInt8]) {
    self.family = family
    self.name = name
  }

  /// The addresses of a host, in the order in which they are to be tried.
  ///
  /// It can wait for name servers, so it belongs on a waiter thread, unless the host is a number. The
  /// corresponding C function is `getaddrinfo(3)`.
  /// - Parameters:
  ///   - host: A name or an IP address.
  ///   - port: The port.
  /// - Returns: At least one address.
  /// - Throws: `EHOSTUNREACH` if the name has none, or could not be asked for.
  package static func resolve(_ host: String, port: UInt16) throws(Errno) -> [PeerAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = Int32(AI_ADDRCONFIG | AI_NUMERICSERV)
    var first: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, String(port), &hints, &first) == 0 else { throw .unreachable }
    defer { unsafe freeaddrinfo(first) }
    var found: [PeerAddress] = []
    var next = unsafe first
    while let entry = unsafe next {
      if let address = unsafe entry.pointee.ai_addr {
        let bytes = unsafe UnsafeRawBufferPointer(
          start: address, count: Int(entry.pointee.ai_addrlen))
        found.append(PeerAddress(family: unsafe entry.pointee.ai_family, name: unsafe Array(bytes)))
      }
      unsafe next = entry.pointee.ai_next
    }
    guard !found.isEmpty else { throw .unreachable }
    return found
  }

  /// Whether it is this machine's loopback.
  package var isLoopback: Bool {
    switch family {
    case AF_INET: name.count >= 8 && name[4] == 127
    case AF_INET6:
      name.count >= 24
        && (name[8..<23].allSatisfy { $0 == 0 } && name[23] == 1
          || name[8..<18].allSatisfy { $0 == 0 } && name[18] == 255 && name[19] == 255
            && name[20] == 127)
    default: false
    }
  }

  /// Connects.
  ///
  /// The corresponding system calls are `socket(2)`, `connect(2)` and `poll(2)`.
  /// - Parameter deadline: When to give up.
  /// - Returns: A connected, non-blocking socket.
  /// - Throws: `ECONNREFUSED`, `EHOSTUNREACH`, `ETIMEDOUT` (the deadline) and whatever the network
  ///   reports.
  package func connect(until deadline: Instant) throws(Errno) -> OwnedFD {
    let family = family
    let socket = OwnedFD(
      adopting: try attempt(.socket) {
        Glibc.socket(
          family,
          Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
      })
    let raw = socket.raw
    do throws(Errno) {
      _ = try attempt(.socket) {
        unsafe name.withUnsafeBytes { bytes in
          // SAFETY: every socket address begins with the family that `sockaddr` declares.
          unsafe Glibc.connect(
            raw, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
      }
    } catch .inProgress {
      try wait(for: socket, .write, until: deadline)
      var code: Int32 = 0
      var size = socklen_t(MemoryLayout<Int32>.size)
      _ = try attempt(.socket) { unsafe getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &size) }
      if code != 0 { throw Errno(code) }
    }
    return socket
  }
}

/// What a socket is waited for.
package enum Direction: Sendable { case read, write }

/// Waits until a socket can be read from or written to.
///
/// The corresponding system call is `poll(2)`.
/// - Parameters:
///   - socket: The socket.
///   - direction: What for.
///   - deadline: When to give up.
/// - Throws: `ETIMEDOUT`.
package func wait(
  for socket: borrowing OwnedFD, _ direction: Direction, until deadline: Instant
) throws(Errno) {
  var entry = pollfd(
    fd: socket.raw, events: Int16(direction == .read ? POLLIN : POLLOUT), revents: 0)
  while true {
    let left = (deadline - .now).nanoseconds
    if left <= 0 { throw .timedOut }
    let result = unsafe poll(&entry, 1, Int32(clamping: left / 1_000_000 + 1))
    if result > 0 { return }
    if result < 0, errno != EINTR { throw Errno(errno) }
  }
}
