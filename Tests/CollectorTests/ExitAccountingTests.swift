import Glibc
import Linux
import ProcFS
import Targets
import TestSupport
import Testing

@testable import Collector

private let canListen: Bool = {
  do throws(TaskstatsFailure) {
    _ = try ExitRecords(queueBytes: 1 << 20)
    return true
  } catch {
    return error != .denied && error != .missing && error != .namespace
  }
}()

/// What processes use that end between two collections, with real children.
@Suite(.enabled(if: canListen, "exit records need CAP_NET_ADMIN, CONFIG_TASKSTATS, Linux 5.16"))
struct ExitAccountingTests {
  /// A program under a name of its own.
  private final class Program {
    let directory: TemporaryDirectory
    let name = "pv" + String(UInt32.random(in: 0 ... .max), radix: 36)
    var path: String { directory.path + "/" + name }
    var output: String { directory.path + "/out" }
    /// How often it was let go on.
    private var passed = 0
    private func fifo(_ number: Int) -> String { "\(directory.path)/\(number)" }

    init(_ program: String) throws {
      directory = try TemporaryDirectory()
      guard symlink(program, path) == 0 else { throw Errno(errno) }
      for number in 0..<4 { mkfifo(fifo(number), 0o600) }
    }

    func shell(_ script: String) throws -> Child {
      var parts = script.split(separator: "WAIT", omittingEmptySubsequences: false)
      for number in parts.indices.dropLast() { parts[number] += "read line < \(fifo(number))" }
      return try Child(path, "-c", parts.joined())
    }

    func python(_ script: String) throws -> Child {
      let file = directory.path + "/script"
      let start = """
        import os, sys, resource, threading, time
        def wait(number): open('\(directory.path)/' + str(number)).read()

        """
      try writeFile(file, Array((start + script).utf8))
      return try Child(path, file, output)
    }

    /// Lets it go on when it has come to where it waits next.
    func goOn() throws {
      let end = Glibc.open(fifo(passed), O_WRONLY)
      passed += 1
      guard end >= 0 else { throw Errno(errno) }
      close(end)
    }
  }

  /// The interpreter itself, since what the path finds may be a script that chooses one.
  private static let python: String = {
    let find = "python3 -c 'import os, sys; print(os.path.realpath(sys.executable))'"
    guard let (code, output) = try? run(find), code == 0 else { return "" }
    return output.split(separator: "\n").last.map(String.init) ?? ""
  }()

  /// With room for what all other tests start while nobody looks.
  private func watch(
    _ targets: [TargetSettings], queueBytes: Int32 = 64 << 20
  ) throws -> Watch {
    try Watch("/proc", targets, exitQueueBytes: queueBytes)
  }

  private func collect(_ watch: Watch, until isWanted: (Page) -> Bool) throws -> Page {
    var page = watch.collect()
    _ = eventually {
      if isWanted(page) { return true }
      page = watch.collect()
      return false
    }
    return page
  }

  private func exits(_ page: Page) -> Double {
    page.samples.filter { $0.key.hasPrefix("process_exits_total{") }.values.reduce(0, +)
  }

  private final class Nobody: EventHandler {
    func ready(_ token: EventToken, _ readiness: Readiness) {}
    func expired(_ token: EventToken) {}
  }

  /// Lets the loop turn until the status of every end is known.
  private func settle(_ watch: Watch, _ count: Double) throws -> Page {
    var page = watch.collect()
    let tick = watch.loop.add(Nobody())
    defer { watch.loop.remove(tick) }
    _ = try eventually {
      if exits(page) >= count { return true }
      watch.loop.setDeadline(tick, .now + .milliseconds(5))
      try watch.loop.turn()
      page = watch.collect()
      return false
    }
    return page
  }

  // MARK: Held processes

  /// The parent reaps at once, so that nobody but the record tells.
  @Test func cpuAfterTheLastCollectionIsCounted() throws {
    let program = try Program("/bin/sh")
    let watch = try watch([target("app", named: program.name)])
    let child = try program.shell("WAIT; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
    let before = try collect(watch) { $0.value("procvitals_target_up") == 1 }
    #expect(before[#"procvitals_capability{name="taskstats_exits"}"#] == 1)
    let idle = try #require(before.value("process_cpu_seconds_total"))
    let faults = try #require(before.value("process_minor_page_faults_total"))
    try program.goOn()
    let used = child.reapUsage()
    let page = try settle(watch, 1)
    let total = try #require(page.value("process_cpu_seconds_total"))
    #expect(used.user + used.system > idle + 0.05)
    #expect(abs(total - used.user - used.system) <= 0.03, "\(total) of \(used)")
    let user = try #require(page.value("process_cpu_user_seconds_total"))
    let system = try #require(page.value("process_cpu_system_seconds_total"))
    #expect(abs(user + system - total) < 1e-9)
    #expect(try #require(page.value("process_minor_page_faults_total")) >= faults)
    #expect(page.value("process_short_lived_total") == 0)
  }

  @Test func bytesAndSwitchesAfterTheLastCollectionAreCounted() throws {
    let program = try Program("/bin/sh")
    let watch = try watch([target("app", named: program.name)])
    let script =
      "WAIT; i=0; while [ $i -lt 20000 ]; do echo 123456789; i=$((i+1)); done; "
      + "sleep 0.01; sleep 0.01; sleep 0.01"
    let child = try program.shell(script)
    let before = try collect(watch) { $0.value("procvitals_target_up") == 1 }
    try program.goOn()
    child.reap()
    let page = try settle(watch, 1)
    func grown(_ family: String) throws -> Double {
      try #require(page.value(family)) - (try #require(before.value(family)))
    }
    // The kernel rounds down to whole kilobytes, and calls alike.
    let written = try #require(page.value("process_io_written_bytes_total"))
    #expect(written > 200_000 - 1024 && written <= 200_000)
    let calls = try #require(page.value("process_io_write_syscalls_total"))
    #expect(calls > 20_000 - 1024 && calls <= 20_000)
    #expect(try grown("process_context_switches_voluntary_total") >= 3)
  }

  /// Threads that ended before it was found, after it, and after the last collection.
  @Test(.enabled(if: !python.isEmpty, "python3 is not installed"))
  func threadsThatBurnAndEnd() throws {
    let program = try Program(Self.python)
    let script = """
      def burn(seconds):
        end = time.thread_time() + seconds
        while time.thread_time() < end: pass
      def thread(seconds):
        one = threading.Thread(target=burn, args=(seconds,)); one.start(); one.join()
      thread(0.2); wait(0); thread(0.2); wait(1); thread(0.2)
      """
    let child = try program.python(script)
    let watch = try watch([target("app", pid: child.pid)])
    _ = try collect(watch) { $0.value("process_cpu_seconds_total") ?? 0 >= 0.2 }
    try program.goOn()
    let middle = try collect(watch) { $0.value("process_cpu_seconds_total") ?? 0 >= 0.4 }
    try program.goOn()
    let used = child.reapUsage()
    let page = try settle(watch, 1)
    let total = try #require(page.value("process_cpu_seconds_total"))
    #expect(used.user + used.system >= 0.6)
    #expect(abs(total - used.user - used.system) <= 0.03, "\(total) of \(used)")
    for (series, value) in middle.counters { #expect(page[series] ?? -1 >= value, "\(series)") }
  }

  /// Its threads all end together, and one of them had ended before it was found.
  @Test(.enabled(if: !python.isEmpty, "python3 is not installed"))
  func switchesOfThreadsAreThoseOfTheProcess() throws {
    let program = try Program(Self.python)
    let script = """
      def sleep():
        for i in range(200): time.sleep(0.0001)
      def thread():
        one = threading.Thread(target=sleep); one.start(); return one
      thread().join(); wait(0); [one.join() for one in [thread(), thread()]]
      """
    let child = try program.python(script)
    let watch = try watch([target("app", pid: child.pid)])
    let first = try collect(watch) {
      $0.value("process_context_switches_voluntary_total") ?? 0 >= 200
    }
    #expect(first.value("process_context_switches_voluntary_total") ?? 0 >= 200)
    try program.goOn()
    child.reap()
    let page = try settle(watch, 1)
    #expect(page.value("process_context_switches_voluntary_total") ?? 0 >= 600)
  }

  // MARK: Short-lived ones

  @Test(.enabled(if: !python.isEmpty, "python3 is not installed"))
  func aBurstOfForksAddsUp() throws {
    #expect(try (0..<5).contains { _ in try addsUpUnlessRecordsAreLost() })
  }

  /// Whether nothing was lost: on a busy machine the kernel may tell more than can be taken in.
  private func addsUpUnlessRecordsAreLost() throws -> Bool {
    let program = try Program(Self.python)
    let script = """
      wait(0)
      for i in range(2000):
        child = os.fork()
        if child == 0:
          end = time.thread_time() + 0.001
          while time.thread_time() < end: pass
          os._exit(i % 3)
        os.waitpid(child, 0)
      used = resource.getrusage(resource.RUSAGE_CHILDREN)
      open(sys.argv[1], 'w').write(str(used.ru_utime + used.ru_stime))
      """
    let watch = try watch([target("app", named: program.name)])
    let parent = try program.python(script)
    let before = try collect(watch) { $0.value("procvitals_target_up") == 1 }
    let starts = try #require(before.value("process_starts_total"))
    try program.goOn()
    let used = parent.reapUsage()
    let page = try settle(watch, starts + 2000)
    let children = try #require(
      Double(String(decoding: try contents(program.output), as: UTF8.self)))
    if page["procvitals_events_lost_total{source=\"taskstats\"}"] != 0 { return false }
    #expect(page.value("process_starts_total") == starts + 2000)
    #expect(exits(page) == starts + 2000)
    #expect(page.value("procvitals_target_processes") == 0)
    #expect(page.value("process_short_lived_total") == 2000)
    #expect(page[#"process_exits_total{target="app",reason="exited",status="1"}"#] == 667)
    // Parent and children. Their time comes in ticks that are right on average, and what freeing
    // the memory took is not in the records.
    let total = try #require(page.value("process_cpu_seconds_total"))
    #expect(total <= used.user + used.system + 0.4, "\(total) of \(used)")
    #expect(total >= used.user + used.system - children + 2 - 0.4, "\(total) of \(used)")
    #expect(children > 2 && total > 2)
    return true
  }

  @Test func childrenBelongToTheTargetOfTheirParent() throws {
    let program = try Program("/bin/sh")
    // The second `sh` has ended before its parents were looked at, and so have its own children.
    let child = try program.shell(
      "WAIT; for i in 1 2 3 4 5; do /bin/true; /bin/sh -c '/bin/true; (/bin/true; :); :'; done; "
        + "WAIT; WAIT")
    let watch = try watch([
      target("tree", pid: child.pid, children: true), target("alone", named: program.name + "x"),
    ])
    let before = try collect(watch) { $0.value("procvitals_target_up", "tree") == 1 }
    #expect(before.value("process_short_lived_total", "tree") == 0)
    try program.goOn()
    try program.goOn()
    let page = watch.collect()
    #expect(page.value("process_short_lived_total", "tree") == 25)
    #expect(page.value("process_starts_total", "tree") == 26)
    #expect(page.value("procvitals_target_processes", "tree") == 1)
    #expect(page.value("process_restarts_total", "tree") == 0)
    let series = #"process_exits_total{target="tree",reason="exited",status="0"}"#
    #expect(page[series] == 25)
    #expect(page.value("process_starts_total", "alone") == 0)
    try program.goOn()
    child.reap()
  }

  /// A name that fits wins over the parent, and the first rule over later ones.
  @Test func theFirstRuleThatFitsByNameAlone() throws {
    let (outer, inner) = (try Program("/bin/sh"), try Program("/bin/sh"))
    let watch = try watch([
      target("inner", named: inner.name), target("both", named: "pv*"),
      target("outer", named: outer.name, children: true),
      TargetSettings(
        rule: Rule(
          name: "exe", selector: Selector(processNames: [Glob("*")], executables: [Glob("/none")])),
        selection: everything),
    ])
    let child = try outer.shell("WAIT; \(inner.path) -c :; WAIT; WAIT")
    _ = try collect(watch) { $0.value("procvitals_target_up", "both") == 1 }
    try outer.goOn()
    try outer.goOn()
    let page = watch.collect()
    #expect(page.value("process_short_lived_total", "inner") == 1)
    #expect(page.value("process_short_lived_total", "outer") == 0)
    #expect(page.value("process_short_lived_total", "exe") == 0)
    try outer.goOn()
    child.reap()
  }

  /// The thread that ends last goes by another name than the process.
  @Test(.enabled(if: !python.isEmpty, "python3 is not installed"))
  func theNameIsThatOfTheFirstThread() throws {
    let program = try Program(Self.python)
    let script = """
      import ctypes
      def other():
        ctypes.CDLL(None).prctl(15, b'other', 0, 0, 0)
        time.sleep(0.05)
        os._exit(4)
      threading.Thread(target=other).start()
      # The first thread alone.
      ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)
      """
    let watch = try watch([target("app", named: program.name), target("other", named: "other")])
    _ = watch.collect()
    try program.python(script).reap()
    let page = watch.collect()
    #expect(page.value("process_short_lived_total") == 1)
    #expect(page.value("process_short_lived_total", "other") == 0)
    #expect(page[#"process_exits_total{target="app",reason="exited",status="4"}"#] == 1)
  }

  /// A program that fails again and again, faster than anybody looks.
  @Test func aCrashLoopIsCountedAsRestarts() throws {
    let program = try Program("/bin/sh")
    let watch = try watch([target("app", named: program.name)])
    _ = watch.collect()
    for _ in 0..<5 { try program.shell("exit 1").reap() }
    let page = watch.collect()
    #expect(page.value("process_starts_total") == 5)
    #expect(page.value("process_restarts_total") == 4)
    #expect(page[#"process_exits_total{target="app",reason="exited",status="1"}"#] == 5)
  }

  // MARK: Losses

  @Test func whatIsLostIsCountedAndNothingFalls() throws {
    let program = try Program("/bin/sh")
    let watch = try watch([target("app", named: program.name)], queueBytes: 4096)
    let child = try program.shell("WAIT; WAIT")
    var last = try collect(watch) { $0.value("procvitals_target_up") == 1 }
    for round in 0..<5 {
      for _ in 0..<40 { try program.shell(":").reap() }
      if round == 3 {
        try program.goOn()
        try program.goOn()
        child.reap()
      }
      let page = watch.collect()
      for (series, value) in last.counters {
        #expect(page[series] ?? -1 >= value, "\(series)")
      }
      last = page
    }
    let page = try settle(watch, try #require(last.value("process_starts_total")))
    #expect(page["procvitals_events_lost_total{source=\"taskstats\"}"] ?? 0 > 0)
    #expect(page.value("process_starts_total") == exits(page))
    #expect(page.value("process_starts_total") ?? 0 < 201)
  }

  @Test func onlyWhoNeedsItListens() throws {
    let none = Selection(includesDefault: false, groups: [.fds])
    let watch = try watch([target("app", pid: getpid(), collect: none)])
    let page = watch.collect()
    #expect(page[#"procvitals_capability{name="taskstats_exits"}"#] == 0)
    #expect(page["procvitals_events_lost_total{source=\"taskstats\"}"] == nil)
    #expect(!watch.notices.contains(.exitRecords(failure: nil)))
    watch.collector.configure(CollectorSettings(targets: [target("app", pid: getpid())]))
    #expect(watch.collect()[#"procvitals_capability{name="taskstats_exits"}"#] == 1)
    #expect(watch.notices.contains(.exitRecords(failure: nil)))
    watch.collector.configure(
      CollectorSettings(targets: [target("app", pid: getpid(), collect: none)]))
    #expect(watch.collect()[#"procvitals_capability{name="taskstats_exits"}"#] == 0)
    #expect(watch.notices.contains(.exitRecords(failure: "no target needs it")))
  }
}

@Suite struct WithoutExitAccountingTests {
  /// Everything else is as it was, and it says why.
  @Test func withoutTheCapability() throws {
    let child = try Child("sleep", "1000")
    let (page, notices) = try onThread(named: "unprivileged") { [pid = child.pid] in
      dropCapabilities()
      let watch = try Watch("/proc", [target("app", pid: pid)])
      let page = watch.collect()
      return (page.text, watch.notices)
    }
    let samples = Page(Array(page.utf8))
    #expect(samples[#"procvitals_capability{name="taskstats"}"#] == 0)
    #expect(samples[#"procvitals_capability{name="taskstats_exits"}"#] == 0)
    #expect(samples.value("process_short_lived_total") == nil)
    #expect(samples.value("process_blkio_delay_seconds_total") == nil)
    #expect(samples.value("process_cpu_seconds_total") != nil)
    #expect(samples.value("process_context_switches_voluntary_total") != nil)
    if canListen {
      let reason =
        "procvitals_unreadable_total{target=\"app\",source=\"taskstats\",reason=\"denied\"}"
      #expect(samples[reason] == 1)
      #expect(notices.contains(.exitRecords(failure: "CAP_NET_ADMIN is missing")))
    }
  }

  /// What a zombie still tells is counted, also of files and switches.
  @Test func aZombieIsReadOnceMore() throws {
    let page = try onThread(named: "unprivileged") {
      let directory = try TemporaryDirectory()
      let fifo = directory.path + "/fifo"
      guard mkfifo(fifo, 0o600) == 0 else { throw Errno(errno) }
      let child = try Child(
        "sh", "-c", "read line < \(fifo); for i in 1 2 3 4 5; do echo 123456789; done")
      dropCapabilities()
      let watch = try Watch("/proc", [target("app", pid: child.pid)])
      let before = watch.collect()
      let end = open(fifo, O_WRONLY)
      close(end)
      child.waitForEnd()
      let after = watch.collect()
      child.reap()
      return (before.text, after.text)
    }
    let (before, after) = (Page(Array(page.0.utf8)), Page(Array(page.1.utf8)))
    #expect(after.value("procvitals_target_up") == 0)
    for (family, grown) in [
      ("process_io_written_bytes_total", 50.0), ("process_io_write_syscalls_total", 5),
      ("process_context_switches_voluntary_total", 1),
    ] {
      guard let value = before.value(family) else { continue }
      #expect(after.value(family) ?? 0 >= value + grown, "\(family)")
    }
  }
}

@Suite struct ProcessStatusTests {
  /// One thread's end.
  struct End: Sendable {
    var status: Int32
    var isFirst = false
  }

  static let cases: [([End], Linux.ExitStatus)] = [
    ([End(status: 0x300, isFirst: true)], .exited(code: 3)),
    ([End(status: 0, isFirst: true)], .exited(code: 0)),
    // Another thread ends by itself, before or while the process does.
    ([End(status: 0), End(status: 0x300, isFirst: true)], .exited(code: 3)),
    ([End(status: 0x300, isFirst: true), End(status: 0)], .exited(code: 3)),
    // The first thread ended by itself long before.
    ([End(status: 0, isFirst: true), End(status: 0x300)], .exited(code: 3)),
    (
      [End(status: 9), End(status: 9, isFirst: true)],
      .signalled(signal: 9, coreDumped: false)
    ),
  ]

  @Test(arguments: cases)
  func isThatOfTheWholeProcess(threads: [End], expected: Linux.ExitStatus) {
    var status = ProcessStatus()
    for thread in threads { status.take(thread.status, isFirstThread: thread.isFirst) }
    #expect(status.exit == expected)
  }
}
