package import Linux
package import ProcFS

/// Something about a target that could not be found out, as it is counted and logged.
package struct Trouble: Hashable, Sendable {
  /// What could not be read.
  package enum Source: Hashable, Sendable {
    case pidFile
    case file(SourceFile)
    /// The list of processes, or taking hold of one of them.
    case process
    /// Its place on the page.
    case series
    /// A target that variables would make.
    case target
    /// What a program tells of its Go runtime over HTTP.
    case goURL

    /// What reading it takes where it is denied.
    package var needs: [Capability] {
      switch self {
      case .pidFile: [.dacReadSearch]
      case .file(let file): file.needs
      // Hidden by the mount option `hidepid`.
      case .process: [.sysPtrace]
      case .series, .target, .goURL: []
      }
    }

    /// The value of the label `source`.
    package var label: String {
      switch self {
      case .pidFile: "pid_file"
      case .file(let file): file.name
      case .process: "process"
      case .series: "series"
      case .target: "target"
      case .goURL: "go_url"
      }
    }
  }

  /// Why it could not be read; the value of the label `reason`.
  package enum Reason: String, Hashable, Sendable {
    /// The file does not exist.
    case missing
    /// Permission is missing.
    case denied
    /// The file has no content.
    case empty
    /// The content is not what it should be.
    case malformed
    /// The number in the pid file belongs to a process that cannot have written it.
    case stale
    /// Somebody can write it who has no say over the process it names, or it is another machine that
    /// was not allowed.
    case untrusted
    /// No process has the number.
    case gone
    /// It is a directory, device, FIFO or socket.
    case irregular
    /// The file is longer than such a file can be.
    case tooLarge = "too_large"
    /// It did not answer in time.
    case late
    /// A limit of the configuration leaves it out.
    case limit
    /// This daemon may not open more descriptors.
    case descriptors
    /// Any other failure.
    case failed
  }

  package var source: Source
  package var reason: Reason

  package init(_ source: Source, _ reason: Reason) {
    self.source = source
    self.reason = reason
  }

  /// The trouble that a failed read of a process stands for; nil when it has just ended, which is
  /// none.
  package init?(_ error: ProcError) {
    switch error {
    case .gone: return nil
    case .denied(let file): self.init(.file(file), .denied)
    case .late(let file): self.init(.file(file), .late)
    case .malformed(let file, _, _): self.init(.file(file), .malformed)
    case .io(let file, let code): self.init(.file(file), Self.reason(code: code))
    }
  }

  static func reason(code: Int32) -> Reason {
    switch Errno(code) {
    case .notFound: .missing
    case .accessDenied, .notPermitted: .denied
    case .tooManyOpenFiles, .tooManyOpenFilesInSystem: .descriptors
    case .fileTooLarge: .tooLarge
    default: .failed
    }
  }
}
