import Patterns
import ProcFS

/// A condition of a selector, as the configuration names it.
package enum Condition: String, Sendable {
  case pid
  case pidFile = "pid_file"
  case processName = "process_name"
  case executable = "exe"
  case firstArgument = "argv0"
  case commandLine = "cmdline"
  case user, group, cgroup
  case unit = "systemd_unit"
  case container
  case listenPort = "listen_port"
  case environment
  case parent
  case minimumAge = "min_age"
  /// The whole of an exclusion.
  case exclude
  /// A variable of the name or of a label.
  case template = "name"
}

/// Whether a process fits.
enum Truth {
  case yes
  /// The first condition that does not hold.
  case no(Condition)
  /// The condition cannot be checked.
  case unsure(Condition, Trouble)
  /// The answer has not come yet.
  case pending
}

extension Selector {
  /// Whether the conditions hold for a process; those on numbers are taken to hold.
  ///
  /// The cheapest are checked first, and what the first failure makes needless is not read.
  func fits(_ subject: inout Subject, _ source: some FactSource) -> Truth {
    if !processNames.isEmpty {
      let name = subject.stat.name.bytes
      if !processNames.contains(where: { $0.matches(name) }) { return .no(.processName) }
    }
    if let minimumAge, !isOld(minimumAge, &subject, source) { return .no(.minimumAge) }
    var truth = fitsOwner(&subject, source)
    if case .yes = truth { truth = fitsCgroup(&subject, source) }
    if case .yes = truth { truth = fitsProgram(&subject, source) }
    if case .yes = truth { truth = fitsParent(&subject, source) }
    if case .yes = truth { truth = fitsTexts(&subject, source) }
    if case .yes = truth { truth = fitsPorts(&subject, source) }
    return truth
  }

  private func isOld(
    _ age: Duration, _ subject: inout Subject, _ source: some FactSource
  ) -> Bool {
    subject.asked.formUnion(.age)
    let due = subject.stat.startTicks &+ source.units.ticks(age)
    if due <= source.now { return true }
    subject.lookAgainTicks = min(due, subject.lookAgainTicks ?? due)
    return false
  }

  private func fitsOwner(_ subject: inout Subject, _ source: some FactSource) -> Truth {
    if users.isEmpty, groups.isEmpty { return .yes }
    let condition: Condition = users.isEmpty ? .group : .user
    switch subject.know(.owner, \.owner, source.owner) {
    case .pending: return .pending
    case .unsure(let trouble): return .unsure(condition, trouble)
    case .found(nil): return .no(condition)
    case .found(let owner?):
      if !users.isEmpty, !users.fit(owner.user), !users.fit(String(owner.uid)) { return .no(.user) }
      if !groups.isEmpty, !groups.fit(owner.group), !groups.fit(String(owner.gid)) {
        return .no(.group)
      }
      return .yes
    }
  }

  private func fitsCgroup(_ subject: inout Subject, _ source: some FactSource) -> Truth {
    let wanted: [(Condition, [Glob], (String) -> [String])] = [
      (.cgroup, cgroups, { [$0] }),
      // Not the innermost one: whoever has a manager of their own names units as they like.
      (.unit, units, { Cgroup.systemUnit(ofPath: $0).map { [$0] } ?? [] }),
      (.container, containers, { Cgroup.containerNames(ofPath: $0) }),
    ].filter { !$0.1.isEmpty }
    guard let first = wanted.first else { return .yes }
    switch subject.know(.cgroup, \.cgroup, source.cgroup) {
    case .pending: return .pending
    case .unsure(let trouble): return .unsure(first.0, trouble)
    case .found(let cgroup):
      guard let path = cgroup?.path.map(Cgroup.name) else { return .no(first.0) }
      for (condition, globs, names) in wanted where !names(path).contains(where: globs.fit) {
        return .no(condition)
      }
      return .yes
    }
  }

  private func fitsProgram(_ subject: inout Subject, _ source: some FactSource) -> Truth {
    if executables.isEmpty { return .yes }
    switch subject.know(.program, \.program, source.program) {
    case .pending: return .pending
    case .unsure(let trouble): return .unsure(.executable, trouble)
    case .found(let path):
      guard let path, executables.contains(where: { $0.matches(path) }) else {
        return .no(.executable)
      }
      return .yes
    }
  }

  private func fitsParent(_ subject: inout Subject, _ source: some FactSource) -> Truth {
    guard let parent else { return .yes }
    subject.asked.formUnion(.ancestors)
    switch source.descends(subject, from: parent) {
    case .pending: return .pending
    case .unsure(let trouble): return .unsure(.parent, trouble)
    case .found(let descends): return descends ? .yes : .no(.parent)
    }
  }

  private func fitsTexts(_ subject: inout Subject, _ source: some FactSource) -> Truth {
    if firstArguments.isEmpty, commandLines.isEmpty, environment.isEmpty { return .yes }
    let condition: Condition =
      !firstArguments.isEmpty ? .firstArgument : !commandLines.isEmpty ? .commandLine : .environment
    switch subject.know(.texts, \.texts, source.texts) {
    case .pending: return .pending
    case .unsure(let trouble): return .unsure(condition, trouble)
    case .found(nil): return .no(condition)
    case .found(let texts?):
      let truth = fits(texts, &subject)
      if case .no = truth, texts.commandLine.isEmpty, !subject.stat.isKernelThread {
        // In the middle of an exec there is none yet.
        subject.lookAgainTicks = source.now
      }
      return truth
    }
  }

  private func fits(_ texts: Texts, _ subject: inout Subject) -> Truth {
    if !firstArguments.isEmpty,
      !firstArguments.contains(where: { $0.matches(texts.firstArgument) })
    {
      return .no(.firstArgument)
    }
    for pattern in commandLines {
      switch pattern.search(texts.commandLine) {
      case .notFound: return .no(.commandLine)
      case .tooExpensive:
        return .unsure(.commandLine, Trouble(.file(.cmdline), .limit))
      case .found(let groups):
        for (name, number) in pattern.groups { subject.captures[name] = groups[number] ?? [] }
      }
    }
    if environment.isEmpty { return .yes }
    for condition in environment {
      guard let value = texts.environment[condition.name] else {
        if let trouble = texts.environmentTrouble { return .unsure(.environment, trouble) }
        return .no(.environment)
      }
      if !condition.value.matches(value) { return .no(.environment) }
    }
    return .yes
  }

  private func fitsPorts(_ subject: inout Subject, _ source: some FactSource) -> Truth {
    if listenPorts.isEmpty { return .yes }
    subject.asked.formUnion(.ports)
    switch source.isListening(subject, on: listenPorts) {
    case .pending: return .pending
    case .unsure(let trouble): return .unsure(.listenPort, trouble)
    case .found(let listens): return listens ? .yes : .no(.listenPort)
    }
  }
}

extension Cgroup {
  /// What a container that a path is in can be called: its identifier, the beginning of it that
  /// people use, its name, its pod's uid; the best first.
  static func containerNames(ofPath path: String) -> [String] {
    let id = containerID(ofPath: path)
    return [
      id ?? containerName(ofPath: path), id.map { String($0.prefix(12)) },
      containerName(ofPath: path), podUID(ofPath: path),
    ].compactMap(\.self)
  }
}

extension [Glob] {
  fileprivate func fit(_ text: String) -> Bool {
    let bytes = Array<UInt8>(text.utf8)
    return contains { $0.matches(bytes) }
  }
}

extension SystemFacts {
  /// A time in ticks, at least the time.
  func ticks(_ time: Duration) -> UInt64 {
    let (seconds, attoseconds) = time.components
    let part = Double(attoseconds) / 1e18 * Double(ticksPerSecond)
    return UInt64(clamping: seconds) &* ticksPerSecond &+ UInt64(part.rounded(.up))
  }
}
