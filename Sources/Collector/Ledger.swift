/// Numbers of one thing that only rise as long as it exists.
protocol Cumulative: Equatable, Sendable {
  static var zero: Self { get }
  static func + (left: Self, right: Self) -> Self
  /// Whether no number is lower than before; else it is another thing by the same name.
  func continues(_ before: Self) -> Bool
}

/// A sum over things that come and go (threads, sockets, control groups …), which does not fall when
/// one goes.
struct Ledger<Key: Hashable & Sendable, Value: Cumulative>: Sendable {
  private struct Entry {
    var value: Value
    var round: UInt64
  }

  private var live: [Key: Entry] = [:]
  /// Things that are gone and may come back; they are in the sum.
  private var gone: [Key: Value] = [:]
  /// The sum of those that cannot come back.
  private var former = Value.zero
  private var round: UInt64 = 0
  private let memory: Int

  /// The sum as of the last ``finish()``.
  private(set) var sum = Value.zero

  /// A ledger without entries.
  ///
  /// - Parameter memory: How many gone things are remembered in case they come back with numbers
  ///   that go on; when there are more, all of them are forgotten.
  init(memory: Int = 0) { self.memory = memory }

  /// Starts a collection.
  mutating func begin() { round &+= 1 }

  /// Takes over what a thing has now.
  mutating func note(_ key: Key, _ value: Value) {
    let before = live[key]?.value ?? gone.removeValue(forKey: key)
    if let before, !value.continues(before) { former = former + before }
    live[key] = Entry(value: value, round: round)
  }

  /// Keeps what a thing had: it is there, but its numbers could not be read now.
  mutating func keep(_ key: Key) { live[key]?.round = round }

  /// Ends a collection: things that were not noted are gone.
  mutating func finish() {
    var now = former
    for (key, entry) in live {
      if entry.round == round {
        now = now + entry.value
      } else {
        live[key] = nil
        gone[key] = entry.value
      }
    }
    if gone.count > memory {
      for value in gone.values {
        former = former + value
        now = now + value
      }
      gone = [:]
    } else {
      for value in gone.values { now = now + value }
    }
    sum = now
  }
}
