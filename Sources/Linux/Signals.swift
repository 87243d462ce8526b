import CLinux
import Glibc

/// The signals that are acted on.
package enum Signal: Int32, CaseIterable, Sendable {
  case hangUp = 1
  case interrupt = 2
  case terminate = 15
  /// The terminal has another size.
  case windowChange = 28
}

/// Signals as readable events instead of handlers.
package struct SignalFD: ~Copyable {
  package let fd: OwnedFD

  /// Blocks the given signals for this thread, and for those it starts, and opens a descriptor
  /// that reports them.
  ///
  /// Also ignores SIGPIPE. The corresponding system call is `signalfd(2)`.
  /// - Parameter signals: What to report.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(_ signals: [Signal]) throws(Errno) {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for signal in signals { unsafe sigaddset(&set, signal.rawValue) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    fd = OwnedFD(
      adopting: try attempt(.other) {
        unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
      })
  }

  /// The next signal that waits, if any.
  package func next() -> Signal? {
    var info = signalfd_siginfo()
    let raw = fd.raw
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe Glibc.read(raw, &info, size) == size else { return nil }
    return Signal(rawValue: Int32(info.ssi_signo))
  }
}

/// The short name of a signal, for example "SIGKILL"; real-time signals count from SIGRTMIN.
package func signalName(_ number: Int32) -> String {
  if let name = unsafe clinux_signal_name(number) { return unsafe "SIG" + String(cString: name) }
  let first = clinux_sigrtmin()
  return number >= first ? "SIGRTMIN+\(number - first)" : "signal \(number)"
}
