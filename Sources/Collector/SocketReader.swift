import Linux
import ProcFS
import Targets

/// Finds sockets in the tables of their network namespaces, each dumped once a collection however
/// many targets ask.
///
/// A descriptor tells the inode of its socket and nothing else; an inode means the same socket in
/// every namespace. First all inodes of a collection are gathered, then the tables are dumped, so
/// that only what is asked for is kept and a socket that is younger than its table is not missed.
final class SocketReader {
  var limits = CollectorLimits()
  /// The namespace of this process; nil in a recorded tree.
  private let own: UInt64?
  /// By inode, all that are asked for in this collection; nil until found.
  private var wanted: [UInt64: DiagnosedSocket?] = [:]
  /// By namespace whose sockets are asked for, a process through which it can be entered.
  private var doors: [UInt64: Member] = [:]
  private var failures: [UInt64: Failure] = [:]
  private var file = ReadBuffer(capacity: 4096, limit: 1 << 16)

  /// Why the tables of a namespace do not tell everything.
  struct Failure {
    /// Nil if a process has just ended, which is none.
    var trouble: Trouble?
    var detail: String
  }

  init(own: UInt64?) { self.own = own }

  func begin() {
    wanted.removeAll(keepingCapacity: true)
    failures.removeAll(keepingCapacity: true)
  }

  /// Asks for the sockets of one process.
  ///
  /// - Returns: The namespace in whose tables they are looked for; nil when the process has ended
  ///   or its namespace cannot be told.
  func want(_ inodes: some Sequence<UInt64>, _ member: Member, _ target: Target) -> UInt64? {
    do throws(ProcError) {
      let namespace = try member.handle.networkNamespace(&file)
      for inode in inodes { wanted.updateValue(nil, forKey: inode) }
      if doors[namespace] == nil { doors[namespace] = member }
      return namespace
    } catch {
      target.note(error, pid: member.pid)
      return nil
    }
  }

  /// Dumps the tables of all namespaces that are asked for.
  func resolve() {
    // In a fixed order, so that it is always the same ones that a limit leaves out.
    for (place, number) in doors.keys.sorted(by: isBefore).enumerated() {
      guard let member = doors[number] else { continue }
      failures[number] =
        place < limits.networkNamespaces
        ? dump(number, member)
        : Failure(
          trouble: Trouble(.file(.sockets), .limit),
          detail: "processes are in more than \(limits.networkNamespaces) network namespaces "
            + "(limits.network_namespaces); the sockets of process \(member.pid) are left out")
    }
    // A process that ends must not be held until the next collection.
    doors.removeAll(keepingCapacity: true)
  }

  /// The socket of an inode; nil if no table has it.
  func socket(_ inode: UInt64) -> DiagnosedSocket? { wanted[inode] ?? nil }

  /// Why the tables of a namespace do not tell everything; nil if they do.
  func failure(_ namespace: UInt64) -> Failure? { failures[namespace] }

  /// Whether a descriptor still stands for a socket.
  func stands(_ number: Int32, of member: Member, for inode: UInt64) -> Bool {
    member.handle.socketInode(of: number, &file) == inode
  }

  private func isBefore(_ left: UInt64, _ right: UInt64) -> Bool {
    left == own || right != own && left < right
  }

  private func dump(_ number: UInt64, _ member: Member) -> Failure? {
    do throws(ProcError) {
      if number == own { return dump(try diagnostics(), member) }
      return dump(try diagnostics(through: member), member)
    } catch {
      // A process that has just ended is no trouble, only what it had is not known.
      return Failure(
        trouble: Trouble(error),
        detail: "the sockets of process \(member.pid) are left out: \(error); "
          + (number == own
            ? "expected AF_NETLINK to be allowed (RestrictAddressFamilies of the unit)"
            : "expected CAP_SYS_ADMIN and CAP_SYS_PTRACE, to enter its network namespace"))
    }
  }

  private func dump(_ diagnostics: consuming SocketDiagnostics, _ member: Member) -> Failure? {
    var left = limits.socketsPerNamespace
    for table in SocketDiagnostics.Table.allCases {
      do throws(Errno) {
        let outcome = try diagnostics.dump(table, limit: left) { socket in
          left -= 1
          if wanted[socket.inode] != nil { wanted[socket.inode] = socket }
        }
        if outcome == .cut {
          return Failure(
            trouble: Trouble(.file(.sockets), .limit),
            detail: "the network namespace of process \(member.pid) has more than "
              + "\(limits.socketsPerNamespace) sockets (limits.sockets_per_namespace); "
              + "the others are left out")
        }
      } catch {
        return Failure(
          trouble: Trouble(.io(.sockets, code: error.code)),
          detail: "the \(table.rawValue) sockets of the network namespace of process "
            + "\(member.pid) cannot be listed: \(error); expected a kernel with sock_diag")
      }
    }
    return nil
  }

  /// The tables of this process' own namespace.
  private func diagnostics() throws(ProcError) -> SocketDiagnostics {
    do throws(Errno) {
      return try SocketDiagnostics()
    } catch {
      throw .io(.sockets, code: error.code)
    }
  }

  /// The tables of the namespace that another process is in.
  private func diagnostics(through member: Member) throws(ProcError) -> SocketDiagnostics {
    let namespace = try member.handle.openNetworkNamespace(&file)
    do throws(Errno) {
      return try SocketDiagnostics(namespace: namespace)
    } catch {
      throw .io(.networkNamespace, code: error.code)
    }
  }
}
