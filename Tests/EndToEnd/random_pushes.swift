// Compiled with the sources of the room Metrics: random_pushes SEED FILE writes a random page for an
// OpenTelemetry receiver to FILE, and what it has, in lines, to standard output: texts as hexadecimal
// digits, numbers with a fraction as those of their bits.
import Glibc

var state = UInt64(CommandLine.arguments[1]) ?? 0

/// SplitMix64.
struct Generator: RandomNumberGenerator {
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
var random = Generator()
func some(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
func isLucky() -> Bool { .random(using: &random) }

func text() -> String {
  let count = some(0...9) == 0 ? some(100...20_000) : some(0...12)
  return String(
    String.UnicodeScalarView(
      (0..<count).compactMap { _ in
        Unicode.Scalar(UInt32(some(0...3) == 0 ? some(0...0x10_ffff) : some(0...0x7f)))
      }))
}
func real() -> Double {
  switch some(0...5) {
  case 0: [0, -0.0, .infinity, -.infinity, .nan, .pi, 5e-324].randomElement(using: &random) ?? 0
  case 1: Double(bitPattern: random.next())
  default: .random(in: -1e12...1e12, using: &random)
  }
}
func whole() -> UInt64 { random.next() >> UInt64(some(0...63)) }
func anyReading() -> Reading {
  [.absent, .whole(whole()), .real(real())].randomElement(using: &random) ?? .absent
}
func double(_ reading: Reading) -> Double? {
  switch reading {
  case .absent: nil
  case .whole(let number): Double(number)
  case .real(let number): number
  }
}

func hex(_ text: String) -> String {
  text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
func bits(_ number: Double) -> String {
  number.isNaN ? "nan" : String(number.bitPattern, radix: 16)
}
func nanoseconds(_ seconds: Double) -> UInt64 {
  UInt64(exactly: (seconds * 1e9).rounded()) ?? 0
}
func list(_ words: [String]) -> String { words.joined(separator: ",") }

var lines: [String] = []
var encoder = OTLPEncoder(version: "1")
let seconds = Double.random(in: 0...2e9, using: &random)
let now = nanoseconds(seconds)
encoder.begin(seconds: seconds)

/// Writes points of one part of a metric; returns their lines.
func points(_ family: Family, _ convention: Convention) -> [String] {
  var points: [String] = []
  encoder.begin(PreparedMetric(family, as: convention))
  let own = convention.attribute.map { ["\(hex($0.name))=\(hex($0.value))"] } ?? []
  for _ in 0..<some(0...3) {
    let created: Double? =
      isLucky() ? nil : isLucky() ? .random(in: 0...2e9, using: &random) : real()
    let since = created.map { min(nanoseconds($0), now) } ?? 0
    if !family.points.isEmpty {
      let sum = real()
      let start = "point [\(list(own))] \(since) \(now)"
      if convention.instrument == .histogram {
        let buckets = family.points.map { _ in whole() >> 8 } + [whole() >> 8]
        encoder.point(Distribution(buckets: buckets, sum: sum), created: created)
        points.append(
          "\(start) \(buckets.reduce(0, +)) \(bits(sum * convention.factor)) \(list(buckets.map(\.description))) "
            + list(family.points.map { bits($0 * convention.factor) }))
      } else {
        let sample = Distribution(
          points: family.points.map { _ in anyReading() }, sum: sum, count: whole())
        encoder.point(sample, created: created)
        let quantiles = zip(family.points, sample.points).compactMap { place, reading in
          double(reading).map { "\(bits(place)):\(bits($0 * convention.factor))" }
        }
        points.append(
          "\(start) \(sample.count) \(bits(sum * convention.factor)) \(list(quantiles))")
      }
      continue
    }
    let reading = anyReading()
    let values = family.labels.map { _ in text() }
    encoder.point(family.labels, values, reading, created: created)
    guard let number = double(reading) else { continue }
    let attributes = own + zip(family.labels, values).map { "\(hex($0))=\(hex($1))" }
    let isSum = convention.instrument == .sum || convention.instrument == .upDownSum
    var value = bits(number * convention.factor)
    if convention.instrument == .age {
      value = bits(max(0, Double(now) / 1e9 - number))
    } else if case .whole(let whole) = reading, convention.factor == 1, whole <= Int64.max {
      value = "i\(whole)"
    }
    points.append("point [\(list(attributes))] \(isSum ? since : 0) \(now) \(value)")
  }
  return points
}

for _ in 0..<some(0...4) {
  var attributes: [(name: String, value: OTLPEncoder.Attribute)] = []
  for _ in 0..<some(0...3) {
    attributes.append((text(), isLucky() ? .text(text()) : .whole(whole() >> 1)))
  }
  encoder.begin(resource: attributes)
  var metrics: [String] = []
  for place in 0..<some(0...6) {
    let instruments: [Convention.Instrument] = [
      .sum, .upDownSum, .gauge, .age, .summary, .histogram,
    ]
    let instrument = instruments.randomElement(using: &random) ?? .sum
    let isDistribution = instrument == .summary || instrument == .histogram
    let (name, unit, factor) = ("\(place)" + text(), text(), isLucky() ? 1 : 1e9)
    let isPart = !isDistribution && isLucky()
    var header = ""
    for part in 0..<(isPart ? 2 : 1) {
      let family = Family(
        "f", isDistribution ? (instrument == .summary ? .summary : .histogram) : .gauge, .none,
        labels: isDistribution ? [] : (0..<some(0...2)).map { "\($0)" + text() },
        points: isDistribution ? (0...some(0...5)).map { Double($0) / 7 } : [], help: text())
      let convention = Convention(
        name, unit, instrument, isPart ? Label("part", "\(part)" + text()) : nil, factor: factor)
      let found = points(family, convention)
      if header.isEmpty, !found.isEmpty {
        let kind =
          switch instrument {
          case .sum: "sum 2 1"
          case .upDownSum: "sum 2 0"
          case .gauge, .age: "gauge"
          case .summary: "summary"
          case .histogram: "histogram 2"
          }
        header = "metric \(hex(name)) \(hex(unit)) \(isPart ? "" : hex(family.help)) \(kind)"
        metrics.append(header)
      }
      metrics += found
    }
  }
  encoder.endResource()
  if metrics.isEmpty { continue }
  lines.append(
    "resource \(list(attributes.map { name, value in switch value { case .text(let text): "\(hex(name))=\(hex(text))"; case .whole(let number): "\(hex(name))=i\(number)" } }))"
  )
  lines += metrics
}

let file = open(CommandLine.arguments[2], O_WRONLY | O_CREAT | O_TRUNC, 0o600)
let page = encoder.page
guard page.withUnsafeBytes({ write(file, $0.baseAddress, $0.count) }) == page.count else { exit(1) }
print(lines.joined(separator: "\n"))
