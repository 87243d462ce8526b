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
  private(set) var sockets: SocketSurvey?
  private(set) var network: NetworkSurvey?

  init(_ target: Target) { self.target = target }

  /// Keeps the surveys that a selection needs; those that go on keep what they know.
  mutating func configure(_ selection: Selection) {
    descriptors = Catalogue.surveys(.fdLinks, selection) ? descriptors ?? .init() : nil
    sockets = Catalogue.surveys(.sockets, selection) ? sockets ?? .init() : nil
    network = Catalogue.surveys(.netStatistics, selection) ? network ?? .init() : nil
  }

  /// Starts a collection.
  mutating func begin() {
    descriptors?.begin()
    sockets?.begin()
    network?.begin()
  }

  /// Looks at one process of the target.
  mutating func visit(_ member: Member, _ reader: ProcessReader, _ tables: SocketReader) {
    if descriptors != nil || sockets != nil {
      let open = reader.descriptors(member, target)
      descriptors?.visit(open ?? [])
      sockets?.visit(open, member, target, tables)
    }
    network?.visit(member, target, reader)
  }

  /// Ends a collection, once every process of every target was looked at.
  mutating func finish(_ reader: ProcessReader, _ tables: SocketReader) {
    sockets?.finish(target, tables, reader.limits)
    network?.finish()
  }
}
