import Linux

/// The names of users or groups as a file like `/etc/passwd` or `/etc/group` gives them.
///
/// Accounts that only a directory server knows are not in it: asking one would mean to wait for it,
/// and to run the code of its client.
///
/// - Shape: lines of fields between colons: name, password, number …; `passwd(5)`, `group(5)`.
package struct AccountNames: Sendable, Equatable {
  /// The most accounts that are remembered.
  static let limit = 100_000
  /// The most that is read of the file.
  static let fileLimit = 16 << 20

  private var names: [UInt32: String] = [:]
  /// Which writing of the file said so.
  private var version: FileFacts?

  package init() {}

  /// Reads all lines; those that are none of the format, or are not the first about a number, are
  /// passed over.
  package init(_ bytes: Span<UInt8>) {
    var start = 0
    while start < bytes.count, names.count < Self.limit {
      let end = bytes.firstIndex(of: 0x0a, from: start) ?? bytes.count
      let line = bytes.extracting(start..<end)
      start = end + 1
      guard let first = line.firstIndex(of: UInt8(ascii: ":")), first > 0,
        let second = line.firstIndex(of: UInt8(ascii: ":"), from: first + 1),
        let third = line.firstIndex(of: UInt8(ascii: ":"), from: second + 1)
      else { continue }
      var at = Cursor(at: second + 1)
      guard let value = try? at.number(line.extracting(0..<third), "number"),
        let number = UInt32(exactly: value), names[number] == nil
      else { continue }
      names[number] = line.extracting(0..<first).lossyText
    }
  }

  /// Reads a file unless it is the one that these names are from.
  ///
  /// It may wait for the file system, so it belongs on a waiter thread.
  /// - Parameter path: The file.
  /// - Returns: The names, none if there is no file; nil if they are the same, or it cannot be read.
  package func ifChanged(_ path: String) -> AccountNames? {
    do throws(Errno) {
      let file = try openFile(path, [.read, .nonBlocking])
      let version = try fileFacts(file)
      if version == self.version { return nil }
      var buffer = ReadBuffer(capacity: 16 << 10, limit: Self.fileLimit)
      try buffer.readAll(file)
      var changed = AccountNames(buffer.storage.span.extracting(0..<buffer.count))
      changed.version = version
      return changed
    } catch {
      // One failure does not rename anybody.
      return error == .notFound ? AccountNames() : nil
    }
  }

  /// The name of a user or group, or the number where it has none.
  package func name(_ number: UInt32) -> String { names[number] ?? String(number) }
}
