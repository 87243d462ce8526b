package import Metrics

/// How a page is written, and what of it.
package struct Form: Hashable, Sendable {
  /// The names of the families; nil for those of the settings.
  ///
  /// A page of one target has `process_…` anyway.
  package var names: Names?
  package var format: Format
  /// Whether it is one gzip member.
  package var isCompressed: Bool
  package var filter: Filter

  /// A page in full.
  package init(
    names: Names? = nil, format: Format = .text, isCompressed: Bool = false,
    filter: Filter = Filter()
  ) {
    self.names = names
    self.format = format
    self.isCompressed = isCompressed
    self.filter = filter
  }
}

/// Which families a page has.
package struct Filter: Hashable, Sendable {
  /// Names of families; nil for all.
  package var families: Set<String>?
  /// Groups of families; nil for all.
  package var groups: Set<Group>?
  /// Whether families are there that belong to no group: `procvitals_…`.
  package var includesUngrouped: Bool

  var isEmpty: Bool { families == nil && groups == nil }

  /// Whether a family is on the page.
  func includes(_ family: Family, _ on: [Group]) -> Bool {
    if let families, !families.contains(family.name) { return false }
    guard let groups else { return true }
    return on.isEmpty ? includesUngrouped : on.contains(where: groups.contains)
  }

  /// Every family.
  package init(
    families: Set<String>? = nil, groups: Set<Group>? = nil, includesUngrouped: Bool = false
  ) {
    self.families = families
    self.groups = groups
    self.includesUngrouped = includesUngrouped
  }
}
