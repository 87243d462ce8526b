import Foundation
import TestSupport
import Testing

@testable import Linux
@testable import ProcFS
@testable import Targets

/// Who may say which process is watched.
@Suite struct PidFileTrustTests {
  private static let isRoot = geteuid() == 0
  /// A busy machine is no reason.
  private static let patient = Roster.Limits(
    keptDescriptors: 100, processesPerTarget: 100, pidFilePatience: .seconds(60))

  private func writers(_ path: String) throws -> [PidFileWriter] { try PidFile.read(path).writers }

  private func set(_ path: String, mode: mode_t = 0o644, user: uid_t? = nil, group: gid_t? = nil) {
    if user != nil || group != nil {
      #expect(lchown(path, user ?? geteuid(), group ?? getegid()) == 0)
    }
    #expect(chmod(path, mode) == 0)
  }

  private func status(user: UInt32?, group: UInt32? = nil) throws -> Status {
    var status = try Status(Array("Name:\tx\n".utf8).span)
    status.effectiveUserID = user
    status.effectiveGroupID = group
    return status
  }

  @Test func ownFilesAreSafe() throws {
    let scratch = try Scratch()
    try scratch.write("pid", "1\n")
    set(scratch.file("pid"))
    #expect(try writers(scratch.file("pid")) == [])
  }

  @Test(
    arguments: [
      (0o644, []), (0o600, []), (0o640, []), (0o4755, []), (0o666, [.everyone, .group(7)]),
      (0o602, [.everyone]),
      (0o664, [.group(7)]), (0o620, [.group(7)]), (0o777, [.everyone, .group(7)]),
    ] as [(mode_t, [PidFileWriter.Who])])
  func modes(mode: mode_t, expected: [PidFileWriter.Who]) throws {
    let scratch = try Scratch()
    let path = scratch.file("pid")
    try scratch.write("pid", "1\n")
    // Nobody but root can give a file to another group; then the own one stands for it.
    if Self.isRoot { set(path, mode: mode, group: 7) } else { set(path, mode: mode) }
    let group = Self.isRoot ? 7 : getegid()
    let adapted = expected.map { $0 == .group(7) ? PidFileWriter.Who.group(group) : $0 }
      .filter { $0 != .group(0) }
    #expect(
      try writers(path) == adapted.map { PidFileWriter(who: $0, means: .file, path: path) })
  }

  @Test(.enabled(if: isRoot, "only root can give files away"))
  func owners() throws {
    let scratch = try Scratch()
    let path = scratch.file("pid")
    try scratch.write("pid", "1\n")
    set(path, user: 1234, group: 55)
    #expect(try writers(path) == [PidFileWriter(who: .user(1234), means: .file, path: path)])
    set(path, mode: 0o664, user: 0, group: 0)
    #expect(try writers(path) == [])
  }

  @Test(.enabled(if: isRoot, "only root can give links away"))
  func linksAreAsGoodAsTheirOwner() throws {
    let scratch = try Scratch()
    try scratch.write("real", "1\n")
    set(scratch.file("real"))
    for (name, target) in [("a", "b"), ("b", scratch.file("c")), ("c", "./real")] {
      #expect(symlink(target, scratch.file(name)) == 0)
    }
    #expect(try writers(scratch.file("a")) == [])
    #expect(lchown(scratch.file("b"), 1234, 0) == 0)
    #expect(
      try writers(scratch.file("a"))
        == [PidFileWriter(who: .user(1234), means: .link, path: scratch.file("b"))])
    #expect(try writers(scratch.file("c")) == [])
  }

  @Test func directoriesWhereEverybodyReplacesFiles() throws {
    let scratch = try Scratch()
    let outer = scratch.file("outer")
    let inner = outer + "/inner"
    try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
    try scratch.write("outer/inner/pid", "1\n")
    set(inner + "/pid")
    #expect(try writers(inner + "/pid") == [])
    let unsafe = PidFileWriter(who: .everyone, means: .directory, path: outer)
    set(outer, mode: 0o777)
    #expect(try writers(inner + "/pid") == [unsafe])
    #expect(try writers(inner + "/../inner/./pid") == [unsafe, unsafe])
    // On the way of a link.
    #expect(symlink("outer/inner", scratch.file("way")) == 0)
    #expect(try writers(scratch.file("way/pid")) == [unsafe])
    set(outer, mode: 0o1777)
    #expect(try writers(inner + "/pid") == [])
  }

  @Test func aLinkOfProcIsFollowedAsTheKernelDoes() throws {
    let scratch = try Scratch()
    try scratch.write("pid", "1\n")
    set(scratch.file("pid"))
    #expect(try writers("/proc/self/root" + scratch.file("pid")) == [])
    #expect(try writers("/proc/thread-self/root" + scratch.file("pid")) == [])
  }

  @Test func aFileThatWasSwappedIsNotBelieved() throws {
    let scratch = try Scratch()
    try scratch.write("a", "1\n")
    try scratch.write("b", "1\n")
    let facts = try fileFacts(try openFile(scratch.file("a"), .read))
    #expect(throws: Errno.staleHandle) {
      try PidFileWriter.all(of: scratch.file("b"), which: facts)
    }
  }

  @Test func whatWasSafeIsLookedAtAgainOnlyWhenTheFileChanges() throws {
    let scratch = try Scratch()
    let path = scratch.file("pid")
    try scratch.write("pid", "1\n")
    set(path)
    let safe = try PidFile.read(path)
    set(scratch.path, mode: 0o777)
    #expect(try PidFile.read(path, known: safe).writers == [])
    set(path, mode: 0o600)
    let doubtful = try PidFile.read(path, known: safe)
    #expect(doubtful.writers.map(\.means) == [.directory])
    // What the message asks for helps at once.
    set(scratch.path, mode: 0o755)
    #expect(try PidFile.read(path, known: doubtful).writers == [])
  }

  @Test(arguments: [
    (PidFileWriter.Who.user(5), PidFileWriter.Means.file, UInt32?(5), UInt32?(6), nil),
    (
      .user(5), .file, 6, 5,
      "belongs to user 5, who is neither root nor the owner of process 12 (user 6); chown it"
    ),
    (
      .user(5), .file, nil, nil,
      "belongs to user 5, who is neither root nor the owner of process 12; chown it"
    ),
    (.group(5), .file, 6, 5, nil),
    (
      .group(5), .file, 5, 6,
      "can be written by group 5, which is not that of process 12 (group 6); chmod g-w it"
    ),
    (.everyone, .file, 0, 0, "can be written by everyone; chmod o-w it"),
    (
      .everyone, .directory, 0, 0,
      "can be replaced by everyone, who can write to /x; chmod o-w that directory"
    ),
    (.user(5), .link, 5, 6, nil),
    (
      .user(5), .link, 6, 6,
      "is reached through the link /x of user 5, who is neither root nor the owner of process 12"
        + " (user 6); make the link as its owner"
    ),
  ])
  func sentences(
    who: PidFileWriter.Who, means: PidFileWriter.Means, user: UInt32?, group: UInt32?,
    expected: String?
  ) throws {
    let writer = PidFileWriter(who: who, means: means, path: "/x")
    let failure = writer.distrust(12, try status(user: user, group: group))
    #expect(failure?.detail == expected.map { $0 + ", or set trust_pid_file: true for the target" })
    #expect(failure.map(\.reason) == expected.map { _ in .untrusted })
  }

  @Test func aFileOfEverybodyIsRefusedUnlessAllowed() throws {
    let scratch = try Scratch()
    let child = try Child(sleepingAs: uniqueName(), in: scratch)
    try scratch.write("pid", "\(child.pid)\n")
    set(scratch.file("pid"), mode: 0o666)
    var trusting = Rule(name: "trusting", selector: Selector(pidFile: scratch.file("pid")))
    trusting.trustsPidFile = true
    let wary = Rule(name: "wary", selector: Selector(pidFile: scratch.file("pid")))
    let roster = try Roster.live([wary, trusting], limits: Self.patient)
    roster.refresh()
    #expect(roster.pids("trusting") == [child.pid])
    #expect(roster.pids("wary") == [])
    let target = try #require(roster.target("wary"))
    #expect(target.troubles == [Trouble(.pidFile, .untrusted): 1])
    let message = try #require(target.takeTroubleChanges().began.first?.1)
    #expect(message.contains("can be written by everyone; chmod o-w it"))
    // The way out that the message names; and the file becoming bad while it is watched.
    set(scratch.file("pid"))
    roster.refresh()
    #expect(roster.pids("wary") == [child.pid])
    set(scratch.file("pid"), mode: 0o666)
    roster.refresh()
    #expect(roster.pids("wary") == [])
    #expect(roster.pids("trusting") == [child.pid])
  }

  @Test(.enabled(if: isRoot, "only root can give files away"))
  func anOwnersFileCountsForTheOwnersProcesses() throws {
    let scratch = try Scratch()
    let own = try Child(sleepingAs: uniqueName(), in: scratch)
    let other = try Child(
      "/usr/bin/setpriv", "--reuid=1234", "--regid=1235", "--clear-groups", "/bin/sleep", "60")
    #expect(eventually { (try? owner(other.pid)) == 1234 })
    let roster = try Roster.live(
      [
        Rule(name: "t", selector: Selector(pidFile: scratch.file("pid")))
      ], limits: Self.patient)
    let pidFile = scratch.file("pid")
    let cases: [(Int32, uid_t, gid_t, mode_t, Bool)] = [
      (other.pid, 1234, 1235, 0o664, true), (other.pid, 0, 1235, 0o664, true),
      (other.pid, 1234, 99, 0o664, false), (other.pid, 99, 1235, 0o644, false),
      (own.pid, 1234, 1235, 0o644, false), (own.pid, 0, 0, 0o664, true),
      (own.pid, 0, 1235, 0o664, false),
    ]
    for (pid, user, group, mode, isBelieved) in cases {
      try scratch.write("pid", "\(pid)\n")
      set(pidFile, mode: mode, user: user, group: group)
      roster.refresh()
      #expect(roster.pids("t") == (isBelieved ? [pid] : []), "\(pid) \(user) \(group) \(mode)")
      try FileManager.default.removeItem(atPath: pidFile)
    }
  }

  private func owner(_ pid: Int32) throws -> UInt32? {
    var buffer = ReadBuffer(capacity: 4096, limit: 1 << 16)
    return try ProcRoot(path: "/proc", facts: .current()).status(pid: pid, &buffer)
      .effectiveUserID
  }

  @Test func aThreadIsNoProcess() throws {
    let scratch = try Scratch()
    let thread = try #require(
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
        .compactMap { Int32($0) }.first { $0 != getpid() })
    try scratch.write("pid", "\(thread)\n")
    set(scratch.file("pid"))
    let roster = try Roster.live(
      [
        Rule(name: "file", selector: Selector(pidFile: scratch.file("pid"))),
        Rule(name: "number", selector: Selector(pid: thread)),
      ], limits: Self.patient)
    roster.refresh()
    for (name, source) in [("file", Trouble.Source.pidFile), ("number", .process)] {
      let target = try #require(roster.target(name))
      #expect(roster.pids(name) == [])
      #expect(target.troubles == [Trouble(source, .malformed): 1])
      #expect(
        target.takeTroubleChanges().began.first?.1.contains(
          "names thread \(thread) of process \(getpid()); expected") == true)
    }
  }
}
