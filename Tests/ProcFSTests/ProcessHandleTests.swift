import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

/// A handle with the memory that its reads need.
struct Held: ~Copyable {
  var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
  var reader = DirectoryReader()
  var handle: ProcessHandle
  /// Kept so that its files are.
  private var tree: TestProc?

  init(_ pid: Int32, in tree: TestProc) throws {
    try self.init(pid, in: tree.path)
    self.tree = tree
  }

  init(_ pid: Int32, in path: String, facts: SystemFacts = facts) throws {
    let root = try ProcRoot(path: path, facts: facts)
    var stat = Stat()
    handle = try ProcessHandle(
      pid: pid, in: root, BatchReader(threads: 1), keep: false, &stat)
  }

  /// Why a getter failed; nil if it did not.
  mutating func failure(_ file: SourceFile, keep: Bool = false) -> ProcError? {
    do throws(ProcError) {
      switch file {
      case .stat: _ = try handle.stat(&buffer, keep: keep)
      case .statm: _ = try handle.statm(&buffer)
      case .status: _ = try handle.status(&buffer, keep: keep)
      case .io: _ = try handle.io(&buffer, keep: keep)
      case .limits: _ = try handle.limits(&buffer)
      case .schedstat: _ = try handle.schedstat(&buffer)
      // What lies elsewhere is found through it.
      case .cgroup, .cgroupFiles, .pressure, .oomKills:
        _ = try handle.cgroup(&buffer, keep: keep)
      case .exe: _ = try handle.executable()
      case .fd: _ = try handle.descriptorCount(&reader)
      case .fdLinks: try handle.descriptors(&reader, &buffer) { _ in true }
      case .oomScore: _ = try handle.oomScore(&buffer)
      case .oomScoreAdj: _ = try handle.oomScoreAdjustment(&buffer)
      case .maps: _ = try handle.hold.memoryMaps()
      case .smapsRollup: _ = try handle.hold.smapsRollup()
      case .cmdline: _ = try handle.hold.commandLine()
      case .environ: _ = try handle.hold.environment(["PATH"])
      case .task: _ = try handle.threads()
      case .wchan: _ = try handle.threads().waitChannel(handle.pid, &buffer)
      case .netStatistics: _ = try handle.netStatistics(&buffer) { _ in nil }
      case .networkNamespace: _ = try handle.openNetworkNamespace(&buffer)
      case .sockets: _ = try handle.networkNamespace(&buffer)
      // Reading memory is a test of its own.
      case .mem, .taskstats: break
      }
      return nil
    } catch {
      return error
    }
  }
}

@Suite struct ProcessHandleTests {
  @Test func readsEveryFileOfARecordedProcess() throws {
    var held = try Held(7, in: TestProc().process(7).thread(TestStat(pid: 7)))
    #expect(held.handle.pid == 7)
    #expect(held.handle.startTicks == 100)
    for file in SourceFile.allCases { #expect(held.failure(file) == nil, "\(file)") }
    #expect(try held.handle.executable() == Array("/usr/bin/app".utf8))
    #expect(try held.handle.cgroup(&held.buffer, keep: false)?.unifiedPath == "/app")
  }

  @Test func removedProgramKeepsItsMark() throws {
    let tree = try TestProc().process(7)
    try tree.remove("exe").add("exe", .link("/usr/bin/app (deleted)"))
    let held = try Held(7, in: tree)
    #expect(try held.handle.executable() == Array("/usr/bin/app (deleted)".utf8))
  }

  @Test func descriptorsOfARecordedProcessAreListed() throws {
    let tree = try TestProc().process(7)
    for number in [0, 1, 2, 10, 250] { try tree.add("fd/\(number)", .link("/dev/null")) }
    var held = try Held(7, in: tree)
    #expect(try held.handle.descriptorCount(&held.reader) == 5)
  }

  /// Both ways to count must agree; the children are idle, so nothing changes between the two.
  @Test(arguments: [0, 1, 40])
  func descriptorsOfLiveProcessesAsListed(count: Int) throws {
    let opening = (10..<(10 + count)).map { "exec \($0)</dev/null; " }.joined()
    let child = try Child("bash", "-c", opening + "exec sleep 1000")
    var held = try Held(child.pid, in: "/proc", facts: .current())
    var reader = DirectoryReader()
    // Until the program has started, what it has open changes between the two looks.
    let agree = try eventually {
      var listed: UInt64 = 0
      try reader.numbers(in: try openFile("/proc/\(child.pid)/fd", [.read, .directory])) { _ in
        listed += 1
        return true
      }
      return try listed >= 3 + UInt64(count)
        && held.handle.descriptorCount(&held.reader) == listed
        && held.handle.stat(&held.buffer, keep: false).name.bytes == Array("sleep".utf8)
    }
    #expect(agree)
  }

  @Test func keptFilesYieldFreshValues() throws {
    let tree = try TestProc().process(7)
    var held = try Held(7, in: tree)
    for round in UInt64(1)...3 {
      var stat = TestStat(pid: 7)
      stat.userTicks = round * 1_000_000
      // Shorter than the round before at the end, so that rests would be noticed.
      let length = 5 - round
      try tree.file("stat", stat.line)
      try tree.file("status", TestStatus(voluntary: round).text)
      try tree.file("io", testIO(length))
      #expect(try held.handle.stat(&held.buffer, keep: true).userTicks == round * 1_000_000)
      #expect(try held.handle.status(&held.buffer, keep: true).voluntarySwitches == round)
      #expect(try held.handle.io(&held.buffer, keep: true).readBytes == length)
      #expect(held.handle.keptDescriptors == 3)
    }
    // A file that is not kept any more is closed.
    #expect(held.failure(.stat, keep: false) == nil)
    #expect(held.handle.keptDescriptors == 2)
  }

  @Test func keptFilesOfALiveProcessYieldFreshValues() throws {
    var held = try Held(getpid(), in: "/proc", facts: .current())
    var last = try held.handle.io(&held.buffer, keep: true).readCalls
    for _ in 0..<5 {
      let now = try held.handle.io(&held.buffer, keep: true).readCalls
      #expect(now > last)
      last = now
    }
    #expect(held.handle.keptDescriptors == 1)
  }

  @Test(arguments: [false, true])
  func readsAfterTheEndAreGone(keep: Bool) throws {
    let child = try Child("sleep", "1000")
    var held = try Held(child.pid, in: "/proc", facts: .current())
    for file in SourceFile.allCases { #expect(held.failure(file, keep: keep) == nil, "\(file)") }
    child.send(SIGKILL)
    child.reap()
    for file in SourceFile.allCases where file != .taskstats {
      #expect(held.failure(file, keep: keep) == .gone, "\(file)")
      #expect(held.failure(file, keep: keep) == .gone, "\(file), again")
    }
    #expect(held.handle.keptDescriptors == 0)
    #expect(throws: ProcError.gone) { try held.handle.threads().status(child.pid, &held.buffer) }
  }

  /// Not having a file is not having ended.
  @Test(arguments: [
    SourceFile.io, .schedstat, .cgroup, .status, .limits, .statm, .netStatistics, .networkNamespace,
  ])
  func aFileThatTheKernelDoesNotHave(file: SourceFile) throws {
    let tree = try TestProc().process(7)
    let content = try contents("\(tree.path)/7/\(file.name)")
    tree.remove(file.name)
    var held = try Held(7, in: tree)
    #expect(held.failure(file) == .io(file, code: ENOENT))
    // It is looked for anew each time.
    try tree.file(file.name, content)
    #expect(held.failure(file) == nil)
    tree.remove(file.name).remove("stat")
    #expect(held.failure(file) == .gone)
  }

  @Test(arguments: [SourceFile.stat, .statm, .status, .io, .limits, .schedstat, .cgroup])
  func filesWithoutPermissionAreDenied(file: SourceFile) throws {
    let tree = try TestProc().process(7)
    chmod("\(tree.path)/7/\(file.name)", 0)
    let failure = try asNobody { [path = tree.path] in
      do {
        var held = try Held(7, in: path)
        return held.failure(file, keep: true)
      } catch let error as ProcError {
        return error
      }
    }
    #expect(failure == .denied(file))
  }

  @Test func descriptorsWithoutPermissionAreDenied() throws {
    let tree = try TestProc().process(7)
    chmod("\(tree.path)/7/fd", 0)
    let failure = try asNobody { [path = tree.path] in
      var held = try Held(7, in: path)
      return held.failure(.fd)
    }
    #expect(failure == .denied(.fd))
  }

  @Test(.enabled(if: isRoot, "only root has files that nobody may not read"))
  func filesOfAnotherUsersProcessAreDenied() throws {
    let child = try Child("sleep", "1000")
    let failures = try asNobody { [pid = child.pid] in
      var held = try Held(pid, in: "/proc", facts: .current())
      return [held.failure(.io), held.failure(.io, keep: true), held.failure(.stat)]
    }
    #expect(failures == [.denied(.io), .denied(.io), nil])
  }

  @Test(
    arguments: [
      (.statm, "1 x 3\n", "resident"), (.status, "Name:\ta\nVmHWM:\tx kB\n", "VmHWM"),
      (.io, "rchar: 1\nwchar: -\n", "wchar"), (.schedstat, "1\n", "delay"),
      (.limits, "Limit\nMax open files  ?  1\n", "Max open files"),
      (.cgroup, "nothing\n", "cgroup"),
    ] as [(SourceFile, String, String)])
  func malformedSaysWhere(file: SourceFile, content: String, field: String) throws {
    let tree = try TestProc().process(7).file(file.name, content)
    var held = try Held(7, in: tree)
    #expect(held.failure(file) == .malformed(file, field: field, excerpt: content))
  }

  @Test func excerptsAreShortAndText() throws {
    let bytes = [UInt8](repeating: 0xFF, count: 1000)
    let tree = try TestProc().process(7).file("statm", bytes)
    var held = try Held(7, in: tree)
    let excerpt = String(repeating: "\u{FFFD}", count: 80)
    #expect(held.failure(.statm) == .malformed(.statm, field: "size", excerpt: excerpt))
  }

  /// The kernel leaves some files empty when a process ends between open and read.
  @Test(arguments: [SourceFile.stat, .statm, .status, .io, .limits, .schedstat])
  func emptyFilesMeanGone(file: SourceFile) throws {
    let tree = try TestProc().process(7)
    var held = try Held(7, in: tree)
    try tree.file(file.name, "")
    #expect(held.failure(file) == .gone)
  }

  @Test func filesLongerThanTheBufferAreReadWhole() throws {
    let filler = (0..<2000).map { "Future\($0):\t0\n" }.joined()
    let tree = try TestProc().process(7)
    try tree.file("status", "Name:\ta\n\(filler)voluntary_ctxt_switches:\t5\n")
    var held = try Held(7, in: tree)
    #expect(try held.handle.status(&held.buffer, keep: false).voluntarySwitches == 5)
    try tree.file("status", "Name:\ta\n" + String(repeating: "x", count: 2 << 20))
    #expect(held.failure(.status) == .io(.status, code: EFBIG))
  }

  @Test func whatIsHeldNeedsAStat() throws {
    #expect(throws: ProcError.gone) { _ = try Held(8, in: TestProc().process(7)) }
    #expect(throws: ProcError.malformed(.stat, field: "comm", excerpt: "7 x\n")) {
      _ = try Held(7, in: TestProc().process(7).file("stat", "7 x\n"))
    }
  }
}
