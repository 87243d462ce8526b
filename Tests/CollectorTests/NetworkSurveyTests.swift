import Glibc
import Linux
import TestSupport
import Testing

@testable import Collector

@Suite struct NetworkSurveyTests {
  private let selection = Selection(includesDefault: false, groups: [.network])

  private func traffic(_ page: Page) -> [Double?] {
    ["receive", "transmit"].map { page.value("process_network_\($0)_bytes_total") }
  }

  private func statistics(_ received: Int, _ sent: Int) -> String {
    "IpExt: InOctets OutOctets\nIpExt: \(received) \(sent)\n"
  }

  /// Files are the same one in a namespace, which their inodes tell.
  @Test func aNamespaceCountsOnce() throws {
    let tree = try TestProc().process(7).process(8).process(9)
    try tree.file("net/netstat", statistics(5, 6))
    tree.turn(to: 8)
    tree.remove("net/netstat")
    #expect(link("\(tree.path)/7/net/netstat", "\(tree.path)/8/net/netstat") == 0)
    let watch = try Watch(
      tree, [target("app", named: "app", collect: selection), target("two", pid: 8)])
    #expect(traffic(watch.collect()) == [1005, 2006])
  }

  @Test func sumsStayWhenANamespaceGoesAndComesBack() throws {
    let tree = try TestProc().process(7).process(8)
    let watch = try Watch(tree, [target("app", named: "app", collect: selection)])
    #expect(traffic(watch.collect()) == [2000, 4000])
    try tree.file("net/netstat", statistics(1500, 2500))
    #expect(traffic(watch.collect()) == [2500, 4500])
    let parked = "\(tree.path)/parked"
    #expect(link("\(tree.path)/8/net/netstat", parked) == 0)
    tree.removeProcess(8)
    #expect(traffic(watch.collect()) == [2500, 4500])
    tree.removeProcess(7)
    #expect(traffic(watch.collect()) == [2500, 4500])
    // It has gone on meanwhile.
    try tree.process(8).remove("net/netstat")
    #expect(link(parked, "\(tree.path)/8/net/netstat") == 0)
    try tree.file("net/netstat", statistics(1501, 2500))
    #expect(traffic(watch.collect()) == [2501, 4500])
  }

  /// A new namespace can have the number of one that is gone.
  @Test func numbersThatBeginAnewAreAdded() throws {
    let tree = try TestProc().process(7)
    let watch = try Watch(tree, [target("app", named: "app", collect: selection)])
    #expect(traffic(watch.collect()) == [1000, 2000])
    try tree.file("net/netstat", statistics(10, 3000))
    #expect(traffic(watch.collect()) == [1010, 5000])
  }

  @Test func whatCannotBeReadIsAbsentAndCounted() throws {
    let tree = try TestProc().process(7).remove("net/netstat")
    let watch = try Watch(tree, [target("app", named: "app", collect: selection)])
    var page = watch.collect()
    #expect(traffic(page) == [nil, nil])
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="net/netstat",reason="missing"}"#]
        == 1)
    try tree.file("net/netstat", statistics(1, 2))
    #expect(traffic(watch.collect()) == [1, 2])
    try tree.file("net/netstat", "IpExt:\n")
    page = watch.collect()
    #expect(traffic(page) == [1, 2])
    #expect(page.text.contains(#"source="net/netstat",reason="malformed""#))
  }

  /// Anybody may know this about anybody.
  @Test func ownNamespaceAsNobody() throws {
    let sockets = TestSockets()
    let udp = try sockets.bound(SOCK_DGRAM)
    let sender = try sockets.connected(SOCK_DGRAM, to: TestSockets.port(udp))
    let child = try Child("sleep", "1000")
    let (before, after) = try asNobody { [selection, pid = child.pid] in
      let watch = try Watch("/proc", [target("app", pid: pid, collect: selection)])
      let before = watch.collect()
      for _ in 0..<10 { try TestSockets.carry(1000, from: sender, to: udp) }
      return (before, watch.collect())
    }
    for (old, new) in zip(traffic(before), traffic(after)) {
      #expect(try #require(new) >= #require(old) + 10_000)
    }
    #expect(!after.text.contains("procvitals_unreadable_total{"))
  }

  @Test(.enabled(if: isRoot, "needs root to make a network namespace"))
  func aNamespaceOfItsOwnHasItsOwnTraffic() throws {
    let child = try inOwnNetwork { try Child("sleep", "1000") }
    let page = try Watch("/proc", [target("app", pid: child.pid, collect: selection)]).collect()
    #expect(traffic(page) == [0, 0])
  }
}
