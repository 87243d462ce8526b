import Linux
import ProcFS

extension Selector {
  /// Whether it names a process by number.
  var isNumbered: Bool { pid != nil || pidFile != nil }

  /// Whether nothing but process names decides.
  fileprivate var asksForNameOnly: Bool {
    var rest = self
    rest.processNames = []
    return !processNames.isEmpty && rest.isEmpty
  }

  func fits(name: [UInt8]) -> Bool {
    processNames.isEmpty || processNames.contains { $0.matches(name) }
  }
}

/// Decides which rule a process belongs to.
struct Resolver: ~Copyable {
  /// Which rule fits a process, and what that depends on.
  struct Verdict {
    enum Outcome {
      case target(TargetKey, rule: Int)
      case none
      /// No rule is known to fit, but this one might.
      case unsure(rule: Int, Condition, Trouble)
      /// What a rule asks for has not been answered yet.
      case pending(rule: Int)
    }

    let outcome: Outcome
    /// The rule's URL, where it has variables.
    let url: String?
    /// When something that depends on the age may be otherwise, in ticks since the machine started.
    var lookAgainTicks: UInt64?
    fileprivate let asked: FactSet
    fileprivate let mark: Stat.ExecMark
    fileprivate let epoch: UInt64

    /// Whether the command line or the environment was asked for.
    var isByTexts: Bool { asked.contains(.texts) }
  }

  private(set) var rules: [Rule] = []
  private var numbers: Numbers
  /// The rules without a number, in file order.
  private var unnumbered: [Int] = []
  /// Those of them that ask for nothing but a process name.
  private var named: [Int] = []
  /// Raised when rules or the meaning of their numbers change.
  private var epoch: UInt64 = 0

  /// Whether a rule can only be applied by looking at every process.
  private(set) var scans = false
  private(set) var hasChildrenRules = false
  /// The rules that are somebody's `parent`, by name.
  private(set) var parents: Set<String> = []
  /// Ports that rules ask for.
  private(set) var ports: Set<UInt16> = []
  /// Variables of the environment that rules ask for.
  private(set) var variables: Set<String> = []
  /// Whether rules ask for the names of users or groups.
  private(set) var usesAccounts = false
  /// Whether a process can belong to a target that ended before anybody looked at it.
  var canClaim: Bool { hasChildrenRules || !named.isEmpty }

  init(_ waiter: Waiter) throws(Errno) {
    numbers = try Numbers(waiter)
  }

  mutating func setRules(_ rules: [Rule]) {
    self.rules = rules
    numbers.setRules(rules)
    unnumbered = rules.indices.filter { !rules[$0].selector.isNumbered }
    named = unnumbered.filter {
      rules[$0].fixedKey != nil && rules[$0].exclusions.isEmpty
        && rules[$0].selector.asksForNameOnly
    }
    hasChildrenRules = rules.contains(where: \.includesChildren)
    scans = hasChildrenRules || !unnumbered.isEmpty
    let selectors = rules.flatMap { [$0.selector] + $0.exclusions }
    let used = rules.flatMap(\.variables)
    parents = Set(selectors.compactMap(\.parent))
    ports = Set(selectors.flatMap(\.listenPorts))
    variables = Set(selectors.flatMap(\.environment).map(\.name))
    for case .environment(let name) in used { variables.insert(name) }
    usesAccounts =
      used.contains(.user) || selectors.contains { !$0.users.isEmpty || !$0.groups.isEmpty }
    epoch += 1
  }

  /// Starts reading the pid files.
  func begin() { numbers.begin() }

  func collectPidFiles(until deadline: Instant) { numbers.collect(until: deadline) }

  /// Finds out which process each number means; see ``Numbers/bind(_:_:)``.
  mutating func bind(
    _ targets: [Target], _ stat: (Int32) throws(ProcError) -> Stat,
    _ status: (Int32) throws(ProcError) -> Status
  ) {
    if numbers.bind(targets, stat, status) { epoch += 1 }
  }

  /// Whether a verdict holds for what the process is now.
  func isCurrent(_ verdict: Verdict, _ stat: Stat, now: UInt64) -> Bool {
    if verdict.epoch != epoch || verdict.mark != stat.execMark { return false }
    if !verdict.asked.isDisjoint(with: .fleeting) { return false }
    if let due = verdict.lookAgainTicks, due <= now { return false }
    switch verdict.outcome {
    case .unsure, .pending: return false
    case .target, .none: return true
    }
  }

  /// Finds the first rule, in file order, that fits a process.
  func verdict(_ subject: inout Subject, _ source: some FactSource) -> Verdict {
    let outcome = outcome(&subject, source)
    return Verdict(
      outcome: outcome, url: subject.url, lookAgainTicks: subject.lookAgainTicks,
      asked: subject.asked,
      mark: subject.stat.execMark, epoch: epoch)
  }

  private func outcome(_ subject: inout Subject, _ source: some FactSource) -> Verdict.Outcome {
    var doubt: Verdict.Outcome?
    var byNumber = (numbers.byPid[subject.pid] ?? [])[...]
    var others = unnumbered[...]
    while let index = Self.next(&byNumber, &others) {
      switch apply(rules[index], &subject, source) {
      case .yes(let key): return .target(key, rule: index)
      case .no: continue
      case .pending: return .pending(rule: index)
      case .unsure(let condition, let trouble):
        doubt = doubt ?? .unsure(rule: index, condition, trouble)
      }
    }
    return doubt ?? .none
  }

  /// The lower first element of two ascending lists.
  private static func next(
    _ first: inout ArraySlice<Int>, _ second: inout ArraySlice<Int>
  ) -> Int? {
    guard let a = first.first else { return second.popFirst() }
    guard let b = second.first, b < a else { return first.popFirst() }
    return second.popFirst()
  }

  private enum Answer {
    case yes(TargetKey)
    case no(Condition)
    case unsure(Condition, Trouble)
    case pending
  }

  /// Whether a rule whose number, if it has one, means the process fits it.
  private func apply(
    _ rule: Rule, _ subject: inout Subject, _ source: some FactSource
  ) -> Answer {
    subject.captures = [:]
    switch rule.selector.fits(&subject, source) {
    case .no(let condition): return .no(condition)
    case .unsure(let condition, let trouble): return .unsure(condition, trouble)
    case .pending: return .pending
    case .yes: break
    }
    let captures = subject.captures
    for exclusion in rule.exclusions {
      switch exclusion.fits(&subject, source) {
      case .yes: return .no(.exclude)
      case .unsure(_, let trouble): return .unsure(.exclude, trouble)
      case .pending: return .pending
      case .no: continue
      }
    }
    subject.captures = captures
    switch rule.place(&subject, source) {
    case .target(let key): return .yes(key)
    case .unsure(let condition, let trouble): return .unsure(condition, trouble)
    case .pending: return .pending
    }
  }

  /// What becomes of every rule, whichever comes first.
  func explain(_ subject: inout Subject, _ source: some FactSource) -> [Explanation.Verdict] {
    let byNumber = numbers.byPid[subject.pid] ?? []
    return rules.enumerated().map { index, rule in
      if rule.selector.isNumbered, !byNumber.contains(index) {
        return .fails(rule.selector.pidFile == nil ? .pid : .pidFile)
      }
      switch apply(rule, &subject, source) {
      case .yes: return .fits
      case .no(let condition): return .fails(condition)
      case .unsure(let condition, let trouble): return .unsure(condition, trouble)
      case .pending: return .late
      }
    }
  }

  /// Whether a rule that comes before another one, or any, could fit a process by more than its name.
  func mayFit(name: [UInt8], before rule: Int?) -> Bool {
    unnumbered.contains { index in
      let selector = rules[index].selector
      // One that has ended unseen was not old.
      return index < rule ?? rules.count && !named.contains(index) && selector.minimumAge == nil
        && selector.fits(name: name)
    }
  }

  /// Finds the first rule, in file order, that nothing but a process name decides and that fits it.
  func rule(name: [UInt8]) -> Int? {
    named.first { rules[$0].selector.fits(name: name) }
  }
}
