import Glibc
import Testing

@testable import Linux

@Suite struct ReadBufferTests {
  enum Way: CaseIterable, Sendable { case record, all }

  static func read(
    _ file: borrowing OwnedFD, _ way: Way, capacity: Int, limit: Int
  ) throws(Errno) -> [UInt8] {
    var buffer = ReadBuffer(capacity: capacity, limit: limit)
    switch way {
    case .record: try buffer.readRecord(file)
    case .all: try buffer.readAll(file)
    }
    return Array(buffer.storage[..<buffer.count])
  }

  @Test(
    arguments: [
      // size, capacity, limit
      (0, 8, 8), (3, 8, 8), (7, 8, 8), (8, 8, 9), (8, 8, 64), (9, 8, 64), (31, 8, 32),
      (63, 8, 64), (100, 1, 101), (100_000, 16, 1 << 20),
    ], Way.allCases)
  func contentFits(row: (size: Int, capacity: Int, limit: Int), way: Way) throws {
    let directory = try TemporaryDirectory()
    let content = (0..<row.size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let file = try directory.write(content, to: "f")
    #expect(try Self.read(file, way, capacity: row.capacity, limit: row.limit) == content)
  }

  @Test(
    arguments: [(8, 8, 8), (9, 8, 8), (32, 8, 32), (33, 8, 32), (100_000, 16, 4096)],
    Way.allCases)
  func limitIsReached(row: (size: Int, capacity: Int, limit: Int), way: Way) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write([UInt8](repeating: 1, count: row.size), to: "f")
    #expect(throws: Errno.fileTooLarge) {
      try Self.read(file, way, capacity: row.capacity, limit: row.limit)
    }
  }

  @Test(arguments: Way.allCases)
  func shorterContentReplacesLonger(way: Way) throws {
    let directory = try TemporaryDirectory()
    let long = try directory.write(Array("a long line of text".utf8), to: "long")
    let short = try directory.write(Array("short".utf8), to: "short")
    var buffer = ReadBuffer(capacity: 4, limit: 64)
    for (file, count) in [(long.raw, 19), (short.raw, 5), (long.raw, 19)] {
      let copy = OwnedFD(adopting: fcntl(file, F_DUPFD_CLOEXEC, 0))
      switch way {
      case .record: try buffer.readRecord(copy)
      case .all: try buffer.readAll(copy)
      }
      #expect(buffer.count == count)
    }
  }

  @Test func failedRecordLeavesNothing() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(Array("text".utf8), to: "f")
    var buffer = ReadBuffer(capacity: 8, limit: 8)
    try buffer.readRecord(file)
    #expect(throws: Errno.inputOutput) {
      try Faults.force(.read, .inputOutput) { try buffer.readRecord(file) }
    }
    #expect(buffer.count == 0)
  }

  /// Files of /proc do not say how long they are, and longer ones come in pieces.
  @Test func procFileOfManyPages() throws {
    let file = try openFile("/proc/self/maps", .read)
    let content = try Self.read(file, .all, capacity: 512, limit: 4 << 20)
    #expect(content.last == UInt8(ascii: "\n"))
    #expect(content.count(where: { $0 == UInt8(ascii: "\n") }) > 20)
  }

  @Test func openProcFileYieldsFreshContent() throws {
    try onOwnThread("first") {
      #expect(throws: Never.self) {
        let file = try openFile("/proc/thread-self/comm", .read)
        #expect(try Self.read(file, .record, capacity: 64, limit: 64) == Array("first\n".utf8))
        let name = OwnedFD(adopting: open("/proc/thread-self/comm", O_WRONLY))
        try writeAll(Array("second".utf8), to: name.raw)
        #expect(try Self.read(file, .record, capacity: 64, limit: 64) == Array("second\n".utf8))
        #expect(try Self.read(file, .all, capacity: 2, limit: 64) == Array("second\n".utf8))
      }
    }
  }

  @Test func openProcFileOfAnEndedProcess() throws {
    let child = try Child("echo ready; read line")
    let directory = try openFile("/proc/\(child.pid)", [.read, .directory])
    let file = try openFile("stat", in: directory)
    _ = try Self.read(file, .record, capacity: 4096, limit: 4096)
    child.writeLine()
    child.reap()
    #expect(throws: Errno.noSuchProcess) {
      try Self.read(file, .record, capacity: 4096, limit: 4096)
    }
    #expect(throws: Errno.noSuchProcess) { _ = try openFile("stat", in: directory) }
  }

  @Test func pipeHasNoOffsets() throws {
    let pipe = try Pipe()
    #expect(throws: Errno(ESPIPE)) { try Self.read(pipe.output, .all, capacity: 8, limit: 8) }
  }
}

@Suite struct FilesTests {
  @Test(
    arguments: [
      ("/nonexistent", .read, .notFound), ("/proc/version", .directory, .notADirectory),
      ("/proc/self", .noFollow, .loop), ("", .read, .notFound),
    ] as [(String, OpenMode, Errno)])
  func openFailures(path: String, mode: OpenMode, expected: Errno) {
    #expect(throws: expected) { _ = try openFile(path, mode) }
  }

  @Test func openingAFIFOWithoutWaiting() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/fifo"
    try #require(mkfifo(path, 0o600) == 0)
    let file = try openFile(path, [.read, .nonBlocking])
    #expect(!(try fileFacts(file)).isRegular)
  }

  @Test func pathHandleCannotBeRead() throws {
    let file = try openFile("/proc/version", .path)
    #expect(!(try fileFacts(file).inode == 0))
    var byte: UInt8 = 0
    #expect(read(file.raw, &byte, 1) == -1 && errno == EBADF)
  }

  @Test func facts() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(Array("12345".utf8), to: "f")
    try #require(symlink("f", "\(directory.path)/link") == 0)
    try #require(fchmod(file.raw, 0o640) == 0)
    var times = [timespec(tv_sec: 7, tv_nsec: 8), timespec(tv_sec: 1_700_000_000, tv_nsec: 123)]
    try #require(futimens(file.raw, &times) == 0)
    let facts = try fileFacts(file)
    #expect(facts.size == 5)
    #expect(facts.isRegular)
    #expect(facts.mode & 0o777 == 0o640)
    #expect(facts.owner == getuid())
    #expect(facts.modifiedNanoseconds == 1_700_000_000_000_000_123)
    let handle = try openFile(directory.path, [.path, .directory])
    #expect(try fileFacts("f", in: handle) == facts)
    #expect(try fileFacts("link", in: handle) == facts)
    #expect(try !fileFacts(handle).isRegular)
    #expect(throws: Errno.notFound) { try fileFacts("g", in: handle) }
    for (age, isSettled) in [
      (-1, false), (0, false), (2_000_000_000, false), (2_000_000_001, true),
    ] {
      #expect(facts.isSettled(at: facts.changedNanoseconds + Int64(age)) == isSettled)
    }
  }

  @Test func linkTargets() throws {
    let directory = try TemporaryDirectory()
    let handle = try openFile(directory.path, [.path, .directory])
    let longest = String(repeating: "/abcdefg", count: 511)
    for (name, target) in [("a", "b"), ("c", "/x y\n\u{e9}"), ("d", longest)] {
      try #require(symlink(target, "\(directory.path)/\(name)") == 0)
      #expect(try linkTarget(name, in: handle) == Array(target.utf8))
    }
    _ = try directory.write([], to: "file")
    #expect(throws: Errno.invalid) { try linkTarget("file", in: handle) }
    #expect(throws: Errno.notFound) { try linkTarget("none", in: handle) }
  }

  @Test func fileSystems() throws {
    #expect(try fileSystemMagic(try openFile("/proc", [.path, .directory])) == 0x9fa0)
    #expect(try fileSystemMagic(try openFile("/proc/self/stat", .read)) == 0x9fa0)
    #expect(try fileSystemMagic(try openFile("/", [.path, .directory])) != 0x9fa0)
  }

  /// A full pipe takes the rest when its reader has made room.
  @Test func writeAllWaitsForTheReader() throws {
    let pipe = try Pipe()
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
    let output = try pipe.output.duplicate()
    let number = pipe.input.raw
    let writer = try Thread(name: "writer") {
      #expect(throws: Never.self) { try writeAll(content, to: number) }
    }
    var got: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1000)
    while got.count < content.count {
      var entry = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
      try #require(poll(&entry, 1, 30_000) == 1)
      let count = read(output.raw, &part, part.count)
      if count > 0 { got += part[..<count] }
    }
    writer.join()
    #expect(got == content)
  }

  @Test func standardDescriptorsAreFilled() async {
    await #expect(processExitsWith: .success) {
      let null = try fileFacts(try openFile("/dev/null", .path))
      // Tried again when another thread was quicker.
      #expect(
        try eventually {
          close(0)
          close(2)
          fillStandardDescriptors()
          let input = try fileFacts(try openFile("/proc/self/fd/0", .path))
          return try input.inode == null.inode && standardErrorFacts().inode == null.inode
        })
      fillStandardDescriptors()
      #expect(try openFile("/dev/zero", .read).raw > 2)
    }
  }
}
