import Glibc
import Testing

@testable import Linux

@Suite struct ResourceLimitsTests {
  @Test func limitsOfAChild() throws {
    let child = try Child(
      "ulimit -Sn 100; ulimit -Hn 200; ulimit -v 1000000; echo ready; read line")
    let files = try resourceLimit(.openFiles, pid: child.pid)
    #expect(files.soft == 100 && files.hard == 200)
    let space = try resourceLimit(.addressSpace, pid: child.pid)
    #expect(space.soft == 1_024_000_000 && space.hard == 1_024_000_000)
  }

  @Test func limitsOfThisProcess() throws {
    for (resource, number) in [(Resource.openFiles, RLIMIT_NOFILE), (.addressSpace, RLIMIT_AS)] {
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(number.rawValue), &limit)
      let (soft, hard) = try resourceLimit(resource, pid: processID())
      #expect(soft == (limit.rlim_cur == rlim_t.max ? nil : UInt64(limit.rlim_cur)))
      #expect(hard == (limit.rlim_max == rlim_t.max ? nil : UInt64(limit.rlim_max)))
    }
  }

  @Test func unlimitedIsNoNumber() throws {
    let child = try Child("ulimit -v unlimited && echo ready; read line")
    let space = try resourceLimit(.addressSpace, pid: child.pid)
    #expect(space.soft == nil && space.hard == nil)
  }

  @Test func endedProcess() throws {
    let child = try Child("echo ready")
    child.reap()
    #expect(throws: Errno.noSuchProcess) { try resourceLimit(.openFiles, pid: child.pid) }
  }

  @Test func descriptorLimitIsRaisedAndNeverLowered() async {
    await #expect(processExitsWith: .success) {
      var limit = rlimit(rlim_cur: 64, rlim_max: 256)
      try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
      for (wanted, expected) in [
        (-1, 64), (10, 64), (64, 64), (128, 128), (100, 128), (256, 256), (1 << 20, 256), (0, 256),
      ] {
        #expect(try raiseDescriptorLimit(to: wanted) == expected)
        #expect(try resourceLimit(.openFiles, pid: processID()).soft == UInt64(expected))
      }
    }
  }
}
