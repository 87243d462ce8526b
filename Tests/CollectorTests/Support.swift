import GoReports
import Linux
import Metrics
import ProcFS
import Targets
import TestSupport

@testable import Collector

/// Fixed units, so that a page is the same on every machine.
let facts = SystemFacts(pageBytes: 4096, ticksPerSecond: 100, bootTicks: 170_000_000_000)

/// What a daemon knows about itself that started at a known time.
let testState: OwnState = {
  var state = OwnState(version: "0.0.0")
  state.startSeconds = 1_750_000_000
  return state
}()

let everything = Selection(includesDefault: true, groups: Set(Group.allCases))

func target(
  _ name: String, pid: Int32? = nil, pidFile: String? = nil, named: String? = nil,
  children: Bool = false, labels: [Label] = [], collect: Selection = everything
) -> TargetSettings {
  TargetSettings(
    rule: Rule(
      name: name,
      labels: labels.map { Rule.LabelTemplate($0.name, Template($0.value)) },
      selector: Selector(pid: pid, pidFile: pidFile, processNames: named.map { [Glob($0)] } ?? []),
      includesChildren: children),
    selection: collect)
}

/// A collector over a tree, on the thread that makes it.
final class Watch {
  /// Kept so that its files are.
  private var tree: TestProc?
  private let waiter: Waiter
  let loop: EventLoop
  let collector: Collector
  /// What the last collection told the log.
  private(set) var notices: [Collector.Notice] = []

  convenience init(
    _ tree: TestProc, _ targets: [TargetSettings], ask: @escaping GoAddress.Ask = GoAddress.overHTTP
  ) throws {
    // Files of a recorded tree can be read after they were removed, unlike those of a process.
    try self.init(
      tree.path, cgroups: tree.cgroupPath, targets, limits: CollectorLimits(keptDescriptors: 0),
      ask: ask)
    self.tree = tree
  }

  init(
    _ path: String, cgroups: String? = nil, _ targets: [TargetSettings],
    limits: CollectorLimits = CollectorLimits(),
    exitQueueBytes: Int32 = ExitAccounting.queueBytes,
    ask: @escaping GoAddress.Ask = GoAddress.overHTTP
  ) throws {
    waiter = try Waiter()
    loop = try EventLoop()
    collector = try Collector(
      root: try ProcRoot(path: path, facts: facts),
      cgroups: CgroupTree(path: cgroups ?? TestProc.cgroupPath(below: path)),
      settings: CollectorSettings(targets: targets, limits: limits), loop: loop, waiter: waiter,
      users: "\(path)/etc/passwd", ask: ask, exitQueueBytes: exitQueueBytes)
  }

  deinit { waiter.stop() }

  func outcome() -> Collector.Outcome { collector.collect(testState) }

  func collect() -> Page {
    let outcome = outcome()
    notices = outcome.notices
    return Page(outcome.page)
  }

  /// What is wrong with the first target.
  var troubles: Set<Trouble> { collector.roster.targets.first?.standingTroubles ?? [] }

  /// A page for which nothing of the first target came too late.
  func page(withoutLate source: Trouble.Source) -> Page {
    var page = collect()
    _ = eventually {
      if !troubles.contains(Trouble(source, .late)) { return true }
      page = collect()
      return false
    }
    return page
  }
}

extension Collector.Outcome {
  /// The page that nobody says anything about.
  var page: [UInt8] { pages[Form()] ?? [] }
}

extension ProbeAnswer {
  /// The page that nobody says anything about, if there is one.
  var page: [UInt8]? { if case .pages(let pages) = self { pages[Form()] } else { nil } }
}

/// The series that says whether figures of the target `app` are told.
func runtimeOK(_ group: String) -> String {
  #"procvitals_go_runtime_ok{target="app",group="\#(group)"}"#
}

/// A page as its reader sees it.
struct Page {
  let text: String

  init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

  /// The samples by series, that is name and labels as they are written.
  var samples: [String: Double] {
    var samples: [String: Double] = [:]
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.first != 0x23 {
      guard let blank = line.lastIndex(of: 0x20),
        let value = Double(Substring(line[line.index(after: blank)...]))
      else { continue }
      samples[String(Substring(line[..<blank]))] = value
    }
    return samples
  }

  subscript(_ series: String) -> Double? { samples[series] }

  /// The value of a family for a target without other labels.
  func value(_ name: String, _ target: String = "app") -> Double? {
    samples["\(name){target=\"\(target)\"}"]
  }

  /// The page for a golden file: how long the collection took and how old a value is are written as
  /// 0, everything else follows from the tree.
  var golden: String {
    let varying = [
      "procvitals_capability{", "procvitals_scrape_duration_seconds ",
      "process_proportional_memory_age_seconds{", "process_proportional_memory_age_seconds ",
    ]
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { line in
        guard varying.contains(where: line.hasPrefix), let blank = line.lastIndex(of: " ")
        else { return String(line) }
        return line[...blank] + "0"
      }.joined(separator: "\n")
  }
}

/// The series of counters, by the TYPE lines of the page.
extension Page {
  var counters: [String: Double] {
    var names: Set<Substring> = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.first == 0x23 {
      let words = line.split(separator: 0x20).map { Substring($0) }
      if words[1] == "TYPE", words.last == "counter" { names.insert(words[2]) }
    }
    return samples.filter { names.contains($0.key.prefix { $0 != "{" }) }
  }
}

/// A sampler on the real /proc or a tree, asked and answered like by the daemon.
final class Asking {
  let sampler: Sampler<Collector.Outcome>
  var replies: Mailbox<Sampler<Collector.Outcome>.Reply>
  private var pages: [(Page, [Collector.Notice])] = []

  struct Silence: Error {}
  struct Failed: Error { var why: String }

  /// On the real /proc.
  convenience init(_ targets: [TargetSettings]) throws {
    try self.init("/proc", facts: .current(), targets)
  }

  init(_ path: String, facts: SystemFacts, _ targets: [TargetSettings]) throws {
    replies = try Mailbox()
    sampler = try Sampler(
      procPath: path, cgroupPath: TestProc.cgroupPath(below: path), facts: facts,
      settings: CollectorSettings(targets: targets), replies: replies
    ) { outcome, _ in outcome }
  }

  deinit { sampler.stop() }

  /// Asks for a page and waits for it.
  func collect() throws -> Page {
    sampler.collect(OwnState(version: "0.0.0"))
    return try next().0
  }

  /// Waits for the next page.
  func next() throws -> (Page, [Collector.Notice]) {
    while pages.isEmpty {
      guard replies.wake.wait(atMost: .seconds(60)) else { throw Silence() }
      for reply in replies.drain() {
        switch reply {
        case .page(let outcome): pages.append((Page(outcome.page), outcome.notices))
        case .failed(let why): throw Failed(why: why)
        }
      }
    }
    return pages.removeFirst()
  }

  /// Collects until the page is as wanted; the last page is returned anyway.
  func collect(until isWanted: (Page) -> Bool) throws -> Page {
    var page = try collect()
    _ = try eventually {
      if isWanted(page) { return true }
      page = try collect()
      return false
    }
    return page
  }
}
