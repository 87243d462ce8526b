/// Sizes of a process' address space, from `/proc/PID/statm`.
///
/// - Kernel: `fs/proc/array.c`, `proc_pid_statm()`; `proc_pid_statm(5)`.
/// - Shape: seven numbers of pages: size resident shared text lib data dt.
/// - Cost: the cheapest of the memory files; never waits for the process.
/// - Permission: any user.
package struct Statm: Sendable, Equatable {
  package var virtualBytes: UInt64
  package var residentBytes: UInt64
  /// Resident pages that are backed by files or shared memory.
  package var sharedBytes: UInt64

  /// Reads the line.
  ///
  /// - Throws: The first field that is missing or not a number.
  package init(_ bytes: Span<UInt8>, _ facts: SystemFacts) throws(ParseError) {
    var at = Cursor()
    virtualBytes = try at.number(bytes, "size") &* facts.pageBytes
    residentBytes = try at.number(bytes, "resident") &* facts.pageBytes
    sharedBytes = try at.number(bytes, "shared") &* facts.pageBytes
  }
}
