import Glibc
import Testing

@testable import Linux

@Suite struct SignalTests {
  @Test func signalsAreReadInsteadOfHandled() throws {
    try onOwnThread {
      #expect(throws: Never.self) {
        let signals = try SignalFD(Signal.allCases)
        #expect(signals.next() == nil)
        for signal in [Signal.terminate, .hangUp, .hangUp, .interrupt] {
          pthread_kill(pthread_self(), signal.rawValue)
        }
        var entry = pollfd(fd: signals.fd.raw, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 0) == 1)
        var got: [Signal] = []
        while let signal = signals.next() { got.append(signal) }
        // Lowest number first; one that waits already is not counted twice.
        #expect(got == [.hangUp, .interrupt, .terminate])
      }
    }
  }

  @Test func onlyTheGivenOnes() throws {
    try onOwnThread {
      #expect(throws: Never.self) {
        let signals = try SignalFD([.hangUp])
        pthread_kill(pthread_self(), SIGTERM)
        #expect(signals.next() == nil)
        pthread_kill(pthread_self(), SIGHUP)
        #expect(signals.next() == .hangUp)
      }
    }
  }

  @Test func theyAreBlockedAndBrokenPipesIgnored() async {
    await #expect(processExitsWith: .success) {
      let signals = try SignalFD([.hangUp, .terminate])
      kill(getpid(), SIGPIPE)
      for signal in [SIGHUP, SIGTERM] { pthread_kill(pthread_self(), signal) }
      #expect(signals.next() == .hangUp)
      #expect(signals.next() == .terminate)
    }
  }

  @Test(arguments: [
    (1, "SIGHUP"), (9, "SIGKILL"), (11, "SIGSEGV"), (15, "SIGTERM"), (31, "SIGSYS"),
    (34, "SIGRTMIN+0"), (64, "SIGRTMIN+30"), (0, "signal 0"), (32, "signal 32"), (-1, "signal -1"),
  ])
  func names(number: Int32, expected: String) {
    #expect(signalName(number) == expected)
  }
}
