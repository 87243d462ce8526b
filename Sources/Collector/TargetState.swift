import Metrics
import ProcFS
import Targets

/// What a collection remembers of a process for the next one.
struct ProcessState {
  var counters = Tally.none
  var threads = ThreadSwitches()
}

/// A target with all that a collection keeps about it.
final class TargetState {
  let target: Target
  var sample: TargetSample
  private(set) var labels = TextEncoder.PreparedLabels([])
  /// The rows that are on, and the files they need.
  private(set) var rows: [ActiveRow] = []
  private(set) var files: SourceFiles = []
  var tally = Tally()
  /// Processes that left the target alive, by number, in case they come back.
  var departed: [Int32: ProcessState] = [:]
  private(set) var selection = Selection()
  var carry = CPUCarry()

  /// What the last collection told the log.
  var processes = 0
  var starts: UInt64 = 0
  var exits: [Exit: UInt64] = [:]

  init(_ target: Target, _ settings: TargetSettings) {
    self.target = target
    sample = TargetSample(target)
    configure(settings)
  }

  func configure(_ settings: TargetSettings) {
    labels = TextEncoder.PreparedLabels([Label("target", settings.rule.name)] + settings.labels)
    selection = settings.selection
    let enabled = Catalogue.enabled(settings.selection)
    rows = enabled.map(ActiveRow.init)
    files = Catalogue.files(for: enabled)
    sample.configure(settings.selection)
  }

  /// Whether a row is on whose number an exit record completes.
  var countsExits: Bool {
    rows.contains(where: \.isCounter) || Catalogue.lifecycle.contains(where: serves)
  }

  /// Whether a family about the target as a whole is on.
  func serves(_ row: TargetRow) -> Bool { Catalogue.includes(row, selection) }

  /// How processes ended since the last collection, for the log: "exited 1", "SIGKILL ×2".
  func endings() -> String {
    var parts: [String] = []
    for (exit, count) in target.exits {
      let new = count - exits[exit, default: 0]
      if new == 0 { continue }
      let how =
        switch exit.reason {
        case .exited: "exited \(exit.status)"
        case .signalled: exit.status
        case .dumped: "\(exit.status), core dumped"
        case .unknown: "unknown"
        }
      parts.append(new == 1 ? how : "\(how) ×\(new)")
    }
    return parts.sorted().joined(separator: ", ")
  }
}
