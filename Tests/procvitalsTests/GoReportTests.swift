import TestSupport
import Testing

@testable import GoRuntime
@testable import procvitals

@Suite struct GoReportTests {
  private static let now: Int64 = 1_800_000_000_000_000_000

  private func finding() -> GoFinding {
    var heap = HeapFigures()
    (heap.allocatedBytes, heap.freedBytes) = (10 << 20, 6 << 20)
    (heap.allocatedObjects, heap.freedObjects, heap.tinyObjects) = (5000, 3976, 7)
    (heap.inUse, heap.released, heap.free) = (5 << 20, 12 << 20, 3 << 20)
    (heap.stacksInUse, heap.stacksSys) = (160 << 10, 4 << 10)
    (heap.spansInUse, heap.spansSys) = (1000, 2000)
    (heap.cachesInUse, heap.cachesSys) = (2400, 15600)
    (heap.buckHashSys, heap.gcSys, heap.otherSys, heap.sys) = (100, 200, 300, 30 << 20)
    heap.goal = 8 << 20
    var collector = CollectorFigures()
    (collector.cycles, collector.forcedCycles) = (4, 1)
    collector.lastEnd = UInt64(Self.now) - 65_000_000_000
    (collector.pauseTotal, collector.pauses) = (6_000_000, [1000, 4_000_000, 2_000, 1_997_000])
    (collector.cpuFraction, collector.percent) = (0.0625, 100)
    collector.memoryLimit = .max
    return GoFinding(
      sample: GoSample(
        version: "go1.22.3",
        heap: .success(heap),
        scheduler: .success(SchedulerFigures(goroutines: 16, threads: 9, processors: 2)),
        collector: .success(collector)),
      machine: .amd64, variables: [("GOGC", Array("1\u{1b}00".utf8))])
  }

  private func lines(_ finding: GoFinding) -> [String] {
    Screen.lines(GoReport(finding: finding, now: Self.now, processors: 4).sections)
  }

  @Test func everythingThatTheRuntimeKnows() {
    let text = lines(finding()).joined(separator: "\n") + "\n"
    if let wrong = difference(text, fromGolden: "Tests/Golden/inspect-go.txt") {
      Issue.record("\(wrong)")
    }
  }

  @Test func hintsAreForThoseWhoNeedThem() throws {
    var finding = finding()
    var collector = try finding.sample.collector.get()
    (collector.cpuFraction, collector.pauseTotal) = (0.05, 4_000_000)
    var heap = try finding.sample.heap.get()
    heap.released = 7 << 20
    finding = GoFinding(
      sample: GoSample(
        version: "go1.22.3", heap: .success(heap), scheduler: finding.sample.scheduler,
        collector: .success(collector)),
      machine: .arm64)
    #expect(!lines(finding).contains { $0.contains("hint") })
    #expect(lines(finding).contains("  platform              linux/arm64"))
  }

  @Test func aGroupThatIsNotAcceptedSaysWhy() {
    let sample = GoSample(
      version: "go1.27.0", heap: .failure(.inconsistent("released memory")),
      scheduler: .failure(.notLocated("runtime.sched")), collector: .failure(.notRead))
    #expect(
      lines(GoFinding(sample: sample, machine: .amd64)) == [
        "Go runtime", "  version               go1.27.0", "  platform              linux/amd64",
        "  CPUs                  4",
        "  not given             runtime.sched was not found in the program's memory",
        "Go heap", "  not given             released memory", "Go garbage collection",
        "  not given             GOMAXPROCS changed each time that it was read",
      ])
  }

  /// Nothing is divided by what is not there yet, and no number is too large.
  @Test(arguments: [UInt64(0), .max])
  func extremes(number: UInt64) {
    var heap = HeapFigures()
    (heap.allocatedBytes, heap.inUse, heap.released, heap.goal) = (number, 0, number, number)
    (heap.allocatedObjects, heap.stacksInUse) = (number, number)
    var collector = CollectorFigures()
    (collector.cycles, collector.lastEnd, collector.pauseTotal) = (number, number, number)
    collector.pauses = number == 0 ? [] : [number, number]
    (collector.percent, collector.memoryLimit) = (-1, .max)
    let sample = GoSample(
      version: "", heap: .success(heap),
      scheduler: .success(
        SchedulerFigures(goroutines: number, threads: number, processors: number)),
      collector: .success(collector))
    let lines = lines(GoFinding(sample: sample, machine: .amd64))
    #expect(lines.contains("  GOGC                  off"))
    #expect(lines.contains("  GOMEMLIMIT            not set"))
    if number == .max { #expect(lines.contains("  next at a heap of     never")) }
  }
}

@Suite struct QuantityTests {
  @Test(arguments: [
    (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1536, "1.50 KiB"),
    (1 << 20, "1.00 MiB"), (.max, "16.00 EiB"),
  ])
  func bytes(count: UInt64, text: String) { #expect(Quantity.bytes(count) == text) }

  @Test(arguments: [
    (UInt64(0), "0 s"), (999, "999 ns"), (12_300, "12.30 µs"), (4_560_000, "4.56 ms"),
    (7_000_000_000, "7.00 s"), (185_000_000_000, "3m05s"), (7_380_000_000_000, "2h03m"),
    (446_400_000_000_000, "5d04h"),
  ])
  func durations(nanoseconds: UInt64, text: String) {
    #expect(Quantity.duration(nanoseconds: nanoseconds) == text)
  }

  @Test func others() {
    #expect(Quantity.percent(0.1234) == "12.34 %")
    #expect(Quantity.decimal(-1.005, places: 1) == "-1.0")
    #expect(Quantity.decimal(0.004) == "0.00")
    #expect(Quantity.decimal(.infinity) == "inf")
    #expect(Quantity.decimal(2.5, places: 0) == "3")
    #expect(Quantity.moment(1_800_000_000_000_000_000) == "2027-01-15 08:00:00 UTC")
  }
}
