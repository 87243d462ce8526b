import Linux
import Metrics
import ProcFS
import TestSupport
import Testing

@testable import Collector

@Suite struct TallyTests {
  private func sample(_ random: inout SeededGenerator) throws -> ProcessSample {
    func number(_ random: inout SeededGenerator) -> UInt64 { .random(in: 0...1000, using: &random) }
    var line = TestStat(pid: 7)
    line.userTicks = number(&random)
    line.systemTicks = number(&random)
    line.minorFaults = number(&random)
    var sample = ProcessSample(facts: facts, stat: try Stat(Array(line.line.utf8).span, facts))
    if Bool.random(using: &random) {
      sample.io = try IO(Array(testIO(number(&random)).utf8).span)
    }
    if Bool.random(using: &random) {
      sample.switches = Switches(voluntary: number(&random), involuntary: number(&random))
    }
    return sample
  }

  private func number(_ name: String, _ tally: Tally) -> Reading? {
    Catalogue.process.firstIndex { $0.family.name == name }.map { tally.values[$0] }
  }

  /// Processes that come, end, cannot be read, and whose numbers fall.
  @Test func countersNeverFall() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let rows = Catalogue.enabled(everything).map(ActiveRow.init)
    var tally = Tally()
    var processes: [Tally.Counters] = []
    var last = Tally.none
    for round in 0..<500 {
      if Int.random(in: 0..<4, using: &random) == 0 { processes.append(Tally.none) }
      if Int.random(in: 0..<6, using: &random) == 0, !processes.isEmpty {
        tally.retire(processes.remove(at: Int.random(in: processes.indices, using: &random)))
      }
      tally.begin(rows)
      for index in processes.indices {
        let ended = Int.random(in: 0..<10, using: &random) == 0
        tally.add(ended ? nil : try sample(&random), rows, &processes[index])
      }
      for row in rows where row.isCounter {
        guard let before = last[row.index].number else { continue }
        let now = tally.values[row.index].number
        if now ?? -1 < before {
          let name = Catalogue.process[row.index].family.name
          Issue.record("\(name) fell, seed \(seed), round \(round)")
        }
      }
      last = tally.values
    }
  }

  @Test func aRowThatWasNeverReadIsAbsent() throws {
    let rows = Catalogue.enabled(everything).map(ActiveRow.init)
    var tally = Tally()
    var counters = Tally.none
    tally.begin(rows)
    let stat = try Stat(Array(TestStat(pid: 7).line.utf8).span, facts)
    tally.add(ProcessSample(facts: facts, stat: stat), rows, &counters)
    #expect(number("process_io_read_bytes_total", tally) == .absent)
    #expect(number("process_context_switches_voluntary_total", tally) == .absent)
    #expect(number("process_open_fds", tally) == .absent)
    #expect(number("process_fd_usage_ratio", tally) == .absent)
    #expect(number("process_cpu_seconds_total", tally) == .whole(0))
  }

  /// Sums of ticks are exact where sums of seconds would round.
  @Test func sumsAreExact() throws {
    let rows = Catalogue.enabled(everything).map(ActiveRow.init)
    var tally = Tally()
    tally.begin(rows)
    for _ in 0..<10 {
      var line = TestStat(pid: 7)
      line.userTicks = (1 << 53) / 8 + 1
      let stat = try Stat(Array(line.line.utf8).span, facts)
      var counters = Tally.none
      tally.add(ProcessSample(facts: facts, stat: stat), rows, &counters)
    }
    #expect(number("process_cpu_seconds_total", tally) == .whole(10 * ((1 << 53) / 8 + 1)))
  }
}
