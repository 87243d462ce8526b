import Linux

/// What a process was started with, from `/proc/PID/cmdline`.
///
/// - Kernel: `fs/proc/base.c`, `get_mm_cmdline()`; `proc_pid_cmdline(5)`.
/// - Shape: each argument with a NUL behind it. A process may write anything else there, as
///   `setproctitle(3)` does. Empty for a thread of the kernel, for a process that has ended but was
///   not waited for, and for a moment while a program is being started.
package struct CommandLine: Sendable, Equatable {
  /// How many bytes are kept of one.
  package static let limit = 64 << 10

  /// At most ``limit`` bytes, as they are.
  package let bytes: [UInt8]
  /// Whether there was more.
  package let isCut: Bool

  package init(_ bytes: [UInt8]) {
    self.bytes = Array(bytes.prefix(Self.limit))
    isCut = bytes.count > Self.limit
  }

  /// The first argument, by convention the program's name.
  package var firstArgument: [UInt8] { Array(bytes.prefix { $0 != 0 }) }

  /// All arguments with a blank between two of them; those that are empty at the end do not count.
  package var text: [UInt8] {
    let end = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
    return bytes[..<end].map { $0 == 0 ? UInt8(ascii: " ") : $0 }
  }
}

/// Variables of the environment that a process was started with, from `/proc/PID/environ`.
///
/// - Kernel: `fs/proc/base.c`, `environ_read()`; `proc_pid_environ(5)`. What the process itself sets
///   later is not there.
/// - Shape: `NAME=value` with a NUL behind each.
package struct Environment: Sendable, Equatable {
  /// How many bytes of one are looked at.
  package static let limit = 128 << 10

  /// The values of the variables that were asked for and that there are; of several the first one,
  /// as `getenv(3)` finds it.
  package private(set) var values: [String: [UInt8]] = [:]
  /// Whether there was more, so that a variable which was not found may exist.
  package let isCut: Bool

  package init(_ bytes: Span<UInt8>, _ names: some Sequence<String>) {
    isCut = bytes.count > Self.limit
    let wanted = names.map { (name: $0, prefix: Array("\($0)=".utf8)) }
    let end = min(bytes.count, Self.limit)
    var start = 0
    while start < end {
      let next = bytes.firstIndex(of: 0, from: start) ?? bytes.count
      // The last one may be cut.
      if next > end { return }
      let variable = bytes.extracting(start..<next)
      for (name, prefix) in wanted where variable.hasPrefix(prefix) && values[name] == nil {
        values[name] = (prefix.count..<variable.count).map { variable[$0] }
      }
      start = next + 1
    }
  }
}

extension ProcessHold {
  /// Reads `cmdline`, see ``CommandLine``.
  ///
  /// - Cost: 3 microseconds; takes the process' mmap lock, so it waits for a process that maps memory.
  /// - Permission: any user.
  /// - Throws: `gone`, `denied` (`hidepid`), `io`.
  package func commandLine() throws(ProcError) -> CommandLine {
    var buffer = ReadBuffer(capacity: Self.usual, limit: CommandLine.limit + 1)
    try read(.cmdline, &buffer, atMost: CommandLine.limit + 1)
    return CommandLine(buffer.content)
  }

  /// Reads some variables of `environ`, see ``Environment``; cost as for ``commandLine()``.
  ///
  /// - Permission: same user, else CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
  /// - Parameter names: The variables.
  /// - Returns: Those of them that there are.
  /// - Throws: `gone` (also for a thread of the kernel), `denied`, `io`.
  package func environment(_ names: some Sequence<String>) throws(ProcError) -> Environment {
    var buffer = ReadBuffer(capacity: Self.usual, limit: Environment.limit + 1)
    do throws(ProcError) {
      try read(.environ, &buffer, atMost: Environment.limit + 1)
    } catch .denied {
      // Files of a process that has ended are root's, whoever it was; it has no command line either.
      throw try commandLine().bytes.isEmpty ? .gone : .denied(.environ)
    }
    return Environment(buffer.storage.span.extracting(0..<buffer.count), names)
  }

  /// The most that nearly every process has.
  private static let usual = 4 << 10

  private func read(
    _ file: SourceFile, _ buffer: inout ReadBuffer, atMost limit: Int
  ) throws(ProcError) {
    do throws(Errno) {
      let open = try openFile(file.name, in: directory)
      try buffer.readPart(open, from: 0, length: Self.usual)
      if buffer.count == Self.usual { try buffer.readPart(open, from: 0, length: limit) }
    } catch {
      throw ProcError(file, error, in: directory)
    }
  }
}

extension Span<UInt8> {
  fileprivate func hasPrefix(_ text: [UInt8]) -> Bool {
    count >= text.count && text.indices.allSatisfy { self[$0] == text[$0] }
  }
}
