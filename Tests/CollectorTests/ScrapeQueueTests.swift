import Testing

@testable import Collector

@Suite struct ScrapeQueueTests {
  enum Step: Sendable {
    case add(Int, ScrapeQueue<Int>.Admission)
    case remove(Int, Bool)
    case start(Bool)
    case finish([Int])
  }

  @Test(
    arguments: [
      // The first starts, the others share, all get the page in the order they came.
      [.add(1, .first), .add(2, .shares), .add(3, .shares), .finish([1, 2, 3]), .add(4, .first)],
      // The limit counts those who wait, and is free again behind a page.
      [
        .add(1, .first), .add(2, .shares), .add(3, .shares), .add(4, .refused), .finish([1, 2, 3]),
        .add(4, .first), .finish([4]),
      ],
      // One that goes makes room, and is not answered.
      [
        .add(1, .first), .add(2, .shares), .add(3, .shares), .remove(2, true), .remove(2, false),
        .add(4, .shares), .add(5, .refused), .finish([1, 3, 4]),
      ],
      // A collection goes on although everybody has gone; who comes then gets its page.
      [.add(1, .first), .remove(1, true), .add(2, .shares), .finish([2])],
      [.add(1, .first), .remove(1, true), .finish([]), .add(2, .first), .finish([2])],
      // A collection of nobody's, as at the start.
      [.start(true), .start(false), .add(1, .shares), .finish([1]), .start(true), .finish([])],
      [.remove(9, false), .finish([]), .add(1, .first), .start(false), .finish([1])],
    ] as [[Step]])
  func table(steps: [Step]) {
    var queue = ScrapeQueue<Int>(limit: 3)
    var waiting = 0
    for (number, step) in steps.enumerated() {
      switch step {
      case .add(let id, let admission):
        let got = queue.add(id)
        #expect(got == admission, "step \(number)")
        if admission != .refused { waiting += 1 }
      case .remove(let id, let isThere):
        let got = queue.remove(id)
        #expect(got == isThere, "step \(number)")
        if isThere { waiting -= 1 }
      case .start(let starts):
        let got = queue.start()
        #expect(got == starts, "step \(number)")
      case .finish(let ids):
        let got = queue.finish()
        #expect(got == ids, "step \(number)")
        waiting = 0
      }
      #expect(queue.count == waiting, "step \(number)")
    }
  }

  @Test func nobodyMayWait() {
    var queue = ScrapeQueue<Int>(limit: 0)
    let admission = queue.add(1)
    let starts = queue.start()
    #expect(admission == .refused && starts)
  }
}
