import Linux
import ProcFS

/// Decides which rule a process belongs to.
struct Resolver: ~Copyable {
  /// The process that a number stood for when the rule was first looked at with it.
  private struct Bound {
    var pid: Int32
    var startTicks: UInt64
    var version: FileFacts?
  }

  /// Which rule fits a process, and what that depends on.
  struct Verdict {
    /// The place of the rule; nil if none fits.
    let rule: Int?
    fileprivate let name: ProcessName
    fileprivate let epoch: UInt64
  }

  private let pidFiles: PidFileWatch
  private var rules: [Rule] = []
  /// What the number of a rule means, by the rule's place.
  private var bound: [Int: Bound] = [:]
  /// The rules whose number stands for this process now; filled anew by ``bind(_:_:)``.
  private var byPid: [Int32: [Int]] = [:]
  /// The rules without a number, in file order.
  private var unnumbered: [Int] = []
  /// Those of them that ask for nothing but a process name.
  private var named: [Int] = []

  /// Raised when rules or the meaning of their numbers change.
  private var epoch: UInt64 = 0
  private var usesExecutables = false

  /// Whether a rule can only be applied by looking at every process.
  private(set) var scans = false
  private(set) var hasChildrenRules = false
  /// Whether a process can belong to a target that ended before anybody looked at it.
  var canClaim: Bool { hasChildrenRules || !named.isEmpty }

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
    unnumbered = rules.indices.filter { rules[$0].selector.looksAtAll }
    named = unnumbered.filter { rules[$0].selector.executables.isEmpty }
    hasChildrenRules = rules.contains(where: \.includesChildren)
    scans = hasChildrenRules || !unnumbered.isEmpty
    usesExecutables = rules.contains { !$0.selector.executables.isEmpty }
    byPid = [:]
    epoch += 1
  }

  /// Starts reading the pid files.
  func begin() {
    pidFiles.request(rules.compactMap(\.selector.pidFile))
  }

  func collectPidFiles(until deadline: Instant) {
    pidFiles.collect(until: deadline)
  }

  /// Finds out which process each number means, and notes why it means none.
  ///
  /// - Parameters:
  ///   - targets: The targets of the rules, in the same order.
  ///   - stat: Looks up the process that has a number now.
  mutating func bind(_ targets: [Target], _ stat: (Int32) throws(ProcError) -> Stat) {
    let before = byPid
    byPid = [:]
    defer { if byPid != before { epoch += 1 } }
    // The clock as it is now: files are dated by it, whenever the daemon started.
    let facts = SystemFacts.current()
    for (index, rule) in rules.enumerated()
    where rule.selector.pid != nil || rule.selector.pidFile != nil {
      if let pid = bind(index, rule, targets[index], facts, stat) {
        byPid[pid, default: []].append(index)
      }
    }
  }

  /// The process that the number of one rule means; nil, with a note why, if it means none.
  private mutating func bind(
    _ index: Int, _ rule: Rule, _ target: Target, _ facts: SystemFacts,
    _ stat: (Int32) throws(ProcError) -> Stat
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

  /// Whether a verdict holds for what the process is now.
  func isCurrent(_ verdict: Verdict, _ stat: Stat) -> Bool {
    // A program can be replaced by another one that goes by the same name.
    verdict.epoch == epoch && !usesExecutables && verdict.name == stat.name
  }

  /// Finds the first rule, in file order, that fits a process.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - stat: Its `stat`.
  ///   - executable: Finds out its program; asked only if a rule needs it, and once.
  /// - Returns: The rule, if any, and what that depends on.
  func verdict(_ pid: Int32, _ stat: Stat, _ executable: () -> [UInt8]?) -> Verdict {
    Verdict(rule: rule(pid, stat, executable), name: stat.name, epoch: epoch)
  }

  private func rule(_ pid: Int32, _ stat: Stat, _ executable: () -> [UInt8]?) -> Int? {
    let numbered = byPid[pid] ?? []
    if numbered.isEmpty, unnumbered.isEmpty { return nil }
    let name = stat.name.bytes
    var program: [UInt8]??
    func fits(_ index: Int) -> Bool {
      let selector = rules[index].selector
      let names = selector.processNames
      if !names.isEmpty, !names.contains(where: { $0.matches(name) }) { return false }
      if selector.executables.isEmpty { return true }
      let path = program ?? executable()
      program = .some(path)
      guard let path else { return false }
      return selector.executables.contains { $0.matches(path) }
    }
    var first: Int?
    for index in numbered where first == nil && fits(index) { first = index }
    for index in unnumbered where index < first ?? rules.count {
      if fits(index) { return index }
    }
    return first
  }

  /// Whether a rule that comes before another one, or any, could fit a process by its program.
  func mayFit(name: [UInt8], before rule: Int?) -> Bool {
    unnumbered.contains { index in
      let selector = rules[index].selector
      return index < rule ?? rules.count && !selector.executables.isEmpty
        && (selector.processNames.isEmpty
          || selector.processNames.contains { $0.matches(name) })
    }
  }

  /// Finds the first rule, in file order, that nothing but a process name decides and that fits it.
  func rule(name: [UInt8]) -> Int? {
    named.first { rules[$0].selector.processNames.contains { $0.matches(name) } }
  }
}
