import Linux
import ProcFS
import Targets

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
  /// For reads that take a process' mmap lock, and for programs on file systems that may hang: pid
  /// files must not wait for those, nor the one for the other.
  private let waiter: Waiter
  private let fileWaiter: Waiter

  /// A reader that has been asked nothing.
  ///
  /// - Parameter users: The file with the names of users.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(users: String) throws(Errno) {
    // One that takes long lets the next one go on beside it after a moment.
    let waiter = try Waiter(threads: 6, patience: .milliseconds(20))
    self.waiter = waiter
    fileWaiter = try Waiter()
    maps = try MapCounter(waiter)
    proportional = try ProportionalReader(waiter)
    names = try NameReader(fileWaiter, usersPath: users)
  }

  deinit {
    waiter.stop()
    fileWaiter.stop()
  }

  func begin(_ limits: CollectorLimits) {
    maps.begin()
    proportional.begin(limits)
    names.begin()
  }

  /// Forgets a process that has left its target.
  func forget(_ member: Member) {
    maps.forget(member.identity)
    proportional.forget(member.identity)
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
