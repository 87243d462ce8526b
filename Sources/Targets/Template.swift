/// A text with places for what is known of a process, for names and labels.
package struct Template: Sendable, Hashable {
  /// What a place stands for.
  package enum Variable: Sendable, Hashable {
    /// The process name.
    case comm
    /// The executable's path, where `/proc/PID/exe` points.
    case exe
    /// The first word of the command line, as it is or without directories.
    case argv0(isBase: Bool)
    /// The effective user's name, or number where it has none.
    case user
    case uid
    case pid
    /// The service or scope of the service manager.
    case unit
    /// The path of the control group.
    case cgroup
    /// The paths of all control groups, between brackets, as process-exporter writes them.
    case cgroups
    /// The container's identifier or name.
    case container
    /// The pod's uid.
    case pod
    /// A variable of its environment.
    case environment(String)
    /// What a named group of the rule's regular expressions caught.
    case capture(String)
    /// What the first of these groups caught that caught something.
    case firstCapture([String])
    /// When it started, as process-exporter writes it.
    case startTime
  }

  package enum Part: Sendable, Hashable {
    case literal(String)
    case variable(Variable)
  }

  package var parts: [Part]

  package init(_ parts: [Part]) { self.parts = parts }

  /// A text without places.
  package init(_ literal: String) { parts = [.literal(literal)] }

  package var variables: [Variable] {
    parts.compactMap { if case .variable(let variable) = $0 { variable } else { nil } }
  }

  /// The text, if it is the same for every process.
  package var fixed: String? { variables.isEmpty ? expanded { _ in "" } : nil }

  /// The text for one process.
  package func expanded(_ value: (Variable) -> String) -> String {
    parts.map { part in
      switch part {
      case .literal(let text): text
      case .variable(let variable): value(variable)
      }
    }.joined()
  }
}

extension Template: CustomStringConvertible {
  /// As it stands in a configuration file.
  package var description: String {
    expanded { "${\($0.name)}" }
  }
}

extension Template.Variable {
  /// As it stands between the braces.
  package var name: String {
    switch self {
    case .comm: "comm"
    case .exe: "exe"
    case .argv0(let isBase): isBase ? "argv0_base" : "argv0"
    case .user: "user"
    case .uid: "uid"
    case .pid: "pid"
    case .unit: "unit"
    case .cgroup: "cgroup"
    case .cgroups: "cgroups"
    case .container: "container"
    case .pod: "pod"
    case .environment(let name): "env.\(name)"
    case .capture(let name): name
    case .firstCapture(let names): names.joined(separator: "|")
    case .startTime: "start_time"
    }
  }
}
