import Foundation
import Glibc
import Linux
import Logging
import TestSupport
import Testing

@testable import procvitals

private func line(
  _ style: LogLine.Style, _ message: String, _ fields: KeyValuePairs<String, String> = [:],
  level: Logger.Level = .info, at nanoseconds: Int64 = 1_709_164_800_123_456_789
) -> String {
  let line = LogLine(
    level: level, message: message, fields: fields.map { ($0.key, $0.value) },
    nanosecondsSince1970: nanoseconds)
  return String(decoding: line.bytes(style), as: UTF8.self)
}

@Suite struct LogLineTests {
  @Test func plainLine() {
    let fields: KeyValuePairs = ["target": "web", "pid": "12", "ended": "two words"]
    #expect(
      line(.journal, "target is up", fields)
        == "<6>target is up target=web pid=12 ended=\"two words\"\n")
    #expect(
      line(.logfmt, "target is up", fields)
        == "ts=2024-02-29T00:00:00.123Z level=info msg=\"target is up\" target=web pid=12"
        + " ended=\"two words\"\n")
    #expect(
      line(.json, "target is up", fields)
        == #"{"ts":"2024-02-29T00:00:00.123Z","level":"info","msg":"target is up","target":"web","#
        + #""pid":"12","ended":"two words"}"# + "\n")
  }

  /// A text, how a value of logfmt or JSON shows it, and how a message of the journal does.
  static let hostile: [(String, String, String)] = [
    ("two\nlines", #""two\nlines""#, "two lines"),
    ("two\r\nlines", #""two\u000d\nlines""#, "two  lines"),
    (#"say "x""#, #""say \"x\"""#, #"say "x""#), (#"C:\x"#, #""C:\\x""#, #"C:\x"#),
    ("\u{1b}[31mred", #""\u001b[31mred""#, " [31mred"), ("a\0b", #""a\u0000b""#, "a b"),
    ("a\tb", #""a\u0009b""#, "a b"), ("a\u{7f}b", #""a\u007fb""#, "a b"),
    ("a\u{9b}b", #""a\u009bb""#, "a b"), ("a\u{85}b", #""a\u0085b""#, "a b"),
    ("txt\u{202e}exe", #""txt\u202eexe""#, "txt exe"),
    ("a\u{2066}b\u{2069}", #""a\u2066b\u2069""#, "a b "),
    ("a\u{2028}b\u{2029}c", #""a\u2028b\u2029c""#, "a b c"),
    (
      String(decoding: [0x61, 0xff, 0xfe, 0x62], as: UTF8.self), "\"a\u{fffd}\u{fffd}b\"",
      "a\u{fffd}\u{fffd}b"
    ),
    ("a level=error", #""a level=error""#, "a level=error"), ("a=b", #""a=b""#, "a=b"),
    ("é\u{4e16}", "\"é\u{4e16}\"", "é\u{4e16}"), ("\u{1f600}", "\"\u{1f600}\"", "\u{1f600}"),
    ("<0>panic", #""<0>panic""#, "<0>panic"), ("", #""""#, ""),
  ]

  @Test(arguments: hostile)
  func hostileText(text: String, quoted: String, printed: String) {
    let time = "2024-02-29T00:00:00.123Z"
    let json = #"{"ts":"\#(time)","level":"info","msg":\#(quoted),"k":\#(quoted)}"#
    #expect(line(.json, text, ["k": text]) == json + "\n")
    // The only one of them that logfmt shows without quotes.
    let value = text == "<0>panic" ? text : quoted
    #expect(
      line(.logfmt, text, ["k": text]) == "ts=\(time) level=info msg=\(value) k=\(value)\n")
    #expect(line(.journal, text, ["k": text]) == "<6>\(printed) k=\(value)\n")
  }

  @Test(arguments: [
    (Logger.Level.trace, "<7>", "trace"), (.debug, "<7>", "debug"), (.info, "<6>", "info"),
    (.notice, "<5>", "notice"), (.warning, "<4>", "warning"), (.error, "<3>", "error"),
    (.critical, "<2>", "critical"),
  ])
  func priorities(level: Logger.Level, prefix: String, name: String) {
    #expect(line(.journal, "m", level: level) == "\(prefix)m\n")
    #expect(line(.logfmt, "m", level: level).contains(" level=\(name) msg=m\n"))
    #expect(line(.json, "m", level: level).contains(#""level":"\#(name)","msg":"m"}"#))
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (999_999, "1970-01-01T00:00:00.000Z"),
      (1_000_000, "1970-01-01T00:00:00.001Z"), (999_999_999, "1970-01-01T00:00:00.999Z"),
      (1_000_000_000, "1970-01-01T00:00:01.000Z"),
      (951_827_696_007_000_000, "2000-02-29T12:34:56.007Z"),
      (Int64.max, "2262-04-11T23:47:16.854Z"),
      (-1, "1969-12-31T23:59:59.999Z"), (-1_500_000_000, "1969-12-31T23:59:58.500Z"),
      (Int64.min, "1677-09-21T00:12:43.145Z"),
    ] as [(Int64, String)])
  func timestamps(nanoseconds: Int64, expected: String) {
    #expect(line(.logfmt, "m", at: nanoseconds) == "ts=\(expected) level=info msg=m\n")
    #expect(line(.json, "m", at: nanoseconds).hasPrefix(#"{"ts":"\#(expected)","#))
  }

  /// Whatever is in it: one line, nothing that steers a terminal, and JSON says what was meant.
  @Test func everyTextIsOneLine() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let special = Array("\\\"\n\r\0\t\u{1b}= {}[],:\u{85}\u{2028}\u{202e}\u{2066}é".unicodeScalars)
    for _ in 0..<2000 {
      var view = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...10, using: &random) {
        let any = Unicode.Scalar(UInt32.random(in: 0...0x2fff, using: &random))
        let scalar = Bool.random(using: &random) ? any : special.randomElement(using: &random)
        if let scalar { view.append(scalar) }
      }
      let text = String(view)
      for style in [LogLine.Style.journal, .logfmt, .json] {
        let line = line(style, text, ["key": text])
        #expect(line.unicodeScalars.last == "\n", "seed \(seed)")
        let isClean = line.unicodeScalars.dropLast().allSatisfy {
          $0.properties.generalCategory != .control && !(0x2028...0x202e).contains($0.value)
            && !(0x2066...0x2069).contains($0.value)
        }
        #expect(isClean, "\(line) seed \(seed)")
      }
      let object = try JSONSerialization.jsonObject(
        with: Data(line(.json, text, ["key": text]).utf8))
      let fields = try #require(object as? [String: String])
      for name in ["msg", "key"] {
        let isSame = fields[name].map { $0.unicodeScalars.elementsEqual(view) }
        #expect(isSame == true, "\(view) seed \(seed)")
      }
    }
  }
}

/// Where no journal is.
private let nowhere = "/nowhere/socket"

extension LogSink {
  fileprivate func add(_ message: String) {
    add(LogLine(level: .info, message: message, fields: [], nanosecondsSince1970: 0))
  }
}

/// In children, because standard error and the environment belong to the whole process.
@Suite struct StandardErrorTests {
  @Test func handlerWritesLines() async throws {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      let sink = try LogSink(.json)
      var handler = LineHandler(logLevel: .notice, sink: sink)
      handler[metadataKey: "target"] = "web"
      let logger = Logger(label: "test") { _ in handler }
      logger.info("below the level")
      logger.warning("w", metadata: ["pid": "12"])
      logger.error("e", metadata: ["target": "db", "a": "1"])
      sink.flush(atMost: .seconds(30))
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    let lines = output.split(separator: "\n").compactMap { line in
      line.range(of: #""level":"#).map { String(line[$0.lowerBound...]) }
    }
    #expect(
      lines == [
        #""level":"warning","msg":"w","pid":"12","target":"web"}"#,
        #""level":"error","msg":"e","a":"1","target":"db"}"#,
      ])
  }

  @Test func journalIsFoundByItsStream() async {
    await #expect(processExitsWith: .success) {
      unsetenv("JOURNAL_STREAM")
      #expect(LogLine.Style(.logfmt) == .logfmt)
      let facts = try standardErrorFacts()
      setenv("JOURNAL_STREAM", "\(facts.device):\(facts.inode)", 1)
      #expect(LogLine.Style(.logfmt) == .journal)
      #expect(LogLine.Style(.json) == .json)
      // A program that somebody starts from a service with the output elsewhere.
      for other in ["\(facts.device):\(facts.inode + 1)", "9:\(facts.inode)", "", "1"] {
        setenv("JOURNAL_STREAM", other, 1)
        #expect(LogLine.Style(.logfmt) == .logfmt, "\(other)")
      }
    }
  }

  @Test func closedStandardErrorIsSurvived() async {
    await #expect(processExitsWith: .success) {
      close(2)
      let sink = try LogSink(.journal, journalPath: nowhere)
      sink.add("lost")
      sink.flush(atMost: .seconds(30))
    }
  }

  @Test func linesAreWrittenInTheirOrder() async {
    await #expect(processExitsWith: .success) {
      let output = try StandardErrorPipe()
      let sink = try LogSink(.journal, journalPath: nowhere)
      for round in 0..<3 {
        for number in 0..<200 { sink.add("\(round * 200 + number)") }
        sink.flush(atMost: .seconds(30))
        let expected = (round * 200..<round * 200 + 200).map { "<6>\($0)\n" }.joined()
        #expect(output.bytes() == Array(expected.utf8))
      }
    }
  }

  @Test func nobodyWaitsForAReaderThatDoesNotRead() async {
    await #expect(processExitsWith: .success) {
      let output = try StandardErrorPipe()
      output.fill()
      let sink = try LogSink(.journal, journalPath: nowhere)
      let count = 4000
      for number in 0..<count { sink.add("\(number)") }
      sink.flush(atMost: .milliseconds(5))

      // Now there is a reader.
      let filling = output.bytes()
      sink.flush(atMost: .seconds(30))
      let text = String(decoding: (filling + output.bytes()).drop { $0 == 0x78 }, as: UTF8.self)
      let lines = text.split(separator: "\n")
      let written = lines.compactMap { Int($0.dropFirst("<6>".count)) }
      #expect(written.count >= 1000 && written.count < count)
      #expect(written.first == 0 && zip(written, written.dropFirst()).allSatisfy(<))
      var dropped = 0
      for note in lines where !note.hasPrefix("<6>") {
        #expect(note.hasPrefix("<4>log lines were not written, "))
        dropped += note.split(separator: "=").last.flatMap { Int($0) } ?? 0
      }
      #expect(written.count + dropped == count, "every line is written or counted")
    }
  }
}

/// A pipe that standard error goes to; for a child.
private struct StandardErrorPipe {
  private let output: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    try #require(dup2(ends[1], 2) == 2)
    close(ends[1])
    output = ends[0]
    _ = fcntl(output, F_SETFL, O_NONBLOCK)
  }

  /// Leaves no room.
  func fill() {
    _ = fcntl(2, F_SETFL, O_NONBLOCK)
    while Glibc.write(2, "x", 1) == 1 {}
    _ = fcntl(2, F_SETFL, 0)
  }

  /// What was written since the last time.
  func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(output, &part, part.count)
      if count <= 0 { break }
      bytes += part[..<count]
    }
    return bytes
  }
}
