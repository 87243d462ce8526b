import ProcFS

/// Counters of control groups that come and go, added up so that the sum never falls.
///
/// A group's counters may include those of the groups in it. So what is added is how far those that
/// are in no other one have risen since they were last seen.
struct CgroupCounters: Sendable {
  /// One group as it is now.
  struct Seen {
    var path: CgroupPath
    var inode: UInt64
    var values: [UInt64?]
    /// Whether the values include those of the groups in it.
    var includesInner: Bool
  }

  private struct Known {
    var path: CgroupPath
    var values: [UInt64?]
    var round: UInt64
  }

  private struct Identity: Hashable {
    var hierarchy: CgroupHierarchy
    var inode: UInt64
  }

  private var known: [Identity: Known] = [:]
  private var round: UInt64 = 0
  /// By counter; nil for one that was never read.
  private(set) var sums: [UInt64?]

  init(count: Int) { sums = [UInt64?](repeating: nil, count: count) }

  /// Takes over what the groups have now.
  ///
  /// - Parameters:
  ///   - seen: The groups, in any order.
  ///   - memory: How many that are not seen now are remembered in case they are seen again.
  mutating func update(_ seen: [Seen], memory: Int) {
    round &+= 1
    let paths = Set(seen.map(\.path))
    for group in seen where !(group.includesInner && group.path.hasAncestor(in: paths)) {
      let before = known[Identity(hierarchy: group.path.hierarchy, inode: group.inode)]?.values
      for (index, value) in group.values.enumerated() {
        guard let value else { continue }
        let counted = before?[index] ?? (group.includesInner ? inner(group.path, index) : 0)
        // A counter that somebody has set back goes on from there.
        sums[index] = (sums[index] ?? 0) &+ (value > counted ? value - counted : 0)
      }
    }
    for group in seen {
      let identity = Identity(hierarchy: group.path.hierarchy, inode: group.inode)
      let before = known[identity]?.values ?? group.values
      let values = zip(group.values, before).map { $0 ?? $1 }
      known[identity] = Known(path: group.path, values: values, round: round)
    }
    if known.count - seen.count > memory {
      known = known.filter { $0.value.round == round }
    }
  }

  /// What was counted of the groups in one that was not seen before.
  private func inner(_ path: CgroupPath, _ index: Int) -> UInt64 {
    let inside = known.values.filter { path.contains($0.path) }
    let paths = Set(inside.map(\.path))
    return inside.reduce(0) {
      $1.path.hasAncestor(in: paths) ? $0 : $0 &+ ($1.values[index] ?? 0)
    }
  }
}

extension CgroupPath {
  /// Whether one of some groups contains this one.
  func hasAncestor(in groups: Set<CgroupPath>) -> Bool {
    var at = parent
    while let group = at {
      if groups.contains(group) { return true }
      at = group.parent
    }
    return false
  }

  fileprivate var depth: Int {
    path.isEmpty ? 0 : path.utf8.reduce(1) { $1 == UInt8(ascii: "/") ? $0 + 1 : $0 }
  }
}

/// The most that some control groups can use together.
///
/// A group can use what its own limit allows, and no more than the groups in it can together; so a
/// limit that several of them are under counts once.
///
/// - Parameters:
///   - groups: Groups none of which contains another.
///   - limit: A group's own limit: infinity for none, nil if it cannot be read.
/// - Returns: Nil if there is no limit, or one cannot be read.
func bound(_ groups: Set<CgroupPath>, _ limit: (CgroupPath) -> Double?) -> Double? {
  if groups.isEmpty { return nil }
  let deepest = groups.reduce(0) { max($0, $1.depth) }
  var levels = [[CgroupPath: Double]](repeating: [:], count: deepest + 1)
  for group in groups { levels[group.depth][group] = .infinity }
  var total = 0.0
  for depth in stride(from: deepest, through: 0, by: -1) {
    for (group, inner) in levels[depth] {
      guard let own = limit(group) else { return nil }
      if let parent = group.parent {
        levels[depth - 1][parent, default: 0] += min(own, inner)
      } else {
        total += min(own, inner)
      }
    }
  }
  return total.isFinite ? total : nil
}
