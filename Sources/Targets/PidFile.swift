import Linux

/// What a pid file says: which process, and which writing of the file said so.
struct PidFile: Sendable, Equatable {
  var pid: Int32
  /// Device, inode, size and time of writing: the same content as long as these are the same.
  var version: FileFacts
  /// Whether the file lives in memory, hence was written since the machine started.
  var isInMemory: Bool
  /// Who else than root and this daemon's user can choose what it says.
  var writers: [PidFileWriter]

  /// Why a pid file does not name a process, and a sentence for the operator.
  struct Failure: Error, Equatable {
    var reason: Trouble.Reason
    var detail: String

    /// Whether the file may be all right a moment later, as while it is written anew, so that a
    /// process that is watched stays.
    var mayBePassing: Bool {
      switch reason {
      case .empty, .descriptors, .failed: true
      default: false
      }
    }
  }

  /// A pid file holds a number; PostgreSQL's, the longest known, has a few lines behind it.
  static let maximumBytes = 4096
  /// The largest number a kernel gives a process (PID_MAX_LIMIT of `include/linux/threads.h`).
  static let maximumPid: Int32 = 4 << 20

  private static let irregular = Failure(
    reason: .irregular, detail: "is not a regular file; expected a file with a number")

  private static let tmpfsMagic: Int64 = 0x0102_1994
  private static let ramfsMagic: Int64 = 0x8584_58f6

  /// Reads a pid file.
  ///
  /// It may wait for the file system, so it belongs on the waiter thread.
  /// - Parameters:
  ///   - path: The file; links are followed.
  ///   - known: What it said before. The way to a file that has not changed is not looked at again
  ///     once it was found to be safe.
  /// - Returns: What it says.
  /// - Throws: Why it says nothing.
  static func read(_ path: String, known: PidFile? = nil) throws(Failure) -> PidFile {
    let content: Content
    do throws(Errno) {
      content = try Content(path)
    } catch .noDeviceOrAddress {
      // A socket, or a device without a driver.
      throw irregular
    } catch {
      throw Failure(
        reason: Trouble.reason(code: error.code), detail: "cannot be read: \(error)")
    }
    guard content.facts.isRegular else { throw irregular }
    if content.facts.size > Int64(maximumBytes) {
      throw Failure(
        reason: .tooLarge,
        detail: "has \(content.facts.size) bytes; expected a number in at most \(maximumBytes)")
    }
    var file = PidFile(
      pid: try parse(content.bytes.span), version: content.facts, isInMemory: content.isInMemory,
      writers: [])
    if let known, known.version == file.version, known.writers.isEmpty { return file }
    do throws(Errno) {
      file.writers = try PidFileWriter.all(of: path, which: content.facts)
    } catch {
      throw Failure(reason: .failed, detail: "changed while it was read: \(error)")
    }
    return file
  }

  /// The file as far as it is a file of sensible size.
  private struct Content {
    var facts: FileFacts
    var isInMemory: Bool
    var bytes: [UInt8] = []

    init(_ path: String) throws(Errno) {
      // Non-blocking: opening a FIFO must not wait for a writer.
      let file = try openFile(path, [.read, .nonBlocking])
      facts = try fileFacts(file)
      let magic = try fileSystemMagic(file)
      isInMemory = magic == tmpfsMagic || magic == ramfsMagic
      guard facts.isRegular, facts.size <= Int64(maximumBytes) else { return }
      var buffer = ReadBuffer(capacity: maximumBytes + 1, limit: maximumBytes + 1)
      try buffer.readAll(file)
      bytes = Array(buffer.storage.prefix(buffer.count))
    }
  }

  /// The number on the first line, which may have blanks around it.
  ///
  /// - Parameter bytes: The file's content.
  /// - Returns: The number.
  /// - Throws: `empty` or `malformed`.
  static func parse(_ bytes: Span<UInt8>) throws(Failure) -> Int32 {
    let end = bytes.firstIndex(of: 0x0a) ?? bytes.count
    var index = 0
    while index < end, isBlank(bytes[index]) { index += 1 }
    if index == end, end == bytes.count {
      throw Failure(reason: .empty, detail: "is empty; expected the number of a process")
    }
    let start = index
    var pid: Int32 = 0
    while index < end, bytes[index] &- 48 < 10, pid <= maximumPid {
      pid = pid * 10 + Int32(bytes[index] &- 48)
      index += 1
    }
    let digitsEnd = index
    while index < end, isBlank(bytes[index]) { index += 1 }
    guard digitsEnd > start, index == end, (1...maximumPid).contains(pid) else {
      var beginning = "\"\(bytes.extracting(0..<min(end, 40)).lossyText)\""
      if start == end { beginning = "an empty line" }
      if bytes.hasPrefix("\u{FEFF}") { beginning = "a byte order mark" }
      throw Failure(
        reason: .malformed,
        detail: "begins with \(beginning); expected a number from 1 to \(maximumPid)")
    }
    return pid
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0d
  }

  /// Whether a process that started at the given moment can have written the file.
  ///
  /// A process writes its pid file after its start, so one that is younger than the file got the
  /// number later. A file in memory that seems older than the machine's start only shows that the
  /// clock was set; then the times prove nothing.
  /// - Parameters:
  ///   - start: When the process started, nanoseconds since 1970.
  ///   - boot: When the machine started, nanoseconds since 1970.
  /// - Returns: False only if it cannot.
  func canBeWritten(byProcessStartedAt start: Int64, boot: Int64) -> Bool {
    let slack: Int64 = 2_000_000_000
    if isInMemory, version.modifiedNanoseconds < boot { return true }
    return start <= version.modifiedNanoseconds + slack
  }
}
