import Linux
package import ProcFS

/// Finds out which processes listen on TCP ports.
///
/// The kernel tells which sockets listen, by inode, and each process which inodes its descriptors
/// stand for; so descriptors have to be walked, which is done as seldom as can be:
///
/// - What a process has is remembered. It is walked again when it is a quarter older than at its
///   last walk, since it may have been between fork and exec, or got a socket from another process.
/// - A socket that has no owner, because it is new or because its owner has ended, is first looked
///   for in processes that are new as well. If that fails, every process is walked once more, one
///   collection later; see ``isSearching``.
///
/// Processes that share a socket all listen. Only sockets of this daemon's own network namespace are
/// known: port 80 of a container is another one than that of the machine.
package final class ListenPorts {
  package struct Limits: Sendable {
    /// Sockets that may listen on the machine.
    package var sockets = 100_000
    /// Descriptors that are looked at in one collection, at about 2 microseconds each.
    package var descriptors = 50_000
    /// Descriptors of one process.
    package var descriptorsPerProcess = 100_000
    /// Processes that are remembered.
    package var processes = 50_000

    package init() {}
  }

  private struct Entry {
    var startTicks: UInt64
    /// The sockets that it listens with.
    var inodes: [UInt64] = []
    /// When it is a quarter older, in ticks since the machine started.
    var dueTicks: UInt64
    /// The search that it has been walked for last.
    var search: UInt64
    var isDenied = false
  }

  private let limits: Limits
  private var diagnostics: SocketDiagnostics?
  /// Sockets that listen on a port that is asked for.
  private var inodes: [UInt16: Set<UInt64>] = [:]
  private var listening: Set<UInt64> = []
  /// One process that has the socket.
  private var owners: [UInt64: ProcessIdentity] = [:]
  /// Sockets without a known owner, which nobody looks for any more.
  private var unowned: Set<UInt64> = []
  /// Sockets without a known owner since this collection, and since an earlier one.
  private var new: Set<UInt64> = []
  private var sought: Set<UInt64> = []
  private var search: UInt64 = 0
  /// Why the sockets are not known.
  private var failure: Errno?

  private var entries: [Int32: Entry] = [:]
  private var now: UInt64 = 0
  /// Descriptors that may still be looked at in this collection.
  private(set) var left = 0
  private var lister = DirectoryReader()
  private var buffer = ReadBuffer(capacity: 4096, limit: 1 << 16)

  package init(_ limits: Limits = Limits()) { self.limits = limits }

  /// Whether processes that are known not to listen are looked at again, so that it is worth asking
  /// about every process; otherwise only about new ones, and about some from time to time.
  package var isSearching: Bool { !sought.isEmpty }

  /// Starts a collection: asks the kernel which sockets listen.
  ///
  /// - Parameters:
  ///   - ports: The ports that rules ask for; without any, nothing is done.
  ///   - root: Where processes appear.
  ///   - now: Ticks since the machine started.
  ///   - lives: Whether a process is still there.
  package func begin(
    _ ports: Set<UInt16>, in root: borrowing ProcRoot, now: UInt64,
    lives: (ProcessIdentity) -> Bool
  ) {
    self.now = now
    // Numbers that only a recorded tree means have no sockets here.
    guard !ports.isEmpty, root.ownPid != nil else {
      forget()
      return
    }
    // With descriptors left, everybody was looked at who was asked about.
    if left > 0, failure == nil {
      unowned.formUnion(sought)
      sought = []
    }
    left = limits.descriptors
    if entries.count > limits.processes { entries = [:] }
    do throws(Errno) {
      inodes = try dump(ports)
      failure = nil
    } catch {
      diagnostics = nil
      failure = error
      return
    }
    listening = inodes.values.reduce(into: []) { $0.formUnion($1) }
    findOrphans(lives)
  }

  /// Whether a process listens on one of some ports, all of which ``begin(_:in:now:lives:)`` was told.
  ///
  /// Never waits for the process.
  /// - Returns: Nil if that cannot be known: its descriptors may not be read and nobody else owns
  ///   the socket, the sockets are not known, or too much was looked at in this collection already.
  package func isListening(
    _ process: ProcessIdentity, on ports: [UInt16], in root: borrowing ProcRoot
  ) -> Bool? {
    if failure != nil { return nil }
    let wanted = ports.compactMap { inodes[$0] }
    if wanted.isEmpty { return false }
    var entry = entries[process.pid]
    if entry?.startTicks != process.startTicks { entry = nil }
    if entry.map(isDue) ?? true, left > 0 {
      entry = walk(process, before: entry, root)
      entries[process.pid] = entry
    }
    guard let entry else { return nil }
    if entry.inodes.contains(where: { inode in wanted.contains { $0.contains(inode) } }) {
      return true
    }
    return entry.isDenied && isUnowned(ports) ? nil : false
  }

  /// Why it is not known who listens on some ports; nil if it is, or if nobody does.
  ///
  /// - Returns: The trouble, with a sentence.
  package func trouble(on ports: [UInt16]) -> (Trouble, String)? {
    if let failure {
      return (
        Trouble(.file(.sockets), Trouble.reason(code: failure.code)),
        "listening sockets cannot be listed: \(failure); expected AF_NETLINK to be allowed "
          + "(RestrictAddressFamilies of the unit) and a kernel with sock_diag"
      )
    }
    guard ports.contains(where: { inodes[$0]?.contains(where: unowned.contains) ?? false }),
      entries.values.contains(where: \.isDenied)
    else { return nil }
    return (
      Trouble(.file(.fdLinks), .denied),
      "who listens on port \(ports.map(String.init).joined(separator: " or ")) is not known: the "
        + "descriptors of some processes may not be read; expected CAP_SYS_PTRACE and "
        + "CAP_DAC_READ_SEARCH"
    )
  }

  private func isUnowned(_ ports: [UInt16]) -> Bool {
    ports.contains { inodes[$0]?.contains { owners[$0] == nil } ?? false }
  }

  private func forget() {
    diagnostics = nil
    inodes = [:]
    listening = []
    owners = [:]
    unowned = []
    new = []
    sought = []
    entries = [:]
    failure = nil
  }

  private func dump(_ ports: Set<UInt16>) throws(Errno) -> [UInt16: Set<UInt64>] {
    var found: [UInt16: Set<UInt64>] = [:]
    for table in [SocketDiagnostics.Table.tcp, .tcp6] {
      if diagnostics == nil { diagnostics = try SocketDiagnostics() }
      do throws(Errno) {
        let outcome = try diagnostics?.dump(table, listeners: true, limit: limits.sockets) {
          if let port = $0.port, ports.contains(port) {
            found[port, default: []].insert($0.inode)
          }
        }
        // What is beyond the limit stays in the way of the next answer.
        if outcome == .cut { diagnostics = nil }
      } catch {
        // A kernel may be without IPv6.
        if error != .notFound || table != .tcp6 { throw error }
      }
    }
    return found
  }

  /// Finds the sockets that no living process is known to have.
  private func findOrphans(_ lives: (ProcessIdentity) -> Bool) {
    owners = owners.filter { listening.contains($0.key) }
    unowned.formIntersection(listening)
    sought.formIntersection(listening)
    sought.formUnion(new.intersection(listening))
    new = []
    for (inode, process) in owners where !lives(process) {
      owners[inode] = nil
      // It may be shared.
      for (pid, entry) in entries where entry.inodes.contains(inode) {
        let other = ProcessIdentity(pid: pid, startTicks: entry.startTicks)
        if lives(other) { owners[inode] = other }
      }
    }
    new = listening.filter {
      owners[$0] == nil && !unowned.contains($0) && !sought.contains($0)
    }
    if !new.isEmpty { search &+= 1 }
  }

  private func isDue(_ entry: Entry) -> Bool {
    now >= entry.dueTicks || isSearching && entry.search != search
  }

  private func walk(
    _ process: ProcessIdentity, before: Entry?, _ root: borrowing ProcRoot
  ) -> Entry {
    let age = now > process.startTicks ? now - process.startTicks : 0
    var entry = Entry(
      startTicks: process.startTicks, dueTicks: now &+ max(1, age / 4), search: search)
    var count = 0
    do throws(ProcError) {
      try root.sockets(pid: process.pid, &lister, &buffer) { inode in
        count += 1
        if let inode, listening.contains(inode), !entry.inodes.contains(inode) {
          entry.inodes.append(inode)
        }
        return count < limits.descriptorsPerProcess
      }
    } catch {
      if case .denied = error { entry.isDenied = true }
    }
    left -= count + 1
    // One whose first thread has ended shows nothing, although it has all that it had.
    if count == 0, let before { entry.inodes = before.inodes }
    for inode in entry.inodes {
      owners[inode] = process
      new.remove(inode)
      sought.remove(inode)
      unowned.remove(inode)
    }
    return entry
  }
}

extension DiagnosedSocket {
  /// The port that a TCP socket listens on.
  fileprivate var port: UInt16? {
    switch address {
    case .ipv4(_, let port), .ipv6(_, let port), .any(let port): port
    case .unix, .vsock, nil: nil
    }
  }
}
