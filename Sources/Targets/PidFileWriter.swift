import Linux
import ProcFS

/// Somebody who can choose what a pid file says, besides root and this daemon's user.
///
/// Who can write it can name any process. So it counts only for processes that are theirs anyway.
struct PidFileWriter: Sendable, Hashable {
  enum Who: Sendable, Hashable {
    case user(UInt32)
    case group(UInt32)
    case everyone
  }

  /// What they can change to choose the content.
  enum Means: Sendable, Hashable { case file, link, directory }

  var who: Who
  var means: Means
  var path: String

  /// Why the file does not count for a process; nil if it does.
  func distrust(_ pid: Int32, _ process: Status) -> PidFile.Failure? {
    let user = process.effectiveUserID
    let group = process.effectiveGroupID
    let detail: String
    switch (who, means) {
    case (.user(let other), _) where other == user: return nil
    case (.group(let other), _) where other == group: return nil
    case (.user(let other), .link):
      detail =
        "is reached through the link \(path) of user \(other), who is neither root nor the owner of"
        + " process \(pid)\(Self.named(" (user ", user)); make the link as its owner"
    case (.user(let other), _):
      detail =
        "belongs to user \(other), who is neither root nor the owner of process"
        + " \(pid)\(Self.named(" (user ", user)); chown it"
    case (.group(let other), _):
      detail =
        "can be written by group \(other), which is not that of process"
        + " \(pid)\(Self.named(" (group ", group)); chmod g-w it"
    case (.everyone, .directory):
      detail = "can be replaced by everyone, who can write to \(path); chmod o-w that directory"
    case (.everyone, _):
      detail = "can be written by everyone; chmod o-w it"
    }
    return PidFile.Failure(
      reason: .untrusted, detail: detail + ", or set trust_pid_file: true for the target")
  }

  private static func named(_ what: String, _ number: UInt32?) -> String {
    number.map { "\(what)\($0))" } ?? ""
  }
}

extension PidFileWriter {
  private static let worldWritable: UInt32 = 0o002
  private static let groupWritable: UInt32 = 0o020
  /// In a directory with this bit only the owner of a file can replace it.
  private static let sticky: UInt32 = 0o1000
  /// As many as the kernel follows (MAXSYMLINKS of `include/linux/namei.h`).
  private static let maximumLinks = 40
  private static let procMagic: Int64 = 0x9fa0

  /// Everybody who can choose what a file says: through itself, the links that lead to it, and
  /// directories in which everybody may replace it.
  ///
  /// It may wait for the file system, so it belongs on the waiter thread.
  /// - Parameters:
  ///   - path: The absolute path.
  ///   - facts: Those of the file that was read.
  /// - Returns: Them; none where the file is safe.
  /// - Throws: What the file system reports; `ESTALE` if the path leads to another file by now.
  static func all(of path: String, which facts: FileFacts) throws(Errno) -> [PidFileWriter] {
    var walk = try Walk()
    let end = try walk.follow(path)
    guard end.device == facts.device, end.inode == facts.inode else { throw .staleHandle }
    var writers = walk.writers
    if facts.mode & worldWritable != 0 {
      writers.append(PidFileWriter(who: .everyone, means: .file, path: path))
    }
    if facts.mode & groupWritable != 0, facts.group != 0 {
      writers.append(PidFileWriter(who: .group(facts.group), means: .file, path: path))
    }
    if !isTrusted(facts.owner) {
      writers.append(PidFileWriter(who: .user(facts.owner), means: .file, path: path))
    }
    return writers
  }

  private static func isTrusted(_ user: UInt32) -> Bool { user == 0 || user == effectiveUserID() }

  /// Goes along a path as the kernel does, and looks at each step.
  private struct Walk: ~Copyable {
    private(set) var writers: [PidFileWriter] = []
    private var directory: OwnedFD
    /// Where the directory is; empty for the root.
    private var place = ""
    private var links = 0

    init() throws(Errno) { directory = try openFile("/", [.path, .directory]) }

    /// - Returns: The facts of what the path leads to.
    mutating func follow(_ path: String) throws(Errno) -> FileFacts {
      var steps = Self.steps(path)
      var facts = try enter()
      while let name = steps.popLast() {
        var entry = try openFile(name, in: directory, [.path, .noFollow])
        facts = try fileFacts(entry)
        if facts.isLink {
          links += 1
          if links > PidFileWriter.maximumLinks { throw .loop }
          if try fileSystemMagic(entry) == PidFileWriter.procMagic {
            // /proc/PID/root and the like lead elsewhere than their text says.
            entry = try openFile(name, in: directory, [.path])
            facts = try fileFacts(entry)
          } else {
            if !PidFileWriter.isTrusted(facts.owner) {
              writers.append(
                PidFileWriter(who: .user(facts.owner), means: .link, path: "\(place)/\(name)"))
            }
            let target = String(decoding: try linkTarget(name, in: directory), as: UTF8.self)
            steps += Self.steps(target)
            if target.hasPrefix("/") {
              directory = try openFile("/", [.path, .directory])
              place = ""
            }
            continue
          }
        }
        if FileKind(mode: facts.mode) == .directory {
          directory = entry
          place =
            name == ".."
            ? String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
            : place + "/" + name
          facts = try enter()
        }
      }
      return facts
    }

    /// Looks at the directory that was reached.
    private mutating func enter() throws(Errno) -> FileFacts {
      let facts = try fileFacts(directory)
      if facts.mode & PidFileWriter.worldWritable != 0, facts.mode & PidFileWriter.sticky == 0 {
        writers.append(
          PidFileWriter(who: .everyone, means: .directory, path: place.isEmpty ? "/" : place))
      }
      return facts
    }

    /// The names of a path, the last one first.
    private static func steps(_ path: String) -> [String] {
      path.split(separator: "/").filter { $0 != "." }.reversed().map(String.init)
    }
  }
}
