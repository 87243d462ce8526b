/// Where a running program has the variables of its Go runtime; addresses in that process.
struct Addresses: Sendable, Hashable {
  /// `runtime.memstats`.
  var memstats: UInt64
  /// `runtime.gcController`.
  var controller: UInt64
  /// `runtime.mheap_`.
  var heap: UInt64
  /// `runtime.sched`.
  var scheduler: UInt64
  /// `runtime.allp`, a slice.
  var processors: UInt64
  /// How many goroutines there ever were: `runtime.allglen`, or the length of `runtime.allgs`.
  var goroutineCount: UInt64
}
