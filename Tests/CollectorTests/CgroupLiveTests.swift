import Glibc
import Linux
import TestSupport
import Testing

@testable import Collector

/// A control group of this test, in every hierarchy there is; removed again with what runs in it.
private final class OwnGroup {
  private static let top = "/sys/fs/cgroup"
  private static let isVersion2 = access("\(top)/cgroup.controllers", F_OK) == 0
  let name: String
  private var children: [Child] = []

  init(_ purpose: String) throws {
    name = "procvitals-test-\(getpid())-\(purpose)"
    try make()
  }

  deinit {
    children = []
    remove()
  }

  private var directories: [String] {
    if Self.isVersion2 { return ["\(Self.top)/\(name)"] }
    return ["memory", "cpu", "cpuacct", "pids", "unified"].map { "\(Self.top)/\($0)/\(name)" }
  }

  func make() throws {
    for directory in directories where mkdir(directory, 0o755) != 0 && errno != EEXIST {
      throw Errno(errno)
    }
  }

  /// Ended processes may need a moment to leave it.
  func remove() {
    for directory in directories {
      _ = eventually { rmdir(directory) == 0 || errno == ENOENT }
    }
  }

  private func path(_ controller: String, _ file: String) -> String {
    Self.isVersion2 ? "\(Self.top)/\(name)/\(file)" : "\(Self.top)/\(controller)/\(name)/\(file)"
  }

  func write(_ controller: String, new: String?, old: String?, _ value: String) throws {
    guard let file = Self.isVersion2 ? new : old else { return }
    let path = path(controller, file)
    let end = open(path, O_WRONLY)
    guard end >= 0 else { throw FileFailure.cannotWrite(path) }
    defer { close(end) }
    guard Glibc.write(end, value, value.utf8.count) > 0 else { throw FileFailure.cannotWrite(path) }
  }

  /// The first number behind a key, or of the file.
  func number(
    _ controller: String, new: String, old: String, _ key: String? = nil
  ) throws -> Double? {
    let text = try contents(path(controller, Self.isVersion2 ? new : old))
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      if key == nil || words.first.map(String.init) == key {
        return words.last.flatMap { Double($0) }
      }
    }
    return nil
  }

  /// Pressure is version 2's, wherever that is.
  func pressure(_ file: String, _ kind: String) throws -> Double? {
    let path = Self.isVersion2 ? "\(Self.top)/\(name)" : "\(Self.top)/unified/\(name)"
    for line in String(decoding: try contents("\(path)/\(file)"), as: UTF8.self)
      .split(separator: "\n") where line.hasPrefix(kind)
    {
      return line.split(separator: "=").last.flatMap { Double($0) }.map { $0 / 1e6 }
    }
    return nil
  }

  /// Starts a process that moves itself here before it runs a shell command.
  func start(_ command: String, shell: String = "sh") throws -> Child {
    let moves = directories.map { "echo $$ > \($0)/cgroup.procs && " }.joined()
    let child = try Child(shell, "-c", moves + command)
    children.append(child)
    return child
  }

  func forget(_ child: Child) { children.removeAll { $0 === child } }
}

extension FileFailure {
  fileprivate static func cannotWrite(_ path: String) -> any Error {
    Failure(description: "\(path): \(String(cString: strerror(errno)))")
  }

  private struct Failure: Error, CustomStringConvertible { var description: String }
}

/// Whether groups can be made and have controllers.
private let canMakeGroups: Bool = {
  guard isRoot, let group = try? OwnGroup("probe") else { return false }
  return (try? group.number("memory", new: "memory.current", old: "memory.usage_in_bytes")) != nil
    && (try? group.number("pids", new: "pids.current", old: "pids.current")) != nil
}()

@Suite(.serialized, .enabled(if: canMakeGroups, "only root can make control groups, if at all"))
struct CgroupLiveTests {
  @Test func limitsAndUseAsTheFilesSay() throws {
    let group = try OwnGroup("limits")
    try group.write("memory", new: "memory.max", old: "memory.limit_in_bytes", "52428800")
    try group.write("cpu", new: "cpu.max", old: "cpu.cfs_quota_us", "20000")
    try group.write("pids", new: "pids.max", old: "pids.max", "77")
    let child = try group.start("while :; do :; done")
    let asking = try Asking([target("app", pid: child.pid)])
    let page = try asking.collect {
      ($0.value("process_cgroup_cpu_throttled_periods_total") ?? 0) > 2
        && ($0.value("process_pressure_cpu_waiting_seconds_total") ?? 0) > 0
    }
    #expect(page.value("process_cgroup_memory_limit_bytes") == 52_428_800)
    #expect(page.value("process_cgroup_cpu_limit_cores") == 0.2)
    #expect(page.value("process_cgroup_tasks_limit") == 77)
    #expect(page.value("process_cgroup_tasks") == 1)
    #expect(page.value("process_oom_kills_total") == 0)
    // It stands still, so that all that is read now is of one moment.
    child.send(SIGSTOP)
    let isStill = try eventually {
      String(decoding: try contents("/proc/\(child.pid)/stat"), as: UTF8.self).contains(") T ")
    }
    #expect(isStill)
    var agree: [String: (page: Double?, file: Double?)] = [:]
    _ = try eventually {
      let page = try asking.collect()
      func note(_ name: String, _ file: Double?) { agree[name] = (page.value(name), file) }
      note(
        "process_cgroup_memory_bytes",
        try group.number("memory", new: "memory.current", old: "memory.usage_in_bytes"))
      note(
        "process_cgroup_memory_peak_bytes",
        try group.number("memory", new: "memory.peak", old: "memory.max_usage_in_bytes"))
      note(
        "process_cgroup_cpu_throttled_periods_total",
        try group.number("cpu", new: "cpu.stat", old: "cpu.stat", "nr_throttled"))
      note(
        "process_cgroup_cpu_periods_total",
        try group.number("cpu", new: "cpu.stat", old: "cpu.stat", "nr_periods"))
      note(
        "process_pressure_cpu_waiting_seconds_total", try group.pressure("cpu.pressure", "some"))
      note(
        "process_pressure_memory_waiting_seconds_total",
        try group.pressure("memory.pressure", "some"))
      note(
        "process_pressure_io_stalled_seconds_total", try group.pressure("io.pressure", "full"))
      return agree.values.allSatisfy { $0.page == $0.file }
    }
    for (name, values) in agree {
      #expect(values.page != nil && values.page == values.file, "\(name)")
    }
  }

  /// Kept files of a group that was removed fail, and the one that is there now is read.
  @Test func groupThatIsMadeAnew() throws {
    let directory = try TemporaryDirectory()
    let name = "pvg\(getpid())"
    let shell = "\(directory.path)/\(name)"
    symlink("/bin/sh", shell)
    let group = try OwnGroup("anew")
    let asking = try Asking([target("app", named: name)])
    var last = 0.0
    for round in 1...3 {
      try group.make()
      try group.write("pids", new: "pids.max", old: "pids.max", "\(round * 10)")
      let child = try group.start("while :; do :; done", shell: shell)
      let page = try asking.collect {
        $0.value("process_cgroup_tasks_limit") == Double(round * 10)
          && ($0.value("process_cgroup_cpu_seconds_total") ?? 0) > last + 0.05
      }
      #expect(page.value("process_cgroup_tasks_limit") == Double(round * 10))
      let used = try #require(page.value("process_cgroup_cpu_seconds_total"))
      #expect(used > last + 0.05)
      last = used
      child.send(SIGKILL)
      child.reap()
      group.forget(child)
      group.remove()
    }
  }

  private func machineKills() throws -> Int {
    let lines = String(decoding: try contents("/proc/vmstat"), as: UTF8.self).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("oom_kill ") })
    return try #require(Int(line.dropFirst(9)))
  }

  /// With and without the group being gone before anybody can look at it.
  @Test(
    .enabled(if: tellsExits, "this kernel does not tell how processes end (Linux 6.15 does)"),
    arguments: [false, true])
  func onlyEndsByTheKernelAreOOMKills(isRemoved: Bool) throws {
    let directory = try TemporaryDirectory()
    let fifo = "\(directory.path)/fifo"
    guard mkfifo(fifo, 0o600) == 0 else { throw Errno(errno) }
    let group = try OwnGroup("oom-\(isRemoved)")
    try group.write("memory", new: "memory.max", old: "memory.limit_in_bytes", "20971520")
    try group.write("memory", new: nil, old: "memory.memsw.limit_in_bytes", "20971520")
    try group.write("memory", new: "memory.swap.max", old: nil, "0")
    // tail keeps what may be the last lines, and this file has no end of one.
    let greedy = try group.start("read line < \(fifo); exec tail /dev/zero")
    let modest = try group.start("exec sleep 1000")
    let other = try Child("sleep", "1000")
    let targets = [("greedy", greedy), ("modest", modest), ("other", other)]
    let asking = try Asking(targets.map { target($0.0, pid: $0.1.pid) })
    let before = try asking.collect {
      $0.value("process_cgroup_memory_limit_bytes", "greedy") == 20_971_520
        && $0.value("process_cgroup_memory_limit_bytes", "modest") == 20_971_520
    }
    for (name, _) in targets { #expect(before.value("process_oom_kills_total", name) == 0) }

    let machineBefore = try machineKills()
    let end = open(fifo, O_WRONLY)
    write(end, "\n", 1)
    close(end)
    greedy.waitForEnd()
    for child in [modest, other] {
      child.send(SIGKILL)
      child.waitForEnd()
    }
    if isRemoved { group.remove() }
    for (_, child) in targets { child.reap() }
    let page = try asking.collect { page in
      targets.allSatisfy { name, _ in page.text.contains("process_exits_total{target=\"\(name)\"") }
    }
    for (name, _) in targets {
      let series = "process_exits_total{target=\"\(name)\",reason=\"signalled\",status=\"SIGKILL\"}"
      #expect(page[series] == 1)
    }
    let kills = targets.map { page.value("process_oom_kills_total", $0.0) ?? -1 }
    // Of groups that are gone only the machine's count tells, which others may have raised.
    if try !isRemoved || machineKills() == machineBefore + 1 {
      #expect(kills == [1, 0, 0])
    } else {
      #expect(kills[0] == 1 && kills[2] == 0)
    }
  }
}
