/// The scrapes that wait for a page: those that arrive while it is made share it.
package struct ScrapeQueue<ID: Hashable> {
  /// What is to be done with a scrape.
  package enum Admission: Equatable {
    /// Start a collection.
    case first
    /// It waits with the others.
    case shares
    /// Too many wait already.
    case refused
  }

  private let limit: Int
  private var waiting: [ID] = []
  private var isCollecting = false

  /// An empty queue.
  ///
  /// - Parameter limit: How many scrapes may wait.
  package init(limit: Int) { self.limit = limit }

  package var count: Int { waiting.count }

  /// Adds a scrape.
  package mutating func add(_ id: ID) -> Admission {
    if waiting.count >= limit { return .refused }
    waiting.append(id)
    return start() ? .first : .shares
  }

  /// Notes that a collection starts without a scrape; false if one is under way.
  package mutating func start() -> Bool {
    if isCollecting { return false }
    isCollecting = true
    return true
  }

  /// Forgets a scrape whose client has gone or whose time is over.
  ///
  /// - Parameter id: The scrape.
  /// - Returns: Whether it was waiting.
  @discardableResult
  package mutating func remove(_ id: ID) -> Bool {
    guard let index = waiting.firstIndex(of: id) else { return false }
    waiting.remove(at: index)
    return true
  }

  /// Ends the collection.
  ///
  /// - Returns: Who gets the page, in the order they came.
  package mutating func finish() -> [ID] {
    isCollecting = false
    defer { waiting = [] }
    return waiting
  }
}
