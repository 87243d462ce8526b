import Glibc
import Linux
import Logging
import TestSupport
import Testing

@testable import procvitals

private func entry(
  _ message: String, _ fields: KeyValuePairs<String, String> = [:], _ level: Logger.Level = .warning
) -> LogLine {
  LogLine(
    level: level, message: message, fields: fields.map { ($0.key, $0.value) },
    nanosecondsSince1970: 0)
}

/// What of the log goes to the journal's own socket.
@Suite struct JournalEntryTests {
  @Test(
    arguments: [
      (
        entry("target is down", ["ended": "exit 1", "target": "web"]),
        [
          "MESSAGE=target is down ended=\"exit 1\" target=web", "PRIORITY=4",
          "SYSLOG_IDENTIFIER=procvitals", "ENDED=exit 1", "TARGET=web",
        ]
      ),
      (
        entry("two\nlines", ["error": "a\nb", "message": "m", "_x.y": ""], .error),
        [
          #"MESSAGE=two lines error="a\nb" message=m _x.y="""#, "PRIORITY=3",
          "SYSLOG_IDENTIFIER=procvitals", "ERROR=a\nb", "X_Y=",
        ]
      ),
    ] as [(LogLine, [String])])
  func fields(line: LogLine, expected: [String]) {
    #expect(line.journalFields.map { "\($0.name)=\($0.value)" } == expected)
    let message = expected[0].dropFirst("MESSAGE=".count)
    let printed = String(decoding: line.bytes(.journal), as: UTF8.self)
    #expect(printed.hasSuffix(">\(message)\n"), "standard error has the same line")
  }

  /// Each entry goes to the journal if there is one now, and to standard error if not.
  @Test func journalComesAndGoes() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let directory = try TemporaryDirectory()
      let path = directory.path + "/socket"
      let sink = try LogSink(.journal, journalPath: path)
      func log(_ message: String) {
        sink.add(entry(message, ["target": "web"]))
        sink.flush(atMost: .seconds(30))
      }
      log("before")
      for name in ["first", "second"] {
        let receiver = try DatagramReceiver(path)
        log(name)
        let text = String(decoding: try #require(receiver.next()), as: UTF8.self)
        #expect(text.hasPrefix("MESSAGE=\(name) target=web\nPRIORITY=4\n"))
        #expect(text.hasSuffix("\nTARGET=web\n"))
        #expect(receiver.next() == nil)
      }
      log("after")
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    let lines = output.split(separator: "\n").filter { $0.contains("target=web") }
    #expect(lines == ["<4>before target=web", "<4>after target=web"])
  }

  /// Whoever asks for JSON, or has standard error elsewhere, gets it there.
  @Test func otherStyles() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let receiver = try DatagramReceiver(directory.path + "/socket")
      for style in [LogLine.Style.logfmt, .json] {
        let sink = try LogSink(style, journalPath: receiver.path)
        sink.add(entry("m"))
        sink.flush(atMost: .seconds(30))
        #expect(receiver.next() == nil)
      }
    }
  }

  /// A journal that hangs holds up the thread of the log only, and what was not written is counted.
  @Test func journalThatHangs() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let receiver = try DatagramReceiver(directory.path + "/socket")
      let path = receiver.path
      let sink = try LogSink(.journal, journalPath: path)
      let count = 10_000
      for number in 0..<count { sink.add(entry("\(number)")) }
      sink.flush(atMost: .milliseconds(5))
      // It goes on.
      var written = 0
      var dropped = 0
      let end = Instant.now + .seconds(60)
      while written + dropped < count, Instant.now < end {
        guard let bytes = receiver.next() else {
          pause(for: .milliseconds(1))
          continue
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if let lines = text.firstRange(of: "\nLINES=") {
          dropped += Int(text[lines.upperBound...].dropLast()) ?? 0
        } else {
          written += 1
        }
      }
      #expect(written + dropped == count && dropped > 0)
    }
  }
}
