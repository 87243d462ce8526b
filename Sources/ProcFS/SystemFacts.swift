import Linux

/// Facts about the machine that turn the kernel's units into bytes and seconds.
///
/// A value, so that a recorded file means the same on any machine.
package struct SystemFacts: Sendable, Equatable {
  /// Bytes of one memory page.
  package var pageBytes: UInt64
  /// Ticks per second in which `stat` counts CPU time and start times.
  package var ticksPerSecond: UInt64
  /// When the machine started, in ticks since 1970.
  package var bootTicks: UInt64

  package init(pageBytes: UInt64, ticksPerSecond: UInt64, bootTicks: UInt64) {
    self.pageBytes = pageBytes
    self.ticksPerSecond = ticksPerSecond
    self.bootTicks = bootTicks
  }

  /// The facts of this machine.
  ///
  /// The boot time is computed once: a clock that is set later must not move start times.
  package static func current() -> SystemFacts {
    let ticksPerSecond = clockTicksPerSecond()
    let bootNanoseconds = UInt64(max(0, wallClockNanoseconds() - bootClockNanoseconds()))
    let tick = 1_000_000_000 / ticksPerSecond
    return SystemFacts(
      pageBytes: pageSize(), ticksPerSecond: ticksPerSecond,
      bootTicks: (bootNanoseconds + tick / 2) / tick)
  }

  /// Ticks as seconds.
  package func seconds(ticks: UInt64) -> Double { Double(ticks) / Double(ticksPerSecond) }

  /// A moment given in ticks since the machine started, as nanoseconds since 1970, at most 292 years.
  package func epochNanoseconds(startTicks: UInt64) -> Int64 {
    let (ticks, isTooLarge) = bootTicks.addingReportingOverflow(startTicks)
    let tick = 1_000_000_000 / ticksPerSecond
    let (nanoseconds, overflow) = ticks.multipliedReportingOverflow(by: tick)
    return isTooLarge || overflow ? .max : Int64(clamping: nanoseconds)
  }

  /// Nanoseconds as ticks, rounded down.
  package func ticks(nanoseconds: Int64) -> UInt64 {
    UInt64(max(0, nanoseconds)) / (1_000_000_000 / ticksPerSecond)
  }

  /// A moment given in ticks since the machine started, as seconds since 1970.
  package func epochSeconds(startTicks: UInt64) -> Double {
    seconds(ticks: bootTicks &+ startTicks)
  }
}
