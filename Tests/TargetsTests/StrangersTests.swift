import Testing

@testable import ProcFS
@testable import Targets

@Suite struct StrangersTests {
  private func stat(start: UInt64, parent: Int32 = 1) throws -> Stat {
    let line =
      "7 (x) S \(parent) 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 \(start) 0 0 18446744073709551615"
      + String(repeating: " 0", count: 27)
    return try Stat(
      Array(line.utf8).span, SystemFacts(pageBytes: 4096, ticksPerSecond: 100, bootTicks: 0))
  }

  @Test func aProcessIsReadAgainWhenItIsAQuarterOlder() throws {
    var strangers = Strangers()
    strangers.begin(now: 1400, lastPid: 100)
    let isDueAtFirst = strangers.isDue(7)
    #expect(isDueAtFirst)
    strangers.note(7, try stat(start: 1000))
    strangers.end()
    for (now, isDue) in [(1401, false), (1499, false), (1500, true), (9999, true)] {
      strangers.begin(now: UInt64(now), lastPid: 100)
      let isDueNow = strangers.isDue(7)
      #expect(isDueNow == isDue, "at \(now)")
      strangers.end()
    }
  }

  @Test func everyProcessIsReadOnceInSixteenCollections() throws {
    var strangers = Strangers()
    strangers.begin(now: 10_000, lastPid: 200)
    for pid in Int32(100)..<200 { strangers.note(pid, try stat(start: 0)) }
    var reads: [Int32: Int] = [:]
    for _ in 0..<32 {
      strangers.begin(now: 10_001, lastPid: 200)
      for pid in Int32(100)..<200 where strangers.isDue(pid) { reads[pid, default: 0] += 1 }
      strangers.end()
    }
    #expect(reads.count == 100)
    #expect(reads.values.allSatisfy { $0 == 2 })
  }

  @Test func whatIsNotListedIsForgotten() throws {
    var strangers = Strangers()
    strangers.begin(now: 10_000, lastPid: 200)
    strangers.note(7, try stat(start: 0))
    strangers.note(8, try stat(start: 0))
    strangers.begin(now: 10_001, lastPid: 200)
    _ = strangers.isDue(8)
    strangers.end()
    #expect(strangers.parent(of: 7) == nil)
    #expect(strangers.parent(of: 8) != nil)
    strangers.forget(8)
    #expect(strangers.parent(of: 8) == nil)
  }

  @Test func numbersThatBeganAnewMakeAllVoid() throws {
    var strangers = Strangers()
    for lastPid: Int32? in [50, nil] {
      strangers.begin(now: 10_000, lastPid: 200)
      strangers.note(7, try stat(start: 0, parent: 3))
      strangers.begin(now: 10_001, lastPid: 200)
      #expect(strangers.parent(of: 7) == 3)
      strangers.begin(now: 10_002, lastPid: lastPid)
      #expect(strangers.parent(of: 7) == nil)
    }
  }
}
