import ProcFS
package import Targets

/// What is known of a target as a whole in one collection.
///
/// Beside the roster's own counts it has a survey for each subject that is more than the sum of its
/// processes' numbers: things a process has many of, or that processes share. A survey is there if a
/// row that is on needs it, and lives from one collection to the next.
package struct TargetSample {
  package let target: Target
  private(set) var descriptors: DescriptorSurvey?
  private(set) var limits: LimitSurvey?
  private(set) var maps: MapSurvey?
  private(set) var proportional: ProportionalSurvey?
  private(set) var info: InfoSurvey?

  /// What surveys need of the files that a process' own numbers come from.
  var files: SourceFiles { info == nil ? [] : SourceFiles([.status]) }

  init(_ target: Target) { self.target = target }

  /// Keeps the surveys that a selection needs; those that go on keep what they know.
  mutating func configure(_ selection: Selection) {
    descriptors = Catalogue.surveys(.fdLinks, selection) ? descriptors ?? .init() : nil
    limits = Catalogue.surveys(.limits, selection) ? limits ?? .init() : nil
    maps = Catalogue.surveys(.maps, selection) ? maps ?? .init() : nil
    proportional = Catalogue.surveys(.smapsRollup, selection) ? proportional ?? .init() : nil
    info = Catalogue.surveys(.exe, selection) ? info ?? .init() : nil
  }

  /// Starts a collection.
  mutating func begin() {
    descriptors?.begin()
    limits?.begin()
    maps?.begin()
    proportional?.begin()
    info?.begin()
  }

  /// Looks at one process of the target.
  mutating func visit(
    _ member: Member, _ sample: ProcessSample, _ reader: ProcessReader, _ patient: PatientReader
  ) {
    descriptors?.visit(member, target, reader)
    limits?.visit(member, target, reader)
    maps?.visit(member, target, patient)
    proportional?.visit(member, target, patient)
    info?.visit(member, sample, target, reader, patient)
  }

  /// Takes over what other threads have found out.
  mutating func finish(_ patient: PatientReader, _ limits: CollectorLimits) {
    maps?.finish(target, patient)
    proportional?.finish(target, patient)
    info?.finish(target, patient, limits)
  }
}
