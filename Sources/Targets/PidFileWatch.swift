import Linux
import ProcFS

/// Reads the pid files of all rules on the waiter thread, once a collection each.
final class PidFileWatch {
  private struct Answer: Sendable {
    var path: String
    var outcome: Result<PidFile, PidFile.Failure>
  }

  private let inquiries: Inquiries<String, Answer>
  private var outcomes: [String: Result<PidFile, PidFile.Failure>] = [:]
  /// What the files said when they could last be read.
  private var known: [String: PidFile] = [:]

  init(_ waiter: Waiter) throws(Errno) { inquiries = try Inquiries(waiter) }

  /// Asks for the files; one that has not answered the last time is not asked again.
  func request(_ paths: some Sequence<String>) {
    outcomes = [:]
    take(inquiries.begin())
    let paths = Set(paths)
    known = known.filter { paths.contains($0.key) }
    for path in paths {
      let known = known[path]
      inquiries.ask(path) { answer in
        do throws(PidFile.Failure) {
          answer(Answer(path: path, outcome: .success(try PidFile.read(path, known: known))))
        } catch {
          answer(Answer(path: path, outcome: .failure(error)))
        }
      }
    }
  }

  /// Waits until every file that was asked has answered or the moment has come.
  func collect(until deadline: Instant) { take(inquiries.collect(until: deadline)) }

  /// What a file said this time, or too late for the last one; nil if it has not answered yet.
  func answer(_ path: String) -> Result<PidFile, PidFile.Failure>? { outcomes[path] }

  private func take(_ answers: [Answer]) {
    for answer in answers {
      outcomes[answer.path] = answer.outcome
      if case .success(let file) = answer.outcome { known[answer.path] = file }
    }
  }
}
