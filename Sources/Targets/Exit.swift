import Linux

/// How a process of a target ended, as it is counted.
package struct Exit: Hashable, Sendable {
  /// The value of the label `reason`.
  package enum Reason: String, Sendable {
    case exited, signalled, dumped, unknown
  }

  package let reason: Reason
  /// The value of the label `status`: the exit code, the signal's name or nothing.
  package let status: String

  init(_ status: ExitStatus?) {
    switch status {
    case .exited(let code):
      reason = .exited
      self.status = String(code)
    case .signalled(let signal, let coreDumped):
      reason = coreDumped ? .dumped : .signalled
      self.status = signalName(signal)
    case nil:
      reason = .unknown
      self.status = ""
    }
  }
}
