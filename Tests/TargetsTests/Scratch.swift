import Foundation

@testable import Linux
@testable import ProcFS
@testable import Targets

/// A directory of its own that goes away with the test.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "pv-targets-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
  }
}

/// A child process with a name of its own; killed and reaped when the test ends.
final class Child {
  let pid: Int32
  private var isReaped = false

  /// Runs a copy of a program under a name that nothing else on the machine has.
  ///
  /// Not by Foundation's `Process`, which waits for grandchildren too.
  init(
    _ program: String, as name: String, in scratch: Scratch, _ arguments: [String],
    input: FileHandle? = nil
  ) throws {
    let copy = scratch.file(name)
    if !FileManager.default.fileExists(atPath: copy) {
      try FileManager.default.copyItem(atPath: program, toPath: copy)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input { posix_spawn_file_actions_adddup2(&actions, input.fileDescriptor, 0) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    // Threads of the test runner have signals blocked, which a child would inherit.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words = ([copy] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var pid: pid_t = 0
    // A child that another test forks at this moment may still hold the copy open for writing.
    var code = ETXTBSY
    for _ in 0..<1000 where code == ETXTBSY {
      code = posix_spawn(&pid, copy, &actions, &attributes, &words, environ)
      if code == ETXTBSY { usleep(5_000) }
    }
    guard code == 0 else { throw Errno(code) }
    self.pid = pid
  }

  convenience init(sleepingAs name: String, in scratch: Scratch) throws {
    try self.init("/bin/sleep", as: name, in: scratch, ["60"])
  }

  func kill(_ signal: Int32 = SIGKILL) {
    Foundation.kill(pid, signal)
    wait()
  }

  /// Waits for its end and fetches its status.
  func wait() {
    if isReaped { return }
    isReaped = true
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  deinit { kill() }
}

/// A name of at most 15 bytes that no other test uses.
func uniqueName(_ prefix: String = "pv") -> String {
  prefix + String(UInt32.random(in: 0 ... .max), radix: 36)
}

extension Roster {
  /// A roster over the live /proc.
  static func live(
    _ rules: [Rule], limits: Limits = Limits(keptDescriptors: 100, processesPerTarget: 100),
    loop: EventLoop? = nil
  ) throws -> Roster {
    let roster = try Roster(
      root: ProcRoot(path: "/proc", facts: .current()), loop: loop ?? EventLoop(),
      waiter: Waiter(), limits: limits)
    roster.setRules(rules, limits)
    return roster
  }

  func target(_ name: String) -> Target? { targets.first { $0.rule.name == name } }

  func pids(_ name: String) -> [Int32] { target(name)?.members.map(\.pid) ?? [] }
}

extension Rule {
  static func name(_ name: String, _ glob: String, children: Bool = false) -> Rule {
    Rule(
      name: name, selector: Selector(processNames: [Glob(glob)]), includesChildren: children)
  }
}

/// Repeats until a condition holds; fails the test by returning false after ten seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<1000 {
    if try condition() { return true }
    usleep(10_000)
  }
  return false
}
