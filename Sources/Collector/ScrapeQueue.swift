/// The requests that wait for a collection: those that arrive while one is under way share it, if it
/// is for what they want, and else share the next one.
package struct ScrapeQueue<ID: Hashable> {
  private struct Entry {
    let id: ID
    let wish: Wish
    /// Whether the collection under way is for it.
    var isServed: Bool
  }

  private let limit: Int
  private let lookLimit: Int
  private var waiting: [Entry] = []
  /// What the collection under way is for; nil if there is none.
  private var underWay: Set<Wish>?

  /// An empty queue.
  ///
  /// - Parameters:
  ///   - limit: How many requests may wait.
  ///   - looks: How many different looks a collection is for, each of which is a text of its own.
  package init(limit: Int, looks: Int) {
    self.limit = limit
    lookLimit = looks
  }

  package var count: Int { waiting.count }

  /// Whether a wish is no look, or one of not too many for the next collection.
  package func hasRoom(for wish: Wish) -> Bool {
    guard let look = wish.look, underWay?.contains(wish) != true else { return true }
    let others = waiting.lazy.filter { !$0.isServed }.compactMap(\.wish.look)
    return Set(others).union([look]).count <= lookLimit
  }

  /// Adds a request.
  ///
  /// - Returns: False if too many wait already.
  package mutating func add(_ id: ID, _ wish: Wish) -> Bool {
    if waiting.count >= limit { return false }
    waiting.append(Entry(id: id, wish: wish, isServed: underWay?.contains(wish) ?? false))
    return true
  }

  /// Notes that a collection starts.
  ///
  /// - Parameter extra: What is wanted besides by nobody who waits.
  /// - Returns: What it is for; nil if one is under way or nobody wants one.
  package mutating func start(for extra: Wish? = nil) -> Set<Wish>? {
    if underWay != nil { return nil }
    var wishes = Set(waiting.map(\.wish))
    if let extra { wishes.insert(extra) }
    if wishes.isEmpty { return nil }
    for index in waiting.indices { waiting[index].isServed = true }
    underWay = wishes
    return wishes
  }

  /// Notes that what the collection under way finds out is of the past for whoever comes now.
  package mutating func close() {
    if underWay != nil { underWay = [] }
  }

  /// Forgets a request whose client has gone or whose time is over.
  ///
  /// - Parameter id: The request.
  /// - Returns: Whether it was waiting.
  @discardableResult
  package mutating func remove(_ id: ID) -> Bool {
    guard let index = waiting.firstIndex(where: { $0.id == id }) else { return false }
    waiting.remove(at: index)
    return true
  }

  /// Ends the collection.
  ///
  /// - Returns: Whom it was for, in the order they came; the others wait for the next one.
  package mutating func finish() -> [ID] {
    underWay = nil
    let served = waiting.filter(\.isServed).map(\.id)
    waiting.removeAll(where: \.isServed)
    return served
  }
}
