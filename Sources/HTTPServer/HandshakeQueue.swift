/// Which connections shake hands, and which wait to begin; named by their slots.
///
/// Those who came last begin first: behind many clients that never come to the end, whoever comes
/// anew is still let in.
struct HandshakeQueue {
  /// Oldest first.
  private var underWay: [(slot: Int32, isStalled: Bool)] = []
  /// Who begins next is last.
  private var waiting: [Int32] = []

  /// Whether somebody waits although as many as may be are under way.
  func isFull(_ limit: Int) -> Bool { !waiting.isEmpty && underWay.count >= limit }

  /// The one that has been under way for longest, if it takes too long.
  var stalled: Int32? { underWay.first(where: \.isStalled)?.slot }

  /// Adds a connection that wants to begin.
  mutating func append(_ slot: Int32) { waiting.append(slot) }

  /// Takes the connection that begins now; nil if there is none, or no place.
  mutating func next(atMost limit: Int) -> Int32? {
    guard underWay.count < limit, let slot = waiting.popLast() else { return nil }
    underWay.append((slot, false))
    return slot
  }

  mutating func noteStalled(_ slot: Int32) {
    guard let index = underWay.firstIndex(where: { $0.slot == slot }) else { return }
    underWay[index].isStalled = true
  }

  /// Takes a connection out, if it is in.
  mutating func remove(_ slot: Int32) {
    underWay.removeAll { $0.slot == slot }
    waiting.removeAll { $0 == slot }
  }
}
