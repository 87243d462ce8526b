import TestSupport
import Testing

@testable import Collector

@Suite struct LimitsTests {
  /// Where only the file tells them, they are read each time.
  @Test func followTheFile() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", pid: 7)])
    for limit in [100, 200] {
      try tree.file("limits", testLimits(openFiles: "\(limit)", addressSpace: "unlimited"))
      #expect(watch.collect().value("process_max_fds") == Double(limit))
    }
  }

  /// `prlimit(2)` would ask about whatever process has the number 7 or 1 here.
  @Test func ofATreeAreNotThoseOfThisMachine() throws {
    let tree = try TestProc().process(1)
    let watch = try Watch(tree, [target("app", pid: 1)])
    for limit in [77, 78] {
      try tree.file("limits", testLimits(openFiles: "\(limit)", addressSpace: "88"))
      let page = watch.collect()
      #expect(page.value("process_max_fds") == Double(limit))
      #expect(page.value("process_virtual_memory_max_bytes") == 88)
    }
    try tree.file("limits", testLimits(openFiles: "unlimited", addressSpace: "unlimited"))
    let page = watch.collect()
    #expect(page.value("process_max_fds") == nil)
    #expect(page.value("process_virtual_memory_max_bytes") == nil)
    #expect(page.value("process_fd_usage_ratio") == nil)
    #expect(page.value("process_open_fds") == 0)
  }

  /// The file says the same as the system call, so it does not matter which of them is allowed.
  @Test func ofALiveProcessAreTheSameEitherWay() throws {
    let child = try Child("sh", "-c", "ulimit -S -n 123; ulimit -S -v 99999; exec sleep 1000")
    let asking = try Asking([target("app", pid: child.pid)])
    let page = try asking.collect { $0.value("process_virtual_memory_max_bytes") != nil }
    #expect(page.value("process_max_fds") == 123)
    #expect(page.value("process_virtual_memory_max_bytes") == Double(99999 * 1024))
    let file = String(decoding: try contents("/proc/\(child.pid)/limits"), as: UTF8.self)
    #expect(file.contains("Max open files            123 "))
    #expect(file.contains("Max address space         102398976 "))
  }

  @Test func tightestOfEachAmongTheProcesses() throws {
    let tree = try TestProc()
    for (pid, open) in [(7, "100"), (8, "50"), (9, "unlimited")] as [(Int32, String)] {
      try tree.process(pid).file(
        "limits", testLimits(openFiles: open, addressSpace: pid == 8 ? "77" : "unlimited"))
    }
    let page = try Watch(tree, [target("app", named: "app")]).collect()
    func limit(_ name: String, _ resource: String) -> Double? {
      page[#"\#(name){target="app",resource="\#(resource)"}"#]
    }
    #expect(limit("process_limit", "open_files") == 50)
    #expect(limit("process_limit_hard", "open_files") == 32768)
    #expect(limit("process_limit", "address_space_bytes") == 77)
    #expect(limit("process_limit_hard", "address_space_bytes") == nil)
    #expect(limit("process_limit", "processes") == 96365)
    #expect(limit("process_limit", "locks") == nil)
  }

  /// Every limit that the shell can set, and what `ps` and the kernel's text say of the rest.
  @Test func everythingOfALiveProcess() throws {
    let child = try Child(
      "bash", "-c",
      """
      ulimit -S -t 4000 -f 11 -d 222222 -s 1024 -c 0 -u 9999 -n 123 -l 8 -v 999999 -i 555 -q 4096
      echo 321 > /proc/self/oom_score_adj
      exec nice -n 7 sleep 1000
      """)
    let asking = try Asking([target("app", pid: child.pid)])
    let page = try asking.collect { $0.value("process_nice") == 7 }
    let limits: [String: Double] = [
      "cpu_seconds": 4000, "file_size_bytes": 11 * 1024, "data_bytes": 222_222 * 1024,
      "stack_bytes": 1024 * 1024, "core_bytes": 0, "processes": 9999, "open_files": 123,
      "memlock_bytes": 8192, "address_space_bytes": 999_999 * 1024, "pending_signals": 555,
      "msgqueue_bytes": 4096,
    ]
    for (resource, limit) in limits {
      #expect(
        page[#"process_limit{target="app",resource="\#(resource)"}"#] == limit, "\(resource)")
    }
    #expect(page.value("process_signals_pending_max") == 555)
    #expect(page.value("process_signals_pending") != nil)
    #expect(page.value("process_nice") == 7)
    #expect(page.value("process_realtime_priority") == 0)
    #expect(page.value("process_scheduling_policy") == 0)
    #expect(page.value("process_oom_score_adj") == 321)
    let score = String(decoding: try contents("/proc/\(child.pid)/oom_score"), as: UTF8.self)
    let stated = Double(score.dropLast()) ?? -1
    #expect(abs(try #require(page.value("process_oom_score")) - stated) <= 20)
  }

  @Test func scheduling() throws {
    let tree = try TestProc()
    for (pid, nice, policy) in [(7, -20, 3), (8, -5, 1)] as [(Int32, Int, UInt64)] {
      var stat = TestStat(pid: pid)
      stat.nice = nice
      stat.policy = policy
      stat.realtimePriority = policy == 1 ? 50 : 0
      try tree.process(pid).file("stat", stat.line).file("oom_score_adj", "\(-pid)\n")
    }
    let page = try Watch(tree, [target("app", named: "app")]).collect()
    #expect(page.value("process_nice") == -5)
    #expect(page.value("process_scheduling_policy") == 3)
    #expect(page.value("process_realtime_priority") == 50)
    #expect(page.value("process_oom_score_adj") == -7)
    #expect(page.value("process_oom_score") == 666)
  }
}
