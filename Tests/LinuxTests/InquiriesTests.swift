import Synchronization
import Testing

@testable import Linux

@Suite struct InquiriesTests {
  /// Somebody who answers when the test lets them.
  private final class Slow: Sendable {
    private let event: EventFD
    let asked = Atomic(0)

    init() throws { event = try EventFD() }

    func wait() {
      asked.add(1, ordering: .sequentiallyConsistent)
      _ = event.wait(atMost: .seconds(60))
    }

    func goOn() { event.signal() }
    var count: Int { asked.load(ordering: .sequentiallyConsistent) }
  }

  private let far = Instant.now + .seconds(60)

  @Test func everyQuestionIsAnsweredInItsRound() throws {
    let waiter = try Waiter()
    let inquiries = try Inquiries<Int, Int>(waiter)
    for round in 0..<3 {
      #expect(inquiries.begin().isEmpty)
      for key in 0..<5 {
        #expect(
          inquiries.ask(key) { answer in
            answer(key)
            answer(100 * round + key)
          })
      }
      let answers = inquiries.collect(until: far)
      #expect(Set(answers) == Set(0..<5).union((0..<5).map { 100 * round + $0 }))
      #expect(!inquiries.isOpen(0))
    }
    waiter.stop()
  }

  @Test func withoutQuestionsNobodyWaits() throws {
    let waiter = try Waiter()
    let inquiries = try Inquiries<Int, Int>(waiter)
    #expect(inquiries.begin().isEmpty && inquiries.collect(until: far).isEmpty)
    waiter.stop()
  }

  @Test func whoDoesNotAnswerIsNotAskedAgainAndNotWaitedForAgain() throws {
    let waiter = try Waiter(threads: 2, patience: .milliseconds(1))
    let inquiries = try Inquiries<String, String>(waiter)
    let slow = try Slow()
    _ = inquiries.begin()
    inquiries.ask("slow") { answer in
      answer("first part")
      slow.wait()
      answer("late")
    }
    inquiries.ask("quick") { $0("quick") }
    #expect(eventually { slow.count == 1 })
    var answers: [String] = []
    #expect(
      eventually {
        answers += inquiries.collect(until: .now)
        return answers.count == 2
      })
    #expect(Set(answers) == ["first part", "quick"])
    #expect(inquiries.isOpen("slow") && !inquiries.isOpen("quick"))
    // The next round goes on without it.
    #expect(inquiries.begin().isEmpty)
    #expect(!inquiries.ask("slow") { _ in Issue.record("asked twice") })
    inquiries.ask("quick") { $0("again") }
    #expect(inquiries.collect(until: far) == ["again"])
    // What it says in the end is there when another round begins.
    slow.goOn()
    var late: [String] = []
    #expect(
      eventually {
        late += inquiries.begin()
        return !inquiries.isOpen("slow")
      })
    #expect(late == ["late"])
    #expect(inquiries.ask("slow") { $0("anew") })
    #expect(inquiries.collect(until: far) == ["anew"])
    waiter.stop()
  }

  @Test func questionsThatAreNotAwaitedHoldUpNothing() throws {
    let waiter = try Waiter(threads: 2, patience: .milliseconds(1))
    let inquiries = try Inquiries<Int, Int>(waiter)
    let slow = try Slow()
    _ = inquiries.begin()
    inquiries.ask(1, isAwaited: false) { answer in
      slow.wait()
      answer(1)
    }
    inquiries.ask(2) { $0(2) }
    #expect(inquiries.collect(until: far) == [2])
    slow.goOn()
    #expect(eventually { inquiries.begin() == [1] || !inquiries.isOpen(1) })
    waiter.stop()
  }

  @Test func refusedQuestionIsNotOpen() throws {
    let waiter = try Waiter(threads: 1, patience: .seconds(60), queueLimit: 0)
    let inquiries = try Inquiries<Int, Int>(waiter)
    #expect(!inquiries.ask(1) { $0(1) })
    #expect(!inquiries.isOpen(1) && inquiries.collect(until: far).isEmpty)
    waiter.stop()
  }
}
