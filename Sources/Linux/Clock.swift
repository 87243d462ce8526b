import Glibc

/// A moment on the monotonic clock, which stands still for nobody and never jumps.
package struct Instant: Comparable, Hashable, Sendable {
  /// Nanoseconds since an arbitrary start (`CLOCK_MONOTONIC`).
  package let nanoseconds: UInt64

  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The current moment.
  ///
  /// The corresponding system call is `clock_gettime(2)`.
  package static var now: Instant {
    Instant(nanoseconds: UInt64(clockNanoseconds(CLOCK_MONOTONIC)))
  }

  package static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The moment that is later by a duration; a negative duration counts as none.
  package static func + (instant: Instant, duration: Duration) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &+ UInt64(clamping: duration.nanoseconds))
  }

  /// How long after `other` this moment is; negative if it is earlier.
  package static func - (instant: Instant, other: Instant) -> Duration {
    .nanoseconds(Int64(bitPattern: instant.nanoseconds &- other.nanoseconds))
  }
}

extension Duration {
  /// The duration in nanoseconds; 292 years at most.
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, tooLargeToo) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return tooLarge || tooLargeToo ? (seconds < 0 ? .min : .max) : sum
  }

  /// The duration in seconds.
  package var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// Wall-clock time, nanoseconds since 1970.
///
/// The corresponding system call is `clock_gettime(2)`.
package func wallClockNanoseconds() -> Int64 { clockNanoseconds(CLOCK_REALTIME) }

/// Wall-clock time, seconds since 1970.
package func wallClockSeconds() -> Double { Double(wallClockNanoseconds()) / 1e9 }

/// Does nothing for a while; only for threads of which nobody wants anything meanwhile.
///
/// The corresponding system call is `clock_nanosleep(2)`.
package func pause(for duration: Duration) {
  let end = (Instant.now + duration).nanoseconds
  var time = timespec(
    tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
  while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
}

/// Time since the machine started, sleep included, in nanoseconds (`CLOCK_BOOTTIME`).
package func bootClockNanoseconds() -> Int64 { clockNanoseconds(CLOCK_BOOTTIME) }

private func clockNanoseconds(_ clock: clockid_t) -> Int64 {
  var time = timespec()
  // clock_gettime fails only for a clock that does not exist.
  _ = unsafe clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Bytes of one memory page.
///
/// The corresponding C function is `sysconf(3)`.
package func pageSize() -> UInt64 { UInt64(max(1, sysconf(Int32(_SC_PAGESIZE)))) }

/// Ticks per second in which the kernel reports CPU time.
///
/// The corresponding C function is `sysconf(3)`.
package func clockTicksPerSecond() -> UInt64 { UInt64(max(1, sysconf(Int32(_SC_CLK_TCK)))) }

/// CPUs of the machine that are in use.
///
/// The corresponding C function is `sysconf(3)`.
package func processorCount() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
