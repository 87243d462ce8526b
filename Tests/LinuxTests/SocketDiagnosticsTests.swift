import Testing

@testable import Linux

/// Answers of the kernel as bytes.
@Suite struct SocketDiagnosticsTests {
  /// A listener at 127.0.0.1:18080 with one waiting connection of seven, as Linux 6.18 tells it.
  static let listener = bytes(
    "9801000014000200010000001a770000020a000046a000007f0000010000000000000000000000000000"
      + "000000000000000000000000000000000000011000000000000000000000010000000700000000000000"
      + "b6852100050008000000000008000f00000000000c001500010000000000000006001600520000001c01"
      + "02000a000000000000000000000000000000000000000000000001000000070000000000000000000000"
      + "000000000000000000000000000000000000000000000000000000000000000000000000000000000a00"
      + "00000000000003000000000000000000000000000000ffffffffffffffffffffffffffffffff00000000"
      + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      + "000000000000000000000000000000000000000000000000000000000000")
  /// The accepted end of a connection to it, which has sent 1000 bytes.
  static let connection = bytes(
    "9801000014000200010000001a7700000201000046a0c60c7f0000010000000000000000000000007f00"
      + "000100000000000000000000000000000000041000000000000000000000000000000000000000000000"
      + "b8852100050008000000000008000f00000000000c001500010000000000000006001600520000001c01"
      + "0200010000000007aa01e01c030000000000008a00001802000000000000000000000000000000000000"
      + "0000000004000000000000000400000004000000ffff0000cbff00001100000009000000ffffff7f0b00"
      + "0000cbff00000300000000000000cbff0000000000007324c2790b000000ffffffffffffffffe8030000"
      + "00000000000000000000000001000000030000000000000009000000000000000100000055d5f7e90000"
      + "00000000000000000000000000000000000000000000000000000200000000000000e803000000000000"
      + "000000000000000000000000000000000000000000140100000001000000000000000000000000000000"
      + "000000000000000000000000000000000000000000000000000000000000")
  static let done = message(type: 3, [0, 0, 0, 0])

  /// A unix socket.
  static let unix = message(
    type: 20, bytes("010101008102000006100000000000000500060000000000"))

  /// A part of an answer to the first request.
  private static func message(type: UInt16, _ content: [UInt8]) -> [UInt8] {
    var message = NetlinkRequest(type: type, sequence: 1)
    for byte in content { message.append(byte) }
    return message.bytes
  }

  private static func bytes(_ text: String) -> [UInt8] {
    var digits = text.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }[...]
    var bytes: [UInt8] = []
    while let high = digits.popFirst(), let low = digits.popFirst() {
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  /// What one receive yields.
  struct Told: Equatable {
    var sockets: [DiagnosedSocket] = []
    var part = DumpPart.more
    var left = 0
  }

  private func read(
    _ bytes: [UInt8], _ table: SocketDiagnostics.Table = .tcp, limit: Int = 100,
    sequence: UInt32 = 1
  ) -> Told {
    var told = Told(left: limit)
    var sockets: [DiagnosedSocket] = []
    told.part = DumpPart(table, sequence, bytes.span, &told.left) {
      sockets.append($0)
    }
    told.sockets = sockets
    return told
  }

  /// The content of `tcp_info` cut to a length, as an older kernel tells it.
  private func shortened(_ message: [UInt8], to length: Int) -> [UInt8] {
    // The attribute begins 116 bytes behind the head of the message.
    let start = 16 + 72 + 8 + 8 + 12 + 8
    let end = start + 4 + length
    var bytes = Array(message[..<end])
    withUnsafeBytes(of: UInt32(end)) { bytes.replaceSubrange(0..<4, with: $0) }
    withUnsafeBytes(of: UInt16(4 + length)) { bytes.replaceSubrange(start..<(start + 2), with: $0) }
    return bytes
  }

  @Test func listenerHasAnAddressAndQueues() throws {
    let socket = try #require(read(Self.listener).sockets.first)
    #expect(socket.state == .listen && socket.transport == .tcp)
    #expect(socket.address == .ipv4(0x7f00_0001, port: 18080))
    #expect(socket.receiveQueue == 1 && socket.sendQueue == 7)
    #expect(socket.inode == 0x2185b6 && socket.cookie == 0x1001)
  }

  @Test func connectionHasTraffic() throws {
    let socket = try #require(read(Self.connection).sockets.first)
    #expect(socket.state == .established && socket.address == nil)
    #expect(
      socket.traffic == .init(sentBytes: 1000, receivedBytes: 0, retransmittedSegments: 0))
    #expect(socket.inode == 0x2185b8 && socket.cookie == 0x1004)
  }

  @Test func listenerOfIPv6() throws {
    var message = Self.listener
    message[16] = 10
    message.replaceSubrange(24..<40, with: [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 12))
    let socket = try #require(read(message, .tcp6).sockets.first)
    #expect(socket.address?.description == "[2001:db8::]:18080")
  }

  @Test func unixSocket() throws {
    let socket = try #require(read(Self.unix, .unix).sockets.first)
    #expect(socket.transport == .unix && socket.state == .established)
    #expect(socket.inode == 0x281 && socket.cookie == 0x1006)
  }

  /// `tcp_info` was 104 bytes long before Linux 3.15, 136 at the time of 4.1, 208 in 4.19.
  @Test(
    arguments: [
      (0, nil), (104, nil), (135, nil), (136, 1000), (192, 1000), (207, 1000), (208, 1000),
    ] as [(Int, UInt64?)])
  func olderKernelsTellLess(length: Int, sent: UInt64?) throws {
    let socket = try #require(read(shortened(Self.connection, to: length)).sockets.first)
    #expect(socket.state == .established)
    #expect(socket.traffic?.sentBytes == sent)
  }

  /// Bytes sent again count; those confirmed only where the kernel does not tell them.
  @Test func sentIsTakenBeforeConfirmed() throws {
    var message = Self.connection
    let info = 16 + 72 + 8 + 8 + 12 + 8 + 4
    message[info + 200] = 0xFF
    message[info + 100] = 3
    message[info + 128] = 9
    #expect(
      read(message).sockets.first?.traffic
        == .init(sentBytes: 0x3FF, receivedBytes: 9, retransmittedSegments: 3))
  }

  @Test(
    arguments: [
      (1, "established", "established"), (2, "syn_sent", "syn_sent"), (3, "syn_recv", "syn_recv"),
      (4, "fin_wait1", "fin_wait1"), (5, "fin_wait2", "fin_wait2"), (6, "time_wait", "time_wait"),
      (7, "close", "unconnected"), (8, "close_wait", "close_wait"), (9, "last_ack", "last_ack"),
      (10, "listen", "listen"), (11, "closing", "closing"), (12, "new_syn_recv", "new_syn_recv"),
      (13, "close", "unconnected"), (0, "unknown", "unknown"), (255, "unknown", "unknown"),
    ] as [(UInt8, String, String)])
  func states(number: UInt8, tcp: String, udp: String) {
    var message = Self.connection
    message[17] = number
    #expect(read(message, .tcp).sockets.first?.state.rawValue == tcp)
    #expect(read(message, .udp6).sockets.first?.state.rawValue == udp)
    #expect(read(message, .udp).sockets.first?.traffic == nil)
  }

  @Test func dumpEndsWithItsLastMessage() {
    let all = read(Self.listener + Self.connection + Self.done)
    #expect(all.sockets.count == 2 && all.part == .end && all.left == 98)
    #expect(read(Self.listener).part == .more)
    #expect(read([]).part == .more)
    var failed = Self.done
    failed.replaceSubrange(16..<20, with: [0xFE, 0xFF, 0xFF, 0xFF])
    #expect(read(failed).part == .failed(.notFound))
    failed[4] = 2
    #expect(read(failed).part == .failed(.notFound))
  }

  @Test func answersToAnotherQuestionAreLeftOut() {
    let told = read(Self.listener + Self.done, sequence: 2)
    #expect(told.sockets.isEmpty && told.part == .more && told.left == 100)
  }

  @Test func noMoreThanTheLimit() {
    let bytes = Self.listener + Self.connection + Self.done
    #expect(read(bytes, limit: 1).sockets.count == 1)
    #expect(read(bytes, limit: 1).part == .cut)
    #expect(read(bytes, limit: 2).part == .end)
    #expect(read(bytes, limit: 0).sockets.isEmpty)
  }

  @Test(arguments: SocketDiagnostics.Table.allCases)
  func truncatedAfterEveryByte(table: SocketDiagnostics.Table) {
    for message in [Self.listener, Self.connection, Self.unix] {
      for length in 0...message.count {
        // The receive is cut.
        _ = read(Array(message.prefix(length)), table)
        // The message says that it is shorter, down to the head.
        var shorter = message
        withUnsafeBytes(of: UInt32(length)) { shorter.replaceSubrange(0..<4, with: $0) }
        let told = read(shorter, table)
        let least = table == .unix ? 16 + 16 : 16 + 72
        if length < least { #expect(told.sockets.isEmpty) }
      }
    }
  }

  @Test func hostileLengthsOfAttributes() {
    let start = 16 + 72
    for length in [0, 1, 3, 4, 0xFFFF] as [UInt16] {
      for place in stride(from: start, to: Self.connection.count - 4, by: 4) {
        var message = Self.connection
        withUnsafeBytes(of: length) { message.replaceSubrange(place..<(place + 2), with: $0) }
        #expect(read(message).sockets.count == 1)
      }
    }
  }

  @Test func randomBytes() {
    withRandom { random, _ in
      for round in 0..<3000 {
        let sample = Self.listener + Self.connection + Self.unix + Self.done
        let bytes = round % 2 == 0 ? random.mutated(sample) : random.bytes(round % 300)
        for table in SocketDiagnostics.Table.allCases { _ = read(bytes, table) }
      }
    }
  }
}
