import Linux
import ProcFS
import Targets

/// The control groups of all processes whose `/proc/PID/cgroup` reads alike.
final class CgroupMembership {
  /// What the file says.
  fileprivate let text: [UInt8]
  /// Where they are for each controller; nil where there is no such hierarchy.
  let memory, cpu, cpuacct, pids: CgroupPath?
  /// Where they are in version 2, whatever its controllers.
  let unified: CgroupPath?
  fileprivate var round: UInt64 = 0
  /// Whether it is found by its text.
  fileprivate var isListed = true

  fileprivate init(_ text: [UInt8], _ cgroup: Cgroup, _ tree: borrowing CgroupTree) {
    self.text = text
    memory = tree.path(.memory, of: cgroup)
    cpu = tree.path(.cpu, of: cgroup)
    cpuacct = tree.path(.cpuacct, of: cgroup)
    pids = tree.path(.pids, of: cgroup)
    unified = tree.path(.unified, of: cgroup)
  }
}

/// Reads the control groups of all targets' processes, each file of them at most once a collection.
final class CgroupReader {
  /// What is known of a control group in one collection; an outer nil was not asked for yet.
  private final class Node {
    var handle: CgroupHandle?
    var keeps = false
    var round: UInt64 = 0
    var failure: ProcError?
    var memory: CgroupMemory??
    var memoryLimits: CgroupMemoryLimits??
    var oomKills: UInt64??
    var cpuLimit: Double??
    var bandwidth: CgroupBandwidth??
    var cpuNanoseconds: UInt64??
    var tasks: CgroupTasks??
    var taskLimit: Double??
    var pressure: CgroupPressure??

    func forget() {
      failure = nil
      memory = nil
      memoryLimits = nil
      oomKills = nil
      cpuLimit = nil
      bandwidth = nil
      cpuNanoseconds = nil
      tasks = nil
      taskLimit = nil
      pressure = nil
    }
  }

  private let tree: CgroupTree
  var limits = CollectorLimits() {
    didSet {
      nodes = [:]
      kept = 0
    }
  }
  private var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
  private var round: UInt64 = 0
  private var memberships: [[UInt8]: CgroupMembership] = [:]
  /// By the members' slots, with the collection it was read in.
  private var bySlot: [(membership: CgroupMembership?, round: UInt64)] = []
  private var nodes: [CgroupPath: Node] = [:]
  /// Descriptors of nodes that are kept open, at most.
  private var kept = 0

  init(_ tree: consuming CgroupTree) { self.tree = tree }

  /// Starts a collection.
  func begin() { round &+= 1 }

  /// Ends a collection: what was not needed is let go of.
  ///
  /// - Parameter collections: For how many collections before this one it is kept all the same.
  func finish(keeping collections: Int) {
    let oldest = round - min(UInt64(clamping: collections), round)
    for (path, node) in nodes where node.round < oldest || !node.keeps {
      if node.keeps { kept -= Self.mostDescriptors(path.hierarchy) }
      nodes[path] = nil
    }
    for (text, membership) in memberships where membership.round < oldest {
      membership.isListed = false
      memberships[text] = nil
    }
  }

  /// How many descriptors a control group takes that is kept open.
  private static func mostDescriptors(_ hierarchy: CgroupHierarchy) -> Int {
    switch hierarchy {
    case .unified: 16
    case .memory: 8
    case .cpu: 4
    case .cpuacct: 2
    case .pids: 3
    }
  }

  // MARK: Where a process is

  /// The control groups of a process; nil if there are none or they cannot be read.
  ///
  /// The file is read in every collection: a process that is moved is seen where it is. Nothing
  /// cheaper tells that for both versions: PIDFD_GET_INFO (Linux 6.13) knows of version 2 only.
  func membership(_ member: Member, _ target: Target) -> CgroupMembership? {
    if tree.isEmpty { return nil }
    while bySlot.count <= member.slot { bySlot.append((nil, 0)) }
    if bySlot[member.slot].round == round { return bySlot[member.slot].membership }
    let membership = read(member, target, bySlot[member.slot].membership)
    membership?.round = round
    bySlot[member.slot] = (membership, round)
    return membership
  }

  private func read(
    _ member: Member, _ target: Target, _ known: CgroupMembership?
  ) -> CgroupMembership? {
    do throws(ProcError) {
      let cgroup = try member.handle.cgroup(
        &buffer, keep: member.keepsFiles, unless: known?.text ?? [])
      guard let cgroup else {
        // It may have been let go of meanwhile.
        if let known, !known.isListed {
          known.isListed = true
          memberships[known.text] = known
        }
        return known
      }
      let text = buffer.content
      if let same = memberships[text] { return same }
      let new = CgroupMembership(text, cgroup, tree)
      memberships[text] = new
      return new
    } catch {
      target.note(error, pid: member.pid)
      return nil
    }
  }

  /// Whether a process is in other control groups than it was found to be in, or has ended.
  func hasMoved(_ member: Member, from membership: CgroupMembership) -> Bool {
    do throws(ProcError) {
      return try member.handle.cgroup(&buffer, keep: member.keepsFiles, unless: membership.text)
        != nil
    } catch {
      return true
    }
  }

  /// Whether a group is all of the machine.
  func isMachine(_ path: CgroupPath) -> Bool { tree.isMachine(path) }

  /// Whether there is a directory for a group.
  func exists(_ path: CgroupPath) -> Bool { open(node(path), path) != nil }

  /// The nearest group, beginning with a given one, of which something is known by itself; nil if
  /// that is only known of all of the machine.
  ///
  /// Controllers of version 2 need not be enabled all the way down. A group of which something
  /// could not be read is taken to be the one.
  func nearest(_ path: CgroupPath, _ isKnown: (CgroupPath) -> Bool) -> CgroupPath? {
    var at = path
    while !isMachine(at) {
      if isKnown(at) || failure(at) != nil { return at }
      guard let parent = at.parent else { return nil }
      at = parent
    }
    return nil
  }

  /// What tells a group from every other one that had or will have its path.
  func inode(_ path: CgroupPath) -> UInt64? { node(path).handle?.inode }

  /// Why something of a group could not be read in this collection.
  func failure(_ path: CgroupPath) -> ProcError? { node(path).failure }

  // MARK: What is in a group

  func memory(_ path: CgroupPath) -> CgroupMemory? {
    value(path, \.memory) { (handle, buffer, keep) throws(ProcError) in
      try handle.memory(&buffer, keep: keep)
    }
  }

  func memoryLimits(_ path: CgroupPath) -> CgroupMemoryLimits? {
    value(path, \.memoryLimits) { (handle, buffer, keep) throws(ProcError) in
      try handle.memoryLimits(&buffer, keep: keep)
    }
  }

  func oomKills(_ path: CgroupPath) -> UInt64? {
    value(path, \.oomKills) { (handle, buffer, keep) throws(ProcError) in
      try handle.oomKills(&buffer, keep: keep)
    }
  }

  /// In cores; infinity for no limit, nil if the group cannot have one.
  func cpuLimit(_ path: CgroupPath) -> Double? {
    value(path, \.cpuLimit) { (handle, buffer, keep) throws(ProcError) in
      try handle.cpuLimit(&buffer, keep: keep)
    }
  }

  func bandwidth(_ path: CgroupPath) -> CgroupBandwidth? {
    value(path, \.bandwidth) { (handle, buffer, keep) throws(ProcError) in
      try handle.bandwidth(&buffer, keep: keep)
    }
  }

  func cpuNanoseconds(_ path: CgroupPath) -> UInt64? {
    value(path, \.cpuNanoseconds) { (handle, buffer, keep) throws(ProcError) in
      try handle.cpuNanoseconds(&buffer, keep: keep)
    }
  }

  func tasks(_ path: CgroupPath) -> CgroupTasks? {
    value(path, \.tasks) { (handle, buffer, keep) throws(ProcError) in
      try handle.tasks(&buffer, keep: keep)
    }
  }

  /// Infinity for no limit.
  func taskLimit(_ path: CgroupPath) -> Double? {
    value(path, \.taskLimit) { (handle, buffer, keep) throws(ProcError) in
      try handle.taskLimit(&buffer, keep: keep).map { Double($0) } ?? .infinity
    }
  }

  func pressure(_ path: CgroupPath) -> CgroupPressure? {
    value(path, \.pressure) { (handle, buffer, keep) throws(ProcError) in
      try handle.pressure(&buffer, keep: keep)
    }
  }

  /// ``oomKills(_:)`` as of now, between collections; nil if the group is another one by now.
  func oomKillsNow(_ path: CgroupPath, inode: UInt64) -> UInt64? {
    guard let handle = try? tree.open(path), handle.inode == inode else { return nil }
    return try? handle.oomKills(&buffer, keep: false)
  }

  private func node(_ path: CgroupPath) -> Node {
    if let node = nodes[path] {
      if node.round != round {
        node.round = round
        node.forget()
      }
      return node
    }
    let node = Node()
    node.round = round
    let most = Self.mostDescriptors(path.hierarchy)
    if kept + most <= limits.keptCgroupDescriptors {
      node.keeps = true
      kept += most
    }
    nodes[path] = node
    return node
  }

  private func value<Value>(
    _ path: CgroupPath, _ cache: ReferenceWritableKeyPath<Node, Value??>,
    _ read: (CgroupHandle, inout ReadBuffer, Bool) throws(ProcError) -> Value?
  ) -> Value? {
    let node = node(path)
    if let known = node[keyPath: cache] { return known }
    var value: Value?
    // A group that was removed may have been made anew.
    for _ in 0..<2 {
      guard let handle = open(node, path) else { break }
      do throws(ProcError) {
        value = try read(handle, &buffer, node.keeps)
        break
      } catch .gone {
        node.handle = nil
        node.forget()
      } catch {
        node.failure = error
        break
      }
    }
    node[keyPath: cache] = .some(value)
    return value
  }

  private func open(_ node: Node, _ path: CgroupPath) -> CgroupHandle? {
    if let handle = node.handle { return handle }
    do throws(Errno) {
      node.handle = try tree.open(path)
    } catch .notFound {
      return nil
    } catch .notADirectory {
      return nil
    } catch {
      node.failure = ProcError(.cgroupFiles, error)
    }
    return node.handle
  }
}
