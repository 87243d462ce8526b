import Linux
import ProcFS
import Targets

/// How many memory mappings a target's processes have, and how many one may have.
package struct MapSurvey {
  /// Of the process with most of them: the limit is one for each process.
  private(set) var largest: UInt64?
  private(set) var limit: UInt64?
  private var processes: [ProcessIdentity] = []

  mutating func begin() {
    largest = nil
    limit = nil
    processes = []
  }

  mutating func visit(_ member: Member, _ target: Target, _ patient: PatientReader) {
    // The kernel's own threads have no memory of their own.
    if member.stat.isKernelThread { return }
    processes.append(member.identity)
    patient.maps.want(member, target)
  }

  mutating func finish(_ target: Target, _ patient: PatientReader) {
    if !processes.isEmpty { limit = patient.maps.limit }
    for process in processes {
      let (outcome, isLate) = patient.maps.outcome(process)
      if isLate { target.note(.late(.maps), pid: process.pid) }
      switch outcome {
      case .success(let count): largest = max(count, largest ?? 0)
      case .failure(let error): target.note(error, pid: process.pid)
      case nil: break
      }
    }
  }
}

/// Counts the memory mappings of processes on a waiter, those of one target one after another.
final class MapCounter {
  typealias Outcome = Result<UInt64, ProcError>

  private struct Answer: Sendable {
    var process: ProcessIdentity
    var outcome: Outcome
  }

  /// Late answers that are remembered until their targets are looked at again.
  private static let memory = 10_000

  private let inquiries: Inquiries<ObjectIdentifier, Answer>
  private var wanted: [ObjectIdentifier: [(process: ProcessIdentity, hold: ProcessHold)]] = [:]
  private var outcomes: [ProcessIdentity: (outcome: Outcome, isLate: Bool)] = [:]
  /// The most that one process may have.
  var limit: UInt64?

  init(_ waiter: Waiter) throws(Errno) { inquiries = try Inquiries(waiter) }

  func begin() {
    wanted = [:]
    // Of processes that ended before their answer came; nobody will ask for it.
    if outcomes.count > Self.memory { outcomes = [:] }
    // What was late for the last collection stands in if it is late again.
    take(inquiries.begin(), isLate: true)
  }

  func want(_ member: Member, _ target: Target) {
    wanted[ObjectIdentifier(target), default: []].append((member.identity, member.handle.hold))
  }

  func start() {
    for (target, processes) in wanted {
      inquiries.ask(target) { answer in
        for (process, hold) in processes {
          do throws(ProcError) {
            answer(Answer(process: process, outcome: .success(try hold.memoryMaps())))
          } catch {
            answer(Answer(process: process, outcome: .failure(error)))
          }
        }
      }
    }
  }

  func collect(until deadline: Instant) { take(inquiries.collect(until: deadline), isLate: false) }

  /// What was found out about a process, and whether that is of an earlier collection; told once.
  func outcome(_ process: ProcessIdentity) -> (outcome: Outcome?, isLate: Bool) {
    outcomes.removeValue(forKey: process).map { ($0.outcome, $0.isLate) } ?? (nil, true)
  }

  func forget(_ process: ProcessIdentity) { outcomes[process] = nil }

  private func take(_ answers: [Answer], isLate: Bool) {
    for answer in answers { outcomes[answer.process] = (answer.outcome, isLate) }
  }
}
