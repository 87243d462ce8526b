package import Linux

/// Bytes that went through IP in a network namespace, from `/proc/PID/net/netstat`.
///
/// - Kernel: `net/ipv4/proc.c`, `netstat_seq_show()`; `proc_pid_net(5)`.
/// - Shape: pairs of lines that begin with the same word, names above and numbers below. Which names
///   there are depends on the kernel.
/// - Cost: 50 to 90 microseconds; never waits for the process. IPv6 is not in these numbers.
/// - Permission: any user.
package struct NetStatistics: Sendable, Equatable {
  /// InOctets of IpExt, over all interfaces, loopback included.
  package var receivedBytes: UInt64
  /// OutOctets of IpExt.
  package var sentBytes: UInt64

  package init(receivedBytes: UInt64, sentBytes: UInt64) {
    self.receivedBytes = receivedBytes
    self.sentBytes = sentBytes
  }

  /// Finds the two columns by their names.
  ///
  /// - Throws: `IpExt` if its lines are missing, else the column that is missing or not a number.
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    var names = Cursor()
    while !bytes.hasPrefix("IpExt:", at: names.index) {
      guard names.nextLine(bytes) else { throw ParseError(field: "IpExt") }
    }
    var values = names
    guard values.nextLine(bytes), bytes.hasPrefix("IpExt:", at: values.index) else {
      throw ParseError(field: "IpExt")
    }
    names.skipWord(bytes)
    values.skipWord(bytes)
    var received: UInt64?
    var sent: UInt64?
    while true {
      names.skipBlanks(bytes)
      let start = names.index
      names.skipWord(bytes)
      // At the end of the line nothing is skipped.
      if names.index == start { break }
      switch names.index - start {
      case 8 where bytes.hasPrefix("InOctets", at: start):
        received = try values.number(bytes, "InOctets")
      case 9 where bytes.hasPrefix("OutOctets", at: start):
        sent = try values.number(bytes, "OutOctets")
      default: values.skipWords(1, bytes)
      }
    }
    guard let received else { throw ParseError(field: "InOctets") }
    guard let sent else { throw ParseError(field: "OutOctets") }
    receivedBytes = received
    sentBytes = sent
  }
}

extension ProcessHandle {
  /// Reads `net/netstat`, see ``NetStatistics``, unless the namespace has been read already.
  ///
  /// - Parameters:
  ///   - buffer: Memory for the file's content.
  ///   - known: What was read before of a namespace, by ``networkNamespace(_:)``.
  /// - Returns: The namespace and what it counts.
  /// - Throws: `gone`, `denied`, `malformed`, `io`.
  package func netStatistics(
    _ buffer: inout ReadBuffer, known: (UInt64) -> NetStatistics?
  ) throws(ProcError) -> (namespace: UInt64, statistics: NetStatistics) {
    let namespace: UInt64
    do throws(Errno) {
      let file = try openFile(SourceFile.netStatistics.name, in: directory)
      // Of the open file, since the process can change its namespace at any time.
      namespace = try fileFacts(file).inode
      if let statistics = known(namespace) { return (namespace, statistics) }
      try buffer.readRecord(file)
    } catch {
      throw failure(.netStatistics, error, &buffer)
    }
    let statistics = try parse(.netStatistics, buffer) { bytes throws(ParseError) in
      try NetStatistics(bytes)
    }
    return (namespace, statistics)
  }

  /// A number that is the same for all processes of a network namespace, and for no other one that
  /// exists at the same time.
  ///
  /// - Kernel: `fs/proc/generic.c`, `proc_alloc_inum()`: the inode of a file below `net/`, which
  ///   every namespace has of its own. Other than that of `ns/net`, any user may see it.
  /// - Throws: `gone`, `denied`, `io`.
  package func networkNamespace(_ buffer: inout ReadBuffer) throws(ProcError) -> UInt64 {
    do throws(Errno) {
      return try fileFacts(SourceFile.netStatistics.name, in: directory).inode
    } catch {
      throw failure(.netStatistics, error, &buffer)
    }
  }

  /// Opens the network namespace of the process, to enter it.
  ///
  /// - Permission: same user, else CAP_SYS_PTRACE.
  /// - Throws: `gone`, `denied`, `io`.
  package func openNetworkNamespace(
    _ buffer: inout ReadBuffer
  ) throws(ProcError) -> OwnedFD {
    do throws(Errno) {
      return try openFile(SourceFile.networkNamespace.name, in: directory)
    } catch {
      throw failure(.networkNamespace, error, &buffer)
    }
  }

  /// What it means that a file cannot be opened.
  private func failure(
    _ file: SourceFile, _ errno: Errno, _ buffer: inout ReadBuffer
  ) -> ProcError {
    // A process that has ended is in no namespace, even while its parent has not fetched its status.
    guard errno == .notFound,
      (try? buffer.readRecord(try openFile(SourceFile.stat.name, in: directory))) != nil,
      let stat = try? Stat(buffer.storage.span.extracting(0..<buffer.count), facts),
      !stat.hasEnded, !stat.isSuperseded, !stat.firstThreadHasEnded
    else { return ProcError(file, errno) }
    return .io(file, code: errno.code)
  }

  /// The number of the socket that a descriptor stands for now; nil if it stands for none.
  package func socketInode(of number: Int32, _ buffer: inout ReadBuffer) -> UInt64? {
    guard (try? buffer.readLink("fd/\(number)", in: directory)) != nil else { return nil }
    return Descriptor(link: buffer.storage.span.extracting(0..<buffer.count))?.socketInode
  }
}

extension ProcRoot {
  /// The network namespace of this very process; nil in a recorded tree.
  package var ownNetworkNamespace: UInt64? {
    ownPid.flatMap {
      try? fileFacts("\($0)/\(SourceFile.netStatistics.name)", in: directory).inode
    }
  }
}
