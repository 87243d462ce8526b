/// Bounds on what a configuration file can make this room do or hold.
enum Limits {
  /// Bytes of a configuration file.
  static let fileBytes = 4 << 20
  /// Files of `conf.d`.
  static let directoryFiles = 1000
  /// Entries of `conf.d`, those that do not count included.
  static let directoryEntries = 10_000
  /// Bytes of a configuration file and those of its `conf.d` together.
  static let totalBytes = 16 << 20
  /// Lists and mappings inside each other.
  static let nesting = 32
  /// Problems of a file that are remembered; later ones are only counted.
  static let keptProblems = 1000
  /// Problems of a file that are shown.
  static let shownProblems = 20
  /// Characters of the operator's text that a message repeats.
  static let excerptCharacters = 60
  /// Bytes of a key for which a similar known key is looked for.
  static let suggestionBytes = 64
  /// Names of targets among which a similar one is looked for.
  static let suggestionNames = 2000
  /// Bytes of a target's name.
  static let nameBytes = 128
  /// Bytes of a path: `PATH_MAX` without its NUL.
  static let pathBytes = 4095
  /// Bytes of a process name: `TASK_COMM_LEN` without its NUL.
  static let commBytes = 15
  /// Bytes of a unit's name (`UNIT_NAME_MAX` of systemd).
  static let unitBytes = 255
  /// Entries of one list of patterns.
  static let patterns = 1000
  /// Entries of one target's `exclude`.
  static let exclusions = 100
  /// Variables of one name or label.
  static let variables = 32
  /// Labels of one target.
  static let labels = 64
  /// Bytes of a label's name and of its value.
  static let labelBytes = 1024
  /// Headers of a push.
  static let headers = 32
  /// Bytes of a web configuration and of each file that it names.
  static let webFileBytes = 1 << 20
  /// Entries of `basic_auth_users`, and of each list of a web configuration.
  static let webEntries = 1000
  /// How long the files of a web configuration have to stay as they are before one that protects
  /// less is believed: whoever writes them may not be done.
  static let webCalm = Duration.milliseconds(250)
  /// How often in a row that is waited for.
  static let webCalmReadings = 10
  /// Bytes of a field's value in a web configuration.
  static let webFieldBytes = 8 << 10
}
