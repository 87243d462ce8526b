package import Linux

/// What tells a process from every other one that had or will have its number.
package struct ProcessIdentity: Hashable, Sendable {
  package let pid: Int32
  /// When it started, in ticks since the machine did.
  package let startTicks: UInt64

  package init(pid: Int32, startTicks: UInt64) {
    self.pid = pid
    self.startTicks = startTicks
  }
}

/// One process, held so that its number cannot come to mean another one.
///
/// Every read goes through the directory's descriptor, which the kernel ties to the process: once
/// it has ended, reads fail, whoever has the number by then. Costs one descriptor, and 4.3 kB of
/// kernel memory for each file that is kept open.
package struct ProcessHandle: ~Copyable {
  package let identity: ProcessIdentity
  /// The same process for reads that another thread does.
  package let hold: ProcessHold
  let facts: SystemFacts
  private let sizeCountsDescriptors: Bool
  var keptStat: SharedFD?
  var keptIO: SharedFD?
  private var keptStatus: OwnedFD?
  private var keptCgroup: OwnedFD?

  /// Takes hold of the process that has a number now.
  ///
  /// Whoever finds out something by the number meanwhile must make sure afterwards that it still
  /// means this process, see ``proveExistence()``.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - root: Where processes appear.
  ///   - reader: Reads its `stat`.
  ///   - keep: Whether that may stay open for the next time.
  ///   - stat: Its `stat`, if nothing is thrown.
  /// - Throws: `gone`, `denied`, `late`, `malformed`, `io` (with EMFILE when descriptors run out).
  package init(
    pid: Int32, in root: borrowing ProcRoot, _ reader: BatchReader, keep: Bool,
    _ stat: inout Stat
  ) throws(ProcError) {
    let hold = try root.hold(pid: pid)
    let facts = root.facts
    var batch = ReadBatch()
    batch.ask(.stat, nil, in: hold.directory, about: pid)
    reader.read(&batch)
    let first = try batch.stat(0, facts) { ProcError(.stat, $0) }
    stat = first
    identity = ProcessIdentity(pid: pid, startTicks: first.startTicks)
    self.facts = facts
    keptStat = keep ? batch.file(0) : nil
    self.hold = hold
    sizeCountsDescriptors = root.sizeCountsDescriptors
  }

  var directory: OwnedFD { _read { yield hold.directory } }
  package var pid: Int32 { identity.pid }
  package var startTicks: UInt64 { identity.startTicks }

  /// How many files are kept open beside the directory.
  package var keptDescriptors: Int {
    var count = 0
    if keptStat != nil { count += 1 }
    if keptStatus != nil { count += 1 }
    if keptIO != nil { count += 1 }
    if keptCgroup != nil { count += 1 }
    return count
  }

  /// Makes sure that the process has not ended, at least not so that its number is free.
  ///
  /// - Throws: `gone`.
  package func proveExistence() throws(ProcError) {
    do throws(Errno) {
      _ = try fileFacts(SourceFile.stat.name, in: directory)
    } catch {
      throw ProcError(.stat, error)
    }
  }

  /// Reads `status`, see ``Status``.
  ///
  /// - Parameters:
  ///   - buffer: Memory for the file's content.
  ///   - keep: Whether the file may stay open for the next time.
  /// - Returns: The record.
  /// - Throws: `gone`, `denied`, `malformed`, `io`.
  package mutating func status(
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) -> Status {
    try Self.read(.status, hold.directory, &keptStatus, &buffer, keep: keep)
    return try parse(.status, buffer) { bytes throws(ParseError) in try Status(bytes) }
  }

  /// Reads `statm`, see ``Statm``.
  package func statm(_ buffer: inout ReadBuffer) throws(ProcError) -> Statm {
    try read(.statm, &buffer)
    let facts = facts
    return try parse(.statm, buffer) { bytes throws(ParseError) in try Statm(bytes, facts) }
  }

  /// Reads `limits`, see ``ResourceLimits``.
  package func limits(_ buffer: inout ReadBuffer) throws(ProcError) -> ResourceLimits {
    try read(.limits, &buffer)
    return try parse(.limits, buffer) { bytes throws(ParseError) in try ResourceLimits(bytes) }
  }

  /// Reads every line of `limits`, see ``ResourceLimits/Resource``.
  package func limits(
    _ buffer: inout ReadBuffer,
    _ body: (ResourceLimits.Resource, ResourceLimits.Pair) -> Void
  ) throws(ProcError) {
    try read(.limits, &buffer)
    try parse(.limits, buffer) { bytes throws(ParseError) in
      try ResourceLimits.read(bytes, body)
    }
  }

  /// Reads `schedstat` of the first thread, see ``Schedstat``.
  package func schedstat(_ buffer: inout ReadBuffer) throws(ProcError) -> Schedstat {
    try read(.schedstat, &buffer)
    return try parse(.schedstat, buffer) { bytes throws(ParseError) in try Schedstat(bytes) }
  }

  /// Reads `cgroup`, see ``Cgroup``.
  ///
  /// It hardly ever changes, and comparing it costs less than taking it apart.
  ///
  /// - Parameters:
  ///   - buffer: Memory for the file's content; holds it afterwards.
  ///   - keep: Whether the file may stay open for the next time.
  ///   - known: The content of which the record is known already.
  /// - Returns: The record; nil if the content is the known one.
  /// - Throws: `gone`, `denied`, `malformed`, `io`.
  package mutating func cgroup(
    _ buffer: inout ReadBuffer, keep: Bool, unless known: [UInt8] = []
  ) throws(ProcError) -> Cgroup? {
    try Self.read(.cgroup, hold.directory, &keptCgroup, &buffer, keep: keep)
    if !known.isEmpty, buffer.holds(known) { return nil }
    return try parse(.cgroup, buffer) { bytes throws(ParseError) in try Cgroup(bytes) }
  }

  /// The path of the program it runs, as the process sees it; ends in " (deleted)" when the file
  /// was removed.
  ///
  /// - Kernel: `fs/proc/base.c`, `proc_exe_link()`.
  /// - Permission: same user, else CAP_SYS_PTRACE.
  /// - Throws: `gone` (also for a kernel thread, which runs no program), `denied`, `io`.
  package func executable() throws(ProcError) -> [UInt8] {
    do throws(Errno) {
      return try linkTarget("exe", in: directory)
    } catch {
      throw ProcError(.exe, error)
    }
  }

  /// How many descriptors it has open.
  ///
  /// - Kernel: `fs/proc/fd.c`, `proc_fd_getattr()`, since Linux 6.2: the directory's size is the
  ///   count, which costs the same for any number and needs no permission. Older kernels: the
  ///   directory is listed, which costs about a microsecond an entry and needs the same user or
  ///   CAP_DAC_READ_SEARCH.
  /// - Parameter reader: Memory for a listing.
  /// - Returns: The count.
  /// - Throws: `gone`, `denied`, `io`.
  package func descriptorCount(_ reader: inout DirectoryReader) throws(ProcError) -> UInt64 {
    do throws(Errno) {
      if sizeCountsDescriptors {
        return UInt64(clamping: try fileFacts("fd", in: directory).size)
      }
      var count: UInt64 = 0
      try reader.numbers(in: try openFile("fd", in: directory, [.read, .directory])) { _ in
        count += 1
        return true
      }
      return count
    } catch {
      throw ProcError(.fd, error)
    }
  }

  /// Facts about the program it runs, which never wait for the file system it is on.
  ///
  /// - Throws: `gone` (also for a kernel thread), `denied`, `io`; see ``executable()``.
  package func programFacts() throws(ProcError) -> FileFacts {
    do throws(Errno) {
      return try knownFacts("exe", in: directory)
    } catch {
      throw ProcError(.exe, error)
    }
  }

  /// Reads `oom_score`: how likely the kernel ends the process when memory runs out, 0 to 2000.
  ///
  /// - Kernel: `fs/proc/base.c`, `proc_oom_score()`.
  package func oomScore(_ buffer: inout ReadBuffer) throws(ProcError) -> Int64 {
    try number(.oomScore, &buffer)
  }

  /// Reads `oom_score_adj`: what is added to that likelihood, -1000 to 1000.
  package func oomScoreAdjustment(_ buffer: inout ReadBuffer) throws(ProcError) -> Int64 {
    try number(.oomScoreAdj, &buffer)
  }

  /// Reads a file that is one number.
  private func number(_ file: SourceFile, _ buffer: inout ReadBuffer) throws(ProcError) -> Int64 {
    try read(file, &buffer)
    return try parse(file, buffer) { bytes throws(ParseError) in
      var at = Cursor()
      return try at.signed(bytes, "number")
    }
  }

  private func read(_ file: SourceFile, _ buffer: inout ReadBuffer) throws(ProcError) {
    var kept: OwnedFD?
    try Self.read(file, directory, &kept, &buffer, keep: false)
  }

  private static func read(
    _ file: SourceFile, _ directory: borrowing OwnedFD, _ kept: inout OwnedFD?,
    _ buffer: inout ReadBuffer, keep: Bool
  ) throws(ProcError) {
    do throws(Errno) {
      let fd: OwnedFD
      if let open = kept.take() {
        fd = open
      } else {
        fd = try openFile(file.name, in: directory)
      }
      // A file that could not be read is opened anew next time: permissions can change.
      try buffer.readRecord(fd)
      if keep { kept = consume fd }
    } catch {
      throw ProcError(file, error, in: directory)
    }
  }
}
