import CLinux
import Glibc

/// A counter in the kernel that one thread raises and another one's event loop sees.
package final class EventFD: Sendable {
  package let fd: OwnedFD

  /// A new counter at zero.
  ///
  /// The corresponding system call is `eventfd(2)`.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init() throws(Errno) {
    fd = OwnedFD(
      adopting: try attempt(.other) {
        eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
      })
  }

  /// Makes the descriptor readable.
  package func signal() {
    // EAGAIN means that the counter is at its maximum, hence readable already.
    _ = eventfd_write(fd.raw, 1)
  }

  /// Makes the descriptor unreadable again.
  package func clear() {
    var value: eventfd_t = 0
    // EAGAIN means that it was not readable.
    _ = unsafe eventfd_read(fd.raw, &value)
  }

  /// Waits until the descriptor is readable or the time is over.
  ///
  /// The corresponding system call is `poll(2)`.
  /// - Parameter timeout: The longest wait; nil waits for ever.
  /// - Returns: Whether it is readable.
  package func wait(atMost timeout: Duration?) -> Bool {
    var entry = pollfd(fd: fd.raw, events: Int16(POLLIN), revents: 0)
    let milliseconds = timeout.map { timeout -> Int32 in
      // Rounded up, so that the wait is not over before the time is.
      let (whole, rest) = max(0, timeout.nanoseconds).quotientAndRemainder(dividingBy: 1_000_000)
      return Int32(clamping: whole + rest.signum())
    }
    return unsafe poll(&entry, 1, milliseconds ?? -1) > 0
  }
}
