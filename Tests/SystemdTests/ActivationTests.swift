import Foundation
import Glibc
import Linux
import Testing

@testable import Systemd

/// Not 3: a test runner has descriptors of its own there.
private let first: Int32 = 300

/// What the service manager hands over; environment and numbers belong to the whole process, so
/// everything happens in children.
@Suite struct ActivationTests {
  @Test func socketsWithNames() async {
    await #expect(processExitsWith: .success) {
      pass(["127.0.0.1:0", "127.0.0.1:0"], names: "http:admin")
      let sockets = passedSockets(from: first)
      check(sockets.map(\.name) == ["http", "admin"])
      for (index, socket) in sockets.enumerated() {
        check(listens(socket, as: first + Int32(index)))
        check(socket.take() == nil)
      }
      for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { check(getenv(name) == nil) }
      check(passedSockets(from: first).isEmpty)
    }
  }

  @Test func fewerNamesThanSockets() async {
    await #expect(processExitsWith: .success) {
      pass(["127.0.0.1:0", "127.0.0.1:0"], names: nil)
      check(passedSockets(from: first).map(\.name) == ["", ""])
      // Nobody has taken them.
      check(fcntl(first, F_GETFD) < 0 && fcntl(first + 1, F_GETFD) < 0)
    }
  }

  @Test func meantForAnother() async {
    await #expect(processExitsWith: .success) {
      pass(["127.0.0.1:0"], names: nil)
      setenv("LISTEN_PID", String(getppid()), 1)
      check(passedSockets(from: first).isEmpty)
      check(getenv("LISTEN_FDS") == nil)
      check(fcntl(first, F_GETFD) >= 0)
    }
  }

  @Test func untrueNumbers() async {
    await #expect(processExitsWith: .success) {
      // Larger ones would take what the test runner has open for theirs.
      for (text, expected) in [
        ("0", 0), ("-1", 0), ("", 0), ("x", 0), ("99999999999", 0), ("1", 1),
      ] {
        pass(["127.0.0.1:0"], names: nil)
        setenv("LISTEN_FDS", text, 1)
        check(passedSockets(from: first).count == expected)
      }
    }
  }
}

private func check(_ condition: @autoclosure () throws -> Bool, line: Int = #line) {
  if (try? condition()) == true { return }
  print("line \(line)")
  exit(1)
}

/// Whether a socket is the one with a number, is closed on exec, and accepts connections.
private func listens(_ socket: PassedSocket, as number: Int32) -> Bool {
  guard let fd = socket.take(), fd.raw == number, fcntl(number, F_GETFD) == FD_CLOEXEC
  else { return false }
  do {
    return try ListenSocket(adopting: fd).address.description.hasPrefix("127.0.0.1:")
  } catch {
    return false
  }
}

/// Puts listening sockets where the service manager would, and says so.
private func pass(_ addresses: [String], names: String?) {
  var made: [Int32] = []
  for text in addresses {
    guard let address = try? ListenAddress(text), let socket = try? ListenSocket(address)
    else { exit(2) }
    // Its own number may be one of those below.
    made.append(fcntl(socket.fd.raw, F_DUPFD, first + 100))
  }
  for (index, fd) in made.enumerated() { check(dup2(fd, first + Int32(index)) >= 0) }
  setenv("LISTEN_PID", String(getpid()), 1)
  setenv("LISTEN_FDS", String(addresses.count), 1)
  if let names { setenv("LISTEN_FDNAMES", names, 1) }
}
