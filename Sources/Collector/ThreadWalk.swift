import Linux
import ProcFS
import Targets

/// One thread as a walk found it; nil is what was not read.
struct ThreadSample {
  let number: Int32
  var stat: Stat?
  /// The kernel's function that it waits in.
  var channel: String?
  /// What it used since it began.
  var usage = ThreadUsage()

  /// What it used since it was last seen, under the name it has now, or had when that was last read.
  var used = ThreadUsage()
  var name: ProcessName?

  init(_ number: Int32) { self.number = number }

  /// Takes what one of its files said.
  fileprivate mutating func take(
    _ file: SourceFile, _ batch: ReadBatch, _ place: Int, _ directory: borrowing ThreadDirectory
  ) throws(ProcError) {
    switch file {
    case .stat:
      let stat = try directory.stat(number, batch, place)
      self.stat = stat
      usage.take(stat)
    case .status: usage.take(try directory.status(number, batch, place))
    case .schedstat: usage.take(try directory.schedstat(number, batch, place))
    case .io: usage.take(try directory.io(number, batch, place))
    case .wchan: channel = try directory.waitChannel(number, batch, place)
    default: break
    }
  }
}

/// What a look at all threads of one process found.
struct ThreadWalk {
  /// In the order of their numbers; one that ended before it was looked at is not among them.
  fileprivate(set) var threads: [ThreadSample] = []
  /// Files that could be read, of those that were asked for.
  fileprivate(set) var files: SourceFiles = []
  /// Whether it met every thread there was.
  fileprivate(set) var isComplete = false

  /// Whether the state of every thread is known.
  var knowsStates: Bool { isComplete && files.contains(.stat) }
}

extension ProcessReader {
  /// What a process' own files tell about its first thread.
  static let ownFiles = SourceFiles([.task, .status, .schedstat])

  /// Whether a process never had but one thread, as far as is known, and nobody asks about it by
  /// itself: then its own files tell everything, and nothing has to be remembered.
  func isSimple(_ member: Member, _ wanted: Wanted) -> Bool {
    member.stat.threads == 1 && !member.hasHadThreads && wanted.surveyedThreadFiles.isEmpty
  }

  /// What a process' own files tell about its only thread.
  func ownUsage(
    _ member: Member, _ target: Target, _ files: SourceFiles, _ status: Status?
  ) throws(ProcError) -> ThreadUsage {
    var usage = ThreadUsage()
    if files.contains(.status), let status { usage.take(status) }
    if files.contains(.schedstat) {
      let schedstat = try attempt(target, member) { () throws(ProcError) in
        try member.handle.schedstat(&buffer)
      }
      if let schedstat { usage.take(schedstat) }
    }
    return usage
  }

  /// Looks at every thread of a process once, up to a limit.
  ///
  /// - Parameters:
  ///   - member: The process.
  ///   - target: Where failures are counted, once a process each.
  ///   - files: What rows need of each thread.
  ///   - sample: What was read of the process already, and what follows from its threads.
  ///   - history: What the last collection remembered of its threads.
  /// - Throws: `gone` when the process has ended.
  func walkThreads(
    _ member: Member, _ target: Target, _ files: SourceFiles, _ sample: inout ProcessSample,
    _ history: inout ThreadHistory
  ) throws(ProcError) {
    walk.threads.removeAll(keepingCapacity: true)
    walk.files = files
    walk.isComplete = false
    let isAlone = member.stat.threads == 1
    if !isAlone || !files.isSubset(of: Self.ownFiles) {
      _ = try attempt(target, member) { () throws(ProcError) in
        try lookAtThreads(member, target)
      }
      if walk.threads.isEmpty {
        walk.isComplete = false
        // Nothing is listed of a process that has ended, which this read tells.
        _ = try attempt(target, member) { () throws(ProcError) in
          try member.handle.proveExistence()
        }
      }
    }
    if isAlone, walk.threads.isEmpty {
      var thread = ThreadSample(member.pid)
      walk.files.formIntersection(Self.ownFiles)
      thread.usage = try ownUsage(member, target, walk.files, sample.status)
      walk.threads.append(thread)
    }
    // When nothing could be looked at, everything is as it was.
    if !walk.threads.isEmpty {
      history.update(&walk.threads, isComplete: isAlone || walk.isComplete)
    }
    if walk.knowsStates { sample.stat.threads = UInt64(walk.threads.count) }
    sample.take(history.total)
  }

  private func lookAtThreads(_ member: Member, _ target: Target) throws(ProcError) {
    let limit = limits.threadsPerProcess
    let directory = try member.handle.threads()
    var numbers: [Int32] = []
    var isCut = false
    try directory.numbers(&lister) { number in
      isCut = numbers.count == limit
      if !isCut { numbers.append(number) }
      return !isCut
    }
    if isCut {
      target.note(
        Trouble(.file(.task), .limit),
        "process \(member.pid) has \(member.stat.threads) threads; only the first \(limit) "
          + "are looked at one by one (limits.threads_per_process)")
    }
    if walk.files.contains(.wchan) { checkWaitChannels(member, target) }
    // They come in the order of creation, which numbers that began anew do not follow.
    numbers.sort()
    let files = [SourceFile.stat, .status, .schedstat, .io, .wchan].filter(walk.files.contains)
    reads.threads(files, of: numbers, in: directory) { number, batch, place in
      if let thread = thread(number, files, batch, place, directory, member, target) {
        walk.threads.append(thread)
      }
    }
    walk.isComplete = !isCut
  }

  /// Makes a thread of its files; nil if it has ended before the first of them was read.
  ///
  /// A failure is counted once, and that file of the process' other threads is not looked at, since it
  /// would not differ.
  private func thread(
    _ number: Int32, _ files: [SourceFile], _ batch: ReadBatch, _ place: Int,
    _ directory: borrowing ThreadDirectory, _ member: Member, _ target: Target
  ) -> ThreadSample? {
    var thread = ThreadSample(number)
    for (index, file) in files.enumerated() where walk.files.contains(file) {
      do throws(ProcError) {
        try thread.take(file, batch, place + index, directory)
      } catch {
        guard let trouble = Trouble(error) else {
          return thread.usage == ThreadUsage() ? nil : thread
        }
        target.note(trouble, "threads of process \(member.pid): \(error)")
        // One that is late makes all of them late.
        if trouble.reason == .late {
          walk.files = []
        } else {
          walk.files.remove(SourceFiles([file]))
        }
      }
    }
    return thread
  }

  /// Finds out whether wait channels may be seen, since without permission they read as if no thread
  /// waited; the link to the program takes the same one.
  private func checkWaitChannels(_ member: Member, _ target: Target) {
    do throws(ProcError) {
      _ = try member.handle.executable()
    } catch .denied {
      target.note(
        Trouble(.file(.wchan), .denied),
        "process \(member.pid): wchan cannot be read: permission denied; expected CAP_SYS_PTRACE "
          + "or the same user")
      walk.files.remove(SourceFiles([.wchan]))
    } catch {
      // A thread of the kernel runs no program.
    }
  }
}
