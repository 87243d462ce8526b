import Linux

/// A process' name as the kernel keeps it; may hold any byte but NUL.
///
/// - Shape: at most 15 bytes (`TASK_COMM_LEN`). For its own workers the kernel shows a longer one,
///   of which the first 15 bytes are kept.
package struct ProcessName: Sendable, Hashable {
  private static let limit = 15
  /// The bytes from the lowest on, and their count in the highest byte of `high`.
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  package init(_ bytes: Span<UInt8>) {
    let count = min(bytes.count, Self.limit)
    for index in 0..<count {
      if index < 8 {
        low |= UInt64(bytes[index]) << (8 * UInt64(index))
      } else {
        high |= UInt64(bytes[index]) << (8 * UInt64(index - 8))
      }
    }
    high |= UInt64(count) << 56
  }

  package var bytes: [UInt8] {
    (0..<Int(high >> 56)).map { index in
      UInt8(truncatingIfNeeded: index < 8 ? low >> (8 * index) : high >> (8 * (index - 8)))
    }
  }
}

/// Memory, CPU and scheduling facts of one process, from `/proc/PID/stat`, or of one thread, from
/// `/proc/PID/task/TID/stat`.
///
/// - Kernel: `fs/proc/array.c`, `do_task_stat()`; `proc_pid_stat(5)`.
/// - Shape: one line of 52 fields. Field 2 may contain spaces and `)`, so the rest is counted from
///   the last `)`.
/// - Cost: one read, which grows with its threads. Waits for an `execve` of the process to end, see
///   ``SourceFile/waitsForExec``, and for nothing else that it does.
/// - Permission: any user, unless `/proc` is mounted with `hidepid`.
package struct Stat: Sendable, Equatable {
  /// Field 2, without the parentheses.
  package var name: ProcessName
  /// State of the first thread: one of `RSDTtZXxKWPI` (field 3).
  package var state: UInt8
  /// Process that started it, or that adopted it (field 4).
  package var parent: Int32
  /// Kernel flags of the process, `PF_*` of `include/linux/sched.h` (field 9).
  package var flags: UInt64
  /// Page faults served from memory, of all threads that ever were (field 10).
  package var minorFaults: UInt64
  /// Page faults that waited for storage (field 12).
  package var majorFaults: UInt64
  /// CPU time in user mode of all threads that ever were, guest time included (field 14).
  package var userTicks: UInt64
  /// CPU time in the kernel (field 15).
  package var systemTicks: UInt64
  /// CPU time in user mode of children that ended and were waited for (field 16).
  package var childrenUserTicks: UInt64
  /// CPU time in the kernel of such children (field 17).
  package var childrenSystemTicks: UInt64
  /// Nice value of the first thread, -20 to 19 (field 19).
  package var nice: Int32
  /// Threads now (field 20).
  package var threads: UInt64
  /// When it started, in ticks since the machine did (field 22).
  package var startTicks: UInt64
  /// Size of the address space (field 23).
  package var virtualBytes: UInt64
  /// Pages in memory, as bytes; the kernel keeps this number approximately (field 24).
  package var residentBytes: UInt64
  /// Realtime priority of the first thread, 1 to 99; 0 if it has none (field 40).
  package var realtimePriority: UInt64
  /// Scheduling policy of the first thread, `SCHED_*` of `include/uapi/linux/sched.h` (field 41).
  package var schedulingPolicy: UInt64
  /// Where the command line lies in memory, which every `execve` chooses anew (field 48); 0 for whom
  /// the process is none of, see ``execMark``.
  package var argumentsAddress: UInt64

  /// What changes when the process runs another program, as far as this file shows it.
  ///
  /// Without rights over the process only its name does, and whether it has called `execve` at all
  /// since it was forked (`PF_FORKNOEXEC`).
  package struct ExecMark: Sendable, Hashable {
    private let name: ProcessName
    private let hasOwnProgram: Bool
    private let argumentsAddress: UInt64

    fileprivate init(_ stat: Stat) {
      name = stat.name
      hasOwnProgram = !stat.isCopy
      argumentsAddress = stat.argumentsAddress
    }
  }

  package var execMark: ExecMark { ExecMark(self) }

  /// Whether the whole process has ended and only waits for its parent.
  ///
  /// A first thread that has ended while others run also shows `Z`.
  package var hasEnded: Bool {
    (state == UInt8(ascii: "Z") || isOfDeadThread && threads > 0) && threads <= 1
  }

  /// Whether it is about a first thread that is no longer there.
  ///
  /// Either the process has ended, or another thread of it has just called `execve` and has taken the
  /// first one's place (`de_thread()` of `fs/exec.c`). The next reading tells which.
  package var isSuperseded: Bool { isOfDeadThread && threads == 0 }

  private var isOfDeadThread: Bool { state == UInt8(ascii: "X") || state == UInt8(ascii: "x") }

  /// Whether the whole process is about to end (`PF_EXITING`), if it has not yet.
  ///
  /// Its exit record is under way, or was sent already.
  package var isEnding: Bool { hasEnded || flags & 0x4 != 0 && threads <= 1 }

  /// Whether the first thread has ended while others run.
  ///
  /// The kernel then shows no descriptors and no memory for the process, although it has both.
  package var firstThreadHasEnded: Bool { state == UInt8(ascii: "Z") && threads > 1 }

  /// Whether it has not called `execve` since it was forked (`PF_FORKNOEXEC`): it is a copy of its
  /// parent so far.
  package var isCopy: Bool { flags & 0x40 != 0 }

  /// Whether it is a thread of the kernel (`PF_KTHREAD`), which runs no program.
  package var isKernelThread: Bool { flags & 0x0020_0000 != 0 }

  /// A process that has ended and of which nothing is known; every number is 0.
  package init() {
    let none: [UInt8] = []
    name = ProcessName(none.span)
    state = UInt8(ascii: "Z")
    (parent, flags, minorFaults, majorFaults) = (0, 0, 0, 0)
    (userTicks, systemTicks, childrenUserTicks, childrenSystemTicks) = (0, 0, 0, 0)
    (threads, startTicks, virtualBytes, residentBytes) = (0, 0, 0, 0)
    (nice, realtimePriority, schedulingPolicy, argumentsAddress) = (0, 0, 0, 0)
  }

  /// Reads the line.
  ///
  /// - Parameters:
  ///   - bytes: The file's content.
  ///   - facts: The machine's units.
  /// - Throws: The first field that is missing or not a number.
  package init(_ bytes: Span<UInt8>, _ facts: SystemFacts) throws(ParseError) {
    guard let open = bytes.firstIndex(of: UInt8(ascii: "(")),
      let close = bytes.lastIndex(of: UInt8(ascii: ")")), close > open, close + 2 < bytes.count
    else { throw ParseError(field: "comm") }
    name = ProcessName(bytes.extracting((open + 1)..<close))
    state = bytes[close + 2]
    var at = Cursor(at: close + 3)
    guard let parent = Int32(exactly: try at.signed(bytes, "ppid")) else {
      throw ParseError(field: "ppid")
    }
    self.parent = parent
    at.skipWords(4, bytes)  // 5–8: pgrp session tty_nr tpgid
    flags = try at.number(bytes, "flags")
    minorFaults = try at.number(bytes, "minflt")
    at.skipWords(1, bytes)  // 11: cminflt
    majorFaults = try at.number(bytes, "majflt")
    at.skipWords(1, bytes)  // 13: cmajflt
    userTicks = try at.number(bytes, "utime")
    systemTicks = try at.number(bytes, "stime")
    childrenUserTicks = try at.number(bytes, "cutime")
    childrenSystemTicks = try at.number(bytes, "cstime")
    at.skipWords(1, bytes)  // 18: priority
    guard let nice = Int32(exactly: try at.signed(bytes, "nice")) else {
      throw ParseError(field: "nice")
    }
    self.nice = nice
    threads = try at.number(bytes, "num_threads")
    at.skipWords(1, bytes)  // 21: itrealvalue
    startTicks = try at.number(bytes, "starttime")
    virtualBytes = try at.number(bytes, "vsize")
    residentBytes = try at.number(bytes, "rss").multipliedReportingOverflow(by: facts.pageBytes)
      .partialValue
    at.skipWords(15, bytes)  // 25–39: rsslim to processor
    realtimePriority = try at.number(bytes, "rt_priority")
    schedulingPolicy = try at.number(bytes, "policy")
    at.skipWords(6, bytes)  // 42–47: delayacct_blkio_ticks to start_brk
    // A recorded line may be shorter; then nothing is known of it.
    argumentsAddress = (try? at.number(bytes, "arg_start")) ?? 0
  }
}
