import Linux
import ProcFS
import Targets

/// What the rows of a target need of each of its processes.
struct Wanted: Sendable {
  /// Files of the process.
  var files: SourceFiles = []
  /// Files of each thread, for the numbers of the process and for the survey of threads.
  var threadFiles: SourceFiles = []
  /// Those of them that are for the survey.
  var surveyedThreadFiles: SourceFiles = []
}

/// Reads what one collection needs of one process, and remembers what the next one needs of this.
final class ProcessReader {
  private let facts: SystemFacts
  let reads: ProcessReads
  /// Whether system calls mean the same processes by the same numbers as /proc.
  private let numbersAreOwn: Bool
  var limits = CollectorLimits()
  /// Where the kernel adds up the threads of a process itself, and whether it measures delays now.
  private(set) var taskstats: Taskstats?
  private(set) var taskstatsFailure: TaskstatsFailure?
  var accountsDelays = false
  var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
  var lister = DirectoryReader()
  /// The threads of the process that was read last.
  var walk = ThreadWalk()
  /// What this collection has read already.
  private var statisticsByNamespace: [UInt64: NetStatistics] = [:]
  /// `io` of each member, by its slot, until it is asked for.
  private var ioBySlot: [Result<IO, ProcError>?] = []

  /// Whether it is not a recorded tree, of which nobody can ask more than it holds.
  private let isLive: Bool

  init(_ reads: ProcessReads, facts: SystemFacts, numbersAreOwn: Bool, isLive: Bool) {
    self.reads = reads
    self.facts = facts
    self.isLive = isLive
    self.numbersAreOwn = numbersAreOwn
  }

  /// Reads `io` of processes that ``read(_:_:_:_:)`` is about to be asked for.
  func readIO(_ members: [Member]) {
    reads.io(members) { member, result in
      while ioBySlot.count <= member.slot { ioBySlot.append(nil) }
      ioBySlot[member.slot] = result
    }
  }

  private func takeIO(_ member: Member) throws(ProcError) -> IO? {
    guard member.slot < ioBySlot.count, let result = ioBySlot[member.slot] else { return nil }
    ioBySlot[member.slot] = nil
    return try result.get()
  }

  /// Reads the given files of a process whose `stat` was read already, and its `io` if it is wanted.
  ///
  /// - Parameters:
  ///   - member: The process.
  ///   - target: Where failures are counted.
  ///   - wanted: What the target's rows need.
  ///   - threads: What the last collection remembered of its threads.
  /// - Returns: The sample; nil when the process has ended meanwhile.
  func read(
    _ member: Member, _ target: Target, _ wanted: Wanted, _ threads: inout ThreadHistory
  ) -> ProcessSample? {
    let files = wanted.files
    var sample = ProcessSample(facts: facts, stat: member.stat)
    do throws(ProcError) {
      // What is asked by number comes first: the reads behind it, which fail for an ended process,
      // show that the number still meant this one.
      if files.contains(.limits) {
        sample.limits = try attempt(target, member) { () throws(ProcError) in
          if let limits = prlimits(member.pid) { return limits }
          return try member.handle.limits(&buffer)
        }
      }
      var accounted: TaskUsage?
      if asksTaskstats(member, files) {
        accounted = try attempt(target, member) { () throws(ProcError) in
          try usage(member.pid)
        }
        if accountsDelays { sample.delays = accounted.flatMap(Delays.init) }
      }
      if files.contains(.fd), !member.stat.firstThreadHasEnded {
        sample.openDescriptors = try attempt(target, member) { () throws(ProcError) in
          try member.handle.descriptorCount(&lister)
        }
      }
      if files.contains(.status) {
        sample.status = try attempt(target, member) { () throws(ProcError) in
          try member.handle.status(&buffer, keep: member.keepsFiles)
        }
      }
      if files.contains(.io) {
        sample.io = try attempt(target, member) { () throws(ProcError) in try takeIO(member) }
      }
      if !files.contains(.status) { try member.handle.proveExistence() }
      if files.contains(.oomScore) {
        sample.oomScore = try attempt(target, member) { () throws(ProcError) in
          try member.handle.oomScore(&buffer)
        }
      }
      if files.contains(.oomScoreAdj) {
        sample.oomScoreAdjustment = try attempt(target, member) { () throws(ProcError) in
          try member.handle.oomScoreAdjustment(&buffer)
        }
      }
      // Last, because what it finds must not be lost to the process' end.
      let isAccounted = accountsSwitches(member)
      let threadFiles = isAccounted ? wanted.surveyedThreadFiles : wanted.threadFiles
      if !threadFiles.isEmpty, isSimple(member, wanted) {
        sample.take(try ownUsage(member, target, threadFiles, sample.status))
      } else if !threadFiles.isEmpty {
        try walkThreads(member, target, threadFiles, &sample, &threads)
      }
      if isAccounted {
        sample.switches = accounted.flatMap(Switches.init)
        sample.runTimes = accounted.flatMap(RunTimes.init)
      }
      return sample
    } catch {
      return nil
    }
  }

  /// Opens taskstats for rows that need it or are cheaper with it.
  func prepareTaskstats() {
    guard taskstats == nil, numbersAreOwn else { return }
    do throws(TaskstatsFailure) {
      taskstats = try Taskstats()
    } catch {
      taskstatsFailure = error
    }
  }

  /// Why there are no delays; nil if there are.
  var delayTrouble: (Trouble, String)? {
    if !isLive { return nil }
    if taskstats == nil {
      let isDenied = taskstatsFailure == .denied
      let why = taskstatsFailure?.description ?? "/proc shows other numbers than system calls use"
      return (
        Trouble(.file(.taskstats), isDenied ? .denied : .missing),
        "delays cannot be read, because taskstats is not available: \(why)"
      )
    }
    if accountsDelays { return nil }
    return (
      Trouble(.file(.taskstats), .missing),
      "delays are not measured, because kernel.task_delayacct is off; "
        + "sysctl kernel.task_delayacct=1 switches it on for processes that start then"
    )
  }

  private func asksTaskstats(_ member: Member, _ files: SourceFiles) -> Bool {
    if member.stat.threads > 1 { member.hasHadThreads = true }
    return taskstats != nil
      && (files.contains(.taskstats) && accountsDelays
        || files.contains(.task) && accountsSwitches(member))
  }

  /// Whether the switches of a process come from taskstats.
  ///
  /// Once they do they always will: the other source knows less of ended threads. A process that
  /// never had a second thread has all of them in `status`, which is read anyway.
  private func accountsSwitches(_ member: Member) -> Bool {
    member.hasHadThreads && taskstats?.includesEndedThreads == true
  }

  private func usage(_ pid: Int32) throws(ProcError) -> TaskUsage? {
    do throws(Errno) {
      return try taskstats?.usage(process: pid)
    } catch {
      throw error == .noSuchProcess ? .gone : .io(.taskstats, code: error.code)
    }
  }

  /// Reads once more what a process may still tell that has ended or is about to leave.
  func readLast(
    _ member: Member, _ target: Target, _ wanted: Wanted, _ threads: inout ThreadHistory
  ) -> ProcessSample {
    var sample = ProcessSample(facts: facts, stat: member.stat)
    if wanted.files.contains(.io) {
      sample.io = try? reads.io(member)
    }
    let threadFiles = wanted.threadFiles.intersection(Self.ownFiles)
    if !threadFiles.isEmpty, member.stat.threads == 1, !accountsSwitches(member) {
      sample.status = try? member.handle.status(&buffer, keep: member.keepsFiles)
      try? walkThreads(member, target, threadFiles, &sample, &threads)
    }
    return sample
  }

  /// Runs one read; a failure is counted and yields nil, only the process' end goes on up.
  func attempt<Record>(
    _ target: Target, _ member: Member, _ body: () throws(ProcError) -> Record?
  ) throws(ProcError) -> Record? {
    do throws(ProcError) {
      return try body()
    } catch {
      if error == .gone { throw error }
      target.note(error, pid: member.pid)
      return nil
    }
  }

  /// Limits by system call, which costs a tenth of the file; nil where that is not allowed.
  private func prlimits(_ pid: Int32) -> ResourceLimits? {
    guard numbersAreOwn, let files = try? resourceLimit(.openFiles, pid: pid),
      let space = try? resourceLimit(.addressSpace, pid: pid)
    else { return nil }
    return ResourceLimits(
      openFiles: .init(soft: files.soft, hard: files.hard),
      addressSpaceBytes: .init(soft: space.soft, hard: space.hard))
  }

  /// Starts a collection.
  func begin() { statisticsByNamespace.removeAll(keepingCapacity: true) }

  /// What went through the network namespace of a process, the same for all who are in it; nil if
  /// that cannot be read.
  func netStatistics(
    _ member: Member, _ target: Target
  ) -> (namespace: UInt64, NetStatistics)? {
    let read = try? attempt(target, member) { () throws(ProcError) in
      try member.handle.netStatistics(&buffer) { statisticsByNamespace[$0] }
    }
    guard let read else { return nil }
    statisticsByNamespace[read.namespace] = read.statistics
    return (read.namespace, read.statistics)
  }

  /// The open descriptors of a process; nil if they cannot be read.
  func descriptors(_ member: Member, _ target: Target) -> [Descriptor]? {
    let limit = limits.descriptorsPerProcess
    var found: [Descriptor] = []
    let isComplete = try? attempt(target, member) { () throws(ProcError) -> Bool? in
      try member.handle.descriptors(&lister, &buffer) { descriptor in
        if found.count == limit { return false }
        found.append(descriptor)
        return true
      }
      return true
    }
    if isComplete == nil { return nil }
    if found.count == limit {
      target.note(
        Trouble(.file(.fdLinks), .limit),
        "process \(member.pid) has more than \(limit - 1) open descriptors; the others are not "
          + "looked at one by one (limits.descriptors_per_process)")
    }
    return found
  }

  /// All limits of a process; none if they cannot be read.
  ///
  /// The file costs as much as the sixteen system calls would, and is allowed to everybody.
  func limits(
    _ member: Member, _ target: Target
  ) -> [(resource: ResourceLimits.Resource, pair: ResourceLimits.Pair)] {
    var found: [(resource: ResourceLimits.Resource, pair: ResourceLimits.Pair)] = []
    _ = try? attempt(target, member) { () throws(ProcError) -> Void? in
      try member.handle.limits(&buffer) { found.append(($0, $1)) }
    }
    return found
  }

  /// The path of the program that a process runs, and what the file is; nil what cannot be read or
  /// is not there, as for a thread of the kernel.
  func program(_ member: Member, _ target: Target) -> (path: [UInt8]?, facts: FileFacts?) {
    let path = try? attempt(target, member) { () throws(ProcError) in
      try member.handle.executable()
    }
    return (path, path == nil ? nil : try? member.handle.programFacts())
  }

  /// The control groups of a process; nil if they cannot be read.
  func cgroup(_ member: Member, _ target: Target) -> Cgroup? {
    try? attempt(target, member) { () throws(ProcError) in
      try member.handle.cgroup(&buffer, keep: member.keepsFiles)
    }
  }
}
