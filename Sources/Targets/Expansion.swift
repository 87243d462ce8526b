import Linux
import ProcFS

/// Which target of a rule a process belongs to.
enum Place {
  case target(TargetKey)
  /// A variable cannot be found out.
  case unsure(Condition, Trouble)
  case pending
}

extension Rule {
  /// The longest value of one variable, in bytes; more is cut.
  static let valueLimit = 256

  /// Puts what is known of a process into the name and the labels.
  func place(_ subject: inout Subject, _ source: some FactSource) -> Place {
    let fixed = fixedKey
    let url = url.flatMap { $0.fixed == nil ? $0 : nil }
    if let fixed, url == nil { return .target(fixed) }
    var trouble: Trouble?
    var isPending = false
    func expand(_ template: Template, isURL: Bool = false) -> String {
      template.expanded { variable in
        switch value(variable, &subject, source) {
        // What a process says of itself must not lead elsewhere.
        case .found(let text): return isURL ? text.percentEncoded : text
        case .unsure(let why): trouble = why
        case .pending: isPending = true
        }
        return ""
      }
    }
    subject.url = url.map { expand($0, isURL: true) }
    var key = fixed ?? TargetKey(name: expand(name))
    for label in labels where fixed == nil {
      let value = expand(label.value)
      // A label without a value is none.
      if !value.isEmpty { key.labels.append(TargetKey.Label(name: label.name, value: value)) }
    }
    if isPerProcess {
      key.labels.append(TargetKey.Label(name: "pid", value: String(subject.pid)))
    }
    key.sort()
    if isPending { return .pending }
    if let trouble { return .unsure(.template, trouble) }
    if key.name.isEmpty { return .unsure(.template, Trouble(.target, .empty)) }
    return .target(key)
  }

  /// Whether its targets are about one process each, so that none of them ever comes back.
  var namesProcesses: Bool {
    isPerProcess
      || ([name] + labels.map(\.value)).contains { template in
        template.variables.contains { $0 == .pid || $0 == .startTime }
      }
  }

  private func value(
    _ variable: Template.Variable, _ subject: inout Subject, _ source: some FactSource
  ) -> Finding<String> {
    switch variable {
    case .comm: return .found(Self.text(subject.stat.name.bytes))
    case .pid: return .found(String(subject.pid))
    case .startTime:
      let start = source.units.epochNanoseconds(startTicks: subject.stat.startTicks)
      return .found(Self.goTime(nanoseconds: start))
    case .capture(let name): return .found(Self.text(subject.captures[name] ?? []))
    case .firstCapture(let names):
      let first = names.lazy.compactMap { [captures = subject.captures] in captures[$0] }
        .first { !$0.isEmpty }
      return .found(Self.text(first ?? []))
    case .exe:
      return subject.know(.program, \.program, source.program).map { Self.text($0 ?? []) }
    case .user: return subject.know(.owner, \.owner, source.owner).map { $0?.user ?? "" }
    case .uid:
      return subject.know(.owner, \.owner, source.owner).map { $0.map { String($0.uid) } ?? "" }
    case .unit:
      return cgroupValue(&subject, source) { cgroup in
        cgroup.path.flatMap { Cgroup.unit(ofPath: $0) }
      }
    case .cgroup:
      return cgroupValue(&subject, source) { cgroup in cgroup.path.map { Cgroup.name(ofPath: $0) } }
    case .cgroups:
      return cgroupValue(&subject, source) { cgroup in
        let paths = cgroup.hierarchies.map(\.path) + [cgroup.unifiedPath].compactMap { $0 }
        return "[" + paths.joined(separator: " ") + "]"
      }
    case .container:
      return cgroupValue(&subject, source) { cgroup in
        cgroup.path.flatMap { Cgroup.containerID(ofPath: $0) ?? Cgroup.containerName(ofPath: $0) }
      }
    case .pod:
      return cgroupValue(&subject, source) { cgroup in
        cgroup.path.flatMap { Cgroup.podUID(ofPath: $0) }
      }
    case .argv0(let isBase):
      return subject.know(.texts, \.texts, source.texts).map {
        [name = subject.stat.name.bytes] texts in
        var word = texts?.firstArgument ?? []
        // A thread of the kernel has no command line, nor has a process that took it away.
        if word.isEmpty { word = name }
        let start = isBase ? word.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0 : 0
        return Self.text(Array(word[start...]))
      }
    case .environment(let name):
      switch subject.know(.texts, \.texts, source.texts) {
      case .pending: return .pending
      case .unsure(let trouble): return .unsure(trouble)
      case .found(let texts):
        if let value = texts?.environment[name] { return .found(Self.text(value)) }
        return texts?.environmentTrouble.map { .unsure($0) } ?? .found("")
      }
    }
  }

  private func cgroupValue(
    _ subject: inout Subject, _ source: some FactSource, _ read: (Cgroup) -> String?
  ) -> Finding<String> {
    subject.know(.cgroup, \.cgroup, source.cgroup).map { cgroup in
      Self.text(Array((cgroup.flatMap(read) ?? "").utf8))
    }
  }

  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(valueLimit), as: UTF8.self)
  }

  /// A moment as Go writes it: `2024-05-01 12:00:00.25 +0000 UTC`.
  static func goTime(nanoseconds: Int64) -> String {
    let (seconds, part) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let date = UTCDate(secondsSince1970: seconds)
    let two = { (number: Int) in UTCDate.padded(number) }
    var fraction = part == 0 ? "" : "." + UTCDate.padded(part, to: 9)
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(UTCDate.padded(date.year, to: 4))-\(two(date.month))-\(two(date.day)) "
      + "\(two(date.hour)):\(two(date.minute)):\(two(date.second))\(fraction) +0000 UTC"
  }
}

extension Finding {
  func map<Other>(_ change: (Value) -> Other) -> Finding<Other> {
    switch self {
    case .found(let value): .found(change(value))
    case .unsure(let trouble): .unsure(trouble)
    case .pending: .pending
    }
  }
}
