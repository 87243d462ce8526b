import Glibc
import Testing

@testable import Linux

@Suite struct DirectoryReaderTests {
  private static func numbers(
    _ path: String, _ reader: inout DirectoryReader
  ) throws(Errno) -> [Int32] {
    var found: [Int32] = []
    try reader.numbers(in: try openFile(path, [.read, .directory])) {
      found.append($0)
      return true
    }
    return found.sorted()
  }

  @Test func onlyNumbersCount() throws {
    let directory = try TemporaryDirectory()
    let names = [
      "0", "1", "12", "12a", "a12", "1 2", " 3", "+4", "-5", "6.", "0x7", "2147483647",
      "2147483648", "4294967295", "4294967296", "4294967297", "99999999999999999999", "self", "٣",
    ]
    for name in names { _ = try directory.write([], to: name) }
    var reader = DirectoryReader()
    #expect(try Self.numbers(directory.path, &reader) == [0, 1, 12, .max])
  }

  @Test func namesOfAllKinds() throws {
    let directory = try TemporaryDirectory()
    let names = ["12", ".hidden", "a b", "é", "...", "x\n"]
    for name in names { _ = try directory.write([], to: name) }
    var reader = DirectoryReader()
    let handle = try openFile(directory.path, [.read, .directory])
    let found = try reader.names(in: handle, limit: 100)
    #expect(Set(found) == Set(names.map { Array($0.utf8) }))
    #expect(found.count == names.count)
    #expect(try reader.names(in: handle, limit: 3).count == 3)
  }

  @Test func emptyDirectory() throws {
    let directory = try TemporaryDirectory()
    var reader = DirectoryReader()
    #expect(try Self.numbers(directory.path, &reader) == [])
  }

  @Test func hugeDirectoryTakesSeveralCalls() throws {
    let directory = try TemporaryDirectory()
    // Names that are no numbers take room, too.
    for number in 0..<1000 {
      for name in ["\(number)", "\(number)-" + String(repeating: "x", count: 40)] {
        close(creat("\(directory.path)/\(name)", 0o600))
      }
    }
    var reader = DirectoryReader()
    #expect(throws: Errno.inputOutput, "lseek and the first two of getdents64 succeed") {
      try Faults.force(.list, .inputOutput, skip: 3) {
        _ = try Self.numbers(directory.path, &reader)
      }
    }
    #expect(try Self.numbers(directory.path, &reader) == Array(0..<1000))
  }

  @Test func stopsWhenToldAndStartsAnew() throws {
    let directory = try TemporaryDirectory()
    for number in 0..<50 { _ = try directory.write([], to: "\(number)") }
    let handle = try openFile(directory.path, [.read, .directory])
    var reader = DirectoryReader()
    for limit in [1, 7, 50] {
      var found: Set<Int32> = []
      try reader.numbers(in: handle) {
        found.insert($0)
        return found.count < limit
      }
      #expect(found.count == limit)
    }
  }

  @Test func threadsAndDescriptorsOfThisProcess() throws {
    var reader = DirectoryReader()
    #expect(try Self.numbers("/proc/self/task", &reader).contains(currentThreadID()))
    let pipe = try Pipe()
    let descriptors = try Self.numbers("/proc/self/fd", &reader)
    #expect(descriptors.contains(pipe.input.raw) && descriptors.contains(pipe.output.raw))
  }

  @Test func endedProcess() throws {
    let child = try Child("echo ready; read line")
    let tasks = try openFile("/proc/\(child.pid)/task", [.read, .directory])
    child.writeLine()
    child.reap()
    var reader = DirectoryReader()
    #expect(throws: Errno.notFound) { try reader.numbers(in: tasks) { _ in true } }
  }
}
