import Linux

/// Memory by kind, context switches, pending signals, user and process, from `/proc/PID/status` or `/proc/PID/task/TID/status`.
///
/// - Kernel: `fs/proc/array.c`, `proc_pid_status()`; `proc_pid_status(5)`.
/// - Shape: lines of `Name:\tvalue`. A kernel thread has no memory lines; older kernels lack some.
/// - Cost: one read; never waits for the process.
/// - Permission: any user.
package struct Status: Sendable, Equatable {
  /// VmPeak: the largest address space so far.
  package var peakVirtualBytes: UInt64?
  /// VmHWM: the most memory so far.
  package var peakResidentBytes: UInt64?
  /// VmRSS: memory now, exactly; the numbers of `stat` and `statm` lag behind by some pages for each
  /// CPU.
  package var residentBytes: UInt64?
  /// VmLck: memory that may not be swapped out.
  package var lockedBytes: UInt64?
  /// RssAnon, since Linux 4.5: resident memory without a file behind it.
  package var anonymousBytes: UInt64?
  /// RssFile, since Linux 4.5: resident pages of mapped files.
  package var fileBytes: UInt64?
  /// RssShmem, since Linux 4.5: resident shared memory and tmpfs pages.
  package var sharedBytes: UInt64?
  /// VmData: private writable mappings.
  package var dataBytes: UInt64?
  /// VmStk: the main stack.
  package var stackBytes: UInt64?
  /// VmExe: the program's own code.
  package var textBytes: UInt64?
  /// VmLib: code of shared libraries.
  package var libraryBytes: UInt64?
  /// VmPTE: page tables.
  package var pageTableBytes: UInt64?
  /// VmSwap: private memory in swap.
  package var swapBytes: UInt64?
  /// HugetlbPages, since Linux 4.4: huge pages, which no other number includes.
  package var hugetlbBytes: UInt64?
  /// Times that this thread (not the process) gave up the CPU by itself.
  package var voluntarySwitches: UInt64?
  /// Times that this thread (not the process) had the CPU taken away.
  package var involuntarySwitches: UInt64?
  /// SigQ: signals that wait for processes of its real user, of this one and all others.
  package var pendingSignals: UInt64?
  /// The most of them, RLIMIT_SIGPENDING of the process; nil is "unlimited".
  package var pendingSignalsLimit: UInt64?
  /// Tgid: the number of the process, which is that of its first thread.
  package var threadGroup: Int32?
  /// The real user.
  package var userID: UInt32?
  /// The user whose rights it has.
  package var effectiveUserID: UInt32?
  /// The group whose rights it has.
  package var effectiveGroupID: UInt32?

  /// Reads the lines that are known and passes over the others.
  ///
  /// - Throws: The name of a known line whose value is not a number.
  package init(_ bytes: Span<UInt8>) throws(ParseError) {
    guard bytes.hasPrefix("Name:") else { throw ParseError(field: "Name") }
    var at = Cursor()
    while at.nextLine(bytes) {
      switch bytes[at.index] {
      case UInt8(ascii: "V"): try readVirtualMemoryLine(bytes, &at)
      case UInt8(ascii: "R"):
        try Self.read(bytes, &at, "RssAnon:", "RssAnon", &anonymousBytes)
        try Self.read(bytes, &at, "RssFile:", "RssFile", &fileBytes)
        try Self.read(bytes, &at, "RssShmem:", "RssShmem", &sharedBytes)
      case UInt8(ascii: "H"):
        try Self.read(bytes, &at, "HugetlbPages:", "HugetlbPages", &hugetlbBytes)
      case UInt8(ascii: "S") where bytes.hasPrefix("SigQ:", at: at.index):
        try readSignalQueue(bytes, &at)
      case UInt8(ascii: "T") where bytes.hasPrefix("Tgid:", at: at.index):
        at.skipWord(bytes)
        threadGroup = Int32(exactly: try at.number(bytes, "Tgid"))
      case UInt8(ascii: "U") where bytes.hasPrefix("Uid:", at: at.index):
        let user = try Self.identifiers(bytes, &at, "Uid")
        userID = user.real
        effectiveUserID = user.effective
      case UInt8(ascii: "G") where bytes.hasPrefix("Gid:", at: at.index):
        effectiveGroupID = try Self.identifiers(bytes, &at, "Gid").effective
      case UInt8(ascii: "v") where bytes.hasPrefix("voluntary_ctxt_switches:", at: at.index):
        at.skipWord(bytes)
        voluntarySwitches = try at.number(bytes, "voluntary_ctxt_switches")
      case UInt8(ascii: "n") where bytes.hasPrefix("nonvoluntary_ctxt_switches:", at: at.index):
        at.skipWord(bytes)
        involuntarySwitches = try at.number(bytes, "nonvoluntary_ctxt_switches")
      default: break
      }
    }
  }

  private mutating func readSignalQueue(
    _ bytes: Span<UInt8>, _ at: inout Cursor
  ) throws(ParseError) {
    at.skipWord(bytes)
    guard let slash = bytes.firstIndex(of: UInt8(ascii: "/"), from: at.index) else {
      throw ParseError(field: "SigQ")
    }
    pendingSignals = try at.number(bytes.extracting(0..<slash), "SigQ")
    at.index = slash + 1
    let limit = try at.number(bytes, "SigQ")
    // RLIM_INFINITY is all ones.
    pendingSignalsLimit = limit == .max ? nil : limit
  }

  /// The first two of a line of real, effective, saved and file system identifiers.
  private static func identifiers(
    _ bytes: Span<UInt8>, _ at: inout Cursor, _ field: StaticName
  ) throws(ParseError) -> (real: UInt32, effective: UInt32) {
    at.skipWord(bytes)
    guard let real = UInt32(exactly: try at.number(bytes, field)),
      let effective = UInt32(exactly: try at.number(bytes, field))
    else { throw ParseError(field: field) }
    return (real, effective)
  }

  private mutating func readVirtualMemoryLine(
    _ bytes: Span<UInt8>, _ at: inout Cursor
  ) throws(ParseError) {
    // The letter after "Vm" tells most of them apart.
    guard at.index + 3 < bytes.count else { return }
    switch bytes[at.index + 2] {
    case UInt8(ascii: "P"):
      try Self.read(bytes, &at, "VmPeak:", "VmPeak", &peakVirtualBytes)
      try Self.read(bytes, &at, "VmPTE:", "VmPTE", &pageTableBytes)
    case UInt8(ascii: "L"):
      try Self.read(bytes, &at, "VmLck:", "VmLck", &lockedBytes)
      try Self.read(bytes, &at, "VmLib:", "VmLib", &libraryBytes)
    case UInt8(ascii: "H"): try Self.read(bytes, &at, "VmHWM:", "VmHWM", &peakResidentBytes)
    case UInt8(ascii: "R"): try Self.read(bytes, &at, "VmRSS:", "VmRSS", &residentBytes)
    case UInt8(ascii: "D"): try Self.read(bytes, &at, "VmData:", "VmData", &dataBytes)
    case UInt8(ascii: "E"): try Self.read(bytes, &at, "VmExe:", "VmExe", &textBytes)
    case UInt8(ascii: "S"):
      try Self.read(bytes, &at, "VmStk:", "VmStk", &stackBytes)
      try Self.read(bytes, &at, "VmSwap:", "VmSwap", &swapBytes)
    default: break
    }
  }

  private static func read(
    _ bytes: Span<UInt8>, _ at: inout Cursor, _ key: StaticString, _ field: StaticName,
    _ value: inout UInt64?
  ) throws(ParseError) {
    guard bytes.hasPrefix(key, at: at.index) else { return }
    at.skipWord(bytes)
    value = try at.kibibytes(bytes, field)
  }
}
