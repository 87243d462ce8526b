import Linux
import ProcFS

/// Processes that have ended and whose status the kernel does not tell yet.
///
/// It tells when the parent has fetched the status, which hangs up the pidfd.
final class Endings: EventHandler {
  /// How long an ended process may stay unreaped before its end is counted with what is known.
  private static let reaperPatience = Duration.seconds(2)

  private struct Ending {
    let process: ProcessIdentity
    let pidfd: PidFD
    let target: Target
    /// What its last exit record said.
    let recorded: ExitStatus?
  }

  private let loop: EventLoop
  private var unreaped: [EventToken: Ending] = [:]
  /// Called when it is known how a process ended, or that nobody will know.
  var didEnd: (Target, ProcessIdentity, Exit) -> Void = { _, _, _ in }

  init(_ loop: EventLoop) { self.loop = loop }

  /// Counts how a process ended, now or when that is known.
  func add(_ member: Member, _ target: Target) {
    if let pidfd = member.pidfd {
      if let status = pidfd.exitStatus() { return count(status, member.identity, target) }
      if let token = try? loop.add(pidfd.fd, [], self) {
        unreaped[token] = Ending(
          process: member.identity, pidfd: pidfd, target: target, recorded: member.recordedStatus)
        loop.setDeadline(token, .now + Self.reaperPatience)
        target.unreaped += 1
        return
      }
    }
    count(member.recordedStatus, member.identity, target)
  }

  func ready(_ token: EventToken, _ readiness: Readiness) { finish(token) }

  func expired(_ token: EventToken) { finish(token) }

  private func finish(_ token: EventToken) {
    guard let ending = unreaped.removeValue(forKey: token) else { return }
    loop.remove(token)
    ending.target.unreaped -= 1
    count(ending.pidfd.exitStatus() ?? ending.recorded, ending.process, ending.target)
  }

  private func count(_ status: ExitStatus?, _ process: ProcessIdentity, _ target: Target) {
    let exit = Exit(status)
    target.exits[exit, default: 0] += 1
    didEnd(target, process, exit)
  }
}
