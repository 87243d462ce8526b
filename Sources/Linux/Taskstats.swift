import Glibc
import Synchronization

/// Why the kernel's taskstats cannot be used.
package enum TaskstatsFailure: Error, Equatable, Sendable {
  /// CAP_NET_ADMIN is missing.
  case denied
  /// The kernel is built without it, or this is not the first network namespace.
  case missing
  /// This is not the first pid and user namespace.
  case namespace
  /// The struct has a version whose numbers are not understood.
  case version(UInt16)
  case failed(Errno)
}

extension TaskstatsFailure: CustomStringConvertible {
  /// A part of a sentence for the log.
  package var description: String {
    switch self {
    case .denied: "CAP_NET_ADMIN is missing"
    case .missing:
      "the kernel has no CONFIG_TASKSTATS, or this is not the first network namespace"
    case .namespace: "this is not the first pid and user namespace"
    case .version(let version):
      "version \(version) of the kernel's struct is not understood; expected Linux 5.16 or later, "
        + "but not 6.14.0 to 6.14.8"
    case .failed(let error): "\(error)"
    }
  }

  fileprivate init(_ error: Errno) {
    switch error {
    case .notPermitted, .accessDenied: self = .denied
    case .notFound, .connectionRefused, Errno(EPROTONOSUPPORT), .addressFamilyNotSupported:
      self = .missing
    case .invalid: self = .namespace
    default: self = .failed(error)
    }
  }
}

/// The generic netlink family of taskstats, from `include/uapi/linux/taskstats.h` and
/// `genetlink.h`.
private enum Family {
  static let netlinkGeneric: Int32 = 16
  static let controller: UInt16 = 16
  static let getFamily: UInt8 = 3
  static let familyID: UInt16 = 1
  static let familyName: UInt16 = 2
  static let headerBytes = 4

  static let get: UInt8 = 1
  static let pid: UInt16 = 1
  static let tgid: UInt16 = 2
  static let registerCPUs: UInt16 = 3

  static let stats: UInt16 = 3
  static let aggregatePID: UInt16 = 4
  static let aggregateTGID: UInt16 = 5

  static func request(
    _ family: UInt16, _ command: UInt8, _ sequence: UInt32, _ flags: NetlinkRequest.Flags = []
  ) -> NetlinkRequest {
    var request = NetlinkRequest(type: family, flags: flags, sequence: sequence)
    request.append(command)
    request.append(UInt8(1))  // version of the family
    request.append(UInt16(0))
    return request
  }

  /// The number that this kernel has given to taskstats.
  static func number(_ socket: inout NetlinkSocket) throws(Errno) -> UInt16 {
    var request = request(controller, getFamily, 0)
    request.appendAttribute(familyName, Array("TASKSTATS".utf8) + [0])
    try socket.send(request)
    try socket.receive()
    let bytes = socket.storage.span.extracting(0..<socket.count)
    var offset = 0
    guard let message = NetlinkMessage.next(bytes, &offset) else { throw .invalid }
    if message.type == NetlinkMessage.error { throw message.failure(bytes) ?? .invalid }
    guard let id = attribute(familyID, bytes, content(message)), id.count >= 2 else {
      throw .notFound
    }
    return bytes.number(at: id.lowerBound, as: UInt16.self)
  }

  /// Where the struct lies that a message has about a thread or a process.
  static func stats(
    _ bytes: Span<UInt8>, _ message: NetlinkMessage, _ place: UInt16
  ) -> Range<Int>? {
    guard let inside = attribute(place, bytes, content(message)) else { return nil }
    return attribute(stats, bytes, inside)
  }

  private static func content(_ message: NetlinkMessage) -> Range<Int> {
    let end = message.payload.upperBound
    return min(end, message.payload.lowerBound + headerBytes)..<end
  }

  private static func attribute(
    _ type: UInt16, _ bytes: Span<UInt8>, _ range: Range<Int>
  ) -> Range<Int>? {
    var rest = range
    while let attribute = NetlinkAttribute.next(bytes, &rest) {
      if attribute.type == type { return attribute.payload }
    }
    return nil
  }
}

/// Asks the kernel about threads and processes by their numbers.
///
/// One question costs about 4 µs, and grows with the threads of a process.
/// - Kernel: `kernel/taskstats.c`; Documentation/accounting/taskstats.rst.
/// - Permission: CAP_NET_ADMIN in the first network and user namespace.
package final class Taskstats {
  private var channel: Channel
  /// Whether the switches and CPU times of a process include those of its ended threads; older
  /// kernels keep only their delays and run times.
  package private(set) var includesEndedThreads = false

  /// Opens a socket and tries it.
  ///
  /// Takes some milliseconds, in which a thread starts, sleeps a little and ends.
  /// - Throws: Why it cannot be used.
  package init() throws(TaskstatsFailure) {
    channel = try Channel.open()
    if channel.version == ExitRecord.brokenVersion { throw .version(channel.version) }
    do throws(Errno) {
      includesEndedThreads = try showsEndedThreads()
    } catch {
      throw TaskstatsFailure(error)
    }
  }

  /// What a process has used, threads that have ended included.
  ///
  /// Only delays, slices and run times, and where ``includesEndedThreads`` switches and CPU times,
  /// are those of a process; the other fields mean nothing here.
  /// - Throws: `ESRCH`.
  package func usage(process: Int32) throws(Errno) -> TaskUsage {
    try channel.usage(Family.tgid, process)
  }

  /// What one thread has used.
  ///
  /// - Throws: `ESRCH`.
  package func usage(thread: Int32) throws(Errno) -> TaskUsage {
    try channel.usage(Family.pid, thread)
  }

  /// Whether the switches of a process do not fall when one of its threads ends.
  private func showsEndedThreads() throws(Errno) -> Bool {
    let number = Atomic<Int32>(0)
    let hasSlept = try EventFD()
    let mayEnd = try EventFD()
    let thread = try Thread(name: "taskstats-test") {
      number.store(currentThreadID(), ordering: .releasing)
      // Many more switches than the other threads make while this one ends.
      for _ in 0..<50 { usleep(1) }
      hasSlept.signal()
      _ = mayEnd.wait(atMost: nil)
    }
    _ = hasSlept.wait(atMost: nil)
    let before = try? usage(process: processID())[.voluntarySwitches]
    mayEnd.signal()
    thread.join()
    // It can be joined a little before it has ended.
    let ended = number.load(ordering: .acquiring)
    for _ in 0..<1000 where (try? usage(thread: ended)) != nil { usleep(100) }
    guard let before, let after = try usage(process: processID())[.voluntarySwitches] else {
      return false
    }
    return after >= before
  }
}

/// Listens to the ends of all threads of the machine.
///
/// A record is queued before the thread's end can be seen in any other way: the kernel sends it
/// early in `do_exit()`, and lets the pidfd, the parent and /proc know later.
/// - Kernel: `kernel/taskstats.c`, `taskstats_exit()`.
/// - Permission: CAP_NET_ADMIN; only in the first pid, user and network namespace.
package final class ExitRecords {
  private var channel: Channel
  private var drops: UInt32 = 0
  /// Records that the kernel had no room for, and those that were not understood.
  package private(set) var lost: UInt64 = 0

  /// Starts listening.
  ///
  /// - Parameter queueBytes: Kernel memory for records that nobody has taken yet; the kernel doubles
  ///   it.
  /// - Throws: Why it cannot be used.
  package init(queueBytes: Int32) throws(TaskstatsFailure) {
    channel = try Channel.open(queueBytes: queueBytes)
    guard ExitRecord.understands(channel.version) else { throw .version(channel.version) }
    do throws(Errno) {
      try channel.listen()
    } catch {
      throw TaskstatsFailure(error)
    }
  }

  /// Registers it with an event loop; it is readable when records wait.
  ///
  /// - Throws: `ENOSPC`, `ENOMEM`.
  package func register(
    with loop: EventLoop, _ handler: any EventHandler
  ) throws(Errno) -> EventToken {
    try loop.add(channel.socket.fd, .readable, handler)
  }

  /// Calls `body` with the records that wait.
  ///
  /// - Parameters:
  ///   - limit: How many datagrams are taken at most, each with a record.
  ///   - body: Called with each record.
  package func drain(atMost limit: Int = .max, _ body: (ExitRecord) -> Void) {
    var hasOverflowed = false
    for _ in 0..<limit {
      do throws(Errno) {
        try channel.socket.receive()
      } catch .noBufferSpace {
        noteDrops(atLeast: 1)
        hasOverflowed = true
        continue
      } catch {
        break
      }
      let bytes = channel.socket.storage.span.extracting(0..<channel.socket.count)
      var offset = 0
      while let message = NetlinkMessage.next(bytes, &offset) {
        guard let stats = Family.stats(bytes, message, Family.aggregatePID) else { continue }
        if let record = ExitRecord(bytes.extracting(stats)) { body(record) } else { lost &+= 1 }
      }
    }
    // A queue that was full drops everything until it is empty, without saying so again.
    if hasOverflowed { noteDrops(atLeast: 0) }
  }

  /// Counts what the kernel has dropped; where it does not tell, one stands for all.
  private func noteDrops(atLeast least: UInt32) {
    let now = channel.socket.drops ?? drops &+ least
    lost &+= UInt64(now &- drops)
    drops = now
  }
}

/// A socket that knows the family's number and that may ask.
private struct Channel: ~Copyable {
  var socket: NetlinkSocket
  private let family: UInt16
  private var sequence: UInt32 = 0
  /// Of the struct that this kernel makes.
  private(set) var version: UInt16 = 0

  private init(_ socket: consuming NetlinkSocket, _ family: UInt16) {
    self.socket = socket
    self.family = family
  }

  static func open(queueBytes: Int32? = nil) throws(TaskstatsFailure) -> Channel {
    do throws(Errno) {
      var socket = try NetlinkSocket(protocol: Family.netlinkGeneric, queueBytes: queueBytes)
      let family = try Family.number(&socket)
      var channel = Channel(socket, family)
      // The first question shows the version, and whether questions are allowed.
      _ = try channel.usage(Family.tgid, processID())
      return channel
    } catch {
      throw TaskstatsFailure(error)
    }
  }

  mutating func usage(_ kind: UInt16, _ number: Int32) throws(Errno) -> TaskUsage {
    sequence &+= 1
    var request = Family.request(family, Family.get, sequence)
    request.appendAttribute(kind, number)
    let message = try answer(request)
    guard let (found, usage) = usage(kind, message) else { throw .invalid }
    version = found
    return usage
  }

  private func usage(_ kind: UInt16, _ message: NetlinkMessage) -> (UInt16, TaskUsage)? {
    let bytes = socket.storage.span.extracting(0..<socket.count)
    let place = kind == Family.pid ? Family.aggregatePID : Family.aggregateTGID
    guard let stats = Family.stats(bytes, message, place), stats.count >= 2 else { return nil }
    return (
      bytes.number(at: stats.lowerBound, as: UInt16.self), TaskUsage(bytes.extracting(stats))
    )
  }

  mutating func listen() throws(Errno) {
    sequence &+= 1
    var request = Family.request(family, Family.get, sequence, .acknowledge)
    request.appendAttribute(Family.registerCPUs, possibleCPUs() + [0])
    _ = try answer(request)
  }

  /// Sends a request and takes its answer, which the kernel has queued by then.
  private mutating func answer(_ request: NetlinkRequest) throws(Errno) -> NetlinkMessage {
    try socket.send(request)
    while true {
      try socket.receive()
      let bytes = socket.storage.span.extracting(0..<socket.count)
      var offset = 0
      guard let message = NetlinkMessage.next(bytes, &offset), message.sequence == sequence else {
        continue
      }
      if message.type == NetlinkMessage.error, let failure = message.failure(bytes) {
        throw failure
      }
      return message
    }
  }
}

/// Every CPU that this machine can ever have, as the kernel writes lists of them.
private func possibleCPUs() -> [UInt8] {
  var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
  do throws(Errno) {
    try buffer.readAll(try openFile("/sys/devices/system/cpu/possible", .read))
    return Array(buffer.storage[..<buffer.count].prefix { $0 != UInt8(ascii: "\n") })
  } catch {
    return Array("0-\(max(1, sysconf(Int32(_SC_NPROCESSORS_CONF))) - 1)".utf8)
  }
}
