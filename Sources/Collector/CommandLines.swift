import Linux
import ProcFS
import Targets

/// Reads command lines for those who look at the page, once for each program that a process runs.
///
/// A process that maps memory makes a read of its command line wait, so this is done on a waiter.
final class CommandLines {
  private struct Line: Sendable {
    var process: ProcessIdentity
    /// What it ran.
    var mark: Stat.ExecMark
    var text: String
  }

  /// Bytes that are told of one.
  static let limit = 200
  /// How long a collection waits.
  private static let patience = Duration.milliseconds(100)

  private let inquiries: Inquiries<ProcessIdentity, Line>
  private var lines: [ProcessIdentity: Line] = [:]

  init(_ waiter: Waiter) throws(Errno) { inquiries = try Inquiries(waiter) }

  /// Finds out those of some processes, and forgets all others.
  func read(_ members: [Member]) {
    let known = lines
    lines = [:]
    take(inquiries.begin())
    for member in members {
      let (process, mark, hold) = (member.identity, member.stat.execMark, member.handle.hold)
      if let line = known[process], line.mark == mark { lines[process] = line }
      if lines[process]?.mark == mark { continue }
      inquiries.ask(process) { answer in
        // What may not be read is not told.
        guard let bytes = try? hold.commandLine().text, !bytes.isEmpty else { return }
        let text = String(decoding: bytes.prefix(Self.limit), as: UTF8.self)
        answer(
          Line(process: process, mark: mark, text: bytes.count > Self.limit ? text + "…" : text))
      }
    }
    take(inquiries.collect(until: .now + Self.patience))
  }

  /// That of a process, cut; nil if it has none or it is not known.
  subscript(_ member: Member?) -> String? { member.flatMap { lines[$0.identity]?.text } }

  func forget() { lines = [:] }

  private func take(_ new: [Line]) {
    for line in new { lines[line.process] = line }
  }
}
