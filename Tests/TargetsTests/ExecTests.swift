import Foundation
import TestSupport
import Testing

@testable import Linux
@testable import ProcFS
@testable import Targets

/// Processes that run one program after the other, on a machine that is busy.
@Suite(.timeLimit(.minutes(2))) struct ExecTests {
  @Test func aProcessIsOneStartHoweverOftenItCallsExec() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let name = uniqueName()
    let copy = scratch.file(name)
    try FileManager.default.copyItem(atPath: "/bin/dash", toPath: copy)
    // Runs itself so often as its argument says, and then stops; it forks nothing.
    try scratch.write(
      "script", "[ $1 = 0 ] || exec \(copy) \(scratch.file("script")) $(($1 - 1))\nkill -STOP $$\n")
    let loads = try (0..<4).map { _ in try Child("sh", "-c", "while :; do :; done") }
    defer { for load in loads { load.kill() } }
    var perProcess = Rule.name("each", name)
    perProcess.isPerProcess = true
    let rosters = [try Roster.live([.name("all", name)]), try Roster.live([perProcess])]
    var children: [Child] = []
    let count = 20
    func isStopped(_ child: Child) -> Bool {
      guard let bytes = try? contents("/proc/\(child.pid)/stat") else { return false }
      return String(decoding: bytes, as: UTF8.self).contains("(\(name)) T ")
    }
    let areAllSeen = eventually {
      if children.count < count,
        let child = try? Child(
          copy, scratch.file("script"), String(Int.random(in: 0...20, using: &random)))
      {
        children.append(child)
      }
      for _ in 0..<20 { for roster in rosters { roster.refresh() } }
      return children.count == count && children.allSatisfy(isStopped)
    }
    #expect(areAllSeen, "seed \(seed)")
    for roster in rosters { roster.refresh() }
    let target = try #require(rosters[0].target("all"))
    #expect(target.members.map(\.pid) == children.map(\.pid).sorted(), "seed \(seed)")
    #expect(target.starts == UInt64(count) && target.restarts == 0, "seed \(seed)")
    let made = rosters[1].targets.filter { $0.kind == .made }
    #expect(made.count == count && made.allSatisfy { $0.starts == 1 }, "seed \(seed)")
    for target in rosters.flatMap(\.targets) {
      #expect(target.exits.isEmpty && target.departed.isEmpty, "seed \(seed)")
    }
  }
}
