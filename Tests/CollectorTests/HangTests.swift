import Linux
import ProcFS
import Targets
import TestSupport
import Testing

@testable import Collector

/// Processes whose files do not answer, as those of one that hangs in `execve`.
@Suite(.timeLimit(.minutes(5))) struct HangTests {
  private let tree: TestProc

  init() throws {
    tree = try TestProc().process(7).process(8, name: "other")
    for pid in [7, 8] as [Int32] { try use(pid, ticks: 100, bytes: 1) }
  }

  private func use(_ pid: Int32, ticks: UInt64, bytes: UInt64) throws {
    tree.turn(to: pid)
    var stat = TestStat(pid: pid, name: pid == 7 ? "app" : "other")
    stat.userTicks = ticks
    try tree.file("stat", stat.line).file("io", testIO(bytes))
  }

  /// Makes a file of a process not answer.
  private func hang(_ pid: Int32, _ name: String) throws -> Fifo {
    try Fifo("\(tree.path)/\(pid)/\(name)")
  }

  private func late(_ page: Page, _ source: String, _ target: String = "app") -> Double? {
    page[
      #"procvitals_unreadable_total{target="\#(target)",source="\#(source)",reason="late"}"#]
  }

  private func stuck(_ watch: Watch) -> Int {
    watch.collector.roster.reads.held.stuckCount + watch.collector.roster.reads.others.stuckCount
  }

  private let cpu = "process_cpu_user_seconds_total"
  private let written = "process_io_written_bytes_total"

  private func watch() throws -> Watch {
    try Watch(tree, [target("app", pid: 7), target("other", pid: 8)])
  }

  @Test(arguments: ["stat", "io"])
  func aHeldProcessThatHangsIsLateAndTheOthersAreFresh(file: String) throws {
    let watch = try watch()
    let first = watch.collect()
    #expect(first.value(cpu) == 1 && first.value(written) == 10)
    tree.turn(to: 7)
    tree.remove(file)
    let fifo = try hang(7, file)
    try use(8, ticks: 200, bytes: 2)
    for round in 1...3 {
      let page = watch.collect()
      // Counters stay where they were, what is true of one moment only is absent.
      #expect(page.value(cpu) == 1 && page.value(written) == 10)
      // Of a process that is known not to answer nothing is asked.
      let isKnown = file == "stat" || round > 1
      #expect((page.value("process_resident_memory_bytes") == nil) == isKnown)
      #expect(late(page, file) == (file == "stat" ? Double(round) : 1))
      #expect((late(page, "stat") ?? 0) + (late(page, "io") ?? 0) == Double(round))
      #expect(page[#"procvitals_late_reads_total{source="\#(file)"}"#] == late(page, file))
      #expect(page.value("procvitals_target_up") == 1)
      #expect(page.value("procvitals_target_processes") == 1)
      #expect(page.value(cpu, "other") == 2 && page.value(written, "other") == 20)
      #expect(late(page, file, "other") == nil)
      #expect(stuck(watch) == 1)
    }
    tree.turn(to: 7)
    tree.remove(file)
    try use(7, ticks: 300, bytes: 3)
    #expect(watch.collect().value(cpu) == 1)
    fifo.close()
    #expect(
      eventually {
        let page = watch.collect()
        return page.value(cpu) == 3 && page.value(written) == 30
      })
    #expect(stuck(watch) == 0)
    #expect(watch.collect().value("process_starts_total") == 1)
  }

  @Test func aThreadThatHangsIsLateAndTheProcessIsNot() throws {
    tree.turn(to: 7)
    var stat = TestStat(pid: 7)
    stat.threads = 2
    try tree.file("stat", stat.line).thread(TestStat(pid: 7)).thread(TestStat(pid: 10))
    let watch = try watch()
    #expect(watch.collect().stateProblem() == nil)
    tree.remove("task/10/stat")
    let fifo = try hang(7, "task/10/stat")
    let page = watch.collect()
    #expect(late(page, "task") == 1)
    #expect(page.value("process_resident_memory_bytes") != nil)
    #expect(page.byLabels("process_thread_states") == [:])
    #expect(page.value(cpu, "other") == 1)
    #expect(stuck(watch) == 1)
    tree.remove("task/10/stat")
    try tree.thread(TestStat(pid: 10))
    fifo.close()
    #expect(eventually { watch.collect().stateProblem() == nil })
  }

  /// Nobody knows whether it belongs to the target.
  @Test func aNewProcessThatHangsIsCountedAndTakenWhenItAnswers() throws {
    let watch = try Watch(tree, [target("app", named: "app"), target("other", pid: 8)])
    #expect(watch.collect().value("procvitals_target_processes") == 1)
    try tree.process(9).remove("stat")
    let fifo = try hang(9, "stat")
    for round in 1...3 {
      let page = watch.collect()
      #expect(page.value("procvitals_target_processes") == 1)
      #expect(page.value(cpu) == 1)
      #expect(late(page, "process") == Double(round))
      #expect(late(page, "process", "other") == nil)
      #expect(stuck(watch) == 1)
    }
    tree.remove("stat")
    try tree.file("stat", TestStat(pid: 9).line)
    fifo.close()
    #expect(eventually { watch.collect().value("procvitals_target_processes") == 2 })
    #expect(watch.notices.contains { if case .recovered = $0 { true } else { false } })
  }

  @Test func aProcessThatIsNamedByItsNumberAndHangsIsLate() throws {
    tree.turn(to: 7)
    tree.remove("stat")
    let fifo = try hang(7, "stat")
    let watch = try watch()
    let page = watch.collect()
    #expect(page.value("procvitals_target_up") == 0)
    #expect(late(page, "stat") == 1)
    #expect(page.value("procvitals_target_up", "other") == 1)
    tree.remove("stat")
    try use(7, ticks: 100, bytes: 1)
    fifo.close()
    #expect(eventually { watch.collect().value("procvitals_target_up") == 1 })
  }

  /// However many strangers hang, the processes of targets are read.
  @Test func strangersThatHangCostABoundedNumberOfThreads() throws {
    let watch = try Watch(tree, [target("app", named: "app"), target("other", pid: 8)])
    _ = watch.collect()
    var fifos: [Fifo] = []
    for pid in Int32(20)..<40 {
      try tree.process(pid, name: "stranger").remove("stat")
      fifos.append(try hang(pid, "stat"))
    }
    for ticks in [200, 300] as [UInt64] {
      try use(7, ticks: ticks, bytes: 1)
      let page = watch.collect()
      #expect(page.value(cpu) == Double(ticks) / 100)
      #expect(stuck(watch) == 16)
    }
    for fifo in fifos { fifo.close() }
    #expect(eventually { stuck(watch) == 0 })
  }

  @Test func aProcessThatHangsMayLeaveItsTargetAndComeBack() throws {
    let watch = try watch()
    #expect(watch.collect().value(cpu) == 1)
    tree.turn(to: 7)
    tree.remove("stat").remove("io")
    let fifos = [try hang(7, "stat"), try hang(7, "io")]
    func configure(_ targets: [TargetSettings]) {
      watch.collector.configure(
        CollectorSettings(targets: targets, limits: CollectorLimits(keptDescriptors: 0)))
    }
    configure([target("other", pid: 8)])
    #expect(watch.collect().value(cpu, "other") == 1)
    configure([target("app", pid: 7), target("other", pid: 8)])
    #expect(watch.collect().value(cpu, "other") == 1)
    tree.remove("stat").remove("io")
    try use(7, ticks: 500, bytes: 5)
    for fifo in fifos { fifo.close() }
    #expect(eventually { watch.collect().value(cpu) == 5 })
  }
}
