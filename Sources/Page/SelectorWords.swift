import Patterns
package import Targets

extension Selector {
  /// The conditions, each as `KEY: VALUE`, with the keys of the configuration; what a variable of
  /// the environment must be is a secret.
  package var words: [String] {
    var words: [String] = []
    func add(_ key: String, _ values: [String]) {
      if !values.isEmpty { words.append("\(key): " + values.joined(separator: " or ")) }
    }
    add("pid", pid.map { ["\($0)"] } ?? [])
    add("pid_file", pidFile.map { [$0] } ?? [])
    add("process_name", processNames.map(\.description))
    add("exe", executables.map(\.description))
    add("argv0", firstArguments.map(\.description))
    for pattern in commandLines { add("cmdline", [pattern.text]) }
    add("user", users.map(\.description))
    add("group", groups.map(\.description))
    add("cgroup", cgroups.map(\.description))
    add("systemd_unit", units.map(\.description))
    add("container", containers.map(\.description))
    add("listen_port", listenPorts.map(String.init))
    for condition in environment { add("environment", ["\(condition.name)=<secret>"]) }
    add("parent", parent.map { [$0] } ?? [])
    add("min_age", minimumAge.map { ["\($0)"] } ?? [])
    return words
  }
}
