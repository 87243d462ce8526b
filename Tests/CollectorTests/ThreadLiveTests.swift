import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Collector

/// Threads of this very process, and of a child whose threads are known.
@Suite struct ThreadLiveTests {
  /// What a test tells its threads, and they tell it.
  private final class Flag: Sendable {
    let isOver = Atomic<Bool>(false)
    let started = Atomic<Int>(0)
  }

  /// Starts threads of one name that do something until the flag says that it is over.
  private func start(
    _ count: Int, named name: String, _ flag: Flag, _ body: @escaping @Sendable () -> Void
  ) throws {
    for number in 0..<count {
      try Thread(name: "\(name)\(number)") {
        while !flag.isOver.load(ordering: .relaxed) { body() }
      }.detach()
    }
  }

  private func watch(_ pid: Int32) throws -> Watch {
    try Watch(
      "/proc", [target("app", pid: pid)],
      limits: CollectorLimits(
        keptDescriptors: 0, threadNamesPerTarget: 10_000, waitChannelsPerTarget: 10_000))
  }

  @Test func ownThreadsAreSeenAsTheyAre() throws {
    let watch = try watch(getpid())
    let flag = Flag()
    var page = watch.collect()
    do {
      defer { flag.isOver.store(true, ordering: .relaxed) }
      try start(5, named: "pvsleep-", flag) { usleep(20_000) }
      try start(1, named: "pvburn-", flag) {}
      let isAsExpected = eventually {
        page = watch.collect()
        // Threads tell their name only after they have started.
        return page.byLabels("process_thread_count")["pvsleep-N"] == 5
          && page.byLabels("process_thread_cpu_seconds_total")["pvburn-N,user"] ?? 0 > 0.2
      }
      #expect(isAsExpected)
      #expect(page.stateProblem() == nil)
      #expect(page.byLabels("process_thread_states")["sleeping"] ?? 0 >= 5)
      #expect(page.byLabels("process_thread_cpu_seconds_total")["pvsleep-N,user"] ?? 1 < 0.1)
      #expect(
        page.byLabels("process_thread_context_switches_total")["pvsleep-N,voluntary"] ?? 0 >= 5)
      #expect(page.byLabels("process_thread_io_storage_bytes_total")["pvsleep-N,read"] != nil)
      #expect(page.value("process_thread_busiest_cpu_seconds_total") ?? 0 > 0.2)
      #expect(page.value("process_run_seconds_total") ?? 0 > 0.2)
      let waiting = page.byLabels("process_wait_channels").values.reduce(0, +)
      #expect(waiting <= page.value("process_threads") ?? 0)
      if try contents("/proc/self/wchan") != [] { #expect(waiting > 0) }
    }
    let used = page.byLabels("process_thread_cpu_seconds_total")["pvburn-N,user"] ?? 0
    let haveEnded = eventually {
      page = watch.collect()
      let counts = page.byLabels("process_thread_count")
      return counts["pvsleep-N"] == 0 && counts["pvburn-N"] == 0
    }
    #expect(haveEnded)
    #expect(page.byLabels("process_thread_cpu_seconds_total")["pvburn-N,user"] ?? 0 >= used)
    #expect(page.stateProblem() == nil)
  }

  /// Threads come and go all the time; on every page the states add up, and no counter falls.
  @Test func churnOfThreads() throws {
    let watch = try watch(getpid())
    let flag = Flag()
    do {
      defer { flag.isOver.store(true, ordering: .relaxed) }
      try start(1, named: "churner", flag) {
        let number = flag.started.wrappingAdd(1, ordering: .relaxed).newValue
        if let thread = try? Thread(name: "churn\(number)", { usleep(useconds_t(number % 700)) }) {
          thread.detach()
        }
        usleep(200)
      }
      var before: [String: Double] = [:]
      for round in 0..<150 {
        let page = watch.collect()
        if let problem = page.stateProblem() { Issue.record("\(problem), round \(round)") }
        for (series, value) in before where (page[series] ?? -1) < value {
          Issue.record("\(series) fell from \(value), round \(round)")
        }
        before = page.counters
      }
    }
    #expect(flag.started.load(ordering: .relaxed) > 50)
    let names = watch.collect().byLabels("process_thread_count")
    #expect(names["churnN"] != nil)
  }

  private static let script = """
    import os, threading, time
    names = [b"io-1", b"io-22", b"a ) ( b", b"\\xff7", b"\\0", b"x\\ny"]
    def run(name):
      with open("/proc/thread-self/comm", "wb") as file: file.write(name)
      time.sleep(1000)
    for name in names: threading.Thread(target=run, args=(name,), daemon=True).start()
    time.sleep(1000)
    """

  @Test(.enabled(if: program("python3") != nil, "python3 is not installed"))
  func threadsOfAChild() throws {
    let child = try Child("python3", "-c", Self.script)
    let watch = try watch(child.pid)
    var page = watch.collect()
    let expected: [String: Double] = [
      "pythonN": 1, "io-N": 2, "a ) ( b": 1, "\u{FFFD}N": 1, "x\u{FFFD}y": 1, "unnamed": 1,
    ]
    let isAsExpected = eventually {
      page = watch.collect()
      let counts = page.byLabels("process_thread_count")
      return counts.filter { $0.value > 0 } == expected
        && page.byLabels("process_thread_states")["sleeping"] == 7
    }
    #expect(isAsExpected, "\(page.text)")
    #expect(page.value("process_threads") == 7)
    // All of them sleep, so that nothing has changed when another reader adds them up.
    var ticks: UInt64 = 0
    var switches: UInt64 = 0
    let listing = try run("ls /proc/\(child.pid)/task").output
    for number in listing.split(separator: "\n") {
      let path = "/proc/\(child.pid)/task/\(number)"
      let stat = String(decoding: try contents("\(path)/stat"), as: UTF8.self)
      let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
      ticks += (UInt64(fields[12]) ?? 0) + (UInt64(fields[13]) ?? 0)
      for line in String(decoding: try contents("\(path)/status"), as: UTF8.self).split(
        separator: "\n")
      where line.contains("ctxt_switches") {
        switches += line.split(separator: "\t").last.flatMap { UInt64($0) } ?? 0
      }
    }
    let cpu = page.byLabels("process_thread_cpu_seconds_total").values.reduce(0, +)
    #expect(abs(cpu * 100 - Double(ticks)) <= 2)
    let counted = page.byLabels("process_thread_context_switches_total").values.reduce(0, +)
    #expect(abs(counted - Double(switches)) <= 20)
    #expect((page.value("process_context_switches_voluntary_total") ?? 0) <= Double(switches))
  }
}
