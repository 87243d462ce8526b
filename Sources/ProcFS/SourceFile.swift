package import Linux

/// A file of `/proc/PID` that numbers come from, or what is found through one.
package enum SourceFile: UInt8, Sendable, CaseIterable {
  case stat, statm, status, io, limits, schedstat, cgroup, exe, wchan
  /// The directory whose size is the number of open descriptors.
  case fd
  /// What each entry of that directory points to.
  case fdLinks
  /// The directory of threads; with it, the other files of a row are those of each thread.
  case task
  /// Files of the control groups that a process is in.
  case cgroupFiles
  /// `*.pressure` of the control group that a process is in.
  case pressure
  /// How many processes the kernel has killed for memory.
  case oomKills
  case oomScore, oomScoreAdj, maps, smapsRollup, cmdline, environ
  /// The memory of a Go program's runtime.
  case mem
  /// What went through a network namespace.
  case netStatistics
  /// The network namespace itself, to enter it.
  case networkNamespace
  /// The socket tables of a network namespace, which netlink tells.
  case sockets
  /// No file, but the kernel's accounting of delays through netlink.
  case taskstats

  /// Its name below `/proc/PID`, or what it is called where it is no single file; the value of the
  /// label `source`.
  package var name: String {
    switch self {
    case .stat: "stat"
    case .statm: "statm"
    case .status: "status"
    case .io: "io"
    case .limits: "limits"
    case .schedstat: "schedstat"
    case .cgroup: "cgroup"
    case .exe: "exe"
    case .wchan: "wchan"
    case .fd: "fd"
    case .fdLinks: "fd_links"
    case .task: "task"
    case .cgroupFiles: "cgroup_files"
    case .pressure: "pressure"
    case .oomKills: "oom_kills"
    case .oomScore: "oom_score"
    case .oomScoreAdj: "oom_score_adj"
    case .maps: "maps"
    case .smapsRollup: "smaps_rollup"
    case .cmdline: "cmdline"
    case .environ: "environ"
    case .mem: "mem"
    case .netStatistics: "net/netstat"
    case .networkNamespace: "ns/net"
    case .sockets: "sockets"
    case .taskstats: "taskstats"
    }
  }
}

extension SourceFile {
  /// The capabilities that reading it of another user's process takes, as measured on Linux 6.18.
  package var needs: [Capability] {
    switch self {
    // Readable by any user, but for the mount option `hidepid`.
    case .stat, .statm, .status, .limits, .schedstat, .cgroup, .task, .oomScore, .oomScoreAdj,
      .cmdline:
      [.sysPtrace]
    // To enter it takes CAP_SYS_ADMIN beside.
    case .networkNamespace: [.sysAdmin, .sysPtrace]
    case .netStatistics, .sockets: [.sysPtrace]
    case .exe, .wchan, .mem: [.sysPtrace]
    // Since Linux 6.2 the size tells it to anybody.
    case .fd: [.dacReadSearch]
    case .io, .fdLinks, .environ: [.dacReadSearch, .sysPtrace]
    // Less than CAP_SYS_PTRACE, which also does it.
    case .maps, .smapsRollup: [.perfmon]
    // Anybody may read these; where a directory above them may not be passed, this helps.
    case .cgroupFiles, .pressure, .oomKills: [.dacReadSearch]
    case .taskstats: [.netAdmin]
    }
  }
}

/// A set of files.
package struct SourceFiles: OptionSet, Sendable, Hashable {
  package let rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package init(_ files: some Sequence<SourceFile>) {
    rawValue = files.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
  }

  package func contains(_ file: SourceFile) -> Bool { rawValue & 1 << UInt64(file.rawValue) != 0 }
}

/// Why a file of a process yielded nothing.
package enum ProcError: Error, Equatable, Sendable {
  /// The process ended while it was looked at (ENOENT or ESRCH).
  case gone
  /// Permission is missing (EACCES or EPERM).
  case denied(SourceFile)
  /// It did not answer within the time of the collection.
  case late(SourceFile)
  /// The content was not as the kernel documents it: a bug here or a new kernel.
  case malformed(SourceFile, field: String, excerpt: String)
  /// Any other failure.
  case io(SourceFile, code: Int32)
}

extension ProcError: CustomStringConvertible {
  /// What went wrong, for the log: "io cannot be read: permission denied".
  package var description: String {
    switch self {
    case .gone: "it has ended"
    case .denied(let file): "\(file.name) cannot be read: permission denied"
    case .late(let file): "\(file.name) has not answered in time"
    case .malformed(let file, let field, let excerpt):
      "\(file.name) is not as the kernel documents it, at \(field): \"\(excerpt)\"; "
        + "please report this"
    case .io(let file, let code): "\(file.name) cannot be read: \(Errno(code))"
    }
  }
}
