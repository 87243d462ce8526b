import Metrics

/// The values of a target: what its processes have now, and what former ones had.
///
/// A counter of a target is the sum over every process that ever belonged to it while it was
/// watched, so it cannot fall when one ends.
struct Tally {
  /// The last value of each counter of a process; absent where it was never read.
  typealias Counters = [Reading]

  static let none = Counters(repeating: .absent, count: Catalogue.process.count)

  /// Counters of processes that ended or left.
  private(set) var former = none
  /// The values of this collection, by the rows' places in the catalogue.
  private(set) var values = none

  /// Starts a collection: the counters that are on begin at what former processes had.
  mutating func begin(_ rows: [ActiveRow]) {
    // In the same memory.
    for index in values.indices { values[index] = .absent }
    for row in rows { values[row.index] = former[row.index] }
  }

  /// Adds what one process had when it ended or left.
  mutating func retire(_ counters: Counters) {
    for index in former.indices { former[index] = Combination.sum(former[index], counters[index]) }
  }

  /// Takes out what a process had when it left, because it is back and counts by itself.
  mutating func unretire(_ counters: Counters) {
    for (index, counter) in counters.enumerated() {
      guard case .whole(let mine) = counter, case .whole(let all) = former[index] else { continue }
      former[index] = .whole(all &- mine)
    }
  }

  /// Adds one process of this collection.
  ///
  /// - Parameters:
  ///   - sample: The process; nil if it ended while it was read, so that only its counters count.
  ///   - rows: The rows that are on.
  ///   - counters: The process' counters, brought up to date.
  mutating func add(_ sample: ProcessSample?, _ rows: [ActiveRow], _ counters: inout Counters) {
    guard let sample else {
      for row in rows where row.isCounter { add(row, .absent, &counters) }
      return
    }
    for row in rows { add(row, row.reading(sample), &counters) }
  }

  private mutating func add(_ row: ActiveRow, _ new: Reading, _ counters: inout Counters) {
    var reading = new
    if row.isCounter {
      // The highest value stays if the file cannot be read now, or the kernel corrects itself.
      reading = Combination.largest(counters[row.index], reading)
      counters[row.index] = reading
    }
    values[row.index] = row.over(values[row.index], reading)
  }
}

/// A row of ``Catalogue/process`` as far as a collection needs it.
struct ActiveRow {
  /// Its place in the catalogue.
  let index: Int
  let isCounter: Bool
  let over: Combination
  private let value: ProcessValue

  init(_ index: Int) {
    let row = Catalogue.process[index]
    self.index = index
    isCounter = row.family.kind == .counter
    over = row.over
    value = row.value
  }

  @inline(__always)
  func reading(_ sample: ProcessSample) -> Reading {
    let number: UInt64?
    switch value {
    case .stat(let take): number = take(sample.stat)
    case .status(let take): number = sample.status.flatMap(take)
    case .io(let take): number = sample.io.flatMap(take)
    case .limits(let take): number = sample.limits.flatMap(take)
    case .descriptors(let take): number = sample.openDescriptors.flatMap(take)
    case .switches(let take): number = sample.switches.flatMap(take)
    case .runTimes(let take): number = sample.runTimes.flatMap(take)
    case .delays(let take): number = sample.delays.flatMap(take)
    case .sample(let take): return take(sample).map(Reading.real) ?? .absent
    }
    return number.map(Reading.whole) ?? .absent
  }
}
