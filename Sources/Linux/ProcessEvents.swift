import CLinux
import Glibc

/// Why the kernel's process events cannot be had.
package enum ProcessEventsFailure: Error, Equatable, Sendable {
  /// CAP_NET_ADMIN is missing, which kernels before 6.6 ask for.
  case denied
  /// The kernel is built without the connector, or this is not the first network namespace.
  case missing
  /// The kernel has no events, or this is not the first pid and user namespace.
  case silent
  case failed(Errno)
}

extension ProcessEventsFailure: CustomStringConvertible {
  /// A part of a sentence for the log.
  package var description: String {
    switch self {
    case .denied: "CAP_NET_ADMIN is missing, which is needed before Linux 6.6"
    case .missing:
      "the kernel has no CONFIG_CONNECTOR, or this is not the first network namespace"
    case .silent:
      "the kernel has no CONFIG_PROC_EVENTS, or this is not the first pid and user namespace"
    case .failed(let error): "\(error)"
    }
  }

  fileprivate init(_ error: Errno) {
    switch error {
    case .notPermitted, .accessDenied: self = .denied
    case .connectionRefused, .addressFamilyNotSupported, Errno(EPROTONOSUPPORT): self = .missing
    case .wouldBlock: self = .silent
    default: self = .failed(error)
    }
  }
}

/// What happened to a process, as the connector tells it.
///
/// - Kernel: `include/uapi/linux/cn_proc.h`, `struct proc_event` in a `struct cn_msg`.
package struct ProcessEvent: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// It was forked.
    case began
    /// It runs another program, has another name, or another user or group.
    case changed
    /// Its first thread has ended, in most cases as the last one.
    case ended
  }

  package let kind: Kind
  package let process: Int32

  package init(_ kind: Kind, _ process: Int32) {
    self.kind = kind
    self.process = process
  }

  /// Takes the content of a netlink message.
  ///
  /// - Returns: The event; nil if it is about a thread, of no interest, or cut.
  init?(_ message: Span<UInt8>) {
    func word(_ offset: Int) -> Int32? {
      message.count >= offset + 4 ? message.number(at: offset, as: Int32.self) : nil
    }
    guard Connector.isProcessEvent(message), let what = word(Connector.event),
      let kind = Connector.kinds.first(where: { $0.bit == UInt32(bitPattern: what) })?.kind
    else { return nil }
    let place = kind == .began ? Connector.child : Connector.subject
    guard let thread = word(place), let process = word(place + 4), thread == process, process > 0
    else { return nil }
    self.init(kind, process)
  }
}

/// Numbers of the protocol; offsets are those in a `struct cn_msg`.
private enum Connector {
  static let netlink: Int32 = 11
  /// Index, value and multicast group alike (`CN_IDX_PROC`).
  static let index: UInt32 = 1
  static let listen: UInt32 = 1
  static let ignore: UInt32 = 2

  static let acknowledged = 12
  static let headerBytes = 20
  static let event = 20
  /// Of most events: thread and process; of an acknowledgement: the error.
  static let subject = 36
  /// Of a fork: thread and process, behind those of the parent.
  static let child = 44

  static let kinds: [(bit: UInt32, kind: ProcessEvent.Kind)] = [
    (0x1, .began),  // PROC_EVENT_FORK
    (0x2, .changed),  // PROC_EVENT_EXEC
    (0x4, .changed),  // PROC_EVENT_UID
    (0x40, .changed),  // PROC_EVENT_GID
    (0x200, .changed),  // PROC_EVENT_COMM
    (0x8000_0000, .ended),  // PROC_EVENT_EXIT
  ]

  static func isProcessEvent(_ message: Span<UInt8>) -> Bool {
    message.count >= headerBytes && message.number(at: 0, as: UInt32.self) == index
      && message.number(at: 4, as: UInt32.self) == index
  }

  static func request(_ operation: UInt32, _ number: UInt32 = 0) -> NetlinkRequest {
    var request = NetlinkRequest(type: NetlinkMessage.done, sequence: 0)
    request.append(index)
    request.append(index)
    request.append(UInt32(0))  // sequence
    request.append(number)
    request.append(UInt16(4))  // length
    request.append(UInt16(0))  // flags
    request.append(operation)
    return request
  }

  /// The error in the answer to a request; nil if the message is something else.
  ///
  /// The kernel counts the number up by one, and its own messages by their sequence.
  static func answer(_ message: Span<UInt8>, to number: UInt32) -> Int32? {
    guard isProcessEvent(message), message.count >= subject + 4,
      message.number(at: event, as: UInt32.self) == 0,
      message.number(at: acknowledged, as: UInt32.self) == number &+ 1
    else { return nil }
    return message.number(at: subject, as: Int32.self)
  }

  /// Lets through what ``ProcessEvent`` understands, which is nothing about threads.
  static func filter() -> [sock_filter] {
    let (load, isSet, isEqual, equalsX, toX, end) = (
      UInt16(0x20), UInt16(0x45), UInt16(0x15), UInt16(0x1d), UInt16(0x07), UInt16(0x06)
    )
    func step(_ code: UInt16, _ k: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0) -> sock_filter {
      sock_filter(code: code, jt: yes, jf: no, k: k)
    }
    func offset(_ place: Int) -> UInt32 { UInt32(NetlinkMessage.headerBytes + place) }
    let bits = kinds.reduce(0) { $0 | $1.bit }
    return [
      step(load, offset(event)),
      step(isSet, bits.bigEndian, 0, 10),
      step(isEqual, kinds[0].bit.bigEndian, 0, 4),
      step(load, offset(child)),
      step(toX, 0),
      step(load, offset(child + 4)),
      step(equalsX, 0, 4, 5),
      step(load, offset(subject)),
      step(toX, 0),
      step(load, offset(subject + 4)),
      step(equalsX, 0, 0, 1),
      step(end, .max),
      step(end, 0),
    ]
  }
}

/// Listens to forks, execs, changes of names and users, and ends of all processes of the machine.
///
/// What happens to other threads than a process' first one is dropped by the kernel, so that
/// programs with many short threads do not fill the queue.
/// - Kernel: `drivers/connector/cn_proc.c`.
/// - Permission: CAP_NET_ADMIN before Linux 6.6, none since then; only in the first pid, user and
///   network namespace.
/// - Cost: about a microsecond for whoever forks, calls exec or ends, and another one for each event
///   that is taken. One that waits takes 832 bytes of kernel memory.
package final class ProcessEvents {
  private var socket: NetlinkSocket
  private var drops: UInt32 = 0
  /// Events that the kernel had no room for.
  package private(set) var lost: UInt64 = 0

  /// Starts listening.
  ///
  /// - Parameter queueBytes: Kernel memory for events that nobody has taken yet; the kernel doubles
  ///   it, and gives no more than twice `net.core.rmem_max` without CAP_NET_ADMIN.
  /// - Throws: Why it cannot be used.
  package init(queueBytes: Int32) throws(ProcessEventsFailure) {
    do throws(Errno) {
      socket = try NetlinkSocket(
        protocol: Connector.netlink, capacity: 4096, queueBytes: queueBytes)
      try socket.join(group: Int32(Connector.index))
      try Self.subscribe(&socket)
      // Without the filter the queue is full sooner.
      _ = try? socket.attach(Connector.filter())
    } catch {
      throw ProcessEventsFailure(error)
    }
  }

  // Before Linux 6.6 the kernel goes on for nobody if it is not told.
  deinit { _ = try? socket.send(Connector.request(Connector.ignore)) }

  /// Asks for events and waits for the answer, which comes the way that events come.
  ///
  /// In another pid or user namespace, whose numbers would be wrong, the kernel does not answer.
  private static func subscribe(_ socket: inout NetlinkSocket) throws(Errno) {
    // Everybody who listens gets the answer.
    let number = UInt32(bitPattern: currentThreadID())
    try socket.send(Connector.request(Connector.listen, number))
    while true {
      try socket.receive()
      let bytes = socket.storage.span.extracting(0..<socket.count)
      var offset = 0
      while let message = NetlinkMessage.next(bytes, &offset) {
        guard let code = Connector.answer(bytes.extracting(message.payload), to: number) else {
          continue
        }
        if code != 0 { throw Errno(code) }
        return
      }
    }
  }

  /// Registers it with an event loop; it is readable when events wait.
  ///
  /// - Throws: `ENOSPC`, `ENOMEM`.
  package func register(
    with loop: EventLoop, _ handler: any EventHandler
  ) throws(Errno) -> EventToken {
    try loop.add(socket.fd, .readable, handler)
  }

  /// Calls `body` with the events that wait.
  ///
  /// - Parameters:
  ///   - limit: How many datagrams are taken at most, each with an event.
  ///   - body: Called with each event, in the order in which they happened to a process.
  /// - Returns: False if some were lost before those that come next.
  package func drain(atMost limit: Int, _ body: (ProcessEvent) -> Void) -> Bool {
    var isWhole = true
    for _ in 0..<limit {
      do throws(Errno) {
        try socket.receive()
      } catch .noBufferSpace {
        isWhole = false
        noteDrops(atLeast: 1)
        continue
      } catch {
        break
      }
      let bytes = socket.storage.span.extracting(0..<socket.count)
      var offset = 0
      while let message = NetlinkMessage.next(bytes, &offset) {
        if let event = ProcessEvent(bytes.extracting(message.payload)) { body(event) }
      }
    }
    // A queue that was full drops everything until it is empty, without saying so again.
    if !isWhole { noteDrops(atLeast: 0) }
    return isWhole
  }

  /// Counts what the kernel has dropped; where it does not tell, one stands for all.
  private func noteDrops(atLeast least: UInt32) {
    let now = socket.drops ?? drops &+ least
    lost &+= UInt64(now &- drops)
    drops = now
  }
}
