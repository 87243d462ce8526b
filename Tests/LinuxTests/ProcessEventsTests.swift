import Glibc
import TestSupport
import Testing

@testable import Linux

/// Whether this process may listen; what else fails is a failure.
let canListenToProcesses: Bool = {
  do throws(ProcessEventsFailure) {
    _ = try ProcessEvents(queueBytes: 4096)
    return true
  } catch {
    return error != .denied && error != .missing && error != .silent
  }
}()

@Suite(.timeLimit(.minutes(1))) struct ProcessEventsTests {
  /// A `struct cn_msg` with a `struct proc_event`.
  private static func message(
    _ what: UInt32, _ words: [Int32], index: UInt32 = 1, value: UInt32 = 1
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    func append(_ number: some FixedWidthInteger) {
      withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }
    for number in [index, value, 7, 0] { append(number) }
    append(UInt16(40))
    append(UInt16(0))
    append(what)
    append(UInt32(1))  // CPU
    append(UInt64(1 << 60))  // time
    for word in words { append(word) }
    while bytes.count < 60 { bytes.append(0) }
    return bytes
  }

  private static let table: [(message: [UInt8], event: ProcessEvent?)] = [
    (message(0x1, [9, 8, 7, 7]), ProcessEvent(.began, 7)),
    (message(0x1, [7, 7, 9, 7]), nil),  // a thread
    (message(0x2, [7, 7]), ProcessEvent(.changed, 7)),
    (message(0x4, [7, 7, 0, 0]), ProcessEvent(.changed, 7)),
    (message(0x4, [8, 7, 0, 0]), nil),
    (message(0x40, [7, 7, 0, 0]), ProcessEvent(.changed, 7)),
    (message(0x200, [.max, .max, 0x6162_6364]), ProcessEvent(.changed, .max)),
    (message(0x200, [8, 7]), nil),
    (message(0x8000_0000, [7, 7, 0, 17, 1, 1]), ProcessEvent(.ended, 7)),
    (message(0x8000_0000, [8, 7, 0, 17, 1, 1]), nil),
    // An answer, session, ptrace, coredump, and what may come.
    (message(0, [0]), nil), (message(0x80, [7, 7]), nil), (message(0x100, [7, 7, 8, 8]), nil),
    (message(0x4000_0000, [7, 7]), nil), (message(0x400, [7, 7]), nil),
    (message(0x3, [7, 7, 7, 7]), nil), (message(.max, [7, 7, 7, 7]), nil),
    // No number of a process.
    (message(0x2, [0, 0]), nil), (message(0x2, [-1, -1]), nil),
    // Another connector.
    (message(0x2, [7, 7], index: 2), nil), (message(0x2, [7, 7], value: 2), nil),
  ]

  @Test func eventsOfProcesses() {
    for (message, event) in Self.table { #expect(ProcessEvent(message.span) == event) }
  }

  @Test func cutAtEveryByte() {
    for (message, event) in Self.table {
      // Behind its last word the rest does not matter.
      let end = event?.kind == .began ? 52 : 44
      for count in 0...message.count {
        let cut = Array(message[..<count])
        #expect(ProcessEvent(cut.span) == (count >= end ? event : nil), "\(count) bytes")
      }
    }
  }

  @Test func bytesOfAnyValue() {
    withRandom { random, seed in
      for _ in 0..<2000 {
        let bytes = random.mutated(Self.table.randomElement(using: &random)?.message ?? [])
        if let event = ProcessEvent(bytes.span) { #expect(event.process > 0, "\(seed)") }
      }
    }
  }

  // MARK: Live

  private static func events(
    of pid: Int32, _ listener: ProcessEvents
  ) -> [ProcessEvent.Kind] {
    var kinds: [ProcessEvent.Kind] = []
    _ = listener.drain(atMost: .max) { if $0.process == pid { kinds.append($0.kind) } }
    return kinds
  }

  @Test(.enabled(if: canListenToProcesses, "the proc connector needs Linux 6.6 or CAP_NET_ADMIN"))
  func aLifeIsTold() throws {
    let listener = try ProcessEvents(queueBytes: 4 << 20)
    let child = try TestSupport.Child("sh", "-c", "exec sleep 0")
    child.reap()
    // No wait: events are queued before what they tell of can be seen.
    let kinds = Self.events(of: child.pid, listener)
    #expect(kinds.first == .began && kinds.last == .ended)
    #expect(kinds.count { $0 == .changed } >= 2, "\(kinds)")
    #expect(kinds.count { $0 == .began } == 1 && kinds.count { $0 == .ended } == 1)
    #expect(listener.lost == 0)
  }

  @Test(.enabled(if: canListenToProcesses, "the proc connector needs Linux 6.6 or CAP_NET_ADMIN"))
  func threadsAreDroppedByTheKernel() throws {
    // Room for some ten events.
    let listener = try ProcessEvents(queueBytes: 4096)
    // What else happens on the machine can fill the queue, but not each time.
    let isQuiet = try eventually {
      _ = listener.drain(atMost: .max) { _ in }
      let before = listener.lost
      for _ in 0..<100 { try Thread(name: "one of many") {}.join() }
      return listener.drain(atMost: .max) { _ in } && listener.lost == before
    }
    #expect(isQuiet)
  }

  @Test(.enabled(if: canListenToProcesses, "the proc connector needs Linux 6.6 or CAP_NET_ADMIN"))
  func whatTheQueueCannotHoldIsCounted() throws {
    let listener = try ProcessEvents(queueBytes: 4096)
    let child = try TestSupport.Child("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do (:); done")
    child.reap()
    let isWhole = listener.drain(atMost: .max) { _ in }
    #expect(!isWhole && listener.lost > 0)
    // It goes on.
    #expect(
      try eventually {
        let next = try TestSupport.Child("true")
        next.reap()
        return Self.events(of: next.pid, listener).last == .ended
      })
  }

  @Test(.enabled(if: isRoot, "only root may enter another network namespace"))
  func inAnotherNetworkItIsMissing() throws {
    let failure = try inOwnNetwork { () -> ProcessEventsFailure? in
      do throws(ProcessEventsFailure) {
        _ = try ProcessEvents(queueBytes: 4096)
        return nil
      } catch {
        return error
      }
    }
    #expect(failure == .missing)
  }
}
