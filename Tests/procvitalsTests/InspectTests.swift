import Collector
import Linux
import TestSupport
import Testing

@testable import GoRuntime
@testable import ProcFS
@testable import procvitals

@Suite final class InspectTests {
  private let tree: TestProc
  private let waiter: Waiter

  init() throws {
    tree = try TestProc()
    waiter = try Waiter()
    try tree.process(7, name: "app")
  }

  deinit { waiter.stop() }

  private static let facts = SystemFacts(
    pageBytes: 4096, ticksPerSecond: 100, bootTicks: 180_000_000_000)

  private func process(_ pid: Int32 = 7) throws -> InspectedProcess {
    try InspectedProcess(
      pid: pid, root: try ProcRoot(path: tree.path, facts: Self.facts),
      cgroups: CgroupTree(path: tree.cgroupPath), try BatchReader(threads: 2), waiter)
  }

  /// A look at a moment that is always the same, ten seconds after the machine started.
  private func look(_ process: InspectedProcess) throws -> ProcessLook {
    let look = try process.look(patience: .seconds(60))
    look.nanosecondsSince1970 = 1_800_000_010_000_000_000
    look.instant = Instant(nanoseconds: 2_000_000_000)
    return look
  }

  private func text(
    _ now: ProcessLook, before: ProcessLook? = nil, capabilities: Set<Capability> = []
  ) -> String {
    let report = InspectReport(7, now, before, capabilities: capabilities, processors: 4)
    return Screen.lines(report.sections).joined(separator: "\n") + "\n"
  }

  private func failure(_ pid: Int32) -> String? {
    do {
      _ = try process(pid)
      return nil
    } catch {
      return "\(error)"
    }
  }

  // MARK: Reports

  @Test func everythingOfAProcess() throws {
    try tree.process(3, name: "sh\u{1b}[2J")
    tree.turn(to: 7)
    var stat = TestStat(pid: 7)
    (stat.parent, stat.userTicks, stat.systemTicks, stat.threads) = (3, 150, 50, 2)
    (stat.minorFaults, stat.majorFaults, stat.startTicks) = (900, 4, 500)
    try tree.file("stat", stat.line)
      .file(
        "status",
        TestStatus().text
          + "Tgid:\t7\nUid:\t4000000001\t4000000002\t4000000002\t4000000002\nVmLck:\t8 kB\n"
          + "VmData:\t64 kB\nVmStk:\t132 kB\nSigQ:\t1/100\n"
      )
      .file(
        "limits", testLimits(openFiles: "10", addressSpace: "409600")
      )
      .file("cmdline", "/usr/bin/app\0--say=\u{1b}[31m\nx\0")
      .file(
        "cgroup", "0::/system.slice/app.service/docker-\(String(repeating: "a", count: 64)).scope\n"
      )
      .thread(TestStat(pid: 7), switches: TestStatus(voluntary: 30, involuntary: 2))
      .thread(TestStat(pid: 8), switches: TestStatus(voluntary: 12, involuntary: 1))
    for number in 0..<9 { try tree.file("fd/\(number)", "") }
    try tree.cgroup("", ["cgroup.controllers": "cpu memory pids"])
      .cgroup(
        "system.slice/app.service",
        [
          "memory.current": "3145728", "memory.max": "4194304", "memory.high": "max",
          "cpu.max": "50000 100000",
          "cpu.stat": "usage_usec 10\nnr_periods 10\nnr_throttled 3\nthrottled_usec 5",
          "pids.current": "9", "pids.max": "10",
        ]
      )
      .cgroup(
        "system.slice/app.service/docker-\(String(repeating: "a", count: 64)).scope",
        [
          "memory.current": "2097152", "memory.peak": "2097153", "memory.swap.current": "0",
          "memory.max": "67108864", "memory.high": "2097152", "memory.events": "oom_kill 2",
          "pids.current": "2", "pids.max": "max",
        ])

    let process = try process()
    let before = try look(process)
    before.instant = Instant(nanoseconds: 0)
    (stat.userTicks, stat.minorFaults) = (210, 920)
    try tree.cgroup(
      "system.slice/app.service",
      ["cpu.stat": "usage_usec 800010\nnr_periods 10\nnr_throttled 3\nthrottled_usec 5"])
    try tree.file("stat", stat.line).file("io", testIO(2049))
      .thread(TestStat(pid: 8), switches: TestStatus(voluntary: 15, involuntary: 1))
    let now = try look(process)
    now.mapLimit = 100
    #expect(now.troubles == [])
    let text = text(now, before: before)
    #expect(!text.contains("\u{1b}"))
    if let wrong = difference(text, fromGolden: "Tests/Golden/inspect.txt") {
      Issue.record("\(wrong)")
    }
  }

  @Test func whatIsDeniedIsToldWithWhatAllowsIt() throws {
    let now = try look(process())
    now.troubles = [.denied(.io), .denied(.exe), .late(.maps), .denied(.io)]
    let lines = text(now, capabilities: [.netAdmin]).split(separator: "\n")
    let start = try #require(lines.firstIndex(of: "not readable"))
    #expect(
      lines[start...].map(String.init) == [
        "not readable",
        "  io                    permission denied: expected the same user, or CAP_DAC_READ_SEARCH"
          + " and CAP_SYS_PTRACE",
        "  exe                   permission denied: expected the same user, or CAP_SYS_PTRACE;"
          + " whether it is a Go program is not known",
        "  maps                  maps has not answered in time",
        "  what allows it        to be root, or for the daemon this drop-in of its unit:",
        "                        [Service]",
        "                        AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_NET_ADMIN"
          + " CAP_SYS_PTRACE",
        "                        CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_NET_ADMIN"
          + " CAP_SYS_PTRACE",
      ])
    #expect(
      text(now, capabilities: Set(Capability.allCases)).contains("although              the cap"))
    now.troubles = []
    #expect(!text(now).contains("not readable"))
  }

  @Test func aGoProgramThatCannotBeReadSaysWhy() throws {
    let now = try look(process())
    now.go = .unreadable("mem cannot be read: permission denied")
    now.troubles = [.denied(.mem)]
    let text = text(now)
    #expect(
      text.contains(
        "Go runtime\n  not given             mem cannot be read: permission denied\nnot readable\n")
    )
    #expect(text.contains("AmbientCapabilities=CAP_SYS_PTRACE\n"))
  }

  /// Absent is not zero.
  @Test func whatIsNotReadIsLeftOut() throws {
    for name in ["io", "limits", "oom_score", "cgroup", "maps", "cmdline", "exe", "fd"] {
      tree.remove(name)
    }
    try tree.file("status", "Name:\tapp\n")
    let now = try look(process())
    let text = text(now)
    for name in ["read ", "written", "limits\n", "memory", "control", "descriptors", "resident"] {
      #expect(!text.contains("  \(name)"), "\(name) in \(text)")
    }
    #expect(text.contains("\nnot readable\n  io "))
  }

  @Test(arguments: [
    ("R", "running"), ("D", "waiting in the kernel, not to be interrupted"),
    ("T", "stopped by a signal or a debugger"),
    ("Z", "has ended; its parent has not waited for it"),
  ])
  func states(letter: String, words: String) throws {
    var stat = TestStat(pid: 7)
    stat.state = letter
    try tree.file("stat", stat.line)
    #expect(text(try look(process())).contains("  state                 \(words)\n"))
  }

  @Test func aThreadOfTheKernelRunsNoProgram() throws {
    var stat = TestStat(pid: 7)
    stat.flags = 0x0020_0000
    try tree.file("stat", stat.line)
    let text = text(try look(process()))
    #expect(text.contains("  program               none: it is a thread of the kernel\n"))
    #expect(!text.contains("command line"))
  }

  @Test func aNumberThatFallsHasNoRate() throws {
    let process = try process()
    let before = try look(process)
    before.instant = Instant(nanoseconds: 0)
    before.io?.readBytes = 5000
    before.stat.userTicks = 10
    let text = text(try look(process), before: before)
    #expect(text.contains("  CPU                   0.00 % since it started\n"))
    #expect(text.contains("  read                  1 B in 100 calls, 9.77 KiB of storage\n"))
  }

  // MARK: Numbers that are no process

  @Test func numbersThatAreNoProcess() throws {
    #expect(failure(8) == "no process has the number 8, or hidepid hides it")
    try tree.file("status", TestStatus().text + "Tgid:\t6\n")
    #expect(failure(7) == "7 is a thread of process 6: inspect that one")
    try tree.file("stat", "no stat")
    #expect(failure(7)?.hasPrefix("process 7: stat is not as the kernel documents it") == true)
  }

  @Test func anotherProcessWithItsNumberIsNotIt() throws {
    let process = try process()
    _ = try process.glance()
    tree.removeProcess(7)
    try tree.process(7, name: "other")
    #expect(throws: ProcError.gone) { try process.look(patience: .seconds(60)) }
  }

  @Test(arguments: ["abc", "0", "99999999999", "1.5", "", "+5", "٣", "\u{1b}[2J"])
  func badNumbers(number: String) throws {
    let command = try #require(try parsed(["inspect", number], as: Inspect.self))
    let failure = #expect(throws: Failure.self) { try command.run() }
    #expect(failure?.code == 2)
    #expect(failure?.description.contains("expected its number, from 1 to 2147483647") == true)
    #expect(failure?.description.contains("\u{1b}") == false)
  }
}
