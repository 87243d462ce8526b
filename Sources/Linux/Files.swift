import CLinux
import Glibc

/// How a file is opened; `O_CLOEXEC` is always added.
package struct OpenMode: OptionSet, Sendable {
  package let rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let read = OpenMode(rawValue: O_RDONLY)
  package static let directory = OpenMode(rawValue: O_DIRECTORY)
  /// A handle for `openat(2)` and `fstatat(2)` that cannot be read; needs no read permission.
  package static let path = OpenMode(rawValue: clinux_O_PATH)
  /// Opening a FIFO or device returns at once instead of waiting for its other end.
  package static let nonBlocking = OpenMode(rawValue: O_NONBLOCK)
  package static let noFollow = OpenMode(rawValue: O_NOFOLLOW)
}

/// Opens a path relative to the working directory.
///
/// The corresponding system call is `openat(2)`.
/// - Parameters:
///   - path: The path; NUL bytes inside it end it.
///   - mode: How to open it.
/// - Returns: The new descriptor.
/// - Throws: `ENOENT`, `EACCES`, `EMFILE` and whatever the file system reports.
package func openFile(_ path: String, _ mode: OpenMode) throws(Errno) -> OwnedFD {
  OwnedFD(adopting: try attempt(.open) { unsafe open(path, mode.rawValue | O_CLOEXEC) })
}

/// Opens a path relative to a directory.
///
/// The corresponding system call is `openat(2)`.
/// - Parameters:
///   - path: The path below the directory.
///   - directory: The directory it starts from.
///   - mode: How to open it.
/// - Returns: The new descriptor.
/// - Throws: `ENOENT`, `ESRCH` (a process' directory whose process ended), `EACCES`, `EMFILE`.
package func openFile(
  _ path: String, in directory: borrowing OwnedFD, _ mode: OpenMode = .read
) throws(Errno) -> OwnedFD {
  let raw = directory.raw
  return OwnedFD(
    adopting: try attempt(.open) { unsafe openat(raw, path, mode.rawValue | O_CLOEXEC) })
}

/// Bytes that are read again and again into the same memory.
///
/// Files of /proc do not know their size, so a read that fills the buffer is repeated with a
/// larger one, up to `limit`.
package struct ReadBuffer: ~Copyable {
  /// The memory; only the first ``count`` bytes belong to the last read.
  package private(set) var storage: [UInt8]
  /// How many bytes the last read returned.
  package private(set) var count = 0
  private let limit: Int

  /// Makes room for one read.
  ///
  /// - Parameters:
  ///   - capacity: Bytes at first.
  ///   - limit: The most it grows to; a file that fills it throws `EFBIG`.
  package init(capacity: Int, limit: Int) {
    storage = [UInt8](repeating: 0, count: capacity)
    self.limit = limit
  }

  /// The bytes of the last read.
  package var content: [UInt8] { Array(storage[..<count]) }

  /// Whether the last read returned just these bytes.
  package func holds(_ bytes: [UInt8]) -> Bool {
    if bytes.count != count { return false }
    return unsafe storage.withUnsafeBytes { mine in
      unsafe bytes.withUnsafeBytes { theirs in
        guard let a = mine.baseAddress, let b = theirs.baseAddress else { return true }
        return unsafe memcmp(a, b, bytes.count) == 0
      }
    }
  }

  /// Reads a /proc file that the kernel makes in one piece (stat, status, io, limits, comm …).
  ///
  /// One call where it fits. A descriptor that is kept open yields fresh content each time it is
  /// read from offset 0. The corresponding system call is `pread(2)`.
  /// - Parameter file: An open, readable file.
  /// - Throws: `ESRCH` (the process ended), `EACCES`, `EIO`, `EFBIG` (fills the limit).
  package mutating func readRecord(_ file: borrowing OwnedFD) throws(Errno) {
    count = 0
    while true {
      let got = try read(file, at: 0, from: 0)
      if got < storage.count {
        count = got
        return
      }
      try grow()
    }
  }

  /// Reads what a FIFO, socket or terminal yields next, at most what fits.
  ///
  /// The corresponding system call is `read(2)`, which waits until there is something.
  /// - Parameter file: An open, readable file.
  /// - Throws: `EIO`, `EAGAIN` (nothing there, and opened non-blocking).
  package mutating func readNext(_ file: borrowing OwnedFD) throws(Errno) {
    count = 0
    let raw = file.raw
    count = try attempt(.read) {
      unsafe storage.withUnsafeMutableBytes { unsafe Glibc.read(raw, $0.baseAddress, $0.count) }
    }
  }

  /// Reads a whole file, however many calls that takes.
  ///
  /// The corresponding system call is `pread(2)`.
  /// - Parameter file: An open, readable file.
  /// - Throws: `ESRCH` (the process ended), `EACCES`, `EIO`, `EFBIG` (fills the limit), `ESPIPE` (a
  ///   FIFO or socket).
  package mutating func readAll(_ file: borrowing OwnedFD) throws(Errno) {
    count = 0
    while true {
      let got = try read(file, at: count, from: count)
      if got == 0 { return }
      count += got
      if count == storage.count { try grow() }
    }
  }

  /// Reads a whole file and keeps nothing of it.
  ///
  /// The corresponding system call is `pread(2)`.
  /// - Parameters:
  ///   - file: An open, readable file.
  ///   - limit: The most bytes that are read; a longer file throws `EFBIG`.
  ///   - body: Called with one piece after the other.
  /// - Throws: As ``readAll(_:)``.
  package mutating func readPieces(
    _ file: borrowing OwnedFD, limit: Int, _ body: (Span<UInt8>) -> Void
  ) throws(Errno) {
    var done = 0
    while true {
      count = try read(file, at: 0, from: done)
      if count == 0 { return }
      done += count
      if done > limit { throw .fileTooLarge }
      body(storage.span.extracting(0..<count))
    }
  }

  /// Reads a part of a file.
  ///
  /// The corresponding system call is `pread(2)`.
  /// - Parameters:
  ///   - file: An open, readable file.
  ///   - start: Where the part begins.
  ///   - length: How many bytes it has; fewer are read at the end of the file.
  /// - Throws: `EIO`, `EFBIG` (longer than the limit).
  package mutating func readPart(
    _ file: borrowing OwnedFD, from start: Int, length: Int
  ) throws(Errno) {
    count = 0
    while storage.count < length { try grow() }
    while count < length {
      let got = try read(file, at: count, from: start + count)
      if got == 0 { return }
      count = min(count + got, length)
    }
  }

  /// Reads where a symbolic link below a directory points to; any byte but NUL may come.
  ///
  /// The corresponding system call is `readlinkat(2)`.
  /// - Parameters:
  ///   - path: The link's path below the directory.
  ///   - directory: The directory it starts from.
  /// - Throws: `ENOENT`, `ESRCH`, `EACCES`, `EINVAL` (not a link), `EFBIG` (fills the limit).
  package mutating func readLink(
    _ path: String, in directory: borrowing OwnedFD
  ) throws(Errno) {
    count = 0
    let raw = directory.raw
    while true {
      let got = try attempt(.readlink) {
        unsafe storage.withUnsafeMutableBytes { bytes in
          guard let base = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return 0 }
          return unsafe readlinkat(raw, path, base, bytes.count)
        }
      }
      if got < storage.count {
        count = got
        return
      }
      try grow()
    }
  }

  /// Fills the memory from `start` on with what the file has from `offset` on.
  private mutating func read(
    _ file: borrowing OwnedFD, at start: Int, from offset: Int
  ) throws(Errno) -> Int {
    let raw = file.raw
    return try attempt(.read) {
      unsafe storage.withUnsafeMutableBytes { bytes in
        unsafe pread(
          raw, bytes.baseAddress?.advanced(by: start), bytes.count - start, off_t(offset))
      }
    }
  }

  private mutating func grow() throws(Errno) {
    guard storage.count < limit else { throw .fileTooLarge }
    let more = min(limit - storage.count, storage.count)
    storage.append(contentsOf: repeatElement(0, count: more))
  }
}

/// What `fstatat(2)` tells about a file, as far as it is used.
package struct FileFacts: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64
  package var size: Int64
  package var owner: UInt32
  package var group: UInt32
  package var mode: UInt32
  /// Last modification, nanoseconds since 1970.
  package var modifiedNanoseconds: Int64
  /// Last change of content or attributes, nanoseconds since 1970; no program can set it.
  package var changedNanoseconds: Int64

  /// FAT's.
  private static let longestStep: Int64 = 2_000_000_000

  package var isRegular: Bool { mode & S_IFMT == S_IFREG }
  package var isLink: Bool { mode & S_IFMT == S_IFLNK }

  init(_ facts: Glibc.stat) {
    device = UInt64(facts.st_dev)
    inode = UInt64(facts.st_ino)
    size = Int64(facts.st_size)
    owner = facts.st_uid
    group = facts.st_gid
    mode = facts.st_mode
    modifiedNanoseconds = Self.nanoseconds(facts.st_mtim)
    changedNanoseconds = Self.nanoseconds(facts.st_ctim)
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  /// Whether a later change is sure to show in these facts: clocks of file systems tick in steps, so
  /// two changes in one step look like one.
  ///
  /// - Parameter now: Wall-clock time before the file was read, nanoseconds since 1970.
  /// - Returns: False while the last change is too young for that.
  package func isSettled(at now: Int64) -> Bool { now &- changedNanoseconds > Self.longestStep }
}

/// Facts about an open file.
///
/// The corresponding system call is `fstat(2)`.
/// - Parameter file: An open file.
/// - Returns: The facts.
/// - Throws: What the file system reports.
package func fileFacts(_ file: borrowing OwnedFD) throws(Errno) -> FileFacts {
  var facts = Glibc.stat()
  let raw = file.raw
  _ = try attempt(.stat) { unsafe fstat(raw, &facts) }
  return FileFacts(facts)
}

/// Facts about what a path leads to; links are followed.
///
/// The corresponding system call is `stat(2)`.
/// - Parameter path: The path.
/// - Returns: The facts.
/// - Throws: `ENOENT`, `EACCES` and whatever the file system reports.
package func fileFacts(_ path: String) throws(Errno) -> FileFacts {
  var facts = Glibc.stat()
  _ = try attempt(.stat) { unsafe stat(path, &facts) }
  return FileFacts(facts)
}

/// Facts about what standard error was connected to when the program started.
///
/// The corresponding system call is `fstat(2)`.
/// - Returns: The facts.
/// - Throws: What the file system reports.
package func standardErrorFacts() throws(Errno) -> FileFacts {
  var facts = Glibc.stat()
  _ = try attempt(.stat) { unsafe fstat(STDERR_FILENO, &facts) }
  return FileFacts(facts)
}

/// Opens /dev/null for standard input, output and error where the program was started without
/// them.
///
/// Without this the next file that is opened gets such a number, and what is meant for standard
/// error would go there. The corresponding system call is `open(2)`.
package func fillStandardDescriptors() {
  var number: Int32
  repeat { number = unsafe open("/dev/null", O_RDWR) } while (0...STDERR_FILENO).contains(number)
  if number >= 0 { _ = close(number) }
}

/// Facts about a path below a directory; links are followed.
///
/// The corresponding system call is `fstatat(2)`.
/// - Parameters:
///   - path: The path below the directory.
///   - directory: The directory it starts from.
/// - Returns: The facts.
/// - Throws: `ENOENT`, `ESRCH`, `EACCES`.
package func fileFacts(
  _ path: String, in directory: borrowing OwnedFD
) throws(Errno) -> FileFacts {
  var facts = Glibc.stat()
  let raw = directory.raw
  _ = try attempt(.stat) { unsafe fstatat(raw, path, &facts, 0) }
  return FileFacts(facts)
}

/// The target of a symbolic link below a directory, as bytes.
///
/// The corresponding system call is `readlinkat(2)`.
/// - Parameters:
///   - path: The link's path below the directory.
///   - directory: The directory it starts from.
/// - Returns: The link's text; it may hold any byte but NUL.
/// - Throws: `ENOENT`, `ESRCH`, `EACCES`, `EINVAL` (not a link).
package func linkTarget(
  _ path: String, in directory: borrowing OwnedFD
) throws(Errno) -> [UInt8] {
  var text = [UInt8](repeating: 0, count: 4096)
  let raw = directory.raw
  let count = try attempt(.readlink) {
    unsafe text.withUnsafeMutableBytes { bytes in
      guard let base = unsafe bytes.bindMemory(to: CChar.self).baseAddress
      else { return 0 }
      return unsafe readlinkat(raw, path, base, bytes.count)
    }
  }
  text.removeSubrange(count...)
  return text
}

/// What kind of file a path below a directory leads to, links followed.
///
/// Nothing waits for a file server, see ``knownFacts(_:in:)``.
/// - Parameters:
///   - path: The path below the directory.
///   - directory: The directory it starts from.
/// - Returns: The kind; nil for what has none, as epoll, eventfd and the like.
/// - Throws: `ENOENT`, `ESRCH`, `EACCES`.
package func fileKind(
  _ path: String, in directory: borrowing OwnedFD
) throws(Errno) -> FileKind? {
  FileKind(mode: try knownFacts(path, in: directory).mode)
}

/// Facts about a path below a directory, links followed, from what the kernel knows already: nothing
/// waits for a file server.
///
/// The corresponding system call is `statx(2)` with `AT_STATX_DONT_SYNC` (Linux 4.11).
/// - Parameters:
///   - path: The path below the directory.
///   - directory: The directory it starts from.
/// - Returns: The facts.
/// - Throws: `ENOENT`, `ESRCH`, `EACCES`.
package func knownFacts(
  _ path: String, in directory: borrowing OwnedFD
) throws(Errno) -> FileFacts {
  var facts = Glibc.stat()
  let raw = directory.raw
  _ = try attempt(.stat) { unsafe clinux_known_stat(raw, path, &facts) }
  return FileFacts(facts)
}

/// The kind of a file, from the type bits of its mode; see `inode(7)`.
package enum FileKind: Sendable, Hashable {
  case regular, directory, pipe, socket, device

  package init?(mode: UInt32) {
    switch mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .directory
    case S_IFIFO: self = .pipe
    case S_IFSOCK: self = .socket
    case S_IFCHR, S_IFBLK: self = .device
    default: return nil
    }
  }
}

/// The magic number of the file system an open file lives on.
///
/// The corresponding system call is `fstatfs(2)`; numbers are in `include/uapi/linux/magic.h`.
/// - Parameter file: An open file.
/// - Returns: The number, for example 0x9fa0 for proc and 0x01021994 for tmpfs.
/// - Throws: What the file system reports.
package func fileSystemMagic(_ file: borrowing OwnedFD) throws(Errno) -> Int64 {
  let raw = file.raw
  return try attempt(.stat) { clinux_filesystem_magic(raw) }
}

/// Writes all bytes, waiting as long as the other end needs; for standard output and error.
///
/// The corresponding system call is `write(2)`.
/// - Parameters:
///   - bytes: What to write.
///   - descriptor: The descriptor's number.
/// - Throws: `EPIPE`, `EIO`, `ENOSPC`.
package func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(Errno) {
  var done = 0
  while done < bytes.count {
    do throws(Errno) {
      done += try attempt(.write) {
        unsafe bytes.withUnsafeBytes {
          unsafe write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
        }
      }
    } catch .wouldBlock {
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = try attempt(.write) { unsafe poll(&entry, 1, -1) }
    }
  }
}
