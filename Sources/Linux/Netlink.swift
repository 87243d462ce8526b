import CLinux
import Glibc

/// A netlink socket towards the kernel, and the datagram that it received last.
///
/// - Kernel: `netlink(7)`; `include/uapi/linux/netlink.h`.
package struct NetlinkSocket: ~Copyable {
  package let fd: OwnedFD
  /// The memory of datagrams; only the first ``count`` bytes belong to the last one.
  package private(set) var storage: [UInt8]
  package private(set) var count = 0

  /// Opens a non-blocking socket.
  ///
  /// The corresponding system call is `socket(2)`.
  /// - Parameters:
  ///   - number: The protocol, one of `NETLINK_*`.
  ///   - capacity: The longest datagram that can come, in bytes.
  ///   - queueBytes: Memory for datagrams that wait; nil leaves the system's own. Without
  ///     CAP_NET_ADMIN at most `net.core.rmem_max`.
  /// - Throws: `EMFILE`, `ENFILE`, `EPROTONOSUPPORT` (a kernel without the protocol).
  package init(
    protocol number: Int32, capacity: Int = 32 << 10, queueBytes: Int32? = nil
  ) throws(Errno) {
    let fd = OwnedFD(adopting: try Self.open(protocol: number))
    if let queueBytes {
      do throws(Errno) {
        try Self.setOption(fd, SO_RCVBUFFORCE, queueBytes)
      } catch {
        try Self.setOption(fd, SO_RCVBUF, queueBytes)
      }
    }
    self.fd = fd
    storage = [UInt8](repeating: 0, count: capacity)
  }

  /// Takes over a socket that another thread has opened.
  init(adopting raw: Int32) {
    fd = OwnedFD(adopting: raw)
    storage = [UInt8](repeating: 0, count: 32 << 10)
  }

  /// Opens a socket in the network namespace of the calling thread.
  static func open(protocol number: Int32) throws(Errno) -> Int32 {
    let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    return try attempt(.socket) { socket(AF_NETLINK, kind, number) }
  }

  /// Receives what the kernel sends to everybody who listens.
  ///
  /// The corresponding call is `setsockopt(NETLINK_ADD_MEMBERSHIP)`.
  /// - Parameter group: Its number.
  /// - Throws: `EPERM`.
  package func join(group: Int32) throws(Errno) {
    try Self.setOption(fd, 1, group, level: 270)  // NETLINK_ADD_MEMBERSHIP, SOL_NETLINK
  }

  /// Lets the kernel drop datagrams instead of queueing them.
  ///
  /// The corresponding call is `setsockopt(SO_ATTACH_FILTER)`.
  /// - Parameter filter: A program of classic BPF; its words are big-endian.
  /// - Throws: `EINVAL` (no valid program), `ENOMEM`.
  func attach(_ filter: [sock_filter]) throws(Errno) {
    let raw = fd.raw
    var filter = filter
    _ = try attempt(.socket) {
      unsafe filter.withUnsafeMutableBufferPointer {
        var program = unsafe sock_fprog(len: UInt16($0.count), filter: $0.baseAddress)
        return unsafe setsockopt(
          raw, SOL_SOCKET, SO_ATTACH_FILTER, &program, socklen_t(MemoryLayout<sock_fprog>.size))
      }
    }
  }

  /// Sends a request to the kernel, which has dealt with it when this returns.
  ///
  /// The corresponding system call is `send(2)`.
  /// - Throws: `ENOBUFS`, `ECONNREFUSED` (a kernel without the protocol).
  package func send(_ request: NetlinkRequest) throws(Errno) {
    let raw = fd.raw
    let bytes = request.bytes
    _ = try attempt(.send) {
      unsafe bytes.withUnsafeBytes { unsafe Glibc.send(raw, $0.baseAddress, $0.count, 0) }
    }
  }

  /// Takes the next datagram.
  ///
  /// One that is longer than the memory is cut, so that its last message is no valid one. The
  /// corresponding system call is `recv(2)`.
  /// - Throws: `EAGAIN` (none waits), `ENOBUFS` (datagrams were dropped; those that still wait come
  ///   next).
  package mutating func receive() throws(Errno) {
    count = 0
    count = try Linux.receive(fd, into: &storage)
  }

  /// How many datagrams the kernel has dropped since the socket was opened, because nobody took
  /// them in time (`SO_MEMINFO`, Linux 4.12); modulo 2^32, nil if it does not tell.
  package var drops: UInt32? {
    // Nine numbers; SK_MEMINFO_DROPS is the last one.
    var numbers = [UInt32](repeating: 0, count: 9)
    var size = socklen_t(numbers.count * 4)
    let raw = fd.raw
    let isKnown = try? attempt(.socket) {
      unsafe getsockopt(raw, SOL_SOCKET, SO_MEMINFO, &numbers, &size)
    }
    return isKnown != nil && size == 36 ? numbers[8] : nil
  }

  private static func setOption(
    _ fd: borrowing OwnedFD, _ option: Int32, _ value: Int32, level: Int32 = SOL_SOCKET
  ) throws(Errno) {
    let raw = fd.raw
    var value = value
    _ = try attempt(.socket) { unsafe setsockopt(raw, level, option, &value, 4) }
  }
}

/// One message to the kernel.
package struct NetlinkRequest: Sendable {
  /// `NLM_F_*`.
  package struct Flags: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Success is answered too, with an error message whose code is 0.
    package static let acknowledge = Flags(rawValue: 4)
    /// Everything there is, in many messages (`NLM_F_DUMP`).
    package static let dump = Flags(rawValue: 0x300)
  }

  private static let request: UInt16 = 1

  package private(set) var bytes: [UInt8] = []

  package init(type: UInt16, flags: Flags = [], sequence: UInt32) {
    append(UInt32(0))  // length, see below
    append(type)
    append(Self.request | flags.rawValue)
    append(sequence)
    append(UInt32(0))  // port, filled in by the kernel
    setLength()
  }

  /// Appends a number in the machine's byte order.
  package mutating func append(_ number: some FixedWidthInteger) {
    unsafe withUnsafeBytes(of: number) { unsafe bytes.append(contentsOf: $0) }
    if bytes.count >= NetlinkMessage.headerBytes { setLength() }
  }

  /// Appends an attribute that is a number.
  package mutating func appendAttribute(_ type: UInt16, _ number: Int32) {
    append(UInt16(8))
    append(type)
    append(number)
  }

  /// Appends an attribute.
  package mutating func appendAttribute(_ type: UInt16, _ payload: [UInt8]) {
    append(UInt16(truncatingIfNeeded: payload.count + 4))
    append(type)
    bytes += payload
    while bytes.count % 4 != 0 { bytes.append(0) }
    setLength()
  }

  private mutating func setLength() {
    let length = UInt32(truncatingIfNeeded: bytes.count)
    unsafe withUnsafeBytes(of: length) { unsafe bytes.replaceSubrange(0..<4, with: $0) }
  }
}

/// The header of one message in a datagram, and where its content lies.
package struct NetlinkMessage: Sendable, Equatable {
  static let headerBytes = 16

  /// Below 16 one of `NLMSG_*`.
  package let type: UInt16
  package let flags: UInt16
  package let sequence: UInt32
  package let payload: Range<Int>

  package static let noOperation: UInt16 = 1
  package static let error: UInt16 = 2
  package static let done: UInt16 = 3

  /// Takes the message at an offset.
  ///
  /// - Parameters:
  ///   - bytes: A datagram.
  ///   - offset: Where the message begins; moved behind it.
  /// - Returns: The message; nil at the end, and where there is no whole one.
  package static func next(_ bytes: Span<UInt8>, _ offset: inout Int) -> NetlinkMessage? {
    let start = offset
    guard start >= 0, bytes.count - start >= headerBytes else { return nil }
    let length = Int(bytes.number(at: start, as: UInt32.self))
    guard length >= headerBytes, length <= bytes.count - start else { return nil }
    offset = min(bytes.count, start + (length + 3) & ~3)
    return NetlinkMessage(
      type: bytes.number(at: start + 4, as: UInt16.self),
      flags: bytes.number(at: start + 6, as: UInt16.self),
      sequence: bytes.number(at: start + 8, as: UInt32.self),
      payload: (start + headerBytes)..<(start + length))
  }

  /// What the kernel says about a request in a message of type ``error``; nil is success.
  package func failure(_ bytes: Span<UInt8>) -> Errno? {
    guard payload.count >= 4 else { return .invalid }
    let code = bytes.number(at: payload.lowerBound, as: Int32.self)
    return code == 0 ? nil : Errno(0 &- code)
  }
}

/// The header of one attribute of a message, and where its content lies.
package struct NetlinkAttribute: Sendable, Equatable {
  /// Without the two bits that say how it is laid out.
  package let type: UInt16
  package let payload: Range<Int>

  /// Takes the first attribute of a range of a datagram.
  ///
  /// - Parameters:
  ///   - bytes: The datagram.
  ///   - range: Where attributes lie; its start is moved behind the one that is taken.
  /// - Returns: The attribute; nil at the end, and where there is no whole one.
  package static func next(_ bytes: Span<UInt8>, _ range: inout Range<Int>) -> NetlinkAttribute? {
    let start = range.lowerBound
    guard range.count >= 4, range.upperBound <= bytes.count else { return nil }
    let length = Int(bytes.number(at: start, as: UInt16.self))
    guard length >= 4, length <= range.count else { return nil }
    range = min(range.upperBound, start + (length + 3) & ~3)..<range.upperBound
    return NetlinkAttribute(
      type: bytes.number(at: start + 2, as: UInt16.self) & 0x3fff,
      payload: (start + 4)..<(start + length))
  }
}

extension Span where Element == UInt8 {
  /// A number in the machine's byte order; all its bytes must be inside.
  package func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as: Number.Type
  ) -> Number {
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
  }
}
