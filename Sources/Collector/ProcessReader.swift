import Linux
import ProcFS
import Targets

/// Reads what one collection needs of one process, and remembers what the next one needs of this.
final class ProcessReader {
  private let facts: SystemFacts
  /// Whether system calls mean the same processes by the same numbers as /proc.
  private let numbersAreOwn: Bool
  var limits = CollectorLimits()
  /// Where the kernel adds up the threads of a process itself, and whether it measures delays now.
  private(set) var taskstats: Taskstats?
  private(set) var taskstatsFailure: TaskstatsFailure?
  var accountsDelays = false
  private var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
  private var lister = DirectoryReader()
  /// Reused from process to process.
  private var threadSwitches: [ThreadSwitches.Entry] = []

  /// Whether it is not a recorded tree, of which nobody can ask more than it holds.
  private let isLive: Bool

  init(facts: SystemFacts, numbersAreOwn: Bool, isLive: Bool) {
    self.facts = facts
    self.isLive = isLive
    self.numbersAreOwn = numbersAreOwn
  }

  /// Reads the given files of a process whose `stat` was read already.
  ///
  /// - Parameters:
  ///   - member: The process.
  ///   - target: Where failures are counted.
  ///   - files: What the target's rows need.
  ///   - threads: What the last collection remembered of its threads.
  /// - Returns: The sample; nil when the process has ended meanwhile.
  func read(
    _ member: Member, _ target: Target, _ files: SourceFiles, _ threads: inout ThreadSwitches
  ) -> ProcessSample? {
    var sample = ProcessSample(facts: facts, stat: member.stat)
    do throws(ProcError) {
      // Limits come first: prlimit takes a number, and the reads behind it, which fail for an ended
      // process, show that the number still meant this one.
      if files.contains(.limits) {
        sample.limits = try attempt(target, member) { () throws(ProcError) in
          if let limits = prlimits(member.pid) { return limits }
          return try member.handle.limits(&buffer)
        }
      }
      if files.contains(.fd), !member.stat.firstThreadHasEnded {
        sample.openDescriptors = try attempt(target, member) { () throws(ProcError) in
          try member.handle.descriptorCount(&lister)
        }
      }
      var accounted: TaskUsage?
      if asksTaskstats(member, files) {
        accounted = try attempt(target, member) { () throws(ProcError) in
          try usage(member.pid)
        }
        if accountsDelays { sample.delays = accounted.flatMap(Delays.init) }
      }
      if files.contains(.status) {
        sample.status = try attempt(target, member) { () throws(ProcError) in
          try member.handle.status(&buffer, keep: member.keepsFiles)
        }
      }
      if files.contains(.task) {
        sample.switches = try attempt(target, member) { () throws(ProcError) in
          if accountsSwitches(member) { return accounted.flatMap(Switches.init) }
          return try switches(member, target, sample.status, &threads)
        }
      }
      if files.contains(.io) {
        sample.io = try attempt(target, member) { () throws(ProcError) in
          try member.handle.io(&buffer, keep: member.keepsFiles)
        }
      }
      return sample
    } catch {
      return nil
    }
  }

  /// Opens taskstats for rows that need it or are cheaper with it.
  func prepareTaskstats(_ files: SourceFiles) {
    guard taskstats == nil, numbersAreOwn, files.contains(.task) || files.contains(.taskstats)
    else { return }
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
    _ member: Member, _ target: Target, _ files: SourceFiles, _ threads: inout ThreadSwitches
  ) -> ProcessSample {
    var sample = ProcessSample(facts: facts, stat: member.stat)
    if files.contains(.io) {
      sample.io = try? member.handle.io(&buffer, keep: member.keepsFiles)
    }
    if files.contains(.task), member.stat.threads == 1, !accountsSwitches(member),
      let status = try? member.handle.status(&buffer, keep: member.keepsFiles)
    {
      sample.switches = try? switches(member, target, status, &threads)
    }
    return sample
  }

  /// Runs one read; a failure is counted and yields nil, only the process' end goes on up.
  private func attempt<Record>(
    _ target: Target, _ member: Member, _ body: () throws(ProcError) -> Record?
  ) throws(ProcError) -> Record? {
    do throws(ProcError) {
      return try body()
    } catch {
      guard let trouble = Trouble(error) else { throw error }
      target.note(trouble, "process \(member.pid): \(error)")
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

  /// The open descriptors of a process; none if they cannot be read.
  func descriptors(_ member: Member, _ target: Target) -> [Descriptor] {
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
    if isComplete == nil { return [] }
    if found.count == limit {
      target.note(
        Trouble(.file(.fdLinks), .limit),
        "process \(member.pid) has more than \(limit - 1) open descriptors; the others are not "
          + "looked at one by one (limits.descriptors_per_process)")
    }
    return found
  }

  private func switches(
    _ member: Member, _ target: Target, _ status: Status?, _ memory: inout ThreadSwitches
  ) throws(ProcError) -> Switches? {
    threadSwitches.removeAll(keepingCapacity: true)
    if member.stat.threads == 1 {
      guard let own = status.flatMap(Switches.init) else { return nil }
      threadSwitches.append(.init(thread: member.pid, switches: own))
    } else {
      var threads: [Int32] = []
      try member.handle.threads(&lister) { thread in
        threads.append(thread)
        return threads.count < limits.threadsPerProcess
      }
      // Fewer without having met the limit only means that some have ended since.
      if threads.count == limits.threadsPerProcess,
        threads.count < Int(clamping: member.stat.threads)
      {
        target.note(
          Trouble(.file(.task), .limit),
          "process \(member.pid) has \(member.stat.threads) threads; only the first \(limits.threadsPerProcess) "
            + "are looked at one by one (limits.threads_per_process)")
      }
      // They come in the order of creation, which numbers that began anew do not follow.
      threads.sort()
      for thread in threads {
        do throws(ProcError) {
          if let own = Switches(try member.handle.threadStatus(thread, &buffer)) {
            threadSwitches.append(.init(thread: thread, switches: own))
          }
        } catch .gone {
          // The thread ended since it was listed; what it had stays in the sum.
        }
      }
    }
    return memory.update(threadSwitches)
  }
}

extension Switches {
  /// The switches of the thread that `status` is about.
  init?(_ status: Status) {
    guard let voluntary = status.voluntarySwitches, let involuntary = status.involuntarySwitches
    else { return nil }
    self.init(voluntary: voluntary, involuntary: involuntary)
  }
}
