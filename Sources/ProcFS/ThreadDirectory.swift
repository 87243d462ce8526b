package import Linux

/// The threads of a process, `/proc/PID/task`, held so that it cannot come to mean those of another.
///
/// - Cost: each file of a thread is opened, read and closed, 4 to 15 microseconds; nothing waits for
///   the process.
/// - Permission: any user, but for `io` and `wchan`.
package struct ThreadDirectory: ~Copyable {
  private let directory: OwnedFD
  private let facts: SystemFacts

  init(_ directory: consuming OwnedFD, _ facts: SystemFacts) {
    self.directory = directory
    self.facts = facts
  }

  /// Calls `body` with the number of every thread there is now, in the order of their creation.
  ///
  /// - Throws: `gone`, `io`.
  package func numbers(
    _ reader: inout DirectoryReader, _ body: (Int32) -> Bool
  ) throws(ProcError) {
    do throws(Errno) {
      try reader.numbers(in: directory, body)
    } catch {
      throw ProcError(.task, error)
    }
  }

  /// Reads `stat` of one thread, see ``Stat``: CPU time and page faults are its own.
  ///
  /// - Throws: `gone` (the thread ended), `denied`, `malformed`, `io`.
  package func stat(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Stat {
    try read(.stat, thread, as: .task, &buffer)
    let facts = facts
    return try parse(.task, buffer) { bytes throws(ParseError) in try Stat(bytes, facts) }
  }

  /// Reads `status` of one thread, see ``Status``; errors as in ``stat(_:_:)``.
  package func status(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Status {
    try read(.status, thread, as: .task, &buffer)
    return try parse(.task, buffer) { bytes throws(ParseError) in try Status(bytes) }
  }

  /// Reads `schedstat` of one thread, see ``Schedstat``; errors as in ``stat(_:_:)``.
  package func schedstat(
    _ thread: Int32, _ buffer: inout ReadBuffer
  ) throws(ProcError) -> Schedstat {
    try read(.schedstat, thread, as: .task, &buffer)
    return try parse(.task, buffer) { bytes throws(ParseError) in try Schedstat(bytes) }
  }

  /// Reads `io` of one thread, see ``IO``; errors as in ``stat(_:_:)``.
  package func io(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> IO {
    try read(.io, thread, as: .io, &buffer)
    return try parse(.io, buffer) { bytes throws(ParseError) in try IO(bytes) }
  }

  /// The function of the kernel that one thread waits in.
  ///
  /// - Kernel: `fs/proc/base.c`, `proc_pid_wchan()`.
  /// - Shape: a name without line feed; `0` for a thread that runs, or that the reader may not look
  ///   into (same user, else CAP_SYS_PTRACE); older kernels may write an address.
  /// - Throws: As ``stat(_:_:)``.
  /// - Returns: The name, of which 64 bytes are kept; nil if it is not known.
  package func waitChannel(
    _ thread: Int32, _ buffer: inout ReadBuffer
  ) throws(ProcError) -> String? {
    try read(.wchan, thread, as: .wchan, &buffer)
    let bytes = buffer.storage.span.extracting(0..<min(buffer.count, 64))
    var end = Cursor()
    end.skipWord(bytes)
    // Names do not begin with a digit, unlike addresses and `0`.
    guard end.index > 0, bytes[0] > UInt8(ascii: "9") else { return nil }
    return bytes.extracting(0..<end.index).lossyText
  }

  // `source` is what the file counts as when it cannot be read.
  private func read(
    _ file: SourceFile, _ thread: Int32, as source: SourceFile, _ buffer: inout ReadBuffer
  ) throws(ProcError) {
    do throws(Errno) {
      try buffer.readRecord(try openFile("\(thread)/\(file.name)", in: directory))
    } catch .notFound where file != .stat && exists(thread) {
      // The thread is there, but its kernel was built without this file.
      throw .io(source, code: Errno.notFound.code)
    } catch {
      throw ProcError(source, error)
    }
  }

  private func exists(_ thread: Int32) -> Bool {
    (try? fileFacts("\(thread)/stat", in: directory)) != nil
  }
}

extension ProcessHandle {
  /// Takes hold of the process' threads.
  ///
  /// - Throws: `gone`, `denied`, `io`.
  package func threads() throws(ProcError) -> ThreadDirectory {
    do throws(Errno) {
      return ThreadDirectory(try openFile("task", in: directory, [.read, .directory]), facts)
    } catch {
      throw ProcError(.task, error, in: directory)
    }
  }
}
