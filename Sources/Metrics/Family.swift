/// What kind of number a family's samples are.
package enum Kind: String, Sendable, CaseIterable {
  /// Only rises, from a start that is known.
  case counter
  /// Goes up and down.
  case gauge
  /// Observations, of which some quantiles, the sum and the count are known; sum and count only rise.
  case summary
  /// Observations that are counted by their size; all of its numbers only rise.
  case histogram

  /// The label that tells the numbers of a distribution apart.
  var pointLabel: String? {
    switch self {
    case .counter, .gauge: nil
    case .summary: "quantile"
    case .histogram: "le"
    }
  }
}

/// The base unit of a family's samples, which is also the last word of its name.
package enum Unit: String, Sendable, CaseIterable {
  case none = ""
  case bytes
  case seconds
  case ratio
  case cores
}

/// A metric family: everything about it but its samples.
package struct Family: Sendable, Hashable {
  package let name: String
  package let kind: Kind
  package let unit: Unit
  /// One sentence that names where the number comes from.
  package let help: String
  /// Names of the labels beyond those of the target, in the order they are written.
  package let labels: [String]
  /// Of a summary its quantiles, of a histogram the upper bounds of its buckets without the last one,
  /// which has none; from low to high, below a million.
  package let points: [Double]
  /// What OpenTelemetry calls it; nil where it has no name for it.
  package let convention: Convention?

  package init(
    _ name: String, _ kind: Kind, _ unit: Unit, labels: [String] = [], points: [Double] = [],
    otel convention: Convention? = nil, help: String
  ) {
    self.name = name
    self.kind = kind
    self.unit = unit
    self.labels = labels
    self.points = points
    self.convention = convention
    self.help = help
  }
}

/// A label of a series: a name and its value.
package struct Label: Sendable, Hashable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// Whether Prometheus accepts the text as the name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`, and not
  /// beginning with `__`, which is reserved.
  package static func isLegalName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !name.hasPrefix("__") else { return false }
    let isLetter = { (byte: UInt8) in
      byte == UInt8(ascii: "_")
        || byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    }
    return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || $0 >= 48 && $0 <= 57 }
  }
}

/// The value of one sample, or that there is none.
package enum Reading: Sendable, Equatable {
  /// Could not be read: nothing is written.
  case absent
  /// An exact number.
  case whole(UInt64)
  /// Any other number.
  case real(Double)

  /// An exact number, if it is known.
  package static func whole(orAbsent value: UInt64?) -> Reading { value.map(whole) ?? .absent }

  /// The number, if there is one.
  package var number: Double? {
    switch self {
    case .absent: nil
    case .whole(let value): Double(value)
    case .real(let value): value
    }
  }
}

/// How the values of several processes become one value of their target.
package enum Combination: String, Sendable, CaseIterable {
  case sum
  /// The smallest: the earliest start, the limit that is met first.
  case oldest, tightest
  /// The largest: the ratio or peak that is nearest to trouble.
  case worst, largest

  /// The combined value of what was combined so far and one more process.
  package func callAsFunction(_ left: Reading, _ right: Reading) -> Reading {
    switch (left, right) {
    case (.absent, let other), (let other, .absent): return other
    case (.whole(let a), .whole(let b)):
      switch self {
      case .sum: return .whole(a &+ b)
      case .oldest, .tightest: return .whole(min(a, b))
      case .worst, .largest: return .whole(max(a, b))
      }
    default:
      let a = left.number ?? 0
      let b = right.number ?? 0
      switch self {
      case .sum: return .real(a + b)
      case .oldest, .tightest: return .real(min(a, b))
      case .worst, .largest: return .real(max(a, b))
      }
    }
  }
}
