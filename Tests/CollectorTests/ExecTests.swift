import Linux
import Targets
import TestSupport
import Testing

@testable import Collector

/// Forks and execs count as what they are, over a tree that the test edits.
@Suite struct ExecTests {
  private static let forkedFlag: UInt64 = 0x40

  private func line(
    _ pid: Int32, _ name: String = "app", start: UInt64 = 100, isCopy: Bool = false
  ) -> String {
    var stat = TestStat(pid: pid, name: name)
    stat.startTicks = start
    if pid != 7 { stat.parent = 7 }
    if isCopy { stat.flags |= Self.forkedFlag }
    return stat.line
  }

  /// Ticks since the machine started, some seconds from now: what starts then is young for a while.
  private var soon: UInt64 { facts.ticks(nanoseconds: bootClockNanoseconds()) + 3000 }

  /// A process that is seen between its fork and the program that it was forked for; a descendant
  /// is one at once.
  @Test(arguments: [false, true])
  func aChildThatIsAboutToExecIsNoStart(children: Bool) throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", named: "app", children: children)])
    #expect(watch.collect().value("process_starts_total") == 1)
    let start = soon
    try tree.process(8).file("stat", line(8, start: start, isCopy: true))
    var page = watch.collect()
    #expect(page.value("process_starts_total") == (children ? 2 : 1))
    #expect(page.value("procvitals_target_processes") == (children ? 2 : 1))
    try tree.file("stat", line(8, "helper", start: start))
    page = watch.collect()
    #expect(page.value("process_starts_total") == (children ? 2 : 1))
    tree.removeProcess(8)
    _ = watch.collect()
    // It kept nobody from being the only process of the target.
    tree.removeProcess(7)
    try tree.process(9)
    #expect(watch.collect().value("process_restarts_total") == 1)
  }

  /// One that runs the program of its parent goes on as a process of its own.
  @Test func aChildThatStaysAsItIsCounts() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", named: "app")])
    _ = watch.collect()
    let start = soon
    try tree.process(8).file("stat", line(8, start: start, isCopy: true))
    #expect(watch.collect().value("process_starts_total") == 1)
    // It has called exec.
    try tree.file("stat", line(8, start: start))
    #expect(watch.collect().value("process_starts_total") == 2)
    // One that was forked a while ago is not about to do that.
    try tree.process(9).file("stat", line(9, isCopy: true))
    #expect(watch.collect().value("process_starts_total") == 3)
    // Nor is one whose start is that of another machine.
    try tree.process(10).file("stat", line(10, start: start + 1_000_000, isCopy: true))
    #expect(watch.collect().value("process_starts_total") == 4)
  }

  /// A process that goes on in a child, as daemons do, is never away.
  @Test(arguments: [false, true])
  func aChildThatOutlivesItsParentIsThereAtOnce(children: Bool) throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", named: "app", children: children)])
    _ = watch.collect()
    tree.removeProcess(7)
    try tree.process(8).file("stat", line(8, start: soon, isCopy: true))
    let page = watch.collect()
    #expect(page.value("procvitals_target_up") == 1)
    #expect(page.value("procvitals_target_processes") == 1)
  }

  /// A daemon that has written its own number is that, whatever it runs.
  @Test func aChildThatIsNamedByNumberCounts() throws {
    let tree = try TestProc().process(8).file("stat", line(8, start: soon, isCopy: true))
    let watch = try Watch(tree, [target("app", pid: 8)])
    #expect(watch.collect().value("process_starts_total") == 1)
  }

  /// While another thread than the first calls exec, the kernel shows a dead one for a moment.
  @Test func anExecOfAnotherThreadIsNoEnd() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", named: "app")])
    var superseded = TestStat(pid: 7)
    (superseded.state, superseded.threads, superseded.flags) = ("X", 0, 0x40_840C)
    for look in [line(7), superseded.line, line(7), superseded.line, line(7)] {
      try tree.file("stat", look)
      let page = watch.collect()
      #expect(page.value("process_starts_total") == 1)
      #expect(page.value("process_restarts_total") == 0)
      #expect(page.value("procvitals_target_processes") == 1)
    }
    tree.removeProcess(7)
    #expect(watch.collect().value("procvitals_target_processes") == 0)
    // One that was never seen otherwise is nobody's.
    try tree.process(8).file("stat", superseded.line)
    #expect(watch.collect().value("process_starts_total") == 1)
  }
}
