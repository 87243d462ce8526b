package import Linux

/// Control groups that belong together: all of version 2, or those of one controller of version 1.
package enum CgroupHierarchy: String, Sendable, CaseIterable {
  case unified
  case memory, cpu, cpuacct, pids

  package var isVersion2: Bool { self == .unified }
}

/// Where a control group is.
package struct CgroupPath: Hashable, Sendable {
  package let hierarchy: CgroupHierarchy
  /// From the top of the hierarchy on, without a slash at either end; empty for the top itself.
  package let path: String

  package init(_ hierarchy: CgroupHierarchy, _ path: String) {
    self.hierarchy = hierarchy
    self.path = path.split(separator: "/").joined(separator: "/")
  }

  private init(_ hierarchy: CgroupHierarchy, joined path: String) {
    self.hierarchy = hierarchy
    self.path = path
  }

  /// The group that it is in; nil for the top.
  package var parent: CgroupPath? {
    if path.isEmpty { return nil }
    let end = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
    return CgroupPath(hierarchy, joined: String(path[..<end]))
  }

  /// Whether it lies outside of the control groups that this daemon can see (cgroup_namespaces(7)).
  package var isOutside: Bool { path == ".." || path.hasPrefix("../") }

  /// Whether the kernel says that the group was removed; ended processes may still be in it.
  package var isRemoved: Bool { path.hasSuffix(" (deleted)") }

  /// Whether a group is in this one, at any depth.
  package func contains(_ other: CgroupPath) -> Bool {
    guard hierarchy == other.hierarchy, other.path.utf8.count > path.utf8.count else {
      return false
    }
    return path.isEmpty || other.path.hasPrefix(path + "/")
  }
}

/// The control groups of the machine as they are mounted, or a recorded tree of them.
///
/// - Shape: version 2 has `cgroup.controllers` at the top; version 1 has a directory for each
///   controller, or links to those of joined ones; of both together, version 2 is in `unified`.
package struct CgroupTree: ~Copyable {
  private let directory: OwnedFD?
  /// The hierarchies there are, and whether the top of each is that of the machine.
  private let tops: [CgroupHierarchy: Bool]
  /// Whether version 2 is all there is.
  private let isUnified: Bool

  /// Opens the directory; without one there are no control groups.
  ///
  /// - Parameter path: Where they are mounted, mostly `/sys/fs/cgroup`.
  package init(path: String) {
    do throws(Errno) {
      let directory = try openFile(path, [.path, .directory])
      tops = Self.tops(directory)
      isUnified = Self.exists("cgroup.controllers", directory)
      self.directory = consume directory
    } catch {
      directory = nil
      tops = [:]
      isUnified = false
    }
  }

  private static func tops(_ directory: borrowing OwnedFD) -> [CgroupHierarchy: Bool] {
    // Files that only the machine's own top has or lacks, unlike that of a cgroup namespace.
    if exists("cgroup.controllers", directory) {
      return [.unified: !exists("cgroup.events", directory)]
    }
    var tops: [CgroupHierarchy: Bool] = [:]
    for hierarchy in CgroupHierarchy.allCases where !hierarchy.isVersion2 {
      let name = hierarchy.rawValue
      if exists("\(name)/cgroup.procs", directory) {
        tops[hierarchy] = exists("\(name)/cgroup.sane_behavior", directory)
      }
    }
    if exists("unified/cgroup.controllers", directory) {
      tops[.unified] = !exists("unified/cgroup.events", directory)
    }
    return tops
  }

  private static func exists(_ path: String, _ directory: borrowing OwnedFD) -> Bool {
    (try? fileFacts(path, in: directory)) != nil
  }

  package var isEmpty: Bool { tops.isEmpty }

  /// Where a process is in the hierarchy that a controller belongs to.
  ///
  /// - Parameters:
  ///   - controller: The controller; `unified` for what version 2 has without one.
  ///   - cgroup: The process' control groups.
  /// - Returns: The place; nil if no such hierarchy is mounted.
  package func path(_ controller: CgroupHierarchy, of cgroup: Cgroup) -> CgroupPath? {
    if !controller.isVersion2, tops[controller] != nil {
      for entry in cgroup.hierarchies
      where entry.controllers.split(separator: ",").contains(Substring(controller.rawValue)) {
        return CgroupPath(controller, entry.path)
      }
    }
    guard tops[.unified] != nil, let path = cgroup.unifiedPath else { return nil }
    return CgroupPath(.unified, path)
  }

  /// Whether a group is all of the machine, of which nothing tells about the processes in it.
  package func isMachine(_ group: CgroupPath) -> Bool {
    group.path.isEmpty && tops[group.hierarchy] == true
  }

  /// Takes hold of the control group that is at a place now.
  ///
  /// - Throws: `ENOENT`, `EACCES`, `EMFILE`.
  package func open(_ group: CgroupPath) throws(Errno) -> CgroupHandle {
    if group.isOutside { throw .notFound }
    let top = group.hierarchy.isVersion2 && isUnified ? "." : group.hierarchy.rawValue
    switch directory {
    case nil: throw .notFound
    case .some(let directory):
      let opened = try openFile(
        group.path.isEmpty ? top : "\(top)/\(group.path)", in: directory, [.path, .directory])
      let inode = try fileFacts(opened).inode
      return CgroupHandle(opened, inode, group.hierarchy)
    }
  }
}
