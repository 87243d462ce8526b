import Linux
import ProcFS
import Targets

/// Reads `smaps_rollup` of processes on a waiter, only so much in each collection.
///
/// A read costs about 60 ms for each GiB resident and disturbs the process, so the resident size is
/// what a collection may spend: those that wait longest are read first, what is large is paid for
/// by the collections that follow. A few small ones are always read and waited for, the others are
/// there next time.
final class ProportionalReader {
  /// What is known of a process.
  enum Known {
    case value(SmapsRollup, readAt: Instant)
    case failure(ProcError)
  }

  struct Standing {
    var known: Known?
    var isLate: Bool
  }

  private struct Entry {
    var known: Known?
    /// When it was last asked for.
    var askedAt = Instant(nanoseconds: 0)
    /// What was spent on that.
    var bytes: Int64 = 0
    var isOpen = false
    var isAwaited = false
  }

  private struct Candidate {
    var process: ProcessIdentity
    var hold: ProcessHold
    var target: ObjectIdentifier
    var bytes: Int64
    var askedAt: Instant
  }

  /// One thread at a time is busy with the processes of a lane.
  private struct Lane: Hashable, Sendable {
    var target: ObjectIdentifier
    var isAwaited: Bool
  }

  private struct Answer: Sendable {
    var process: ProcessIdentity
    var readAt: Instant
    var outcome: Result<SmapsRollup, ProcError>
  }

  /// What a collection waits for beside its budget: about 10 ms.
  private static let awaitedBytes: Int64 = 160 << 20
  /// What reading the smallest process costs.
  private static let leastBytes: Int64 = 1 << 20
  /// After so long a read that nobody waits for is late.
  private static let overdue = Duration.seconds(10)

  private let inquiries: Inquiries<Lane, Answer>
  private var entries: [ProcessIdentity: Entry] = [:]
  private var candidates: [Candidate] = []
  /// What may still be spent, in bytes resident; below zero it is owed by later collections.
  private var credit: Int64 = 0
  private var budget: Int64 = 0
  /// The largest resident size of a process that is read.
  private(set) var processLimit: UInt64 = 0

  init(_ waiter: Waiter) throws(Errno) { inquiries = try Inquiries(waiter) }

  func begin(_ limits: CollectorLimits) {
    candidates = []
    processLimit = UInt64(limits.pssBytesPerProcess)
    budget = Int64(limits.pssBytesPerScrape)
    credit = min(credit, 0) + budget
    take(inquiries.begin())
  }

  /// Notes that the proportional memory of a process is wanted.
  ///
  /// - Returns: False if the process is too large.
  func want(_ member: Member, _ target: Target) -> Bool {
    if member.stat.residentBytes > processLimit { return false }
    var entry = entries[member.identity] ?? Entry()
    entry.isAwaited = false
    entries[member.identity] = entry
    let bytes = max(Int64(clamping: member.stat.residentBytes), Self.leastBytes)
    if !entry.isOpen {
      candidates.append(
        Candidate(
          process: member.identity, hold: member.handle.hold, target: ObjectIdentifier(target),
          bytes: bytes, askedAt: entry.askedAt))
    }
    return true
  }

  /// Forgets a process that is not wanted any more.
  func forget(_ process: ProcessIdentity) { entries[process] = nil }

  func start() {
    candidates.sort { ($0.askedAt, $0.process.pid) < ($1.askedAt, $1.process.pid) }
    var lanes: [Lane: [Candidate]] = [:]
    var awaited: Int64 = 0
    for candidate in candidates {
      let isAwaited = awaited + candidate.bytes <= min(Self.awaitedBytes, budget)
      if !isAwaited, credit <= 0 { continue }
      let lane = Lane(target: candidate.target, isAwaited: isAwaited)
      if inquiries.isOpen(lane) { continue }
      if isAwaited { awaited += candidate.bytes } else { credit -= candidate.bytes }
      lanes[lane, default: []].append(candidate)
    }
    // What is waited for goes first.
    for (lane, processes) in lanes.sorted(by: { $0.key.isAwaited && !$1.key.isAwaited }) {
      ask(lane, processes.map { ($0.process, $0.hold) })
      for candidate in processes where inquiries.isOpen(lane) {
        entries[candidate.process]?.askedAt = .now
        entries[candidate.process]?.bytes = lane.isAwaited ? 0 : candidate.bytes
        entries[candidate.process]?.isOpen = true
        entries[candidate.process]?.isAwaited = lane.isAwaited
      }
    }
  }

  private func ask(_ lane: Lane, _ processes: [(process: ProcessIdentity, hold: ProcessHold)]) {
    inquiries.ask(lane, isAwaited: lane.isAwaited) { answer in
      for (process, hold) in processes {
        let start = Instant.now
        do throws(ProcError) {
          let rollup = try hold.smapsRollup()
          answer(Answer(process: process, readAt: start, outcome: .success(rollup)))
        } catch {
          answer(Answer(process: process, readAt: start, outcome: .failure(error)))
        }
      }
    }
  }

  func collect(until deadline: Instant) { take(inquiries.collect(until: deadline)) }

  /// What is known of a process that was wanted in this collection.
  func standing(_ process: ProcessIdentity, _ now: Instant) -> Standing {
    guard let entry = entries[process] else { return Standing(known: nil, isLate: false) }
    let isLate = entry.isOpen && (entry.isAwaited || now - entry.askedAt > Self.overdue)
    return Standing(known: entry.known, isLate: isLate)
  }

  private func take(_ answers: [Answer]) {
    for answer in answers {
      guard var entry = entries[answer.process] else { continue }
      entry.isOpen = false
      switch answer.outcome {
      case .success(let rollup): entry.known = .value(rollup, readAt: answer.readAt)
      case .failure(let error):
        // Nothing was walked.
        credit = min(credit + entry.bytes, budget)
        entry.known = .failure(error)
      }
      entries[answer.process] = entry
    }
  }
}
