import CLinux
import Glibc

/// Raises this process' own limit on open descriptors as far as its hard limit allows.
///
/// The corresponding system call is `setrlimit(2)` with `RLIMIT_NOFILE`.
/// - Parameter wanted: How many descriptors would be useful.
/// - Returns: The soft limit afterwards.
/// - Throws: `EPERM`.
package func raiseDescriptorLimit(to wanted: Int) throws(Errno) -> Int {
  Int(try attempt(.other) { clinux_raise_nofile(UInt64(max(0, wanted))) })
}

/// A resource of `getrlimit(2)` that is read from other processes.
package enum Resource: Sendable {
  case openFiles, addressSpace
}

/// The soft and hard limit of a resource of another process; nil is "unlimited".
///
/// Needs the same user or CAP_SYS_RESOURCE. The corresponding system call is `prlimit(2)`.
/// - Parameters:
///   - resource: Which limit.
///   - pid: The process that has this number now.
/// - Returns: Both limits.
/// - Throws: `EPERM`, `ESRCH`.
package func resourceLimit(
  _ resource: Resource, pid: Int32
) throws(Errno) -> (soft: UInt64?, hard: UInt64?) {
  let number: Int32
  switch resource {
  case .openFiles: number = Int32(RLIMIT_NOFILE.rawValue)
  case .addressSpace: number = Int32(RLIMIT_AS.rawValue)
  }
  var soft: UInt64 = 0
  var hard: UInt64 = 0
  _ = try attempt(.other) { unsafe clinux_prlimit_get(pid, number, &soft, &hard) }
  // RLIM_INFINITY is all ones.
  return (soft == .max ? nil : soft, hard == .max ? nil : hard)
}
