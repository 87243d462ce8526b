import ProcFS

/// What a rule can ask about a process beside its `stat`.
struct FactSet: OptionSet, Hashable {
  let rawValue: UInt8

  static let program = FactSet(rawValue: 1)
  static let owner = FactSet(rawValue: 2)
  static let cgroup = FactSet(rawValue: 4)
  /// Command line and environment, which are read on another thread.
  static let texts = FactSet(rawValue: 8)
  static let ports = FactSet(rawValue: 16)
  static let ancestors = FactSet(rawValue: 32)
  static let age = FactSet(rawValue: 64)

  /// What can change without a trace in `stat`, and is cheap enough to be looked at each time.
  static let fleeting: FactSet = [.program, .owner, .cgroup, .ports]
}

/// What was found out.
enum Finding<Value> {
  case found(Value)
  /// It cannot be found out.
  case unsure(Trouble)
  /// It was asked for, and the answer has not come yet.
  case pending
}

/// Who a process acts as.
struct Owner {
  var uid: UInt32
  var user: String
  var gid: UInt32
  var group: String
}

/// What a process was started with.
struct Texts: Sendable {
  /// The first word of the command line.
  var firstArgument: [UInt8]
  /// All words, with a blank between them.
  var commandLine: [UInt8]
  /// Those variables that rules ask for.
  var environment: [String: [UInt8]]
  /// Why there are none.
  var environmentTrouble: Trouble?
}

/// A process as the rules look at it: each fact is found out when the first rule asks for it.
struct Subject {
  let pid: Int32
  let stat: Stat
  /// The process, if it is held.
  let member: Member?

  /// The path of its program; nil for a thread of the kernel, and once it has ended.
  var program: Finding<[UInt8]?>?
  var owner: Finding<Owner?>?
  var cgroup: Finding<Cgroup?>?
  var texts: Finding<Texts?>?

  /// What was asked for.
  var asked: FactSet = []
  /// When a rule that asks for an age has to be looked at again, in ticks since the machine started.
  var lookAgainTicks: UInt64?
  /// The URL of the rule that fits, where it has variables.
  var url: String?
  /// What the named groups of the present rule's regular expressions caught.
  var captures: [String: [UInt8]] = [:]

  init(_ pid: Int32, _ stat: Stat, _ member: Member? = nil) {
    self.pid = pid
    self.stat = stat
    self.member = member
    if let texts = member?.texts { self.texts = .found(texts) }
  }
}

/// Finds out what rules ask for.
protocol FactSource: AnyObject {
  func program(_ subject: Subject) -> Finding<[UInt8]?>
  func owner(_ subject: Subject) -> Finding<Owner?>
  func cgroup(_ subject: Subject) -> Finding<Cgroup?>
  func texts(_ subject: Subject) -> Finding<Texts?>
  /// Whether it listens on one of some TCP ports.
  func isListening(_ subject: Subject, on ports: [UInt16]) -> Finding<Bool>
  /// Whether an ancestor belongs to the target of a name.
  func descends(_ subject: Subject, from target: String) -> Finding<Bool>
  /// Ticks since the machine started, at this collection.
  var now: UInt64 { get }
  var units: SystemFacts { get }
}

extension Subject {
  /// The fact behind a key path, found out now if it was not yet.
  mutating func know<Value>(
    _ fact: FactSet, _ place: WritableKeyPath<Subject, Finding<Value>?>,
    _ find: (Subject) -> Finding<Value>
  ) -> Finding<Value> {
    asked.formUnion(fact)
    if let known = self[keyPath: place] { return known }
    let finding = find(self)
    self[keyPath: place] = finding
    return finding
  }
}
