import TestSupport
import Testing

@testable import Linux

@Suite struct NetlinkTests {
  private func messages(_ bytes: [UInt8]) -> [NetlinkMessage] {
    var offset = 0
    var messages: [NetlinkMessage] = []
    while let message = NetlinkMessage.next(bytes.span, &offset) { messages.append(message) }
    return messages
  }

  private func attributes(_ bytes: [UInt8], _ range: Range<Int>) -> [NetlinkAttribute] {
    var rest = range
    var attributes: [NetlinkAttribute] = []
    while let attribute = NetlinkAttribute.next(bytes.span, &rest) { attributes.append(attribute) }
    return attributes
  }

  private func twoMessages() -> [UInt8] {
    var first = NetlinkRequest(type: 20, flags: .dump, sequence: 7)
    first.appendAttribute(3, Array("abc\0".utf8))
    first.appendAttribute(0x8004, [1, 2, 3, 4, 5])
    var second = NetlinkRequest(type: 21, sequence: 8)
    second.appendAttribute(5, Int32(-2))
    return first.bytes + second.bytes
  }

  @Test func requestsAreReadBack() {
    let bytes = twoMessages()
    let found = messages(bytes)
    #expect(found.map(\.type) == [20, 21])
    #expect(found.map(\.flags) == [0x301, 1])
    #expect(found.map(\.sequence) == [7, 8])
    let first = attributes(bytes, found[0].payload)
    #expect(first.map(\.type) == [3, 4])
    #expect(first.map { Array(bytes[$0.payload]) } == [Array("abc\0".utf8), [1, 2, 3, 4, 5]])
    let second = attributes(bytes, found[1].payload)
    #expect(bytes.span.number(at: second[0].payload.lowerBound, as: Int32.self) == -2)
  }

  @Test func whatIsCutIsNoMessage() {
    let bytes = twoMessages()
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      let found = messages(cut)
      #expect(found.count == (count < 36 ? 0 : 1), "cut at \(count)")
      for message in found { #expect(message.payload.upperBound <= count) }
      #expect(attributes(cut, 0..<count).allSatisfy { $0.payload.upperBound <= count })
    }
  }

  @Test func hostileBytesEndSomewhere() throws {
    try withRandom { random, seed in
      for _ in 0..<2000 {
        let bytes = random.mutated(twoMessages())
        for message in messages(bytes) {
          try #require(message.payload.upperBound <= bytes.count, "\(seed)")
          _ = message.failure(bytes.span)
          for attribute in attributes(bytes, message.payload) {
            try #require(message.payload.contains(attribute.payload.lowerBound - 1), "\(seed)")
            try #require(attribute.payload.upperBound <= message.payload.upperBound, "\(seed)")
          }
        }
      }
    }
  }

  @Test func failuresAreTold() throws {
    var socket = try NetlinkSocket(protocol: 16)
    // There is no family 4095.
    try socket.send(NetlinkRequest(type: 4095, flags: .acknowledge, sequence: 5))
    try socket.receive()
    let bytes = socket.storage.span.extracting(0..<socket.count)
    var offset = 0
    let message = try #require(NetlinkMessage.next(bytes, &offset))
    #expect(message.type == NetlinkMessage.error && message.sequence == 5)
    #expect(message.failure(bytes) == .notFound)
  }

  @Test func anEmptyQueueIsNoFailure() throws {
    var socket = try NetlinkSocket(protocol: 16)
    let error = #expect(throws: Errno.self) { try socket.receive() }
    #expect(error == .wouldBlock)
  }
}
