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
    try tree.file("limits", testLimits(openFiles: "77", addressSpace: "88"))
    let page = try Watch(tree, [target("app", pid: 1)]).collect()
    #expect(page.value("process_max_fds") == 77)
    #expect(page.value("process_virtual_memory_max_bytes") == 88)
  }
}
