import Linux

/// What a process read and wrote, from `/proc/PID/io`.
///
/// - Kernel: `fs/proc/base.c`, `do_io_accounting()`; `proc_pid_io(5)`.
/// - Shape: seven lines of `name: number`, of all threads that ever were.
/// - Cost: one read, which grows with its threads. Waits for an `execve` of the process to end, see
///   ``SourceFile/waitsForExec``, and for nothing else that it does.
/// - Permission: same user, else CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; the read can fail although
///   the open did not.
package struct IO: Sendable, Equatable {
  /// rchar: bytes returned by read calls, from cache, pipes and sockets too.
  package var readBytes: UInt64
  /// wchar: bytes passed to write calls.
  package var writtenBytes: UInt64
  /// syscr: read calls.
  package var readCalls: UInt64
  /// syscw: write calls.
  package var writeCalls: UInt64
  /// read_bytes: bytes fetched from storage.
  package var storageReadBytes: UInt64
  /// write_bytes: bytes sent, or to be sent, to storage.
  package var storageWrittenBytes: UInt64
  /// cancelled_write_bytes: bytes of those that never were sent, because the file was cut.
  package var storageCancelledBytes: UInt64

  package init(
    readBytes: UInt64, writtenBytes: UInt64, readCalls: UInt64, writeCalls: UInt64,
    storageReadBytes: UInt64, storageWrittenBytes: UInt64, storageCancelledBytes: UInt64
  ) {
    self.readBytes = readBytes
    self.writtenBytes = writtenBytes
    self.readCalls = readCalls
    self.writeCalls = writeCalls
    self.storageReadBytes = storageReadBytes
    self.storageWrittenBytes = storageWrittenBytes
    self.storageCancelledBytes = storageCancelledBytes
  }

  /// Reads the seven lines, which always come in this order.
  ///
  /// - Throws: The first line that is missing or not a number.
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    var at = Cursor()
    readBytes = try Self.line(bytes, &at, "rchar:", "rchar")
    writtenBytes = try Self.line(bytes, &at, "wchar:", "wchar")
    readCalls = try Self.line(bytes, &at, "syscr:", "syscr")
    writeCalls = try Self.line(bytes, &at, "syscw:", "syscw")
    storageReadBytes = try Self.line(bytes, &at, "read_bytes:", "read_bytes")
    storageWrittenBytes = try Self.line(bytes, &at, "write_bytes:", "write_bytes")
    storageCancelledBytes = try Self.line(
      bytes, &at, "cancelled_write_bytes:", "cancelled_write_bytes")
  }

  private static func line(
    _ bytes: Span<UInt8>, _ at: inout Cursor, _ key: StaticString, _ field: StaticName
  ) throws(ParseError) -> UInt64 {
    guard bytes.hasPrefix(key, at: at.index) else { throw ParseError(field: field) }
    at.skipWord(bytes)
    let value = try at.number(bytes, field)
    _ = at.nextLine(bytes)
    return value
  }
}
