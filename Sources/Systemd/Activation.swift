import Glibc
package import Linux

/// A listening socket that the service manager has made and handed over.
package final class PassedSocket {
  /// `FileDescriptorName=` of the socket unit; empty if there is none.
  package let name: String
  private var fd: OwnedFD?

  init(_ fd: consuming OwnedFD, name: String) {
    self.fd = consume fd
    self.name = name
  }

  /// Takes the socket, once; one that nobody takes is closed.
  package func take() -> OwnedFD? { fd.take() }
}

/// Takes the sockets that were handed to this process, and the variables that tell of them out of
/// the environment, so that no child believes that they are meant for it.
///
/// To be called before the first thread starts and before anything is opened. The corresponding C
/// function is `sd_listen_fds_with_names(3)`.
/// - Parameter first: The number of the first one, `SD_LISTEN_FDS_START`.
/// - Returns: The sockets in the order of the unit; none if they are meant for another process.
package func passedSockets(from first: Int32 = 3) -> [PassedSocket] {
  defer {
    for name in ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
      _ = unsafe unsetenv(name)
    }
  }
  guard variable("LISTEN_PID") == String(getpid()), let text = variable("LISTEN_FDS"),
    let count = Int32(text), count > 0
  else { return [] }
  let names = (variable("LISTEN_FDNAMES") ?? "").split(
    separator: ":", omittingEmptySubsequences: false)
  var sockets: [PassedSocket] = []
  // A count that is not true ends at the first number that is not open.
  for index in 0..<min(count, Int32.max - first) {
    let raw = first + index
    if fcntl(raw, F_SETFD, FD_CLOEXEC) < 0 { break }
    let name = index < names.count ? String(names[Int(index)]) : ""
    sockets.append(PassedSocket(OwnedFD(adopting: raw), name: name))
  }
  return sockets
}

private func variable(_ name: String) -> String? {
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
