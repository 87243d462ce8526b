import Glibc
import TestSupport
import Testing

@testable import Linux

@Suite struct DatagramSocketTests {
  @Test func messagesReachWhoeverListensNow() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/socket"
    let socket = try DatagramSocket()
    #expect(throws: Errno.notFound) { try socket.send([1], to: path) }
    for round in 0..<2 {
      let receiver = try DatagramReceiver(path)
      try socket.send([1, 2], to: path)
      try socket.send([], to: path)
      try socket.send([3], to: path)
      #expect(
        [receiver.next(), receiver.next(), receiver.next()] == [[1, 2], [], [3]], "\(round)")
      #expect(receiver.next() == nil)
    }
    // The file is still there.
    #expect(throws: Errno.connectionRefused) { try socket.send([1], to: path) }
  }

  @Test func whatCannotBeSent() throws {
    let directory = try TemporaryDirectory()
    let receiver = try DatagramReceiver(directory.path + "/socket")
    let socket = try DatagramSocket()
    #expect(throws: Errno.messageTooLong) {
      try socket.send([UInt8](repeating: 0, count: 64 << 20), to: receiver.path)
    }
    for count in [107, 108, 1000] {
      let path = String(repeating: "a", count: count)
      #expect(throws: count < 108 ? Errno.notFound : .nameTooLong) {
        try socket.send([1], to: path)
      }
    }
    #expect(receiver.next() == nil)
  }
}
