import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Linux

/// Runs a property with a seed of its own, which a failed expectation shows.
func withRandom<Failure: Error>(
  _ body: (inout SeededGenerator, _ seed: String) throws(Failure) -> Void
) throws(Failure) {
  let seed = UInt64.random(in: 0 ... .max)
  var random = SeededGenerator(seed: seed)
  try body(&random, "seed \(seed)")
}

/// Waits until something holds; for what tells nobody when it happens.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = Instant.now + .seconds(30)
  while try !condition() {
    if deadline < .now { return false }
    poll(nil, 0, 2)
  }
  return true
}

/// A directory that goes away with the value.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/procvitals-test-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ bytes: [UInt8], to name: String) throws -> OwnedFD {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return try openFile("\(path)/\(name)", .read)
  }
}

/// Held while descriptors exist that a child would inherit.
private let spawning = Mutex(())

private func openPipe() throws -> (output: Int32, input: Int32) {
  try spawning.withLock { _ in
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}

/// Both ends of a pipe, non-blocking.
struct Pipe: ~Copyable {
  let output: OwnedFD
  let input: OwnedFD

  init() throws {
    let ends = try openPipe()
    for end in [ends.output, ends.input] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    output = OwnedFD(adopting: ends.output)
    input = OwnedFD(adopting: ends.input)
  }

  func fill(_ text: String = "x") { _ = Glibc.write(input.raw, text, text.utf8.count) }

  func drain() {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while Glibc.read(output.raw, &bytes, bytes.count) > 0 {}
  }
}

/// Both ends of a connection, non-blocking.
struct SocketPair: ~Copyable {
  let left: OwnedFD
  let right: OwnedFD

  init() throws {
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
    left = OwnedFD(adopting: ends[0])
    right = OwnedFD(adopting: ends[1])
  }
}

/// A shell that has written "ready" and then waits for its input or a signal.
final class Child {
  let pid: Int32
  private let input: Int32
  private var status: Int32?

  /// Starts `sh -c SCRIPT`; it begins when `script` has written a line.
  init(_ script: String) throws {
    let toChild = try openPipe()
    let fromChild = try openPipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild.output, 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild.input, 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    let words = ["/bin/sh", "-c", script]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    let code = spawning.withLock { _ in
      posix_spawn(&pid, "/bin/sh", &actions, &attributes, &arguments, Glibc.environ)
    }
    close(toChild.output)
    close(fromChild.input)
    self.pid = pid
    input = toChild.input
    defer { close(fromChild.output) }
    try #require(code == 0)
    var byte: UInt8 = 0
    try #require(Glibc.read(fromChild.output, &byte, 1) == 1, "\(script) says nothing")
  }

  /// Waits for its end and returns what `wait(2)` says.
  @discardableResult
  func reap() -> Int32 {
    if let status { return status }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    close(input)
    self.status = status
    return status
  }

  func writeLine() { _ = Glibc.write(input, "\n", 1) }

  deinit {
    if status == nil {
      kill(pid, SIGKILL)
      reap()
    }
  }
}

/// Runs something on a thread of its own and returns when it is done.
func onOwnThread(_ name: String = "test", _ body: @escaping @Sendable () -> Void) throws {
  try Thread(name: name, body).join()
}
