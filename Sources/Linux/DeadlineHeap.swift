/// At most one deadline per slot, the nearest first; setting, moving and clearing one costs
/// O(log n).
struct DeadlineHeap {
  private struct Entry {
    var deadline: Instant
    var slot: Int32
  }

  private var entries: [Entry] = []
  /// Where a slot stands in `entries`, or -1.
  private var positions: [Int32] = []

  var first: Instant? { entries.first?.deadline }

  mutating func set(_ slot: Int32, _ deadline: Instant) {
    while positions.count <= Int(slot) { positions.append(-1) }
    let position = Int(positions[Int(slot)])
    if position < 0 {
      entries.append(Entry(deadline: deadline, slot: slot))
      positions[Int(slot)] = Int32(entries.count - 1)
      siftUp(entries.count - 1)
    } else {
      entries[position].deadline = deadline
      siftUp(position)
      siftDown(Int(positions[Int(slot)]))
    }
  }

  mutating func remove(_ slot: Int32) {
    guard Int(slot) < positions.count, positions[Int(slot)] >= 0 else { return }
    let position = Int(positions[Int(slot)])
    swap(position, entries.count - 1)
    entries.removeLast()
    positions[Int(slot)] = -1
    if position < entries.count {
      let moved = entries[position].slot
      siftUp(position)
      siftDown(Int(positions[Int(moved)]))
    }
  }

  /// Takes out the nearest slot if its deadline is not after the given moment.
  mutating func popFirst(notAfter now: Instant) -> Int32? {
    guard let nearest = entries.first, nearest.deadline <= now else { return nil }
    remove(nearest.slot)
    return nearest.slot
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      if entries[parent].deadline <= entries[child].deadline { return }
      swap(parent, child)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in (2 * parent + 1)...(2 * parent + 2)
      where child < entries.count && entries[child].deadline < entries[least].deadline {
        least = child
      }
      if least == parent { return }
      swap(parent, least)
      parent = least
    }
  }

  private mutating func swap(_ a: Int, _ b: Int) {
    entries.swapAt(a, b)
    positions[Int(entries[a].slot)] = Int32(a)
    positions[Int(entries[b].slot)] = Int32(b)
  }
}
