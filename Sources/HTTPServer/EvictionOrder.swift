/// Connections that may be closed to make room, the one that may go first in front.
///
/// Every operation takes constant time; connections are named by their slot.
struct EvictionOrder {
  /// Who goes first.
  enum Group: Int, CaseIterable {
    /// Answered and closed by us.
    case closing
    /// Answered and kept open.
    case idle
    /// Connected without having sent a complete request.
    case unanswered
    /// Being answered, and taking nothing of it.
    case stalled
  }

  private struct Links {
    var older: Int32 = -1
    var newer: Int32 = -1
    var group: Group?
  }

  private var links: [Links] = []
  private var oldest = [Int32](repeating: -1, count: Group.allCases.count)
  private var newest = [Int32](repeating: -1, count: Group.allCases.count)

  /// Who has to go first.
  var first: Int32? { oldest.first { $0 >= 0 } }

  /// Puts a connection at the end of a group, wherever it was before.
  mutating func append(_ slot: Int32, to group: Group) {
    remove(slot)
    while links.count <= Int(slot) { links.append(Links()) }
    let last = newest[group.rawValue]
    links[Int(slot)] = Links(older: last, newer: -1, group: group)
    if last >= 0 { links[Int(last)].newer = slot } else { oldest[group.rawValue] = slot }
    newest[group.rawValue] = slot
  }

  /// Takes a connection out, if it is in.
  mutating func remove(_ slot: Int32) {
    guard Int(slot) < links.count, let group = links[Int(slot)].group else { return }
    let (older, newer) = (links[Int(slot)].older, links[Int(slot)].newer)
    if older >= 0 { links[Int(older)].newer = newer } else { oldest[group.rawValue] = newer }
    if newer >= 0 { links[Int(newer)].older = older } else { newest[group.rawValue] = older }
    links[Int(slot)] = Links()
  }
}
