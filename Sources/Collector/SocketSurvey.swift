import Linux
import ProcFS
import Targets

/// The sockets that the descriptors of a target's processes stand for.
///
/// A socket that several processes have counts once.
package struct SocketSurvey {
  /// What sockets are counted by.
  struct Kind: Hashable {
    let transport: String
    let state: String

    /// A socket that no table has: netlink, packet, or a TCP or UDP socket without an address.
    static let other = Kind(transport: "other", state: "unknown")

    init(transport: String, state: String) {
      self.transport = transport
      self.state = state
    }

    init(_ socket: DiagnosedSocket) {
      self.init(transport: socket.transport.rawValue, state: socket.state.rawValue)
    }
  }

  /// The connections that wait to be accepted at an address, and how many may.
  struct Queue {
    var waiting: UInt64 = 0
    var limit: UInt64 = 0
  }

  /// What tells a TCP socket from all others, those that had its inode before included.
  private struct Identity: Hashable {
    let inode: UInt64
    let cookie: UInt64
  }

  /// Through which descriptor a socket was found.
  private struct Owner {
    let member: Member
    let number: Int32
    let namespace: UInt64?
  }

  /// How many closed connections are remembered, in case they were only not seen.
  private static let memory = 10_000

  private var owners: [UInt64: Owner] = [:]
  private var counts: [Kind: UInt64] = [:]
  /// Whether there are sockets that could not be looked at.
  private var isPartial = false
  private var ledger = Ledger<Identity, DiagnosedSocket.Traffic>(memory: memory)
  /// Whether anything was ever known of connections, and whether the kernel told all of it.
  private var knowsConnections = false
  private var lacksTraffic = false

  /// By address, the listening TCP sockets.
  private(set) var queues: [ListenAddress: Queue] = [:]

  /// By kind; one that was seen before stays at 0, unless it is not known.
  var sockets: [Kind: UInt64] { isPartial ? counts.filter { $0.value > 0 } : counts }

  /// Of all connections that were ever seen; nil if that is not known.
  var traffic: DiagnosedSocket.Traffic? {
    knowsConnections && !lacksTraffic ? ledger.sum : nil
  }

  mutating func begin() {
    for kind in counts.keys { counts[kind] = 0 }
    isPartial = false
    queues.removeAll(keepingCapacity: true)
    ledger.begin()
  }

  /// Looks at one process, of which the open descriptors are nil if they could not be read.
  mutating func visit(
    _ descriptors: [Descriptor]?, _ member: Member, _ target: Target, _ reader: SocketReader
  ) {
    guard let descriptors else {
      isPartial = true
      return
    }
    var new: [UInt64: Int32] = [:]
    for descriptor in descriptors {
      if let inode = descriptor.socketInode, owners[inode] == nil {
        new[inode] = descriptor.number
      }
    }
    if new.isEmpty {
      knowsConnections = true
      return
    }
    let namespace = reader.want(new.keys, member, target)
    for (inode, number) in new {
      owners[inode] = Owner(member: member, number: number, namespace: namespace)
    }
  }

  /// Looks up what was found once the tables are there.
  mutating func finish(_ target: Target, _ reader: SocketReader, _ limits: CollectorLimits) {
    var failed: Set<UInt64> = []
    for (inode, owner) in owners {
      if let socket = reader.socket(inode) {
        add(socket)
      } else if let namespace = owner.namespace, reader.failure(namespace) == nil {
        knowsConnections = true
        // One that was closed before the tables were read is none any more.
        if reader.stands(owner.number, of: owner.member, for: inode) {
          counts[.other, default: 0] += 1
        }
      } else {
        isPartial = true
        if let namespace = owner.namespace { failed.insert(namespace) }
      }
    }
    for namespace in failed {
      if let failure = reader.failure(namespace), let trouble = failure.trouble {
        target.note(trouble, failure.detail)
      }
    }
    // A process that ends must not be held until the next collection.
    owners.removeAll(keepingCapacity: true)
    ledger.finish()
    leaveOutQueues(beyond: limits.listenAddresses, target)
  }

  private mutating func add(_ socket: DiagnosedSocket) {
    knowsConnections = true
    counts[Kind(socket), default: 0] += 1
    guard socket.transport == .tcp else { return }
    if let address = socket.address {
      queues[address, default: Queue()].waiting += UInt64(socket.receiveQueue)
      queues[address, default: Queue()].limit += UInt64(socket.sendQueue)
    }
    if let traffic = socket.traffic {
      ledger.note(Identity(inode: socket.inode, cookie: socket.cookie), traffic)
    } else {
      lacksTraffic = true
    }
  }

  private mutating func leaveOutQueues(beyond limit: Int, _ target: Target) {
    guard queues.count > limit else { return }
    target.note(
      Trouble(.file(.sockets), .limit),
      "listens at \(queues.count) addresses; only \(limit) of them are served "
        + "(limits.listen_addresses_per_target)")
    // Always the same ones.
    let sorted = queues.keys.sorted { $0.description < $1.description }
    for address in sorted.dropFirst(limit) { queues[address] = nil }
  }
}

extension DiagnosedSocket.Traffic: Cumulative {
  static var zero: Self { Self(sentBytes: 0, receivedBytes: 0, retransmittedSegments: 0) }

  static func + (left: Self, right: Self) -> Self {
    Self(
      sentBytes: left.sentBytes &+ right.sentBytes,
      receivedBytes: left.receivedBytes &+ right.receivedBytes,
      retransmittedSegments: left.retransmittedSegments &+ right.retransmittedSegments)
  }

  /// A socket that is disconnected and used again begins anew.
  func continues(_ before: Self) -> Bool {
    sentBytes >= before.sentBytes && receivedBytes >= before.receivedBytes
      && retransmittedSegments >= before.retransmittedSegments
  }
}
