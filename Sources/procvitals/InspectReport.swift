import Collector
import GoRuntime
import Linux
import ProcFS
import Targets

/// What `inspect` prints of one look at a process, and of what has changed since another one.
struct InspectReport {
  let pid: Int32
  let now: ProcessLook
  /// Nil if there was none.
  let before: ProcessLook?
  let capabilities: Set<Capability>
  /// Of the machine.
  let processors: Int

  init(
    _ pid: Int32, _ now: ProcessLook, _ before: ProcessLook?,
    capabilities: Set<Capability> = Capability.effective(), processors: Int = processorCount()
  ) {
    (self.pid, self.now, self.before) = (pid, now, before)
    (self.capabilities, self.processors) = (capabilities, processors)
  }

  /// The share of a limit from which on it is nearly reached.
  private static let alarm = 0.9
  /// Of a command line; more would fill the screen.
  private static let commandLimit = 300

  var sections: [InspectSection] {
    var sections = [
      InspectSection("process \(pid) \(printable(now.stat.name.bytes))", identity),
      InspectSection("vitals", vitals),
    ]
    if !limits.isEmpty { sections.append(InspectSection("limits", limits)) }
    switch now.go {
    case .noGo: break
    case .found(let finding):
      sections +=
        GoReport(
          finding: finding, now: now.nanosecondsSince1970, processors: processors
        ).sections
    case .unreadable(let why):
      sections.append(InspectSection("Go runtime", [("not given", printable(why))]))
    }
    if !now.troubles.isEmpty { sections.append(InspectSection("not readable", gaps)) }
    return sections
  }

  // MARK: Who it is

  private var identity: [InspectSection.Line] {
    var lines: [InspectSection.Line] = []
    if now.stat.isKernelThread {
      lines.append(("program", "none: it is a thread of the kernel"))
    } else if let program = now.program {
      lines.append(("program", printable(program)))
    }
    if let command = now.commandLine?.text, !command.isEmpty {
      let end = command.count > Self.commandLimit ? " …" : ""
      lines.append(("command line", printable(Array(command.prefix(Self.commandLimit))) + end))
    }
    if let user = now.user {
      let real = now.realUser.map { ", started by \(printable($0))" } ?? ""
      lines.append(("user", printable(user) + real))
    }
    if let path = now.cgroup?.path {
      if let unit = Cgroup.systemUnit(ofPath: path) { lines.append(("unit", printable(unit))) }
      if let container = Cgroup.containerName(ofPath: path) ?? Cgroup.containerID(ofPath: path) {
        lines.append(("container", printable(container)))
      }
      if let pod = Cgroup.podUID(ofPath: path) { lines.append(("pod", printable(pod))) }
      lines.append(("control group", printable(path)))
    }
    let start = now.startNanoseconds
    let age = UInt64(clamping: now.nanosecondsSince1970 &- start)
    lines += [
      ("started", "\(Quantity.moment(start)), \(Quantity.duration(nanoseconds: age)) ago"),
      ("state", state),
    ]
    if now.stat.parent > 0 {
      let name = now.parentName.map { " \(printable($0.bytes))" } ?? ""
      lines.append(("parent", "\(now.stat.parent)\(name)"))
    }
    return lines
  }

  private var state: String {
    if now.stat.hasEnded { return "has ended; its parent has not waited for it" }
    if now.stat.firstThreadHasEnded { return "its first thread has ended, others run" }
    return switch ThreadState(letter: now.stat.state) {
    case .running: "running"
    case .sleeping: "sleeping"
    case .diskSleep: "waiting in the kernel, not to be interrupted"
    case .stopped: "stopped by a signal or a debugger"
    case .zombie: "about to end"
    case .idle: "idle"
    }
  }

  // MARK: What it uses

  private var vitals: [InspectSection.Line] {
    var lines: [InspectSection.Line] = []
    let stat = now.stat
    let cpu = now.facts.seconds(ticks: stat.userTicks &+ stat.systemTicks)
    let age = Double(now.nanosecondsSince1970 &- now.startNanoseconds) / 1e9
    var shares: [String] = []
    if let rate = rate({ $0.stat.userTicks &+ $0.stat.systemTicks }) {
      shares.append("\(Quantity.percent(rate / Double(now.facts.ticksPerSecond))) now")
    }
    if age > 0 { shares.append("\(Quantity.percent(cpu / age)) since it started") }
    lines.append(("CPU", shares.joined(separator: ", ")))
    lines.append(
      ("CPU time", "\(seconds(stat.userTicks)) user, \(seconds(stat.systemTicks)) system"))
    memory(&lines)
    lines.append(("threads", "\(stat.threads)"))
    if let count = now.descriptors { lines.append(("descriptors", "\(count)")) }
    if let io = now.io {
      lines += [
        ("read", transfer(io.readBytes, io.readCalls, io.storageReadBytes) { $0.readBytes }),
        (
          "written",
          transfer(io.writtenBytes, io.writeCalls, io.storageWrittenBytes) { $0.writtenBytes }
        ),
      ]
    }
    if let switches = now.switches {
      let each = perSecond { $0.switches.map { $0.voluntary &+ $0.involuntary } }
      lines.append(
        (
          "context switches",
          "\(switches.voluntary) voluntary, \(switches.involuntary) involuntary\(each)"
        ))
    }
    lines.append(
      (
        "page faults",
        "\(stat.minorFaults) minor, \(stat.majorFaults) major"
          + perSecond { $0.stat.minorFaults &+ $0.stat.majorFaults }
      ))
    if let score = now.oomScore {
      let adjustment = now.oomScoreAdjustment.map { ", adjusted by \($0)" } ?? ""
      lines.append(("out-of-memory score", "\(score)\(adjustment)"))
    }
    return lines
  }

  private func memory(_ lines: inout [InspectSection.Line]) {
    guard let status = now.status, let resident = status.residentBytes else { return }
    func parts(_ pairs: [(String, UInt64?)]) -> String {
      pairs.compactMap { name, bytes in bytes.map { "\(name) \(Quantity.bytes($0))" } }
        .joined(separator: ", ")
    }
    lines.append(("resident", parts([("now", resident), ("peak", status.peakResidentBytes)])))
    let kinds = parts([
      ("anonymous", status.anonymousBytes), ("files", status.fileBytes),
      ("shared", status.sharedBytes),
    ])
    if !kinds.isEmpty { lines.append(("of it", kinds)) }
    if let swap = status.swapBytes { lines.append(("swapped out", Quantity.bytes(swap))) }
    lines.append(
      (
        "virtual", parts([("now", now.stat.virtualBytes), ("peak", status.peakVirtualBytes)])
      ))
  }

  private func transfer(
    _ bytes: UInt64, _ calls: UInt64, _ storage: UInt64, _ field: (IO) -> UInt64
  ) -> String {
    let each = rate { $0.io.map(field) }.map { ", \(bytesPerSecond($0))" } ?? ""
    return
      "\(Quantity.bytes(bytes)) in \(calls) calls, \(Quantity.bytes(storage)) of storage\(each)"
  }

  private func bytesPerSecond(_ rate: Double) -> String {
    "\(Quantity.bytes(UInt64(max(0, min(rate, 1e18))))) a second"
  }

  private func perSecond(_ count: (ProcessLook) -> UInt64?) -> String {
    rate(count).map { ", \(Quantity.decimal($0, places: 1)) a second" } ?? ""
  }

  /// How fast a number rises; nil if it is not known, or does not.
  private func rate(_ count: (ProcessLook) -> UInt64?) -> Double? {
    guard let before, let new = count(now), let old = count(before), new >= old else { return nil }
    let seconds = (now.instant - before.instant).seconds
    return seconds > 0 ? Double(new - old) / seconds : nil
  }

  private func seconds(_ ticks: UInt64) -> String {
    let (whole, rest) = ticks.quotientAndRemainder(dividingBy: now.facts.ticksPerSecond)
    return Quantity.duration(
      nanoseconds: whole &* 1_000_000_000
        &+ rest &* (1_000_000_000 / now.facts.ticksPerSecond))
  }

  // MARK: How near it is to what it is allowed

  private var limits: [InspectSection.Line] {
    typealias Entry = (
      name: String, resource: ResourceLimits.Resource, used: UInt64?, isBytes: Bool
    )
    let status = now.status
    let ticks = now.stat.userTicks &+ now.stat.systemTicks
    let entries: [Entry] = [
      ("descriptors", .openFiles, now.descriptors, false),
      ("address space", .addressSpaceBytes, now.stat.virtualBytes, true),
      ("data", .dataBytes, status?.dataBytes, true),
      ("locked memory", .memlockBytes, status?.lockedBytes, true),
      ("stack", .stackBytes, status?.stackBytes, true),
      ("pending signals", .pendingSignals, status?.pendingSignals, false),
      ("CPU seconds", .cpuSeconds, ticks / max(1, now.facts.ticksPerSecond), false),
      ("processes of user", .processes, nil, false), ("file size", .fileSizeBytes, nil, true),
      ("core file", .coreBytes, nil, true),
    ]
    var lines: [InspectSection.Line] = []
    var unlimited: [String] = []
    for entry in entries {
      guard let pair = now.limits[entry.resource] else { continue }
      guard let soft = pair.soft else {
        unlimited.append(entry.name)
        continue
      }
      var text = share(entry.used, soft, entry.isBytes)
      if pair.hard != soft {
        text += ", hard " + (pair.hard.map { amount($0, entry.isBytes) } ?? "unlimited")
      }
      lines.append((entry.name, text))
    }
    if let maps = now.maps, let limit = now.mapLimit {
      lines.append(("memory mappings", share(maps, limit, false)))
    }
    group(&lines)
    if !unlimited.isEmpty { lines.append(("unlimited", unlimited.joined(separator: ", "))) }
    return lines
  }

  private func group(_ lines: inout [InspectSection.Line]) {
    let groups = now.groups
    if let memory = groups.memory {
      var text = Quantity.bytes(memory.usageBytes)
      if let peak = memory.peakBytes { text += ", peak \(Quantity.bytes(peak))" }
      if let swap = memory.swapBytes { text += ", swapped out \(Quantity.bytes(swap))" }
      if let kills = memory.events.oomKill, kills > 0 { text += ", \(kills) killed for memory" }
      lines.append(("memory of its group", text))
    }
    bound("group's memory", groups.memoryBound, true, &lines)
    bound("memory before reclaim", groups.highBound, true, &lines)
    if let bandwidth = groups.bandwidth {
      var text = "\(Quantity.decimal(bandwidth.limitCores)) CPUs"
      let rate = rate { look in
        look.groups.bandwidthPath == groups.bandwidthPath ? look.groups.cpuNanoseconds : nil
      }
      if let rate { text = "\(Quantity.decimal(rate / 1e9)) of \(text)" }
      if let throttled = bandwidth.throttledPeriods, let periods = bandwidth.periods {
        text += ", throttled in \(throttled) of \(periods) periods"
      }
      lines.append(("group's CPU", text + " (\(printable(groups.bandwidthPath)))"))
    }
    bound("group's tasks", groups.taskBound, false, &lines)
  }

  private func bound(
    _ name: String, _ bound: CgroupLook.Bound?, _ isBytes: Bool,
    _ lines: inout [InspectSection.Line]
  ) {
    guard let bound else { return }
    lines.append((name, share(bound.used, bound.limit, isBytes) + " (\(printable(bound.path)))"))
  }

  private func share(_ used: UInt64?, _ limit: UInt64, _ isBytes: Bool) -> String {
    guard let used else { return amount(limit, isBytes) }
    let left = limit > used ? limit - used : 0
    let share = limit > 0 ? Double(used) / Double(limit) : 1
    let alarm = used == 0 || share < Self.alarm ? "" : left > 0 ? ": nearly reached" : ": reached"
    return amount(used, isBytes) + " of " + amount(limit, isBytes) + ", "
      + amount(left, isBytes) + " left" + alarm
  }

  private func amount(_ number: UInt64, _ isBytes: Bool) -> String {
    isBytes ? Quantity.bytes(number) : String(number)
  }

  // MARK: What is missing

  private var gaps: [InspectSection.Line] {
    var lines: [InspectSection.Line] = []
    var rights = Rights()
    rights.effective = capabilities
    for error in now.troubles {
      guard let trouble = Trouble(error) else { continue }
      var text = "\(error)"
      if trouble.reason == .denied {
        let needs = trouble.source.needs.map(\.rawValue).joined(separator: " and ")
        rights.gaps.append(Rights.Gap(source: trouble.source.label, needs: trouble.source.needs))
        text = "permission denied: expected the same user, or \(needs)"
        if case .denied(.exe) = error {
          text += "; whether it is a Go program is not known"
        }
      }
      let line = (trouble.source.label, printable(text))
      if !lines.contains(where: { $0 == line }) { lines.append(line) }
    }
    if let dropIn = rights.dropIn {
      lines.append(("what allows it", "to be root, or for the daemon this drop-in of its unit:"))
      lines += dropIn.split(separator: "\n").map { ("", String($0)) }
    } else if !rights.gaps.isEmpty {
      lines.append(
        (
          "although",
          "the capabilities are there: look for a security module, a system call filter or a user"
            + " namespace"
        ))
    }
    return lines
  }
}
