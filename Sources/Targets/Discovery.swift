package import Linux
import ProcFS

/// Tells which processes have to be read because they may have come to fit a rule, at a cost that
/// does not grow with those that fit none.
///
/// Where the kernel tells of forks, execs, names and users, it is those. Elsewhere the number that it
/// gave last shows what is new: numbers are given in order, so the new ones are tried, or all
/// processes are listed if they are many. Execs are found as ``Strangers`` says then. A listing now
/// and then makes up for what neither tells. Belongs to the sampler thread.
package final class Discovery: EventHandler {
  /// Kernel memory for events that wait; the kernel doubles it, so 10,000 can wait.
  static let queueBytes: Int32 = 4 << 20
  /// After a look at the queue nobody looks again for so long, so that a machine where much happens
  /// wakes the sampler once a second.
  private static let rest = Duration.seconds(1)
  /// Events that one look takes: more than can wait.
  private static let batch = 32_768
  /// Processes that events tell of between two collections.
  private static let newsLimit = 65_536
  /// New numbers that are tried; if there are more, all processes are listed.
  static let tries: Int32 = 1024
  /// All processes are listed at least so often.
  static let listingSeconds: UInt64 = 300

  /// What a collection asks about the machine.
  struct Machine {
    /// Ticks since it started.
    var now: UInt64
    /// The number that the kernel gave last; nil if it does not tell.
    var lastPid: () -> Int32?
    /// Whether a number is that of a process, and not of a thread or of nobody; nil if that cannot
    /// be found out.
    var isProcess: (Int32) -> Bool?
    /// Calls its argument with every process.
    var list: ((Int32) -> Void) throws(Errno) -> Void
  }

  private let loop: EventLoop
  private let listingTicks: UInt64
  private var events: ProcessEvents?
  private var token: EventToken?
  /// Why there are no events.
  package private(set) var failure: ProcessEventsFailure?
  private var lostBefore: UInt64 = 0

  /// Called for each process that has ended, or that cannot be read, as far as it is not held.
  var didEnd: (Int32) -> Void = { _ in }

  private var strangers = Strangers()
  /// Of whom events have told since the last collection.
  private var news: Set<Int32> = []
  /// Whether some events have not come since then.
  private var hasLost = false
  /// Who has to be read, until it is known whose it is.
  private var pending: Set<Int32> = []
  /// The held processes among those of whom events told, and whether they are all.
  private var changed: (pids: Set<Int32>, areAll: Bool) = ([], false)

  private var mustList = true
  private var listedTicks: UInt64 = 0
  private var countWhenListed = 0
  /// The number that had been given last at the last collection, and the one from which on numbers
  /// are tried again at the next one: a process cannot be seen yet when it gets its number.
  private var numbers: (last: Int32, tried: Int32)?
  /// Whether ``numbers`` is that of the last collection, and not of an earlier one.
  private var isFollowing = false

  init(_ loop: EventLoop, ticksPerSecond: UInt64) {
    self.loop = loop
    listingTicks = Self.listingSeconds * ticksPerSecond
  }

  // MARK: Events

  /// Whether the kernel tells of new and changed processes.
  package var isListening: Bool { events != nil }

  /// Events that did not come.
  package var lost: UInt64 { lostBefore &+ (events?.lost ?? 0) }

  /// Starts or stops listening.
  ///
  /// - Parameter isNeeded: Only where processes have the numbers that the kernel tells.
  func listen(_ isNeeded: Bool) {
    if isNeeded == isListening { return }
    failure = nil
    mustList = true
    if !isNeeded {
      if let token { loop.remove(token) }
      lostBefore = lost
      (events, token, news, isFollowing) = (nil, nil, [], false)
      return
    }
    do throws(ProcessEventsFailure) {
      events = try ProcessEvents(queueBytes: Self.queueBytes)
    } catch {
      failure = error
      return
    }
    // Without a registration they are taken with each collection.
    token = try? events?.register(with: loop, self)
  }

  package func ready(_ token: EventToken, _ readiness: Readiness) {
    drain()
    loop.modify(token, [])
    loop.setDeadline(token, .now + Self.rest)
  }

  package func expired(_ token: EventToken) { loop.modify(token, .readable) }

  /// Takes in what has happened so far.
  ///
  /// To be called before held processes are read: what happens later is told at the next collection.
  func drain() {
    if events?.drain(atMost: Self.batch, take) == false { lose() }
  }

  func take(_ event: ProcessEvent) {
    switch event.kind {
    case .began:
      // The number may have been that of another process.
      strangers.remove(event.process)
      news.insert(event.process)
    case .changed:
      news.insert(event.process)
    case .ended:
      // One whose other threads run on is found again by the next listing.
      news.remove(event.process)
      end(event.process)
    }
    if news.count > Self.newsLimit {
      news = []
      startAnew()
      lose()
    }
  }

  /// Takes note that events are missing.
  func lose() { hasLost = true }

  // MARK: Collections

  /// Starts a collection.
  ///
  /// - Parameters:
  ///   - machine: Whom to ask.
  ///   - isHeld: Whether a process belongs to a target.
  /// - Returns: The processes to read that are not held. Each is returned again next time unless it
  ///   is noted, has ended, or is held by then.
  /// - Throws: Why processes cannot be listed; it is tried again next time.
  func begin(_ machine: Machine, isHeld: (Int32) -> Bool) throws(Errno) -> [Int32] {
    changed = (news.filter(isHeld), isListening && !hasLost)
    pending.formUnion(news)
    news = []
    if !isListening || hasLost || mustList { follow(machine, isHeld) }
    hasLost = false
    pending.formUnion(strangers.begin(now: machine.now))
    pending = pending.filter { !isHeld($0) }
    if mustList || machine.now &- listedTicks >= listingTicks
      || strangers.count > 2 * countWhenListed + 1024
    {
      mustList = true
      try list(machine, isHeld)
      mustList = false
    }
    return Array(pending)
  }

  /// Finds out by numbers what is new.
  private func follow(_ machine: Machine, _ isHeld: (Int32) -> Bool) {
    defer { isFollowing = !isListening }
    guard let newest = machine.lastPid() else {
      numbers = nil
      return startAnew()
    }
    // A number below the last one: the kernel began anew with low ones, so a known number can mean
    // a new process.
    let before = numbers.flatMap { $0.last <= newest ? $0 : nil }
    if before == nil, numbers != nil { startAnew() }
    numbers = (newest, max(before?.last ?? 0, newest - Self.tries / 2))
    guard let before else {
      mustList = true
      return
    }
    // Who had one of these before has ended.
    if before.last < newest { strangers.remove((before.last + 1)...newest) }
    guard isFollowing, newest - before.tried <= Self.tries else {
      mustList = true
      return
    }
    for pid in (before.tried..<newest).lazy.map({ $0 + 1 }) where !strangers.contains(pid) {
      if pending.contains(pid) || isHeld(pid) { continue }
      switch machine.isProcess(pid) {
      case true?: pending.insert(pid)
      case false?: continue
      case nil:
        mustList = true
        return
      }
    }
  }

  private func startAnew() {
    strangers = Strangers()
    pending = []
    mustList = true
  }

  private func list(_ machine: Machine, _ isHeld: (Int32) -> Bool) throws(Errno) {
    var listed: Set<Int32> = []
    try machine.list { listed.insert($0) }
    for pid in strangers.pids where !listed.contains(pid) { didEnd(pid) }
    strangers.keep(listed)
    pending.formIntersection(listed)
    for pid in listed where !strangers.contains(pid) && !isHeld(pid) { pending.insert(pid) }
    listedTicks = machine.now
    countWhenListed = listed.count
  }

  // MARK: Answers

  /// Remembers a process that was read and fits no rule; see
  /// ``Strangers/note(_:_:lookAgainTicks:)``.
  func note(_ pid: Int32, _ stat: Stat, lookAgainTicks: UInt64? = nil) {
    pending.remove(pid)
    strangers.note(pid, stat, lookAgainTicks: lookAgainTicks)
  }

  /// Forgets a process that fits a rule or has left its target, or of which that is not known; if it
  /// is not held at the next collection, it is read then.
  func forget(_ pid: Int32) {
    strangers.remove(pid)
    pending.insert(pid)
  }

  /// Forgets a process that has ended or cannot be read.
  func end(_ pid: Int32) {
    didEnd(pid)
    strangers.remove(pid)
    pending.remove(pid)
  }

  /// Forgets everything: there are other rules.
  func reset() { startAnew() }

  /// Whether events are missing that could have told the same of any held process.
  var hasMissedChanges: Bool { isListening && !changed.areAll }

  /// The held processes of which events told that they run another program, or have another name or
  /// user.
  var changedPids: Set<Int32> { changed.pids }

  /// The parent of a process that fits no rule, as of its last reading.
  func parent(of pid: Int32) -> Int32? { strangers.parent(of: pid) }

  /// Every process that is known to fit no rule.
  var pids: some Sequence<Int32> { strangers.pids }
}
