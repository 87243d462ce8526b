/// What somebody who looks at the targets' figures in a browser wants of a collection.
package struct Look: Hashable, Sendable {
  package enum View: Hashable, Sendable {
    /// The page itself.
    case page
    /// The figures of the last minutes, for a program.
    case history
  }

  package var view: View
  /// How much of the past, in seconds.
  package var span: Int
  /// Only what came after that, in milliseconds since 1970.
  package var since: Int64?
  /// Only targets of this name.
  package var target: String?
  /// Only these figures, by their names in the history.
  package var metrics: Set<String>?
  /// How others reach this.
  package var access: Access
  /// Whether the answer is one gzip member.
  package var isCompressed: Bool
  /// Whether command lines are told, which often have secrets in them.
  package var tellsCommandLines: Bool
  /// Whether the figures are read; else those of the last look are enough.
  package var isFresh: Bool

  package init(
    _ view: View, span: Int = 300, since: Int64? = nil, target: String? = nil,
    metrics: Set<String>? = nil, access: Access = Access(), isCompressed: Bool = false,
    tellsCommandLines: Bool = false, isFresh: Bool = true
  ) {
    self.view = view
    self.span = span
    self.since = since
    self.target = target
    self.metrics = metrics
    self.access = access
    self.isCompressed = isCompressed
    self.tellsCommandLines = tellsCommandLines
    self.isFresh = isFresh
  }
}
