import Glibc

/// A directory for one test, removed with all that is in it when the test lets go of it.
package final class TemporaryDirectory {
  package let path: String

  package init() throws {
    var name = Array("/tmp/procvitals-test-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw FileFailure("/tmp") }
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    chmod(path, 0o755)
  }

  deinit { removeTree(path) }
}

/// A file that could not be read or written.
package struct FileFailure: Error, CustomStringConvertible {
  package let description: String

  init(_ path: String) { description = "\(path): \(String(cString: strerror(errno)))" }
}

/// The top of the project, with a slash at its end.
package let projectDirectory: String = {
  // This file is Tests/TestSupport/TestFiles.swift.
  let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  return parts.dropLast(3).joined(separator: "/") + "/"
}()

/// The bytes of a file; a relative path starts at the top of the project.
package func contents(_ path: String) throws -> [UInt8] {
  let full = path.hasPrefix("/") ? path : projectDirectory + path
  guard let file = fopen(full, "re") else { throw FileFailure(full) }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let got = fread(&chunk, 1, chunk.count, file)
    if got == 0 { return bytes }
    bytes += chunk[..<got]
  }
}

/// Makes or overwrites a file; a relative path starts at the top of the project.
package func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  let full = path.hasPrefix("/") ? path : projectDirectory + path
  guard let file = fopen(full, "we") else { throw FileFailure(full) }
  defer { fclose(file) }
  guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw FileFailure(full) }
}

/// Removes a file, or a directory with all that is in it.
package func removeTree(_ path: String) {
  if unlink(path) == 0 { return }
  // A tree may have directories that not even their owner can list.
  var found = stat()
  if lstat(path, &found) == 0, found.st_mode & S_IFMT == S_IFDIR { chmod(path, 0o700) }
  if let directory = opendir(path) {
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name == "." || name == ".." { continue }
      removeTree("\(path)/\(name)")
    }
    closedir(directory)
  }
  rmdir(path)
}

/// Compares a text with a committed file, which `UPDATE_GOLDEN=1` writes anew.
///
/// - Returns: What is wrong, as a sentence; nil if they are the same. Writing anew is also wrong,
///   so that no automatic run can record by mistake.
package func difference(_ text: String, fromGolden path: String) -> String? {
  if getenv("UPDATE_GOLDEN").map({ String(cString: $0) }) == "1" {
    do {
      try writeFile(path, Array(text.utf8))
      return "recorded \(path); look at the diff and run again"
    } catch {
      return "\(error)"
    }
  }
  guard let bytes = try? contents(path) else {
    return "\(path) does not exist; UPDATE_GOLDEN=1 writes it"
  }
  let golden = String(decoding: bytes, as: UTF8.self)
  if golden == text { return nil }
  let old = golden.split(separator: "\n", omittingEmptySubsequences: false)
  let new = text.split(separator: "\n", omittingEmptySubsequences: false)
  let line = zip(old, new).enumerated().first { $1.0 != $1.1 }?.offset ?? min(old.count, new.count)
  return """
    \(path):\(line + 1) differs; UPDATE_GOLDEN=1 writes it anew
    expected: \(line < old.count ? old[line] : "(end)")
    got:      \(line < new.count ? new[line] : "(end)")
    """
}

/// A file that does not answer as long as this holds it and writes nothing.
package final class Fifo {
  package let path: String
  private var writer: Int32

  /// Makes the FIFO, in place of a file that may be there.
  package init(_ path: String) throws {
    unlink(path)
    guard mkfifo(path, 0o644) == 0 else { throw FileFailure(path) }
    // Open for reading too, so that opening does not wait.
    writer = open(path, O_RDWR | O_CLOEXEC)
    guard writer >= 0 else { throw FileFailure(path) }
    self.path = path
  }

  deinit { close() }

  /// Lets one read return.
  package func write(_ text: String) { _ = Glibc.write(writer, text, text.utf8.count) }

  /// Lets every read return without content.
  package func close() {
    if writer >= 0 { _ = Glibc.close(writer) }
    writer = -1
  }
}
