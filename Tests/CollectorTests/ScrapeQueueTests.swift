import Testing

@testable import Collector

@Suite struct ScrapeQueueTests {
  enum Step: Sendable {
    /// A request, and whether it may wait.
    case add(Int, Wish, Bool)
    case remove(Int, Bool)
    /// What the next collection is for; nil if none starts.
    case start(Set<Wish>?)
    case startFor(Wish, Set<Wish>?)
    case close
    case finish([Int])
  }

  private static let a = Wish.probe(Probe(name: "a"))
  private static let b = Wish.probe(Probe(name: "b"))

  @Test(
    arguments: [
      // Those that come meanwhile share, if it is for what they want, and get it in their order.
      [
        .add(1, .page(), true), .start([.page()]), .add(2, .page(), true), .start(nil),
        .add(3, .page(), true), .finish([1, 2, 3]), .start(nil),
      ],
      // Others wait for the next one, all of them together.
      [
        .add(1, .page(), true), .start([.page()]), .add(2, a, true), .add(3, .page(), true),
        .finish([1, 3]), .add(4, b, true), .start([a, b]), .add(5, a, true), .finish([2, 4, 5]),
        .start(nil),
      ],
      // One target's page is not another's, nor that of all.
      [
        .add(1, a, true), .start([a]), .add(2, b, true), .add(3, .list(), true), .finish([1]),
        .start([b, .list()]), .finish([2, 3]),
      ],
      // The limit counts those who wait, and is free again behind a page.
      [
        .add(1, .page(), true), .start([.page()]), .add(2, a, true), .add(3, .page(), true),
        .add(4, .page(), false), .finish([1, 3]), .add(4, .page(), true), .start([a, .page()]),
        .finish([2, 4]),
      ],
      // One that goes makes room, and is not answered; nothing is read for it.
      [
        .add(1, .page(), true), .start([.page()]), .add(2, .page(), true), .add(3, a, true),
        .remove(2, true), .remove(2, false), .remove(3, true), .add(4, .page(), true),
        .finish([1, 4]), .start(nil),
      ],
      // A collection goes on although everybody has gone; who comes then gets its page.
      [
        .add(1, .page(), true), .start([.page()]), .remove(1, true), .add(2, .page(), true),
        .finish([2]),
      ],
      // A collection of nobody's, as at the start.
      [
        .startFor(.page(), [.page()]), .startFor(.page(), nil), .add(1, .page(), true),
        .finish([1]),
        .startFor(.page(), [.page()]), .finish([]),
      ],
      // Nobody joins one that is closed; those who have joined get its page.
      [
        .add(1, .page(), true), .start([.page()]), .add(2, .page(), true), .close,
        .add(3, .page(), true),
        .start(nil), .finish([1, 2]), .start([.page()]), .finish([3]),
      ],
      [
        .close, .remove(9, false), .finish([]), .add(1, .page(), true), .start([.page()]),
        .finish([1]),
      ],
    ] as [[Step]])
  func table(steps: [Step]) {
    var queue = ScrapeQueue<Int>(limit: 3, looks: 2)
    var waiting = 0
    for (number, step) in steps.enumerated() {
      switch step {
      case .add(let id, let wish, let mayWait):
        let got = queue.add(id, wish)
        #expect(got == mayWait, "step \(number)")
        if mayWait { waiting += 1 }
      case .remove(let id, let isThere):
        let got = queue.remove(id)
        #expect(got == isThere, "step \(number)")
        if isThere { waiting -= 1 }
      case .start(let wishes):
        let got = queue.start()
        #expect(got == wishes, "step \(number)")
      case .startFor(let wish, let wishes):
        let got = queue.start(for: wish)
        #expect(got == wishes, "step \(number)")
      case .close: queue.close()
      case .finish(let ids):
        let got = queue.finish()
        #expect(got == ids, "step \(number)")
        waiting -= ids.count
      }
      #expect(queue.count == waiting, "step \(number)")
    }
  }

  @Test func aCollectionIsForFewDifferentLooks() {
    let looks = (1...3).map { Wish.look(Look(.page, span: $0)) }
    var queue = ScrapeQueue<Int>(limit: 100, looks: 2)
    func take(_ id: Int, _ wish: Wish) -> Bool { queue.hasRoom(for: wish) && queue.add(id, wish) }
    #expect(take(1, looks[0]) && take(2, looks[1]) && take(3, looks[0]))
    #expect(!take(4, looks[2]) && take(4, .page()) && take(5, .health))
    // Whoever joins the one under way takes no room in the next one, which has room of its own.
    _ = queue.start()
    #expect(take(6, looks[0]) && take(7, looks[2]) && take(8, .look(Look(.page, span: 4))))
    #expect(!take(9, .look(Look(.page, span: 5))) && take(9, looks[1]))
    let served = queue.finish()
    #expect(served == [1, 2, 3, 4, 5, 6, 9])
    #expect(!take(10, looks[0]) && queue.remove(7) && take(10, looks[0]))
  }

  @Test func nobodyMayWait() {
    var queue = ScrapeQueue<Int>(limit: 0, looks: 2)
    let mayWait = queue.add(1, .page())
    let starts = queue.start()
    #expect(!mayWait && starts == nil)
  }
}
