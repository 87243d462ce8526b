import Glibc
import Metrics
import Targets
import TestSupport
import Testing

@testable import Collector

/// Reads that may wait: memory mappings and proportional memory.
@Suite struct PatientReaderTests {
  private let pss = Selection(includesDefault: false, groups: [.pss])
  private let maps = Selection(includesDefault: false, groups: [.maps])

  private func late(_ page: Page, _ source: String) -> Double {
    page[#"procvitals_late_reads_total{source="\#(source)"}"#] ?? 0
  }

  private func troubles(_ page: Page, _ source: String, _ reason: String) -> Double? {
    page[
      #"procvitals_unreadable_total{target="app",source="\#(source)",reason="\#(reason)"}"#]
  }

  /// Replaces a file by one whose opening waits until somebody writes.
  private func block(_ tree: TestProc, _ pid: Int32, _ name: String) throws -> String {
    tree.turn(to: pid)
    tree.remove(name)
    let path = "\(tree.path)/\(pid)/\(name)"
    try #require(mkfifo(path, 0o644) == 0)
    return path
  }

  /// Lets whoever opens the file go on.
  private func unblock(_ path: String) -> Bool {
    let end = open(path, O_WRONLY | O_NONBLOCK)
    if end >= 0 { close(end) }
    return end >= 0
  }

  private func process(
    _ tree: TestProc, _ pid: Int32, mebibytes: UInt64, name: String = "app", proportional: UInt64
  ) throws {
    try tree.process(pid, name: name)
    var stat = TestStat(pid: pid, name: name)
    stat.residentPages = mebibytes << 8
    try tree.file("stat", stat.line)
    try tree.file("smaps_rollup", testSmapsRollup(proportional: proportional))
  }

  @Test func mapsAreThoseOfTheProcessWithMost() throws {
    let tree = try TestProc()
    for (pid, count) in [(7, 3), (8, 500), (9, 0)] as [(Int32, Int)] {
      try tree.process(pid).file("maps", testMaps(count))
    }
    var system = FixtureTree()
    system.entries["sys/vm/max_map_count"] = .file(Array("65530\n".utf8), mode: 0o644)
    try system.unpack(into: tree.path)
    let watch = try Watch(tree, [target("app", named: "app", collect: maps)])
    var page = watch.collect()
    _ = eventually {
      page = watch.collect()
      return page.value("process_memory_maps") == 500
    }
    #expect(page.value("process_memory_maps") == 500)
    #expect(page.value("process_memory_maps_max") == 65530)
  }

  /// It is counted, its neighbours are not late, and nobody waits for it a second time.
  @Test func processThatDoesNotAnswerCostsItsOwnValue() throws {
    let tree = try TestProc().process(8, name: "other").process(7)
    let fifo = try block(tree, 7, "maps")
    let watch = try Watch(
      tree, [target("app", pid: 7, collect: maps), target("other", pid: 8, collect: maps)])
    let first = watch.collect()
    #expect(first.value("process_memory_maps") == nil)
    #expect(troubles(first, "maps", "late") == 1)
    var other: Double?
    _ = eventually {
      other = watch.collect().value("process_memory_maps", "other")
      return other == 2
    }
    #expect(other == 2)
    let after = watch.collect()
    #expect(try #require(troubles(after, "maps", "late")) >= 2)
    #expect(late(after, "maps") >= 2)
    try #require(rename(fifo, tree.path + "/fifo") == 0)
    try tree.file("maps", testMaps(4))
    #expect(eventually { unblock(tree.path + "/fifo") })
    #expect(eventually { watch.collect().value("process_memory_maps") == 4 })
  }

  @Test func smallProcessesAreReadAnewInEachCollection() throws {
    let tree = try TestProc()
    for pid in 7...9 as ClosedRange<Int32> {
      try process(tree, pid, mebibytes: 20, proportional: 100)
    }
    let watch = try Watch(tree, [target("app", named: "app", collect: pss)])
    for round in 1...3 as ClosedRange<UInt64> {
      tree.turn(to: 9)
      try tree.file("smaps_rollup", testSmapsRollup(proportional: 100 * round, swap: 1))
      // A machine that is busy enough lets it be late.
      var page = watch.collect()
      _ = eventually {
        if troubles(page, "smaps_rollup", "late") == nil { return true }
        page = watch.collect()
        return page.value("process_proportional_memory_bytes") == Double((200 + 100 * round) << 10)
      }
      #expect(page.value("process_proportional_memory_bytes") == Double((200 + 100 * round) << 10))
      #expect(page.value("process_proportional_swap_bytes") == 1024)
      #expect(page.value("process_unique_memory_bytes") == 36864)
      #expect(page.value("process_proportional_memory_age_seconds").map { $0 < 60 } == true)
    }
  }

  /// 600 MiB each, and a budget of 1 GiB: two in the first collection, the third in the second, and
  /// before that nothing is served that would be too little.
  @Test func largeProcessesAreReadWithinTheBudget() throws {
    let tree = try TestProc()
    for pid in 7...9 as ClosedRange<Int32> {
      try process(tree, pid, mebibytes: 600, proportional: 1 << 10)
    }
    let watch = try Watch(tree, [target("app", named: "app", collect: pss)])
    #expect(watch.collect().value("process_proportional_memory_bytes") == nil)
    var rounds = 1
    var page = watch.collect()
    _ = eventually {
      rounds += 1
      page = watch.collect()
      return page.value("process_proportional_memory_bytes") != nil
    }
    #expect(page.value("process_proportional_memory_bytes") == Double(3 << 20))
    #expect(rounds >= 2)
    // A new number is seen as soon as it is the process' turn; until then the old one is served.
    tree.turn(to: 8)
    try tree.file("smaps_rollup", testSmapsRollup(proportional: 2 << 10))
    var served: Set<Double> = []
    _ = eventually {
      page = watch.collect()
      served.insert(page.value("process_proportional_memory_bytes") ?? -1)
      return served.contains(Double(4 << 20))
    }
    #expect(served.isSubset(of: [Double(3 << 20), Double(4 << 20)]))
    #expect(served.contains(Double(4 << 20)))
    #expect(try #require(page.value("process_proportional_memory_age_seconds")) > 0)
    #expect(troubles(page, "smaps_rollup", "late") == nil)
  }

  /// 300 times the budget is paid for by 300 collections, in which only small ones are read.
  @Test func whatIsLargerThanTheBudgetIsReadAndPaidForLater() throws {
    let tree = try TestProc()
    try process(tree, 7, mebibytes: 300 << 10, proportional: 5)
    try process(tree, 8, mebibytes: 200, name: "other", proportional: 6)
    let fifo = try block(tree, 8, "smaps_rollup")
    try process(tree, 9, mebibytes: 1, name: "small", proportional: 1)
    let watch = try Watch(
      tree.path,
      [
        target("app", pid: 7, collect: pss), target("other", pid: 8, collect: pss),
        target("small", pid: 9, collect: pss),
      ],
      limits: CollectorLimits(keptDescriptors: 0, pssBytesPerProcess: 1 << 40))
    var page = watch.collect()
    for _ in 0..<250 {
      page = watch.collect()
      #expect(!unblock(fifo))
    }
    #expect(page.value("process_proportional_memory_bytes") == 5120)
    try tree.file("smaps_rollup", testSmapsRollup(proportional: 2))
    #expect(
      eventually {
        watch.collect().value("process_proportional_memory_bytes", "small") == 2048
      })
    // Somebody reads the other one at last.
    #expect(
      eventually {
        _ = watch.collect()
        return unblock(fifo)
      })
  }

  @Test func tooLargeProcessesAreLeftOutAndCounted() throws {
    let tree = try TestProc()
    try process(tree, 7, mebibytes: 20, proportional: 5)
    try process(tree, 8, mebibytes: 30, proportional: 6)
    let watch = try Watch(
      tree.path, [target("app", named: "app", collect: pss)],
      limits: CollectorLimits(keptDescriptors: 0, pssBytesPerProcess: 25 << 20))
    var page = watch.collect()
    let notices = watch.notices
    #expect(troubles(page, "smaps_rollup", "limit") == 1)
    #expect("\(notices)".contains("limits.pss_bytes_per_process"))
    _ = eventually {
      page = watch.collect()
      return page.value("process_proportional_memory_bytes") != nil
    }
    #expect(page.value("process_proportional_memory_bytes") == 5120)
  }

  @Test func whatMayNotBeReadIsLeftOutAndCountedEachTime() throws {
    let tree = try TestProc()
    for pid in 7...8 as ClosedRange<Int32> { try process(tree, pid, mebibytes: 1, proportional: 5) }
    try tree.file("smaps_rollup", "", mode: 0)
    try tree.file("maps", "", mode: 0)
    let (page, count) = try asNobody { [path = tree.path] in
      let both = Selection(includesDefault: false, groups: [.pss, .maps])
      let watch = try Watch(
        path, [target("app", named: "app", collect: both)],
        limits: CollectorLimits(keptDescriptors: 0))
      var page = watch.collect()
      var count = 1.0
      _ = eventually {
        page = watch.collect()
        count += 1
        return page.value("process_proportional_memory_bytes") != nil
          && page.value("process_memory_maps") != nil
      }
      return (page, count)
    }
    #expect(page.value("process_proportional_memory_bytes") == 5120)
    #expect(page.value("process_memory_maps") == 2)
    // At least in the last of the collections; the first may have been late.
    for source in ["maps", "smaps_rollup"] {
      let denied = try #require(troubles(page, source, "denied"))
      #expect((1...count).contains(denied))
    }
  }

  @Test func sumsAreAbsentUntilEachProcessHasAnswered() throws {
    let tree = try TestProc()
    try process(tree, 7, mebibytes: 1, proportional: 5)
    try process(tree, 8, mebibytes: 1, proportional: 6)
    let fifo = try block(tree, 8, "smaps_rollup")
    let watch = try Watch(tree, [target("app", named: "app", collect: pss)])
    for _ in 0..<3 {
      let page = watch.collect()
      #expect(page.value("process_proportional_memory_bytes") == nil)
      #expect(page.value("process_proportional_memory_age_seconds") == nil)
    }
    try #require(rename(fifo, tree.path + "/fifo") == 0)
    try tree.file("smaps_rollup", testSmapsRollup(proportional: 6))
    #expect(eventually { unblock(tree.path + "/fifo") })
    #expect(
      eventually { watch.collect().value("process_proportional_memory_bytes") == 11264 })
  }

  @Test func threadsOfTheKernelHaveNoMemory() throws {
    let watch = try Watch(
      TestProc(fixture: "kernel-thread"),
      [target("app", pid: 2, collect: Selection(includesDefault: false, groups: [.pss, .maps]))])
    let page = watch.collect()
    #expect(page.value("process_proportional_memory_bytes") == nil)
    #expect(page.value("process_memory_maps") == nil)
    #expect(!page.text.contains("procvitals_unreadable_total"))
  }

  /// As another reader of this process' files says.
  @Test func ownMemoryAgreesWithTheFiles() throws {
    let child = try Child("sleep", "1000")
    let both = Selection(includesDefault: false, groups: [.pss, .maps])
    let asking = try Asking([target("app", pid: child.pid, collect: both)])
    let agree = try eventually {
      let page = try asking.collect()
      let rollup = String(
        decoding: try contents("/proc/\(child.pid)/smaps_rollup"), as: UTF8.self)
      let words = rollup.split { " \n".contains($0) }
      guard let index = words.firstIndex(of: "Pss:"), let pss = Double(words[index + 1])
      else { return false }
      let maps = try contents("/proc/\(child.pid)/maps").count { $0 == 0x0a }
      return page.value("process_proportional_memory_bytes") == pss * 1024
        && page.value("process_memory_maps") == Double(maps)
        && page.value("process_memory_maps_max").map { $0 > 1000 } == true
    }
    #expect(agree)
  }
}
