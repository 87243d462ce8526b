import Metrics
import Testing

@Suite struct CombinationTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var left: Reading
    var right: Reading
    var sum: Reading
    var least: Reading
    var most: Reading

    init(_ left: Reading, _ right: Reading, sum: Reading, least: Reading, most: Reading) {
      (self.left, self.right) = (left, right)
      (self.sum, self.least, self.most) = (sum, least, most)
    }

    var testDescription: String { "\(left) \(right)" }
  }

  static let rows = [
    Row(.absent, .absent, sum: .absent, least: .absent, most: .absent),
    Row(.absent, .whole(7), sum: .whole(7), least: .whole(7), most: .whole(7)),
    Row(.absent, .whole(0), sum: .whole(0), least: .whole(0), most: .whole(0)),
    Row(.absent, .real(-1.5), sum: .real(-1.5), least: .real(-1.5), most: .real(-1.5)),
    Row(.whole(3), .whole(5), sum: .whole(8), least: .whole(3), most: .whole(5)),
    Row(.whole(5), .whole(5), sum: .whole(10), least: .whole(5), most: .whole(5)),
    Row(.real(0.5), .real(2.25), sum: .real(2.75), least: .real(0.5), most: .real(2.25)),
    Row(.whole(1), .real(2.5), sum: .real(3.5), least: .real(1), most: .real(2.5)),
    Row(.whole(4), .real(-2.5), sum: .real(1.5), least: .real(-2.5), most: .real(4)),
    // Beyond what a Double holds exactly, whole numbers stay exact.
    Row(
      .whole(1 << 53), .whole((1 << 53) + 1), sum: .whole((1 << 54) + 1), least: .whole(1 << 53),
      most: .whole((1 << 53) + 1)),
    Row(.whole(.max), .whole(1), sum: .whole(0), least: .whole(1), most: .whole(.max)),
    Row(
      .whole(.max), .whole(.max), sum: .whole(.max - 1), least: .whole(.max), most: .whole(.max)),
    Row(
      .whole(.max), .real(1), sum: .real(18_446_744_073_709_551_616), least: .real(1),
      most: .real(18_446_744_073_709_551_616)),
    Row(
      .real(.infinity), .whole(1), sum: .real(.infinity), least: .real(1), most: .real(.infinity)),
  ]

  @Test(arguments: rows)
  func bothWays(row: Row) {
    for combination in Combination.allCases {
      let expected =
        switch combination {
        case .sum: row.sum
        case .oldest, .tightest: row.least
        case .worst, .largest: row.most
        }
      #expect(combination(row.left, row.right) == expected, "\(combination)")
      #expect(combination(row.right, row.left) == expected, "\(combination)")
    }
  }

  @Test func noSumTraps() {
    let edges: [Reading] = [
      .absent, .whole(0), .whole(.max), .real(.nan), .real(.infinity), .real(-.infinity),
      .real(.greatestFiniteMagnitude), .real(-0.0),
    ]
    for left in edges {
      for right in edges {
        let isAbsent = left == .absent && right == .absent
        #expect((Combination.sum(left, right) == .absent) == isAbsent)
      }
    }
  }

  @Test func numbers() {
    #expect(Reading.absent.number == nil)
    #expect(Reading.whole(3).number == 3)
    #expect(Reading.real(0.25).number == 0.25)
  }
}

@Suite struct LabelTests {
  @Test(arguments: [
    ("a", true), ("_", true), ("A", true), ("z9", true), ("service_name", true), ("_a", true),
    ("a__b", true), ("Z_0", true), ("", false), ("__", false), ("__name__", false), ("9a", false),
    ("a-b", false), ("a.b", false), ("a b", false), ("a:b", false), ("é", false), ("aé", false),
    ("a\u{301}", false), ("_\u{301}", false), ("__\u{301}a", false), ("a\0", false),
    ("a\n", false), ("@", false), ("[", false), ("`", false), ("{", false), ("a@", false),
    ("a[", false), ("a`", false), ("a{", false), ("a/", false),
  ])
  func names(name: String, isLegal: Bool) {
    #expect(Label.isLegalName(name) == isLegal)
  }
}
