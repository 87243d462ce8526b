import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

@Suite struct ProcRootTests {
  @Test func listsAndReadsARecordedTree() throws {
    let tree = try TestProc().process(7).process(31, name: "b) (").process(8)
    let root = try ProcRoot(path: tree.path, facts: facts)
    var reader = DirectoryReader()
    var pids: [Int32] = []
    try root.processes(&reader) { pid in
      pids.append(pid)
      return true
    }
    #expect(pids.sorted() == [7, 8, 31])
    var buffer = ReadBuffer(capacity: 64, limit: 4096)
    #expect(try root.stat(pid: 31, &buffer).name.bytes == Array("b) (".utf8))
    #expect(try root.executable(pid: 7) == Array("/usr/bin/app".utf8))
    let rootFacts = root.facts
    #expect(rootFacts == facts)
  }

  @Test func listingStopsWhenTold() throws {
    let tree = try TestProc().process(7).process(8).process(9)
    let root = try ProcRoot(path: tree.path, facts: facts)
    var reader = DirectoryReader()
    var count = 0
    try root.processes(&reader) { _ in
      count += 1
      return count < 2
    }
    #expect(count == 2)
  }

  /// The size of a directory on disk is no count, and its numbers are nobody's.
  @Test func aRecordedTreeIsNotReal() throws {
    let tree = try TestProc().process(7)
    try tree.add("../self", .link("\(getpid())"))
    let root = try ProcRoot(path: tree.path, facts: facts)
    let (counts, isOwn) = (root.sizeCountsDescriptors, root.numbersAreOwn)
    #expect(!counts && !isOwn)
  }

  @Test func theRealOneIsReal() throws {
    let root = try ProcRoot(path: "/proc", facts: .current())
    let isOwn = root.numbersAreOwn
    #expect(isOwn)
    var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)
    #expect(try root.stat(pid: getpid(), &buffer).parent == getppid())
    #expect(
      try root.executable(pid: getpid()) == linkTarget("exe", in: openFile("/proc/self", [.path])))
  }

  @Test func missingDirectory() {
    #expect(throws: Errno.notFound) { _ = try ProcRoot(path: "/nowhere", facts: facts) }
    #expect(throws: Errno.notADirectory) { _ = try ProcRoot(path: "/dev/null", facts: facts) }
  }

  @Test func readsOfAProcessThatIsNotThere() throws {
    let tree = try TestProc().process(7)
    let root = try ProcRoot(path: tree.path, facts: facts)
    var buffer = ReadBuffer(capacity: 64, limit: 4096)
    #expect(throws: ProcError.gone) { try root.stat(pid: 8, &buffer) }
    #expect(throws: ProcError.gone) { try root.executable(pid: 8) }
  }
}
