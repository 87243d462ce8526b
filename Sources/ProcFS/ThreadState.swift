/// What a thread does, from its letter in `stat`.
///
/// - Kernel: `fs/proc/array.c`, `task_state_array`; `proc_pid_stat(5)`.
package enum ThreadState: String, Sendable, CaseIterable {
  case running, sleeping, stopped, zombie, idle
  case diskSleep = "disk_sleep"

  /// The state that a letter stands for.
  ///
  /// - `R`, and `W` of Linux 2.6.33 to 3.13, which was about to run: running.
  /// - `D`, and `K` of the same kernels, whose wait only a deadly signal ends: disk sleep.
  /// - `T`, and `t` for one that a debugger stopped: stopped.
  /// - `Z`, and `X` and `x` for one that is almost gone: zombie.
  /// - `I`, and `P` for a parked thread of the kernel: idle.
  /// - `S`, and any letter of a kernel to come, so that each thread has a state: sleeping.
  package init(letter: UInt8) {
    switch letter {
    case UInt8(ascii: "R"), UInt8(ascii: "W"): self = .running
    case UInt8(ascii: "D"), UInt8(ascii: "K"): self = .diskSleep
    case UInt8(ascii: "T"), UInt8(ascii: "t"): self = .stopped
    case UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "x"): self = .zombie
    case UInt8(ascii: "I"), UInt8(ascii: "P"): self = .idle
    default: self = .sleeping
    }
  }
}
