import Glibc
import Linux
import Metrics
import TestSupport
import Testing

@testable import Collector

@Suite struct SamplerTests {
  @Test func pagesSettingsAndStop() throws {
    let tree = try TestProc().process(7)
    let asking = try Asking(tree.path, facts: facts, [target("app", pid: 7)])
    #expect(try asking.collect().value("process_start_time_seconds") == 1_700_000_001)
    // New settings are in force for the collection that is asked for behind them.
    asking.sampler.configure(CollectorSettings(targets: [target("never", pid: 7)]))
    asking.sampler.configure(
      CollectorSettings(targets: [target("app", pid: 7, labels: [Label("a", "b")])]))
    let page = try asking.collect()
    #expect(page[#"procvitals_target_up{target="app",a="b"}"#] == 1)
    #expect(page[#"process_starts_total{target="app",a="b"}"#] == 1)
    // The thread held the mailbox too; when it has ended, nobody else does.
    #expect(!isKnownUniquelyReferenced(&asking.replies))
    asking.sampler.stop()
    #expect(eventually { isKnownUniquelyReferenced(&asking.replies) })
  }

  @Test func everyCollectionIsAnsweredInOrder() throws {
    let tree = try TestProc().process(7)
    let asking = try Asking(tree.path, facts: facts, [target("app", pid: 7)])
    for number in UInt64(0)..<20 {
      var own = OwnState(version: "0.0.0")
      own.scrapesInFlight = number
      asking.sampler.collect(own)
    }
    for number in 0..<20 {
      let (page, notices) = try asking.next()
      #expect(page["procvitals_scrapes_in_flight"] == Double(number))
      #expect(notices == (number == 0 ? [.up(target: "app", pid: 7, processes: 1)] : []))
    }
  }

  @Test func aDirectoryThatIsNotThereIsAFailure() throws {
    let asking = try Asking("/nowhere", facts: facts, [])
    let failed = #expect(throws: Asking.Failed.self) { try asking.collect() }
    #expect(failed?.why.contains("No such file") == true)
  }

  /// A FIFO without a writer stands for a file system that does not answer.
  @Test func aStalledReadHoldsUpNobodyElse() throws {
    let tree = try TestProc().process(7)
    tree.remove("stat")
    let fifo = tree.path + "/7/stat"
    try #require(mkfifo(fifo, 0o644) == 0)
    let asking = try Asking(tree.path, facts: facts, [target("app", pid: 7)])
    // Posting returns although the sampler is stuck, and other samplers go on.
    for _ in 0..<3 { asking.sampler.collect(OwnState(version: "0.0.0")) }
    let other = try TestProc().process(7)
    let page = try Asking(other.path, facts: facts, [target("app", pid: 7)]).collect()
    #expect(page.value("procvitals_target_up") == 1)
    #expect(!asking.replies.wake.wait(atMost: .milliseconds(50)))
    // Once it answers, so does the sampler.
    try #require(rename(fifo, tree.path + "/fifo") == 0)
    try tree.file("stat", TestStat(pid: 7).line)
    var writer: Int32 = -1
    let isStuck = eventually {
      // Refused until somebody has the FIFO open for reading, or waits for that.
      writer = open(tree.path + "/fifo", O_WRONLY | O_NONBLOCK)
      return writer >= 0
    }
    #expect(isStuck)
    close(writer)
    _ = try asking.next()
    _ = try asking.next()
    #expect(try asking.next().0.value("procvitals_target_up") == 1)
  }
}
