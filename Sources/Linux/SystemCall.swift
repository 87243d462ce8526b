import Glibc
import Synchronization

/// The calls whose failure a test can force (see ``Faults``).
package enum SystemCall: Hashable, Sendable {
  case open, read, write, stat, readlink, list, socket, accept, receive, send, epoll, pidfd, other
}

/// Runs one system call, retries it when a signal interrupts it and turns -1 into an `Errno`.
///
/// EBADF and EFAULT mean that this program lost track of its own descriptors or memory: going on
/// would touch somebody else's, so they trap.
@inline(__always)
package func attempt<Result: SignedInteger>(
  _ call: SystemCall, _ body: () -> Result
) throws(Errno) -> Result {
  while true {
    #if DEBUG
      if let forced = Faults.next(call) {
        if forced == .interrupted { continue }
        throw forced
      }
    #endif
    let result = body()
    if result >= 0 { return result }
    let code = errno
    if code == EINTR { continue }
    // Standard output and error are written to as they were inherited, whatever they are open for.
    precondition(
      code != EFAULT && (code != EBADF || call == .write),
      "a descriptor or address of ours was invalid")
    throw Errno(code)
  }
}

#if DEBUG
  /// Forced failures of system calls, for tests; only the thread that asks for them sees them.
  package enum Faults {
    private struct Plan: Sendable {
      var call: SystemCall
      var errno: Errno
      var skip: Int
      var times: Int
    }

    private static let plans = Mutex<[Int32: [Plan]]>([:])

    /// Makes calls of one kind fail while `body` runs on this thread.
    ///
    /// - Parameters:
    ///   - call: The kind of call that fails.
    ///   - errno: What it fails with. `EINTR` is retried by every wrapper.
    ///   - skip: How many calls succeed first.
    ///   - times: How many calls fail then.
    ///   - body: The code under test.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package static func force<Result: ~Copyable, Failure: Error>(
      _ call: SystemCall, _ errno: Errno, skip: Int = 0, times: Int = 1,
      _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
      let thread = currentThreadID()
      let plan = Plan(call: call, errno: errno, skip: skip, times: times)
      plans.withLock { $0[thread, default: []].append(plan) }
      defer {
        plans.withLock {
          _ = $0[thread]?.popLast()
          if $0[thread]?.isEmpty == true { $0[thread] = nil }
        }
      }
      return try body()
    }

    static func next(_ call: SystemCall) -> Errno? {
      plans.withLock { plans -> Errno? in
        if plans.isEmpty { return nil }
        let thread = currentThreadID()
        guard let index = plans[thread]?.firstIndex(where: { $0.call == call && $0.times > 0 })
        else { return nil }
        guard var plan = plans[thread]?[index] else { return nil }
        defer { plans[thread]?[index] = plan }
        if plan.skip > 0 {
          plan.skip -= 1
          return nil
        }
        plan.times -= 1
        return plan.errno
      }
    }
  }
#endif
