import Collector
import Linux
import ProcFS
import Testing

@testable import Targets
@testable import procvitals

@Suite struct ExplainTests {
  private func explanation(
    _ pid: Int32, _ name: String, _ target: TargetKey?, isInherited: Bool = false,
    _ rules: [Explanation.Verdict]
  ) -> Explanation {
    let bytes = Array(name.utf8)
    return Explanation(
      pid: pid, name: ProcessName(bytes.span), target: target.map { ($0, isInherited) },
      rules: rules)
  }

  private func text(isDetailed: Bool, _ processes: Explanation...) -> [Substring] {
    ExplainReport(
      rules: ["web", "db-${port}"], targets: [], processes: processes, seconds: 0.01234,
      pageBytes: 77
    ).text(isDetailed: isDetailed).split(separator: "\n")
  }

  @Test func everyProcessSaysWhy() {
    let key = TargetKey(name: "db-1", labels: [.init(name: "port", value: "1\n2")])
    let lines = text(
      isDetailed: false,
      explanation(7, "a b", key, isInherited: true, [.fails(.user), .fits]),
      explanation(8, "\u{1b}[31m", nil, [.fails(.processName), .late]),
      explanation(
        9, "c", nil, [.unsure(.executable, Trouble(.file(.exe), .denied)), .fails(.minimumAge)]))
    #expect(
      lines == [
        "targets", "a scrape: 0 series of targets in 77 bytes, 12.34 ms", "processes",
        #"  7 a b: belongs to db-1{port="1\u{a}2"}, because an ancestor does"#,
        #"  8 \u{1b}[31m: no target (web: process_name does not hold; "#
          + "db-${port}: it has not said in time what it was started with)",
        "  9 c: no target (web: exe cannot be checked: exe denied; "
          + "db-${port}: min_age does not hold)",
      ])
  }

  @Test func oneProcessHasALineForEachRule() {
    let lines = text(
      isDetailed: true, explanation(7, "a", TargetKey(name: "web"), [.fits, .fails(.exclude)]))
    #expect(
      lines.suffix(3) == [
        "  7 a: belongs to web", "    web: fits", "    db-${port}: exclude does not hold",
      ])
  }
}
