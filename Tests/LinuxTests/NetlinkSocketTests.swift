import Testing

@testable import Linux

@Suite struct NetlinkSocketTests {
  static let one = NetlinkMessage.request(type: 20, flags: 0x301, sequence: 7, [1, 2, 3])
  static let two = NetlinkMessage.request(type: 3, flags: 0x10, sequence: 8, [])

  private func messages(_ bytes: [UInt8]) -> [NetlinkMessage] {
    var found: [NetlinkMessage] = []
    var index = 0
    while let message = NetlinkMessage(bytes.span, at: &index) { found.append(message) }
    return found
  }

  private func attributes(_ bytes: [UInt8], end: Int? = nil) -> [NetlinkAttribute] {
    var found: [NetlinkAttribute] = []
    var index = 0
    while let attribute = NetlinkAttribute(bytes.span, at: &index, end: end ?? bytes.count) {
      found.append(attribute)
    }
    return found
  }

  /// A message begins at a multiple of four behind the one before.
  @Test func messagesFollowOneAnother() {
    let found = messages(Self.one + [0] + Self.two)
    #expect(found.map(\.type) == [20, 3])
    #expect(found.map(\.flags) == [0x301, 0x10])
    #expect(found.map(\.sequence) == [7, 8])
    #expect(found.map(\.content) == [16..<19, 36..<36])
  }

  @Test func truncatedAfterEveryByte() {
    let bytes = Self.one + [0] + Self.two
    for length in 0..<bytes.count {
      #expect(messages(Array(bytes.prefix(length))).count == (length < 19 ? 0 : 1))
    }
  }

  @Test(arguments: [0, 1, 15, 17, 20, UInt32(Int32.max), UInt32.max] as [UInt32])
  func hostileLengths(length: UInt32) {
    var bytes = NetlinkMessage.request(type: 20, flags: 0, sequence: 1, [])
    withUnsafeBytes(of: length) { bytes.replaceSubrange(0..<4, with: $0) }
    #expect(messages(bytes).isEmpty)
  }

  @Test func attributesFollowOneAnother() {
    // Flags in the upper bits of the type do not count.
    let bytes: [UInt8] = [5, 0, 2, 0, 9, 0, 0, 0, 8, 0, 3, 0xC0, 1, 2, 3, 4]
    #expect(attributes(bytes).map(\.type) == [2, 3])
    #expect(attributes(bytes).map(\.value) == [4..<5, 12..<16])
    #expect(attributes(bytes, end: 15).map(\.type) == [2])
    #expect(attributes(bytes, end: 17).isEmpty)
    for length in [0, 1, 3, 17, 255] as [UInt8] {
      var broken = bytes
      broken[0] = length
      #expect(attributes(broken).isEmpty)
    }
  }

  @Test func errorsCarryTheirNumber() {
    func code(_ number: Int32) -> Int32? {
      let content = withUnsafeBytes(of: number) { Array($0) }
      let bytes = NetlinkMessage.request(type: 2, flags: 0, sequence: 1, content)
      return messages(bytes).first?.errorCode(bytes.span)
    }
    #expect(code(-2) == 2 && code(0) == 0)
    #expect(code(.min) == .min)
    let short = NetlinkMessage.request(type: 2, flags: 0, sequence: 1, [1, 2, 3])
    #expect(messages(short).first?.errorCode(short.span) == 0)
  }

  @Test func randomBytes() {
    withRandom { random, seed in
      for round in 0..<5000 {
        let bytes = random.mutated(Self.one + [0] + Self.two)
        for message in messages(bytes) {
          #expect(message.content.upperBound <= bytes.count, "\(seed), round \(round)")
          _ = message.errorCode(bytes.span)
        }
        for attribute in attributes(bytes) {
          #expect(attribute.value.upperBound <= bytes.count, "\(seed), round \(round)")
        }
      }
    }
  }

  @Test func nothingAskedIsNothingToReceive() throws {
    let socket = try NetlinkSocket(family: 4)
    var buffer = [UInt8](repeating: 0, count: 64)
    #expect(throws: Errno.wouldBlock) { try socket.receive(into: &buffer) }
    // An error of the kernel is longer than that.
    try socket.send(NetlinkMessage.request(type: 99, flags: 1, sequence: 5, [0, 0]))
    buffer = [0, 0, 0]
    #expect(throws: Errno.messageTooLong) { try socket.receive(into: &buffer) }
    try socket.send(NetlinkMessage.request(type: 99, flags: 1, sequence: 5, [0, 0]))
    buffer = [UInt8](repeating: 0, count: 64)
    let count = try socket.receive(into: &buffer)
    let answer = messages(Array(buffer.prefix(count)))
    #expect(answer.map(\.type) == [NetlinkMessage.error] && answer.first?.sequence == 5)
    #expect(answer.first?.errorCode(buffer.span) != 0)
  }
}
