import Linux
import ProcFS

/// What the control groups of one process limit, and how near their processes are to it.
///
/// A group's limit also holds for the groups in it, so all that a process is in count.
struct CgroupLook {
  /// A limit, and what the group that sets it uses of it.
  struct Bound: Equatable {
    var used: UInt64
    var limit: UInt64
    /// Of the group.
    var path: String

    var left: UInt64 { limit > used ? limit - used : 0 }
  }

  /// Of the innermost group that accounts for it.
  var memory: CgroupMemory?
  var tasks: UInt64?
  /// Those with the least left.
  var memoryBound, highBound, taskBound: Bound?
  /// The lowest limit of CPU time, with the group that sets it.
  var bandwidth: CgroupBandwidth?
  var bandwidthPath = ""
  /// CPU time of that group.
  var cpuNanoseconds: UInt64?
  /// What could not be read.
  private(set) var troubles: [ProcError] = []

  init() {}

  init(_ cgroup: Cgroup, _ tree: borrowing CgroupTree) {
    var failures: [ProcError] = []
    var buffer = ReadBuffer(capacity: 4 << 10, limit: 1 << 20)
    failures += Self.each(.memory, cgroup, tree) { (group, path) throws(ProcError) in
      guard let memory = try group.memory(&buffer, keep: false) else { return }
      self.memory = self.memory ?? memory
      let limits = try group.memoryLimits(&buffer, keep: false)
      Self.tighten(&memoryBound, memory.usageBytes, limits.bytes, path)
      Self.tighten(&highBound, memory.usageBytes, limits.highBytes, path)
    }
    failures += Self.each(.cpu, cgroup, tree) { (group, path) throws(ProcError) in
      guard let new = try group.bandwidth(&buffer, keep: false), new.limitCores.isFinite,
        new.limitCores < bandwidth?.limitCores ?? .infinity
      else { return }
      (bandwidth, bandwidthPath) = (new, path)
      cpuNanoseconds = try group.cpuNanoseconds(&buffer, keep: false)
    }
    failures += Self.each(.pids, cgroup, tree) { (group, path) throws(ProcError) in
      guard let tasks = try group.tasks(&buffer, keep: false) else { return }
      self.tasks = self.tasks ?? tasks.count
      Self.tighten(&taskBound, tasks.count, tasks.limit, path)
    }
    troubles = failures
  }

  /// Calls `body` with the group of a process and those that it is in, but for that of the machine.
  ///
  /// - Returns: What could not be read.
  private static func each(
    _ controller: CgroupHierarchy, _ cgroup: Cgroup, _ tree: borrowing CgroupTree,
    _ body: (CgroupHandle, String) throws(ProcError) -> Void
  ) -> [ProcError] {
    var troubles: [ProcError] = []
    var at = tree.path(controller, of: cgroup)
    while let path = at, !tree.isMachine(path) {
      at = path.parent
      do throws(Errno) {
        let group = try tree.open(path)
        do throws(ProcError) {
          try body(group, "/" + path.path)
        } catch {
          if error != .gone { troubles.append(error) }
        }
      } catch {
        // A group that was removed, or that is outside of what can be seen here.
        if error != .notFound { troubles.append(ProcError(.cgroupFiles, error)) }
      }
    }
    return troubles
  }

  private static func tighten(
    _ bound: inout Bound?, _ used: UInt64, _ limit: UInt64?, _ path: String
  ) {
    guard let limit else { return }
    let new = Bound(used: used, limit: limit, path: path)
    if let old = bound, old.left <= new.left { return }
    bound = new
  }
}
