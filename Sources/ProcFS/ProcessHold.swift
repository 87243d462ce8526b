package import Linux

/// A process that is held on behalf of another thread, for reads that may wait for the process or
/// for a file system: see ``Waiter``.
package final class ProcessHold: Sendable {
  let directory: OwnedFD

  init(_ directory: consuming OwnedFD) { self.directory = directory }

  /// The most that is read of `maps`: 100 bytes for each of two and a half million mappings.
  static let mapsLimit = 256 << 20

  /// How many memory mappings it has, from `maps`.
  ///
  /// - Kernel: `fs/proc/task_mmu.c`, `show_map_vma()`: a line for each.
  /// - Cost: half a microsecond each. Takes the process' mmap lock again and again, so it waits for
  ///   a process that maps memory.
  /// - Permission: same user, else CAP_SYS_PTRACE or CAP_PERFMON.
  /// - Throws: `gone`, `denied`, `io`.
  package func memoryMaps() throws(ProcError) -> UInt64 {
    var lines: UInt64 = 0
    var buffer = ReadBuffer(capacity: 16 << 10, limit: 16 << 10)
    do throws(Errno) {
      let file = try openFile(SourceFile.maps.name, in: directory)
      try buffer.readPieces(file, limit: Self.mapsLimit) { piece in
        var start = 0
        while let end = piece.firstIndex(of: 0x0a, from: start) {
          lines += 1
          start = end + 1
        }
      }
    } catch {
      throw ProcError(.maps, error, in: directory)
    }
    return lines
  }

  /// Reads `smaps_rollup`, see ``SmapsRollup``.
  ///
  /// - Throws: `gone`, `denied`, `malformed`, `io`.
  package func smapsRollup() throws(ProcError) -> SmapsRollup {
    var buffer = ReadBuffer(capacity: 4 << 10, limit: 64 << 10)
    do throws(Errno) {
      try buffer.readRecord(try openFile(SourceFile.smapsRollup.name, in: directory))
    } catch {
      throw ProcError(.smapsRollup, error, in: directory)
    }
    return try parse(.smapsRollup, buffer) { bytes throws(ParseError) in try SmapsRollup(bytes) }
  }

  /// The version that the program it runs says it has, see ``PackageNote``.
  ///
  /// - Parameter facts: What the program is.
  /// - Returns: The version, empty if the program says none or cannot be read; nil if the process has
  ///   ended or runs another program meanwhile.
  package func programVersion(_ facts: FileFacts) -> String? {
    do throws(Errno) {
      guard let file = try openProgram(facts) else { return nil }
      return try PackageNote.version(of: file) ?? ""
    } catch {
      return error == .notFound || error == .noSuchProcess ? nil : ""
    }
  }

  /// Opens the program that it runs; nil if that is another one than the given one.
  func openProgram(_ facts: FileFacts) throws(Errno) -> OwnedFD? {
    // Non-blocking, although what is run is a regular file.
    let file = try openFile("exe", in: directory, [.read, .nonBlocking])
    if !facts.isSameFile(as: try fileFacts(file)) { return nil }
    return file
  }
}

extension FileFacts {
  func isSameFile(as other: FileFacts) -> Bool {
    device == other.device && inode == other.inode
  }
}
