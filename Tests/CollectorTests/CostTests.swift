import Glibc
import Linux
import ProcFS
import TestSupport
import Testing

@testable import Collector

/// System calls of a collection, as `strace` counts them: those of the sampler and of the threads that
/// read for it.
///
/// Times depend on the machine; counts do not.
@Suite struct CostTests {
  /// Of each sleeping process with one thread and kept files.
  ///
  /// `stat`, `status`, `io` and `cgroup` are read, `fd` is asked for its size, and `prlimit` for two
  /// limits. A process can be moved to another control group at any time, and nothing but its
  /// `cgroup` tells that.
  private static let callsPerProcess = 7
  /// Of each collection, however many processes there are: a look for answers about pid files,
  /// `vmstat`, the control groups that all of them are in, and that `stat` and `io` of all are handed
  /// to a thread that reads them.
  private static let callsPerCollection = 4 + callsPerCgroup * cgroups + 2 * callsPerBatch
  /// Each side takes note of the other's word.
  private static let callsPerBatch = 2
  /// Most files are kept open; those that this kernel lacks are looked for anew.
  private static let callsPerCgroup = 16
  /// This process' groups and those that they are in.
  private static let cgroups: Int = {
    let text = (try? contents("/proc/self/cgroup")).map { String(decoding: $0, as: UTF8.self) }
    return text?.count { $0 == "/" } ?? 0
  }()

  private static let children = 50
  private static let collections = 20

  /// Another process that counts the system calls of threads.
  private final class Tracer {
    private let child: Child
    private let directory: TemporaryDirectory
    private let report: String

    init(threads: [Int32]) throws {
      directory = try TemporaryDirectory()
      report = directory.path + "/report"
      let child = try Child(
        ["strace", "-c", "-o", report] + threads.flatMap { ["-p", "\($0)"] }, input: nil)
      self.child = child
      let isTraced = try eventually {
        if String(decoding: try contents("/proc/\(child.pid)/stat"), as: UTF8.self).contains(") Z ")
        {
          throw Errno(EPERM)
        }
        return try threads.allSatisfy {
          String(decoding: try contents("/proc/\($0)/status"), as: UTF8.self)
            .contains("TracerPid:\t\(child.pid)\n")
        }
      }
      guard isTraced else { throw Errno(EPERM) }
    }

    /// Lets the threads go.
    ///
    /// - Returns: The calls by name, and the report.
    func finish() throws -> (calls: [String: Int], report: String) {
      child.send(SIGINT)
      child.reap()
      let text = String(decoding: try contents(report), as: UTF8.self)
      var calls: [String: Int] = [:]
      // % time, seconds, usecs/call, calls, errors (or nothing), name
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count >= 5, let count = Int(words[3]), words.last != "total" else { continue }
        calls[String(words[words.count - 1])] = count
      }
      return (calls, text)
    }
  }

  private static let canTrace: Bool = {
    guard program("strace") != nil, let child = try? Child("sleep", "1000") else { return false }
    return (try? Tracer(threads: [child.pid]).finish()) != nil
  }()

  @Test(.enabled(if: canTrace, "strace is not installed or may not attach"))
  func systemCallsOfSleepingProcesses() throws {
    let children = try (0..<Self.children).map { _ in try Child("sleep", "1000") }
    let targets = children.map { target("p\($0.pid)", pid: $0.pid, collect: Selection()) }
    let (total, calls, report) = try calls(CollectorSettings(targets: targets))
    let most =
      Self.collections
      * (Self.callsPerProcess * Self.children + Self.callsPerCollection)
    #expect(total <= most, "\(report)")
    // The groups' part is only bounded, so that of the processes is looked at by itself.
    let reads = calls.filter { ["pread64", "prlimit64", "newfstatat"].contains($0.key) }
    let fewest = Self.collections * Self.callsPerProcess * Self.children
    #expect(reads.values.reduce(0, +) >= fewest, "\(report)")
    // Far fewer means that this test counts something else.
    #expect(total > most / 2, "\(report)")
  }

  /// A collection for one target costs as if there were no other one.
  @Test(.enabled(if: canTrace, "strace is not installed or may not attach"))
  func systemCallsOfAProbe() throws {
    let children = try (0..<Self.children).map { _ in try Child("sleep", "1000") }
    let targets = children.map { target("p\($0.pid)", pid: $0.pid, collect: Selection()) }
    let probe = Probe(name: "p\(children[7].pid)")
    let alone = try calls(CollectorSettings(targets: [targets[7]]))
    let probed = try calls(CollectorSettings(targets: targets), [.probe(probe)])
    #expect(probed.total <= alone.total + Self.collections, "\(alone.report)\(probed.report)")
    #expect(probed.total >= Self.collections * Self.callsPerProcess, "\(probed.report)")
  }

  /// Of each thread that is looked at, `stat`, `status`, `schedstat`, `io` and `wchan` are opened,
  /// read and closed.
  private static let callsPerThread = 15
  /// To list the threads, beside what any process takes.
  private static let callsPerListing = 6

  /// However many threads there are, only so many are looked at.
  @Test(.enabled(if: canTrace, "strace is not installed or may not attach"))
  func systemCallsOfManyThreads() throws {
    let limit = 20
    let end = try EventFD()
    defer { end.signal() }
    for _ in 0..<(10 * limit) {
      try Thread(name: "one of many") { _ = end.wait(atMost: .seconds(60)) }.detach()
    }
    let groups = Selection(includesDefault: false, groups: [.threads, .sched])
    let (total, _, report) = try calls(
      CollectorSettings(
        targets: [target("own", pid: getpid(), collect: groups)],
        limits: CollectorLimits(threadsPerProcess: limit)))
    let most =
      Self.collections
      * (Self.callsPerThread * limit + Self.callsPerListing + Self.callsPerBatch
        + Self.callsPerProcess + Self.callsPerCollection)
    #expect(total <= most, "\(report)")
    #expect(total > most / 2, "\(report)")
  }

  /// How many system calls some collections make, by name too, and what `strace` says.
  private func calls(
    _ settings: CollectorSettings, _ wishes: Set<Wish> = [.page()]
  ) throws -> (total: Int, calls: [String: Int], report: String) {
    let goOn = try EventFD()
    let end = try EventFD()
    let isReady = try Mailbox<[Int32]>()
    let thread = try Thread(name: "counted") {
      guard let waiter = try? Waiter(), let loop = try? EventLoop(),
        let root = try? ProcRoot(path: "/proc", facts: .current()),
        let collector = try? Collector(
          root: root, cgroups: CgroupTree(path: "/sys/fs/cgroup"), settings: settings, loop: loop,
          waiter: waiter)
      else { return isReady.post([]) }
      // Files are opened and memory is taken in the first ones.
      for _ in 0..<3 { _ = collector.collect(OwnState(version: "0.0.0")) }
      let reads = collector.roster.reads
      isReady.post([currentThreadID()] + [reads.held, reads.others].compactMap(\.threadID))
      _ = goOn.wait(atMost: .seconds(60))
      for _ in 0..<Self.collections { _ = collector.collect(OwnState(version: "0.0.0"), wishes) }
      isReady.post([])
      _ = end.wait(atMost: .seconds(60))
      waiter.stop()
    }
    _ = isReady.wake.wait(atMost: .seconds(60))
    let tracer = try Tracer(threads: try #require(isReady.drain().first))
    goOn.signal()
    _ = isReady.wake.wait(atMost: .seconds(60))
    let (calls, report) = try tracer.finish()
    end.signal()
    thread.join()

    // Waiting for the word and giving it, and memory that grows, belong to the test. What ends on
    // the machine meanwhile costs a `recvfrom` each, where exit records are allowed.
    let own: Set = [
      "poll", "ppoll", "recvfrom", "restart_syscall", "write", "futex", "brk", "mmap", "munmap",
    ]
    let total = calls.filter { !own.contains($0.key) }.values.reduce(0, +)
    return (total, calls, report)
  }
}
