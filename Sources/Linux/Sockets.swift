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

  /// Why a listen address could not be understood.
  package enum ParseError: Error, Equatable, Sendable {
    case empty
    case noPort
    case badPort(String)
    case badHost(String)
    case unixPathTooLong(limit: Int)
  }

  /// Understands `:9656`, `127.0.0.1:9656`, `[::1]:9656`, `localhost:9656` and `unix:/path`.
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
    guard !portText.isEmpty, portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
      let port = UInt16(portText)
    else { throw .badPort(portText) }
    let host = String(text[..<colon])
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
    case .ipv6(let bytes, let port): "[\(Self.text(ipv6: bytes))]:\(port)"
    case .any(let port): ":\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  private static func text(ipv6 bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: 46)
    let known = unsafe bytes.withUnsafeBytes { address in
      unsafe text.withUnsafeMutableBytes { out in
        unsafe inet_ntop(
          AF_INET6, address.baseAddress, out.bindMemory(to: CChar.self).baseAddress, 46) != nil
      }
    }
    return known ? String(decoding: text.prefix { $0 != 0 }, as: UTF8.self) : "?"
  }
}

/// A socket that accepts connections.
package struct ListenSocket: ~Copyable, Sendable {
  package let fd: OwnedFD
  /// Where it really listens: a port given as 0 is the one the kernel chose.
  package let address: ListenAddress

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
    self.address = try Self.bound(fd, asked: address)
    self.fd = fd
  }

  deinit {
    if case .unix(let path) = address { _ = unsafe unlink(path) }
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
    }
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let fd = OwnedFD(adopting: try attempt(.socket) { socket(family, kind, 0) })
    if family != AF_UNIX { try setOption(fd, SOL_SOCKET, SO_REUSEADDR, Int32(1)) }
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
    try unsafe withName(of: address) { unsafe Glibc.bind(raw, $0, $1) }
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
    case .any: preconditionFailure("resolved by the caller")
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

  /// The address with the port that the kernel chose, if the asked one was 0.
  private static func bound(
    _ fd: borrowing OwnedFD, asked: ListenAddress
  ) throws(Errno) -> ListenAddress {
    var name = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let raw = fd.raw
    _ = try attempt(.socket) {
      unsafe withUnsafeMutablePointer(to: &name) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe getsockname(raw, $0, &size)
        }
      }
    }
    // sockaddr_in and sockaddr_in6 keep the port at the same place.
    let port = UInt16(bigEndian: name.sin6_port)
    switch asked {
    case .ipv4(let host, _): return .ipv4(host, port: port)
    case .ipv6(let host, _): return .ipv6(host, port: port)
    case .any: return .any(port: port)
    case .unix: return asked
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
