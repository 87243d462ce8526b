import Collector
import Testing

@testable import Config

/// The keys `health`: thresholds of all targets and of single ones.
@Suite struct ThresholdKeysTests {
  private func thresholds(_ text: String) throws -> [[String: Threshold.Levels]] {
    try parse(text).collector.targets.map { target in
      Dictionary(
        uniqueKeysWithValues: target.thresholds.map { (Threshold.all[$0.key].name, $0.value) })
    }
  }

  @Test func everyThresholdIsReadInBaseUnits() throws {
    let found = try thresholds(
      """
      health:
        thresholds:
          open_fds_ratio: 0.9
          resident_memory_bytes: {degraded: 1073741824}
          resident_memory_ratio: {failing: 1}
          go_goroutines: {degraded: 10000, failing: 50000}
          go_heap_bytes: {failing: 2, degraded: 2}
          go_gc_pause_seconds: 10ms
          restarts: 100
      targets:
        - {name: a, pid: 1, collect: [default, go]}
      """)
    #expect(
      found == [
        [
          "open_fds_ratio": .init(degraded: 0.9),
          "resident_memory_bytes": .init(degraded: 1_073_741_824),
          "resident_memory_ratio": .init(failing: 1),
          "go_goroutines": .init(degraded: 10_000, failing: 50_000),
          "go_heap_bytes": .init(degraded: 2, failing: 2),
          "go_gc_pause_seconds": .init(degraded: 0.01), "restarts": .init(degraded: 100),
        ]
      ])
    #expect(found.first?.count == Threshold.all.count)
  }

  @Test func aTargetReplacesThemByName() throws {
    let found = try thresholds(
      """
      targets:
        - {name: a, pid: 1}
        - name: b
          pid: 1
          health: {thresholds: {open_fds_ratio: {failing: 0.5}, restarts: off, resident_memory_bytes: 7}}
        - {name: c, pid: 1, go: {metrics: "http://127.0.0.1/"}, health: {thresholds: {go_goroutines: 5}}}
        - {name: d, pid: 1, collect: []}
      health:
        restart_interval: 1h
        thresholds: {open_fds_ratio: 0.9, restarts: 3, go_heap_bytes: 9}
      """)
    #expect(
      found == [
        // What a target does not collect does not matter to it.
        ["open_fds_ratio": .init(degraded: 0.9), "restarts": .init(degraded: 3)],
        ["open_fds_ratio": .init(failing: 0.5), "resident_memory_bytes": .init(degraded: 7)],
        [
          "open_fds_ratio": .init(degraded: 0.9), "restarts": .init(degraded: 3),
          "go_heap_bytes": .init(degraded: 9), "go_goroutines": .init(degraded: 5),
        ],
        ["restarts": .init(degraded: 3)],
      ])
  }

  @Test func settingsShowThemAsInAFile() throws {
    let text = """
      health:
        restart_interval: 90s
        thresholds: {go_gc_pause_seconds: {failing: 1s, degraded: 10ms}, restarts: {failing: 3},
          open_fds_ratio: 0.25, go_heap_bytes: off}
      """
    let configuration = try parse(text)
    let shown = Dictionary(
      uniqueKeysWithValues: configuration.settings.map { ($0.path, $0.value) })
    #expect(shown["health.restart_interval"] == "1m30s")
    let written =
      "{open_fds_ratio: 0.25, go_heap_bytes: off, go_gc_pause_seconds: {degraded: 10ms, failing:"
      + " 1s}, restarts: {failing: 3}}"
    #expect(shown["health.thresholds"] == written)
    #expect(
      try parse("health: {restart_interval: 90s, thresholds: \(written)}").thresholds
        == configuration.thresholds)
    #expect(configuration.collector.restartInterval == .seconds(90))
    let none = try parse("")
    #expect(none.collector.restartInterval == .seconds(600) && none.thresholds.isEmpty)
  }

  @Test func targetsOfTheCommandLineHaveThoseOfAll() throws {
    let before = try parse("health: {thresholds: {restarts: 3}, restart_interval: 1h}")
    var both = before
    try both.add(targetArguments: ["a=pid:1"])
    #expect(
      both.collector.targets.map(\.thresholds) == [[Threshold.all.count - 1: .init(degraded: 3)]])
    #expect(both.collector.restartInterval == .seconds(3600))
    #expect(both.thresholds == before.thresholds)
  }

  private static let names = Threshold.all.map(\.name)

  @Test(arguments: [
    (
      "open_fds_ratio: 1.1",
      "1:39: thresholds.open_fds_ratio: expected a number above 0 and at most 1, found \"1.1\""
    ),
    (
      "open_fds_ratio: 0",
      "1:39: thresholds.open_fds_ratio: expected a number above 0 and at most 1, found \"0\""
    ),
    (
      "open_fds_ratio: -0.5",
      "1:39: thresholds.open_fds_ratio: expected a number above 0 and at most 1, found \"-0.5\""
    ),
    (
      "open_fds_ratio: 5e-1",
      "1:39: thresholds.open_fds_ratio: expected a number above 0 and at most 1, found \"5e-1\""
    ),
    (
      "open_fds_ratio: '0.5'",
      "1:39: thresholds.open_fds_ratio: expected a number above 0 and at most 1, found the quoted"
        + " text \"0.5\"; write it without quotes"
    ),
    (
      "resident_memory_bytes: 1GiB",
      "1:46: thresholds.resident_memory_bytes: expected a whole number from 1 to 1125899906842624,"
        + " found \"1GiB\""
    ),
    (
      "go_goroutines: 0",
      "1:38: thresholds.go_goroutines: expected a whole number from 1 to 1000000000, found \"0\""
    ),
    (
      "restarts: 101",
      "1:33: thresholds.restarts: expected a whole number from 1 to 100, found \"101\""
    ),
    (
      "restarts: null",
      "1:33: thresholds.restarts: expected a whole number from 1 to 100, found no value; write a"
        + " value or leave the key out"
    ),
    (
      "restarts: [3]",
      "1:33: thresholds.restarts: expected a whole number from 1 to 100, found a list"
    ),
    (
      "go_gc_pause_seconds: 0.01",
      "1:44: thresholds.go_gc_pause_seconds: expected a duration from 1ms to 1h, for example 30s, 5m"
        + " or 1h30m, found \"0.01\"; the units are y, w, d, h, m, s or ms, the largest first"
    ),
    (
      "restarts: {}",
      "1:33: thresholds.restarts: expected degraded, failing or both, found neither"
    ),
    (
      "restarts: {warning: 3}",
      "1:34: thresholds.restarts: unknown key \"warning\"; expected degraded or failing"
    ),
    (
      "restarts: {degraded: x, failing: 2}",
      "1:44: thresholds.restarts.degraded: expected a whole number from 1 to 100, found \"x\""
    ),
    (
      "restarts: {degraded: off}",
      "1:44: thresholds.restarts.degraded: expected a whole number from 1 to 100, found \"off\""
    ),
    (
      "restarts: {failing: 2, degraded: 3}",
      "1:43: thresholds.restarts: failing is 2, below degraded, 3; expected at least that"
    ),
    (
      "go_gc_pause_seconds: {degraded: 1s, failing: 10ms}",
      "1:68: thresholds.go_gc_pause_seconds: failing is 10ms, below degraded, 1s; expected at least"
        + " that"
    ),
    (
      "open_fd_ratio: 0.9",
      "1:23: thresholds: unknown threshold \"open_fd_ratio\"; did you mean \"open_fds_ratio\"?"
    ),
    (
      "latency: 1",
      "1:23: thresholds: unknown threshold \"latency\"; expected \(ProblemTests.choice(names))"
    ),
  ])
  func whatCannotBeMeant(entry: String, message: String) {
    #expect(problems("health: {thresholds: {\(entry)}}") == [message])
  }

  @Test(arguments: [
    (
      "health: {thresholds: 0.9}",
      "1:22: thresholds: expected a mapping of thresholds to numbers, found \"0.9\"; write"
        + " {open_fds_ratio: 0.9}"
    ),
    (
      "health: {restart_interval: 59s}",
      "1:28: restart_interval: expected a duration from 1m to 1d, for example 30s, 5m or 1h30m,"
        + " found \"59s\""
    ),
    (
      "health: {restart_interval: 2d}",
      "1:28: restart_interval: expected a duration from 1m to 1d, for example 30s, 5m or 1h30m,"
        + " found \"2d\""
    ),
    (
      "targets:\n- {name: a, pid: 1, health: {thresholds: {restarts: 1, go_goroutines: 5}}}",
      "2:56: thresholds: go_goroutines needs go, which this target does not collect; add it to its"
        + " key collect, or write go_goroutines: off"
    ),
    (
      "defaults: {collect: []}\ntargets:\n- name: a\n  pid: 1\n  health:\n    thresholds:\n"
        + "      resident_memory_ratio: 0.5",
      "7:7: thresholds: resident_memory_ratio needs core and cgroup, which this target does not"
        + " collect; add it to its key collect, or write resident_memory_ratio: off"
    ),
    (
      "targets: [{name: a, pid: 1, health: {restart_interval: 1h}}]",
      "1:38: unknown key \"restart_interval\" in this place; it belongs into health"
    ),
  ])
  func whatCannotBeMeantElsewhere(text: String, message: String) {
    #expect(problems(text) == [message])
  }

  /// Off is no threshold, so it needs nothing.
  @Test func offNeedsNothing() throws {
    let text = "targets: [{name: a, pid: 1, health: {thresholds: {go_goroutines: off}}}]"
    #expect(try thresholds(text) == [[:]])
  }
}
