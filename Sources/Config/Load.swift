package import Collector

/// The checked settings of a configuration file and the command line.
package struct Configuration: Sendable, Hashable {
  /// What is collected; without targets the daemon watches itself.
  package var collector: CollectorSettings
  /// What is collected for targets that do not say it.
  package var defaultSelection: Selection
  /// How long targets that came from variables are kept without processes, where they do not say it.
  package var defaultForgetAfter: Duration
  /// What holds for Go figures that programs tell themselves.
  var goDefaults: GoDefaults
  /// The variables of the environment that names and labels may show.
  package var allowedEnvironment: [String]
  /// Thresholds of targets that do not say otherwise.
  package var thresholds: Thresholds
  /// Whom metrics are pushed to.
  package var pushing: Pushing
  /// The files that were read, in that order.
  package var files: [String] = []
  /// Whether they are those of process-exporter, in its words.
  package var isProcessExporter = false

  /// The settings that hold without a file.
  package init() {
    let draft = Draft()
    self.init(collector: CollectorSettings(targets: [], limits: draft.limits), draft)
  }

  init(collector: CollectorSettings, _ draft: Draft) {
    self.collector = collector
    defaultSelection = draft.defaultSelection
    defaultForgetAfter = draft.defaultForgetAfter
    goDefaults = draft.goDefaults
    allowedEnvironment = draft.allowedEnvironment
    pushing = draft.pushing
    thresholds = draft.thresholds.levels
  }
}

extension Configuration {
  /// The settings that are not about one target, in the order of the reference, with their values
  /// as they would stand in a file.
  package var settings: [(path: String, value: String)] {
    var draft = Draft()
    draft.defaultSelection = defaultSelection
    draft.defaultForgetAfter = defaultForgetAfter
    draft.goDefaults = goDefaults
    draft.allowedEnvironment = allowedEnvironment
    draft.limits = collector.limits
    draft.names = collector.names
    draft.pushing = pushing
    draft.thresholds.levels = thresholds
    draft.restartInterval = collector.restartInterval
    return KeyTable().keys.compactMap { key in
      guard key.isValue, !key.path.utf8.contains(UInt8(ascii: "[")) else { return nil }
      return (key.path, key.shown(draft) ?? "")
    }
  }

  /// Reads and checks a configuration file and those of the directory `conf.d` beside it.
  ///
  /// - Parameters:
  ///   - path: A regular file; links are followed.
  ///   - isRequired: Whether the file itself must exist where there is a `conf.d`.
  ///   - flags: What the command line says if the file is one of process-exporter's.
  /// - Returns: The settings.
  /// - Throws: Everything that is wrong with the files.
  package static func load(
    path: String, isRequired: Bool = true,
    _ flags: ProcessExporterFlags = ProcessExporterFlags()
  ) throws(ConfigError) -> Configuration {
    var reader = Reader(table: KeyTable(), problems: Problems(source: path))
    var loader = FileLoader()
    loader.load(path, isRequired: isRequired, &reader)
    return try reader.finished(flags)
  }

  /// The path of the directory beside a configuration file whose files belong to it.
  package static func directory(of path: String) -> String { FileLoader.directory(of: path) }

  /// Checks the text of a configuration file.
  ///
  /// - Parameters:
  ///   - text: YAML 1.1 in UTF-8: one document without anchors, aliases, merge keys and tags.
  ///   - file: The file's name, for messages.
  ///   - flags: What the command line says if the text is one of process-exporter's.
  /// - Returns: The settings; those that hold without a file where the text is empty.
  /// - Throws: Everything that is wrong with the text.
  package static func parse(
    text: [UInt8], file: String, _ flags: ProcessExporterFlags = ProcessExporterFlags()
  ) throws(ConfigError) -> Configuration {
    var reader = Reader(table: KeyTable(), problems: Problems(source: file))
    if text.count > Limits.fileBytes {
      reader.problems.add(nil, FileLoader.tooLong)
    } else {
      reader.read(text, file: file)
    }
    return try reader.finished(flags)
  }
}

extension Reader {
  /// The settings of all that was read.
  fileprivate mutating func finished(
    _ flags: ProcessExporterFlags
  ) throws(ConfigError) -> Configuration {
    if let processExporter {
      var reader = ProcessExporterReader(problems: problems, flags: flags)
      reader.readDocument(processExporter)
      var configuration = try reader.finished()
      configuration.files = files
      return configuration
    }
    checkTargets()
    checkPushing()
    try problems.check()
    return configuration
  }
}

extension Problems {
  /// Throws what was found, if anything.
  func check() throws(ConfigError) {
    if let error { throw error }
  }
}
