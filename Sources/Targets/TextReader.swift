import Linux
import ProcFS

/// Reads, on other threads, what may wait for a process or for a file system: command lines and
/// environments, and the names of users and groups.
final class TextReader {
  private struct Answer: Sendable {
    var process: ProcessIdentity
    /// What it ran, and what was wanted, when it was asked.
    var mark: Stat.ExecMark
    var variables: Set<String>
    var outcome: Result<Texts, ProcError>
  }

  private enum AccountsFile: Sendable, Hashable {
    case users, groups
  }

  /// Threads that may be held up by processes at the same time.
  private static let threads = 4
  /// How much longer a collection waits for each process that is asked.
  private static let timePerProcess = Duration.microseconds(100)

  private let patient: Waiter
  private let processes: Inquiries<ProcessIdentity, Answer>
  private let accounts: Inquiries<AccountsFile, (AccountsFile, AccountNames)>
  /// The variables of environments that are wanted.
  var variables: Set<String> = []
  private var answers: [ProcessIdentity: (mark: Stat.ExecMark, finding: Finding<Texts?>)] = [:]
  private var asked = 0
  private var names: [AccountsFile: AccountNames] = [:]
  private let paths: [AccountsFile: String]

  init(
    _ waiter: Waiter, users: String = "/etc/passwd", groups: String = "/etc/group"
  ) throws(Errno) {
    patient = try Waiter(threads: Self.threads)
    processes = try Inquiries(patient)
    accounts = try Inquiries(waiter)
    paths = [.users: users, .groups: groups]
  }

  deinit { patient.stop() }

  /// Starts a collection.
  ///
  /// - Parameter usesAccounts: Whether names of users and groups are wanted.
  func begin(accounts usesAccounts: Bool) {
    answers = [:]
    asked = 0
    take(processes.begin())
    guard usesAccounts else { return }
    for answer in accounts.begin() { names[answer.0] = answer.1 }
    for (file, path) in paths {
      let known = names[file] ?? AccountNames()
      let isFirst = names[file] == nil
      accounts.ask(file) { answer in
        if let new = known.ifChanged(path) {
          answer((file, new))
        } else if isFirst {
          answer((file, known))
        }
      }
    }
  }

  /// What a process has answered in this collection, or too late in the last one; nil if it has not
  /// been asked since it runs its present program.
  func answer(_ process: ProcessIdentity, _ mark: Stat.ExecMark) -> Finding<Texts?>? {
    if let answer = answers[process], answer.mark == mark { return answer.finding }
    return processes.isOpen(process) ? .pending : nil
  }

  func ask(_ process: ProcessIdentity, _ mark: Stat.ExecMark, _ hold: ProcessHold) {
    let variables = variables
    asked += 1
    processes.ask(process) { answer in
      do throws(ProcError) {
        let texts = try Texts(hold, variables)
        answer(
          Answer(process: process, mark: mark, variables: variables, outcome: .success(texts)))
      } catch {
        answer(
          Answer(process: process, mark: mark, variables: variables, outcome: .failure(error)))
      }
    }
  }

  /// The names of a user and a group; nil if the files have not answered yet.
  func names(uid: UInt32, gid: UInt32) -> (user: String, group: String)? {
    guard let users = names[.users], let groups = names[.groups] else { return nil }
    return (users.name(uid), groups.name(gid))
  }

  /// Waits for what was asked for.
  func collect(until deadline: Instant) {
    let deadline = deadline + Self.timePerProcess * asked
    for answer in accounts.collect(until: deadline) { names[answer.0] = answer.1 }
    take(processes.collect(until: deadline))
  }

  private func take(_ new: [Answer]) {
    // Other rules may want other variables by now.
    for answer in new where answer.variables == variables {
      let finding: Finding<Texts?> =
        switch answer.outcome {
        case .success(let texts): .found(texts)
        case .failure(let error): Trouble(error).map { .unsure($0) } ?? .found(nil)
        }
      answers[answer.process] = (answer.mark, finding)
    }
  }
}

extension Texts {
  /// Reads them, which may wait for the process.
  fileprivate init(_ hold: ProcessHold, _ variables: Set<String>) throws(ProcError) {
    let line = try hold.commandLine()
    var environment: [String: [UInt8]] = [:]
    var trouble: Trouble?
    if !variables.isEmpty {
      do throws(ProcError) {
        let found = try hold.environment(variables)
        environment = found.values
        // What is not among those may be behind them.
        if found.isCut, environment.count < variables.count {
          trouble = Trouble(.file(.environ), .limit)
        }
      } catch {
        guard let why = Trouble(error) else { throw error }
        trouble = why
      }
    }
    self.init(
      firstArgument: line.firstArgument, commandLine: line.text, environment: environment,
      environmentTrouble: trouble)
  }
}
