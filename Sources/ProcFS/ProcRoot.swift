package import Linux

/// The directory where processes appear, `/proc` or a recorded tree.
package struct ProcRoot: ~Copyable {
  let directory: OwnedFD
  package let facts: SystemFacts
  /// Whether the size of `/proc/PID/fd` is the number of its entries (since Linux 6.2).
  ///
  /// A recorded tree on another file system would lie about it.
  package let sizeCountsDescriptors: Bool
  /// The number of this very process there; nil in a recorded tree.
  package let ownPid: Int32?
  /// Whether processes have the numbers there that system calls of this process use.
  ///
  /// Not so in a recorded tree, and where a container looks at its host's /proc.
  package let numbersAreOwn: Bool

  private static let procMagic: Int64 = 0x9fa0

  /// Opens the directory.
  ///
  /// - Parameters:
  ///   - path: Where it is mounted.
  ///   - facts: The machine's units.
  /// - Throws: `ENOENT`, `EACCES`, `ENOTDIR`.
  package init(path: String, facts: SystemFacts) throws(Errno) {
    let directory = try openFile(path, [.read, .directory])
    let isReal = (try? fileSystemMagic(directory)) == Self.procMagic
    // This very process has descriptors open, so a size of 0 means an older kernel.
    let ownSize = try? fileFacts("self/fd", in: directory).size
    let numbers = isReal ? Self.ownNumbers(directory) : []
    self.directory = directory
    self.facts = facts
    sizeCountsDescriptors = isReal && (ownSize ?? 0) > 0
    ownPid = numbers.first
    numbersAreOwn = numbers == [processID()]
  }

  /// The numbers of this process in the pid namespace of the mount and in each one below it, down
  /// to its own (`NSpid` of `status`, since Linux 4.1).
  private static func ownNumbers(_ directory: borrowing OwnedFD) -> [Int32] {
    var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
    do throws(Errno) {
      try buffer.readRecord(try openFile("self/status", in: directory))
    } catch {
      return []
    }
    let text = buffer.storage.span.extracting(0..<buffer.count)
    var at = Cursor()
    while at.nextLine(text) {
      guard text.hasPrefix("NSpid:", at: at.index) else { continue }
      at.skipWord(text)
      var numbers: [Int32] = []
      while let number = try? at.number(text, "NSpid") { numbers.append(Int32(clamping: number)) }
      return numbers
    }
    return []
  }

  /// What this very process uses: its `stat`, and how many descriptors it has open where that
  /// costs no listing.
  ///
  /// - Parameter buffer: Memory for the file's content.
  /// - Returns: Both; nil in a recorded tree.
  package func own(_ buffer: inout ReadBuffer) -> (stat: Stat, openDescriptors: UInt64?)? {
    if ownPid == nil { return nil }
    do throws(Errno) {
      try buffer.readRecord(try openFile("self/stat", in: directory))
    } catch {
      return nil
    }
    let count = sizeCountsDescriptors ? try? fileFacts("self/fd", in: directory).size : nil
    return (try? Stat(buffer.storage.span.extracting(0..<buffer.count), facts)).map {
      ($0, count.map { UInt64($0) })
    }
  }

  /// Calls `body` with the number of every process there is now.
  ///
  /// - Parameters:
  ///   - reader: Memory for the listing.
  ///   - body: Called once a process; returns false to stop.
  /// - Throws: What the kernel reports; nothing is expected.
  package func processes(
    _ reader: inout DirectoryReader, _ body: (Int32) -> Bool
  ) throws(Errno) {
    try reader.numbers(in: directory, body)
  }

  /// The number that the kernel gave to the newest process or thread, from `loadavg`.
  ///
  /// - Kernel: `fs/proc/loadavg.c`; `proc_loadavg(5)`. Numbers rise, and begin anew after
  ///   `/proc/sys/kernel/pid_max`.
  /// - Parameter buffer: Memory for the file's content.
  /// - Returns: The number; nil if it cannot be read or is not of the namespace seen here.
  package func lastPid(_ buffer: inout ReadBuffer) -> Int32? {
    // The kernel tells the number of the reader's namespace, whichever the mount shows.
    guard numbersAreOwn else { return nil }
    do throws(Errno) {
      try buffer.readRecord(try openFile("loadavg", in: directory))
    } catch {
      return nil
    }
    let text = buffer.storage.span.extracting(0..<buffer.count)
    var at = Cursor()
    at.skipWords(4, text)
    return (try? at.number(text, "last pid")).flatMap { Int32(exactly: $0) }
  }

  /// How many processes of the machine the kernel has killed for memory, from `vmstat`; nil if it
  /// does not tell (before Linux 4.13).
  ///
  /// - Cost: 22 microseconds.
  package func oomKills(_ buffer: inout ReadBuffer) -> UInt64? {
    do throws(Errno) {
      try buffer.readRecord(try openFile("vmstat", in: directory))
    } catch {
      return nil
    }
    return try? keyedNumber("oom_kill", buffer.storage.span.extracting(0..<buffer.count))
  }

  /// The most memory mappings that one process may have, from `sys/vm/max_map_count`.
  ///
  /// - Returns: The number; nil if it cannot be read.
  package func memoryMapLimit() -> UInt64? {
    var buffer = ReadBuffer(capacity: 64, limit: 64)
    do throws(Errno) {
      try buffer.readRecord(try openFile("sys/vm/max_map_count", in: directory))
    } catch {
      return nil
    }
    var at = Cursor()
    return try? at.number(buffer.storage.span.extracting(0..<buffer.count), "max_map_count")
  }

  /// Whether the kernel measures the delays of processes (`kernel.task_delayacct`, Linux 5.14).
  ///
  /// - Parameter buffer: Memory for the file's content.
  /// - Returns: False also where it does not tell.
  package func accountsDelays(_ buffer: inout ReadBuffer) -> Bool {
    do throws(Errno) {
      try buffer.readRecord(try openFile("sys/kernel/task_delayacct", in: directory))
    } catch {
      return false
    }
    return buffer.count > 0 && buffer.storage[0] == UInt8(ascii: "1")
  }

  /// Reads `status` of a process that is not held; the number may belong to another
  /// process a moment later.
  ///
  /// - Throws: `gone`, `denied` (`hidepid`), `malformed`, `io`.
  package func status(pid: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Status {
    try read(.status, pid, &buffer)
    return try parse(.status, buffer) { bytes throws(ParseError) in try Status(bytes) }
  }

  /// Reads `cgroup` of a process that is not held; otherwise as ``status(pid:_:)``.
  package func cgroup(pid: Int32, _ buffer: inout ReadBuffer) throws(ProcError) -> Cgroup {
    try read(.cgroup, pid, &buffer)
    return try parse(.cgroup, buffer) { bytes throws(ParseError) in try Cgroup(bytes) }
  }

  private func read(
    _ file: SourceFile, _ pid: Int32, _ buffer: inout ReadBuffer
  ) throws(ProcError) {
    do throws(Errno) {
      try buffer.readRecord(try openFile("\(pid)/\(file.name)", in: directory))
    } catch {
      throw ProcError(file, error)
    }
  }

  /// Takes hold of whichever process has a number now, for reads that another thread does.
  ///
  /// - Throws: `gone`, `denied` (`hidepid`), `io`.
  package func hold(pid: Int32) throws(ProcError) -> ProcessHold {
    do throws(Errno) {
      return ProcessHold(try openFile("\(pid)", in: directory, [.path, .directory]))
    } catch {
      throw ProcError(.stat, error)
    }
  }

  /// The path of the program that a process which is not held runs.
  ///
  /// See ``ProcessHandle/executable()``.
  package func executable(pid: Int32) throws(ProcError) -> [UInt8] {
    do throws(Errno) {
      return try linkTarget("\(pid)/exe", in: directory)
    } catch {
      throw ProcError(.exe, error)
    }
  }
}

extension ProcError {
  package init(_ file: SourceFile, _ errno: Errno) {
    switch errno {
    case .notFound, .noSuchProcess: self = .gone
    case .accessDenied, .notPermitted: self = .denied(file)
    default: self = .io(file, code: errno.code)
    }
  }

  /// The same for a file of a held process, whose kernel may have been built without it.
  init(_ file: SourceFile, _ errno: Errno, in directory: borrowing OwnedFD) {
    if errno == .notFound, file != .stat,
      (try? fileFacts(SourceFile.stat.name, in: directory)) != nil
    {
      self = .io(file, code: errno.code)
    } else {
      self.init(file, errno)
    }
  }
}

/// Turns a file's content into a record, and a parse error into one that says which file it was.
func parse<Record>(
  _ file: SourceFile, _ buffer: borrowing ReadBuffer,
  _ body: (Span<UInt8>) throws(ParseError) -> Record
) throws(ProcError) -> Record {
  try parse(file, buffer.storage.span.extracting(0..<buffer.count), body)
}

func parse<Record>(
  _ file: SourceFile, _ bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(ParseError) -> Record
) throws(ProcError) -> Record {
  do throws(ParseError) {
    return try body(bytes)
  } catch {
    // A process that ends between open and read leaves some files empty instead of failing.
    if bytes.isEmpty { throw .gone }
    let excerpt = bytes.extracting(0..<min(bytes.count, 80)).lossyText
    throw .malformed(file, field: error.field.description, excerpt: excerpt)
  }
}
