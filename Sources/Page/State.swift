import Collector
import Targets

extension History {
  /// The targets, broken ones first, then by the CPU they use, then by name.
  var sorted: [Entry] {
    let keys = entries.enumerated().map { place, entry in
      let rank = entry.vitals.status == .failing ? 0 : entry.vitals.status == .degraded ? 1 : 2
      // In thousandths of a core; names are in order already.
      let cpu = Int(min(entry.now[Measure.cpu] ?? 0, 1e6) * 1000)
      return ((rank << 32) - cpu) << 24 | place
    }
    return keys.sorted().map { entries[$0 & (1 << 24 - 1)] }
  }

  /// How all is: the targets, and what the files of the configuration say.
  func status(_ around: Surroundings) -> Health.Status {
    let hasError = around.settings.error != nil || around.webSettings?.error != nil
    return max(entries.map(\.vitals.status).max() ?? .ok, hasError ? .degraded : .ok)
  }
}

extension Vitals {
  /// A word for how the target is, and a sign that does without colour.
  var state: (sign: String, word: String) {
    if processes == 0 {
      return troubles.contains { $0.trouble.reason == .denied }
        ? ("✕", "permission denied") : ("✕", "gone")
    }
    guard status != .ok else { return ("●", "up") }
    if status == .failing { return ("✕", "failing") }
    let reasons = Set(troubles.filter { !$0.trouble.isFactOfKernel }.map(\.trouble.reason))
    let word =
      if reasons.contains(.denied) {
        "permission denied"
      } else if reasons.contains(.late) {
        "late"
      } else if reasons.contains(.limit) {
        "incomplete"
      } else {
        "degraded"
      }
    return ("▲", word)
  }

  /// Why the target is not as it should be, a sentence each.
  var reasons: [String] {
    var reasons = troubles.filter { !$0.trouble.isFactOfKernel }.map { trouble, detail in
      let what = "\(trouble.source.label) \(trouble.reason.rawValue)"
      return detail.isEmpty ? what : "\(what): \(detail)"
    }
    let words = selector.words
    if processes == 0, reasons.isEmpty, !words.isEmpty {
      reasons.append("no process fits " + words.joined(separator: ", "))
    }
    return reasons + crossed.map(\.sentence)
  }

  /// Its processes, their age, restarts and labels.
  func facts(at now: Double) -> String {
    var parts: [String] = []
    if processes == 1, let pid = pids.first {
      parts.append("pid \(pid) \(command)")
    } else if let pid = pids.first {
      let more = processes > pids.count ? " …" : ""
      let numbers = pids.map(String.init).joined(separator: " ")
      parts.append(
        pids.count > 1
          ? "\(processes) processes: \(numbers)\(more)" : "\(processes) processes, \(pid)")
    } else if processes > 0 {
      parts.append("\(processes) processes")
    }
    if let startSeconds { parts.append("up " + Words.age(now - startSeconds)) }
    if restarts > 0 { parts.append(restarts == 1 ? "1 restart" : "\(restarts) restarts") }
    parts += key.labels.map { "\($0.name)=\($0.value)" }
    return parts.joined(separator: " · ")
  }
}

/// How close a figure is to its limit.
enum Closeness: String {
  case far = ""
  case near
  case critical

  init(_ share: Double) { self = share >= 0.95 ? .critical : share >= 0.8 ? .near : .far }

  /// A sign that does without colour.
  var sign: String {
    switch self {
    case .far: ""
    case .near: "▲ "
    case .critical: "✕ "
    }
  }
}
