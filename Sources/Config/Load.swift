package import Collector
import Linux

/// The checked settings of a configuration file and the command line.
package struct Configuration: Sendable, Hashable {
  /// What is collected; without targets the daemon watches itself.
  package var collector: CollectorSettings
  /// What is collected for targets that do not say it.
  package var defaultSelection: Selection
  /// The most targets there may be.
  package var targetLimit: Int
  /// Whether they are those of process-exporter, in its words.
  package var isProcessExporter = false

  /// The settings that hold without a file.
  package init() {
    let draft = Draft()
    self.init(
      collector: CollectorSettings(targets: [], limits: draft.limits),
      defaultSelection: draft.defaultSelection, targetLimit: draft.targetLimit)
  }

  init(collector: CollectorSettings, defaultSelection: Selection, targetLimit: Int) {
    self.collector = collector
    self.defaultSelection = defaultSelection
    self.targetLimit = targetLimit
  }
}

extension Configuration {
  /// Reads and checks a configuration file.
  ///
  /// - Parameters:
  ///   - path: A regular file; links are followed.
  ///   - flags: What the command line says if the file is one of process-exporter's.
  /// - Returns: The settings.
  /// - Throws: Everything that is wrong with the file.
  package static func load(
    path: String, _ flags: ProcessExporterFlags = ProcessExporterFlags()
  ) throws(ConfigError) -> Configuration {
    try parse(text: try readConfigurationFile(path), file: path, flags)
  }

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
    var problems = Problems(source: file)
    if text.count > Limits.fileBytes {
      problems.add(nil, tooLong)
      try problems.check()
    }
    let root = Node.parse(text, &problems)
    if let root, ProcessExporterReader.isMeant(by: root) {
      var reader = ProcessExporterReader(problems: problems, flags: flags)
      reader.readDocument(root)
      return try reader.finished()
    }
    var reader = Reader(table: KeyTable(), problems: problems)
    if let root { reader.readDocument(root) }
    try reader.problems.check()
    return reader.configuration
  }
}

extension Problems {
  /// Throws what was found, if anything.
  func check() throws(ConfigError) {
    if let error { throw error }
  }
}

private let tooLong = "the file is longer than \(Limits.fileBytes) bytes"

/// The content of a configuration file.
private func readConfigurationFile(_ path: String) throws(ConfigError) -> [UInt8] {
  let message: String
  do throws(Errno) {
    // Non-blocking, because opening a FIFO would wait for a writer that may never come.
    let file = try openFile(path, [.read, .nonBlocking])
    let facts = try fileFacts(file)
    if facts.isRegular {
      // One byte more than allowed tells a file of the full size from a longer one.
      var buffer = ReadBuffer(capacity: 1 << 14, limit: Limits.fileBytes + 1)
      try buffer.readAll(file)
      return Array(buffer.storage.prefix(buffer.count))
    }
    message = "expected a regular file, found \(kind(ofMode: facts.mode))"
  } catch .notFound {
    message = "the file does not exist; create it, or name another one with --config.file"
  } catch .accessDenied {
    message = "permission denied; the daemon's user must be able to read the file"
  } catch .fileTooLarge {
    message = tooLong
  } catch .noDeviceOrAddress {
    message = "expected a regular file, found a socket or device"
  } catch {
    message = "cannot read the file: \(error)"
  }
  throw ConfigError(problems: [Problem(source: path, position: nil, message: message)], total: 1)
}

/// What a file is that is not a regular one; the numbers are those of `inode(7)`.
private func kind(ofMode mode: UInt32) -> String {
  switch mode & 0o170000 {
  case 0o040000: "a directory"
  case 0o010000: "a FIFO"
  default: "a device"
  }
}
