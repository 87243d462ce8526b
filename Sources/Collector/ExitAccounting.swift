import Linux
import ProcFS
import Targets

/// Listens to the ends of threads and finds out what processes of targets used in their lives.
///
/// A process that is held is asked once what its ended threads had used by then; with the records
/// of those that end later this makes its total. One that is not held belongs to a target if the
/// roster says so when its last thread has ended.
final class ExitAccounting: EventHandler {
  /// Kernel memory for records that wait.
  ///
  /// Each takes 1.3 kB, more where a process has many threads, and the kernel doubles the number: so
  /// 13,000 can wait, which is a second of 10,000 ends a second and more than a collection takes.
  static let queueBytes: Int32 = 8 << 20
  /// After a look at the queue nobody looks again for so long, so that a machine with many ends
  /// wakes the sampler 20 times a second at most.
  private static let rest = Duration.milliseconds(50)
  /// Records that one such look takes, so that ends which never stop do not hold up the rest.
  private static let batch = 16_384
  /// Processes with several threads whose first ends are remembered until the next collection.
  private static let threadedLimit = 4096
  /// Processes whose ended parents are not known yet.
  private static let waitingLimit = 4096

  /// A held process.
  private struct Account {
    /// What ended threads used; nil while none is known of, as with most processes.
    var threads: EndedThreads?
    var records: UInt32 = 0
    var isOpen = false
    var status = ProcessStatus()
  }

  private final class EndedThreads {
    /// Before anybody asked.
    var before = TaskUsage.zero
    /// Since then.
    var since = TaskUsage.zero
  }

  /// A process that was not held.
  private struct Unheld {
    let record: ExitRecord
    let name: [UInt8]
    let usage: TaskUsage
    let status: ExitStatus
  }

  /// Threads of a process that is not held, of which others may still run.
  private struct Threaded {
    var usage = TaskUsage.zero
    /// The name of the first one, if it is among them.
    var name: [UInt8]?
    var status = ProcessStatus()
  }

  private let loop: EventLoop
  private let roster: Roster
  private let queueBytes: Int32
  private var records: ExitRecords?
  private var token: EventToken?
  private(set) var failure: TaskstatsFailure?
  private var accounts: [Account] = []
  private var threaded: [Int32: Threaded] = [:]
  /// By the parent.
  private var waiting: [Int32: [Unheld]] = [:]
  private var waitingCount = 0
  private var lostBefore: UInt64 = 0
  private var dropped: UInt64 = 0
  private var lister = DirectoryReader()

  /// Called with a process that ended before anybody held it, and what it used.
  var didFindShortLived: (Target, TaskUsage) -> Void = { _, _ in }

  init(_ loop: EventLoop, _ roster: Roster, queueBytes: Int32) {
    self.loop = loop
    self.roster = roster
    self.queueBytes = queueBytes
  }

  var isActive: Bool { records != nil }

  /// Records that did not come, and processes that could not be told whose they were.
  var lost: UInt64 { lostBefore &+ (records?.lost ?? 0) &+ dropped }

  /// Starts or stops listening.
  func listen(_ isNeeded: Bool) {
    if isNeeded == isActive { return }
    failure = nil
    guard isNeeded else {
      if let token { loop.remove(token) }
      lostBefore &+= records?.lost ?? 0
      (records, token, accounts) = (nil, nil, [])
      (threaded, waiting, waitingCount) = ([:], [:], 0)
      return
    }
    do throws(TaskstatsFailure) {
      records = try ExitRecords(queueBytes: queueBytes)
    } catch {
      failure = error
      return
    }
    // Without a registration they are taken with each collection and each end.
    token = try? records?.register(with: loop, self)
  }

  // MARK: Events

  func ready(_ token: EventToken, _ readiness: Readiness) {
    drain(atMost: Self.batch)
    loop.modify(token, [])
    loop.setDeadline(token, .now + Self.rest)
  }

  func expired(_ token: EventToken) {
    drain()
    loop.modify(token, .readable)
  }

  /// Takes in everything that has ended so far.
  ///
  /// Whoever knows that a process has ended finds its records here: they come first.
  func drain(atMost limit: Int = .max) {
    records?.drain(atMost: limit) { record in
      // After its last record the number means another process.
      if let member = roster.member(record.process), member.recordedStatus == nil {
        note(record, member)
      } else if roster.canClaim {
        note(record)
      }
    }
  }

  /// Forgets what only mattered until the roster has looked at all processes.
  func settle() {
    threaded = [:]
    dropped &+= UInt64(waitingCount)
    (waiting, waitingCount) = ([:], 0)
  }

  // MARK: Held processes

  private func note(_ record: ExitRecord, _ member: Member) {
    makeRoom(member.slot)
    let threads = threads(member.slot)
    threads.since = threads.since + record.usage
    accounts[member.slot].records &+= 1
    if !record.isLast || record.thread != record.process { member.hasHadThreads = true }
    accounts[member.slot].status.take(record)
    if record.isLast { member.recordedStatus = accounts[member.slot].status.exit }
  }

  private func threads(_ slot: Int) -> EndedThreads {
    let threads = accounts[slot].threads ?? EndedThreads()
    accounts[slot].threads = threads
    return threads
  }

  private func makeRoom(_ slot: Int) {
    while accounts.count <= slot { accounts.append(Account()) }
  }

  /// Finds out, once, what ended threads of a process had used before.
  ///
  /// - Parameters:
  ///   - member: The process.
  ///   - taskstats: Whom to ask.
  ///   - threadLimit: One with more threads is not looked at; its records are a part of its total
  ///     then, which does no harm.
  func open(_ member: Member, _ taskstats: Taskstats?, threadLimit: Int) {
    makeRoom(member.slot)
    // One that has ended meanwhile has nothing left to ask about.
    guard isActive, !accounts[member.slot].isOpen, member.recordedStatus == nil else { return }
    accounts[member.slot].isOpen = true
    guard let taskstats else { return }
    // Threads that end meanwhile would count twice.
    for _ in 0..<3 {
      drain()
      if member.recordedStatus != nil { return }
      accounts[member.slot].records = 0
      accounts[member.slot].threads = nil
      guard let before = past(member, taskstats, threadLimit) else { return }
      drain()
      if accounts[member.slot].records == 0 {
        if !before.isZero { threads(member.slot).before = before }
        if before[.voluntarySwitches] ?? 0 > 0 { member.hasHadThreads = true }
        return
      }
    }
  }

  /// What a process has used, less what its threads have; nil if that cannot be found out.
  ///
  /// The total is read first, so that the difference is rather too small than too large.
  private func past(_ member: Member, _ taskstats: Taskstats, _ limit: Int) -> TaskUsage? {
    guard let stat = try? roster.reads.stat(member), stat.threads <= limit,
      let group = try? taskstats.usage(process: member.pid)
    else { return nil }
    var total = TaskUsage(stat, try? roster.reads.io(member))
    total.take(process: group, includesEndedThreads: taskstats.includesEndedThreads)
    var threads: [Int32] = []
    do throws(ProcError) {
      try member.handle.threads().numbers(&lister) { thread in
        threads.append(thread)
        return true
      }
    } catch {
      return nil
    }
    var live = TaskUsage.zero
    for thread in threads {
      // One that has ended meanwhile has left a record.
      guard let usage = try? taskstats.usage(thread: thread) else { return .zero }
      live = live + usage.withIORoundedUp
    }
    // The process is still there, so its number meant it all along.
    return (try? member.handle.proveExistence()) == nil ? nil : total - live
  }

  /// What a process used until it ended, by the records of its threads; nil if there are none.
  ///
  /// Nothing is remembered of it afterwards.
  func close(_ member: Member) -> TaskUsage? {
    guard member.slot < accounts.count else { return nil }
    let account = accounts[member.slot]
    accounts[member.slot] = Account()
    guard account.records > 0, let threads = account.threads else { return nil }
    return threads.before + threads.since
  }

  // MARK: Others

  private func note(_ record: ExitRecord) {
    var ended = threaded.removeValue(forKey: record.process) ?? Threaded()
    ended.usage = ended.usage + record.usage
    // Other threads may go by names of their own.
    if record.thread == record.process { ended.name = record.name }
    ended.status.take(record)
    if record.isLast {
      judge(
        Unheld(
          record: record, name: ended.name ?? record.name,
          usage: ended.usage, status: ended.status.exit))
    } else if threaded.count < Self.threadedLimit {
      threaded[record.process] = ended
    } else {
      dropped &+= 1
    }
  }

  private func judge(_ ended: Unheld) {
    let pid = ended.record.process
    let claim = roster.claim(ended: pid, name: ended.name, parent: ended.record.parent)
    switch claim {
    case .target(let target, let isInherited):
      roster.countShortLived(target, isInherited: isInherited, ended.status)
      didFindShortLived(target, ended.usage)
    case .nobody: break
    case .overflow, .ambiguous: dropped &+= 1
    case .unknown:
      if waitingCount == Self.waitingLimit {
        dropped &+= 1
      } else {
        waiting[ended.record.parent, default: []].append(ended)
        waitingCount += 1
        return
      }
    }
    guard let children = waiting.removeValue(forKey: pid) else { return }
    waitingCount -= children.count
    roster.remember(pid, heirs: claim) { for child in children { judge(child) } }
  }
}

/// How a process ended, by the records of its threads.
///
/// A thread that ends by itself has status 0; all that the end of the process ends have its status,
/// whichever of them is the last one.
struct ProcessStatus {
  private var waitStatus: Int32 = 0

  mutating func take(_ record: ExitRecord) {
    take(record.waitStatus, isFirstThread: record.thread == record.process)
  }

  mutating func take(_ status: Int32, isFirstThread: Bool) {
    if status != 0, isFirstThread || waitStatus == 0 { waitStatus = status }
  }

  var exit: ExitStatus { ExitStatus(waitStatus: waitStatus) }
}
