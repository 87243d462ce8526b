package import Targets

extension Collector {
  /// How many targets and processes there are.
  package struct Census: Sendable, Equatable {
    package var targets = 0
    package var up = 0
    package var processes = 0

    package init(targets: Int = 0) { self.targets = targets }
  }

  /// What a collection yields.
  package struct Outcome: Sendable {
    /// The pages of all targets that were asked for, made of the same values.
    package let pages: [Form: [UInt8]]
    package let probes: [Probe: ProbeAnswer]
    /// Every target; empty unless they were wanted or a probe asked for another one.
    package let targets: [TargetKey]
    /// Empty unless wanted.
    package let details: [TargetDetails]
    /// What changed since the last one.
    package let notices: [Notice]
    package let census: Census
    /// Nil if not all targets were looked at.
    package let health: Health?
    /// What the page shows; nil if nobody wants to see it.
    package let sight: Sight?
    /// Whether the time was over before the processes of every target were read.
    package let hasLate: Bool
    /// Whether it was over before any process was read.
    package let isLate: Bool

    /// That nothing was looked at.
    ///
    /// - Parameter census: What there was the last time.
    /// - Returns: Nothing else.
    static func ofThePast(_ census: Census) -> Outcome {
      Outcome(
        pages: [:], probes: [:], targets: [], details: [], notices: [], census: census, health: nil,
        sight: nil, hasLate: false, isLate: false)
    }
  }
}
