// What the path of a control group tells: unit, container and pod. Paths that somebody may make
// below a group of their own tell what they like, so a name here proves nothing.

extension Cgroup {
  /// The path without the mark of a group that was removed while the process was in it.
  package static func name(ofPath path: String) -> String {
    path.hasSuffix(" (deleted)") ? String(path.dropLast(10)) : path
  }

  private static func parts(_ path: String) -> [Substring] {
    name(ofPath: path).split(separator: "/")
  }
}

// MARK: Units

extension Cgroup {
  /// The innermost service or scope that a path is below, of whichever service manager: the
  /// machine's, a user's or a container's.
  package static func unit(ofPath path: String) -> String? {
    parts(path).reversed().lazy.compactMap(unit(named:)).first
  }

  /// The outermost service or scope that a path is below, which is the machine's manager's; for what
  /// a user's manager runs, `user@UID.service`.
  ///
  /// - Source: `sd_pid_get_unit(3)`.
  package static func systemUnit(ofPath path: String) -> String? {
    parts(path).lazy.compactMap(unit(named:)).first
  }

  /// The unit that a directory stands for.
  ///
  /// - Source: `cg_path_decode_unit()` of systemd; names that would mean something to the kernel have
  ///   a `_` before them, and what has nothing behind its `@` is a template, which nothing runs in.
  private static func unit(named part: Substring) -> String? {
    let unit = part.hasPrefix("_") ? part.dropFirst() : part
    for ending in [".service", ".scope"] where unit.hasSuffix(ending) {
      let stem = unit.dropLast(ending.utf8.count)
      return stem.isEmpty || stem.hasSuffix("@") ? nil : String(unit)
    }
    return nil
  }

  /// The whole name of a unit that somebody wrote: without a type it is a service, unless it is a
  /// pattern.
  ///
  /// - Source: `unit_name_mangle_with_suffix()` of systemd, as in `systemctl status NAME`.
  package static func unitName(_ text: String) -> String {
    if text.contains(where: { $0 == "*" || $0 == "?" }) { return text }
    return unitTypes.contains(where: text.hasSuffix) ? text : text + ".service"
  }

  private static let unitTypes = [
    ".service", ".scope", ".slice", ".socket", ".target", ".device", ".mount", ".automount",
    ".swap", ".timer", ".path",
  ]
}

// MARK: Containers

extension Cgroup {
  /// The identifier of the innermost container that a path is in.
  ///
  /// - Shape: 64 hexadecimal digits: `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`,
  ///   `libpod-ID.scope`, or the identifier alone; behind a colon where containerd and the service
  ///   manager disagree. What watches over a container (`…-conmon-ID.scope`) is not in it. On
  ///   Fargate `TASK-NUMBER` below its task.
  package static func containerID(ofPath path: String) -> String? {
    let parts = parts(path)
    for (index, part) in parts.enumerated().reversed() {
      let stem = Array((part.hasSuffix(".scope") ? part.dropLast(6) : part).utf8)
      let id = stem.suffix(64)
      let before = stem.dropLast(64)
      if id.count == 64, id.allSatisfy(isHexadecimal),
        before.isEmpty || before.last == UInt8(ascii: "-") || before.last == UInt8(ascii: ":"),
        !before.elementsEqual("libpod-conmon-".utf8), !before.elementsEqual("crio-conmon-".utf8)
      {
        return String(decoding: id, as: UTF8.self)
      }
      if index >= 2, parts[index - 2] == "ecs", part.hasPrefix(parts[index - 1] + "-") {
        return String(part)
      }
    }
    return nil
  }

  /// The name of the innermost container that a path is in, where paths have names.
  ///
  /// - Shape: `machine-NAME.scope`, `systemd-nspawn@NAME.service` (escaped), as `machinectl` calls
  ///   them; `lxc/NAME`, `lxc.payload/NAME`, `lxc.payload.NAME`; `garden/NAME`; `/default/NAME` of
  ///   `ctr`. What watches over a container (`supervisor`, `lxc.monitor…`) is not in it.
  package static func containerName(ofPath path: String) -> String? {
    let parts = parts(path)
    for (index, part) in parts.enumerated().reversed() {
      let parent = index > 0 ? parts[index - 1] : ""
      if ["lxc", "lxc.payload", "garden"].contains(parent) { return String(part) }
      if let name = part.between("lxc.payload.", "") { return String(name) }
      if let name = part.between("machine-", ".scope")
        ?? part.between("systemd-nspawn@", ".service"),
        index + 1 == parts.count || parts[index + 1] != "supervisor"
      {
        return unescaped(name)
      }
      if index == 1, parent == "default", containerID(ofPath: path) == nil { return String(part) }
    }
    return nil
  }

  /// The uid of the innermost Kubernetes pod that a path is in; of a static pod, 32 hexadecimal
  /// digits that stand for its configuration.
  ///
  /// - Shape: `kubepods/QOS/podUID`, or `kubepods-QOS-podUID.slice` with `_` for `-`; both may have
  ///   more before `kubepods`. A colon and the container may come behind.
  package static func podUID(ofPath path: String) -> String? {
    let parts = parts(path)
    for (index, part) in parts.enumerated().reversed() {
      var uid: Substring?
      if let slice = part.prefix(while: { $0 != ":" }).between("", ".slice") {
        let words = slice.split(separator: "-")
        if words.dropLast().contains("kubepods") { uid = words.last?.between("pod", "") }
      } else if parts[..<index].contains("kubepods") {
        uid = part.between("pod", "")
      }
      guard let uid = uid.map({ $0.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 } }),
        uid.allSatisfy({ isHexadecimal($0) || $0 == UInt8(ascii: "-") })
      else { continue }
      return String(decoding: uid, as: UTF8.self)
    }
    return nil
  }

  /// A name whose bytes may be written as `\x2d`.
  ///
  /// - Source: `unit_name_escape()` of systemd.
  private static func unescaped(_ name: Substring) -> String {
    let bytes = Array(name.utf8)
    var text: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index...].starts(with: #"\x"#.utf8), index + 4 <= bytes.count,
        isHexadecimal(bytes[index + 2]),
        let byte = UInt8(
          String(decoding: bytes[(index + 2)..<(index + 4)], as: UTF8.self), radix: 16)
      {
        text.append(byte)
        index += 4
      } else {
        text.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}

extension Substring {
  /// What stands between two texts that it begins and ends with; nil if there is nothing.
  fileprivate func between(_ start: String, _ end: String) -> Substring? {
    guard hasPrefix(start), hasSuffix(end), utf8.count > start.utf8.count + end.utf8.count else {
      return nil
    }
    return Substring(utf8.dropFirst(start.utf8.count).dropLast(end.utf8.count))
  }
}
