/// What a row's whole numbers count before they are written in the family's unit.
///
/// Sums are made of whole numbers, so that a counter of many processes cannot fall by rounding.
package enum Grain: Sendable {
  /// The family's unit itself.
  case unit
  /// Ticks of the kernel's clock, written as seconds.
  case ticks
  case microseconds, nanoseconds
}

/// One row of the catalogue: a family, where its number comes from and how it is taken.
///
/// `Value` takes the number out of what was read. `Group` and `Source` are the names that switch
/// the row on and that say what has to be read for it.
package struct Row<Value: Sendable, Group: Sendable, Source: Sendable>: Sendable {
  package let family: Family
  package let group: Group
  /// Whether the family belongs to the default set.
  package let isDefault: Bool
  /// What has to be read; the row yields nothing when one of them could not be.
  package let sources: [Source]
  package let over: Combination
  package let grain: Grain
  package let value: Value

  package init(
    _ family: Family, group: Group, isDefault: Bool = true, sources: [Source] = [],
    over: Combination = .sum, grain: Grain = .unit, value: Value
  ) {
    self.family = family
    self.group = group
    self.isDefault = isDefault
    self.sources = sources
    self.over = over
    self.grain = grain
    self.value = value
  }
}

/// How the samples of a family are taken from something that has all of them at hand.
package enum Samples<Subject>: Sendable {
  /// One sample.
  case single(@Sendable (Subject) -> Reading)
  /// One sample for each combination of values of the family's own labels.
  case labelled(@Sendable (Subject) -> [(values: [String], reading: Reading)])
  /// One summary or histogram, in the family's unit.
  case distribution(@Sendable (Subject) -> Distribution?)
}
