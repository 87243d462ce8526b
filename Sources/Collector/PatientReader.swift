import Linux
import ProcFS

/// Reads that may wait for a process or a file system, of all targets.
///
/// While processes are visited it is said what is wanted; then all of it is asked for on threads of
/// their own and waited for together. What is late costs the collection nothing but that time, once.
final class PatientReader {
  /// How long a collection waits.
  private static let patience = Duration.milliseconds(100)

  let maps: MapCounter
  let proportional: ProportionalReader
  let names: NameReader
  /// For reads that take a process' mmap lock: pid files must not wait for those.
  private let waiter: Waiter

  /// A reader that has been asked nothing.
  ///
  /// - Parameters:
  ///   - files: Where files are read.
  ///   - users: The file with the names of users.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(files: Waiter, users: String) throws(Errno) {
    // One that takes long lets the next one go on beside it after a moment.
    let waiter = try Waiter(threads: 6, patience: .milliseconds(20))
    self.waiter = waiter
    maps = try MapCounter(waiter)
    proportional = try ProportionalReader(waiter)
    names = try NameReader(files, usersPath: users)
  }

  deinit { waiter.stop() }

  func begin(_ limits: CollectorLimits) {
    maps.begin()
    proportional.begin(limits)
    names.begin()
  }

  /// Asks for what is wanted and waits for the answers.
  func answer() {
    maps.start()
    proportional.start()
    let deadline = Instant.now + Self.patience
    maps.collect(until: deadline)
    proportional.collect(until: deadline)
    names.collect(until: deadline)
  }
}
