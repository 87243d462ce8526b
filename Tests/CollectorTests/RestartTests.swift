import Targets
import TestSupport
import Testing

@testable import Collector

/// What counts as a restart, over a tree that the test edits.
@Suite struct RestartTests {
  /// One look at the processes: their numbers and start times.
  typealias Look = [(pid: Int32, start: UInt64)]

  private func restarts(_ looks: [Look], parents: [Int32: Int32] = [:]) throws -> [Double?] {
    let tree = try TestProc()
    let watch = try Watch(tree, [target("app", named: "app", children: true)])
    var before: [Int32: UInt64] = [:]
    return try looks.map { look in
      let now = Dictionary(uniqueKeysWithValues: look.map { ($0.pid, $0.start) })
      for (pid, start) in before where now[pid] != start { tree.removeProcess(pid) }
      for (pid, start) in look where before[pid] != start {
        var stat = TestStat(pid: pid, name: parents[pid] == nil ? "app" : "helper")
        stat.startTicks = start
        stat.parent = parents[pid] ?? 1
        try tree.process(pid).file("stat", stat.line)
      }
      before = now
      return watch.collect().value("process_restarts_total")
    }
  }

  @Test(
    arguments: [
      ("found when the daemon starts", [[(7, 1)], [(7, 1)]], [0, 0]),
      ("another one in the same look", [[(7, 1)], [(8, 2)], [(9, 3)]], [0, 1, 2]),
      ("another one later", [[(7, 1)], [], [], [(8, 2)]], [0, 0, 0, 1]),
      ("the same number", [[(7, 1)], [(7, 2)]], [0, 1]),
      ("a second one beside it", [[(7, 1)], [(7, 1), (8, 2)]], [0, 0]),
      ("many at a time", [[(7, 1), (8, 1)], [], [(9, 2)]], [0, 0, 0]),
      ("one of many", [[(7, 1), (8, 1)], [(8, 1)], [(8, 1), (9, 2)]], [0, 0, 0]),
      ("two that hand over", [[(7, 1)], [(7, 1), (8, 2)], [(8, 2)], []], [0, 0, 0, 0]),
      ("alone again", [[(7, 1), (8, 1)], [], [(9, 2)], [(10, 3)]], [0, 0, 0, 1]),
      ("two instead of one", [[(7, 1)], [(8, 2), (9, 2)]], [0, 1]),
      ("none at first", [[], [(7, 1)], [(8, 2)]], [0, 0, 1]),
    ] as [(String, [Look], [Double])])
  func areCounted(name: String, looks: [Look], expected: [Double]) throws {
    #expect(try restarts(looks) == expected)
  }

  /// Descendants that are taken along neither restart a target nor keep it from that.
  @Test func ofAProcessWithDescendants() throws {
    let looks: [Look] = [
      [(7, 1), (20, 1)], [(7, 1), (21, 2)], [(7, 1)], [], [(8, 2), (22, 2)], [(22, 2)],
      [(9, 3), (22, 2)],
    ]
    let parents: [Int32: Int32] = [20: 7, 21: 7, 22: 8]
    #expect(try restarts(looks, parents: parents) == [0, 0, 0, 0, 1, 1, 2])
  }

  /// One that goes by another name and comes back has not been restarted.
  @Test func oneThatComesBackHasNotStarted() throws {
    let tree = try TestProc()
    let watch = try Watch(tree, [target("app", named: "app")])
    try tree.process(7)
    for name in ["app", "other", "app"] {
      try tree.file("stat", TestStat(pid: 7, name: name).line)
      #expect(watch.collect().value("process_restarts_total") == 0)
    }
    // Nor does one start again that follows one which has left.
    try tree.file("stat", TestStat(pid: 7, name: "other").line).process(8)
    #expect(watch.collect().value("process_restarts_total") == 0)
  }
}
