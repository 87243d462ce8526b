import Linux
import ProcFS

/// Time that the threads of a process waited for something else than the CPU, in nanoseconds.
package struct Delays: Sendable, Equatable {
  package var blockIO: UInt64
  package var swapIn: UInt64
  package var reclaim: UInt64
  package var thrashing: UInt64
  package var compact: UInt64?
  package var copy: UInt64?
  /// Nil while it is 0: a kernel that does not measure it says so too.
  package var interrupt: UInt64?

  init?(_ usage: TaskUsage) {
    guard let blockIO = usage[.blockIODelay], let swapIn = usage[.swapInDelay],
      let reclaim = usage[.reclaimDelay], let thrashing = usage[.thrashingDelay]
    else { return nil }
    self.blockIO = blockIO
    self.swapIn = swapIn
    self.reclaim = reclaim
    self.thrashing = thrashing
    compact = usage[.compactDelay]
    copy = usage[.copyDelay]
    interrupt = usage[.interruptDelay].flatMap { $0 > 0 ? $0 : nil }
  }
}

extension Switches {
  init?(_ usage: TaskUsage) {
    guard let voluntary = usage[.voluntarySwitches], let involuntary = usage[.involuntarySwitches]
    else { return nil }
    self.init(voluntary: voluntary, involuntary: involuntary)
  }
}

extension RunTimes {
  init?(_ usage: TaskUsage) {
    guard let run = usage[.run], let delay = usage[.runDelay], let slices = usage[.slices]
    else { return nil }
    self.init(runNanoseconds: run, delayNanoseconds: delay, slices: slices)
  }
}

extension IO {
  init?(_ usage: TaskUsage) {
    guard let read = usage[.readBytes], let written = usage[.writtenBytes],
      let readCalls = usage[.readCalls], let writeCalls = usage[.writeCalls],
      let storageRead = usage[.storageReadBytes], let storageWritten = usage[.storageWrittenBytes],
      let cancelled = usage[.storageCancelledBytes]
    else { return nil }
    self.init(
      readBytes: read, writtenBytes: written, readCalls: readCalls, writeCalls: writeCalls,
      storageReadBytes: storageRead, storageWrittenBytes: storageWritten,
      storageCancelledBytes: cancelled)
  }
}

extension TaskUsage {
  /// What the numbers of a process' files are, as far as those tell them.
  init(_ stat: Stat, _ io: IO?) {
    self.init()
    self[.minorFaults] = stat.minorFaults
    self[.majorFaults] = stat.majorFaults
    self[.readBytes] = io?.readBytes
    self[.writtenBytes] = io?.writtenBytes
    self[.readCalls] = io?.readCalls
    self[.writeCalls] = io?.writeCalls
    self[.storageReadBytes] = io?.storageReadBytes
    self[.storageWrittenBytes] = io?.storageWrittenBytes
    self[.storageCancelledBytes] = io?.storageCancelledBytes
  }

  /// The most that a thread can have read and written: its numbers are rounded down to 1,024, those
  /// of calls too (`xacct_add_tsk()` of `kernel/tsacct.c`).
  var withIORoundedUp: TaskUsage {
    var usage = self
    for field in [
      Field.readBytes, .writtenBytes, .readCalls, .writeCalls, .storageReadBytes,
      .storageWrittenBytes, .storageCancelledBytes,
    ] {
      usage[field] = self[field].map { $0 &+ 1023 }
    }
    return usage
  }

  /// Takes over what the kernel adds up for a process itself.
  mutating func take(process: TaskUsage, includesEndedThreads: Bool) {
    var fields: [Field] = [
      .slices, .runDelay, .run, .blockIODelay, .swapInDelay, .reclaimDelay, .thrashingDelay,
      .compactDelay, .copyDelay, .interruptDelay,
    ]
    if includesEndedThreads {
      fields += [.userTime, .systemTime, .voluntarySwitches, .involuntarySwitches]
    }
    for field in fields { self[field] = process[field] }
  }
}

extension ProcessSample {
  /// The last numbers of a process that has ended.
  ///
  /// - Parameters:
  ///   - facts: The machine's units.
  ///   - stat: Its last `stat`.
  ///   - usage: What it used in its life, by its exit records.
  ///   - carry: What ended processes of the target used beyond whole ticks.
  init(_ facts: SystemFacts, _ stat: Stat, _ usage: TaskUsage, _ carry: inout CPUCarry) {
    var last = stat
    carry.raise(&last, usage, facts)
    last.minorFaults = max(last.minorFaults, usage[.minorFaults] ?? 0)
    last.majorFaults = max(last.majorFaults, usage[.majorFaults] ?? 0)
    self.init(facts: facts, stat: last)
    io = IO(usage)
    switches = Switches(usage)
    runTimes = RunTimes(usage)
  }
}

/// Run time that the records of short lives lack, made up for over many of them.
///
/// A record lacks what its thread ran since the scheduler's last look, up to a whole tick of the
/// kernel: most of a life without a switch. Ticks that hit such lives add up to the true time, as
/// long as nothing else wants the CPU. Where many do, lives begin and end between two ticks, so that
/// few are hit, but there the scheduler has looked at every switch. So run times count, and what
/// ticks are ahead of them beside that.
struct ShortLives: Sendable, Equatable {
  /// Longer lives lack too little for that, in nanoseconds.
  static let longest: UInt64 = 100_000_000
  /// The longest tick of a kernel, 100 in a second.
  static let tick: Int64 = 10_000_000
  /// How far ticks fall behind before that is forgotten, so that they matter again once the machine
  /// has calmed down.
  ///
  /// Where run times lack nothing, ticks come before and after their time by chance; those that come
  /// before are counted too. What that is too much in the end is tick / (2 × memory) of the whole: a
  /// 400th at most.
  static let memory: Int64 = 2_000_000_000
  /// What ticks are ahead of what was counted, in nanoseconds.
  private var lead: Int64 = 0

  /// What a process used, with the run time that is to be counted; it is never less than the record's.
  mutating func complete(_ usage: TaskUsage) -> TaskUsage {
    guard let run = usage[.run], run < Self.longest, let user = usage[.userTime],
      let system = usage[.systemTime]
    else { return usage }
    // What comes from outside must not overflow.
    let sampled = Int64(min(user, Self.longest) + min(system, Self.longest)) * 1000
    lead = max(lead + min(sampled, 2 * Self.memory) - Int64(run), -Self.memory)
    let lacking = min(max(lead, 0), Self.tick)
    lead = min(lead - lacking, Self.memory)
    var usage = usage
    usage[.run] = run + UInt64(lacking)
    return usage
  }
}

/// CPU time of ended processes of a target that does not make a whole tick yet.
///
/// Thousands of processes that live for less than a tick use many ticks together.
struct CPUCarry: Sendable, Equatable {
  private(set) var userNanoseconds: UInt64 = 0
  private(set) var systemNanoseconds: UInt64 = 0

  /// Raises the CPU times of a process to what its exit records say, and to full ticks of what was
  /// carried over.
  ///
  /// The exact run time is split in the ratio of the ticks that hit either mode, as the kernel does
  /// for /proc (`cputime_adjust()` of `kernel/sched/cputime.c`); neither part falls.
  mutating func raise(_ stat: inout Stat, _ usage: TaskUsage, _ facts: SystemFacts) {
    guard let run = usage[.run], let user = usage[.userTime], let system = usage[.systemTime]
    else { return }
    let tick = 1_000_000_000 / facts.ticksPerSecond
    // A century and more; what comes from outside must not overflow.
    let limit = UInt64.max / 4
    let shownUser = min(stat.userTicks, limit / tick) * tick
    let shownSystem = min(stat.systemTicks, limit / tick) * tick
    let total = max(min(run, limit), shownUser + shownSystem)
    var systemPart: UInt64 = 0
    let (sum, isTooLarge) = user.addingReportingOverflow(system)
    if system > 0, !isTooLarge {
      let product = total.multipliedFullWidth(by: system)
      // No larger than the total, since a part is divided by the whole.
      systemPart = sum.dividingFullWidth(product).quotient
    }
    systemPart = min(max(systemPart, shownSystem), total - shownUser)
    userNanoseconds += total - systemPart
    systemNanoseconds += systemPart
    stat.userTicks = userNanoseconds / tick
    stat.systemTicks = systemNanoseconds / tick
    userNanoseconds %= tick
    systemNanoseconds %= tick
  }
}
