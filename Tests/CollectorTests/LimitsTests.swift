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
}
