import Linux
import ProcFS

/// Reads the pid files of all rules on the waiter thread, once a collection each.
final class PidFileWatch {
  private struct Answer: Sendable {
    var path: String
    var outcome: Result<PidFile, PidFile.Failure>
  }

  private let waiter: Waiter
  private let answers: Mailbox<Answer>
  private var inFlight: Set<String> = []
  private var fresh: [String: Result<PidFile, PidFile.Failure>] = [:]

  init(_ waiter: Waiter) throws(Errno) {
    self.waiter = waiter
    answers = try Mailbox()
  }

  /// Asks for the files; one that has not answered the last time is not asked again.
  func request(_ paths: some Sequence<String>) {
    fresh = [:]
    let answers = answers
    for path in paths where !inFlight.contains(path) {
      let accepted = waiter.submit {
        do throws(PidFile.Failure) {
          answers.post(Answer(path: path, outcome: .success(try PidFile.read(path))))
        } catch {
          answers.post(Answer(path: path, outcome: .failure(error)))
        }
      }
      if accepted { inFlight.insert(path) }
    }
  }

  /// Waits until every file has answered or the moment has come.
  func collect(until deadline: Instant) {
    while true {
      for answer in answers.drain() {
        inFlight.remove(answer.path)
        fresh[answer.path] = answer.outcome
      }
      let left = deadline - .now
      if inFlight.isEmpty || left <= .zero { return }
      _ = answers.wake.wait(atMost: left)
    }
  }

  /// What a file said this time; nil if it has not answered yet.
  func answer(_ path: String) -> Result<PidFile, PidFile.Failure>? { fresh[path] }
}
