import GoRuntime
import Linux
import ProcFS

/// A process that is looked at again and again, and never another one that gets its number.
final class InspectedProcess {
  /// What may wait for the process.
  private enum Question: Hashable, Sendable { case commandLine, maps, go }
  private indirect enum Answer: Sendable {
    case commandLine(CommandLine)
    case maps(UInt64)
    case go(GoSubject, GoSubject.Finding, [ProcError])
    case failure(Question, ProcError)
  }

  /// Threads of which context switches are read, and how many at a time.
  private static let threadLimit: UInt64 = 10_000
  private static let threadsAtOnce = 100

  private let root: ProcRoot
  private let cgroups: CgroupTree
  private var handle: ProcessHandle
  private let reader: BatchReader
  private let questions: Inquiries<Question, Answer>
  private var buffer: ReadBuffer
  private var lister = DirectoryReader()
  private var users = AccountNames()
  private var go: GoSubject?

  /// Takes hold of the process that has a number now.
  ///
  /// - Parameters:
  ///   - pid: The number.
  ///   - root: Where processes appear.
  ///   - cgroups: The control groups of the machine.
  ///   - reader: Reads what may hang in an `execve`.
  ///   - waiter: For what may wait for the process.
  /// - Throws: `Failure`, with what is wrong with the number.
  init(
    pid: Int32, root: consuming ProcRoot, cgroups: consuming CgroupTree, _ reader: BatchReader,
    _ waiter: Waiter
  ) throws {
    questions = try Inquiries(waiter)
    var stat = Stat()
    var handle = try Self.told(pid) { () throws(ProcError) in
      try ProcessHandle(pid: pid, in: root, reader, keep: true, &stat)
    }
    var buffer = ReadBuffer(capacity: 4 << 10, limit: 1 << 20)
    let leader = try Self.told(pid) { () throws(ProcError) in
      try handle.status(&buffer, keep: true).threadGroup
    }
    if let leader, leader != pid {
      throw Failure.running("\(pid) is a thread of process \(leader): inspect that one")
    }
    self.handle = handle
    self.buffer = buffer
    self.root = root
    self.cgroups = cgroups
    self.reader = reader
  }

  /// Turns what a read of a process throws into what somebody is told who gave its number.
  private static func told<Value: ~Copyable>(
    _ pid: Int32, _ read: () throws(ProcError) -> Value
  ) throws(Failure) -> Value {
    do throws(ProcError) {
      return try read()
    } catch .gone {
      throw .running("no process has the number \(pid), or hidepid hides it")
    } catch .denied {
      throw .running("hidepid hides process \(pid): expected CAP_SYS_PTRACE or the same user")
    } catch {
      throw .running("process \(pid): \(error)")
    }
  }

  var pid: Int32 { handle.pid }

  /// Becomes readable when the process has ended; nil where its number means nothing to system calls,
  /// or the kernel is too old.
  func end() -> PidFD? {
    guard root.numbersAreOwn, let end = try? PidFD(pid: pid), (try? handle.proveExistence()) != nil
    else { return nil }
    return end
  }

  /// Looks at what changes all the time.
  ///
  /// - Throws: `gone`.
  func glance() throws(ProcError) -> ProcessLook {
    let look = ProcessLook()
    var batch = ReadBatch()
    handle.askStat(&batch)
    handle.askIO(&batch)
    reader.read(&batch)
    look.instant = .now
    look.stat = try handle.stat(batch, 0, keep: true)
    look.io = attempt(look) { () throws(ProcError) in try handle.io(batch, 1, keep: true) }
    look.status = attempt(look) { () throws(ProcError) in
      try handle.status(&buffer, keep: true)
    }
    let stat = look.stat
    look.switches = attempt(look) { () throws(ProcError) in try switches(stat) }
    look.cgroup = attempt(look) { () throws(ProcError) in try handle.cgroup(&buffer, keep: true) }
    if let cgroup = look.cgroup {
      look.groups = CgroupLook(cgroup, cgroups)
      look.troubles += look.groups.troubles
    }
    return look
  }

  /// Looks at everything.
  ///
  /// - Parameter patience: How long it may take to answer what only it can.
  /// - Returns: What was found.
  /// - Throws: `gone`.
  func look(patience: Duration) throws(ProcError) -> ProcessLook {
    let look = try glance()
    ask(look.stat, look)
    look.startNanoseconds = root.facts.epochNanoseconds(startTicks: handle.startTicks)
    look.facts = root.facts
    if !look.stat.hasEnded, !look.stat.isKernelThread {
      look.program = attempt(look) { () throws(ProcError) in try handle.executable() }
    }
    // The kernel shows none of a process whose first thread has ended.
    if look.stat.state != UInt8(ascii: "Z") {
      look.descriptors = attempt(look) { () throws(ProcError) in
        try handle.descriptorCount(&lister)
      }
    }
    var limits: [ResourceLimits.Resource: ResourceLimits.Pair] = [:]
    _ = attempt(look) { () throws(ProcError) in try handle.limits(&buffer) { limits[$0] = $1 } }
    look.limits = limits
    look.oomScore = attempt(look) { () throws(ProcError) in try handle.oomScore(&buffer) }
    look.oomScoreAdjustment = attempt(look) { () throws(ProcError) in
      try handle.oomScoreAdjustment(&buffer)
    }
    look.mapLimit = root.memoryMapLimit()
    nameOthers(look)
    collect(look, until: look.instant + patience)
    // What was read meanwhile by number is of this process.
    try handle.proveExistence()
    return look
  }

  /// Runs a read; what goes wrong is a trouble, unless it is that there is nothing.
  private func attempt<Value>(
    _ look: ProcessLook, _ read: () throws(ProcError) -> Value?
  ) -> Value? {
    do throws(ProcError) {
      return try read()
    } catch {
      if error != .gone { look.troubles.append(error) }
      return nil
    }
  }

  /// Context switches of all threads.
  private func switches(_ stat: Stat) throws(ProcError) -> ProcessLook.Switches? {
    if stat.threads > Self.threadLimit || stat.hasEnded { return nil }
    let directory = try handle.threads()
    var numbers: [Int32] = []
    try directory.numbers(&lister) { number in
      numbers.append(number)
      return true
    }
    var sum = ProcessLook.Switches()
    for start in stride(from: 0, to: numbers.count, by: Self.threadsAtOnce) {
      let some = numbers[start..<min(start + Self.threadsAtOnce, numbers.count)]
      var batch = ReadBatch()
      for number in some { directory.ask(.status, of: number, &batch) }
      reader.read(&batch)
      for (place, number) in some.enumerated() {
        do throws(ProcError) {
          let status = try directory.status(number, batch, place)
          sum.voluntary &+= status.voluntarySwitches ?? 0
          sum.involuntary &+= status.involuntarySwitches ?? 0
        } catch .gone {
          // The thread has ended.
        }
      }
    }
    return sum
  }

  /// Finds the names of its user and of its parent.
  private func nameOthers(_ look: ProcessLook) {
    if let new = users.ifChanged("/etc/passwd") { users = new }
    func text(_ id: UInt32) -> String {
      let name = users.name(id)
      return name == String(id) ? name : "\(name) (\(id))"
    }
    if let user = look.status?.effectiveUserID {
      look.user = text(user)
      if let real = look.status?.userID, real != user { look.realUser = text(real) }
    }
    if look.stat.parent > 0 {
      var batch = ReadBatch()
      root.askStat(pid: look.stat.parent, &batch)
      reader.read(&batch)
      look.parentName = (try? root.stat(batch, 0))?.name
    }
  }

  // MARK: What may wait for the process

  private func ask(_ stat: Stat, _ look: ProcessLook) {
    // What came too late need not be found again.
    for case .go(let late, _, _) in questions.begin() { go = late }
    if stat.hasEnded || stat.isKernelThread { return }
    let hold = handle.hold
    questions.ask(.commandLine) { answer in
      answer(
        Self.answer(.commandLine) { () throws(ProcError) in .commandLine(try hold.commandLine()) })
    }
    questions.ask(.maps) { answer in
      answer(Self.answer(.maps) { () throws(ProcError) in .maps(try hold.memoryMaps()) })
    }
    let program = attempt(look) { () throws(ProcError) in try handle.programFacts() }
    guard let program else { return }
    if go?.program != program || go?.mark != stat.execMark {
      go = GoSubject(stat.execMark, hold, program, pid: root.numbersAreOwn ? pid : nil)
    }
    guard let known = go else { return }
    questions.ask(.go) { answer in
      answer(
        Self.answer(.go) { () throws(ProcError) in
          var (subject, troubles) = (known, [ProcError]())
          let finding = try subject.look(threads: stat.threads, &troubles)
          return .go(subject, finding, troubles)
        })
    }
  }

  private static func answer(
    _ question: Question, _ read: () throws(ProcError) -> Answer
  ) -> Answer {
    do throws(ProcError) {
      return try read()
    } catch {
      return .failure(question, error)
    }
  }

  private func collect(_ look: ProcessLook, until deadline: Instant) {
    for answer in questions.collect(until: deadline) {
      switch answer {
      case .commandLine(let line): look.commandLine = line
      case .maps(let count): look.maps = count
      case .go(let subject, let finding, let troubles):
        go = subject
        look.go = finding
        look.troubles += troubles
      case .failure(let question, let error):
        if error != .gone { look.troubles.append(error) }
        if question == .go, error == .denied(.mem) { look.go = .unreadable("\(error)") }
      }
    }
    for (question, file) in [
      (Question.commandLine, SourceFile.cmdline), (.maps, .maps), (.go, .mem),
    ] where questions.isOpen(question) {
      look.troubles.append(.late(file))
    }
  }
}
