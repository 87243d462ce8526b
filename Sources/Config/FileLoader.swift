import Linux

/// Reads the files that a configuration consists of.
struct FileLoader {
  static let tooLong = "the file is longer than \(Limits.fileBytes) bytes"

  /// The name of the directory beside the configuration file.
  static let directoryName = "conf.d"

  private var bytesLeft = Limits.totalBytes

  /// Reads a configuration file and then, in the order of their names, those of `conf.d` beside it.
  ///
  /// What cannot be read is reported, and the others are read all the same.
  mutating func load(_ path: String, isRequired: Bool, _ reader: inout Reader) {
    let directory = Self.directory(of: path)
    let isThere = load(path, &reader)
    // One of process-exporter's stands alone: what is beside it is not read.
    if reader.processExporter != nil { return }
    let names = list(directory, &reader)
    if !isThere, isRequired || names == nil {
      reader.report(
        path, "the file does not exist; create it, or name another one with --config.file")
    }
    for name in names ?? [] where !load(directory + "/" + name, isPart: true, &reader) {
      reader.report(
        directory + "/" + name,
        "the file this link leads to does not exist; correct the link or remove it")
    }
  }

  /// The path of the directory `conf.d` beside a file.
  static func directory(of path: String) -> String {
    let end = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
    return path[..<end] + directoryName
  }

  /// Reads one file; false if it does not exist.
  private mutating func load(
    _ path: String, isPart: Bool = false, _ reader: inout Reader
  ) -> Bool {
    reader.problems.source = path
    let message: String
    do throws(Errno) {
      // Non-blocking, because opening a FIFO would wait for a writer that may never come.
      let file = try openFile(path, [.read, .nonBlocking])
      let facts = try fileFacts(file)
      // A directory of conf.d is none of its files, whatever its name.
      if isPart, FileKind(mode: facts.mode) == .directory { return true }
      if facts.isRegular {
        // One byte more than allowed tells a file of the full size from a longer one.
        var buffer = ReadBuffer(capacity: 1 << 14, limit: Limits.fileBytes + 1)
        try buffer.readAll(file)
        bytesLeft -= buffer.count
        if bytesLeft >= 0 {
          reader.read(buffer.content, file: path, isPart: isPart)
          return true
        }
        message = "the files up to this one have more than \(Limits.totalBytes) bytes together"
      } else {
        message = "expected a regular file, found \(kind(ofMode: facts.mode))"
      }
    } catch .notFound {
      return false
    } catch .accessDenied {
      message = "permission denied; the daemon's user must be able to read the file"
    } catch .fileTooLarge {
      message = Self.tooLong
    } catch .noDeviceOrAddress {
      message = "expected a regular file, found a socket or device"
    } catch {
      message = "cannot read the file: \(error)"
    }
    reader.report(path, message)
    return true
  }

  /// The names of the files in a directory that count, in the order of their bytes; nil if there is
  /// no such directory.
  private func list(_ directory: String, _ reader: inout Reader) -> [String]? {
    let entries: [[UInt8]]
    do throws(Errno) {
      let handle = try openFile(directory, [.read, .directory])
      var lister = DirectoryReader()
      entries = try lister.names(in: handle, limit: Limits.directoryEntries + 1)
    } catch .notFound {
      return nil
    } catch {
      reader.report(directory, "cannot list the directory: \(error)")
      return []
    }
    let names = entries.filter(Self.counts).sorted { $0.lexicographicallyPrecedes($1) }
    if entries.count > Limits.directoryEntries || names.count > Limits.directoryFiles {
      reader.report(
        directory,
        "expected at most \(Limits.directoryFiles) configuration files among"
          + " \(Limits.directoryEntries) entries; put targets together into fewer files")
      return []
    }
    return names.compactMap { bytes in
      let name = String(decoding: bytes, as: UTF8.self)
      if Array(name.utf8) == bytes, !hasControlCharacters(name) { return name }
      reader.report(
        directory,
        "the file name \(quoted(name)) is not valid UTF-8 or has control characters; rename it")
      return nil
    }
  }

  /// Whether a name in `conf.d` is that of a configuration file: it ends in `.yaml` or `.yml` and
  /// is not hidden, as an editor's lock file is.
  private static func counts(_ name: [UInt8]) -> Bool {
    let endings = [".yaml", ".yml"].map { Array($0.utf8) }
    return name.first != UInt8(ascii: ".") && endings.contains { name.suffix($0.count) == $0[...] }
  }
}

extension Reader {
  /// Notes that a file as a whole cannot be used.
  fileprivate mutating func report(_ source: String, _ message: String) {
    problems.source = source
    problems.add(nil, message)
    isComplete = false
  }
}

/// What a file is that is not a regular one.
private func kind(ofMode mode: UInt32) -> String {
  switch FileKind(mode: mode) {
  case .directory: "a directory"
  case .pipe: "a FIFO"
  default: "a device"
  }
}
