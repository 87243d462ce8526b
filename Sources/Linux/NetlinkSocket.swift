import Glibc

/// A conversation with a part of the kernel that speaks netlink.
///
/// - Kernel: `netlink(7)`, `include/uapi/linux/netlink.h`.
/// - Permission: any user, unless the part itself asks for more.
package final class NetlinkSocket: Sendable {
  private let fd: OwnedFD

  /// Opens one in the network namespace of the calling thread.
  ///
  /// The corresponding system call is `socket(2)` with `AF_NETLINK`.
  /// - Parameter family: The part of the kernel, `NETLINK_*`.
  /// - Throws: `EPROTONOSUPPORT` (a kernel without it), `EMFILE`, `ENFILE`.
  package init(family: Int32) throws(Errno) {
    let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    fd = OwnedFD(adopting: try attempt(.socket) { socket(AF_NETLINK, kind, family) })
  }

  /// Sends one message to the kernel, which handles it before this returns.
  ///
  /// The corresponding system call is `send(2)`.
  /// - Throws: `ENOBUFS`, `EPERM`.
  package func send(_ message: [UInt8]) throws(Errno) {
    let raw = fd.raw
    _ = try attempt(.send) {
      unsafe message.withUnsafeBytes { unsafe Glibc.send(raw, $0.baseAddress, $0.count, 0) }
    }
  }

  /// Receives what the kernel has answered, one or more messages.
  ///
  /// Does not wait: the kernel makes each part of an answer when the one before is fetched. The
  /// corresponding system call is `recv(2)`.
  /// - Parameter buffer: Where the bytes go, from the start; 32 KiB hold whatever the kernel sends.
  /// - Returns: How many bytes came.
  /// - Throws: `EAGAIN` (there is no answer), `EMSGSIZE` (the buffer is too small), `ENOBUFS`.
  package func receive(into buffer: inout [UInt8]) throws(Errno) -> Int {
    let raw = fd.raw
    let count = try attempt(.receive) {
      unsafe buffer.withUnsafeMutableBytes {
        // With MSG_TRUNC the answer's whole length is returned.
        unsafe recv(raw, $0.baseAddress, $0.count, Int32(MSG_TRUNC))
      }
    }
    guard count <= buffer.count else { throw .messageTooLong }
    return count
  }
}

/// The head of one message (`struct nlmsghdr`), and where its content lies.
package struct NetlinkMessage: Equatable {
  package static let noOperation: UInt16 = 1
  package static let error: UInt16 = 2
  package static let done: UInt16 = 3

  /// Set on parts of a dump during which the dumped things changed.
  package static let isInterrupted: UInt16 = 0x10
  /// Asks for all there is (`NLM_F_REQUEST | NLM_F_DUMP`).
  package static let dumpRequest: UInt16 = 0x301

  private static let headBytes = 16

  package let type: UInt16
  package let flags: UInt16
  package let sequence: UInt32
  package let content: Range<Int>

  /// Reads the message at a place and moves on to the next one; nil at the end, and where the bytes
  /// are none.
  package init?(_ bytes: Span<UInt8>, at index: inout Int) {
    guard let length = bytes.number(at: index, UInt32.self).map(Int.init),
      length >= Self.headBytes, length <= bytes.count - index,
      let type = bytes.number(at: index + 4, UInt16.self),
      let flags = bytes.number(at: index + 6, UInt16.self),
      let sequence = bytes.number(at: index + 8, UInt32.self)
    else { return nil }
    self.type = type
    self.flags = flags
    self.sequence = sequence
    content = (index + Self.headBytes)..<(index + length)
    index += (length + 3) & ~3
  }

  /// A message to the kernel.
  package static func request(
    type: UInt16, flags: UInt16, sequence: UInt32, _ content: [UInt8]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(number: UInt32(headBytes + content.count))
    bytes.append(number: type)
    bytes.append(number: flags)
    bytes.append(number: sequence)
    bytes.append(number: UInt32(0))
    return bytes + content
  }

  /// The error number in an `error` or `done` message; 0 is none.
  package func errorCode(_ bytes: Span<UInt8>) -> Int32 {
    guard content.count >= 4, let code = bytes.number(at: content.lowerBound, Int32.self) else {
      return 0
    }
    return 0 &- code
  }
}

/// One attribute inside a message (`struct nlattr`), and where its value lies.
package struct NetlinkAttribute: Equatable {
  package let type: UInt16
  package let value: Range<Int>

  /// Reads the attribute at a place and moves on to the next one; nil at the end, and where the
  /// bytes are none.
  package init?(_ bytes: Span<UInt8>, at index: inout Int, end: Int) {
    guard end <= bytes.count, let length = bytes.number(at: index, UInt16.self).map(Int.init),
      length >= 4, length <= end - index, let type = bytes.number(at: index + 2, UInt16.self)
    else { return nil }
    // The upper two bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
    self.type = type & 0x3fff
    value = (index + 4)..<(index + length)
    index += (length + 3) & ~3
  }
}

extension Span where Element == UInt8 {
  /// A number in the machine's byte order; nil if it would not lie within the bytes.
  package func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at index: Int, _ type: Number.Type
  ) -> Number? {
    let size = MemoryLayout<Number>.size
    guard index >= 0, count >= size, index <= count - size else { return nil }
    // SAFETY: the bytes lie within the span, and every pattern of bits is a number.
    return unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: index, as: type) }
  }
}

extension [UInt8] {
  /// Appends a number in the machine's byte order.
  package mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(number: Number) {
    unsafe Swift.withUnsafeBytes(of: number) { unsafe append(contentsOf: $0) }
  }
}
