package import Linux

/// What one open descriptor of a process stands for, from where `/proc/PID/fd/N` points.
///
/// - Kernel: `fs/proc/fd.c`, `proc_fd_link()`; `proc_pid_fd(5)`.
/// - Shape: a path, `socket:[inode]`, `pipe:[inode]`, or `anon_inode:` and a name that may stand in
///   brackets.
package struct Descriptor: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case file, directory, socket, pipe, eventfd, eventpoll, timerfd, signalfd, inotify, pidfd
    case memfd, device, other
  }

  package var kind: Kind
  /// Its number in the process.
  package var number: Int32 = -1
  /// Of a socket, the number by which socket tables know it.
  package var socketInode: UInt64?

  /// Reads the link; nil for a path, of which only the file itself tells what it is.
  init?(link bytes: Span<UInt8>) {
    if bytes.hasPrefix("socket:[") {
      kind = .socket
      if bytes[bytes.count - 1] == UInt8(ascii: "]") {
        var at = Cursor(at: 8)
        socketInode = try? at.number(bytes.extracting(0..<(bytes.count - 1)), "inode")
      }
    } else if bytes.hasPrefix("pipe:[") {
      kind = .pipe
    } else if bytes.hasPrefix("anon_inode:") {
      kind = Self.anonymous(bytes.extracting(11...))
    } else if bytes.hasPrefix("/memfd:") {
      kind = .memfd
    } else if bytes.hasPrefix("pidfd:") {
      kind = .pidfd
    } else if bytes.count > 0, bytes[0] == UInt8(ascii: "/") {
      return nil
    } else {
      kind = .other
    }
  }

  init(_ fileKind: FileKind?) {
    kind =
      switch fileKind {
      case .regular: .file
      case .directory: .directory
      case .pipe: .pipe
      case .socket: .socket
      case .device: .device
      case nil: .other
      }
  }

  private static func anonymous(_ name: Span<UInt8>) -> Kind {
    let start = name.count > 0 && name[0] == UInt8(ascii: "[") ? 1 : 0
    if name.hasPrefix("eventfd", at: start) { return .eventfd }
    if name.hasPrefix("eventpoll", at: start) { return .eventpoll }
    if name.hasPrefix("timerfd", at: start) { return .timerfd }
    if name.hasPrefix("signalfd", at: start) { return .signalfd }
    if name.hasPrefix("inotify", at: start) { return .inotify }
    if name.hasPrefix("pidfd", at: start) { return .pidfd }
    return .other
  }
}

extension ProcessHandle {
  /// Calls `body` with every open descriptor.
  ///
  /// - Cost: 4 to 13 microseconds each; never waits for the process or for a file server.
  /// - Permission: same user, else CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
  /// - Parameters:
  ///   - reader: Memory for the listing.
  ///   - buffer: Memory for a link's text.
  ///   - body: Called once a descriptor; returns false to stop.
  /// - Throws: `gone`, `denied`, `io`.
  package func descriptors(
    _ reader: inout DirectoryReader, _ buffer: inout ReadBuffer, _ body: (Descriptor) -> Bool
  ) throws(ProcError) {
    try eachDescriptor("fd", in: directory, &reader) { number, directory throws(Errno) in
      body(try Self.descriptor(number, directory, &buffer))
    }
  }

  private static func descriptor(
    _ number: Int32, _ directory: borrowing OwnedFD, _ buffer: inout ReadBuffer
  ) throws(Errno) -> Descriptor {
    try buffer.readLink("\(number)", in: directory)
    var found: Descriptor
    if let known = Descriptor(link: buffer.storage.span.extracting(0..<buffer.count)) {
      found = known
    } else {
      found = Descriptor(try fileKind("\(number)", in: directory))
    }
    found.number = number
    return found
  }
}

extension ProcRoot {
  /// Calls `body` with every descriptor that a process which is not held has open: the number of
  /// the socket it stands for, or nil if it stands for none.
  ///
  /// - Cost: 2 microseconds each. Permission and errors as for
  ///   ``ProcessHandle/descriptors(_:_:_:)``.
  package func sockets(
    pid: Int32, _ reader: inout DirectoryReader, _ buffer: inout ReadBuffer,
    _ body: (UInt64?) -> Bool
  ) throws(ProcError) {
    try eachDescriptor("\(pid)/fd", in: directory, &reader) { number, directory throws(Errno) in
      try buffer.readLink("\(number)", in: directory)
      let link = buffer.storage.span.extracting(0..<buffer.count)
      return body(Descriptor(link: link)?.socketInode)
    }
  }
}

/// Calls `body` with the number of every open descriptor and the directory that lists them, until it
/// returns false.
private func eachDescriptor(
  _ path: String, in parent: borrowing OwnedFD, _ reader: inout DirectoryReader,
  _ body: (Int32, borrowing OwnedFD) throws(Errno) -> Bool
) throws(ProcError) {
  do throws(Errno) {
    let directory = try openFile(path, in: parent, [.read, .directory])
    var failure: Errno?
    try reader.numbers(in: directory) { number in
      do throws(Errno) {
        return try body(number, directory)
      } catch .notFound {
        // It was closed since it was listed.
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
  } catch {
    throw ProcError(.fdLinks, error)
  }
}
