import Glibc

/// A file descriptor with one owner: it cannot be copied and is closed exactly once.
package struct OwnedFD: ~Copyable, Sendable {
  /// The number, for a call that does not keep it.
  package let raw: Int32

  /// Takes over a descriptor that nobody else will close.
  package init(adopting raw: Int32) {
    precondition(raw >= 0, "not a descriptor")
    self.raw = raw
  }

  /// A second descriptor for the same open file description, closed on exec.
  ///
  /// The corresponding system call is `fcntl(2)` with `F_DUPFD_CLOEXEC`.
  /// - Throws: `EMFILE` when the process has no descriptor left.
  package func duplicate() throws(Errno) -> OwnedFD {
    let raw = raw
    return OwnedFD(adopting: try attempt(.other) { fcntl(raw, F_DUPFD_CLOEXEC, 0) })
  }

  deinit {
    // close(2) releases the number even when it reports EINTR or EIO, so there is nothing to retry.
    _ = close(raw)
  }
}

/// A file descriptor with several owners, of which the last one closes it.
package final class SharedFD: Sendable {
  package let fd: OwnedFD

  package init(_ fd: consuming OwnedFD) { self.fd = fd }
}
