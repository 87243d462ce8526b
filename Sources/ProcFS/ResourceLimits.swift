import Linux

/// Limits of a process' resources, from `/proc/PID/limits`.
///
/// - Kernel: `fs/proc/base.c`, `proc_pid_limits()`; `proc_pid_limits(5)`, `getrlimit(2)`.
/// - Shape: a heading, then lines of name, soft limit, hard limit and unit in fixed columns.
/// - Cost: one read, the dearest of the plain files; limits hardly ever change.
/// - Permission: any user.
package struct ResourceLimits: Sendable, Equatable {
  /// A soft and a hard limit; nil is "unlimited".
  package struct Pair: Sendable, Equatable {
    package var soft: UInt64?
    package var hard: UInt64?

    package init(soft: UInt64? = nil, hard: UInt64? = nil) {
      self.soft = soft
      self.hard = hard
    }
  }

  /// RLIMIT_NOFILE: one more than the highest descriptor number.
  package var openFiles = Pair()
  /// RLIMIT_AS: bytes of address space.
  package var addressSpaceBytes = Pair()

  package init(openFiles: Pair, addressSpaceBytes: Pair) {
    self.openFiles = openFiles
    self.addressSpaceBytes = addressSpaceBytes
  }

  /// A line of the file.
  package enum Resource: String, Sendable, CaseIterable {
    case cpuSeconds = "cpu_seconds"
    case fileSizeBytes = "file_size_bytes"
    case dataBytes = "data_bytes"
    case stackBytes = "stack_bytes"
    case coreBytes = "core_bytes"
    case residentBytes = "resident_bytes"
    case processes
    case openFiles = "open_files"
    case memlockBytes = "memlock_bytes"
    case addressSpaceBytes = "address_space_bytes"
    case locks
    case pendingSignals = "pending_signals"
    case msgqueueBytes = "msgqueue_bytes"
    case nicePriority = "nice_priority"
    case realtimePriority = "realtime_priority"
    case realtimeTimeoutMicroseconds = "realtime_timeout_microseconds"

    /// How the line begins.
    var heading: StaticString {
      switch self {
      case .cpuSeconds: "Max cpu time"
      case .fileSizeBytes: "Max file size"
      case .dataBytes: "Max data size"
      case .stackBytes: "Max stack size"
      case .coreBytes: "Max core file size"
      case .residentBytes: "Max resident set"
      case .processes: "Max processes"
      case .openFiles: "Max open files"
      case .memlockBytes: "Max locked memory"
      case .addressSpaceBytes: "Max address space"
      case .locks: "Max file locks"
      case .pendingSignals: "Max pending signals"
      case .msgqueueBytes: "Max msgqueue size"
      case .nicePriority: "Max nice priority"
      case .realtimePriority: "Max realtime priority"
      case .realtimeTimeoutMicroseconds: "Max realtime timeout"
      }
    }
  }

  /// Reads the two lines that are needed.
  ///
  /// - Throws: The name of a known line that is missing or whose limit is neither a number nor
  ///   "unlimited".
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    var found = 0
    try Self.read(bytes) { resource, pair in
      switch resource {
      case .openFiles: openFiles = pair
      case .addressSpaceBytes: addressSpaceBytes = pair
      default: return
      }
      found += 1
    }
    if found != 2 { throw ParseError(field: "Max open files") }
  }

  /// Calls `body` with the limits of each line that is known, and passes over the others.
  ///
  /// - Throws: The name of a known line whose limit is neither a number nor "unlimited".
  package static func read(
    _ bytes: Span<UInt8>, _ body: (Resource, Pair) -> Void
  ) throws(ParseError) {
    guard bytes.hasPrefix("Limit") else { throw ParseError(field: "Limit") }
    var at = Cursor()
    while at.nextLine(bytes) {
      for resource in Resource.allCases {
        let heading = resource.heading
        guard bytes.hasPrefix(heading, at: at.index) else { continue }
        let field = StaticName(stringLiteral: heading)
        body(resource, try pair(bytes, at.index + heading.utf8CodeUnitCount, field))
        break
      }
    }
  }

  private static func pair(
    _ bytes: Span<UInt8>, _ start: Int, _ field: StaticName
  ) throws(ParseError) -> Pair {
    var at = Cursor(at: start)
    return Pair(soft: try limit(bytes, &at, field), hard: try limit(bytes, &at, field))
  }

  private static func limit(
    _ bytes: Span<UInt8>, _ at: inout Cursor, _ field: StaticName
  ) throws(ParseError) -> UInt64? {
    at.skipBlanks(bytes)
    if bytes.hasPrefix("unlimited", at: at.index) {
      at.skipWord(bytes)
      return nil
    }
    return try at.number(bytes, field)
  }
}
