/// Small numbers, each given out once until it is given back.
struct SlotPool {
  private var free: [Int] = []
  private var next = 0

  mutating func take() -> Int {
    if let slot = free.popLast() { return slot }
    next += 1
    return next - 1
  }

  mutating func give(_ slot: Int) { free.append(slot) }
}
