import Glibc
import Linux

/// Sockets of the test, closed when it lets go of them.
package final class TestSockets {
  package private(set) var all: [Int32] = []

  package init() {}

  deinit { for number in all { close(number) } }

  /// A socket without an address; `kind` as for `socket(2)`.
  package func open(_ family: Int32, _ kind: __socket_type, protocol: Int32 = 0) throws -> Int32 {
    let number = socket(family, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), `protocol`)
    guard number >= 0 else { throw Errno(errno) }
    all.append(number)
    return number
  }

  /// A socket bound to a port of an IPv4 address, one that the kernel chooses if it is 0.
  package func bound(
    _ kind: __socket_type, address: UInt32 = 0x7f00_0001, port: UInt16 = 0, shared: Bool = false
  ) throws -> Int32 {
    let number = try open(AF_INET, kind)
    var yes: Int32 = 1
    if shared { setsockopt(number, SOL_SOCKET, SO_REUSEPORT, &yes, 4) }
    try Self.named(address, port) { bind(number, $0, $1) }
    return number
  }

  /// A TCP socket that listens.
  package func listener(
    backlog: Int32, address: UInt32 = 0x7f00_0001, port: UInt16 = 0, shared: Bool = false
  ) throws -> Int32 {
    let number = try bound(SOCK_STREAM, address: address, port: port, shared: shared)
    guard listen(number, backlog) == 0 else { throw Errno(errno) }
    return number
  }

  /// A socket connected to a local port; without waiting it may still be connecting.
  package func connected(_ kind: __socket_type, to port: UInt16, waiting: Bool = true) throws
    -> Int32
  {
    let number = try open(AF_INET, kind)
    if !waiting { _ = fcntl(number, F_SETFL, O_NONBLOCK) }
    do {
      try Self.named(0x7f00_0001, port) { connect(number, $0, $1) }
    } catch let error as Errno where error == .inProgress && !waiting {
      // As wanted.
    }
    return number
  }

  /// The next connection of a listener.
  package func accepted(from listener: Int32) throws -> Int32 {
    let number = accept(listener, nil, nil)
    guard number >= 0 else { throw Errno(errno) }
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    all.append(number)
    return number
  }

  /// Two unix sockets connected with one another.
  package func pair() throws -> (Int32, Int32) {
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Errno(errno) }
    all += ends
    return (ends[0], ends[1])
  }

  /// The local port of a socket.
  package static func port(_ number: Int32) -> UInt16 {
    var name = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(number, $0, &size) }
    }
    return UInt16(bigEndian: name.sin_port)
  }

  /// Sends bytes from one end and fetches all of them at the other.
  package static func carry(_ count: Int, from sender: Int32, to receiver: Int32) throws {
    var bytes = [UInt8](repeating: 1, count: count)
    guard send(sender, bytes, count, 0) == count else { throw Errno(errno) }
    guard recv(receiver, &bytes, count, Int32(MSG_WAITALL)) == count else {
      throw Errno(errno)
    }
  }

  private static func named(
    _ address: UInt32, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.bigEndian
    let code = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw Errno(errno) }
  }
}

/// A socket with a path that takes messages, as the journal's and the service manager's do.
package final class DatagramReceiver {
  package let path: String
  private let number: Int32

  /// Takes the place of another one that may have been there.
  package init(_ path: String) throws {
    self.path = path
    unlink(path)
    let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    number = socket(AF_UNIX, Int32(kind), 0)
    guard number >= 0 else { throw Errno(errno) }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let code = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard code == 0 else { throw Errno(errno) }
  }

  deinit { close(number) }

  /// The next message; nil if there is none.
  package func next() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 1 << 18)
    let count = recv(number, &bytes, bytes.count, 0)
    return count < 0 ? nil : Array(bytes[..<count])
  }
}
