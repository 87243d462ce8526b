package import Linux

/// What a ``Gate`` asks of requests and adds to answers.
package struct GateSettings: Sendable, Hashable {
  /// A field that answers get, in place of one with the same name that they have.
  package struct Field: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package var fields: [Field] = []
  /// Hashes of passwords by the users' names, in UTF-8; without users nobody is asked.
  package var users: [[UInt8]: Secret] = [:]

  package init() {}
}

/// How many requests are let in: at first `burst`, then one more each `interval`.
package struct RateLimit: Sendable, Hashable {
  /// More than zero.
  package let interval: Duration
  /// With 0 nothing is let in.
  package let burst: Int
  /// When the bucket will be full again.
  private var full = Instant(nanoseconds: 0)

  package init(interval: Duration, burst: Int) {
    self.interval = interval
    self.burst = burst
  }

  /// Whether a request may pass now, which takes its token.
  package mutating func take(at now: Instant) -> Bool {
    let step = UInt64(clamping: max(1, interval.nanoseconds))
    let (capacity, isHuge) = step.multipliedReportingOverflow(by: UInt64(clamping: burst))
    let start = max(full, now).nanoseconds
    let (end, isLate) = start.addingReportingOverflow(step)
    guard isHuge || !isLate && end &- now.nanoseconds <= capacity else { return false }
    full = Instant(nanoseconds: isLate ? .max : end)
    return true
  }

  /// Two limits are the same whatever has passed them.
  package static func == (left: RateLimit, right: RateLimit) -> Bool {
    left.interval == right.interval && left.burst == right.burst
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(interval)
    hasher.combine(burst)
  }
}
