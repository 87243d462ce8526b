import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

/// Every getter on every process of the machine.
@Suite struct LiveTests {
  private func pids() throws -> [Int32] {
    let root = try ProcRoot(path: "/proc", facts: .current())
    var reader = DirectoryReader()
    var pids: [Int32] = []
    try root.processes(&reader) { pid in
      pids.append(pid)
      return true
    }
    return pids
  }

  private func isAllowed(_ failure: ProcError?) -> Bool {
    switch failure {
    case nil, .gone, .denied: true
    default: false
    }
  }

  @Test func everyGetterOnEveryProcess() throws {
    let pids = try pids()
    #expect(pids.contains(getpid()))
    var values = 0
    for pid in pids {
      do {
        var held = try Held(pid, in: "/proc", facts: .current())
        for file in SourceFile.allCases {
          for keep in [false, true] {
            let failure = held.failure(file, keep: keep)
            #expect(isAllowed(failure), "process \(pid), \(file)")
            if failure == nil { values += 1 }
          }
        }
        let threads = try held.handle.threads()
        var numbers: [Int32] = []
        try threads.numbers(&held.reader) { number in
          numbers.append(number)
          return numbers.count < 100
        }
        for number in numbers {
          do throws(ProcError) {
            let stat = try threads.stat(number, &held.buffer)
            #expect(stat.startTicks >= held.handle.startTicks, "process \(pid), thread \(number)")
            let status = try threads.status(number, &held.buffer)
            #expect(status.voluntarySwitches != nil, "process \(pid), thread \(number)")
            _ = try threads.schedstat(number, &held.buffer)
            _ = try threads.waitChannel(number, &held.buffer)
            _ = try threads.io(number, &held.buffer)
          } catch {
            #expect(isAllowed(error), "process \(pid), thread \(number)")
          }
        }
      } catch let error as ProcError {
        #expect(isAllowed(error), "process \(pid)")
      }
    }
    // This process alone has all of them.
    #expect(values >= 2 * SourceFile.allCases.count)
  }

  @Test func ownFactsAgreeWithTheSystem() throws {
    var held = try Held(getpid(), in: "/proc", facts: .current())
    let stat = try held.handle.stat(&held.buffer, keep: false)
    #expect(stat.startTicks == held.handle.startTicks)
    #expect(stat.threads >= 1)
    let age =
      Double(bootClockNanoseconds()) / 1e9 - SystemFacts.current().seconds(ticks: stat.startTicks)
    #expect(age >= 0 && age < 3600)
    let limits = try held.handle.limits(&held.buffer)
    let own = try resourceLimit(.openFiles, pid: getpid())
    #expect(limits.openFiles == .init(soft: own.soft, hard: own.hard))
    let space = try resourceLimit(.addressSpace, pid: getpid())
    #expect(limits.addressSpaceBytes == .init(soft: space.soft, hard: space.hard))
    let statm = try held.handle.statm(&held.buffer)
    #expect(statm.residentBytes > 1 << 20 && statm.virtualBytes > statm.residentBytes)
  }
}
