import GoReports
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
  let go: GoReader
  let goSources: GoSourceReader
  let commandLines: CommandLines
  /// For reads that take a process' mmap lock, and for programs on file systems that may hang: pid
  /// files must not wait for those, nor the one for the other.
  private let waiter: Waiter
  private let fileWaiter: Waiter
  /// For programs that are asked over the network.
  private let networkWaiter: Waiter

  /// A reader that has been asked nothing.
  ///
  /// - Parameters:
  ///   - users: The file with the names of users.
  ///   - numbersAreOwn: Whether system calls mean the same processes by the same numbers as /proc.
  ///   - ask: How programs are asked for their Go figures.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(users: String, numbersAreOwn: Bool, ask: @escaping GoAddress.Ask) throws(Errno) {
    // One that takes long lets the next one go on beside it after a moment.
    let waiter = try Waiter(threads: 6, patience: .milliseconds(20))
    self.waiter = waiter
    fileWaiter = try Waiter()
    networkWaiter = try Waiter(threads: 6, patience: .milliseconds(20))
    maps = try MapCounter(waiter)
    proportional = try ProportionalReader(waiter)
    names = try NameReader(fileWaiter, usersPath: users)
    go = try GoReader(waiter, fileWaiter, numbersAreOwn: numbersAreOwn)
    commandLines = try CommandLines(waiter)
    goSources = try GoSourceReader(networkWaiter, ask)
  }

  deinit {
    waiter.stop()
    fileWaiter.stop()
    networkWaiter.stop()
  }

  func begin(_ limits: CollectorLimits) {
    maps.begin()
    proportional.begin(limits)
    names.begin()
    go.begin()
    goSources.begin()
  }

  /// Forgets a process that has left its target.
  func forget(_ member: Member) {
    maps.forget(member.identity)
    proportional.forget(member.identity)
    go.forget(member.identity)
  }

  /// Asks for what is wanted and waits for the answers.
  func answer() {
    maps.start()
    proportional.start()
    go.start()
    let deadline = Instant.now + Self.patience
    go.collect(until: deadline)
    goSources.collect(until: deadline)
    maps.collect(until: deadline)
    proportional.collect(until: deadline)
    names.collect(until: deadline)
  }
}
