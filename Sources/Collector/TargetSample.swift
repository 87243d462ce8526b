import GoReports
import ProcFS
package import Targets

/// What is known of a target as a whole in one collection.
///
/// Beside the roster's own counts it has a survey for each subject that is more than the sum of its
/// processes' numbers: things a process has many of, or that processes share. A survey is there if a
/// row that is on needs it, and lives from one collection to the next.
package struct TargetSample {
  package let target: Target
  /// Whether the last collection had no time for its processes.
  var isLate = false
  /// Samples that were left out of pages because there were too many.
  var droppedSeries: UInt64 = 0
  private(set) var descriptors: DescriptorSurvey?
  private(set) var cgroups: CgroupSurvey?
  /// Processes that the kernel killed for memory; nil until somebody asks.
  var oomKills: UInt64?
  private(set) var looksAtOOMKills = false
  private(set) var limits: LimitSurvey?
  private(set) var maps: MapSurvey?
  private(set) var proportional: ProportionalSurvey?
  private(set) var info: InfoSurvey?
  private(set) var go: GoSurvey?
  private var looksAtGo = false

  /// What surveys need of the files that a process' own numbers come from.
  var files: SourceFiles { info == nil ? [] : SourceFiles([.status]) }
  private(set) var threads: ThreadSurvey?
  private var looksAtThreads = false
  private(set) var sockets: SocketSurvey?
  private var looksAtSockets = false
  private(set) var network: NetworkSurvey?
  private var looksAtNetwork = false
  /// Nil if no threshold is in force.
  var thresholds: ThresholdSurvey?

  init(_ target: Target) { self.target = target }

  /// Keeps the surveys that a selection needs, and those that have counters, which must not begin
  /// anew.
  mutating func configure(
    _ selection: Selection, _ goSource: GoSource?, _ thresholds: Thresholds
  ) {
    descriptors = Catalogue.surveys(.fdLinks, selection) ? descriptors ?? .init() : nil
    let (files, pressure) = (
      Catalogue.surveys(.cgroupFiles, selection), Catalogue.surveys(.pressure, selection)
    )
    if files || pressure, cgroups == nil { cgroups = .init() }
    cgroups?.readsFiles = files
    cgroups?.readsPressure = pressure
    looksAtOOMKills = Catalogue.surveys(.oomKills, selection)
    if looksAtOOMKills, oomKills == nil { oomKills = 0 }
    limits = Catalogue.surveys(.limits, selection) ? limits ?? .init() : nil
    maps = Catalogue.surveys(.maps, selection) ? maps ?? .init() : nil
    proportional = Catalogue.surveys(.smapsRollup, selection) ? proportional ?? .init() : nil
    info = Catalogue.surveys(.exe, selection) ? info ?? .init() : nil
    looksAtGo = Catalogue.surveys(.mem, selection)
    if looksAtGo, go == nil { go = .init() }
    go?.extras = Catalogue.goExtras(selection)
    go?.source = goSource
    looksAtThreads = Catalogue.surveys(.task, selection)
    if looksAtThreads, threads == nil { threads = ThreadSurvey() }
    looksAtSockets = Catalogue.surveys(.sockets, selection)
    if looksAtSockets, sockets == nil { sockets = .init() }
    looksAtNetwork = Catalogue.surveys(.netStatistics, selection)
    if looksAtNetwork, network == nil { network = .init() }
    self.thresholds =
      thresholds.isEmpty ? nil : ThresholdSurvey(thresholds, after: self.thresholds)
  }

  /// Starts a collection.
  mutating func begin() {
    descriptors?.begin()
    if looksAtSockets { sockets?.begin() }
    if looksAtNetwork { network?.begin() }
    threads?.begin()
    limits?.begin()
    maps?.begin()
    proportional?.begin()
    cgroups?.begin()
    info?.begin()
    if looksAtGo { go?.begin() }
  }

  /// Looks at one process of the target.
  mutating func visit(_ member: Member, _ sample: ProcessSample, _ with: Instruments) {
    if descriptors != nil || looksAtSockets {
      let open = with.processes.descriptors(member, target)
      descriptors?.visit(open ?? [])
      if looksAtSockets { sockets?.visit(open, member, target, with.sockets) }
    }
    if looksAtNetwork { network?.visit(member, target, with.processes) }
    if looksAtThreads {
      threads?.visit(
        with.processes.walk, with.limits, foldsNumbers: with.foldsThreadNumbers)
    }
    limits?.visit(member, target, with.processes)
    maps?.visit(member, target, with.patient)
    proportional?.visit(member, target, with.patient)
    cgroups?.visit(member, target, with.cgroups)
    info?.visit(member, sample, target, with.processes, with.patient)
    if looksAtGo { go?.visit(member, target, with.patient) }
  }

  /// Ends a collection, once every process of every target was looked at.
  mutating func finish(_ with: Instruments) {
    if looksAtSockets { sockets?.finish(target, with.sockets, with.limits) }
    if looksAtNetwork { network?.finish() }
    maps?.finish(target, with.patient)
    proportional?.finish(target, with.patient)
    cgroups?.finish(target, with.cgroups)
    info?.finish(target, with.patient, with.limits)
    if looksAtGo { go?.finish(target, with.patient) }
  }
}
