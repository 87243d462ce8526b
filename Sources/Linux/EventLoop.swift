import CLinux
import Glibc

/// What a descriptor waits for or is ready for.
package struct Readiness: OptionSet, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
  package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
  /// The other end will send nothing more.
  package static let endOfInput = Readiness(rawValue: EPOLLRDHUP.rawValue)
  /// The connection is broken or closed in both directions; reported without being asked for.
  package static let hungUp = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
}

/// Names one registration with an event loop; never valid again after the registration ended.
package struct EventToken: Hashable, Sendable {
  /// Small and reused: an index for tables that the handler keeps.
  package let slot: Int32
  let generation: UInt32

  var data: UInt64 { UInt64(UInt32(bitPattern: slot)) | UInt64(generation) << 32 }
}

/// Somebody who is told what happened to the descriptors and deadlines it registered.
package protocol EventHandler: AnyObject {
  /// The descriptor can be read or written.
  func ready(_ token: EventToken, _ readiness: Readiness)
  /// The deadline set for this registration has passed; it is no longer set.
  func expired(_ token: EventToken)
}

/// Waits for descriptors and deadlines and tells their handlers, all on one thread.
///
/// Level-triggered: a handler that leaves bytes unread is told again. An event that was fetched
/// before its registration ended is dropped, because the kernel hands back slot and generation.
///
/// - Source: `epoll(7)`, `timerfd_create(2)`.
@safe package final class EventLoop {
  private struct Slot {
    var generation: UInt32 = 0
    var descriptor: Int32 = -1
    var handler: (any EventHandler)?
  }

  private static let batch = 64
  private static let timerData = UInt64.max

  private let epoll: OwnedFD
  private let timer: OwnedFD
  private let thread = pthread_self()
  private var slots: [Slot] = []
  private var free: [Int32] = []
  private var deadlines = DeadlineHeap()
  private var armed: Instant?
  private var events = unsafe [epoll_event](repeating: epoll_event(), count: batch)
  private var stopping = false

  /// When the current turn began; saves a clock call per handler.
  package private(set) var now = Instant.now

  /// An empty loop that belongs to the calling thread.
  ///
  /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
  package init() throws(Errno) {
    let epoll = OwnedFD(
      adopting: try attempt(.epoll) { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    let timer = OwnedFD(
      adopting: try attempt(.other) {
        timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
      })
    try Self.control(
      epoll, EPOLL_CTL_ADD, timer.raw, Readiness.readable.rawValue, data: Self.timerData)
    self.epoll = epoll
    self.timer = timer
  }

  /// Registers a descriptor.
  ///
  /// - Parameters:
  ///   - fd: What to watch; it must stay open until ``remove(_:)``.
  ///   - interest: What to wait for.
  ///   - handler: Who is told; kept alive until removal.
  /// - Returns: The name of the registration.
  /// - Throws: `ENOSPC`, `ENOMEM`.
  package func add(
    _ fd: borrowing OwnedFD, _ interest: Readiness, _ handler: any EventHandler
  ) throws(Errno) -> EventToken {
    let raw = fd.raw
    let token = take(raw, handler)
    do throws(Errno) {
      try Self.control(epoll, EPOLL_CTL_ADD, raw, interest.rawValue, data: token.data)
    } catch {
      release(token.slot)
      throw error
    }
    return token
  }

  /// Registers a place for a deadline without a descriptor.
  package func add(_ handler: any EventHandler) -> EventToken { take(-1, handler) }

  /// Changes what a descriptor waits for.
  package func modify(_ token: EventToken, _ interest: Readiness) {
    guard isValid(token) else { return }
    let raw = slots[Int(token.slot)].descriptor
    // Changing a registration needs no memory; any failure is a bug that `attempt` traps.
    _ = try? Self.control(epoll, EPOLL_CTL_MOD, raw, interest.rawValue, data: token.data)
  }

  /// Ends a registration.
  ///
  /// Call it before the descriptor is closed.
  package func remove(_ token: EventToken) {
    guard isValid(token) else { return }
    let raw = slots[Int(token.slot)].descriptor
    if raw >= 0 { _ = try? Self.control(epoll, EPOLL_CTL_DEL, raw, 0, data: 0) }
    deadlines.remove(token.slot)
    release(token.slot)
  }

  /// Sets, moves or, with nil, clears the deadline of a registration.
  package func setDeadline(_ token: EventToken, _ deadline: Instant?) {
    guard isValid(token) else { return }
    if let deadline {
      deadlines.set(token.slot, deadline)
    } else {
      deadlines.remove(token.slot)
    }
  }

  /// Turns until ``stop()`` is called.
  ///
  /// - Throws: What `epoll_wait(2)` reports; nothing is expected.
  package func run() throws(Errno) {
    while !stopping { try turn() }
  }

  /// Makes ``run()`` return after the current turn.
  package func stop() { stopping = true }

  /// Waits once and tells the handlers of everything that became ready.
  ///
  /// - Throws: What `epoll_wait(2)` reports; nothing is expected.
  package func turn() throws(Errno) {
    precondition(
      pthread_equal(thread, pthread_self()) != 0,
      "an event loop belongs to the thread that made it")
    try arm()
    let raw = epoll.raw
    let count = try attempt(.epoll) { unsafe epoll_wait(raw, &events, Int32(Self.batch), -1) }
    now = .now
    for index in 0..<Int(count) {
      let data = unsafe events[index].data.u64
      if data == Self.timerData {
        clearTimer()
        continue
      }
      let token = EventToken(
        slot: Int32(truncatingIfNeeded: data), generation: UInt32(truncatingIfNeeded: data >> 32))
      guard isValid(token), let handler = slots[Int(token.slot)].handler else { continue }
      handler.ready(token, Readiness(rawValue: unsafe events[index].events))
    }
    while let slot = deadlines.popFirst(notAfter: now) {
      let entry = slots[Int(slot)]
      entry.handler?.expired(EventToken(slot: slot, generation: entry.generation))
    }
  }

  private func isValid(_ token: EventToken) -> Bool {
    let index = Int(token.slot)
    return index >= 0 && index < slots.count && slots[index].generation == token.generation
      && slots[index].handler != nil
  }

  private func take(_ descriptor: Int32, _ handler: any EventHandler) -> EventToken {
    let slot: Int32
    if let reused = free.popLast() {
      slot = reused
    } else {
      slot = Int32(slots.count)
      slots.append(Slot())
    }
    let index = Int(slot)
    slots[index].descriptor = descriptor
    slots[index].handler = handler
    return EventToken(slot: slot, generation: slots[index].generation)
  }

  private func release(_ slot: Int32) {
    let index = Int(slot)
    slots[index].generation &+= 1
    slots[index].descriptor = -1
    slots[index].handler = nil
    free.append(slot)
  }

  /// Sets the kernel's timer for the nearest deadline, unless it will fire before that anyway.
  private func arm() throws(Errno) {
    guard let next = deadlines.first else { return }
    if let armed, armed <= next { return }
    var setting = itimerspec()
    // A zero time would switch the timer off.
    let nanoseconds = max(1, next.nanoseconds)
    setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
    setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
    let raw = timer.raw
    _ = try attempt(.other) {
      unsafe timerfd_settime(raw, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }
    armed = next
  }

  private func clearTimer() {
    var expirations: UInt64 = 0
    _ = unsafe Glibc.read(timer.raw, &expirations, 8)
    armed = nil
  }

  private static func control(
    _ epoll: borrowing OwnedFD, _ operation: Int32, _ descriptor: Int32, _ interest: UInt32,
    data: UInt64
  ) throws(Errno) {
    let raw = epoll.raw
    var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: data))
    _ = try attempt(.epoll) { unsafe epoll_ctl(raw, operation, descriptor, &event) }
  }
}
