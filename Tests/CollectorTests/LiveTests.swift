import Glibc
import Linux
import Synchronization
import Targets
import TestSupport
import Testing

@testable import Collector

/// A program that goes by a name of its own, whose end the test decides.
private final class Program {
  private static let numbers = Atomic<Int>(0)

  let name: String
  private let directory: TemporaryDirectory
  private var path: String { "\(directory.path)/\(name)" }
  private var fifo: String { "\(directory.path)/fifo" }

  init() throws {
    let number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
    name = "pv\(getpid())-\(number)"
    directory = try TemporaryDirectory()
    guard symlink("/bin/sh", "\(directory.path)/\(name)") == 0, mkfifo(fifo, 0o600) == 0 else {
      throw Errno(errno)
    }
  }

  /// Waits for a line, then exits with a code.
  func waiting(exit code: Int) throws -> Child {
    try Child(path, "-c", "read line < \(fifo); exit \(code)")
  }

  /// Uses the CPU for ever.
  func burning() throws -> Child { try Child(path, "-c", "while :; do :; done") }

  /// Lets one that waits go on.
  func goOn() throws {
    let end = open(fifo, O_WRONLY)
    guard end >= 0 else { throw Errno(errno) }
    write(end, "\n", 1)
    close(end)
  }
}

/// Whether the kernel tells how somebody else's process ended.
let tellsExits: Bool = {
  guard let child = try? Child("true"), let pidfd = try? PidFD(pid: child.pid) else { return false }
  child.reap()
  return pidfd.exitStatus() != nil
}()

@Suite struct LiveTests {
  private func asking(_ program: Program) throws -> Asking {
    try Asking([target("app", named: program.name)])
  }

  @Test func cpuOfARestartedProgramKeepsRising() throws {
    let program = try Program()
    let asking = try asking(program)
    var last = 0.0
    for round in 1...3 {
      let child = try program.burning()
      let running = try asking.collect {
        ($0.value("process_cpu_seconds_total") ?? 0) > last + 0.05
      }
      let used = try #require(running.value("process_cpu_seconds_total"))
      #expect(used > last && running.value("procvitals_target_up") == 1)
      child.send(SIGKILL)
      child.waitForEnd()
      child.reap()
      let down = try asking.collect { $0.value("procvitals_target_up") == 0 }
      let kept = try #require(down.value("process_cpu_seconds_total"))
      #expect(kept >= used)
      #expect(down.value("process_starts_total") == Double(round))
      last = kept
    }
  }

  @Test(
    .enabled(if: tellsExits, "this kernel does not tell how processes end (Linux 6.15 does)"),
    arguments: [
      (nil, "exited", "0"), (nil, "exited", "3"), (nil, "exited", "255"),
      (SIGKILL, "signalled", "SIGKILL"), (SIGTERM, "signalled", "SIGTERM"),
    ] as [(Int32?, String, String)])
  func exitsAreCountedByReason(signal: Int32?, reason: String, status: String) throws {
    let program = try Program()
    let asking = try asking(program)
    let child = try program.waiting(exit: Int(status) ?? 0)
    let isUp = try asking.collect { $0.value("procvitals_target_up") == 1 }
    #expect(isUp.value("procvitals_target_up") == 1)
    if let signal { child.send(signal) } else { try program.goOn() }
    child.waitForEnd()
    // Unreaped it is no process of the target any more, but the kernel does not tell the status.
    let zombie = try asking.collect()
    #expect(zombie.value("procvitals_target_up") == 0)
    #expect(!zombie.text.contains("process_exits_total{"))
    child.reap()
    let page = try asking.collect { $0.text.contains("process_exits_total{") }
    let exits = page.samples.filter { $0.key.hasPrefix("process_exits_total{") }
    let series = #"process_exits_total{target="app",reason="\#(reason)",status="\#(status)"}"#
    #expect(exits == [series: 1])
  }

  /// Between two scrapes: it is not seen running again, but what it used and how it ended are.
  @Test(.enabled(if: tellsExits, "this kernel does not tell how processes end (Linux 6.15 does)"))
  func whatHappensBetweenScrapesIsNotLost() throws {
    let program = try Program()
    let asking = try asking(program)
    let child = try program.burning()
    let first = try asking.collect { $0.value("procvitals_target_up") == 1 }
    let before = try #require(first.value("process_cpu_seconds_total"))
    // Its own clock tells when it has used more, without a scrape.
    #expect(eventually { child.cpuSeconds > before + 0.2 })
    child.send(SIGKILL)
    child.waitForEnd()
    child.reap()
    let page = try asking.collect { $0.text.contains("process_exits_total{") }
    #expect(try #require(page.value("process_cpu_seconds_total")) >= before)
    #expect(page[#"process_exits_total{target="app",reason="signalled",status="SIGKILL"}"#] == 1)
  }

  @Test func ownProcessIsSeenAsItIs() throws {
    let page = try Asking([target("app", pid: getpid())]).collect()
    for name in Catalogue.process.map(\.family.name)
    where name != "process_virtual_memory_max_bytes" && !name.contains("_delay_") {
      #expect(page.value(name) != nil, "\(name)")
    }
    let limit = try resourceLimit(.openFiles, pid: getpid()).soft
    #expect(page.value("process_max_fds") == limit.map { Double($0) })
  }
}
