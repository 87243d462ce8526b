/// Context switches of a whole process.
package struct Switches: Sendable, Equatable {
  package var voluntary: UInt64
  package var involuntary: UInt64
}

/// Time that all threads of a process had a CPU, and waited for one.
package struct RunTimes: Sendable, Equatable {
  package var runNanoseconds: UInt64
  package var delayNanoseconds: UInt64
  /// How often a thread was given the CPU.
  package var slices: UInt64
}

extension ProcessSample {
  /// Takes what the kernel keeps per thread from the sum over the threads.
  mutating func take(_ total: ThreadUsage) {
    if let voluntary = total[.voluntarySwitches], let involuntary = total[.involuntarySwitches] {
      switches = Switches(voluntary: voluntary, involuntary: involuntary)
    }
    if let run = total[.runNanoseconds], let delay = total[.delayNanoseconds],
      let slices = total[.slices]
    {
      runTimes = RunTimes(runNanoseconds: run, delayNanoseconds: delay, slices: slices)
    }
  }
}
