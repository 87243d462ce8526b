package import Linux

// What reading the memory of a held process takes. All of it may wait for the process' mmap lock or,
// the program's file, for a file system.

extension ProcessHold {
  /// Looks at the program that it runs.
  ///
  /// - Parameters:
  ///   - facts: What the program is.
  ///   - body: Reads its file.
  /// - Returns: What that returned.
  /// - Throws: `gone` (also if it runs another program meanwhile), `denied`, `io`.
  package func program<Result>(
    _ facts: FileFacts, _ body: (borrowing OwnedFD) throws(Errno) -> Result
  ) throws(ProcError) -> Result {
    do throws(Errno) {
      guard let file = try openProgram(facts) else { throw .notFound }
      return try body(file)
    } catch {
      throw ProcError(.exe, error)
    }
  }

  /// Makes sure that it has neither ended nor called `execve` for another program.
  ///
  /// - Throws: `gone` otherwise, `denied`, `io`.
  package func proveProgram(_ facts: FileFacts) throws(ProcError) {
    do throws(Errno) {
      if facts.isSameFile(as: try knownFacts("exe", in: directory)) { return }
    } catch {
      throw ProcError(.exe, error)
    }
    throw .gone
  }

  /// How much of `maps` is looked at; mappings are told in the order of their addresses.
  private static let baseLimit = 1 << 20

  /// Where it has the first page of its program: the lowest mapping with the path of `exe`.
  ///
  /// - Kernel: `fs/proc/task_mmu.c`, `show_map_vma()`.
  /// - Throws: `gone`, `denied`, `io`; `malformed` if there is none.
  package func programBase() throws(ProcError) -> UInt64 {
    do throws(Errno) {
      // The path as it stands there: line feeds are the only bytes that are written otherwise.
      let path = try linkTarget("exe", in: directory)
        .flatMap { $0 == 0x0a ? Array("\\012".utf8) : [$0] }
      let file = try openFile(SourceFile.maps.name, in: directory)
      var buffer = ReadBuffer(capacity: 4 << 10, limit: 4 << 10)
      var (done, rest) = (0, [UInt8]())
      while done < Self.baseLimit {
        try buffer.readPart(file, from: done, length: 4 << 10)
        let part = buffer.content
        if part.isEmpty { break }
        done += part.count
        rest += part
        let lines = rest.split(separator: 0x0a, omittingEmptySubsequences: false)
        for line in lines.dropLast() where Self.path(of: line).elementsEqual(path) {
          let digits = line.prefix { $0 != UInt8(ascii: "-") }
          if let start = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) { return start }
        }
        rest = Array(lines.last ?? [])
      }
    } catch {
      throw ProcError(.maps, error, in: directory)
    }
    throw .malformed(.maps, field: "path", excerpt: "no mapping of the program")
  }

  /// What stands behind the fifth word of a line of `maps`.
  private static func path(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = line
    for _ in 0..<5 {
      rest = rest.drop { $0 != 0x20 }.drop { $0 == 0x20 }
    }
    return rest
  }

  /// Reads its memory through `mem`.
  ///
  /// For where its number means nothing to system calls.
  ///
  /// - Permission: same user, else CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
  /// - Throws: `EACCES`, `ESRCH`; `EFAULT` if any of it is not there.
  package func readMemory(
    _ pieces: MemoryPieces, into buffer: inout [UInt64]
  ) throws(Errno) {
    try pieces.read(from: try openFile(SourceFile.mem.name, in: directory), into: &buffer)
  }
}
