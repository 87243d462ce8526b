/// What a thread or a process has used so far, as the kernel's `struct taskstats` tells it.
///
/// - Kernel: `include/uapi/linux/taskstats.h`; fields were only ever added at the end, but for
///   version 15 (Linux 6.14.0 to 6.14.8), which is not understood.
package struct TaskUsage: Sendable {
  /// A number of the struct that adds up over threads.
  package enum Field: Int, CaseIterable, Sendable {
    /// Times that it was given the CPU.
    case slices
    /// Nanoseconds ready to run, but without a CPU.
    case runDelay
    /// Nanoseconds on the CPU, as of the last switch or tick; an exit record lacks what came later.
    case run
    /// CPU time in microseconds, by the ticks that hit it: only their ratio is of use.
    case userTime, systemTime
    case minorFaults, majorFaults
    case readBytes, writtenBytes, readCalls, writeCalls
    case storageReadBytes, storageWrittenBytes, storageCancelledBytes
    case voluntarySwitches, involuntarySwitches
    /// Nanoseconds of waiting; they count for processes that started with `kernel.task_delayacct`.
    case blockIODelay, swapInDelay, reclaimDelay, thrashingDelay
    /// Since version 11 (Linux 5.18).
    case compactDelay
    /// Since version 13 (Linux 6.0).
    case copyDelay
    /// Since version 14 (Linux 6.1); counts with CONFIG_IRQ_TIME_ACCOUNTING.
    case interruptDelay

    /// Where it stands in the struct, 8 bytes.
    var offset: Int { TaskUsage.offsets[rawValue] }
  }

  private static let offsets = [
    16, 24, 72, 152, 160, 168, 176, 216, 224, 232, 240, 248, 256, 264, 272, 280, 40, 56, 320, 336,
    360, 408, 424,
  ]

  private var numbers = [23 of UInt64](repeating: 0)
  /// How many of the fields the kernel knows: those of later versions are the last ones.
  private var known = Field.allCases.count

  /// Nothing at all.
  package static let zero = TaskUsage()

  package init() {}

  package var isZero: Bool { !numbers.indices.contains { numbers[$0] != 0 } }

  /// Reads the fields that a struct is long enough for.
  init(_ bytes: Span<UInt8>) {
    known = 0
    for (index, offset) in Self.offsets.enumerated() {
      guard offset + 8 <= bytes.count else { return }
      numbers[index] = bytes.number(at: offset, as: UInt64.self)
      known = index + 1
    }
  }

  /// A number; nil if the kernel is too old to tell it.
  package subscript(field: Field) -> UInt64? {
    get { field.rawValue < known ? numbers[field.rawValue] : nil }
    set {
      guard let newValue, field.rawValue < known else { return }
      numbers[field.rawValue] = newValue
    }
  }

  package static func + (left: TaskUsage, right: TaskUsage) -> TaskUsage {
    combine(left, right) { $0 &+ $1 }
  }

  /// What is left, at least 0.
  package static func - (left: TaskUsage, right: TaskUsage) -> TaskUsage {
    combine(left, right) { $0 > $1 ? $0 - $1 : 0 }
  }

  @inline(__always)
  private static func combine(
    _ left: TaskUsage, _ right: TaskUsage, _ body: (UInt64, UInt64) -> UInt64
  ) -> TaskUsage {
    var result = left
    result.known = min(left.known, right.known)
    for index in 0..<result.known {
      result.numbers[index] = body(left.numbers[index], right.numbers[index])
    }
    return result
  }
}

/// What the kernel tells when a thread ends.
package struct ExitRecord: Sendable {
  /// Version 12 (Linux 5.16) and later name the process.
  static let oldestVersion: UInt16 = 12
  /// Fields in the middle (Linux 6.14.0 to 6.14.8).
  static let brokenVersion: UInt16 = 15
  private static let acctGroup: UInt8 = 0x20

  /// The process, by its number in the first pid namespace.
  package let process: Int32
  package let thread: Int32
  /// The process' parent; 0 if it has none.
  package let parent: Int32
  /// Whether no other thread of the process is left.
  package let isLast: Bool
  /// Of the thread, as `wait(2)` would report it.
  package let waitStatus: Int32
  /// What the thread used in its life, but for the last steps of ending.
  package let usage: TaskUsage
  private let nameLow: UInt64
  private let nameHigh: UInt64

  /// Reads the struct; nil if it is of another version or cut.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= 376, Self.understands(bytes.number(at: 0, as: UInt16.self)) else {
      return nil
    }
    waitStatus = bytes.number(at: 4, as: Int32.self)
    isLast = bytes[8] & Self.acctGroup != 0
    nameLow = bytes.number(at: 80, as: UInt64.self)
    nameHigh = bytes.number(at: 88, as: UInt64.self)
    thread = bytes.number(at: 128, as: Int32.self)
    parent = bytes.number(at: 132, as: Int32.self)
    process = bytes.number(at: 368, as: Int32.self)
    usage = TaskUsage(bytes)
  }

  static func understands(_ version: UInt16) -> Bool {
    version >= oldestVersion && version != brokenVersion
  }

  /// The name of the thread, at most 15 bytes; that of a first thread is the process' name.
  package var name: [UInt8] {
    var bytes: [UInt8] = []
    unsafe withUnsafeBytes(of: (nameLow, nameHigh)) {
      unsafe bytes.append(contentsOf: $0.prefix(15).prefix { $0 != 0 })
    }
    return bytes
  }
}
