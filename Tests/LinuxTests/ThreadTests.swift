import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite struct ThreadTests {
  @Test func nameAndNumberAreVisible() throws {
    let ready = try EventFD()
    let done = try EventFD()
    let number = Atomic<Int32>(0)
    let thread = try Thread(name: "fifteen bytes..") { [ready, done] in
      number.store(currentThreadID(), ordering: .sequentiallyConsistent)
      ready.signal()
      _ = done.wait(atMost: nil)
    }
    #expect(ready.wait(atMost: .seconds(30)))
    let tid = number.load(ordering: .sequentiallyConsistent)
    #expect(tid != currentThreadID())
    var buffer = ReadBuffer(capacity: 64, limit: 64)
    try buffer.readRecord(try openFile("/proc/self/task/\(tid)/comm", .read))
    #expect(Array(buffer.storage[..<buffer.count]) == Array("fifteen bytes..\n".utf8))
    done.signal()
    thread.join()
  }

  @Test func everySignalIsBlockedThereAndNoneHere() throws {
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &before)
    try onOwnThread {
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      for signal in 1..<65 {
        // Two cannot be blocked, two more belong to the C library.
        let cannot = [SIGKILL, SIGSTOP, 32, 33].contains(Int32(signal))
        #expect(sigismember(&mask, Int32(signal)) == (cannot ? 0 : 1), "signal \(signal)")
      }
    }
    var after = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &after)
    for signal in 1..<32 {
      #expect(sigismember(&after, Int32(signal)) == sigismember(&before, Int32(signal)))
    }
  }

  @Test func joinWaitsForTheBody() throws {
    let done = Atomic(false)
    let thread = try Thread(name: "slow") {
      poll(nil, 0, 20)
      done.store(true, ordering: .sequentiallyConsistent)
    }
    thread.join()
    let isDone = done.load(ordering: .sequentiallyConsistent)
    #expect(isDone)
  }

  @Test func bodyIsReleased() throws {
    final class Token: Sendable {}
    weak var token: Token?
    do {
      let kept = Token()
      token = kept
      try onOwnThread { _ = kept }
    }
    #expect(token == nil)
  }

  @Test func environment() {
    #expect(environmentVariable("PATH")?.isEmpty == false)
    #expect(environmentVariable("PROCVITALS_NO_SUCH_VARIABLE") == nil)
    #expect(processID() == getpid())
  }

  @Test func tellsWhetherAThreadWaits() throws {
    let isOver = try EventFD()
    let numbers = try Mailbox<Int32>()
    let sleeper = try Thread(name: ") R (") {
      numbers.post(currentThreadID())
      _ = isOver.wait(atMost: .seconds(60))
    }
    try #require(numbers.wake.wait(atMost: .seconds(30)))
    let number = try #require(numbers.drain().first)
    #expect(eventually { !isRunnable(thread: number) })
    #expect(isRunnable(thread: currentThreadID()))
    isOver.signal()
    sleeper.join()
    #expect(!isRunnable(thread: 0))
  }
}
