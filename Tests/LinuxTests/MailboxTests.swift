import CLinux
import Glibc
import Testing

@testable import Linux

@Suite struct MailboxTests {
  @Test func everyMessageInTheOrderOfItsSender() throws {
    struct Letter: Sendable {
      var sender: Int
      var number: Int
    }
    let senders = 4
    let letters = 3000
    let mailbox = try Mailbox<Letter>()
    var received = [[Int]](repeating: [], count: senders)
    let start: @Sendable (Int) throws(Errno) -> Void = { sender throws(Errno) in
      try Thread(name: "sender") {
        for number in 0..<letters { mailbox.post(Letter(sender: sender, number: number)) }
      }.detach()
    }
    for sender in 0..<senders { try start(sender) }
    while received.contains(where: { $0.count < letters }) {
      try #require(mailbox.wake.wait(atMost: .seconds(30)), "messages without a wake-up")
      for letter in mailbox.drain() { received[letter.sender].append(letter.number) }
    }
    #expect(received.allSatisfy { $0 == Array(0..<letters) })
    #expect(mailbox.drain().isEmpty)
  }

  @Test func oneWakeUpForManyMessages() throws {
    let mailbox = try Mailbox<Int>()
    for number in 0..<5 { mailbox.post(number) }
    var count: eventfd_t = 0
    #expect(eventfd_read(mailbox.wake.fd.raw, &count) == 0)
    #expect(count == 1)
    #expect(mailbox.drain() == [0, 1, 2, 3, 4])
    mailbox.post(5)
    #expect(mailbox.wake.wait(atMost: .zero))
    #expect(mailbox.drain() == [5])
    #expect(!mailbox.wake.wait(atMost: .zero))
  }
}

@Suite struct EventFDTests {
  @Test func zeroDoesNotWait() throws {
    let event = try EventFD()
    #expect(!event.wait(atMost: .zero))
    #expect(!event.wait(atMost: .seconds(-5)))
    event.signal()
    event.signal()
    #expect(event.wait(atMost: .zero))
    #expect(event.wait(atMost: .zero), "reading is what clears it")
    event.clear()
    event.clear()
    #expect(!event.wait(atMost: .zero))
  }

  @Test func nilWaitsForTheSignal() throws {
    let event = try EventFD()
    let ready = try EventFD()
    let thread = try Thread(name: "signaller") {
      _ = ready.wait(atMost: nil)
      event.signal()
    }
    ready.signal()
    #expect(event.wait(atMost: nil))
    thread.join()
  }

  @Test(arguments: [Duration.nanoseconds(1), .microseconds(1500), .milliseconds(3)])
  func waitIsNotOverBeforeItsTime(time: Duration) throws {
    let event = try EventFD()
    let start = Instant.now
    #expect(!event.wait(atMost: time))
    #expect(Instant.now - start >= time)
  }

  @Test(arguments: [Duration.seconds(Int64.max), .nanoseconds(Int64.max), .seconds(1 << 40)])
  func longWaits(time: Duration) throws {
    let event = try EventFD()
    event.signal()
    #expect(event.wait(atMost: time))
  }
}
