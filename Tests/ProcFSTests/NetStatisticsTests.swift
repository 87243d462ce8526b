import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

@Suite struct NetStatisticsTests {
  /// Of Linux 6.18, without most of the columns of TCP.
  static let recorded = """
    TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed
    TcpExt: 1 2 3
    IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps
    IpExt: 0 0 0 0 0 0 31715695159 31229420443 7 8 9 0 0 7092103 0 0 0 0
    MPTcpExt: MPCapableSYNRX MPCapableSYNTX
    MPTcpExt: 0 0

    """

  @Test func columnsAreFoundByName() throws {
    let all = try parse(Self.recorded, NetStatistics.init)
    #expect(all == NetStatistics(receivedBytes: 31_715_695_159, sentBytes: 31_229_420_443))
    let swapped = "IpExt: New OutOctets InOctetsToo InOctets\nIpExt: 1 2 3 4"
    #expect(
      try parse(swapped, NetStatistics.init) == NetStatistics(receivedBytes: 4, sentBytes: 2))
  }

  @Test(
    arguments: [
      ("", "IpExt"), ("TcpExt: InOctets OutOctets\nTcpExt: 1 2\n", "IpExt"),
      ("IpExt: InOctets OutOctets\n", "IpExt"),
      ("IpExt: InOctets OutOctets\nTcpExt: 1 2\n", "IpExt"),
      ("IpExt: InOctets\nIpExt: 1\n", "OutOctets"), ("IpExt: OutOctets\nIpExt: 1\n", "InOctets"),
      ("IpExt: InOctets OutOctets\nIpExt: 1\n", "OutOctets"),
      ("IpExt: InOctets OutOctets\nIpExt: -1 2\n", "InOctets"),
      ("IpExt: InOctets OutOctets\nIpExt: \(twoToThe64) 2\n", "InOctets"),
      ("IpExt:\nIpExt:\n", "InOctets"),
    ] as [(String, StaticName)])
  func whatIsMissingIsNamed(text: String, field: StaticName) {
    #expect(throws: ParseError(field: field)) { try parse(text, NetStatistics.init) }
  }

  @Test func aKnownNamespaceIsNotReadAgain() throws {
    let tree = try TestProc().process(7)
    var held = try Held(7, in: tree)
    let first = try held.handle.netStatistics(&held.buffer) { _ in nil }
    #expect(first.statistics == NetStatistics(receivedBytes: 1000, sentBytes: 2000))
    #expect(try held.handle.networkNamespace(&held.buffer) == first.namespace)
    let other = NetStatistics(receivedBytes: 1, sentBytes: 2)
    let second = try held.handle.netStatistics(&held.buffer) {
      $0 == first.namespace ? other : nil
    }
    #expect(second.statistics == other)
  }

  /// A zombie is in no namespace, which is no fault of the kernel.
  @Test func ofAZombieIsGone() throws {
    let child = try Child("sleep", "1000")
    var held = try Held(child.pid, in: "/proc", facts: .current())
    child.send(SIGKILL)
    child.waitForEnd()
    #expect(held.failure(.netStatistics) == .gone)
    #expect(held.failure(.networkNamespace) == .gone)
    #expect(held.failure(.sockets) == .gone)
    child.reap()
  }

  @Test func ownNamespaceIsThatOfTheRoot() throws {
    let root = try ProcRoot(path: "/proc", facts: .current())
    var held = try Held(getpid(), in: "/proc", facts: .current())
    #expect(try root.ownNetworkNamespace == held.handle.networkNamespace(&held.buffer))
    let tree = try TestProc()
    #expect(try ProcRoot(path: tree.path, facts: facts).ownNetworkNamespace == nil)
  }

  /// Whoever may not read `ns/net` can tell namespaces apart all the same.
  @Test(.enabled(if: isRoot, "needs root to make a network namespace"))
  func namespacesDiffer() throws {
    let children = try (0..<2).map { _ in try Child("unshare", "-n", "sleep", "1000") }
    let pids = children.map(\.pid) + [getpid()]
    func link(_ pid: Int32) throws -> [UInt8] {
      try linkTarget("\(pid)/ns/net", in: openFile("/proc", [.path, .directory]))
    }
    #expect(try eventually { Set(try pids.map(link)).count == 3 })
    let numbers = try asNobody {
      try pids.map { pid in
        var held = try Held(pid, in: "/proc", facts: .current())
        return try held.handle.networkNamespace(&held.buffer)
      }
    }
    #expect(Set(numbers).count == 3)
    #expect(children.count == 2)
  }
}
