/// Time on the CPU and time spent waiting for it, from `/proc/PID/schedstat`.
///
/// - Kernel: `fs/proc/base.c`, `proc_pid_schedstat()`; Documentation/scheduler/sched-stats.rst.
/// - Shape: three numbers. They are those of one thread; a process' own file tells about its first.
/// - Cost: one read; never waits for the process.
/// - Permission: any user.
package struct Schedstat: Sendable, Equatable {
  package var runNanoseconds: UInt64
  package var delayNanoseconds: UInt64
  /// How often it was given the CPU.
  package var slices: UInt64

  /// Reads the line.
  ///
  /// - Throws: The first field that is missing or not a number.
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    var at = Cursor()
    runNanoseconds = try at.number(bytes, "run")
    delayNanoseconds = try at.number(bytes, "delay")
    slices = try at.number(bytes, "slices")
  }
}
