import Linux
import ProcFS
import Targets
import Testing

@testable import Collector
@testable import procvitals

private func target(
  _ name: String, _ processes: Int = 1, _ troubles: [Trouble] = []
) -> Health.TargetHealth {
  Health.TargetHealth(name: name, processes: processes, troubles: troubles)
}

private func line(
  _ targets: [Health.TargetHealth], denied: [String] = [], config: Bool = true, web: Bool = true
) -> String {
  var line = StatusLine()
  line.census = Collector.Census(targets: targets.count)
  line.census.up = targets.count { $0.processes > 0 }
  line.census.processes = targets.map(\.processes).reduce(0, +)
  var health = Health()
  health.targets = targets
  health.rights.gaps = denied.map {
    Rights.Gap(source: $0, targets: ["a"], families: [], needs: [.sysPtrace])
  }
  line.troubles = StatusLine.troubles(of: health)
  line.isConfigurationCurrent = config
  line.isWebConfigurationCurrent = web
  return line.text
}

@Suite struct StatusLineTests {
  @Test func nothingIsWrong() {
    #expect(line([]) == "0 of 0 targets up, 0 processes")
    #expect(line([target("a", 2), target("b")]) == "2 of 2 targets up, 3 processes")
    // What this kernel does not have is no trouble.
    let missing = Trouble(.file(.smapsRollup), .missing)
    #expect(line([target("a", 1, [missing])]) == "1 of 1 targets up, 1 processes")
  }

  @Test func everyTroubleHasItsPlace() {
    let io = Trouble(.file(.io), .denied)
    let late = Trouble(.file(.smapsRollup), .late)
    let series = Trouble(.series, .limit)
    let stale = Trouble(.pidFile, .stale)
    #expect(
      line(
        [
          target("a", 1, [io]), target("b", 0, [stale]), target("c", 0),
          target("d", 1, [io, late]),
          target("e", 1, [late, series]),
        ], denied: ["io"])
        == "3 of 5 targets up, 3 processes; down: b (pid_file stale), c;"
        + " late: d (smaps_rollup late), e (smaps_rollup late); denied: io;"
        + " incomplete: e (series limit)")
    #expect(
      line([], config: false)
        == "0 of 0 targets up, 0 processes; the new configuration has errors, the old one holds")
    #expect(
      line([], web: false)
        == "0 of 0 targets up, 0 processes; the new web configuration has errors, the old one holds"
    )
  }

  @Test func whatIsAboveAThresholdIsSaid() {
    func above(_ name: String, _ processes: Int, _ value: Double) -> Health.TargetHealth {
      var target = target(name, processes)
      target.thresholds = [("restarts", 1.0), ("open_fds_ratio", value)].map {
        Threshold.Finding(name: $0, levels: .init(degraded: 0.5, failing: 2), value: $1)
      }
      return target
    }
    var late = above("b", 1, 3)
    late.troubles = [Trouble(.file(.smapsRollup), .late)]
    #expect(
      line([above("a", 1, 0), late, above("c", 0, 3), target("d")])
        == "3 of 4 targets up, 3 processes; down: c;"
        + " above a threshold: a (restarts), b (open_fds_ratio); late: b (smaps_rollup late)")
  }

  @Test func manyNamesAreCounted() {
    let down = (1...9).map { target("t\($0)", 0) }
    #expect(line(down) == "0 of 9 targets up, 0 processes; down: t1, t2, t3 and 6 more")
    #expect(line(Array(down[..<3])) == "0 of 3 targets up, 0 processes; down: t1, t2, t3")
  }

  @Test func longNamesAreCut() {
    let name = String(repeating: "é", count: StatusLine.nameLimit / 2)
    #expect(line([target(name, 0)]).hasSuffix("; down: \(name)"))
    #expect(line([target(name + "é", 0)]).hasSuffix("; down: \(name.dropLast(2))…"))
    // The limit is one of the service manager, which counts no characters.
    let stacked = "e" + String(repeating: "\u{301}", count: 5000)
    for text in [line([target(stacked, 0)]), line([target("\u{1F600}" + stacked, 0)])] {
      #expect(text.utf8.count <= StatusLine.limit && text.hasSuffix("…"), "\(text.utf8.count)")
    }
    let series = Trouble(.series, .limit)
    let all = (0..<30).map { target("\($0)\(name)\(name)", $0 % 2, [series]) }
    let text = line(all, denied: ["io", "exe"], config: false, web: false)
    #expect((StatusLine.limit - 2...StatusLine.limit).contains(text.utf8.count))
    #expect(text.hasSuffix("…"))
    #expect(text.hasPrefix("15 of 30 targets up, 15 processes; the new configuration has errors"))
  }
}
