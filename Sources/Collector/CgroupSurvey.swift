import ProcFS
import Targets

/// The control groups that a target's processes are in, each counted once.
package struct CgroupSurvey {
  /// Absent is what no group tells of.
  private(set) var memoryBytes, memoryPeakBytes, memorySwapBytes: UInt64?
  private(set) var memoryLimitBytes, memoryHighBytes, memorySwapLimitBytes: UInt64?
  private(set) var tasks, taskLimit: UInt64?
  private(set) var cpuLimitCores: Double?

  private var cpu = CgroupCounters(count: 1)
  private var throttling = CgroupCounters(count: 3)
  private var events = CgroupCounters(count: Self.eventNames.count)
  private var pressure = CgroupCounters(count: 6)

  var cpuNanoseconds: UInt64? { cpu.sums[0] }
  var periods: UInt64? { throttling.sums[0] }
  var throttledPeriods: UInt64? { throttling.sums[1] }
  var throttledNanoseconds: UInt64? { throttling.sums[2] }
  var memoryEvents: [(name: String, count: UInt64)] {
    zip(Self.eventNames, events.sums).compactMap { name, count in count.map { (name, $0) } }
  }
  var cpuWaitingMicroseconds: UInt64? { pressure.sums[0] }
  var cpuStalledMicroseconds: UInt64? { pressure.sums[1] }
  var ioWaitingMicroseconds: UInt64? { pressure.sums[2] }
  var ioStalledMicroseconds: UInt64? { pressure.sums[3] }
  var memoryWaitingMicroseconds: UInt64? { pressure.sums[4] }
  var memoryStalledMicroseconds: UInt64? { pressure.sums[5] }

  private static let eventNames = ["low", "high", "max", "oom", "oom_kill", "oom_group_kill"]

  /// Which rows are on.
  var readsFiles = false
  var readsPressure = false
  /// The distinct ones of this collection, each with a process that is in it.
  private var memberships: [(membership: CgroupMembership, member: Member)] = []
  private var known: Set<ObjectIdentifier> = []
  /// What went wrong in this collection and was counted.
  private var troubles: Set<Trouble> = []
  private var missing: Set<CgroupPath> = []

  mutating func begin() {
    memberships.removeAll(keepingCapacity: true)
    known.removeAll(keepingCapacity: true)
    troubles.removeAll(keepingCapacity: true)
    missing.removeAll(keepingCapacity: true)
  }

  mutating func visit(_ member: Member, _ target: Target, _ reader: CgroupReader) {
    guard let membership = reader.membership(member, target),
      membership !== memberships.last?.membership,
      known.insert(ObjectIdentifier(membership)).inserted
    else { return }
    let limit = reader.limits.cgroupsPerTarget
    if memberships.count == limit {
      note(
        target, Trouble(.file(.cgroupFiles), .limit),
        "has processes in more than \(limit) control groups (limits.cgroups_per_target); the "
          + "others are left out")
    } else {
      memberships.append((membership, member))
    }
  }

  mutating func finish(_ target: Target, _ reader: CgroupReader) {
    let memory = reader.limits.cgroupsPerTarget
    if readsFiles {
      finishMemory(target, reader, memory)
      finishCPU(target, reader, memory)
      finishTasks(target, reader)
    }
    if readsPressure {
      let groups = groups(target, reader, \.unified) { _ in true }
      let seen = groups.all.map { group in
        let now = reader.pressure(group)
        return (
          group,
          [now?.cpu, now?.io, now?.memory].flatMap { [$0?.someMicroseconds, $0?.fullMicroseconds] }
        )
      }
      update(\.pressure, seen, reader, memory)
      noteFailures(groups.all, target, reader)
    }
  }

  // MARK: Subjects

  private mutating func finishMemory(_ target: Target, _ reader: CgroupReader, _ memory: Int) {
    let groups = groups(target, reader, \.memory) { reader.memory($0) != nil }
    let records = groups.outermost.compactMap { reader.memory($0) }
    memoryBytes = sum(records.map(\.usageBytes))
    memoryPeakBytes = records.compactMap(\.peakBytes).max()
    memorySwapBytes = sum(records.compactMap(\.swapBytes))
    memoryLimitBytes = whole(groups, reader) { reader.memoryLimits($0)?.bytes }
    memoryHighBytes = whole(groups, reader) { reader.memoryLimits($0)?.highBytes }
    memorySwapLimitBytes = whole(groups, reader) { reader.memoryLimits($0)?.swapBytes }
    let withSwap = whole(groups, reader) { reader.memoryLimits($0)?.withSwapBytes }
    if let withSwap, let bytes = memoryLimitBytes {
      memorySwapLimitBytes = withSwap > bytes ? withSwap - bytes : 0
    }
    let seen = groups.all.map { group in
      let now = reader.memory(group)?.events
      return (
        group, [now?.low, now?.high, now?.max, now?.oom, now?.oomKill, now?.oomGroupKill]
      )
    }
    update(\.events, seen, reader, memory)
    noteFailures(groups.all, target, reader)
  }

  private mutating func finishCPU(_ target: Target, _ reader: CgroupReader, _ memory: Int) {
    let accounted = groups(target, reader, \.cpuacct) { reader.cpuNanoseconds($0) != nil }
    let used = accounted.all.map { ($0, [reader.cpuNanoseconds($0)]) }
    update(\.cpu, used, reader, memory)

    let groups = groups(target, reader, \.cpu) { reader.cpuLimit($0) != nil }
    cpuLimitCores = limit(groups, reader) { reader.cpuLimit($0) }
    // Who is held back is in the group that sets the limit, or in one that is in it.
    let limiting = Set(groups.outermost.map { tightest($0, reader) })
    let seen = limiting.map { group in
      let now = reader.bandwidth(group)
      return (group, [now?.periods, now?.throttledPeriods, now?.throttledNanoseconds])
    }
    update(\.throttling, seen, reader, memory, includesInner: false)
    noteFailures(accounted.all.union(groups.all), target, reader)
  }

  /// Of a group and those that it is in, the one with the lowest limit of CPU time.
  private func tightest(_ group: CgroupPath, _ reader: CgroupReader) -> CgroupPath {
    var (best, cores) = (group, reader.cpuLimit(group) ?? .infinity)
    var at = group.parent
    while let outer = at, !reader.isMachine(outer) {
      if let limit = reader.cpuLimit(outer), limit < cores { (best, cores) = (outer, limit) }
      at = outer.parent
    }
    return best
  }

  private mutating func finishTasks(_ target: Target, _ reader: CgroupReader) {
    let groups = groups(target, reader, \.pids) { reader.tasks($0) != nil }
    tasks = sum(groups.outermost.compactMap { reader.tasks($0)?.count })
    taskLimit = limit(groups, reader) { reader.taskLimit($0) }.flatMap { UInt64(exactly: $0) }
    noteFailures(groups.all, target, reader)
  }

  // MARK: Groups

  /// The groups of a target for one controller.
  private struct Groups {
    var all: Set<CgroupPath> = []
    /// Those that are in no other one.
    var outermost: Set<CgroupPath> = []
    /// Whether every process is in one of them.
    var holdsAll = true
  }

  private mutating func groups(
    _ target: Target, _ reader: CgroupReader, _ place: KeyPath<CgroupMembership, CgroupPath?>,
    _ isKnown: (CgroupPath) -> Bool
  ) -> Groups {
    var groups = Groups()
    for (membership, member) in memberships {
      guard let path = membership[keyPath: place] else { continue }
      if let group = exists(path, membership, member, target, reader)
        ? reader.nearest(path, isKnown) : nil
      {
        groups.all.insert(group)
      } else {
        groups.holdsAll = false
      }
    }
    groups.outermost = groups.all.filter { !$0.hasAncestor(in: groups.all) }
    return groups
  }

  /// Whether a group is there; one that is not is counted, unless it has just been left.
  private mutating func exists(
    _ path: CgroupPath, _ membership: CgroupMembership, _ member: Member, _ target: Target,
    _ reader: CgroupReader
  ) -> Bool {
    if reader.exists(path) { return true }
    if let failure = reader.failure(path) {
      if let trouble = Trouble(failure) {
        note(target, trouble, "control group /\(path.path): \(failure)")
      }
    } else if missing.insert(path).inserted, !path.isRemoved,
      !reader.hasMoved(member, from: membership)
    {
      note(
        target, Trouble(.file(.cgroupFiles), .missing),
        path.isOutside
          ? "process \(member.pid) is in the control group /\(path.path), which is outside of this "
            + "daemon's cgroup namespace; let it run in that of the machine"
          : "process \(member.pid) is in the control group /\(path.path), which is not there; "
            + "expected the machine's control groups below --path.sysfs")
    }
    return false
  }

  private mutating func noteFailures(
    _ groups: Set<CgroupPath>, _ target: Target, _ reader: CgroupReader
  ) {
    var looked: Set<CgroupPath> = []
    for group in groups {
      var at: CgroupPath? = group
      while let path = at, looked.insert(path).inserted {
        if let failure = reader.failure(path), let trouble = Trouble(failure) {
          note(target, trouble, "control group /\(path.path): \(failure)")
        }
        at = path.parent
      }
    }
  }

  private mutating func note(
    _ target: Target, _ trouble: Trouble, _ detail: @autoclosure () -> String
  ) {
    if troubles.insert(trouble).inserted { target.note(trouble, detail()) }
  }

  // MARK: Values

  private func limit(
    _ groups: Groups, _ reader: CgroupReader, _ own: (CgroupPath) -> Double?
  ) -> Double? {
    guard groups.holdsAll else { return nil }
    return bound(groups.outermost) { path in
      if reader.isMachine(path) { return .infinity }
      let limit = own(path)
      return limit ?? (reader.failure(path) == nil ? .infinity : nil)
    }
  }

  private func whole(
    _ groups: Groups, _ reader: CgroupReader, _ own: (CgroupPath) -> UInt64?
  ) -> UInt64? {
    limit(groups, reader) { own($0).map { Double($0) } }.flatMap { UInt64(exactly: $0) }
  }

  private func sum(_ numbers: [UInt64]) -> UInt64? {
    numbers.isEmpty ? nil : numbers.reduce(0, &+)
  }

  private mutating func update(
    _ counters: WritableKeyPath<CgroupSurvey, CgroupCounters>,
    _ seen: [(path: CgroupPath, values: [UInt64?])], _ reader: CgroupReader, _ memory: Int,
    includesInner: Bool = true
  ) {
    let groups = seen.compactMap { path, values in
      reader.inode(path).map { inode in
        CgroupCounters.Seen(
          path: path, inode: inode, values: values, includesInner: includesInner)
      }
    }
    self[keyPath: counters].update(groups, memory: memory)
  }
}
