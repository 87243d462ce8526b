/// Which processes a target consists of.
///
/// Every condition that is given must hold.
package struct Selector: Sendable, Hashable {
  /// The process with this number.
  package var pid: Int32?
  /// The process whose number stands on the first line of this file.
  package var pidFile: String?
  /// Patterns for the process name (`/proc/PID/comm`, at most 15 bytes); one of them must fit.
  package var processNames: [Glob]
  /// Patterns for the executable's path (`/proc/PID/exe`); one of them must fit.
  package var executables: [Glob]

  package init(
    pid: Int32? = nil, pidFile: String? = nil, processNames: [Glob] = [],
    executables: [Glob] = []
  ) {
    self.pid = pid
    self.pidFile = pidFile
    self.processNames = processNames
    self.executables = executables
  }

  /// Whether no condition is given; such a selector would choose every process.
  package var isEmpty: Bool {
    pid == nil && pidFile == nil && processNames.isEmpty && executables.isEmpty
  }
}

/// One entry of the configuration's `targets`: a name and the processes it stands for.
///
/// A process belongs to the first rule, in file order, that fits it.
package struct Rule: Sendable, Hashable {
  package var name: String
  package var selector: Selector
  /// Whether descendants of the chosen processes belong to the target, unless another rule fits
  /// them.
  package var includesChildren: Bool

  package init(name: String, selector: Selector, includesChildren: Bool = false) {
    self.name = name
    self.selector = selector
    self.includesChildren = includesChildren
  }
}
