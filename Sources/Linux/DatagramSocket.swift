import Glibc

/// A unix socket that sends each message by itself to the socket at a path, so that it reaches
/// whoever listens there now: a receiver that starts anew needs no new connection.
package struct DatagramSocket: ~Copyable, Sendable {
  private let fd: OwnedFD

  /// A socket without a name.
  ///
  /// The corresponding system call is `socket(2)`.
  /// - Throws: `EMFILE`, `ENFILE`, `EAFNOSUPPORT` (unix sockets are not allowed).
  package init() throws(Errno) {
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    fd = OwnedFD(adopting: try attempt(.socket) { socket(AF_UNIX, kind, 0) })
  }

  /// Sends one message, waiting as long as the receiver has no room.
  ///
  /// The corresponding system call is `sendto(2)`.
  /// - Parameters:
  ///   - bytes: The message.
  ///   - path: Where the receiver's socket is.
  /// - Throws: `ENOENT` (no such socket), `ECONNREFUSED` (nobody listens), `EMSGSIZE` (longer than
  ///   the kernel's default send buffer), `ENAMETOOLONG`, `EACCES`.
  package func send(_ bytes: [UInt8], to path: String) throws(Errno) {
    let raw = fd.raw
    var name = sockaddr_un()
    // The path ends with a zero.
    guard path.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else { throw .nameTooLong }
    name.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    // SAFETY: every socket address begins with the family that `sockaddr` declares.
    _ = try attempt(.send) {
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe withUnsafePointer(to: &name) {
          unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe sendto(raw, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), $0, size)
          }
        }
      }
    }
  }
}
