import CLinux

/// A right of the superuser that a process can have by itself; see `capabilities(7)`.
package enum Capability: String, Sendable, CaseIterable, Comparable {
  case dacReadSearch = "CAP_DAC_READ_SEARCH"
  case netAdmin = "CAP_NET_ADMIN"
  case perfmon = "CAP_PERFMON"
  case sysAdmin = "CAP_SYS_ADMIN"
  case sysPtrace = "CAP_SYS_PTRACE"

  /// Its bit, from `include/uapi/linux/capability.h`.
  private var number: UInt64 {
    switch self {
    case .dacReadSearch: 2
    case .netAdmin: 12
    case .sysPtrace: 19
    case .sysAdmin: 21
    case .perfmon: 38
    }
  }

  package static func < (left: Capability, right: Capability) -> Bool {
    left.rawValue < right.rawValue
  }

  /// Those that this process can make use of now.
  ///
  /// The corresponding system call is `capget(2)`.
  /// - Returns: The effective set, as far as it is known here.
  package static func effective() -> Set<Capability> {
    let bits = clinux_effective_capabilities()
    return Set(allCases.filter { bits & 1 << $0.number != 0 })
  }
}
