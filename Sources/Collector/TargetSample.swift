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
  private(set) var threads: ThreadSurvey?
  private var looksAtThreads = false

  init(_ target: Target) { self.target = target }

  /// Keeps the surveys that a selection needs, and those that have counters, which must not begin
  /// anew.
  mutating func configure(_ selection: Selection) {
    descriptors = Catalogue.surveys(.fdLinks, selection) ? descriptors ?? .init() : nil
    looksAtThreads = Catalogue.surveys(.task, selection)
    if looksAtThreads, threads == nil { threads = ThreadSurvey() }
  }

  /// Starts a collection.
  mutating func begin() {
    descriptors?.begin()
    threads?.begin()
  }

  /// Looks at one process of the target.
  mutating func visit(_ member: Member, _ reader: ProcessReader) {
    descriptors?.visit(member, target, reader)
    if looksAtThreads { threads?.visit(reader.walk, reader.limits) }
  }
}
