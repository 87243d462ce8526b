import Linux
import ProcFS
import Targets

/// Which programs a target's processes run, as whom and where.
package struct InfoSurvey {
  /// What processes can have in common.
  private struct Facts: Hashable {
    var path: [UInt8]?
    var program: FileFacts?
    var user: UInt32?
    var cgroup: String?
  }

  /// The values of the labels, in the order of ``labels``.
  private(set) var series: [[String]] = []
  private var found: Set<Facts> = []

  static let labels = ["exe", "version", "user", "unit", "cgroup", "container"]

  mutating func begin() {
    series = []
    found = []
  }

  mutating func visit(
    _ member: Member, _ sample: ProcessSample, _ target: Target, _ reader: ProcessReader,
    _ patient: PatientReader
  ) {
    let program = reader.program(member, target)
    if let facts = program.facts { patient.names.want(facts, member.handle.hold) }
    if found.isEmpty { patient.names.wantUsers() }
    found.insert(
      Facts(
        path: program.path, program: program.facts, user: sample.status?.userID,
        cgroup: reader.cgroup(member, target)?.path))
  }

  mutating func finish(_ target: Target, _ patient: PatientReader, _ limits: CollectorLimits) {
    var distinct: Set<[String]> = []
    for facts in found {
      var version: String? = ""
      if let program = facts.program { version = patient.names.version(program) }
      guard let version else {
        // With it missing now it would be another series next time.
        target.note(
          Trouble(.file(.exe), .late), "the file of a program it runs has not answered in time")
        continue
      }
      let cgroup = facts.cgroup.map(Cgroup.name) ?? ""
      distinct.insert([
        facts.path.map(Self.text) ?? "", version, facts.user.map(patient.names.user) ?? "",
        Cgroup.unit(ofPath: cgroup) ?? "", cgroup, Cgroup.containerID(ofPath: cgroup) ?? "",
      ])
    }
    // Nothing is known, as for a process that has just ended.
    distinct.remove([String](repeating: "", count: Self.labels.count))
    series = distinct.sorted { $0.lexicographicallyPrecedes($1) }
    let limit = limits.infoSeriesPerTarget
    if series.count > limit {
      target.note(
        Trouble(.process, .limit),
        "its processes differ in \(series.count) ways; process_info tells the first \(limit) "
          + "(limits.info_series_per_target)")
      series.removeSubrange(limit...)
    }
  }

  /// The path without the mark of a file that was removed: after an update of the program its old
  /// and its new processes are still of the same.
  static func text(path: [UInt8]) -> String {
    let mark = Array(" (deleted)".utf8)
    let name = path.suffix(mark.count).elementsEqual(mark) ? path.dropLast(mark.count) : path[...]
    return String(decoding: name, as: UTF8.self)
  }
}

/// Names that files tell: the versions of programs and the names of users.
final class NameReader {
  private enum Key: Hashable, Sendable {
    case program(FileFacts)
    case users
  }

  private enum Answer: Sendable {
    case version(FileFacts, String)
    case users(AccountNames)
  }

  /// Programs that are remembered although no process runs them now.
  private static let memory = 1000

  private let inquiries: Inquiries<Key, Answer>
  private let usersPath: String
  private var users = AccountNames()
  private var versions: [FileFacts: (version: String, round: UInt64)] = [:]
  private var round: UInt64 = 0
  private var hasAskedForUsers = false

  init(_ waiter: Waiter, usersPath: String) throws(Errno) {
    inquiries = try Inquiries(waiter)
    self.usersPath = usersPath
  }

  func begin() {
    if versions.count > Self.memory { versions = versions.filter { $0.value.round == round } }
    round &+= 1
    hasAskedForUsers = false
    take(inquiries.begin())
  }

  /// Notes that the version of a program is wanted, of which a process is known that runs it.
  func want(_ program: FileFacts, _ hold: ProcessHold) {
    if versions[program] != nil {
      versions[program]?.round = round
      return
    }
    inquiries.ask(.program(program)) { answer in
      if let version = hold.programVersion(program) { answer(.version(program, version)) }
    }
  }

  /// Notes that names of users are wanted; the file is looked at once a collection, so that a name
  /// that changes is seen.
  func wantUsers() {
    if hasAskedForUsers { return }
    hasAskedForUsers = true
    inquiries.ask(.users) { [users, usersPath] answer in
      if let names = users.ifChanged(usersPath) { answer(.users(names)) }
    }
  }

  func collect(until deadline: Instant) { take(inquiries.collect(until: deadline)) }

  /// The version of a program, empty if it says none; nil if it has not answered yet.
  func version(_ program: FileFacts) -> String? { versions[program]?.version }

  /// The name of a user, or the number where it has none.
  func user(_ id: UInt32) -> String { users.name(id) }

  private func take(_ answers: [Answer]) {
    for answer in answers {
      switch answer {
      case .version(let program, let version): versions[program] = (version, round)
      case .users(let names): users = names
      }
    }
  }
}
