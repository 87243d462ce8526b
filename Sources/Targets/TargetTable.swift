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
  /// A target whose name and labels stay is kept, whether it was named or made; so is a named one of
  /// which only labels change. Those that may be made again wait for that, see ``Target/isOrphan``.
  /// - Returns: The targets that are no longer there.
  mutating func setRules(_ rules: [Rule]) -> [Target] {
    let old = all
    let named = Dictionary(
      old.filter { $0.kind == .fixed }.map { ($0.name, $0) }
    ) { first, _ in first }
    let standing = Dictionary(
      old.filter { $0.kind == .rule }.map { ($0.key, $0) }
    ) { first, _ in first }
    let wanted = Set(rules.compactMap(\.fixedKey))
    let before = ofRule.map(\.rule)
    var shared: [TargetKey: Target] = [:]
    var kept: Set<ObjectIdentifier> = []
    func keep(_ target: Target?, _ key: TargetKey, _ kind: Target.Kind, _ index: Int) -> Target {
      guard let target, kept.insert(ObjectIdentifier(target)).inserted else {
        return Target(key, kind, rules[index], index)
      }
      target.kind = kind
      target.key = key
      target.setRule(rules[index], index)
      return target
    }
    ofRule = rules.enumerated().map { index, rule in
      let isFixed = rule.fixedKey != nil
      let key = rule.fixedKey ?? TargetKey(name: rule.name.description)
      if let target = shared[key], (target.kind == .fixed) == isFixed { return target }
      let target: Target
      if isFixed {
        // One of the same name had other labels.
        let former = named[key.name].flatMap { wanted.contains($0.key) ? nil : $0 }
        target = keep(byKey[key] ?? former, key, .fixed, index)
      } else {
        target = keep(standing[key], key, .rule, index)
      }
      shared[key] = target
      return target
    }
    let shapes = Dictionary(grouping: rules.indices) { rules[$0].shape }
    let formerShapes = Dictionary(grouping: before.indices) { before[$0].shape }
    let makes = rules.contains { $0.fixedKey == nil }
    made = old.filter { target in
      guard target.kind != .rule, !kept.contains(ObjectIdentifier(target)), makes else {
        return false
      }
      let same = shapes[target.rule.shape] ?? []
      let place = formerShapes[target.rule.shape]?.firstIndex(of: target.ruleIndex) ?? 0
      let index =
        same.first { rules[$0] == target.rule } ?? (place < same.count ? same[place] : same.first)
      if target.kind == .made, let index {
        target.setRule(rules[index], index)
      } else {
        target.kind = .made
        target.isOrphan = true
      }
      return true
    }
    byKey = shared.filter { $0.value.kind == .fixed }
      .merging(made.map { ($0.key, $0) }) { first, _ in first }
    list()
    let now = Set(all.map(ObjectIdentifier.init))
    return old.filter { !now.contains(ObjectIdentifier($0)) }
  }

  private mutating func list() {
    // Rules of the same name and labels share a target.
    all = ofRule.enumerated().filter { $1.ruleIndex == $0 }.map(\.element)
    all += made
  }

  /// The target of a name and labels, if there is one.
  func known(_ key: TargetKey) -> Target? { byKey[key] }

  /// The target of a name and labels.
  ///
  /// - Parameters:
  ///   - key: What a rule's variables came to.
  ///   - index: The place of the rule.
  /// - Returns: The target, a new one if there was none, and whether the rule is new to it; nil if
  ///   there are too many.
  mutating func target(_ key: TargetKey, ofRule index: Int) -> (target: Target, isNew: Bool)? {
    if let known = byKey[key] {
      let wasOrphan = known.isOrphan
      if wasOrphan { known.setRule(ofRule[index].rule, index) }
      return (known, wasOrphan)
    }
    guard all.count < limit else { return nil }
    let target = Target(key, .made, ofRule[index].rule, index)
    byKey[key] = target
    made.append(target)
    all.append(target)
    return (target, true)
  }

  /// Lets go of targets that variables made and that have had no process for long enough, or that no
  /// rule makes any more.
  ///
  /// - Parameters:
  ///   - now: The time.
  ///   - wasSettled: Whether the processes of a target have been looked at.
  /// - Returns: Those that are no longer there.
  mutating func forget(now: Instant, wasSettled: (Target) -> Bool) -> [Target] {
    for target in ofRule {
      target.madeProcesses = 0
      target.isHidden = target.kind == .rule && byKey[target.key] != nil
    }
    var old: [Target] = []
    for target in made {
      if !target.isOrphan { ofRule[target.ruleIndex].madeProcesses += target.members.count }
      // Not before it is known how the last ones ended.
      if !target.members.isEmpty || target.unreaped > 0 {
        target.emptySince = nil
        continue
      }
      let since = target.emptySince ?? now
      target.emptySince = since
      let rule = target.rule
      let patience =
        rule.namesProcesses ? min(rule.forgetAfter, Self.processPatience) : rule.forgetAfter
      let isOver = now - since >= patience && now > since
      if isOver || target.isOrphan && wasSettled(target) { old.append(target) }
    }
    if old.isEmpty { return [] }
    let gone = Set(old.map(ObjectIdentifier.init))
    made.removeAll { gone.contains(ObjectIdentifier($0)) }
    list()
    for target in old { byKey[target.key] = nil }
    return old
  }
}

extension Target {
  fileprivate func setRule(_ new: Rule, _ index: Int) {
    if rule != new {
      for member in members { member.isDoubtful = member.isInherited }
    }
    (rule, ruleIndex, isOrphan) = (new, index, false)
  }
}

extension Rule {
  /// What its targets are called; rules that share it make the same ones.
  fileprivate struct Shape: Hashable {
    let name: Template
    let labels: [LabelTemplate]
    let isPerProcess: Bool
  }

  fileprivate var shape: Shape {
    Shape(name: name, labels: labels, isPerProcess: isPerProcess)
  }
}
