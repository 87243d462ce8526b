import Linux

/// A file of `/proc/PID` that numbers come from.
package enum SourceFile: String, Sendable, CaseIterable {
  case stat, statm, status, io, limits, schedstat, cgroup, exe
  /// The directory whose size is the number of open descriptors.
  case fd
  /// The directory of threads, for what a process' own files tell about its first thread only.
  case task
}

/// A set of files.
package struct SourceFiles: OptionSet, Sendable, Hashable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package init(_ files: some Sequence<SourceFile>) {
    rawValue = files.reduce(0) { $0 | 1 << $1.bit }
  }

  package func contains(_ file: SourceFile) -> Bool { rawValue & 1 << file.bit != 0 }
}

extension SourceFile {
  fileprivate var bit: UInt32 {
    switch self {
    case .stat: 0
    case .statm: 1
    case .status: 2
    case .io: 3
    case .limits: 4
    case .schedstat: 5
    case .cgroup: 6
    case .exe: 7
    case .fd: 8
    case .task: 9
    }
  }
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
    case .denied(let file): "\(file.rawValue) cannot be read: permission denied"
    case .late(let file): "\(file.rawValue) has not answered in time"
    case .malformed(let file, let field, let excerpt):
      "\(file.rawValue) is not as the kernel documents it, at \(field): \"\(excerpt)\"; "
        + "please report this"
    case .io(let file, let code): "\(file.rawValue) cannot be read: \(Errno(code))"
    }
  }
}
