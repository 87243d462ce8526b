import Foundation
import Glibc
import Linux
import TestSupport
import Testing

@testable import GoRuntime

/// Programs of Tests/GoMatrix/goPrograms: all with GO_MATRIX=all, else some of the oldest and of the
/// newest version.
let goPrograms: [String] = {
  let directory = projectDirectory + ".build/go/programs"
  let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
  if ProcessInfo.processInfo.environment["GO_MATRIX"] == "all" { return names }
  return names.filter { name in
    [names.first, names.last].contains { $0?.prefix { $0 != "-" } == name.prefix { $0 != "-" } }
      && (name.hasSuffix("-normal") || name.hasSuffix("-sw"))
      && !name.contains("pie") && !name.contains("cgo")
  }
}()

func goProgramPath(_ name: String) -> String { projectDirectory + ".build/go/programs/" + name }

/// What a program does before it is looked at.
private struct Scenario: Sendable, CustomTestStringConvertible {
  let testDescription: String
  var commands: [String] = []
  var environment: [String: String] = [:]
  /// Threads that the outside may count less: a goroutine that took its thread along when it ended
  /// may have been on the main one, which stays without being counted.
  var threadTolerance = 0.0
}

private let scenarios = [
  Scenario(testDescription: "fresh"),
  Scenario(testDescription: "after cycles", commands: ["gc 7"]),
  Scenario(testDescription: "after 300 cycles", commands: ["gc 300"]),
  Scenario(testDescription: "memory held", commands: ["hold 40", "gc 1", "hold 3"]),
  Scenario(testDescription: "memory released", commands: ["hold 60", "release", "gc 2"]),
  Scenario(testDescription: "goroutines", commands: ["park 3000", "gc 1"]),
  Scenario(testDescription: "goroutines that ended", commands: ["park 2000", "calm", "gc 1"]),
  Scenario(
    testDescription: "GOMAXPROCS",
    commands: ["procs 16", "park 50", "procs 64", "gc 1", "procs 3", "procs 1", "procs 5"]),
  Scenario(testDescription: "GOMAXPROCS=70", environment: ["GOMAXPROCS": "70"]),
  Scenario(testDescription: "GOGC off", commands: ["percent -1", "hold 20"]),
  Scenario(testDescription: "GOGC 400", commands: ["percent 400", "hold 20", "gc 1"]),
  Scenario(testDescription: "limit", commands: ["limit 104857600", "hold 30", "gc 2"]),
  Scenario(
    testDescription: "limit alone", commands: ["percent -1", "limit 52428800", "hold 20", "gc 1"]),
  Scenario(testDescription: "limit exceeded", commands: ["limit 9000000", "hold 20", "gc 1"]),
  Scenario(testDescription: "threads", commands: ["threads 20"]),
  Scenario(testDescription: "threads that ended", commands: ["end 10"], threadTolerance: 1),
  Scenario(testDescription: "free", commands: ["hold 50", "release", "gc 1", "free"]),
]

@Suite(
  .serialized,
  .enabled(
    if: !goPrograms.isEmpty,
    "there are no Go goPrograms: make deps-go unit builds some, make test-go all"))
struct MatrixTests {
  /// Looks after which a program that should have come to rest, or should have been readable, is
  /// given up; on an idle machine a few do.
  private static let patience = 2000

  /// Everything is exactly what the program says itself, if it says the same before and after.
  @Test(arguments: goPrograms) func anIdleProgramIsReadExactly(_ name: String) throws {
    for scenario in scenarios {
      let subject = try Subject(goProgramPath(name), environment: scenario.environment)
      for command in scenario.commands {
        #expect(subject.ask(command) == "done", "\(scenario.testDescription): \(command)")
      }
      var reader = try subject.reader()
      var isStill = false
      for _ in 0..<Self.patience where !isStill {
        _ = subject.ask("rest 5")
        #expect(subject.ask("take") == "taken")
        let sample = try reader.sample(systemThreads: subject.systemThreads)
        isStill = subject.ask("again") == "same"
        if isStill { try compare(sample, try subject.tell().before, name, scenario) }
      }
      #expect(isStill, "\(name), \(scenario.testDescription): never at rest")
    }
  }

  private func compare(
    _ sample: GoSample, _ own: OwnFigures, _ name: String, _ scenario: Scenario
  ) throws {
    let context = "\(name), \(scenario.testDescription)"
    #expect(sample.version == own.version, "\(context)")
    #expect(sample.quantiles == own.quantiles, "\(context)")
    let numbers = sample.numbers
    for (key, value) in own.numbers {
      let tolerance = key == "go_threads" ? scenario.threadTolerance : 0
      let read = try #require(numbers[key], "\(context): \(key), \(refusals(sample))")
      #expect((value - tolerance...value).contains(read), "\(context): \(key)")
    }
    #expect(own.numbers.count >= 27, "\(context)")
  }

  /// While a program allocates, collects garbage and starts goroutines, what only grows lies between
  /// what it says itself before and after.
  @Test(arguments: goPrograms, ["storm 4", "churn 4", "collect 2", "storm 2,churn 2,collect 1"])
  func aStormIsReadWithinItsBracket(_ name: String, _ storm: String) throws {
    let subject = try Subject(goProgramPath(name))
    _ = subject.ask("hold 5")
    for command in storm.split(separator: ",") { #expect(subject.ask(String(command)) == "done") }
    var reader = try subject.reader()
    var last: [String: Double] = [:]
    var accepted = 0
    for _ in 0..<Self.patience where accepted < 20 {
      _ = subject.ask("take")
      let sample = try reader.sample(systemThreads: subject.systemThreads)
      _ = subject.ask("again")
      let (before, after) = try subject.tell()
      if case .success = sample.heap { accepted += 1 }
      let numbers = sample.numbers
      for key in [
        "go_memstats_alloc_bytes_total", "go_memstats_mallocs_total", "go_memstats_frees_total",
        "go_gc_cycles_total",
      ] {
        guard let value = numbers[key] else { continue }
        let bracket = (before.numbers[key] ?? .nan, after.numbers[key] ?? .nan)
        #expect(bracket.0 <= value && value <= bracket.1, "\(name), \(storm): \(key)")
        #expect(value >= last[key] ?? 0, "\(name), \(storm): \(key) fell")
        last[key] = value
      }
    }
    #expect(accepted == 20, "\(name), \(storm)")
  }

  @Test(arguments: goPrograms) func aStormLeavesTheTruthBehind(_ name: String) throws {
    let subject = try Subject(goProgramPath(name))
    var reader = try subject.reader()
    for command in ["storm 3", "churn 3", "collect 1"] { _ = subject.ask(command) }
    for _ in 0..<20 { _ = try reader.sample(systemThreads: subject.systemThreads) }
    _ = subject.ask("calm")
    var isStill = false
    for _ in 0..<Self.patience where !isStill {
      _ = subject.ask("rest 10")
      _ = subject.ask("take")
      let sample = try reader.sample(systemThreads: subject.systemThreads)
      isStill = subject.ask("again") == "same"
      if isStill {
        try compare(
          sample, try subject.tell().before, name, Scenario(testDescription: "after a storm"))
      }
    }
    #expect(isStill, "\(name): never at rest")
  }

  /// With the layout of another version nothing is given.
  @Test(arguments: goPrograms) func aWrongLayoutGivesNothing(_ name: String) throws {
    let subject = try Subject(goProgramPath(name))
    _ = subject.ask("gc 3")
    _ = subject.ask("hold 5")
    guard case .program(let file) = try ProgramFile.read(try openFile(goProgramPath(name), [.read]))
    else {
      return
    }
    for other in Layout.all
    where other.machine == .amd64
      && Field.allCases.contains(where: { file.layout.ifPresent($0) != other.ifPresent($0) })
    {
      var reader = try subject.reader(layout: other)
      for _ in 0..<3 {
        let sample = try reader.sample(systemThreads: subject.systemThreads)
        #expect(sample.numbers.isEmpty, "\(name), \(other.testDescription): \(sample.numbers)")
      }
    }
  }

  /// A stopped program is read as well as a running one.
  @Test(arguments: goPrograms) func aStoppedProgramIsRead(_ name: String) throws {
    let subject = try Subject(goProgramPath(name))
    _ = subject.ask("rest 20")
    subject.send(SIGSTOP)
    var reader = try subject.reader()
    let isRead = try eventually {
      let sample = try reader.sample(systemThreads: subject.systemThreads)
      return sample.numbers.count >= 28
    }
    #expect(isRead, "\(name)")
    subject.send(SIGCONT)
  }

  /// Another program takes the process' place: what was known of the first one gives nothing.
  @Test(arguments: goPrograms) func anotherProgramInItsPlaceGivesNothing(_ name: String) throws {
    // Of another version: the same one may well have everything in the same place.
    let version = name.prefix { $0 != "-" }
    let others = goPrograms.filter { !$0.hasPrefix(version) }.suffix(2).map(goProgramPath)
    for other in ["/bin/sleep 60"] + others {
      let subject = try Subject(goProgramPath(name))
      _ = subject.ask("gc 2")
      var reader = try subject.reader()
      _ = try reader.sample(systemThreads: 50)
      let parts = other.split(separator: " ")
      subject.send("exec \(other)")
      _ = eventually {
        (try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/\(subject.pid)/exe"
        ).hasSuffix(
          String(parts[0].split(separator: "/").last ?? ""))) == true
      }
      for _ in 0..<10 {
        let sample = try? reader.sample(systemThreads: 50)
        #expect(sample?.numbers.isEmpty != false, "\(name): \(String(describing: sample?.numbers))")
      }
    }
  }

  @Test(arguments: goPrograms) func theEndOfAProgramIsNoTrap(_ name: String) throws {
    for delay: UInt32 in [0, 200, 1000, 5000] {
      let subject = try Subject(goProgramPath(name))
      _ = subject.ask("storm 2")
      var reader = try subject.reader()
      let pid = subject.pid
      let killer = try Thread(name: "killer") {
        usleep(delay)
        kill(pid, SIGKILL)
      }
      #expect(throws: Errno.self, "\(name)") {
        for _ in 0..<100_000 { _ = try reader.sample(systemThreads: 50) }
      }
      killer.join()
    }
  }

  private func refusals(_ sample: GoSample) -> String {
    "\(sample.heap.refusal ?? "") \(sample.scheduler.refusal ?? "") \(sample.collector.refusal ?? "")"
  }
}

extension Result where Failure == Refusal {
  fileprivate var refusal: String? {
    if case .failure(let refusal) = self { return "\(refusal)" }
    return nil
  }
}
