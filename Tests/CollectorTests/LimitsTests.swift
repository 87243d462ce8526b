import Linux
import ProcFS
import Targets
import TestSupport
import Testing

@testable import Collector

/// Limits are remembered for a while where only the file tells them.
@Suite struct LimitsTests {
  private final class Reading {
    let tree: TestProc
    let roster: Roster
    let waiter: Waiter
    let reader = ProcessReader(facts: .current(), numbersAreOwn: false, threadLimit: 10)
    var memory = ProcessReader.Memory()

    init(startTicks: UInt64) throws {
      tree = try TestProc().process(7)
      var stat = TestStat(pid: 7)
      stat.startTicks = startTicks
      try tree.file("stat", stat.line)
      waiter = try Waiter()
      roster = try Roster(
        root: try ProcRoot(path: tree.path, facts: .current()), loop: try EventLoop(),
        waiter: waiter, limits: Roster.Limits(keptDescriptors: 0, processesPerTarget: 10))
      roster.setRules(
        [Rule(name: "app", selector: Selector(pid: 7))],
        Roster.Limits(keptDescriptors: 0, processesPerTarget: 10))
      roster.refresh()
    }

    deinit { waiter.stop() }

    /// The soft limit after the file says something new.
    func limit(_ openFiles: Int) throws -> UInt64? {
      try tree.file("limits", testLimits(openFiles: "\(openFiles)", addressSpace: "unlimited"))
      let target = try #require(roster.targets.first)
      let member = try #require(target.members.first)
      return reader.read(member, target, SourceFiles([.limits]), &memory)?.limits?.openFiles.soft
    }
  }

  @Test func areReadOnceAMinute() throws {
    let reading = try Reading(startTicks: 1)
    #expect(try reading.limit(100) == 100)
    #expect(try reading.limit(200) == 100)
    let remembered = try #require(reading.memory.limits)
    reading.memory.limits?.readAt = Instant(
      nanoseconds: remembered.readAt.nanoseconds - 59_000_000_000)
    #expect(try reading.limit(300) == 100)
    reading.memory.limits?.readAt = Instant(
      nanoseconds: remembered.readAt.nanoseconds - 61_000_000_000)
    #expect(try reading.limit(400) == 400)
    #expect(try reading.limit(500) == 400)
  }

  /// A program that has just started may still be about to set them.
  @Test func ofAYoungProcessAreReadEachTime() throws {
    let now =
      UInt64(bootClockNanoseconds()) / (1_000_000_000 / SystemFacts.current().ticksPerSecond)
    // Far enough in the future to stay young however slow the test is.
    let reading = try Reading(startTicks: now + 100_000)
    #expect(try reading.limit(100) == 100)
    #expect(try reading.limit(200) == 200)
  }

  /// `prlimit(2)` would ask about whatever process has the number 7 or 1 here.
  @Test func ofATreeAreNotThoseOfThisMachine() throws {
    let tree = try TestProc().process(1)
    try tree.file("limits", testLimits(openFiles: "77", addressSpace: "88"))
    let page = try Watch(tree, [target("app", pid: 1)]).collect()
    #expect(page.value("process_max_fds") == 77)
    #expect(page.value("process_virtual_memory_max_bytes") == 88)
  }
}
