import CLinux

/// Raises this process' own limit on open descriptors as far as its hard limit allows.
///
/// The corresponding system call is `setrlimit(2)` with `RLIMIT_NOFILE`.
/// - Parameter wanted: How many descriptors would be useful.
/// - Returns: The soft limit afterwards.
/// - Throws: `EPERM`.
package func raiseDescriptorLimit(to wanted: Int) throws(Errno) -> Int {
  Int(try attempt(.other) { clinux_raise_nofile(UInt64(max(0, wanted))) })
}
