import Foundation
import TestSupport

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

extension Child {
  /// Runs a copy of a program under a name that nothing else on the machine has.
  convenience init(
    _ program: String, as name: String, in scratch: Scratch, _ arguments: [String],
    input: FileHandle? = nil
  ) throws {
    let copy = scratch.file(name)
    if !FileManager.default.fileExists(atPath: copy) {
      try FileManager.default.copyItem(atPath: program, toPath: copy)
    }
    try self.init([copy] + arguments, input: input?.fileDescriptor)
  }

  convenience init(sleepingAs name: String, in scratch: Scratch) throws {
    try self.init("/bin/sleep", as: name, in: scratch, ["60"])
  }

  func kill() {
    send(SIGKILL)
    reap()
  }
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

  func target(_ name: String) -> Target? { targets.first { $0.name == name } }

  func pids(_ name: String) -> [Int32] { target(name)?.members.map(\.pid) ?? [] }
}

extension Rule {
  static func name(_ name: String, _ glob: String, children: Bool = false) -> Rule {
    Rule(
      name: name, selector: Selector(processNames: [Glob(glob)]), includesChildren: children)
  }
}
