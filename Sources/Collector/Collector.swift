package import GoReports
import Gzip
package import Linux
package import ProcFS
package import Targets

/// Collects the values of all targets and makes them a page.
///
/// Belongs to the sampler thread, as everything it owns.
package final class Collector {
  let roster: Roster
  private var pages = Pages()
  /// Nil as long as nothing is pushed.
  private var pushedPage: PushedPage?
  let instruments: Instruments
  private let oomKills = OOMKills()
  private var buffer = ReadBuffer(capacity: 16 << 10, limit: 1 << 20)
  let exits: ExitAccounting
  private let numbersAreOwn: Bool
  /// What the log knows about exit records.
  var toldExits: (isActive: Bool, failure: TaskstatsFailure?) = (false, nil)
  /// What it knows about process events.
  var toldEvents: (isActive: Bool, failure: ProcessEventsFailure?) = (false, nil)
  private let facts: SystemFacts
  /// When the last collection was at its end, in seconds since 1970.
  private var lastEnd: Double?
  /// Seconds since 1970.
  var clock: () -> Double = wallClockSeconds
  /// What this process may do; it does not change while it runs.
  private let capabilities = Capability.effective()
  private var settings: CollectorSettings
  /// In the order of the page: by name and labels.
  private var states: [TargetState] = []
  private var isSorted = true
  private var stateOfTarget: [ObjectIdentifier: TargetState] = [:]
  /// By the targets' names.
  private var groups: [String: TargetGroup] = [:]
  /// Reads for targets that are no longer there.
  private var formerLateReads: [String: UInt64] = [:]
  /// Whether a target vanished since groups without targets were forgotten.
  private var hasVanished = false
  /// As of the last collection.
  private var census = Census()
  /// By the members' slots.
  private var processes: [ProcessState] = []

  /// A collector that knows its targets; nothing is read yet.
  ///
  /// - Parameters:
  ///   - root: Where processes appear.
  ///   - cgroups: The control groups that they are in.
  ///   - settings: The targets and limits.
  ///   - loop: The sampler's loop.
  ///   - waiter: Where reads go that may wait.
  ///   - users: The file with the names of users.
  ///   - ask: How programs are asked for their Go figures.
  ///   - exitQueueBytes: How much memory exit records take that wait to be looked at.
  /// - Throws: `EMFILE`, `ENFILE`.
  package init(
    root: consuming ProcRoot, cgroups: consuming CgroupTree, settings: CollectorSettings,
    loop: EventLoop, waiter: Waiter, users: String = "/etc/passwd",
    ask: @escaping GoAddress.Ask = GoAddress.overHTTP,
    exitQueueBytes: Int32 = ExitAccounting.queueBytes
  ) throws(Errno) {
    self.settings = settings
    facts = root.facts
    numbersAreOwn = root.numbersAreOwn
    roster = try Roster(
      root: root, loop: loop, waiter: waiter, limits: settings.limits.roster)
    instruments = Instruments(
      processes: ProcessReader(
        roster.reads, facts: facts, numbersAreOwn: numbersAreOwn,
        isLive: roster.root.ownPid != nil),
      patient: try PatientReader(users: users, numbersAreOwn: numbersAreOwn, ask: ask),
      cgroups: CgroupReader(cgroups),
      sockets: SocketReader(own: roster.root.ownNetworkNamespace))
    exits = ExitAccounting(loop, roster, queueBytes: exitQueueBytes)
    exits.didFindShortLived = { [unowned self] target, usage in
      guard let state = state(of: target) else { return }
      var counters = Tally.none
      addEnded(Stat(), state.shortLives.complete(usage), state, &counters)
    }
    roster.didAppear = { [unowned self] target in
      if let known = state(of: target) { return known.configure(self.settings) }
      add(target)
      isSorted = false
    }
    roster.didVanish = { [unowned self] target in
      if let state = stateOfTarget.removeValue(forKey: ObjectIdentifier(target)) {
        pages.retire(state)
        state.group.retire(state)
        for (source, count) in lateReads([state]) {
          formerLateReads[source, default: 0] += count
        }
        hasVanished = true
      }
      states.removeAll { $0.target === target }
    }
    roster.willLeave = { [unowned self] target, member in retire(member, target) }
    roster.didReturn = { [unowned self] target, member in resume(member, target) }
    roster.didEnd = { [unowned self] _, process, exit in ended(process, exit) }
    configure(settings)
  }

  /// Takes over new settings; the counters of targets whose names stay go on.
  package func configure(_ settings: CollectorSettings) {
    // Records that wait are about processes as the rules were until now.
    exits.drain()
    self.settings = settings
    instruments.limits = settings.limits
    instruments.foldsThreadNumbers = settings.names != .namedprocess
    roster.setRules(settings.targets.map(\.rule), settings.limits.roster)
    for target in roster.targets {
      if let state = stateOfTarget[ObjectIdentifier(target)] {
        if !target.isOrphan { state.configure(settings) }
      } else {
        add(target)
      }
    }
    forgetGroups()
    sortStates()
    let countsExits = settings.targets.contains { Catalogue.countsExits($0.selection) }
    if countsExits { instruments.processes.prepareTaskstats() }
    exits.listen(numbersAreOwn && countsExits)
  }

  private func add(_ target: Target) {
    let group = groups[target.name] ?? TargetGroup()
    groups[target.name] = group
    let state = TargetState(target, group, settings)
    states.append(state)
    stateOfTarget[ObjectIdentifier(target)] = state
  }

  private func forgetGroups() {
    guard hasVanished else { return }
    let names = Set(states.map(\.target.name))
    groups = groups.filter { names.contains($0.key) }
    hasVanished = false
  }

  private func sortStates() {
    states.sort { $0.target.key < $1.target.key }
    isSorted = true
  }

  /// Reads what is wanted and writes the pages.
  ///
  /// - Parameters:
  ///   - own: What the exporter knows about itself.
  ///   - wishes: What it is for.
  ///   - isOver: Asked before each target; once it says so no further process is read.
  /// - Returns: The pages, and what goes to the log and the service manager.
  package func collect(
    _ own: OwnState, _ wishes: Set<Wish> = [.page()], until isOver: () -> Bool = { false }
  ) -> Outcome {
    if wishes.contains(.nobodyLooks) { instruments.patient.commandLines.forget() }
    if wishes.allSatisfy(\.isOfThePast) { return .ofThePast(census) }
    let start = Instant.now
    var scope = Scope(wishes, states)
    exits.drain()
    roster.refresh(scope.includes)
    exits.settle()
    if !isSorted { sortStates() }
    forgetGroups()
    instruments.begin()
    instruments.processes.accountsDelays =
      states.contains { $0.wanted.files.contains(.taskstats) } && roster.accountsDelays()
    if states.contains(where: { $0.sample.maps != nil }) {
      instruments.patient.maps.limit = roster.root.memoryMapLimit()
    }
    let choices = scope.choose(states)
    census = Census(targets: states.count { $0.target.kind != .rule })
    if countsOOMKills {
      oomKills.begin(roster.root.oomKills(&buffer), looksAtAll: scope.isComplete)
    }
    for state in states {
      if exits.isActive { state.target.beginShortLived() }
      if !state.target.members.isEmpty { census.up += 1 }
      census.processes += state.target.members.count
    }
    let visited = scope.isComplete ? states : states.filter { scope.includes($0.target) }
    instruments.processes.readIO(
      visited.filter { $0.wanted.files.contains(.io) }
        .flatMap { $0.target.members.filter(\.hasFreshStat) })
    for state in visited { visit(state, isLate: isOver()) }
    instruments.answer()
    let late = visited.count(where: \.sample.isLate)
    let now = clock()
    for state in visited {
      if !state.sample.isLate { state.sample.finish(instruments) }
      state.judge(at: start, within: settings.restartInterval)
      state.created =
        state.created
        ?? Created(state.target, facts, before: lastEnd ?? own.startSeconds ?? now, now: now)
    }
    lastEnd = now
    oomKills.finish()
    // As long as every target could have been looked at twice, what the others need is kept.
    instruments.finish(keeping: scope.isComplete && late == 0 ? 0 : 2 * states.count)
    var answers: [Probe: ProbeAnswer] = [:]
    for (probe, choice) in choices {
      answers[probe] = answer(choice, scope.probeForms[probe] ?? [])
    }
    // Details tell how many samples a whole page has.
    let forms = wishes.contains(.details) ? scope.forms + [Form()] : scope.forms
    let own = completed(own, census, start)
    var pages: [Form: [UInt8]] = [:]
    var pushed: [Push: [UInt8]] = [:]
    if scope.countsSeries || !scope.pushes.isEmpty {
      // Somebody who asks for no page wants to know how many samples one would have.
      let wanted = forms.isEmpty && scope.pushes.isEmpty ? [Form()] : forms
      pages = self.pages.write(wanted, names: nil, states, own, facts, settings)
      for push in scope.pushes {
        pushed[push] = write(push, own, now, wanted.isEmpty ? .everything : .nothing)
      }
    }
    var notices = exitNotices() + eventNotices()
    for state in states {
      notices += self.notices(state, wasVisited: scope.includes(state.target))
    }
    return Outcome(
      pages: pages, pushes: pushed, probes: answers,
      targets: scope.wantsList || answers.values.contains(.unknown)
        ? states.compactMap(\.probeKey) : [],
      details: wishes.contains(.details) ? TargetDetails.all(states, facts) : [],
      notices: notices, census: census,
      health: scope.isComplete ? Health(states, effective: capabilities) : nil,
      sight: scope.isForViewers
        ? Sight(now, states, facts, scope.wantsCommandLines, instruments.patient.commandLines) {
          roster.root.own(&buffer)
        } : nil,
      hasLate: late > 0,
      isLate: late > 0 && visited.allSatisfy { $0.sample.isLate || $0.target.members.isEmpty })
  }

  /// Explains to which target processes belong, see ``Roster/explain(_:until:)``.
  package func explain(
    _ pids: [Int32]?, until deadline: Instant
  ) throws(Errno) -> [Explanation] {
    try roster.explain(pids, until: deadline)
  }

  private func answer(_ choice: Probe.Choice, _ forms: [Form]) -> ProbeAnswer {
    switch choice {
    case .none: return .unknown
    case .several(let labels): return .ambiguous(labels)
    case .one(let place):
      let state = states[place]
      if state.target.members.isEmpty {
        state.beginPage(
          limit: 0, plain: 0, counting: settings.names == .process ? .everything : .nothing)
        return .down
      }
      if state.sample.isLate { return .late }
      return .pages(pages.write(forms, names: .process, [state], nil, facts, settings))
    }
  }

  private func write(
    _ push: Push, _ own: OwnState, _ now: Double, _ counting: Counting
  ) -> [UInt8] {
    var page = pushedPage ?? PushedPage(version: own.version)
    // Nobody else may have its memory while it is written.
    pushedPage = nil
    defer { pushedPage = page }
    return page.write(
      push, states, own, seconds: now, facts, limit: settings.limits.seriesPerTarget, counting)
  }

  private func completed(_ own: OwnState, _ census: Census, _ start: Instant) -> OwnState {
    var own = own
    own.scrapeProcesses = UInt64(census.processes)
    own.lateReads = lateReads(states).merging(formerLateReads, uniquingKeysWith: +)
      .map { OwnState.Count($0.key, $0.value) }
    own.capabilities = Capability.allCases.map {
      OwnState.Count($0.rawValue, capabilities.contains($0) ? 1 : 0)
    }
    if numbersAreOwn {
      own.capabilities += [
        OwnState.Count("proc_connector", roster.discovery.isListening ? 1 : 0),
        OwnState.Count("taskstats", instruments.processes.taskstats == nil ? 0 : 1),
        OwnState.Count("taskstats_exits", exits.isActive ? 1 : 0),
      ]
    }
    if roster.discovery.isListening || roster.discovery.lost > 0 {
      own.eventsLost.append(OwnState.Count("proc_connector", roster.discovery.lost))
    }
    if exits.isActive || exits.lost > 0 {
      own.eventsLost.append(OwnState.Count("taskstats", exits.lost))
    }
    own.scrapeSeconds = (.now - start).seconds
    return own
  }

  /// Reads a target's processes, or notes that there is no time for it.
  ///
  /// Counters of a target that is late stay what they were, as those of a process that cannot be
  /// read: sums over targets must not fall.
  private func visit(_ state: TargetState, isLate: Bool) {
    let isLate = isLate && !state.target.members.isEmpty
    state.sample.isLate = isLate
    state.tally.begin(state.rows)
    if isLate {
      state.target.note(
        Trouble(.process, .late), "the scrape's time was over before its processes were read")
    } else {
      state.sample.begin()
      noteTaskstats(state)
    }
    for member in state.target.members { add(member, state, isLate: isLate) }
  }

  private func add(_ member: Member, _ state: TargetState, isLate: Bool) {
    join(member, state)
    exits.open(
      member, instruments.processes.taskstats,
      threadLimit: instruments.limits.threadsPerProcess)
    // What could not be read anew must not be served as if it had been.
    let sample =
      member.hasFreshStat && !isLate
      ? instruments.processes.read(
        member, state.target, state.wanted, &processes[member.slot].threads)
      : nil
    state.tally.add(sample, state.rows, &processes[member.slot].counters)
    if let sample {
      state.sample.visit(member, sample, instruments)
      if state.sample.looksAtOOMKills {
        oomKills.visit(member, state.target, instruments.cgroups)
      }
    }
  }

  /// Notes what a target misses because the kernel's accounting is not to be had.
  private func noteTaskstats(_ state: TargetState) {
    guard !state.target.members.isEmpty else { return }
    if state.wanted.files.contains(.taskstats),
      let (trouble, detail) = instruments.processes.delayTrouble
    {
      state.target.note(trouble, detail)
    } else if state.wantsShortLived, !exits.isActive, let failure = exits.failure {
      state.target.note(
        Trouble(.file(.taskstats), failure == .denied ? .denied : .missing),
        "processes that end between two scrapes are not counted: \(failure)")
    }
  }

  /// Goes on with a process that another target of the same group had.
  private func join(_ member: Member, _ state: TargetState) {
    makeRoom(for: member)
    if let before = state.group.join(member.identity, state) {
      processes[member.slot].resume(before)
    }
  }

  private func makeRoom(for member: Member) {
    while processes.count <= member.slot { processes.append(ProcessState()) }
  }

  /// Keeps what a process used that is about to leave its target.
  private func retire(_ member: Member, _ target: Target) {
    instruments.patient.forget(member)
    guard let state = state(of: target) else { return }
    join(member, state)
    var process = ProcessState()
    swap(&process, &processes[member.slot])
    // What threads used since is for the target that takes the process next.
    let threads = process.threads
    exits.drain()
    let usage = exits.close(member)
    var last = Tally()
    last.add(
      instruments.processes.readLast(member, target, state.wanted, &process.threads), state.rows,
      &process.counters)
    if let usage, member.recordedStatus != nil {
      addEnded(member.stat, usage, state, &process.counters)
    } else {
      state.tally.retire(process.counters)
    }
    if target.canReturn(member.pid) {
      state.departed[member.pid] = process
      process.threads = threads
      state.group.leave(member.identity, process)
      oomKills.forget(member)
    } else {
      oomKills.leave(member, target)
    }
    // The target forgets all of them when they are too many.
    if state.departed.count > target.departedCount {
      state.departed = state.departed.filter { target.canReturn($0.key) }
    }
  }

  /// Keeps what an ended process used by its exit records.
  private func addEnded(
    _ stat: Stat, _ usage: TaskUsage, _ state: TargetState, _ counters: inout Tally.Counters
  ) {
    var sample = ProcessSample(facts, stat, usage, &state.carry)
    if instruments.processes.accountsDelays { sample.delays = Delays(usage) }
    var last = Tally()
    last.add(sample, state.rows, &counters)
    state.tally.retire(counters)
  }

  /// Goes on with the counters of a process that left its target alive and is back.
  private func resume(_ member: Member, _ target: Target) {
    guard let state = state(of: target),
      let before = state.departed.removeValue(forKey: member.pid)
    else { return }
    state.tally.unretire(before.counters)
    makeRoom(for: member)
    processes[member.slot] = before
    if let latest = state.group.join(member.identity, state, returned: before) {
      processes[member.slot].resume(latest)
    }
  }

  private func state(of target: Target) -> TargetState? {
    stateOfTarget[ObjectIdentifier(target)]
  }

  private var countsOOMKills: Bool { states.contains { $0.sample.looksAtOOMKills } }

  /// It is known how a process ended that has left its target.
  private func ended(_ process: ProcessIdentity, _ exit: Exit) {
    let killed = oomKills.ended(process, exit, instruments.cgroups) {
      roster.root.oomKills(&buffer)
    }
    for target in killed {
      guard let state = state(of: target) else { continue }
      state.sample.oomKills = state.sample.oomKills.map { $0 + 1 }
    }
  }

  /// Reads that came too late, by what was read.
  private func lateReads(_ states: [TargetState]) -> [String: UInt64] {
    var counts: [String: UInt64] = [:]
    for state in states {
      for (trouble, count) in state.target.troubles where trouble.reason == .late {
        counts[trouble.source.label, default: 0] += count
      }
    }
    return counts
  }
}
