import Linux

/// All targets: those that rules name, and those that variables make.
struct TargetTable {
  /// How long a target about one process is kept after its end.
  static let processPatience = Duration.seconds(60)

  /// Those of the rules in their order, then the others in the order they came.
  private(set) var all: [Target] = []
  /// By the place of the rule: its one target, or the one that stands for it.
  private(set) var ofRule: [Target] = []
  private var byKey: [TargetKey: Target] = [:]
  private var made: [Target] = []
  var limit = Int.max

  /// Takes over new rules.
  ///
  /// A target whose name stays is kept, and so is what a rule has made whose name and labels stay.
  /// - Returns: The targets that are no longer there.
  mutating func setRules(_ rules: [Rule]) -> [Target] {
    let old = all
    let fixed = old.filter { $0.kind == .fixed }
    let byName = Dictionary(grouping: fixed, by: \.name)
    var kept: Set<ObjectIdentifier> = []
    func keep(_ target: Target?, _ key: TargetKey, _ kind: Target.Kind, _ index: Int) -> Target {
      guard let target, target.kind == kind, kept.insert(ObjectIdentifier(target)).inserted else {
        return Target(key, kind, rules[index], index)
      }
      if target.rule != rules[index] {
        for member in target.members { member.isDoubtful = member.isInherited }
      }
      (target.key, target.rule, target.ruleIndex) = (key, rules[index], index)
      return target
    }
    var shared: [TargetKey: Target] = [:]
    ofRule = rules.enumerated().map { index, rule in
      if let key = rule.fixedKey {
        if let target = shared[key] { return target }
        let target = keep(byKey[key] ?? byName[key.name]?.first, key, .fixed, index)
        shared[key] = target
        return target
      }
      let key = TargetKey(name: rule.name.description)
      return keep(old.first { $0.kind == .rule && $0.rule.makesSame(rule) }, key, .rule, index)
    }
    made = made.compactMap { target in
      guard let index = rules.firstIndex(where: { $0.makesSame(target.rule) }) else { return nil }
      return keep(target, target.key, .made, index)
    }
    byKey = shared.merging(made.map { ($0.key, $0) }) { first, _ in first }
    made = made.filter { byKey[$0.key] === $0 }
    list()
    let now = Set(all.map(ObjectIdentifier.init))
    return old.filter { !now.contains(ObjectIdentifier($0)) }
  }

  private mutating func list() {
    // Rules of the same name and labels share a target.
    all = ofRule.enumerated().filter { $1.kind == .rule || $1.ruleIndex == $0 }.map(\.element)
    all += made
  }

  /// The target of a name and labels.
  ///
  /// - Parameters:
  ///   - key: What a rule's variables came to.
  ///   - index: The place of the rule.
  /// - Returns: The target, a new one if there was none; nil if there are too many.
  mutating func target(_ key: TargetKey, ofRule index: Int) -> (target: Target, isNew: Bool)? {
    if let known = byKey[key] { return (known, false) }
    guard all.count < limit else { return nil }
    let target = Target(key, .made, ofRule[index].rule, index)
    byKey[key] = target
    made.append(target)
    all.append(target)
    return (target, true)
  }

  /// Lets go of targets that variables made and that have had no process for long enough.
  ///
  /// - Returns: Those that are no longer there.
  mutating func forget(now: Instant) -> [Target] {
    for target in ofRule { target.madeProcesses = 0 }
    var old: [Target] = []
    for target in made {
      ofRule[target.ruleIndex].madeProcesses += target.members.count
      if !target.members.isEmpty {
        target.emptySince = nil
        continue
      }
      let since = target.emptySince ?? now
      target.emptySince = since
      let rule = target.rule
      let patience =
        rule.namesProcesses ? min(rule.forgetAfter, Self.processPatience) : rule.forgetAfter
      if now - since >= patience, now > since { old.append(target) }
    }
    if old.isEmpty { return [] }
    let gone = Set(old.map(ObjectIdentifier.init))
    made.removeAll { gone.contains(ObjectIdentifier($0)) }
    list()
    for target in old { byKey[target.key] = nil }
    return old
  }
}

extension Rule {
  /// Whether both make the same targets, of whichever processes.
  fileprivate func makesSame(_ other: Rule) -> Bool {
    name == other.name && labels == other.labels && isPerProcess == other.isPerProcess
  }
}
