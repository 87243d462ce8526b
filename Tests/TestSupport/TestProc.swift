/// Builds a tree of /proc for variations of one line.
///
///     let tree = try TestProc().process(7).file("stat", "…")
///
/// A process begins with files that parse: one thread, no descriptors, little memory.
package final class TestProc {
  package let directory: TemporaryDirectory
  package var path: String { directory.path }
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
  package var minorFaults: UInt64 = 0
  package var majorFaults: UInt64 = 0
  package var userTicks: UInt64 = 0
  package var systemTicks: UInt64 = 0
  package var threads: UInt64 = 1
  package var startTicks: UInt64 = 100
  package var virtualBytes: UInt64 = 409_600
  package var residentPages: UInt64 = 10

  package init(pid: Int32, name: String = "app") {
    self.pid = pid
    self.name = name
  }

  package var line: String {
    "\(pid) (\(name)) \(state) \(parent) \(pid) \(pid) 0 -1 4194304 \(minorFaults) 0 "
      + "\(majorFaults) 0 \(userTicks) \(systemTicks) 0 0 20 0 \(threads) 0 \(startTicks) "
      + "\(virtualBytes) \(residentPages) 18446744073709551615 1 1 0 0 0 0 0 4096 1256 0 0 0 17 "
      + "0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
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
