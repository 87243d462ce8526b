/// What a series of a summary or a histogram says.
package struct Distribution: Sendable, Equatable {
  /// A number for each of the family's points; one that is absent is not written.
  ///
  /// Of a summary it is what is at the quantile, of a histogram how many observations are at most the
  /// bound, those at most a lower one included.
  package let points: [Reading]
  package let sum: Double
  package let count: UInt64

  package init(points: [Reading], sum: Double, count: UInt64) {
    self.points = points
    self.sum = sum
    self.count = count
  }

  /// A histogram of how many observations are in each bucket, the one without a bound included.
  package init(buckets: some Sequence<UInt64>, sum: Double) {
    var count: UInt64 = 0
    var points: [Reading] = []
    for bucket in buckets {
      count &+= bucket
      points.append(.whole(count))
    }
    // The last one is the count.
    self.init(points: points.dropLast(), sum: sum, count: count)
  }
}

extension Distribution {
  /// The number of a point; behind the others that of a histogram's last bucket.
  subscript(_ place: Int) -> Reading { place < points.count ? points[place] : .whole(count) }

  /// The number of a bucket.
  func observations(_ place: Int) -> UInt64 {
    if case .whole(let count) = self[place] { count } else { 0 }
  }
}

extension Family {
  /// How many series a distribution of the family is: its points, for a histogram the bucket without
  /// a bound, the sum and the count.
  package var seriesOfDistribution: Int { points.count + (kind == .histogram ? 3 : 2) }

  /// Names of all labels of a series beyond those of the target.
  package var allLabels: [String] { labels + (kind.pointLabel.map { [$0] } ?? []) }
}

/// What of a family's distributions is the same on every page of a format, rendered once.
struct PreparedDistribution: Sendable {
  /// What stands for a point: `quantile="0.5"} `, `"0.5":`, or the field of a message.
  private(set) var points: [[UInt8]] = []
  /// What the lines of points, sum and count begin with.
  let pointName, sumName, countName: [UInt8]
  let isHistogram: Bool

  init() {
    (pointName, sumName, countName, isHistogram) = ([], [], [], false)
  }

  init(_ family: Family, _ format: Format) {
    isHistogram = family.kind == .histogram
    pointName = Array((family.name + (isHistogram ? "_bucket" : "")).utf8)
    sumName = Array((family.name + "_sum").utf8)
    countName = Array((family.name + "_count").utf8)
    guard let label = family.kind.pointLabel else { return }
    var digits = ""
    for number in family.points + (isHistogram ? [.infinity] : []) {
      var text: [UInt8] = []
      appendNumber(number, to: &text, digits: &digits)
      switch format {
      case .openMetrics0, .openMetrics1:
        // There a number has a fraction: "1.0".
        if number.isFinite { text = Array(number.description.utf8) }
        fallthrough
      case .text, .text1:
        points.append(Array("\(label)=\"".utf8) + text + Array("\"} ".utf8))
      case .json: points.append(Array("\"".utf8) + text + Array("\":".utf8))
      case .protobuf:
        // A bucket without a bound goes without saying.
        if number.isInfinite { continue }
        var field: [UInt8] = []
        appendField(isHistogram ? 2 : 1, number, &field)
        points.append(field)
      }
    }
  }
}
