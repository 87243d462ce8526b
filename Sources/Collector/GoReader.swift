import GoReports
import GoRuntime
import Linux
import ProcFS
import Targets

/// Reads the runtimes of Go programs on waiters: what a program is on one for files, memory on one
/// for what may wait for a process.
///
/// A program is looked at once, whatever the number of processes that run it; one that is no Go
/// program costs nothing from then on.
final class GoReader {
  /// What is known of a process that was wanted.
  enum Finding {
    /// It runs no Go program, or has just ended.
    case other
    /// It has not answered yet.
    case pending
    case sample(GoSample)
    case failure(ProcError)
    /// A Go program that cannot be read, and why.
    case unreadable(String)
  }

  /// One program in one process, which begins to count anew when it calls `execve`.
  struct Run: Hashable, Sendable {
    let process: ProcessIdentity
    let mark: Stat.ExecMark
  }

  private struct Entry {
    let mark: Stat.ExecMark
    var program: FileFacts?
    /// What reading it has found out, as long as nothing fails.
    var process: GoProcess?
    var finding = Finding.pending
    /// Whether that is no answer of this collection.
    var isLate = true
    /// For when it is late or gives nothing at all.
    var breaker = Breaker()
    /// How often a group was refused, in succession.
    var refusals = 0

    init(_ mark: Stat.ExecMark) { self.mark = mark }

    /// Takes what this collection says.
    mutating func settle(_ finding: Finding) {
      self.finding = finding
      if case .pending = finding { isLate = true } else { isLate = false }
    }
  }

  /// A process that is to be read in this collection.
  private struct Candidate {
    var run: Run
    var hold: ProcessHold
    var program: FileFacts
    var target: ObjectIdentifier
    var threads: UInt64
    var extras: GoExtras
  }

  /// One thread at a time is busy with the processes of a lane.
  private struct Lane: Hashable, Sendable {
    var target: ObjectIdentifier
    /// Whether their program was not known when the collection began.
    var isNew: Bool
  }

  private struct Look: Sendable {
    var program: FileFacts
    var outcome: Result<ProgramFile.Outcome, ProcError>
  }

  private struct Answer: Sendable {
    var run: Run
    var outcome: Result<(GoProcess, GoSample), ProcError>
  }

  /// Programs that are remembered although no process runs them now.
  private static let memory = 1000
  /// How often a sample is tried of a process of which a group was refused that many times.
  private static let fewAttempts = 2

  private let looks: Inquiries<FileFacts, Look>
  private let reads: Inquiries<Lane, Answer>
  private let numbersAreOwn: Bool
  private var programs:
    [FileFacts: (outcome: Result<ProgramFile.Outcome, ProcError>, round: UInt64)] =
      [:]
  private var round: UInt64 = 0
  private var entries: [ProcessIdentity: Entry] = [:]
  private var candidates: [Candidate] = []

  /// A reader that has been asked nothing.
  ///
  /// - Parameters:
  ///   - waiter: For what may wait for a process.
  ///   - fileWaiter: For what may wait for a file system.
  ///   - numbersAreOwn: Whether system calls mean the same processes by the same numbers as /proc.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(_ waiter: Waiter, _ fileWaiter: Waiter, numbersAreOwn: Bool) throws(Errno) {
    looks = try Inquiries(fileWaiter)
    reads = try Inquiries(waiter)
    self.numbersAreOwn = numbersAreOwn
  }

  func begin() {
    candidates = []
    programs = programs.filter { program in
      // What failed is tried again.
      guard case .success = program.value.outcome else { return false }
      return programs.count <= Self.memory || program.value.round == round
    }
    round &+= 1
    take(looks.begin())
    // What was late for the last collection stands in if it is late again.
    take(reads.begin(), isLate: true)
  }

  /// Notes that the runtime of a process is wanted, and what of it beyond the group go.
  func want(_ member: Member, _ target: Target, _ extras: GoExtras) {
    let mark = member.stat.execMark
    var entry = entries[member.identity] ?? Entry(mark)
    if entry.mark != mark { entry = Entry(mark) }
    entry.isLate = true
    defer { entries[member.identity] = entry }
    guard let program = entry.program ?? program(member, &entry) else { return }
    entry.program = program
    let hold = member.handle.hold
    if programs[program] != nil {
      programs[program]?.round = round
    } else {
      looks.ask(program) { answer in
        do throws(ProcError) {
          let outcome = try hold.program(program) { file throws(Errno) in
            try ProgramFile.read(file)
          }
          answer(Look(program: program, outcome: .success(outcome)))
        } catch {
          answer(Look(program: program, outcome: .failure(error)))
        }
      }
    }
    candidates.append(
      Candidate(
        run: Run(process: member.identity, mark: mark), hold: hold, program: program,
        target: ObjectIdentifier(target), threads: member.stat.threads, extras: extras))
  }

  /// What the program of a process is, which can be told without waiting.
  private func program(_ member: Member, _ entry: inout Entry) -> FileFacts? {
    do throws(ProcError) {
      return try member.handle.programFacts()
    } catch {
      entry.settle(error == .gone ? .other : .failure(error.aboutMemory))
      return nil
    }
  }

  /// Forgets a process that is not wanted any more.
  func forget(_ process: ProcessIdentity) { entries[process] = nil }

  /// Asks for what is wanted of processes whose programs are known.
  func start() { start(isNew: false) }

  func collect(until deadline: Instant) {
    take(looks.collect(until: deadline))
    start(isNew: true)
    take(reads.collect(until: deadline), isLate: false)
  }

  private func start(isNew: Bool) {
    let now = Instant.now
    var jobs: [Lane: [Job]] = [:]
    candidates.removeAll { candidate in
      guard let known = programs[candidate.program], var entry = entries[candidate.run.process]
      else { return false }
      let lane = Lane(target: candidate.target, isNew: isNew)
      switch known.outcome {
      case .success(.program(let file)):
        if entry.breaker.isOpen(now) {
          switch entry.finding {
          case .sample, .pending: break
          case .other, .failure, .unreadable: entry.isLate = false
          }
        } else if !reads.isOpen(lane) {
          jobs[lane, default: []].append(
            Job(
              run: candidate.run, hold: candidate.hold, program: candidate.program, file: file,
              process: entry.process, threads: candidate.threads, extras: candidate.extras,
              attempts: entry.refusals < Breaker.patience ? GoProcess.attempts : Self.fewAttempts,
              numbersAreOwn: numbersAreOwn))
        }
      case .success(.unknown(let version)):
        entry.settle(.unreadable("the layout of \(version) is not known"))
      case .success(.other): entry.settle(.other)
      case .failure(let error):
        entry.settle(error == .gone ? .other : .failure(error))
        // It may run another program by now.
        entry.program = nil
      }
      entries[candidate.run.process] = entry
      return true
    }
    for (lane, jobs) in jobs {
      reads.ask(lane) { answer in
        for job in jobs { answer(Answer(run: job.run, outcome: job.outcome())) }
      }
    }
  }

  /// What was found out about a process, and whether that is of an earlier collection; a sample is
  /// told once.
  func finding(_ process: ProcessIdentity) -> (finding: Finding, run: Run, isLate: Bool)? {
    guard let entry = entries[process] else { return nil }
    if case .sample = entry.finding { entries[process]?.finding = .pending }
    return (entry.finding, Run(process: process, mark: entry.mark), entry.isLate)
  }

  private func take(_ answers: [Look]) {
    for answer in answers { programs[answer.program] = (answer.outcome, round) }
  }

  private func take(_ answers: [Answer], isLate: Bool) {
    for answer in answers {
      guard var entry = entries[answer.run.process], entry.mark == answer.run.mark else { continue }
      entry.isLate = isLate
      var isFailure = isLate
      switch answer.outcome {
      case .success(let (process, sample)):
        entry.process = process
        entry.finding = .sample(sample)
        entry.refusals = sample.refusals.isEmpty ? 0 : entry.refusals + 1
        isFailure = isFailure || sample.isRefused
      case .failure(let error):
        entry.process = nil
        entry.finding = error == .gone ? .other : .failure(error)
        isFailure = isFailure || error != .gone
      }
      if entry.breaker.note(isFailure: isFailure),
        case .success(let (_, sample)) = answer.outcome, !isLate
      {
        // The reason stays while it is not asked.
        entry.finding = .unreadable(sample.refusals.first?.reason.description ?? "")
      }
      entries[answer.run.process] = entry
    }
  }

  /// What a waiter does about one process.
  private struct Job: Sendable {
    var run: Run
    var hold: ProcessHold
    var program: FileFacts
    var file: ProgramFile
    var process: GoProcess?
    var threads: UInt64
    var extras: GoExtras
    var attempts: Int
    var numbersAreOwn: Bool

    func outcome() -> Result<(GoProcess, GoSample), ProcError> {
      do throws(ProcError) {
        var process: GoProcess
        if let known = self.process { process = known } else { process = try found() }
        let sample: GoSample
        do throws(Errno) {
          sample = try process.sample(
            systemThreads: threads, extras: extras, attempts: attempts)
        } catch {
          throw ProcError(.mem, error)
        }
        // Its number may have come to mean another process, or it another program.
        try hold.proveProgram(program)
        return .success((process, sample))
      } catch {
        return .failure(error.aboutMemory)
      }
    }

    private func found() throws(ProcError) -> GoProcess {
      try GoProcess(file, hold, pid: numbersAreOwn ? run.process.pid : nil)
    }
  }
}

extension ProcError {
  /// Whatever was denied on the way, it is the memory that cannot be read.
  fileprivate var aboutMemory: ProcError {
    if case .denied = self { .denied(.mem) } else { self }
  }
}

extension GoSample {
  /// The groups that were refused, and why.
  var refusals: [(group: FigureGroup, reason: Refusal)] {
    groups.compactMap { group, refusal in refusal.map { (group, $0) } }
  }

  /// Whether nothing of what is always read was accepted.
  fileprivate var isRefused: Bool {
    let refused = refusals.map(\.group)
    return FigureGroup.always.allSatisfy(refused.contains)
  }
}
