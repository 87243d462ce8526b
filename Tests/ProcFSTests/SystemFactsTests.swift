import Linux
import Testing

@testable import ProcFS

@Suite struct SystemFactsTests {
  @Test func ticksBecomeSeconds() {
    #expect(facts.seconds(ticks: 1500) == 1.5)
    #expect(facts.epochSeconds(startTicks: 250) == 5000.25)
    // Nothing traps, whatever a file says.
    #expect(facts.epochSeconds(startTicks: .max) == 4999.999)
  }

  @Test func currentFactsAreThoseOfTheMachine() {
    let now = SystemFacts.current()
    #expect(now.pageBytes == pageSize())
    #expect(now.ticksPerSecond == clockTicksPerSecond())
    let boot = Double(wallClockNanoseconds() - bootClockNanoseconds()) / 1e9
    #expect(abs(now.epochSeconds(startTicks: 0) - boot) < 5)
  }
}
