import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

/// Files of control groups: where they are, and what is in them.
@Suite final class CgroupFilesTests {
  private let tree: TestProc
  private var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)

  init() throws { tree = try TestProc() }

  private func open(_ path: CgroupPath) throws -> CgroupHandle {
    try CgroupTree(path: tree.cgroupPath).open(path)
  }

  private var isEmpty: Bool { CgroupTree(path: tree.cgroupPath).isEmpty }

  private func isMachine(_ hierarchy: CgroupHierarchy, _ path: String) -> Bool {
    CgroupTree(path: tree.cgroupPath).isMachine(CgroupPath(hierarchy, path))
  }

  /// Where a process is for each controller, given what its file says.
  private func places(_ text: String) throws -> [CgroupHierarchy: CgroupPath] {
    let cgroup = try parse(text) { bytes throws(ParseError) in try Cgroup(bytes) }
    let groups = CgroupTree(path: tree.cgroupPath)
    var places: [CgroupHierarchy: CgroupPath] = [:]
    for controller in CgroupHierarchy.allCases {
      places[controller] = groups.path(controller, of: cgroup)
    }
    return places
  }

  private func version2(_ files: [String: String]) throws -> CgroupHandle {
    try tree.cgroup("", ["cgroup.controllers": "cpu memory pids"]).cgroup("a/b", files)
    return try open(CgroupPath(.unified, "/a/b"))
  }

  private func version1(
    _ hierarchy: CgroupHierarchy, _ files: [String: String]
  ) throws -> CgroupHandle {
    try tree.cgroup(hierarchy.rawValue, ["cgroup.procs": ""])
      .cgroup("\(hierarchy.rawValue)/a/b", files)
    return try open(CgroupPath(hierarchy, "/a/b"))
  }

  // MARK: Layouts

  @Test func nothingIsMounted() throws {
    #expect(isEmpty)
    #expect(try places("4:memory:/m\n0::/u\n") == [:])
    #expect(throws: Errno.notFound) { try open(CgroupPath(.unified, "/u")) }
    // An empty mount point is no different.
    try tree.cgroup("", [:])
    #expect(isEmpty)
    #expect(try places("4:memory:/m\n0::/u\n") == [:])
  }

  @Test func version2ServesAllControllers() throws {
    try tree.cgroup("", ["cgroup.controllers": ""]).cgroup("memory", ["cgroup.procs": ""])
    let places = try places("4:memory:/m\n0::/u\n")
    #expect(places.count == CgroupHierarchy.allCases.count)
    #expect(Set(places.values) == [CgroupPath(.unified, "u")])
    #expect(isMachine(.unified, "/") && !isMachine(.unified, "/u"))
  }

  /// A cgroup namespace has a top that is a group like any other.
  @Test func topOfANamespaceIsNotTheMachine() throws {
    try tree.cgroup("", ["cgroup.controllers": "", "cgroup.events": "populated 1"])
    #expect(!isMachine(.unified, "/"))
    tree.removeCgroup("cgroup.controllers")
    try tree.cgroup("memory", ["cgroup.procs": ""])
    #expect(!isMachine(.memory, "/"))
    try tree.cgroup("memory", ["cgroup.sane_behavior": "0"])
    #expect(isMachine(.memory, "/"))
  }

  @Test func version1HasADirectoryOrALinkForEachController() throws {
    try tree.cgroup("cpu,cpuacct", ["cgroup.procs": ""]).cgroup("memory", ["cgroup.procs": ""])
    for name in ["cpu", "cpuacct"] { symlink("cpu,cpuacct", "\(tree.cgroupPath)/\(name)") }
    let text = "5:pids:/p\n4:cpu,cpuacct:/c\n3:memory:/m\n1:name=systemd:/s\n0::/u\n"
    let old = [
      CgroupHierarchy.memory: CgroupPath(.memory, "/m"), .cpu: CgroupPath(.cpu, "/c"),
      .cpuacct: CgroupPath(.cpuacct, "/c"),
    ]
    #expect(try places(text) == old)
    // What is not mounted as version 1 can only be one of version 2.
    try tree.cgroup("unified", ["cgroup.controllers": ""])
    let new = CgroupPath(.unified, "/u")
    #expect(try places(text) == old.merging([.pids: new, .unified: new]) { $1 })
  }

  @Test func paths() {
    let path = CgroupPath(.memory, "/a/b")
    #expect(path.parent == CgroupPath(.memory, "/a"))
    #expect(path.parent?.parent == CgroupPath(.memory, "/"))
    #expect(path.parent?.parent?.parent == nil)
    #expect(CgroupPath(.memory, "/a").contains(path) && CgroupPath(.memory, "").contains(path))
    #expect(!path.contains(path) && !path.contains(CgroupPath(.memory, "/a")))
    #expect(!path.contains(CgroupPath(.memory, "/a/bc")))
    #expect(!CgroupPath(.cpu, "/a").contains(path))
    #expect(CgroupPath(.memory, "/../x").isOutside && CgroupPath(.memory, "/..").isOutside)
    #expect(!CgroupPath(.memory, "/..x").isOutside && !path.isOutside)
    #expect(CgroupPath(.memory, "/a (deleted)").isRemoved && !path.isRemoved)
  }

  /// Nothing above the mount point is ever opened.
  @Test func outsideIsNotFound() throws {
    try tree.cgroup("", ["cgroup.controllers": ""]).cgroup("../x", [:])
    #expect(throws: Errno.notFound) { try open(CgroupPath(.unified, "/../x")) }
  }

  // MARK: Version 2

  @Test func memoryOfVersion2() throws {
    let group = try version2([
      "memory.current": "1048576", "memory.peak": "2097152", "memory.swap.current": "4096",
      "memory.events": "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\nnew_one 7",
      "memory.events.local": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 3",
      "memory.max": "max", "memory.high": "3145728", "memory.swap.max": "0",
    ])
    let memory = try #require(try group.memory(&buffer, keep: false))
    #expect(memory.usageBytes == 1_048_576 && memory.peakBytes == 2_097_152)
    #expect(memory.swapBytes == 4096)
    let events = memory.events
    #expect([events.low, events.high, events.max] == [1, 2, 3])
    #expect([events.oom, events.oomKill, events.oomGroupKill] == [4, 5, 6])
    #expect(try group.oomKills(&buffer, keep: false) == 3)
    #expect(
      try group.memoryLimits(&buffer, keep: false)
        == CgroupMemoryLimits(bytes: nil, highBytes: 3_145_728, swapBytes: 0, withSwapBytes: nil))
    #expect(group.keptDescriptors == 0)
  }

  /// A controller that is not enabled, and kernels that do not have a file yet.
  @Test func filesThatAreNotThere() throws {
    let group = try version2([:])
    #expect(try group.memory(&buffer, keep: true) == nil)
    #expect(try group.oomKills(&buffer, keep: true) == nil)
    #expect(try group.memoryLimits(&buffer, keep: true) == CgroupMemoryLimits())
    #expect(try group.bandwidth(&buffer, keep: true) == nil)
    #expect(try group.cpuNanoseconds(&buffer, keep: true) == nil)
    #expect(try group.tasks(&buffer, keep: true) == nil)
    #expect(try group.pressure(&buffer, keep: true) == CgroupPressure())
    try tree.cgroup("a/b", ["memory.current": "1", "memory.events": "oom_kill 9"])
    let memory = try #require(try group.memory(&buffer, keep: true))
    #expect(memory.peakBytes == nil && memory.swapBytes == nil && memory.events.low == nil)
    #expect(memory.events.oomKill == 9)
    #expect(try group.oomKills(&buffer, keep: true) == 9)
  }

  @Test(arguments: [
    ("max 100000", Double.infinity), ("50000 100000", 0.5), ("250000 100000", 2.5),
  ])
  func cpuOfVersion2(limit: String, cores: Double) throws {
    let group = try version2([
      "cpu.max": limit,
      "cpu.stat":
        "usage_usec 12\nuser_usec 7\nsystem_usec 5\nnr_periods 3\nnr_throttled 2\nthrottled_usec 8",
    ])
    #expect(try group.cpuLimit(&buffer, keep: false) == cores)
    #expect(try group.cpuNanoseconds(&buffer, keep: false) == 12_000)
    #expect(
      try group.bandwidth(&buffer, keep: false)
        == CgroupBandwidth(
          limitCores: cores, periods: 3, throttledPeriods: 2, throttledNanoseconds: 8000))
  }

  @Test func pressureWithAndWithoutFull() throws {
    let some = "some avg10=0.00 avg60=1.25 avg300=0.10 total=12345"
    let group = try version2([
      "cpu.pressure": some, "io.pressure": some + "\nfull avg10=0.00 total=99",
    ])
    let pressure = try group.pressure(&buffer, keep: false)
    #expect(pressure.cpu?.someMicroseconds == 12345 && pressure.cpu?.fullMicroseconds == nil)
    #expect(pressure.io?.someMicroseconds == 12345 && pressure.io?.fullMicroseconds == 99)
    #expect(pressure.memory == nil)
  }

  @Test func tasksOfEitherVersion() throws {
    let new = try version2(["pids.current": "17", "pids.max": "max"])
    #expect(try new.tasks(&buffer, keep: false) == CgroupTasks(count: 17, limit: nil))
    tree.removeCgroup("cgroup.controllers")
    let old = try version1(.pids, ["pids.current": "18", "pids.max": "20"])
    #expect(try old.tasks(&buffer, keep: false) == CgroupTasks(count: 18, limit: 20))
    #expect(try old.taskLimit(&buffer, keep: false) == 20)
  }

  // MARK: Version 1

  @Test func memoryOfVersion1() throws {
    let group = try version1(
      .memory,
      [
        "memory.usage_in_bytes": "1048576", "memory.max_usage_in_bytes": "2097152",
        "memory.stat": "cache 1\nswap 2\ntotal_cache 3\ntotal_swap 4096\ntotal_swapped 5",
        "memory.failcnt": "6", "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 7",
        "memory.limit_in_bytes": "1073741824", "memory.memsw.limit_in_bytes": "9223372036854771712",
      ])
    let memory = try #require(try group.memory(&buffer, keep: false))
    #expect(memory.usageBytes == 1_048_576 && memory.peakBytes == 2_097_152)
    #expect(memory.swapBytes == 4096)
    #expect(memory.events.max == 6 && memory.events.oomKill == 7 && memory.events.oom == nil)
    #expect(try group.oomKills(&buffer, keep: false) == 7)
    #expect(
      try group.memoryLimits(&buffer, keep: false)
        == CgroupMemoryLimits(
          bytes: 1_073_741_824, highBytes: nil, swapBytes: nil, withSwapBytes: nil))
  }

  /// With pages of 4 KiB, 64 KiB, and before Linux 3.19.
  @Test(arguments: ["9223372036854771712", "9223372036854710272", "9223372036854775807"])
  func noLimitOfVersion1(text: String) throws {
    let limit = try parse(text) { bytes throws(ParseError) in
      try CgroupNumber.limit(bytes, "memory.limit_in_bytes")
    }
    #expect(limit == nil)
  }

  @Test(arguments: [
    ("-1", "100000", Double.infinity), ("50000", "100000", 0.5), ("1", "0", .infinity),
  ])
  func cpuOfVersion1(quota: String, period: String, cores: Double) throws {
    let group = try version1(
      .cpu,
      [
        "cpu.cfs_quota_us": quota, "cpu.cfs_period_us": period,
        "cpu.stat": "nr_periods 3\nnr_throttled 2\nthrottled_time 8",
      ])
    #expect(
      try group.bandwidth(&buffer, keep: false)
        == CgroupBandwidth(
          limitCores: cores, periods: 3, throttledPeriods: 2, throttledNanoseconds: 8))
    let usage = try version1(.cpuacct, ["cpuacct.usage": "12"])
    #expect(try usage.cpuNanoseconds(&buffer, keep: false) == 12)
  }

  // MARK: Trouble

  @Test(arguments: [
    ("memory.current", "x"), ("memory.current", "18446744073709551616"), ("memory.peak", "-1"),
    ("memory.events", "low 1\nhigh x"),
  ])
  func nonsenseIsMalformed(file: String, text: String) throws {
    let group = try version2(["memory.current": "1", "memory.events": "low 1"])
    try tree.cgroup("a/b", [file: text])
    do throws(ProcError) {
      _ = try group.memory(&buffer, keep: true)
      Issue.record("no error")
    } catch .malformed(.cgroupFiles, let field, _) {
      #expect(field == file || field == "high")
    }
  }

  @Test func filesWithoutPermissionAreDenied() throws {
    _ = try version2(["memory.current": "1", "cpu.pressure": "x"])
    chmod("\(tree.cgroupPath)/a/b/memory.current", 0)
    chmod("\(tree.cgroupPath)/a/b/cpu.pressure", 0)
    let failures = try asNobody { [path = tree.cgroupPath] in
      var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
      let group = try CgroupTree(path: path).open(CgroupPath(.unified, "a/b"))
      var failures: [ProcError] = []
      do throws(ProcError) { _ = try group.memory(&buffer, keep: true) } catch {
        failures.append(error)
      }
      do throws(ProcError) { _ = try group.pressure(&buffer, keep: true) } catch {
        failures.append(error)
      }
      return failures
    }
    #expect(failures == [.denied(.cgroupFiles), .denied(.pressure)])
  }

  @Test func keptFilesYieldFreshValues() throws {
    let group = try version2(["pids.current": "17", "pids.max": "max"])
    for count in [UInt64(1000), 20, 3] {
      try tree.cgroup("a/b", ["pids.current": "\(count)"])
      #expect(try group.tasks(&buffer, keep: true)?.count == count)
      #expect(group.keptDescriptors == 2)
    }
  }
}
