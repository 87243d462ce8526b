import Metrics
import TestSupport
import Testing

@Suite struct TextEncoderTests {
  private typealias Prepared = TextEncoder.PreparedFamily
  private typealias Labels = TextEncoder.PreparedLabels

  private func text(_ encoder: TextEncoder) -> String {
    String(decoding: encoder.page, as: UTF8.self)
  }

  private func escapedHelp(_ help: String) -> String {
    var encoder = TextEncoder()
    encoder.begin(Prepared(Family("f", .gauge, .none, help: help)))
    return text(encoder)
  }

  private func escapedValue(_ value: String) -> String {
    var encoder = TextEncoder()
    let family = Prepared(Family("f", .gauge, .none, help: ""))
    encoder.sample(family, Labels([Label("a", value)]), .whole(1))
    return text(encoder)
  }

  @Test func wholePage() {
    let seconds = Prepared(
      Family("process_cpu_seconds_total", .counter, .seconds, help: "CPU time, all of it."))
    let files = Prepared(
      Family("process_open_fds", .gauge, .none, labels: ["kind"], help: "Open files."))
    let one = Labels([Label("target", "web")])
    var two = Labels([Label("target", "db \"7\"")])
    two.append(Label("pid", "12"))
    var encoder = TextEncoder()
    encoder.begin(seconds)
    encoder.sample(seconds, one, .real(12.5))
    encoder.sample(seconds, two, .real(.nan))
    encoder.sample(seconds, Labels([]), .absent)
    encoder.begin(files)
    encoder.sample(files, Labels([]), .whole(.max))
    encoder.sample(files, two, .whole(0))
    encoder.sample(files, one, .real(-.infinity))
    #expect(
      text(encoder) == #"""
        # HELP process_cpu_seconds_total CPU time, all of it.
        # TYPE process_cpu_seconds_total counter
        process_cpu_seconds_total{target="web"} 12.5
        process_cpu_seconds_total{target="db \"7\"",pid="12"} NaN
        # HELP process_open_fds Open files.
        # TYPE process_open_fds gauge
        process_open_fds 18446744073709551615
        process_open_fds{target="db \"7\"",pid="12"} 0
        process_open_fds{target="web"} -Inf

        """#)
  }

  @Test(arguments: [
    ("", ""), ("plain", "plain"), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#),
    (#"say "x""#, #"say "x""#), ("a\r\tb", "a\r\tb"), (#"\n"#, #"\\n"#), ("é\u{202e}", "é\u{202e}"),
    ("\n\n\\", #"\n\n\\"#),
  ])
  func help(help: String, expected: String) {
    #expect(escapedHelp(help) == "# HELP f \(expected)\n# TYPE f gauge\n")
  }

  @Test(arguments: [
    ("", ""), ("plain", "plain"), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#),
    (#"say "x""#, #"say \"x\""#), (#"\""#, #"\\\""#), ("a\r\tb", "a\r\tb"), (#"\n"#, #"\\n"#),
    ("},{=", "},{="), ("\u{0}é\u{202e}", "\u{0}é\u{202e}"),
  ])
  func labelValue(value: String, expected: String) {
    #expect(escapedValue(value) == "f{a=\"\(expected)\"} 1\n")
  }

  /// What a reader of the format makes of an escaped text.
  private func unescaped(_ text: Substring) -> String {
    var result = ""
    var isEscape = false
    for scalar in text.unicodeScalars {
      if isEscape {
        result.unicodeScalars.append(scalar == "n" ? "\n" : scalar)
        isEscape = false
      } else if scalar == "\\" {
        isEscape = true
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  @Test func everyValueIsReadBack() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let scalars = Array("\\\"\nn{},= aé\u{0}\u{202e}".unicodeScalars)
    for _ in 0..<2000 {
      var value = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        if let scalar = scalars.randomElement(using: &random) { value.append(scalar) }
      }
      let line = escapedValue(String(value))
      #expect(line.utf8.count(where: { $0 == UInt8(ascii: "\n") }) == 1, "seed \(seed)")
      let inner = line.dropFirst(#"f{a=""#.count).dropLast(#""} 1"#.count + 1)
      #expect(unescaped(inner).unicodeScalars.elementsEqual(value), "\(value) seed \(seed)")
      let help = escapedHelp(String(value)).dropFirst("# HELP f ".count)
        .dropLast("\n# TYPE f gauge\n".count)
      #expect(unescaped(help).unicodeScalars.elementsEqual(value), "\(value) seed \(seed)")
    }
  }

  @Test func absentLeavesNoTrace() {
    var encoder = TextEncoder()
    let family = Prepared(Family("f", .gauge, .none, help: ""))
    encoder.sample(family, Labels([Label("a", "b")]), .absent)
    #expect(encoder.page.isEmpty)
  }

  @Test func labelsCompareByWhatIsWritten() {
    var grown = Labels([Label("a", "1")])
    grown.append(Label("b", "2"))
    #expect(grown == Labels([Label("a", "1"), Label("b", "2")]))
    #expect(grown != Labels([Label("b", "2"), Label("a", "1")]))
  }

  private func fill(_ encoder: inout TextEncoder, _ value: UInt64) {
    let family = Prepared(Family("f", .gauge, .none, help: ""))
    encoder.reset()
    for _ in 0..<1000 { encoder.sample(family, Labels([]), .whole(value)) }
  }

  @Test func memoryIsUsedAgain() {
    var encoder = TextEncoder()
    fill(&encoder, 1)
    let memory = encoder.page.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    let capacity = encoder.page.capacity
    encoder.reset()
    #expect(encoder.page.isEmpty)
    #expect(encoder.page.capacity == capacity)
    fill(&encoder, 2)
    let sameMemory = encoder.page.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    #expect(sameMemory == memory)
  }

  @Test func handedOutPageDoesNotChange() {
    var encoder = TextEncoder()
    fill(&encoder, 1)
    let page = encoder.page
    fill(&encoder, 2)
    #expect(page.starts(with: "f 1\n".utf8) && page.count == 4000)
    #expect(encoder.page.starts(with: "f 2\n".utf8) && encoder.page.count == 4000)
  }
}
