import Glibc
import Synchronization
import Testing

@testable import Linux

/// Where jobs wait, as they would for a file system that does not answer.
private final class Gate: Sendable {
  private let event: EventFD
  /// How many jobs are waiting now.
  let waiting = Atomic(0)

  init() throws { event = try EventFD() }

  func wait() {
    waiting.add(1, ordering: .sequentiallyConsistent)
    _ = event.wait(atMost: .seconds(60))
    waiting.subtract(1, ordering: .sequentiallyConsistent)
  }

  func open() { event.signal() }
  var count: Int { waiting.load(ordering: .sequentiallyConsistent) }
}

@Suite struct WaiterTests {
  @Test func jobsRunInTheirOrder() throws {
    let waiter = try Waiter(patience: .seconds(60))
    let results = try Mailbox<Int>()
    for number in 0..<100 { #expect(waiter.submit { results.post(number) }) }
    var got: [Int] = []
    while got.count < 100 {
      try #require(results.wake.wait(atMost: .seconds(30)))
      got += results.drain()
    }
    #expect(got == Array(0..<100))
    waiter.stop()
  }

  /// All of them were there before the first got stuck, and nobody submits another one.
  @Test func stuckJobDoesNotHoldUpTheOthers() throws {
    let waiter = try Waiter(threads: 2, patience: .milliseconds(5))
    let gate = try Gate()
    let results = try Mailbox<Int>()
    #expect(waiter.submit { gate.wait() })
    for number in 0..<3 { #expect(waiter.submit { results.post(number) }) }
    var got: [Int] = []
    while got.count < 3 {
      try #require(results.wake.wait(atMost: .seconds(30)), "held up")
      got += results.drain()
    }
    #expect(got == [0, 1, 2])
    #expect(gate.count == 1)
    gate.open()
    waiter.stop()
  }

  @Test func jobsOfOneThreadDoNotOverlap() throws {
    let waiter = try Waiter(threads: 4, patience: .seconds(60))
    let running = try Gate()
    let results = try Mailbox<Int>()
    for number in 0..<200 {
      _ = waiter.submit {
        let before = running.waiting.add(1, ordering: .sequentiallyConsistent).oldValue
        if number % 16 == 0 { poll(nil, 0, 1) }
        running.waiting.subtract(1, ordering: .sequentiallyConsistent)
        results.post(before)
      }
    }
    var got: [Int] = []
    while got.count < 200 {
      try #require(results.wake.wait(atMost: .seconds(30)))
      got += results.drain()
    }
    #expect(got.allSatisfy { $0 == 0 })
    waiter.stop()
  }

  @Test func neverMoreThreadsThanAllowed() throws {
    let waiter = try Waiter(threads: 3, patience: .milliseconds(1))
    let gate = try Gate()
    let last = try EventFD()
    for _ in 0..<8 { #expect(waiter.submit { gate.wait() }) }
    #expect(waiter.submit { last.signal() })
    #expect(eventually { gate.count == 3 })
    // Many times the patience, in which a fourth thread would have come.
    #expect(!last.wait(atMost: .milliseconds(50)))
    #expect(gate.count == 3)
    gate.open()
    #expect(last.wait(atMost: .seconds(30)))
    waiter.stop()
  }

  @Test func fullQueueRefuses() throws {
    let waiter = try Waiter(threads: 1, patience: .seconds(60), queueLimit: 2)
    let gate = try Gate()
    let done = try EventFD()
    #expect(waiter.submit { gate.wait() })
    #expect(eventually { gate.count == 1 })
    #expect(waiter.submit {})
    #expect(waiter.submit { done.signal() })
    #expect(!waiter.submit { Issue.record("was refused, but runs") })
    gate.open()
    #expect(done.wait(atMost: .seconds(30)))
    #expect(waiter.submit {})
    waiter.stop()
  }

  /// A job that nobody would ever run is not taken; the next one tries again.
  @Test func withoutThreadsItRefuses() throws {
    final class Room: Sendable { let isFull = Atomic(true) }
    let room = Room()
    let waiter = try Waiter(threads: 1, patience: .seconds(60), queueLimit: 1) { body in
      if room.isFull.load(ordering: .relaxed) { return false }
      guard let thread = try? Thread(name: "waiter", body) else { return false }
      thread.detach()
      return true
    }
    for _ in 0..<3 { #expect(!waiter.submit { Issue.record("was refused, but runs") }) }
    room.isFull.store(false, ordering: .relaxed)
    let done = try EventFD()
    #expect(waiter.submit { done.signal() })
    #expect(done.wait(atMost: .seconds(30)))
    waiter.stop()
  }

  @Test func stopDropsTheQueueAndEndsTheThreads() throws {
    final class Token: Sendable {}
    weak var token: Token?
    let gate = try Gate()
    do {
      let waiter = try Waiter(threads: 2, patience: .seconds(60))
      let kept = Token()
      token = kept
      #expect(waiter.submit { gate.wait() })
      #expect(eventually { gate.count == 1 })
      let isAccepted = waiter.submit { Issue.record("\(kept) was dropped, but runs") }
      #expect(isAccepted)
      waiter.stop()
      #expect(!waiter.submit {})
    }
    #expect(token == nil)
    gate.open()
    #expect(eventually { gate.count == 0 })
  }

  /// The waiter lives as long as one of its threads.
  @Test func idleAndStandingByThreadsEnd() throws {
    // Many times, because nobody can see whether the second thread stands by already.
    for delay in 0..<20 {
      weak var weakly: Waiter?
      let gate = try Gate()
      do {
        let waiter = try Waiter(threads: 2, patience: .seconds(3600))
        weakly = waiter
        #expect(waiter.submit { gate.wait() })
        #expect(waiter.submit {})
        #expect(eventually { gate.count == 1 })
        poll(nil, 0, Int32(delay / 4))
        waiter.stop()
        gate.open()
      }
      try #require(eventually { weakly == nil })
    }
  }
}
