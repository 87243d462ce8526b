import Linux
import TestSupport
import Testing

@testable import ProcFS

@Suite struct ThreadDirectoryTests {
  private let tree: TestProc

  init() throws {
    tree = try TestProc().process(7)
    for number in [7, 8, 19] as [Int32] {
      var stat = TestStat(pid: number, name: "a ) ( \(number)")
      stat.userTicks = UInt64(number)
      try tree.thread(
        stat, switches: TestStatus(voluntary: UInt64(number)), run: 4000, io: 1,
        channel: "futex_wait_queue")
    }
  }

  @Test func readsEveryFileOfEachThread() throws {
    var held = try Held(7, in: tree)
    let threads = try held.handle.threads()
    var numbers: [Int32] = []
    try threads.numbers(&held.reader) { number in
      numbers.append(number)
      return true
    }
    #expect(numbers.sorted() == [7, 8, 19])
    let stat = try threads.stat(19, &held.buffer)
    #expect(stat.userTicks == 19 && stat.name.bytes == Array("a ) ( 19".utf8))
    #expect(try threads.status(8, &held.buffer).voluntarySwitches == 8)
    #expect(try threads.schedstat(8, &held.buffer).delayNanoseconds == 2000)
    #expect(try threads.io(8, &held.buffer).storageReadBytes == 10000)
    #expect(try threads.waitChannel(8, &held.buffer) == "futex_wait_queue")
  }

  @Test func aThreadThatHasEndedIsGoneAndAMissingFileIsNot() throws {
    var held = try Held(7, in: tree)
    let threads = try held.handle.threads()
    #expect(throws: ProcError.gone) { try threads.stat(20, &held.buffer) }
    #expect(throws: ProcError.gone) { try threads.io(20, &held.buffer) }
    tree.remove("task/8/io").remove("task/8/schedstat")
    #expect(throws: ProcError.io(.io, code: Errno.notFound.code)) {
      try threads.io(8, &held.buffer)
    }
    #expect(throws: ProcError.io(.task, code: Errno.notFound.code)) {
      try threads.schedstat(8, &held.buffer)
    }
    tree.remove("task")
    #expect(throws: ProcError.io(.task, code: Errno.notFound.code)) {
      _ = try held.handle.threads()
    }
    tree.removeProcess(7)
    #expect(throws: ProcError.gone) { _ = try held.handle.threads() }
  }

  @Test(
    arguments: [
      ("do_epoll_wait", "do_epoll_wait"), ("0", nil), ("", nil), ("\n", nil), (" x", nil),
      ("18446744071580", nil), ("pipe_read\n", "pipe_read"), ("a.isra.0", "a.isra.0"),
    ] as [(String, String?)])
  func waitChannels(text: String, channel: String?) throws {
    try tree.file("task/8/wchan", text)
    var held = try Held(7, in: tree)
    #expect(try held.handle.threads().waitChannel(8, &held.buffer) == channel)
  }

  @Test func aLongWaitChannelIsCut() throws {
    try tree.file("task/8/wchan", String(repeating: "x", count: 5000))
    var held = try Held(7, in: tree)
    #expect(try held.handle.threads().waitChannel(8, &held.buffer)?.utf8.count == 64)
  }
}
