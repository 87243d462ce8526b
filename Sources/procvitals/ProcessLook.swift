import Linux
import ProcFS

/// What one look at a process found; nil is what was not read.
final class ProcessLook {
  var instant = Instant.now
  /// Wall-clock time, nanoseconds since 1970.
  var nanosecondsSince1970 = wallClockNanoseconds()
  var stat = Stat()
  var status: Status?
  var io: IO?
  var descriptors: UInt64?
  /// Of all threads that there are.
  var switches: Switches?

  // What says nothing about a change.
  /// Nanoseconds since 1970.
  var startNanoseconds: Int64 = 0
  var facts = SystemFacts(pageBytes: 4096, ticksPerSecond: 100, bootTicks: 0)
  var program: [UInt8]?
  var commandLine: CommandLine?
  /// Names with numbers behind them.
  var user, realUser: String?
  var parentName: ProcessName?
  var cgroup: Cgroup?
  var groups = CgroupLook()
  var limits: [ResourceLimits.Resource: ResourceLimits.Pair] = [:]
  var maps, mapLimit: UInt64?
  var oomScore, oomScoreAdjustment: Int64?
  var go = GoSubject.Finding.noGo
  var troubles: [ProcError] = []

  struct Switches: Equatable {
    var voluntary: UInt64 = 0
    var involuntary: UInt64 = 0
  }

  init() {}
}
