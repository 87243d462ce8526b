package import Targets

/// Something that a request wants of a collection.
package enum Wish: Hashable, Sendable {
  /// The page of all targets.
  case page(Form = Form())
  /// How all targets are.
  case health
  /// All that is known of each target.
  case details
  /// The names and labels of all targets; no process is read for it.
  case list(Access = Access())
  /// The page of all targets for an OpenTelemetry receiver.
  case push(Push)
  /// The page of one target; the processes of no other one are read for it.
  case probe(Probe, Form = Form())
  /// What the page shows.
  case look(Look)
  /// That nobody looks at the page any more.
  case nobodyLooks

  /// What the page shows, if it is about that.
  package var look: Look? { if case .look(let look) = self { look } else { nil } }

  /// Whether it can be had without looking at any target.
  var isOfThePast: Bool {
    switch self {
    case .look(let look): !look.isFresh
    case .nobodyLooks: true
    case .page, .health, .details, .list, .push, .probe: false
    }
  }

  /// Whether it wants to know what a whole page would have.
  var countsSeries: Bool {
    switch self {
    case .page, .health, .details: true
    case .list, .push, .probe, .look, .nobodyLooks: false
    }
  }

  /// Whether all targets are looked at for it.
  var isOfAll: Bool {
    switch self {
    case .look(let look): look.isFresh
    case .push: true
    default: countsSeries
    }
  }
}

/// How whoever wants a list of targets reaches their pages.
package struct Access: Hashable, Sendable {
  /// Host and port.
  package var address: String
  /// The path of `/probe` there.
  package var probe: String
  /// Whether https is spoken there.
  package var isSecure: Bool

  package init(address: String = "", probe: String = "/probe", isSecure: Bool = false) {
    self.address = address
    self.probe = probe
    self.isSecure = isSecure
  }
}

/// Which target somebody asks for.
package struct Probe: Hashable, Sendable {
  /// The target's name.
  package let name: String
  /// Labels that it has to have; an absent one counts as empty, as for Prometheus.
  package let labels: [TargetKey.Label]

  package init(name: String, labels: [TargetKey.Label] = []) {
    self.name = name
    self.labels = labels
  }

  /// What is meant among some targets.
  enum Choice: Equatable {
    /// The one at this place.
    case one(Int)
    case none
    /// Several, and the labels that tell them apart.
    case several([String])
  }

  /// Finds the target that is meant.
  ///
  /// If several fit, it is the only one without a value for the labels that tell them apart.
  /// - Parameter keys: The targets'; nil for what only stands for a rule.
  /// - Returns: Which one it is.
  func choice(among keys: some Collection<TargetKey?>) -> Choice {
    var fitting: [(place: Int, key: TargetKey)] = []
    for (place, key) in keys.enumerated() {
      guard let key, key.name == name else { continue }
      if labels.allSatisfy({ key[$0.name] == $0.value }) { fitting.append((place, key)) }
    }
    guard let first = fitting.first else { return .none }
    if fitting.count == 1 { return .one(first.place) }
    let names = TargetKey.distinguishing(fitting.map(\.key))
    let plain = fitting.filter { entry in names.allSatisfy { entry.key[$0].isEmpty } }
    return plain.count == 1 ? .one(plain[0].place) : .several(names)
  }
}

/// What a probe is answered.
package enum ProbeAnswer: Sendable, Equatable {
  /// The target's page, as a library in the program itself would have written it.
  case pages([Form: [UInt8]])
  /// The target has no process.
  case down
  /// The time was over before its processes were read.
  case late
  /// There is no such target.
  case unknown
  /// Several targets fit; these labels tell them apart.
  case ambiguous([String])
}

extension TargetKey {
  /// The value of a label, empty if there is none.
  subscript(_ label: String) -> String { labels.first { $0.name == label }?.value ?? "" }

  /// The labels whose values differ among targets, by name.
  ///
  /// - Parameter keys: Targets of one name.
  /// - Returns: Enough of them to tell any two targets apart.
  package static func distinguishing(_ keys: [TargetKey]) -> [String] {
    var values: [String: (value: String, differs: Bool, count: Int)] = [:]
    for key in keys {
      for label in key.labels {
        var seen = values[label.name] ?? (label.value, false, 0)
        seen.differs = seen.differs || seen.value != label.value
        seen.count += 1
        values[label.name] = seen
      }
    }
    return values.filter { entry in
      entry.value.differs || entry.value.count < keys.count && !entry.value.value.isEmpty
    }.keys.sorted()
  }
}

/// Which targets a collection looks at, by what is wanted of it.
struct Scope {
  /// Whether it looks at all of them.
  let isComplete: Bool
  /// Whether somebody wants the figures of the page.
  let isForViewers: Bool
  /// Whether one of those may see command lines.
  let wantsCommandLines: Bool
  /// Whether somebody wants to know what a whole page would have.
  let countsSeries: Bool
  /// Whether somebody wants to know which targets there are.
  let wantsList: Bool
  /// The pages of all targets that were asked for.
  let forms: [Form]
  /// Those of them that are pushed.
  let pushes: [Push]
  /// The pages of one target that were asked for.
  let probeForms: [Probe: [Form]]
  /// The probes, and what each meant before the roster was brought up to date.
  private let probes: [(probe: Probe, before: Probe.Choice)]
  private var chosen: Set<ObjectIdentifier> = []

  init(_ wishes: Set<Wish>, _ states: [TargetState]) {
    forms = wishes.compactMap { if case .page(let form) = $0 { form } else { nil } }
    pushes = wishes.compactMap { if case .push(let push) = $0 { push } else { nil } }
    isComplete = wishes.contains(where: \.isOfAll)
    let looks = wishes.compactMap(\.look)
    isForViewers = looks.contains(where: \.isFresh)
    wantsCommandLines = looks.contains(where: \.tellsCommandLines)
    countsSeries = wishes.contains(where: \.countsSeries)
    wantsList = wishes.contains { if case .list = $0 { true } else { false } }
    var probeForms: [Probe: [Form]] = [:]
    for case .probe(let probe, let form) in wishes { probeForms[probe, default: []].append(form) }
    self.probeForms = probeForms
    probes = probeForms.keys.map { ($0, $0.choice(among: states.lazy.map(\.probeKey))) }
    for case (_, .one(let place)) in probes {
      chosen.insert(ObjectIdentifier(states[place].target))
    }
  }

  func includes(_ target: Target) -> Bool {
    isComplete || chosen.contains(ObjectIdentifier(target))
  }

  /// Decides anew which target each probe means, once the roster is up to date.
  ///
  /// A target that has just appeared was read as it was found. One that was not read because
  /// several fitted still counts as one of several.
  mutating func choose(_ states: [TargetState]) -> [(probe: Probe, choice: Probe.Choice)] {
    let choices = probes.map { probe, before in
      if !isComplete, case .several = before { return (probe, before) }
      return (probe, probe.choice(among: states.lazy.map(\.probeKey)))
    }
    for case (_, .one(let place)) in choices {
      chosen.insert(ObjectIdentifier(states[place].target))
    }
    return choices
  }
}
