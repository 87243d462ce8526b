import Linux

@testable import ProcFS

/// Units that differ from those of common machines, so that a hard-wired one is noticed.
let facts = SystemFacts(pageBytes: 16384, ticksPerSecond: 1000, bootTicks: 5_000_000)

/// Parses a text.
func parse<Record>(
  _ text: String, _ parser: (Span<UInt8>) throws(ParseError) -> Record
) throws(ParseError) -> Record {
  try parse(Array(text.utf8), parser)
}

func parse<Record>(
  _ bytes: [UInt8], _ parser: (Span<UInt8>) throws(ParseError) -> Record
) throws(ParseError) -> Record {
  try parser(bytes.span)
}

/// The number that does not fit 64 bits by one.
let twoToThe64 = "18446744073709551616"

/// Reads of one file at a time.
extension ProcessHandle {
  mutating func stat(_ buffer: inout ReadBuffer, keep: Bool) throws(ProcError) -> Stat {
    var batch = ReadBatch()
    askStat(&batch)
    batch.readHere(&buffer)
    return try stat(batch, 0, keep: keep)
  }

  mutating func io(_ buffer: inout ReadBuffer, keep: Bool) throws(ProcError) -> IO {
    var batch = ReadBatch()
    askIO(&batch)
    batch.readHere(&buffer)
    return try io(batch, 0, keep: keep)
  }
}

extension ProcRoot {
  func stat(pid: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Stat {
    var batch = ReadBatch()
    askStat(pid: pid, &batch)
    batch.readHere(&buffer)
    return try stat(batch, 0)
  }
}

extension ThreadDirectory {
  private func batch(
    _ file: SourceFile, _ thread: Int32, _ buffer: inout ReadBuffer
  ) -> ReadBatch {
    var batch = ReadBatch()
    ask(file, of: thread, &batch)
    batch.readHere(&buffer)
    return batch
  }

  func stat(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Stat {
    try stat(thread, batch(.stat, thread, &buffer), 0)
  }

  func status(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Status {
    try status(thread, batch(.status, thread, &buffer), 0)
  }

  func schedstat(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Schedstat {
    try schedstat(thread, batch(.schedstat, thread, &buffer), 0)
  }

  func io(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> IO {
    try io(thread, batch(.io, thread, &buffer), 0)
  }

  func waitChannel(_ thread: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> String? {
    try waitChannel(thread, batch(.wchan, thread, &buffer), 0)
  }
}
