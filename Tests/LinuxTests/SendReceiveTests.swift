import Glibc
import Testing

@testable import Linux

@Suite struct SendReceiveTests {
  /// Sends both buffers through a socket with little room and returns what came and in how many
  /// parts it was sent.
  private func pass(
    _ head: [UInt8], _ body: [UInt8], from start: Int = 0
  ) throws -> (bytes: [UInt8], parts: Int) {
    let pair = try SocketPair()
    var room: Int32 = 4096
    setsockopt(pair.left.raw, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
    var done = start
    var parts = 0
    var got: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1500)
    while true {
      if done < head.count + body.count {
        do throws(Errno) {
          done += try send(pair.left, head: head, body: body, from: done)
          parts += 1
        } catch {
          #expect(error == .wouldBlock)
        }
        if done >= head.count + body.count { shutDownSending(pair.left) }
      } else if parts == 0 {
        shutDownSending(pair.left)
      }
      do throws(Errno) {
        let count = try receive(pair.right, into: &part)
        if count == 0 { return (got, parts) }
        got += part[..<count]
      } catch {
        #expect(error == .wouldBlock)
      }
    }
  }

  @Test(arguments: [
    (0, 0), (1, 0), (0, 1), (5, 7), (100, 60_000), (60_000, 100), (60_000, 60_000), (60_000, 0),
    (0, 60_000),
  ])
  func bothBuffersArrive(headCount: Int, bodyCount: Int) throws {
    let all = (0..<headCount + bodyCount).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let (got, parts) = try pass(Array(all[..<headCount]), Array(all[headCount...]))
    #expect(got == all)
    if all.count > 50_000 { #expect(parts > 1, "nothing was sent in parts") }
  }

  @Test func everyStart() throws {
    let head = Array("head".utf8)
    let body = Array("body!".utf8)
    for start in 0...9 {
      #expect(try pass(head, body, from: start).bytes == Array((head + body)[start...]))
    }
  }

  @Test func nothingThere() throws {
    let pair = try SocketPair()
    var buffer: [UInt8] = [0]
    #expect(throws: Errno.wouldBlock) { try receive(pair.left, into: &buffer) }
  }

  private func withoutOtherEnd() throws -> OwnedFD {
    let pair = try SocketPair()
    return try pair.left.duplicate()
  }

  /// A SIGPIPE would end the test run.
  @Test func otherEndIsGone() throws {
    let left = try withoutOtherEnd()
    #expect(throws: Errno.brokenPipe) { try send(left, head: [1], body: [2], from: 0) }
    var buffer: [UInt8] = [0]
    #expect(try receive(left, into: &buffer) == 0)
    shutDownSending(left)
  }

  @Test func connectionIsReset() throws {
    let socket = try ListenSocket(.ipv4(0x7f00_0001, port: 0))
    do {
      let client = try connect(to: socket.address)
      resetWhenClosed(client)
    }
    let server = try socket.accept()
    var buffer: [UInt8] = [0]
    #expect(throws: Errno.connectionReset) { try receive(server, into: &buffer) }
    shutDownSending(server)
  }
}
