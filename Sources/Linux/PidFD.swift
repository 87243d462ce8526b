import CLinux

/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
  /// It called `exit` with this code (0 to 255).
  case exited(code: Int32)
  /// A signal ended it.
  case signalled(signal: Int32, coreDumped: Bool)

  /// Splits a status as `wait(2)` reports it.
  package init(waitStatus: Int32) {
    let code = clinux_wait_code(waitStatus)
    switch clinux_wait_kind(waitStatus) {
    case 0: self = .exited(code: code)
    case let kind: self = .signalled(signal: code, coreDumped: kind == 2)
    }
  }
}

/// A descriptor that stands for one process, however its number is used again.
///
/// It becomes readable when the process has ended.
package final class PidFD: Sendable {
  package let fd: OwnedFD

  /// Opens the process that has this number now.
  ///
  /// Needs no privilege. The corresponding system call is `pidfd_open(2)` (Linux 5.3).
  /// - Parameter pid: The number of a process (thread group leader).
  /// - Throws: `ESRCH` (no such process), `EINVAL` (a thread), `EMFILE`, `ENOSYS` (older kernel).
  package init(pid: Int32) throws(Errno) {
    fd = OwnedFD(adopting: try attempt(.pidfd) { clinux_pidfd_open(pid) })
  }

  /// How the process ended, once its parent has reaped it.
  ///
  /// Needs no privilege. The corresponding call is `ioctl(PIDFD_GET_INFO)` with `PIDFD_INFO_EXIT`
  /// (Linux 6.15).
  /// - Returns: The status, or nil where the kernel does not tell (yet).
  package func exitStatus() -> ExitStatus? {
    var status: Int32 = 0
    guard unsafe clinux_pidfd_exit_status(fd.raw, &status) == 0 else { return nil }
    return ExitStatus(waitStatus: status)
  }
}
