import Linux

/// The control groups of a process, from `/proc/PID/cgroup`.
///
/// - Kernel: `kernel/cgroup/cgroup.c`, `proc_cgroup_show()`; `cgroups(7)`.
/// - Shape: a line per hierarchy, `id:controllers:path`; version 2 is `0::path`. Paths are seen from
///   the reader's cgroup namespace and end in " (deleted)" when the group was removed.
/// - Cost: one read; never waits for the process.
/// - Permission: any user.
package struct Cgroup: Sendable, Equatable {
  /// One hierarchy of version 1.
  package struct Hierarchy: Sendable, Equatable {
    /// Names separated by commas, for example `cpu,cpuacct` or `name=systemd`.
    package var controllers: String
    package var path: String
  }

  /// The path in the hierarchy of version 2, if the process is in one.
  package var unifiedPath: String?
  package var hierarchies: [Hierarchy] = []

  /// Reads all lines.
  ///
  /// - Throws: A line without two colons.
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    var start = 0
    while start < bytes.count {
      let end = bytes.firstIndex(of: 0x0a, from: start) ?? bytes.count
      let line = bytes.extracting(start..<end)
      guard let first = line.firstIndex(of: UInt8(ascii: ":")),
        let second = line.firstIndex(of: UInt8(ascii: ":"), from: first + 1)
      else { throw ParseError(field: "cgroup") }
      let path = line.extracting((second + 1)...).lossyText
      let controllers = line.extracting((first + 1)..<second).lossyText
      if first == 1, line[0] == UInt8(ascii: "0"), controllers.isEmpty {
        unifiedPath = path
      } else {
        hierarchies.append(Hierarchy(controllers: controllers, path: path))
      }
      start = end + 1
    }
  }
}

extension Cgroup {
  /// The path that says most about the process: that of version 2, of the memory controller or of
  /// the service manager's hierarchy, whichever of them, in this order, is not the top.
  ///
  /// Where version 1 and 2 are mounted together, the one that is not in use says `/`.
  package var path: String? {
    let memory = hierarchies.first { $0.controllers.split(separator: ",").contains("memory") }
    let manager = hierarchies.first { $0.controllers == "name=systemd" }
    let paths = [unifiedPath, memory?.path, manager?.path].compactMap { $0 }
    return paths.first { $0 != "/" && !$0.isEmpty } ?? paths.first
  }
}
