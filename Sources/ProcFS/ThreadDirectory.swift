package import Linux

/// The threads of a process, `/proc/PID/task`, held so that it cannot come to mean those of another.
///
/// - Cost: each file of a thread is opened, read and closed, 4 to 15 microseconds; for some that waits
///   for an `execve` of the process to end, see ``SourceFile/waitsForExec``.
/// - Permission: any user, but for `io` and `wchan`.
package struct ThreadDirectory: ~Copyable {
  private let directory: OwnedFD
  private let process: Int32
  private let facts: SystemFacts

  init(_ directory: consuming OwnedFD, of process: Int32, _ facts: SystemFacts) {
    self.directory = directory
    self.process = process
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

  /// Adds a file of one thread to a batch.
  package func ask(_ file: SourceFile, of thread: Int32, _ batch: inout ReadBatch) {
    batch.ask("\(thread)/\(file.name)", in: directory, about: process)
  }

  /// What `stat` of one thread said, see ``Stat``: CPU time and page faults are its own.
  ///
  /// - Parameters:
  ///   - thread: The thread.
  ///   - batch: A batch that was read.
  ///   - place: The place of the file in it.
  /// - Returns: The record.
  /// - Throws: `gone` (the thread ended), `denied`, `late`, `malformed`, `io`.
  package func stat(
    _ thread: Int32, _ batch: borrowing ReadBatch, _ place: Int
  ) throws(ProcError) -> Stat {
    let facts = facts
    return try record(.task, thread, batch, place) { bytes throws(ParseError) in
      try Stat(bytes, facts)
    }
  }

  /// What `status` of one thread said, see ``Status``; errors as in ``stat(_:_:_:)``.
  package func status(
    _ thread: Int32, _ batch: borrowing ReadBatch, _ place: Int
  ) throws(ProcError) -> Status {
    try record(.task, thread, batch, place) { bytes throws(ParseError) in try Status(bytes) }
  }

  /// What `schedstat` of one thread said, see ``Schedstat``; errors as in ``stat(_:_:_:)``.
  package func schedstat(
    _ thread: Int32, _ batch: borrowing ReadBatch, _ place: Int
  ) throws(ProcError) -> Schedstat {
    try record(.task, thread, batch, place) { bytes throws(ParseError) in try Schedstat(bytes) }
  }

  /// What `io` of one thread said, see ``IO``; errors as in ``stat(_:_:_:)``.
  package func io(
    _ thread: Int32, _ batch: borrowing ReadBatch, _ place: Int
  ) throws(ProcError) -> IO {
    try record(.io, thread, batch, place) { bytes throws(ParseError) in try IO(bytes) }
  }

  /// The function of the kernel that one thread waits in.
  ///
  /// - Kernel: `fs/proc/base.c`, `proc_pid_wchan()`.
  /// - Shape: a name without line feed; `0` for a thread that runs, or that the reader may not look
  ///   into (same user, else CAP_SYS_PTRACE); older kernels may write an address.
  /// - Throws: As ``stat(_:_:_:)``.
  /// - Returns: The name, of which 64 bytes are kept; nil if it is not known.
  package func waitChannel(
    _ thread: Int32, _ batch: borrowing ReadBatch, _ place: Int
  ) throws(ProcError) -> String? {
    try record(.wchan, thread, batch, place) { bytes throws(ParseError) in
      let bytes = bytes.extracting(0..<min(bytes.count, 64))
      var end = Cursor()
      end.skipWord(bytes)
      // Names do not begin with a digit, unlike addresses and `0`.
      guard end.index > 0, bytes[0] > UInt8(ascii: "9") else { return nil }
      return bytes.extracting(0..<end.index).lossyText
    }
  }

  // `source` is what the file counts as when it cannot be read.
  private func record<Record>(
    _ source: SourceFile, _ thread: Int32, _ batch: borrowing ReadBatch, _ place: Int,
    _ body: (Span<UInt8>) throws(ParseError) -> Record
  ) throws(ProcError) -> Record {
    try batch.record(
      place, source,
      { errno in
        // The thread is there, but its kernel was built without this file.
        errno == .notFound && exists(thread)
          ? .io(source, code: errno.code) : ProcError(source, errno)
      }, body)
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
      return ThreadDirectory(
        try openFile("task", in: directory, [.read, .directory]), of: pid, facts)
    } catch {
      throw ProcError(.task, error, in: directory)
    }
  }
}
