/// A set of families that a target switches on together; see `collect` in the configuration.
package enum Group: String, Sendable, CaseIterable {
  case core, cpu, memory, io, sched, fds, sockets, network, lifecycle

  /// Whether the default set has its families, but for rows that say otherwise.
  package var isDefault: Bool {
    switch self {
    case .core, .cpu, .memory, .io, .sched, .lifecycle: true
    case .fds, .sockets, .network: false
    }
  }

  /// One or more sentences for the reference, with what holds for several processes.
  package var summary: String {
    switch self {
    case .core: "What every Prometheus client library reports about its own process."
    case .cpu: "CPU time by mode."
    case .memory: "Resident memory by kind, peaks, page faults and the rest of the address space."
    case .io: "Bytes and system calls of reading and writing."
    case .sched: "Context switches."
    case .fds:
      "Open descriptors by kind. A file that several processes have open counts once for each."
    case .sockets:
      """
      Sockets by protocol and state, TCP traffic, and queues of connections that wait to be \
      accepted. A socket that several processes have open counts once. IPv6 counts as `tcp` and \
      `udp`. Protocol `other` is what no table of the kernel has: netlink and packet sockets, and \
      TCP and UDP sockets that have no address yet or any more. A connection in TIME_WAIT has no \
      process, nor has one that waits to be accepted. Sockets of another network namespace than \
      procvitals' own need CAP_SYS_ADMIN and are left out without it.
      """
    case .network:
      """
      Traffic of the whole network namespaces that the processes are in: unless a target has one \
      to itself, as in a container, other programs' bytes are among them. A namespace counts \
      once, however many processes are in it, and with all that it had when it was first seen. \
      Loopback is included, IPv6 is not.
      """
    case .lifecycle: "Starts and exits of the target's processes."
    }
  }
}

/// Which families are collected for a target.
package struct Selection: Sendable, Hashable {
  /// Whether the families of the default set are on, whatever their group.
  package var includesDefault: Bool
  /// Groups that are on as a whole.
  package var groups: Set<Group>

  package init(includesDefault: Bool = true, groups: Set<Group> = []) {
    self.includesDefault = includesDefault
    self.groups = groups
  }

  /// Whether a row is on.
  func includes(_ group: Group, isDefault: Bool) -> Bool {
    includesDefault && isDefault || groups.contains(group)
  }
}
