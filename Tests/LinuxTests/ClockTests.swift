import Glibc
import Testing

@testable import Linux

@Suite struct ClockTests {
  @Test(
    arguments: [
      (Duration.zero, 0), (.seconds(1), 1_000_000_000), (.nanoseconds(-1), -1),
      (.milliseconds(-1500), -1_500_000_000), (.seconds(9_223_372_036), 9_223_372_036_000_000_000),
      (.nanoseconds(Int64.max), .max), (.nanoseconds(Int64.min), .min),
      (.nanoseconds(Int64.max) + .nanoseconds(1), .max),
      (.nanoseconds(Int64.min) - .nanoseconds(1), .min),
      (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
      (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
    ] as [(Duration, Int64)])
  func nanoseconds(duration: Duration, expected: Int64) {
    #expect(duration.nanoseconds == expected)
  }

  @Test func seconds() {
    #expect(Duration.milliseconds(1500).seconds == 1.5)
    #expect(Duration.milliseconds(-250).seconds == -0.25)
  }

  @Test func instants() {
    let moment = Instant(nanoseconds: 1000)
    #expect(moment + .nanoseconds(5) == Instant(nanoseconds: 1005))
    #expect(moment + .nanoseconds(-5) == moment, "a negative duration counts as none")
    #expect(moment - Instant(nanoseconds: 1005) == .nanoseconds(-5))
    #expect(Instant(nanoseconds: 1005) - moment == .nanoseconds(5))
    #expect(moment < Instant(nanoseconds: 1001) && !(moment < moment))
    #expect(moment + .seconds(Int64.max) > moment)
  }

  @Test func clocks() {
    let first = Instant.now
    #expect(first <= .now)
    #expect(abs(wallClockNanoseconds() / 1_000_000_000 - Int64(time(nil))) <= 1)
    #expect(bootClockNanoseconds() >= Int64(first.nanoseconds))
  }

  @Test func units() {
    #expect(pageSize() == UInt64(sysconf(Int32(_SC_PAGESIZE))))
    #expect(clockTicksPerSecond() == 100)
  }
}
