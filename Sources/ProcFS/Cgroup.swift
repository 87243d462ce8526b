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

  /// The path without the mark of a group that was removed while the process was in it.
  package static func name(ofPath path: String) -> String {
    path.hasSuffix(" (deleted)") ? String(path.dropLast(10)) : path
  }

  /// The service or scope of the service manager, or of a user's one, that a path is below.
  ///
  /// - Source: `cg_path_get_unit()` of systemd; names that would mean something to the kernel have a
  ///   `_` before them.
  package static func unit(ofPath path: String) -> String? {
    for part in name(ofPath: path).split(separator: "/").reversed() {
      let unit = part.hasPrefix("_") ? part.dropFirst() : part
      for ending in [".service", ".scope"] where unit.hasSuffix(ending) && unit != ending {
        return String(unit)
      }
    }
    return nil
  }

  /// The identifier, 64 hexadecimal digits, of the innermost container that a path is in.
  ///
  /// - Shape: `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `libpod-ID.scope`, or the
  ///   identifier alone; behind a colon where containerd and the service manager disagree. What
  ///   watches over a container (`…-conmon-ID.scope`) is not in it.
  package static func containerID(ofPath path: String) -> String? {
    for part in name(ofPath: path).split(separator: "/").reversed() {
      let stem = Array((part.hasSuffix(".scope") ? part.dropLast(6) : part).utf8)
      let id = stem.suffix(64)
      let before = stem.dropLast(64)
      guard id.count == 64, id.allSatisfy(isHexadecimal),
        before.isEmpty || before.last == UInt8(ascii: "-") || before.last == UInt8(ascii: ":"),
        !before.elementsEqual("libpod-conmon-".utf8), !before.elementsEqual("crio-conmon-".utf8)
      else { continue }
      return String(decoding: id, as: UTF8.self)
    }
    return nil
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
