import Glibc
import Linux

/// A child process of the test, killed and reaped when the test lets go of it.
///
/// Belongs to one thread at a time.
package final class Child: @unchecked Sendable {
  package let pid: Int32
  private var isReaped = false

  /// Starts a program.
  package convenience init(_ arguments: String...) throws {
    try self.init(arguments, input: nil)
  }

  /// Starts a program whose standard input and its outputs are descriptors, or nothing; with `open`,
  /// it has these descriptors under any numbers and no others, else those that every child inherits;
  /// with `environment`, these variables and no others.
  package init(
    _ arguments: [String], input: Int32?, output: Int32? = nil, open descriptors: [Int32]? = nil,
    environment: [String: String]? = nil
  ) throws {
    let pointers = arguments.map { strdup($0) } + [nil]
    let variables = environment.map { $0.map { strdup("\($0)=\($1)") } + [nil] }
    defer { for pointer in pointers + (variables ?? []) { free(pointer) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in Int32(0)...2 {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    if let input { posix_spawn_file_actions_adddup2(&actions, input, 0) }
    if let output {
      for number in Int32(1)...2 { posix_spawn_file_actions_adddup2(&actions, output, number) }
    }
    if let descriptors {
      // Above all of them, so that none takes the place of one that is still to come.
      let first = max(2, descriptors.max() ?? 0) + 1
      for (place, descriptor) in descriptors.enumerated() {
        posix_spawn_file_actions_adddup2(&actions, descriptor, first + Int32(place))
      }
      for number in 3..<first { posix_spawn_file_actions_addclose(&actions, number) }
      addCloseFrom(&actions, first + Int32(descriptors.count))
    }
    // Threads that run tests may block or ignore signals, which children would inherit.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var number = pid_t()
    // A program that was just copied is busy while a child that another test forks at this moment
    // still holds it open for writing.
    var code = ETXTBSY
    for _ in 0..<1000 where code == ETXTBSY {
      if let variables {
        code = posix_spawnp(&number, arguments[0], &actions, &attributes, pointers, variables)
      } else {
        code = posix_spawnp(&number, arguments[0], &actions, &attributes, pointers, environ)
      }
      if code == ETXTBSY { usleep(5000) }
    }
    guard code == 0 else { throw Errno(code) }
    pid = number
  }

  deinit {
    send(SIGKILL)
    reap()
  }

  package func send(_ signal: Int32) {
    if !isReaped { kill(pid, signal) }
  }

  /// Waits until it has ended, and takes its number out of use.
  ///
  /// - Returns: The exit code; -1 for a signal, or if it was reaped before.
  @discardableResult
  package func reap() -> Int32 {
    if isReaped { return -1 }
    var status: Int32 = -1
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    isReaped = true
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : -1
  }

  /// Waits until it has ended, and takes its number out of use.
  ///
  /// - Returns: Seconds of CPU time, in user mode and in the kernel, that it used, with children that it waited for.
  package func reapUsage() -> (user: Double, system: Double) {
    var usage = rusage()
    if isReaped { return (0, 0) }
    while wait4(pid, nil, 0, &usage) < 0 && errno == EINTR {}
    isReaped = true
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return (seconds(usage.ru_utime), seconds(usage.ru_stime))
  }

  /// CPU time that it has used so far, by its own clock.
  package var cpuSeconds: Double {
    var time = timespec()
    clock_gettime(clockid_t(~pid << 3 | 2), &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Waits until it has ended; it stays a zombie.
  package func waitForEnd() {
    var info = siginfo_t()
    while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
  }
}

// Hidden behind _GNU_SOURCE.
@_silgen_name("posix_spawn_file_actions_addclosefrom_np") @discardableResult
private func addCloseFrom(
  _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32
) -> Int32

/// Whether this process may do everything.
package var isRoot: Bool { geteuid() == 0 }

/// Runs `body` on a thread of its own that reads files with the rights of nobody.
///
/// Without root the rights stay as they are. The corresponding system call is `setfsuid(2)`, which
/// is about the calling thread alone and takes CAP_DAC_OVERRIDE away with the user.
package func asNobody<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  try onThread(named: "as-nobody") {
    if isRoot {
      _ = setGroupOfFileAccess(65534)
      _ = setUserOfFileAccess(65534)
    }
    return try body()
  }
}

/// Runs `body` on a thread of its own and waits for what it returns.
package func onThread<Result: Sendable>(
  named name: String, _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  let answers = try Mailbox<Swift.Result<Result, any Error>>()
  let thread = try Thread(name: name) { answers.post(Swift.Result { try body() }) }
  thread.join()
  return try answers.drain()[0].get()
}

/// Runs `body` on a thread of its own, in a network namespace that begins and ends with it and the
/// processes it starts.
package func inOwnNetwork<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  try onThread(named: "own-network") {
    guard leaveNamespaces(CLONE_NEWNET) == 0 else { throw Errno(errno) }
    return try body()
  }
}

private let CLONE_NEWNET: Int32 = 0x4000_0000
@_silgen_name("unshare") private func leaveNamespaces(_ flags: Int32) -> Int32

/// Runs `body` on a thread of its own that lacks one capability, by its number in `capability.h`.
package func withoutCapability<Result: Sendable>(
  _ capability: Int, _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  try onThread(named: "no-capability") {
    // struct __user_cap_header_struct, version 3; this thread.
    var header: [UInt32] = [0x2008_0522, 0]
    // Effective, permitted and inheritable, the lower 32 and the upper ones.
    var sets = [UInt32](repeating: 0, count: 6)
    guard getCapabilities(&header, &sets) == 0 else { throw Errno(errno) }
    sets[capability / 32 * 3] &= ~(1 << UInt32(capability % 32))
    guard setCapabilities(&header, &sets) == 0 else { throw Errno(errno) }
    return try body()
  }
}

@_silgen_name("capget")
private func getCapabilities(
  _ header: UnsafeMutablePointer<UInt32>, _ sets: UnsafeMutablePointer<UInt32>
) -> Int32
@_silgen_name("capset")
private func setCapabilities(
  _ header: UnsafeMutablePointer<UInt32>, _ sets: UnsafeMutablePointer<UInt32>
) -> Int32

// sys/fsuid.h is not among the headers of the Glibc module.
@_silgen_name("setfsuid") private func setUserOfFileAccess(_ user: UInt32) -> Int32
@_silgen_name("setfsgid") private func setGroupOfFileAccess(_ group: UInt32) -> Int32

/// Asks again and again until the answer is yes; gives up after a minute.
///
/// - Returns: Whether it was yes.
package func eventually(_ question: () throws -> Bool) rethrows -> Bool {
  let end = Instant.now + .seconds(60)
  while Instant.now < end {
    if try question() { return true }
    usleep(2000)
  }
  return false
}

/// The path of an installed program, or nil.
package func program(_ name: String) -> String? {
  let path = environmentVariable("PATH") ?? "/usr/bin:/bin"
  return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}

/// Runs a program to its end with some input.
///
/// - Returns: The exit code, -1 for a signal, and all that it wrote to either output.
package func run(_ command: String, input: [UInt8] = []) throws -> (code: Int32, output: String) {
  let directory = try TemporaryDirectory()
  try writeFile(directory.path + "/in", input)
  let files = "< \(directory.path)/in > \(directory.path)/out 2>&1"
  let code = try Child("sh", "-c", "{ \(command)\n} \(files)").reap()
  let output = String(decoding: try contents(directory.path + "/out"), as: UTF8.self)
  return (code, output)
}

/// Takes every capability from the calling thread, for good.
package func dropCapabilities() {
  var header: [UInt32] = [0x2008_0522, 0]
  var none = [UInt32](repeating: 0, count: 6)
  _ = setCapabilities(&header, &none)
}
