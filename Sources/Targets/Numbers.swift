import Linux
import ProcFS

/// Which processes the rules name by number, in the configuration or in a pid file.
struct Numbers: ~Copyable {
  /// The process that a number stood for when the rule was first looked at with it.
  private struct Bound {
    var pid: Int32
    var startTicks: UInt64
    var version: FileFacts?
  }

  private let pidFiles: PidFileWatch
  private var rules: [Rule] = []
  /// What the number of a rule means, by the rule's place.
  private var bound: [Int: Bound] = [:]
  /// The rules whose number stands for this process now; filled anew by ``bind(_:_:)``.
  private(set) var byPid: [Int32: [Int]] = [:]

  init(_ waiter: Waiter) throws(Errno) {
    pidFiles = try PidFileWatch(waiter)
  }

  mutating func setRules(_ rules: [Rule]) {
    let old = self.rules
    var kept: [Int: Bound] = [:]
    for (index, rule) in rules.enumerated() {
      if let before = old.firstIndex(of: rule) { kept[index] = bound[before] }
    }
    bound = kept
    self.rules = rules
    byPid = [:]
  }

  /// Starts reading the pid files.
  func begin() {
    pidFiles.request(rules.compactMap(\.selector.pidFile))
  }

  func collect(until deadline: Instant) {
    pidFiles.collect(until: deadline)
  }

  /// Finds out which process each number means, and notes why it means none.
  ///
  /// - Parameters:
  ///   - targets: The targets of the rules, in the same order.
  ///   - stat: Looks up the process that has a number now.
  ///   - status: The same for its owner.
  /// - Returns: Whether a number means another process than before.
  mutating func bind(
    _ targets: [Target], _ stat: (Int32) throws(ProcError) -> Stat,
    _ status: (Int32) throws(ProcError) -> Status
  ) -> Bool {
    let before = byPid
    byPid = [:]
    // The clock as it is now: files are dated by it, whenever the daemon started.
    let facts = SystemFacts.current()
    for (index, rule) in rules.enumerated()
    where rule.selector.pid != nil || rule.selector.pidFile != nil {
      if let pid = bind(index, rule, targets[index], facts, stat, status) {
        byPid[pid, default: []].append(index)
      }
    }
    return byPid != before
  }

  /// The process that the number of one rule means; nil, with a note why, if it means none.
  private mutating func bind(
    _ index: Int, _ rule: Rule, _ target: Target, _ facts: SystemFacts,
    _ stat: (Int32) throws(ProcError) -> Stat, _ status: (Int32) throws(ProcError) -> Status
  ) -> Int32? {
    var file: PidFile?
    var place = ""
    if let path = rule.selector.pidFile {
      place = "pid file \(path)"
      switch pidFiles.answer(path) {
      case .success(let answer): file = answer
      case .failure(let failure):
        target.note(Trouble(.pidFile, failure.reason), "\(place) \(failure.detail)")
        return failure.mayBePassing ? last(index, stat) : forget(index)
      case nil:
        target.note(Trouble(.pidFile, .late), "\(place) has not answered in time")
        return last(index, stat)
      }
    }
    guard let pid = file?.pid ?? rule.selector.pid else { return nil }
    if file == nil { place = "pid \(pid)" }
    let source = file == nil ? Trouble.Source.process : .pidFile
    if let wanted = rule.selector.pid, wanted != pid {
      target.note(
        Trouble(source, .stale), "\(place) says \(pid); expected \(wanted), the target's pid")
      return forget(index)
    }
    let process: Stat
    do throws(ProcError) {
      process = try stat(pid)
      if !isBound(index, pid, process, file),
        let failure = Self.distrust(rule, pid, file, try status(pid))
      {
        target.note(Trouble(source, failure.reason), "\(place) \(failure.detail)")
        return forget(index)
      }
    } catch {
      target.note(
        Trouble(error) ?? Trouble(source, .gone),
        error == .gone
          ? "\(place): there is no process \(pid); expected a running one" : "\(place): \(error)")
      return nil
    }
    guard let why = doubt(index, process, pid, file, facts) else {
      bound[index] = Bound(pid: pid, startTicks: process.startTicks, version: file?.version)
      return pid
    }
    let name = String(decoding: process.name.bytes, as: UTF8.self)
    target.note(
      Trouble(source, .stale),
      "\(place): process \(pid) is now \"\(name)\", which \(why); expected the process that "
        + "had the number before (touch the file if this one is right)")
    return nil
  }

  /// Whether a number means the process already.
  private func isBound(_ index: Int, _ pid: Int32, _ process: Stat, _ file: PidFile?) -> Bool {
    guard let known = bound[index] else { return false }
    return known.pid == pid && known.startTicks == process.startTicks
      && known.version == file?.version
  }

  /// Why a number is not to be believed, whatever process has it; nil if it is.
  private static func distrust(
    _ rule: Rule, _ pid: Int32, _ file: PidFile?, _ status: Status
  ) -> PidFile.Failure? {
    if let process = status.threadGroup, process != pid {
      return PidFile.Failure(
        reason: .malformed,
        detail: "names thread \(pid) of process \(process); expected the number of a process")
    }
    guard let file, !rule.trustsPidFile else { return nil }
    return file.writers.lazy.compactMap { $0.distrust(pid, status) }.first
  }

  /// Why a process cannot be the one that a number was written for; nil if it can.
  private func doubt(
    _ index: Int, _ process: Stat, _ pid: Int32, _ file: PidFile?, _ facts: SystemFacts
  ) -> String? {
    if let known = bound[index], known.pid == pid, known.version == file?.version {
      return known.startTicks == process.startTicks
        ? nil : "got the number after the one that was watched ended"
    }
    guard let file else { return nil }
    if process.isKernelThread { return "is a thread of the kernel" }
    let start = facts.epochNanoseconds(startTicks: process.startTicks)
    let boot = facts.epochNanoseconds(startTicks: 0)
    return file.canBeWritten(byProcessStartedAt: start, boot: boot)
      ? nil : "started after the file was written"
  }

  /// What a number meant when it was last known, if that process is still there.
  private func last(_ index: Int, _ stat: (Int32) throws(ProcError) -> Stat) -> Int32? {
    guard let last = bound[index], let now = try? stat(last.pid),
      now.startTicks == last.startTicks
    else { return nil }
    return last.pid
  }

  private mutating func forget(_ index: Int) -> Int32? {
    bound[index] = nil
    return nil
  }
}
