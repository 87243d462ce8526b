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

  /// Reads the lines that are known and passes over the others.
  ///
  /// - Throws: The name of a known line whose limit is neither a number nor "unlimited".
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    guard bytes.hasPrefix("Limit") else { throw ParseError(field: "Limit") }
    var at = Cursor()
    var found = 0
    while at.nextLine(bytes) {
      if bytes.hasPrefix("Max open files", at: at.index) {
        openFiles = try Self.pair(bytes, at.index + 14, "Max open files")
        found += 1
      } else if bytes.hasPrefix("Max address space", at: at.index) {
        addressSpaceBytes = try Self.pair(bytes, at.index + 17, "Max address space")
        found += 1
      }
    }
    if found != 2 { throw ParseError(field: "Max open files") }
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
