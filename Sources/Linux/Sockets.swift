import CLinux
import Glibc

/// Where a server listens.
package enum ListenAddress: Hashable, Sendable {
  /// An IPv4 address in host byte order and a port.
  case ipv4(UInt32, port: UInt16)
  /// An IPv6 address, 16 bytes, and a port.
  case ipv6([UInt8], port: UInt16)
  /// Every address of the machine, IPv6 and IPv4 through one socket where IPv6 exists.
  case any(port: UInt16)
  /// A socket in the file system.
  case unix(path: String)
  /// A port of this virtual machine that its host can reach (`vsock(7)`).
  case vsock(port: UInt32)

  /// Why a listen address could not be understood.
  package enum ParseError: Error, Equatable, Sendable {
    case empty
    case noPort
    case badPort(String)
    case badHost(String)
    case unixPathTooLong(limit: Int)
  }

  /// Understands `:9656`, `127.0.0.1:9656`, `[::1]:9656`, `localhost:9656`, `unix:/path` and
  /// `vsock://:9656`.
  ///
  /// - Parameter text: The address as it stands on the command line.
  /// - Throws: What is wrong with it.
  package init(_ text: String) throws(ParseError) {
    if text.isEmpty { throw .empty }
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      let limit = 107
      if path.isEmpty { throw .empty }
      if path.utf8.count > limit { throw .unixPathTooLong(limit: limit) }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":") else { throw .noPort }
    let portText = String(text[text.index(after: colon)...])
    let host = String(text[..<colon])
    guard portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = UInt32(portText)
    else { throw .badPort(portText) }
    if host == "vsock://" {
      self = .vsock(port: number)
      return
    }
    guard let port = UInt16(exactly: number) else { throw .badPort(portText) }
    if host.isEmpty {
      self = .any(port: port)
    } else if host == "localhost" {
      self = .ipv4(0x7f00_0001, port: port)
    } else if host.hasPrefix("["), host.hasSuffix("]") {
      let literal = String(host.dropFirst().dropLast())
      var address = in6_addr()
      guard unsafe inet_pton(AF_INET6, literal, &address) == 1 else { throw .badHost(host) }
      self = .ipv6(unsafe withUnsafeBytes(of: &address) { unsafe Array($0) }, port: port)
    } else {
      var address = in_addr()
      guard unsafe inet_pton(AF_INET, host, &address) == 1 else { throw .badHost(host) }
      self = .ipv4(UInt32(bigEndian: address.s_addr), port: port)
    }
  }
}

extension ListenAddress: CustomStringConvertible {
  package var description: String {
    switch self {
    case .ipv4(let address, let port):
      "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255):\(port)"
    case .ipv6(let bytes, let port): "[\(addressText(bytes) ?? "?")]:\(port)"
    case .any(let port): ":\(port)"
    case .unix(let path): "unix:\(path)"
    case .vsock(let port): "vsock://:\(port)"
    }
  }
}

/// An IP address as text.
///
/// The corresponding C function is `inet_ntop(3)`.
/// - Parameter bytes: 4 or 16 bytes in network order.
/// - Returns: For example `192.0.2.1` or `2001:db8::1`; nil if there are not 4 or 16 bytes.
package func addressText(_ bytes: [UInt8]) -> String? {
  let family: Int32
  switch bytes.count {
  case 4: family = AF_INET
  case 16: family = AF_INET6
  default: return nil
  }
  var text = [UInt8](repeating: 0, count: 46)
  let known = unsafe bytes.withUnsafeBytes { address in
    unsafe text.withUnsafeMutableBytes { out in
      unsafe inet_ntop(
        family, address.baseAddress, out.bindMemory(to: CChar.self).baseAddress, 46) != nil
    }
  }
  return known ? String(decoding: text.prefix { $0 != 0 }, as: UTF8.self) : nil
}

/// A socket that accepts connections.
package struct ListenSocket: ~Copyable, Sendable {
  package let fd: OwnedFD
  /// Where it really listens: a port given as 0 is the one the kernel chose.
  package let address: ListenAddress
  private let isOwn: Bool

  /// How many connections may wait to be accepted.
  package static let backlog: Int32 = 512

  /// Who may connect to a socket in the file system: owner and group.
  private static let unixMode: mode_t = 0o660

  /// Binds and listens.
  ///
  /// A socket file that is left over from a server that is gone is replaced; one that is made
  /// here is removed at the end. The corresponding system calls are `socket(2)`, `bind(2)` and
  /// `listen(2)`.
  /// - Parameter address: Where to listen.
  /// - Throws: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` (a port below 1024), `EAFNOSUPPORT`.
  package init(_ address: ListenAddress) throws(Errno) {
    let fd = try Self.open(address)
    let bound = try Self.bound(fd)
    if case .any = address, case .ipv4(_, let port) = bound {
      self.address = .any(port: port)
    } else {
      self.address = bound
    }
    self.fd = fd
    isOwn = true
  }

  /// Takes over a socket that somebody else has made and that listens already.
  ///
  /// A socket file stays at the end: whoever made it may hand it out again.
  /// - Parameter fd: The socket; becomes closed on exec and non-blocking.
  /// - Throws: `ENOTSOCK`, `EINVAL` (not a stream socket that listens), `EAFNOSUPPORT`.
  package init(adopting fd: consuming OwnedFD) throws(Errno) {
    let raw = fd.raw
    _ = try attempt(.other) { fcntl(raw, F_SETFD, FD_CLOEXEC) }
    let flags = try attempt(.other) { fcntl(raw, F_GETFL) }
    _ = try attempt(.other) { fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
    guard try option(fd, SO_TYPE) == Int32(SOCK_STREAM.rawValue),
      try option(fd, SO_ACCEPTCONN) == 1
    else { throw .invalid }
    address = try Self.bound(fd)
    self.fd = fd
    isOwn = false
  }

  deinit {
    if isOwn, case .unix(let path) = address { _ = unsafe unlink(path) }
  }

  /// Accepts one waiting connection, closed on exec and non-blocking.
  ///
  /// The corresponding system call is `accept4(2)`.
  /// - Throws: `EAGAIN` (none waits), `EMFILE`, `ENFILE`, `ECONNABORTED`.
  package func accept() throws(Errno) -> OwnedFD {
    let raw = fd.raw
    return OwnedFD(adopting: try attempt(.accept) { clinux_accept(raw) })
  }

  private static func open(_ address: ListenAddress) throws(Errno) -> OwnedFD {
    guard case .any(let port) = address else { return try open(address, dualStack: false) }
    do throws(Errno) {
      return try open(.ipv6([UInt8](repeating: 0, count: 16), port: port), dualStack: true)
    } catch .addressFamilyNotSupported {
      return try open(.ipv4(0, port: port), dualStack: false)
    }
  }

  private static func open(_ address: ListenAddress, dualStack: Bool) throws(Errno) -> OwnedFD {
    let family: Int32
    switch address {
    case .ipv4: family = AF_INET
    case .ipv6, .any: family = AF_INET6
    case .unix: family = AF_UNIX
    case .vsock: family = AF_VSOCK
    }
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let fd = OwnedFD(adopting: try attempt(.socket) { socket(family, kind, 0) })
    try setOption(fd, SOL_SOCKET, SO_REUSEADDR, Int32(1))
    if family == AF_INET6 {
      try setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, Int32(dualStack ? 0 : 1))
    }
    do throws(Errno) {
      try bind(fd, address)
    } catch .addressInUse {
      guard case .unix(let path) = address, try isAbandoned(address) else {
        throw .addressInUse
      }
      _ = try attempt(.socket) { unsafe unlink(path) }
      try bind(fd, address)
    }
    // Nobody can connect before listen(2), so the mode is in force in time.
    if case .unix(let path) = address {
      _ = try attempt(.socket) { unsafe chmod(path, unixMode) }
    }
    let raw = fd.raw
    _ = try attempt(.socket) { listen(raw, backlog) }
    return fd
  }

  /// Whether the file is a socket on which nobody listens.
  private static func isAbandoned(_ address: ListenAddress) throws(Errno) -> Bool {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let probe = OwnedFD(adopting: try attempt(.socket) { socket(AF_UNIX, kind, 0) })
    do throws(Errno) {
      try unsafe withName(of: address) { unsafe connect(probe.raw, $0, $1) }
      return false
    } catch {
      // A file of another kind refuses as well.
      guard error == .connectionRefused, case .unix(let path) = address else { return false }
      var facts = Glibc.stat()
      _ = try attempt(.stat) { unsafe lstat(path, &facts) }
      return facts.st_mode & S_IFMT == S_IFSOCK
    }
  }

  private static func bind(
    _ fd: borrowing OwnedFD, _ address: ListenAddress
  ) throws(Errno) {
    let raw = fd.raw
    if case .vsock(let port) = address {
      _ = try attempt(.socket) { clinux_bind_vsock(raw, port) }
    } else {
      try unsafe withName(of: address) { unsafe Glibc.bind(raw, $0, $1) }
    }
  }

  private static func withName(
    of address: ListenAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(Errno) {
    switch address {
    case .ipv4(let host, let port):
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      name.sin_addr.s_addr = host.bigEndian
      try unsafe withName(&name, body)
    case .ipv6(let host, let port):
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      unsafe withUnsafeMutableBytes(of: &name.sin6_addr) { unsafe $0.copyBytes(from: host) }
      try unsafe withName(&name, body)
    case .unix(let path):
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
      try unsafe withName(&name, body)
    case .any, .vsock: preconditionFailure("resolved by the caller")
    }
  }

  private static func withName<Name>(
    _ name: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(Errno) {
    let size = socklen_t(MemoryLayout<Name>.size)
    // SAFETY: every socket address begins with the family that `sockaddr` declares.
    _ = try attempt(.socket) {
      unsafe withUnsafePointer(to: &name) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, size) }
      }
    }
  }

  /// Where a socket listens, the port that the kernel chose included.
  private static func bound(_ fd: borrowing OwnedFD) throws(Errno) -> ListenAddress {
    var name = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
    var size = socklen_t(name.count)
    let raw = fd.raw
    _ = try attempt(.socket) {
      unsafe name.withUnsafeMutableBytes {
        unsafe getsockname(raw, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
      }
    }
    // sockaddr_in and sockaddr_in6 keep the port at the same place.
    let port = UInt16(name[2]) << 8 | UInt16(name[3])
    switch try option(fd, SO_DOMAIN) {
    case AF_INET:
      return .ipv4(name[4..<8].reduce(0) { $0 << 8 | UInt32($1) }, port: port)
    case AF_INET6:
      let host = Array(name[8..<24])
      let isDualStack = try option(fd, IPV6_V6ONLY, of: Int32(IPPROTO_IPV6)) == 0
      return isDualStack && host.allSatisfy { $0 == 0 } ? .any(port: port) : .ipv6(host, port: port)
    case AF_UNIX:
      let path = name[2..<max(2, min(Int(size), name.count))].prefix { $0 != 0 }
      return .unix(path: String(decoding: path, as: UTF8.self))
    case AF_VSOCK:
      return .vsock(port: name[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    default: throw .addressFamilyNotSupported
    }
  }
}

/// Sends small answers at once instead of waiting for more bytes (`TCP_NODELAY`).
///
/// A socket of another family refuses, which does not matter.
package func disableDelay(_ socket: borrowing OwnedFD) {
  _ = try? setOption(socket, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
}

/// Bounds how long the kernel keeps bytes for a peer that does not take them (`TCP_USER_TIMEOUT`).
///
/// Holds even after the socket is closed. A socket of another family refuses, which does not
/// matter.
/// - Parameters:
///   - socket: A socket; those accepted from a listening one inherit it.
///   - time: The longest time without progress; rounded to milliseconds, 0 is the system's own.
package func limitDelivery(_ socket: borrowing OwnedFD, to time: Duration) {
  let milliseconds = Int32(clamping: time.nanoseconds / 1_000_000)
  _ = try? setOption(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, max(0, milliseconds))
}

/// Makes closing the socket throw away what is not sent and reset the connection (`SO_LINGER`).
///
/// - Parameter socket: A connected socket.
package func resetWhenClosed(_ socket: borrowing OwnedFD) {
  _ = try? setOption(socket, SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
}

/// Receives into a buffer.
///
/// The corresponding system call is `recv(2)`.
/// - Parameters:
///   - socket: A connected, non-blocking socket.
///   - buffer: Where the bytes go, from the start.
/// - Returns: How many bytes came; 0 when the other end will send nothing more.
/// - Throws: `EAGAIN` (nothing there), `ECONNRESET`, `ETIMEDOUT`.
package func receive(
  _ socket: borrowing OwnedFD, into buffer: inout [UInt8]
) throws(Errno) -> Int {
  let raw = socket.raw
  return try attempt(.receive) {
    unsafe buffer.withUnsafeMutableBytes { unsafe recv(raw, $0.baseAddress, $0.count, 0) }
  }
}

/// Receives into memory, where the descriptor comes back from C.
///
/// The corresponding system call is `recv(2)`.
/// - Throws: `EAGAIN` (nothing there), `ECONNRESET`, `ETIMEDOUT`.
package func receive(
  _ socket: Int32, into bytes: UnsafeMutableRawBufferPointer
) throws(Errno) -> Int {
  try attempt(.receive) { unsafe recv(socket, bytes.baseAddress, bytes.count, 0) }
}

/// Sends memory, without raising SIGPIPE, where the descriptor comes back from C.
///
/// The corresponding system call is `send(2)`.
/// - Throws: `EAGAIN` (no room), `EPIPE`, `ECONNRESET`.
package func send(
  _ socket: Int32, _ bytes: UnsafeRawBufferPointer
) throws(Errno) -> Int {
  try attempt(.send) {
    unsafe Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
  }
}

/// Sends the rest of two buffers that follow one another, without raising SIGPIPE.
///
/// The corresponding system call is `sendmsg(2)`.
/// - Parameters:
///   - socket: A connected, non-blocking socket.
///   - head: The first buffer.
///   - body: The second one.
///   - done: How many bytes of both together were sent before.
/// - Returns: How many bytes the kernel took.
/// - Throws: `EAGAIN` (no room), `EPIPE`, `ECONNRESET`.
package func send(
  _ socket: borrowing OwnedFD, head: [UInt8], body: [UInt8], from done: Int
) throws(Errno) -> Int {
  let raw = socket.raw
  let headDone = min(done, head.count)
  let bodyDone = done - headDone
  return try attempt(.send) {
    unsafe head.withUnsafeBytes { head in
      unsafe body.withUnsafeBytes { body in
        unsafe clinux_send2(
          raw, head.baseAddress?.advanced(by: headDone), head.count - headDone,
          body.baseAddress?.advanced(by: bodyDone), body.count - bodyDone)
      }
    }
  }
}

/// Says that nothing more will be sent, so that the other end sees the end of the answer.
///
/// The corresponding system call is `shutdown(2)` with `SHUT_WR`.
/// - Parameter socket: A connected socket; one that is no longer connected does not matter.
package func shutDownSending(_ socket: borrowing OwnedFD) {
  _ = shutdown(socket.raw, Int32(SHUT_WR))
}

private func setOption<Value: BitwiseCopyable>(
  _ socket: borrowing OwnedFD, _ level: Int32, _ option: Int32, _ value: Value
) throws(Errno) {
  let raw = socket.raw
  var value = value
  let size = socklen_t(MemoryLayout<Value>.size)
  _ = try attempt(.socket) { unsafe setsockopt(raw, level, option, &value, size) }
}

private func option(
  _ socket: borrowing OwnedFD, _ option: Int32, of level: Int32 = SOL_SOCKET
) throws(Errno) -> Int32 {
  let raw = socket.raw
  var value: Int32 = 0
  var size = socklen_t(MemoryLayout<Int32>.size)
  _ = try attempt(.socket) { unsafe getsockopt(raw, level, option, &value, &size) }
  return value
}
