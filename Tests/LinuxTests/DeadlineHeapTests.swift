import Testing

@testable import Linux

@Suite struct DeadlineHeapTests {
  private static func at(_ time: UInt64) -> Instant { Instant(nanoseconds: time) }

  @Test func nearestComesFirst() {
    var heap = DeadlineHeap()
    for (slot, time) in [(0, 50), (3, 10), (1, 30), (7, 20), (2, 40)] as [(Int32, UInt64)] {
      heap.set(slot, Self.at(time))
    }
    #expect(heap.first == Self.at(10))
    #expect(heap.popFirst(notAfter: Self.at(9)) == nil)
    heap.set(3, Self.at(60))
    heap.set(2, Self.at(5))
    heap.remove(1)
    heap.remove(1)
    heap.remove(99)
    var order: [Int32] = []
    while let slot = heap.popFirst(notAfter: Self.at(60)) { order.append(slot) }
    #expect(order == [2, 7, 0, 3])
    #expect(heap.first == nil)
  }

  @Test func sameAsAList() {
    withRandom { random, seed in
      var heap = DeadlineHeap()
      var model: [Int32: UInt64] = [:]
      for step in 0..<20_000 {
        let slot = Int32.random(in: 0..<60, using: &random)
        // Few different times, so that many are equal.
        let time = UInt64.random(in: 0..<40, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<4:
          heap.set(slot, Self.at(time))
          model[slot] = time
        case 4, 5:
          heap.remove(slot)
          model[slot] = nil
        default:
          let nearest = model.values.min()
          let popped = heap.popFirst(notAfter: Self.at(time))
          if let nearest, nearest <= time {
            guard let popped else {
              Issue.record("nothing at step \(step), \(seed)")
              return
            }
            #expect(model[popped] == nearest, "step \(step), \(seed)")
            model[popped] = nil
          } else {
            #expect(popped == nil, "step \(step), \(seed)")
          }
        }
        #expect(heap.first == model.values.min().map(Self.at), "step \(step), \(seed)")
      }
    }
  }
}
