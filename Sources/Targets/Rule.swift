package import Patterns

/// Conditions on a process; every one that is given must hold.
///
/// Of a list one item must fit, except of ``commandLines``, which must all fit.
package struct Selector: Sendable, Hashable {
  /// The process with this number.
  package var pid: Int32?
  /// The process whose number stands on the first line of this file.
  package var pidFile: String?
  /// For the process name (`/proc/PID/comm`, at most 15 bytes).
  package var processNames: [Glob] = []
  /// For the executable's path (`/proc/PID/exe`).
  package var executables: [Glob] = []
  /// For the first word of the command line.
  package var firstArguments: [Glob] = []
  /// For the command line, its words separated by blanks.
  package var commandLines: [Pattern] = []
  /// For the name or the number of the effective user.
  package var users: [Glob] = []
  /// For the name or the number of the effective group.
  package var groups: [Glob] = []
  /// For the path of the control group.
  package var cgroups: [Glob] = []
  /// For the service or scope of the service manager.
  package var units: [Glob] = []
  /// For the container's identifier, whole or its first twelve digits, its name or its pod's uid.
  package var containers: [Glob] = []
  /// TCP ports; a socket of the process listens on one of them.
  package var listenPorts: [UInt16] = []
  /// For variables of the environment.
  package var environment: [EnvironmentCondition] = []
  /// The name of a target that an ancestor belongs to.
  package var parent: String?
  /// How long the process has been running at least.
  package var minimumAge: Duration?

  package struct EnvironmentCondition: Sendable, Hashable {
    package var name: String
    package var value: Glob

    package init(name: String, value: Glob) {
      self.name = name
      self.value = value
    }
  }

  package init(
    pid: Int32? = nil, pidFile: String? = nil, processNames: [Glob] = [],
    executables: [Glob] = []
  ) {
    self.pid = pid
    self.pidFile = pidFile
    self.processNames = processNames
    self.executables = executables
  }

  /// Whether no condition is given; such a selector chooses every process.
  package var isEmpty: Bool { self == Selector() }
}

/// One entry of the configuration's `targets`: a name and the processes it stands for.
///
/// A process belongs to the first rule, in file order, that fits it. A rule whose name or labels
/// have variables makes a target for each of their values.
package struct Rule: Sendable, Hashable {
  package var name: Template
  /// Labels beside the name.
  package var labels: [LabelTemplate] = []
  package var selector: Selector
  /// A process that one of these fits is not chosen by this rule.
  package var exclusions: [Selector] = []
  /// Where its processes tell something over HTTP, which may be another place for each.
  package var url: Template?
  /// Whether descendants of the chosen processes belong to the target, unless another rule fits
  /// them.
  package var includesChildren: Bool
  /// Whether every process is a target of its own, with a label `pid`.
  package var isPerProcess = false
  /// Whether a pid file counts that users could have written who are neither root nor the owner of
  /// the process.
  package var trustsPidFile = false
  /// How long a target that came from variables is kept without processes.
  package var forgetAfter = Duration.seconds(3600)

  package struct LabelTemplate: Sendable, Hashable {
    package var name: String
    package var value: Template

    package init(_ name: String, _ value: Template) {
      self.name = name
      self.value = value
    }
  }

  package init(
    name: Template, labels: [LabelTemplate] = [], selector: Selector,
    includesChildren: Bool = false
  ) {
    self.name = name
    self.labels = labels
    self.selector = selector
    self.includesChildren = includesChildren
  }

  package init(
    name: String, labels: [LabelTemplate] = [], selector: Selector, includesChildren: Bool = false
  ) {
    self.init(
      name: Template(name), labels: labels, selector: selector, includesChildren: includesChildren)
  }

  /// What name, labels and URL show of a process.
  var variables: [Template.Variable] {
    ([name] + labels.map(\.value) + [url].compactMap { $0 }).flatMap(\.variables)
  }

  /// Its one target, if it is the same for every process.
  package var fixedKey: TargetKey? {
    guard !isPerProcess, let name = name.fixed else { return nil }
    var key = TargetKey(name: name)
    for label in labels {
      guard let value = label.value.fixed else { return nil }
      key.labels.append(TargetKey.Label(name: label.name, value: value))
    }
    key.sort()
    return key
  }
}

/// What tells a target from every other one: the labels that all its series carry.
package struct TargetKey: Sendable, Hashable {
  package struct Label: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The value of the label `target`.
  package var name: String
  /// The others, as configured.
  package var labels: [Label] = []

  package init(name: String, labels: [Label] = []) {
    self.name = name
    self.labels = labels
  }

  /// Puts the labels in order, so that the same ones make the same key.
  mutating func sort() { labels.sort { $0.name < $1.name } }
}

extension TargetKey: Comparable {
  /// By name, then by labels: the order of a page.
  package static func < (left: TargetKey, right: TargetKey) -> Bool {
    if left.name != right.name { return left.name < right.name }
    return left.labels.lexicographicallyPrecedes(right.labels) {
      ($0.name, $0.value) < ($1.name, $1.value)
    }
  }
}
