import Glibc
import Linux

/// A child process that a test talks to through a socket, which is its input and both its outputs;
/// killed and reaped when the test lets go of it.
///
/// Tests start nothing through Foundation's `Process`: that reads beyond the end of a buffer, and
/// crashes the test run, while another test has more than 1364 descriptors open. Belongs to one
/// thread at a time.
package final class TalkingChild: @unchecked Sendable {
  private let child: Child
  private let socket: OwnedFD
  private var unread: [UInt8] = []

  /// Starts a program, with the variables of this process unless `environment` has others.
  package init(_ arguments: [String], environment: [String: String]? = nil) throws {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Errno(errno) }
    let other = OwnedFD(adopting: ends[1])
    socket = OwnedFD(adopting: ends[0])
    child = try Child(
      arguments, input: other.raw, output: other.raw, open: [], environment: environment)
  }

  package var pid: Int32 { child.pid }

  package func send(_ signal: Int32) { child.send(signal) }

  /// Writes to its input; what it no longer reads is dropped.
  package func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(socket.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
    }
  }

  /// What it writes next, up to the end of a line or of all that it writes.
  package func line() -> String {
    while !unread.contains(10), readMore() {}
    let line = unread.prefix { $0 != 10 }
    unread.removeFirst(min(line.count + 1, unread.count))
    return String(decoding: line, as: UTF8.self)
  }

  /// Ends its input, and reads all that it writes until it ends.
  ///
  /// - Returns: The exit code, -1 for a signal, and what was not yet read.
  package func end() -> (code: Int32, output: [UInt8]) {
    shutdown(socket.raw, Int32(SHUT_WR))
    while readMore() {}
    return (child.reap(), unread)
  }

  private func readMore() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(socket.raw, &buffer, buffer.count)
      if count > 0 { unread += buffer[..<count] }
      if count >= 0 || errno != EINTR { return count > 0 }
    }
  }
}
