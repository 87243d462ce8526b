import Foundation
import Metrics
import TestSupport
import Testing

@Suite struct PageEncoderTests {
  private typealias Sample = (labels: [Label], own: [String], reading: Reading, created: Double?)

  /// Families with their samples, as a page of the format.
  private func page(
    _ families: [(Family, [Sample])], _ format: Format, writesCreated: Bool = true
  ) -> [UInt8] {
    var encoder = PageEncoder()
    fill(&encoder, families, format, writesCreated)
    return encoder.page
  }

  private func fill(
    _ encoder: inout PageEncoder, _ families: [(Family, [Sample])], _ format: Format,
    _ writesCreated: Bool = true
  ) {
    encoder.begin(format, writesCreated: writesCreated)
    for (family, samples) in families {
      encoder.begin(PreparedFamily(family, format))
      for sample in samples {
        let labels = PreparedLabels(sample.labels, format.style)
        if sample.own.isEmpty {
          encoder.sample(labels, sample.reading, created: sample.created)
        } else {
          encoder.sample(
            labels, family.labels[...], sample.own, sample.reading, created: sample.created)
        }
      }
    }
    encoder.end()
  }

  private static let families: [(Family, [Sample])] = [
    (
      Family("process_cpu_seconds_total", .counter, .seconds, help: "CPU \"time\", all of it."),
      [
        ([Label("target", "web")], [], .real(12.5), 1_700_000_000.25),
        ([Label("target", "db \"7\"")], [], .real(.nan), nil),
        ([], [], .absent, 5),
      ]
    ),
    (
      Family("process_open_fds", .gauge, .none, labels: ["kind"], help: "Open\nfiles, C:\\."),
      [
        ([], [], .whole(.max), 5),
        ([Label("target", "web")], ["pipe"], .whole(0), nil),
        ([], ["a\"\\\n"], .real(-.infinity), nil),
      ]
    ),
    (Family("process_nothing", .gauge, .none, help: "Never there."), [([], [], .absent, nil)]),
    (
      Family("namedprocess_scrape_errors", .counter, .none, help: "Another name."),
      [([], [], .whole(3), 7)]
    ),
    (
      Family("process_resident_memory_bytes", .gauge, .bytes, help: "Memory."),
      [([Label("a", "é\u{202e}\r\t\u{0}")], [], .whole(4096), nil)]
    ),
  ]

  @Test(arguments: [Format.text, .text1])
  func text(format: Format) {
    #expect(
      String(decoding: page(Self.families, format), as: UTF8.self) == #"""
        # HELP process_cpu_seconds_total CPU "time", all of it.
        # TYPE process_cpu_seconds_total counter
        process_cpu_seconds_total{target="web"} 12.5
        process_cpu_seconds_total{target="db \"7\""} NaN
        # HELP process_open_fds Open\nfiles, C:\\.
        # TYPE process_open_fds gauge
        process_open_fds 18446744073709551615
        process_open_fds{target="web",kind="pipe"} 0
        process_open_fds{kind="a\"\\\n"} -Inf
        # HELP namedprocess_scrape_errors Another name.
        # TYPE namedprocess_scrape_errors counter
        namedprocess_scrape_errors 3
        # HELP process_resident_memory_bytes Memory.
        # TYPE process_resident_memory_bytes gauge
        process_resident_memory_bytes{a="é\#u{202e}\#r\#t\#0"} 4096

        """#)
  }

  @Test(arguments: [Format.openMetrics0, .openMetrics1], [false, true])
  func openMetrics(format: Format, writesCreated: Bool) {
    let created = "process_cpu_seconds_created{target=\"web\"} 1700000000.25\n"
    #expect(
      String(
        decoding: page(Self.families, format, writesCreated: writesCreated), as: UTF8.self) == #"""
          # TYPE process_cpu_seconds counter
          # UNIT process_cpu_seconds seconds
          # HELP process_cpu_seconds CPU \"time\", all of it.
          process_cpu_seconds_total{target="web"} 12.5
          \#(writesCreated ? created : "")process_cpu_seconds_total{target="db \"7\""} NaN
          # TYPE process_open_fds gauge
          # HELP process_open_fds Open\nfiles, C:\\.
          process_open_fds 18446744073709551615
          process_open_fds{target="web",kind="pipe"} 0
          process_open_fds{kind="a\"\\\n"} -Inf
          # TYPE namedprocess_scrape_errors unknown
          # HELP namedprocess_scrape_errors Another name.
          namedprocess_scrape_errors 3
          # TYPE process_resident_memory_bytes gauge
          # UNIT process_resident_memory_bytes bytes
          # HELP process_resident_memory_bytes Memory.
          process_resident_memory_bytes{a="é\#u{202e}\#r\#t\#0"} 4096
          # EOF

          """#)
  }

  /// The bytes that `protoc --encode` makes of the same message, and its size before them.
  @Test func protobuf() throws {
    let family = Family("a_seconds_total", .counter, .seconds, labels: ["l"], help: "h")
    let bytes = page([(family, [([Label("t", "x")], ["y"], .real(1.5), 300.5)])], .protobuf)
    let expected: [UInt8] =
      [71] + [10, 15] + Array("a_seconds_total".utf8) + [18, 1] + Array("h".utf8) + [24, 0]
      + [34, 38] + [10, 6, 10, 1, 0x74, 18, 1, 0x78] + [10, 6, 10, 1, 0x6C, 18, 1, 0x79]
      + [26, 20, 9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 26, 9, 8, 0xAC, 2, 16, 0x80, 0xCA, 0xB5, 0xEE, 1]
      + [42, 7] + Array("seconds".utf8)
    #expect(bytes == expected)
  }

  @Test func emptyPages() {
    for format in Format.allCases {
      let expected =
        switch format {
        case .text, .text1, .protobuf: ""
        case .openMetrics0, .openMetrics1: "# EOF\n"
        case .json: "[\n]\n"
        }
      #expect(String(decoding: page([], format), as: UTF8.self) == expected)
      #expect(String(decoding: page([Self.families[2]], format), as: UTF8.self) == expected)
    }
  }

  @Test func mediaTypes() {
    let protobuf =
      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    let plain: [Format: String] = [
      .text: "text/plain; version=0.0.4; charset=utf-8",
      .text1: "text/plain; version=1.0.0; charset=utf-8",
      .openMetrics0: "application/openmetrics-text; version=0.0.1; charset=utf-8",
      .openMetrics1: "application/openmetrics-text; version=1.0.0; charset=utf-8",
      .protobuf: protobuf, .json: "application/json",
    ]
    for format in Format.allCases {
      #expect(format.contentType() == plain[format])
      let isNew = [.text1, .openMetrics1, .protobuf].contains(format)
      #expect(
        format.contentType(escaping: .allowUTF8)
          == format.contentType() + (isNew ? "; escaping=allow-utf-8" : ""))
    }
  }

  // MARK: What a reader makes of it

  private func read(_ bytes: [UInt8], _ format: Format) throws -> [ReadFamily] {
    switch format {
    case .text, .text1: return try readText(bytes, isOpenMetrics: false)
    case .openMetrics0, .openMetrics1: return try readText(bytes, isOpenMetrics: true)
    case .protobuf: return try readProtobuf(bytes)
    case .json:
      return try JSONDecoder().decode([JSONFamily].self, from: Data(bytes)).map { entry in
        var family = ReadFamily(entry.name)
        (family.type, family.unit, family.help) = (entry.type, entry.unit, entry.help)
        family.samples = entry.samples.map { sample in
          // An object has no order.
          let labels = sample.labels.sorted { $0.key < $1.key }
          return ReadSample(
            labels: labels.map { ReadLabel($0.key, $0.value) }, value: sample.value.number)
        }
        return family
      }
    }
  }

  private struct JSONFamily: Decodable {
    struct Sample: Decodable {
      let labels: [String: String]
      let value: Value
    }

    struct Value: Decodable {
      let number: Double

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
          number = try #require(["NaN": .nan, "+Inf": .infinity, "-Inf": -.infinity][text])
        } else {
          number = try container.decode(Double.self)
        }
      }
    }

    let name, type, unit, help: String
    let samples: [Sample]
  }

  /// What each format says about random families, read back, is what went in.
  @Test(arguments: Format.allCases)
  func everyPageIsReadBack(format: Format) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let families = Self.randomFamilies(&random)
      let bytes = page(families.map { ($0.family, $0.samples) }, format)
      let found: [ReadFamily]
      do {
        found = try read(bytes, format)
      } catch {
        Issue.record("\(error), seed \(seed)")
        return
      }
      let expected = families.compactMap { Self.expected($0.family, $0.samples, format) }
      guard expected.count == found.count else {
        Issue.record("\(found.count) families instead of \(expected.count), seed \(seed)")
        return
      }
      for (expected, found) in zip(expected, found) where !Self.areSame(expected, found) {
        Issue.record("\(found) instead of \(expected), seed \(seed)")
      }
    }
  }

  private static func areSame(_ left: ReadFamily, _ right: ReadFamily) -> Bool {
    var (left, right) = (left, right)
    // NaN is not equal to itself.
    for index in left.samples.indices where index < right.samples.count {
      if left.samples[index].value.isNaN, right.samples[index].value.isNaN {
        left.samples[index].value = 0
        right.samples[index].value = 0
      }
    }
    return left == right
  }

  private static func randomText(_ random: inout SeededGenerator) -> String {
    let scalars = Array("\\\"\nn{},= aé\u{1}\u{7f}\r\u{202e}𝄞#".unicodeScalars)
    var text = String.UnicodeScalarView()
    // Long ones too, whose size takes two bytes.
    let most = Int.random(in: 0..<20, using: &random) == 0 ? 300 : 12
    for _ in 0..<Int.random(in: 0...most, using: &random) {
      if let scalar = scalars.randomElement(using: &random) { text.append(scalar) }
    }
    return String(text)
  }

  private static func randomReading(_ random: inout SeededGenerator) -> Reading {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: .absent
    case 1: .whole(UInt64.random(in: 0 ... .max, using: &random))
    case 2: .whole(UInt64.random(in: 0...300, using: &random))
    case 3: .real(Double(bitPattern: UInt64.random(in: 0 ... .max, using: &random)))
    case 4:
      .real(
        [Double.nan, .infinity, -.infinity, 0, .leastNonzeroMagnitude].randomElement(using: &random)
          ?? 0)
    default: .real(Double(Int.random(in: -1000...1000, using: &random)) / 100)
    }
  }

  private static func randomFamilies(
    _ random: inout SeededGenerator
  ) -> [(family: Family, samples: [Sample])] {
    (0..<Int.random(in: 0...5, using: &random)).map { number in
      let isCounter = Bool.random(using: &random)
      let unit = Unit.allCases.randomElement(using: &random) ?? .none
      let labels = (0..<Int.random(in: 0...3, using: &random)).map { "own_\($0)" }
      let name =
        "family_\(number)" + (unit == .none ? "" : "_\(unit.rawValue)")
        + (isCounter && Bool.random(using: &random) ? "_total" : "")
      let family = Family(
        name, isCounter ? .counter : .gauge, unit, labels: labels, help: randomText(&random))
      let samples = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        let before = (0..<Int.random(in: 0...3, using: &random)).map {
          Label("label_\($0)", randomText(&random))
        }
        let created = Double(Int.random(in: 1...2_000_000_000_000, using: &random)) / 1000
        return (before, labels.map { _ in randomText(&random) }, randomReading(&random), created)
      }
      return (family, samples)
    }
  }

  /// What a reader of the format should see; nil for a family without a sample.
  private static func expected(
    _ family: Family, _ samples: [Sample], _ format: Format
  ) -> ReadFamily? {
    var expected = ReadFamily(family.name)
    let isTotal = family.kind == .counter && family.name.hasSuffix("_total")
    let isOpenMetrics = format == .openMetrics0 || format == .openMetrics1
    expected.type =
      isOpenMetrics && family.kind == .counter && !isTotal ? "unknown" : family.kind.rawValue
    expected.unit = format == .text || format == .text1 ? "" : family.unit.rawValue
    expected.help = family.help
    for sample in samples {
      guard let number = sample.reading.number else { continue }
      let labels = sample.labels + zip(family.labels, sample.own).map { Label($0, $1) }
      let tellsCreated =
        format == .protobuf && family.kind == .counter || isOpenMetrics && isTotal
      expected.samples.append(
        ReadSample(
          labels: labels.map { ReadLabel($0.name, $0.value) }, value: number,
          created: tellsCreated ? sample.created : nil))
    }
    return expected.samples.isEmpty ? nil : expected
  }

  // MARK: Memory

  private func fill(_ encoder: inout PageEncoder, _ value: UInt64) {
    encoder.begin(.text)
    encoder.begin(PreparedFamily(Family("f", .gauge, .none, help: ""), .text))
    for _ in 0..<1000 { encoder.sample(PreparedLabels(), .whole(value)) }
    encoder.end()
  }

  @Test func memoryIsUsedAgain() {
    var encoder = PageEncoder()
    fill(&encoder, 1)
    let memory = encoder.page.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    let capacity = encoder.page.capacity
    encoder.begin(.text)
    #expect(encoder.page.isEmpty)
    #expect(encoder.page.capacity == capacity)
    fill(&encoder, 2)
    let sameMemory = encoder.page.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    #expect(sameMemory == memory)
  }

  @Test func handedOutPageDoesNotChange() {
    var encoder = PageEncoder()
    fill(&encoder, 1)
    let page = encoder.page
    fill(&encoder, 2)
    #expect(page.suffix(4) == "f 1\n".utf8.suffix(4) && page.count == encoder.page.count)
    #expect(encoder.page.suffix(4) == "f 2\n".utf8.suffix(4))
  }

  /// Labels that nobody asked for in a style are not rendered.
  @Test func labelsAreRenderedOnce() {
    var cache = LabelCache()
    var count = 0
    func labels() -> [Label] {
      count += 1
      return [Label("a", "1")]
    }
    for style in Style.allCases + Style.allCases {
      #expect(cache(style, labels()) == PreparedLabels([Label("a", "1")], style))
    }
    #expect(count == Style.allCases.count)
  }
}
