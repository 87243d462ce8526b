/// Builds a tree of /proc for variations of one line.
///
///     let tree = try TestProc().process(7).file("stat", "…")
///
/// A process begins with files that parse: one thread, no descriptors, little memory.
package final class TestProc {
  package let directory: TemporaryDirectory
  package var path: String { directory.path }
  /// What stands for `/sys` is beside the processes, in `sys`.
  package var cgroupPath: String { Self.cgroupPath(below: path) }

  /// Where the control groups are that belong to `/proc` or to a recorded tree.
  package static func cgroupPath(below procPath: String) -> String {
    procPath == "/proc" ? "/sys/fs/cgroup" : "\(procPath)/sys/fs/cgroup"
  }
  private var pid: Int32 = 0

  package init() throws { directory = try TemporaryDirectory() }

  /// The tree of `Tests/Fixtures/NAME.tree`.
  package init(fixture name: String) throws {
    directory = try TemporaryDirectory()
    try FixtureTree(named: name).unpack(into: path)
  }

  /// Adds a process; what follows is about it.
  @discardableResult
  package func process(_ pid: Int32, name: String = "app") throws -> TestProc {
    self.pid = pid
    try file("stat", TestStat(pid: pid, name: name).line)
    try file("statm", "100 10 5 1 0 20 0\n")
    try file("status", TestStatus(name: name).text)
    try file("io", testIO(1))
    try file("limits", testLimits(openFiles: "1024", addressSpace: "unlimited"))
    try file("schedstat", "1000 2000 3\n")
    try file("cgroup", "0::/app\n")
    try file("oom_score", "666\n")
    try file("oom_score_adj", "0\n")
    try file("maps", testMaps(2))
    try file("smaps_rollup", testSmapsRollup(proportional: 20))
    try file("cmdline", "/usr/bin/app\0--serve\0")
    try file("environ", "PATH=/bin\0HOME=/\0")
    try file("net/netstat", "IpExt: InOctets OutOctets\nIpExt: 1000 2000\n")
    try file("ns/net", "")
    try add("exe", .link("/usr/bin/app"))
    try add("fd", .directory)
    try add("task", .directory)
    return self
  }

  /// Makes what follows be about a process that is there already.
  package func turn(to pid: Int32) { self.pid = pid }

  /// Adds or overwrites a file of the process.
  @discardableResult
  package func file(_ name: String, _ text: String, mode: UInt32 = 0o644) throws -> TestProc {
    try file(name, Array(text.utf8), mode: mode)
  }

  @discardableResult
  package func file(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws -> TestProc {
    try add(name, .file(bytes, mode: mode))
  }

  @discardableResult
  package func add(_ name: String, _ node: FixtureTree.Node) throws -> TestProc {
    var tree = FixtureTree()
    tree.entries["\(pid)/\(name)"] = node
    try tree.unpack(into: path)
    return self
  }

  /// Adds or overwrites files of a control group, by name; the group is a path below the mount.
  @discardableResult
  package func cgroup(_ group: String, _ files: [String: String]) throws -> TestProc {
    var tree = FixtureTree()
    let directory = group.isEmpty ? "sys/fs/cgroup" : "sys/fs/cgroup/\(group)"
    tree.entries[directory] = .directory
    for (name, text) in files {
      tree.entries["\(directory)/\(name)"] = .file(Array("\(text)\n".utf8), mode: 0o644)
    }
    try tree.unpack(into: path)
    return self
  }

  /// Takes away a control group with all that is in it, or one of its files.
  @discardableResult
  package func removeCgroup(_ group: String) -> TestProc {
    removeTree("\(path)/sys/fs/cgroup/\(group)")
    return self
  }

  /// Adds or overwrites a thread of the process, whose numbers are its own.
  ///
  /// Its `schedstat` has `run` nanoseconds on the CPU, half of them waiting, and a thousandth as many
  /// slices; for `io` see ``testIO(_:)``.
  @discardableResult
  package func thread(
    _ stat: TestStat, switches: TestStatus = TestStatus(), run: UInt64 = 0, io: UInt64 = 0,
    channel: String = "0"
  ) throws -> TestProc {
    let task = "task/\(stat.pid)"
    return try file("\(task)/stat", stat.line).file("\(task)/status", switches.text)
      .file("\(task)/schedstat", "\(run) \(run / 2) \(run / 1000)\n")
      .file("\(task)/io", testIO(io)).file("\(task)/wchan", channel)
  }

  /// Takes away a file of the process.
  @discardableResult
  package func remove(_ name: String) -> TestProc {
    removeTree("\(path)/\(pid)/\(name)")
    return self
  }

  /// Takes away a whole process, as when it has ended.
  @discardableResult
  package func removeProcess(_ pid: Int32) -> TestProc {
    removeTree("\(path)/\(pid)")
    return self
  }
}

/// The fields of a `stat` line that tests vary.
package struct TestStat {
  package var pid: Int32
  package var name: String
  package var state = "S"
  package var parent: Int32 = 1
  package var flags: UInt64 = 4_194_304
  package var minorFaults: UInt64 = 0
  package var majorFaults: UInt64 = 0
  package var userTicks: UInt64 = 0
  package var systemTicks: UInt64 = 0
  package var threads: UInt64 = 1
  package var startTicks: UInt64 = 100
  package var virtualBytes: UInt64 = 409_600
  package var residentPages: UInt64 = 10
  package var nice = 0
  package var realtimePriority: UInt64 = 0
  package var policy: UInt64 = 0

  package init(pid: Int32, name: String = "app") {
    self.pid = pid
    self.name = name
  }

  package var line: String {
    "\(pid) (\(name)) \(state) \(parent) \(pid) \(pid) 0 -1 \(flags) \(minorFaults) 0 "
      + "\(majorFaults) 0 \(userTicks) \(systemTicks) 0 0 20 \(nice) \(threads) 0 \(startTicks) "
      + "\(virtualBytes) \(residentPages) 18446744073709551615 1 1 0 0 0 0 0 4096 1256 0 0 0 17 "
      + "0 \(realtimePriority) \(policy) 0 0 0 0 0 0 0 0 0 0 0\n"
  }
}

/// The lines of a `status` file that tests vary.
package struct TestStatus {
  package var name = "app"
  package var voluntary: UInt64 = 0
  package var involuntary: UInt64 = 0

  package init(name: String = "app", voluntary: UInt64 = 0, involuntary: UInt64 = 0) {
    self.name = name
    self.voluntary = voluntary
    self.involuntary = involuntary
  }

  package var text: String {
    "Name:\t\(name)\nUmask:\t0022\nVmPeak:\t     500 kB\nVmHWM:\t      50 kB\nVmRSS:\t      40 kB\nRssAnon:\t      30 kB\n"
      + "RssFile:\t      10 kB\nVmSwap:\t       0 kB\nThreads:\t1\n"
      + "voluntary_ctxt_switches:\t\(voluntary)\nnonvoluntary_ctxt_switches:\t\(involuntary)\n"
  }
}

/// A `maps` file of so many mappings.
package func testMaps(_ count: Int) -> String {
  String(repeating: "7f0000000000-7f0000001000 r--p 00000000 00:19 77 /usr/bin/app\n", count: count)
}

/// A `smaps_rollup` file; all numbers are kibibytes.
package func testSmapsRollup(
  proportional: UInt64, clean: UInt64 = 4, dirty: UInt64 = 8, swap: UInt64 = 0
) -> String {
  """
  560a0d5b2000-7ffc3d220000 ---p 00000000 00:00 0                          [rollup]
  Rss:                1612 kB
  Pss:                \(proportional) kB
  Pss_Dirty:           116 kB
  Pss_Anon:            116 kB
  Shared_Clean:       1456 kB
  Private_Clean:      \(clean) kB
  Private_Dirty:      \(dirty) kB
  Private_Hugetlb:       0 kB
  Swap:                  7 kB
  SwapPss:            \(swap) kB
  Locked:                0 kB

  """
}

/// An `io` file: `base`, 10 × `base`, 100 × `base` … in the order of the lines.
package func testIO(_ base: UInt64) -> String {
  let names = [
    "rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes",
  ]
  var text = ""
  var value = base
  for name in names {
    text += "\(name): \(value)\n"
    value &*= 10
  }
  return text
}

/// A `limits` file.
package func testLimits(openFiles: String, addressSpace: String) -> String {
  func row(_ name: String, _ soft: String, _ hard: String, _ unit: String) -> String {
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.utf8.count))
    }
    return padded(name, 26) + padded(soft, 21) + padded(hard, 21) + padded(unit, 10) + "\n"
  }
  return row("Limit", "Soft Limit", "Hard Limit", "Units")
    + row("Max processes", "96365", "96365", "processes")
    + row("Max open files", openFiles, "32768", "files")
    + row("Max address space", addressSpace, "unlimited", "bytes")
    + row("Max file locks", "unlimited", "unlimited", "locks")
}
