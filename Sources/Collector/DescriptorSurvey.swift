import ProcFS

/// What the open descriptors of a target's processes stand for.
package struct DescriptorSurvey {
  /// By kind, every kind that was ever seen included, so that a series does not vanish at zero.
  private(set) var counts: [Descriptor.Kind: UInt64] = [:]

  mutating func begin() {
    for kind in counts.keys { counts[kind] = 0 }
  }

  mutating func visit(_ descriptors: [Descriptor]) {
    for descriptor in descriptors { counts[descriptor.kind, default: 0] += 1 }
  }
}
