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

  /// Starts a collection: counters begin at what former processes had.
  mutating func begin() { values = former }

  /// Adds what one process had when it ended or left.
  mutating func retire(_ counters: Counters) {
    for index in former.indices { former[index] = Combination.sum(former[index], counters[index]) }
  }

  /// Adds one process of this collection.
  ///
  /// - Parameters:
  ///   - sample: The process; nil if it ended while it was read, so that only its counters count.
  ///   - rows: The rows that are on.
  ///   - counters: The process' counters, brought up to date.
  mutating func add(_ sample: ProcessSample?, _ rows: [Int], _ counters: inout Counters) {
    for index in rows {
      let row = Catalogue.process[index]
      var reading = Reading.absent
      if let sample, case .single(let value) = row.value { reading = value(sample) }
      if row.family.kind == .counter {
        // The highest value stays if the file cannot be read now, or the kernel corrects itself.
        counters[index] = Combination.largest(counters[index], reading)
        reading = counters[index]
      }
      values[index] = row.over(values[index], reading)
    }
  }
}
