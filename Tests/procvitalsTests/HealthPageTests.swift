import Targets
import Testing

@testable import Collector
@testable import procvitals

/// What is answered at `/health`, member by member.
@Suite struct HealthPageTests {
  private func finding(
    _ name: String, _ value: Double?, _ degraded: Double?, _ failing: Double? = nil
  ) -> Threshold.Finding {
    Threshold.Finding(
      name: name, levels: .init(degraded: degraded, failing: failing), value: value)
  }

  @Test func targetsTellWhatTheyAreComparedWith() {
    var health = Health()
    health.targets = [
      Health.TargetHealth(
        name: "web", processes: 2, troubles: [Trouble(.file(.io), .denied)],
        thresholds: [
          finding("open_fds_ratio", 0.93, 0.9), finding("go_goroutines", nil, 10_000, 50_000),
          finding("restarts", 4, nil, 3), finding("resident_memory_bytes", 7, 7),
        ]),
      Health.TargetHealth(name: "db", processes: 1, troubles: []),
    ]
    #expect(
      health.json.line == """
        {"status":"failing","targets":[{"name":"web","status":"failing","processes":2,\
        "unreadable":[{"source":"io","reason":"denied"}],"thresholds":[\
        {"name":"open_fds_ratio","value":0.93,"degraded":0.9,"failing":null,"status":"degraded"},\
        {"name":"go_goroutines","value":null,"degraded":10000,"failing":50000,"status":"ok"},\
        {"name":"restarts","value":4,"degraded":null,"failing":3,"status":"failing"},\
        {"name":"resident_memory_bytes","value":7,"degraded":7,"failing":null,"status":"ok"}]},\
        {"name":"db","status":"ok","processes":1,"unreadable":[],"thresholds":[]}],\
        "rights":{"capabilities":[],"denied":[],"drop_in":null}}
        """)
  }

  @Test func theWorstCounts() {
    func status(_ processes: Int, _ troubles: [Trouble], _ value: Double) -> Health.Status {
      Health.TargetHealth(
        name: "a", processes: processes, troubles: troubles,
        thresholds: [finding("restarts", value, 1, 2)]
      ).status
    }
    let late = Trouble(.file(.io), .late)
    #expect(status(1, [], 1) == .ok)
    #expect(status(1, [late], 1) == .degraded)
    #expect(status(1, [], 2) == .degraded)
    #expect(status(1, [late], 3) == .failing)
    #expect(status(0, [], 1) == .failing)
  }
}
