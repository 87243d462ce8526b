import Glibc
import Linux
import TestSupport
import Testing

@testable import Collector

private let sysAdmin = 21

/// Sockets of processes that have just those that the test gives them.
@Suite struct SocketSurveyTests {
  private let sockets = TestSockets()
  private let selection = Selection(includesDefault: false, groups: [.sockets, .fds])

  private func child(_ descriptors: [Int32]) throws -> Child {
    try Child(["sleep", "1000"], input: nil, open: descriptors)
  }

  private func watch(
    _ children: [Child], _ limits: CollectorLimits = CollectorLimits()
  ) throws -> Watch {
    let targets = children.enumerated().map {
      target("app\($0 == 0 ? "" : "\($0)")", pid: $1.pid, collect: selection)
    }
    return try Watch("/proc", targets, limits: limits)
  }

  /// Collects until the page is as wanted.
  private func collect(_ watch: Watch, until isWanted: (Page) -> Bool) -> Page {
    var page = watch.collect()
    _ = eventually {
      if isWanted(page) { return true }
      page = watch.collect()
      return false
    }
    return page
  }

  /// `process_sockets` of a target by "protocol state".
  private func counts(_ page: Page, _ target: String = "app") -> [String: Double] {
    var counts: [String: Double] = [:]
    for (series, value) in page.samples {
      let pattern = /process_sockets\{target="(\w+)",protocol="(\w+)",state="(\w+)"\}/
      if let match = series.wholeMatch(of: pattern), match.1 == target {
        counts["\(match.2) \(match.3)"] = value
      }
    }
    return counts
  }

  private func queue(_ page: Page, _ name: String, _ address: String) -> Double? {
    page[#"process_tcp_listen_\#(name){target="app",address="\#(address)"}"#]
  }

  @Test func socketsByProtocolAndState() throws {
    let directory = try TemporaryDirectory()
    let listener = try sockets.listener(backlog: 5)
    let client = try sockets.connected(SOCK_STREAM, to: TestSockets.port(listener))
    let server = try sockets.accepted(from: listener)
    let half = try sockets.connected(SOCK_STREAM, to: TestSockets.port(listener))
    let other = try sockets.accepted(from: listener)
    shutdown(half, Int32(SHUT_WR))
    let udp = try sockets.bound(SOCK_DGRAM)
    let talking = try sockets.connected(SOCK_DGRAM, to: TestSockets.port(udp))
    let unix = try sockets.open(AF_UNIX, SOCK_STREAM)
    let named = try ListenSocket(.unix(path: directory.path + "/s"))
    let (left, _) = try sockets.pair()
    let netlink = try sockets.open(AF_NETLINK, SOCK_RAW)
    let unbound = try sockets.open(AF_INET, SOCK_STREAM)
    let child = try child([
      listener, client, server, half, other, udp, talking, unix, named.fd.raw, left, netlink,
      unbound,
    ])
    let watch = try watch([child])
    // The other end's answers take their time.
    let page = collect(watch) { counts($0)["tcp fin_wait2"] == 1 }
    #expect(
      counts(page).filter { $0.value > 0 } == [
        "tcp listen": 1, "tcp established": 2, "tcp fin_wait2": 1, "tcp close_wait": 1,
        "udp unconnected": 1, "udp established": 1, "unix unconnected": 1, "unix listen": 1,
        "unix established": 1, "other unknown": 2,
      ])
    #expect(page[#"process_fds{target="app",kind="socket"}"#] == 12)
    #expect(!page.text.contains("procvitals_unreadable_total{"))
  }

  /// Two targets, and two processes of one, ask for the same sockets.
  @Test func aSharedSocketCountsOnceInEachTarget() throws {
    let directory = try TemporaryDirectory()
    let name = "pvs\(getpid())"
    let sleep = try #require(program("sleep"))
    #expect(symlink(sleep, "\(directory.path)/\(name)") == 0)
    let (left, right) = try sockets.pair()
    let children = try [[left], [left, right]].map {
      try Child(["\(directory.path)/\(name)", "1000"], input: nil, open: $0)
    }
    let alone = try child([left])
    let watch = try Watch(
      "/proc",
      [
        target("app", named: name, collect: selection),
        target("app1", pid: alone.pid, collect: selection),
      ])
    let page = collect(watch) { $0.value("procvitals_target_processes") == 2 }
    #expect(counts(page) == ["unix established": 2])
    #expect(counts(page, "app1") == ["unix established": 1])
    #expect(page[#"process_fds{target="app",kind="socket"}"#] == 3)
    #expect(children.count == 2)
  }

  @Test func trafficStaysWhenConnectionsClose() throws {
    let listener = try sockets.listener(backlog: 5)
    let client = try sockets.connected(SOCK_STREAM, to: TestSockets.port(listener))
    let server = try sockets.accepted(from: listener)
    try TestSockets.carry(5000, from: client, to: server)
    try TestSockets.carry(70, from: server, to: client)
    let child = try child([client])
    let watch = try watch([child])
    func traffic(_ page: Page) -> [Double?] {
      ["sent_bytes", "received_bytes", "retransmitted_segments"].map {
        page.value("process_tcp_\($0)_total")
      }
    }
    var page = watch.collect()
    #expect(traffic(page) == [5000, 70, 0])
    try TestSockets.carry(1, from: client, to: server)
    #expect(traffic(watch.collect()) == [5001, 70, 0])
    child.send(SIGKILL)
    child.reap()
    page = watch.collect()
    #expect(traffic(page) == [5001, 70, 0])
    #expect(counts(page) == ["tcp established": 0])
  }

  @Test(.enabled(if: program("ss") != nil, "ss is not installed"))
  func trafficIsWhatAnotherProgramSees() throws {
    let listener = try sockets.listener(backlog: 5)
    let port = TestSockets.port(listener)
    let client = try sockets.connected(SOCK_STREAM, to: port)
    let server = try sockets.accepted(from: listener)
    try TestSockets.carry(1234, from: client, to: server)
    let child = try child([client, listener])
    let page = try watch([child]).collect()
    let (_, told) = try run("ss -Hnti 'dport = :\(port)'; ss -Hntl 'sport = :\(port)'")
    let sent = told.firstMatch(of: /bytes_sent:(\d+)/)?.1
    #expect(sent.flatMap { Double($0) } == page.value("process_tcp_sent_bytes_total"), "\(told)")
    let queues = told.firstMatch(of: /LISTEN +(\d+) +(\d+) +(\S+)/)
    #expect(queues?.3 == "127.0.0.1:\(port)")
    #expect(queues.flatMap { Double($0.2) } == queue(page, "queue_max", "127.0.0.1:\(port)"))
  }

  @Test func acceptQueues() throws {
    let first = try sockets.listener(backlog: 5, shared: true)
    let port = TestSockets.port(first)
    let second = try sockets.listener(backlog: 6, port: port, shared: true)
    let any = try sockets.listener(backlog: 7, address: 0)
    let clients = try (0..<4).map { _ in try sockets.connected(SOCK_STREAM, to: port) }
    let child = try child([first, second, any])
    let watch = try watch([child])
    let page = collect(watch) { queue($0, "queue", "127.0.0.1:\(port)") == 4 }
    #expect(queue(page, "queue", "127.0.0.1:\(port)") == Double(clients.count))
    #expect(queue(page, "queue_max", "127.0.0.1:\(port)") == 11)
    #expect(queue(page, "queue", "0.0.0.0:\(TestSockets.port(any))") == 0)
    #expect(queue(page, "queue_max", "0.0.0.0:\(TestSockets.port(any))") == 7)
    #expect(counts(page) == ["tcp listen": 3])
  }

  /// A listener whose queue is full does not answer, so that the next one asks again.
  @Test func retransmissionsAreCounted() throws {
    let listener = try sockets.listener(backlog: 0)
    let port = TestSockets.port(listener)
    _ = try sockets.connected(SOCK_STREAM, to: port)
    let unlucky = try sockets.connected(SOCK_STREAM, to: port, waiting: false)
    let child = try child([unlucky])
    let watch = try watch([child])
    #expect(counts(watch.collect()) == ["tcp syn_sent": 1])
    #expect(
      eventually {
        (watch.collect().value("process_tcp_retransmitted_segments_total") ?? 0) > 0
      })
  }

  @Test func addressesBeyondTheLimitAreLeftOut() throws {
    let listeners = try (0..<3).map { _ in try sockets.listener(backlog: 5) }
    let addresses = listeners.map { "127.0.0.1:\(TestSockets.port($0))" }.sorted()
    let child = try child(listeners)
    let watch = try watch([child], CollectorLimits(listenAddresses: 2))
    for round in 1...2 {
      let page = watch.collect()
      #expect(addresses.map { queue(page, "queue_max", $0) } == [5, 5, nil])
      #expect(
        page[#"procvitals_unreadable_total{target="app",source="sockets",reason="limit"}"#]
          == Double(round))
    }
  }

  /// What was not looked at is nowhere, rather than among the other ones.
  @Test func socketsBeyondTheLimitAreLeftOut() throws {
    let (left, _) = try sockets.pair()
    let listener = try sockets.listener(backlog: 5)
    let child = try child([left, listener])
    let page = try watch([child], CollectorLimits(socketsPerNamespace: 1)).collect()
    #expect((counts(page).values.reduce(0, +)) <= 1 && counts(page)["other unknown"] == nil)
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="sockets",reason="limit"}"#] == 1)
  }

  @Test(.enabled(if: isRoot, "needs root to make a network namespace"))
  func anotherNamespaceIsEntered() throws {
    let inside = try inOwnNetwork { () -> (Child, String) in
      let sockets = TestSockets()
      let listener = try sockets.listener(backlog: 5, address: 0)
      let child = try Child(["sleep", "1000"], input: nil, open: [listener])
      return (child, "0.0.0.0:\(TestSockets.port(listener))")
    }
    let (left, _) = try sockets.pair()
    let outside = try child([left])
    let both = [inside.0, outside]
    let page = try watch(both).collect()
    #expect(counts(page) == ["tcp listen": 1])
    #expect(queue(page, "queue_max", inside.1) == 5)
    #expect(counts(page, "app1") == ["unix established": 1])
    #expect(!page.text.contains("procvitals_unreadable_total{"))

    let pids = both.map(\.pid)
    let poor = try withoutCapability(sysAdmin) { [selection] in
      try Watch(
        "/proc",
        [
          target("app", pid: pids[0], collect: selection),
          target("app1", pid: pids[1], collect: selection),
        ]
      ).collect()
    }
    #expect(counts(poor) == [:])
    #expect(poor.value("process_tcp_sent_bytes_total") == nil)
    #expect(
      poor[#"procvitals_unreadable_total{target="app",source="ns/net",reason="denied"}"#] == 1)
    #expect(counts(poor, "app1") == ["unix established": 1])
    #expect(poor.value("process_tcp_sent_bytes_total", "app1") == 0)

    let few = try watch(both, CollectorLimits(networkNamespaces: 1)).collect()
    #expect(counts(few) == [:])
    #expect(
      few[#"procvitals_unreadable_total{target="app",source="sockets",reason="limit"}"#] == 1)
    // One's own comes first.
    #expect(counts(few, "app1") == ["unix established": 1])
  }

  /// A number of a socket is the same everywhere, so it is found where it is.
  @Test(.enabled(if: isRoot, "needs root to make a network namespace"))
  func aSocketOfAnotherNamespaceIsFound() throws {
    let (left, right) = try sockets.pair()
    let pids = try inOwnNetwork { try Child(["sleep", "1000"], input: nil, open: [left]) }
    let near = try child([right])
    let page = try watch([pids, near]).collect()
    #expect(counts(page) == ["unix established": 1])
  }

  @Test(.enabled(if: isRoot, "needs root to have a process of somebody else"))
  func ofSomebodyElseAreAbsent() throws {
    let (left, _) = try sockets.pair()
    let child = try child([left])
    let page = try asNobody { [selection, pid = child.pid] in
      try Watch("/proc", [target("app", pid: pid, collect: selection)]).collect()
    }
    #expect(counts(page) == [:])
    #expect(page.value("process_tcp_sent_bytes_total") == nil)
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="fd_links",reason="denied"}"#] == 1)
  }

  /// A recorded tree has nothing to do with the sockets of this machine.
  @Test func ofATreeAreNotThoseOfThisMachine() throws {
    let (left, _) = try sockets.pair()
    var facts = Glibc.stat()
    #expect(fstat(left, &facts) == 0)
    let tree = try TestProc().process(7).add("fd/3", .link("socket:[\(facts.st_ino)]"))
    let page = try Watch(tree, [target("app", pid: 7)]).collect()
    #expect(counts(page) == [:])
    #expect(page[#"process_fds{target="app",kind="socket"}"#] == 1)
    #expect(page.text.contains(#"procvitals_unreadable_total{target="app",source="ns/net""#))
  }
}
