import Foundation
import Glibc
import Linux
import TestSupport
import Testing

@testable import GoRuntime

/// A running Go program that tells what its own runtime says of itself: Tests/GoMatrix/subject.
final class Subject {
  private let child: TalkingChild

  init(_ path: String, environment: [String: String] = [:]) throws {
    child = try TalkingChild([path], environment: environment)
    // From its first answer on it is this program.
    _ = ask("rest 1")
  }

  var pid: Int32 { child.pid }

  func send(_ signal: Int32) { child.send(signal) }

  /// Gives a command that is not answered.
  func send(_ command: String) { child.write(command + "\n") }

  /// Gives a command.
  ///
  /// - Returns: The line that is answered.
  func ask(_ command: String) -> String {
    send(command)
    return child.line()
  }

  /// What it says itself at two moments.
  func tell() throws -> (before: OwnFigures, after: OwnFigures) {
    let told = try JSONDecoder().decode([OwnFigures].self, from: Data(ask("both").utf8))
    return (told[0], told[1])
  }

  var systemThreads: UInt64 {
    UInt64(
      (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count)
        ?? 0)
  }

  /// What is read of it from outside.
  func reader(layout: Layout? = nil) throws -> GoProcess {
    guard
      case .program(let file) = try ProgramFile.read(
        try openFile("/proc/\(pid)/exe", [.read]))
    else { throw NoProgram() }
    return GoProcess(
      layout.map { file.with($0) } ?? file, pid: pid,
      bias: file.isRelocatable ? try lowestMapping(of: pid) &- file.image.lowerBound : 0)
  }
  struct NoProgram: Error {}
}

/// The first address at which the program of a process is mapped.
func lowestMapping(of pid: Int32) throws -> UInt64 {
  let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
  let maps = String(decoding: try contents("/proc/\(pid)/maps"), as: UTF8.self)
  let line = try #require(maps.split(separator: "\n").first { $0.hasSuffix(program) })
  return try #require(UInt64(line.prefix { $0 != "-" }, radix: 16))
}

extension ProgramFile {
  /// The same with another layout forced on it.
  func with(_ layout: Layout) -> ProgramFile {
    ProgramFile(
      version: version, layout: layout, isNewerThanKnown: false, symbols: symbols,
      variables: variables, image: image, isRelocatable: isRelocatable)
  }
}

/// What the subject says, in client_golang's names; the collector's times in nanoseconds.
struct OwnFigures: Decodable {
  let numbers: [String: Double]
  let version: String
  let quantiles: [Double]

  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Name.self)
    version = try values.decode(String.self, forKey: Name(stringValue: "go_info"))
    quantiles = try values.decode(
      [Double].self, forKey: Name(stringValue: "go_gc_duration_seconds"))
    var numbers: [String: Double] = [:]
    for key in values.allKeys {
      if let number = try? values.decode(Double.self, forKey: key) {
        numbers[key.stringValue] = number
      }
    }
    self.numbers = numbers
  }
}

extension GoSample {
  /// The same names; those of groups that were refused are missing.
  var numbers: [String: Double] {
    var numbers: [String: UInt64] = [:]
    var result: [String: Double] = [:]
    if case .success(let figures) = heap {
      for (name, value) in [
        ("alloc_bytes", figures.allocated), ("alloc_bytes_total", figures.allocatedBytes),
        ("sys_bytes", figures.sys), ("mallocs_total", figures.mallocs),
        ("frees_total", figures.frees), ("heap_alloc_bytes", figures.allocated),
        ("heap_sys_bytes", figures.heapSys), ("heap_idle_bytes", figures.idle),
        ("heap_inuse_bytes", figures.inUse), ("heap_released_bytes", figures.released),
        ("heap_objects", figures.objects), ("stack_inuse_bytes", figures.stacksInUse),
        ("stack_sys_bytes", figures.stackSys), ("mspan_inuse_bytes", figures.spansInUse),
        ("mspan_sys_bytes", figures.spansSys), ("mcache_inuse_bytes", figures.cachesInUse),
        ("mcache_sys_bytes", figures.cachesSys), ("buck_hash_sys_bytes", figures.buckHashSys),
        ("gc_sys_bytes", figures.gcSys), ("other_sys_bytes", figures.otherSys),
        ("next_gc_bytes", figures.goal),
      ] { numbers["go_memstats_\(name)"] = value }
    }
    if case .success(let figures) = scheduler {
      numbers["go_goroutines"] = figures.goroutines
      numbers["go_threads"] = figures.threads
      numbers["go_sched_gomaxprocs_threads"] = figures.processors
    }
    if case .success(let figures) = collector {
      numbers["go_gc_cycles_total"] = figures.cycles
      numbers["go_gc_duration_seconds_count"] = figures.cycles
      numbers["go_gc_duration_seconds_sum"] = figures.pauseTotal
      numbers["go_memstats_last_gc_time_seconds"] = figures.lastEnd
      result["go_gc_gogc_percent"] = Double(figures.percent)
      result["go_gc_gomemlimit_bytes"] = Double(figures.memoryLimit)
    }
    for (name, value) in numbers { result[name] = Double(value) }
    return result
  }

  /// Nanoseconds at 0, 0.25, 0.5, 0.75 and 1, as `debug.ReadGCStats` works them out.
  var quantiles: [Double] {
    guard case .success(let figures) = collector, !figures.pauses.isEmpty else {
      return [0, 0, 0, 0, 0]
    }
    let sorted = figures.pauses.sorted()
    return (0..<4).map { Double(sorted[sorted.count * $0 / 4]) } + [
      Double(sorted[sorted.count - 1])
    ]
  }
}
