package import Linux

// While a process hangs in `execve`, because a file server does not answer when a descriptor is
// closed, `stat`, `io` and `wchan` of it and of its threads wait for it (seen on Linux 6.18). So
// they are only read in batches, see `BatchReader`. Opening them does not wait, nor do other files.

extension SourceFile {
  /// Whether reading it waits for an `execve` of the process to end.
  package var waitsForExec: Bool {
    switch self {
    case .stat, .io, .wchan, .maps, .smapsRollup: true
    default: false
    }
  }
}

extension ProcessHandle {
  /// Adds `stat` to a batch.
  package func askStat(_ batch: inout ReadBatch) {
    batch.ask(.stat, keptStat, in: directory, about: pid)
  }

  /// Adds `io` to a batch.
  package func askIO(_ batch: inout ReadBatch) {
    batch.ask(.io, keptIO, in: directory, about: pid)
  }

  /// What `stat` said, see ``Stat``.
  ///
  /// - Parameters:
  ///   - batch: A batch that was read.
  ///   - place: The place of the file in it.
  ///   - keep: Whether the file may stay open for the next time.
  /// - Returns: The record.
  /// - Throws: `gone`, `denied`, `late`, `malformed`, `io`.
  package mutating func stat(
    _ batch: borrowing ReadBatch, _ place: Int, keep: Bool
  ) throws(ProcError) -> Stat {
    // A file that could not be read is opened anew next time: permissions can change.
    keptStat = nil
    let stat = try batch.stat(place, facts) { ProcError(.stat, $0) }
    if keep { keptStat = batch.file(place) }
    return stat
  }

  /// What `io` said, see ``IO``; parameters and errors as in ``stat(_:_:keep:)``.
  package mutating func io(
    _ batch: borrowing ReadBatch, _ place: Int, keep: Bool
  ) throws(ProcError) -> IO {
    keptIO = nil
    let io = try batch.record(place, .io) {
      ProcError(.io, $0, in: directory)
    } _: { bytes throws(ParseError) in
      try IO(bytes)
    }
    if keep { keptIO = batch.file(place) }
    return io
  }
}

extension ProcRoot {
  /// Adds `stat` of a process that is not held to a batch.
  package func askStat(pid: Int32, _ batch: inout ReadBatch) {
    batch.ask("\(pid)/stat", in: directory, about: pid)
  }

  /// What that said; the number may belong to another process a moment later.
  ///
  /// - Throws: `gone`, `denied` (`hidepid`), `late`, `malformed`, `io`.
  package func stat(_ batch: borrowing ReadBatch, _ place: Int) throws(ProcError) -> Stat {
    try batch.stat(place, facts) { ProcError(.stat, $0) }
  }
}

extension ReadBatch {
  mutating func ask(
    _ file: SourceFile, _ kept: SharedFD?, in directory: borrowing OwnedFD, about pid: Int32
  ) {
    if let kept {
      add(kept, about: pid, isKept: true)
    } else {
      ask(file.name, in: directory, about: pid)
    }
  }

  mutating func ask(_ path: String, in directory: borrowing OwnedFD, about pid: Int32) {
    do throws(Errno) {
      add(SharedFD(try openFile(path, in: directory)), about: pid)
    } catch {
      add(failure: error)
    }
  }

  func stat(
    _ place: Int, _ facts: SystemFacts, _ explain: (Errno) -> ProcError
  ) throws(ProcError) -> Stat {
    try record(place, .stat, explain) { bytes throws(ParseError) in try Stat(bytes, facts) }
  }

  /// The record in a file, or why there is none.
  func record<Record>(
    _ place: Int, _ file: SourceFile, _ explain: (Errno) -> ProcError,
    _ body: (Span<UInt8>) throws(ParseError) -> Record
  ) throws(ProcError) -> Record {
    switch outcome(place) {
    case .late: throw .late(file)
    case .failed(let errno): throw explain(errno)
    case .read(let range): return try parse(file, bytes.span.extracting(range), body)
    }
  }
}
