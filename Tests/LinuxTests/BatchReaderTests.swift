import Glibc
import TestSupport
import Testing

@testable import Linux

/// FIFOs that somebody could write to and that nobody does stand for files that do not answer.
@Suite(.timeLimit(.minutes(1))) struct BatchReaderTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func file(_ text: String, _ name: String = "file") throws -> SharedFD {
    SharedFD(try directory.write(Array(text.utf8), to: name))
  }

  private func text(_ batch: ReadBatch, _ place: Int) -> String? {
    guard case .read(let range) = batch.outcome(place) else { return nil }
    return String(decoding: batch.bytes[range], as: UTF8.self)
  }

  private func texts(_ batch: ReadBatch) -> [String?] { (0..<batch.count).map { text(batch, $0) } }

  @Test func filesAreReadInTheirOrder() throws {
    let reader = try BatchReader(threads: 2)
    var batch = ReadBatch()
    reader.read(&batch)
    for round in 0..<3 {
      batch.removeAll()
      for number in 0..<50 { batch.add(try file("\(round) \(number)", "\(number)"), about: 1) }
      batch.add(failure: .accessDenied)
      batch.add(try file("", "empty"), about: 2)
      reader.read(&batch)
      #expect(texts(batch) == (0..<50).map { "\(round) \($0)" } + [nil, ""])
      #expect(batch.outcome(50) == .failed(.accessDenied))
    }
    #expect(reader.stuckCount == 0)
  }

  @Test func aKeptFileYieldsFreshContent() throws {
    let reader = try BatchReader(threads: 2)
    let kept = try file("old")
    for text in ["long ago", "now"] {
      try writeFile("\(directory.path)/file", Array(text.utf8))
      var batch = ReadBatch()
      batch.add(kept, about: 1)
      reader.read(&batch)
      #expect(texts(batch) == [text])
    }
  }

  @Test func aLargeFileIsReadWhole() throws {
    let large = String(repeating: "x", count: 100_000)
    var batch = ReadBatch()
    batch.add(try file(large), about: 1)
    try BatchReader(threads: 1).read(&batch)
    #expect(texts(batch) == [large])
    var buffer = ReadBuffer(capacity: 10, limit: 1 << 20)
    batch.readHere(&buffer)
    #expect(text(batch, 0) == large)
  }

  @Test func failuresAreTold() throws {
    var batch = ReadBatch()
    batch.add(SharedFD(try openFile("/", [.read, .directory])), about: 1)
    try BatchReader(threads: 1).read(&batch)
    #expect(batch.outcome(0) == .failed(.isADirectory))
  }

  @Test func whatDoesNotAnswerIsLateAndTheOthersAreNot() throws {
    let reader = try BatchReader(threads: 4)
    let fifo = try Fifo("\(directory.path)/fifo")
    var batch = ReadBatch()
    batch.add(try file("a"), about: 1)
    batch.add(SharedFD(try openFile(fifo.path, .read)), about: 2)
    batch.add(try file("b", "2"), about: 2)
    batch.add(try file("c", "3"), about: 3)
    reader.read(&batch)
    #expect(texts(batch) == ["a", nil, nil, "c"])
    #expect(batch.outcome(1) == .late && batch.outcome(2) == .late)
    #expect(reader.stuckCount == 1)

    // It is not asked again, for that would cost another thread.
    var other = ReadBatch()
    other.add(try file("d", "4"), about: 2)
    other.add(try file("e", "5"), about: 4)
    reader.read(&other)
    #expect(texts(other) == [nil, "e"])
    #expect(reader.stuckCount == 1)

    // What comes too late goes nowhere.
    fifo.write("late")
    #expect(eventually { reader.stuckCount == 0 })
    #expect(batch.outcome(1) == .late && texts(batch) == ["a", nil, nil, "c"])
    fifo.close()
    reader.read(&batch)
    #expect(texts(batch).suffix(3) == ["", "b", "c"])
  }

  /// The file of a read that has not returned stays open, so its number means nothing else.
  @Test func aStuckFileIsClosedWhenItsReadReturns() throws {
    let reader = try BatchReader(threads: 4)
    let fifo = try Fifo("\(directory.path)/fifo")
    var number: Int32 = -1
    do {
      let file = SharedFD(try openFile(fifo.path, .read))
      number = file.fd.raw
      var batch = ReadBatch()
      batch.add(file, about: 1)
      reader.read(&batch)
      #expect(batch.outcome(0) == .late)
    }
    let link = "/proc/self/fd/\(number)"
    #expect(try linkTarget(link, in: openFile("/", [.path])) == Array(fifo.path.utf8))
    fifo.close()
    #expect(eventually { reader.stuckCount == 0 })
    #expect(
      eventually {
        (try? linkTarget(link, in: openFile("/", [.path]))) != Array(fifo.path.utf8)
      })
  }

  @Test func whenNoThreadIsLeftEverythingIsLateAtOnce() throws {
    let reader = try BatchReader(threads: 3)
    let fifos = try (0..<4).map { try Fifo("\(directory.path)/fifo\($0)") }
    var batch = ReadBatch()
    for (number, fifo) in fifos.enumerated() {
      batch.add(SharedFD(try openFile(fifo.path, .read)), about: Int32(number))
    }
    batch.add(try file("a"), about: 10)
    reader.read(&batch)
    #expect((0..<5).allSatisfy { batch.outcome($0) == .late })
    #expect(reader.stuckCount == 3)
    var other = ReadBatch()
    other.add(try file("b"), about: 11)
    reader.read(&other)
    #expect(other.outcome(0) == .late)

    fifos[1].close()
    #expect(eventually { reader.stuckCount == 2 })
    reader.read(&other)
    #expect(texts(other) == ["b"])
  }

  @Test func anIdleThreadEndsWithItsReader() throws {
    var batch = ReadBatch()
    batch.add(try file("a"), about: 1)
    var thread: Int32?
    do {
      let reader = try BatchReader(threads: 1)
      reader.read(&batch)
      thread = reader.threadID
    }
    let path = "/proc/self/task/\(try #require(thread))/comm"
    #expect(eventually { (try? contents(path)) == nil })
  }
}
