import Glibc
import Linux
import Logging
import Systemd

/// One message as it is written: a line, whatever is in it.
struct LogLine: Sendable {
  enum Style: Sendable {
    /// For the journal: `message key=value`; time and level are the journal's own. On standard error
    /// `<6>` stands before it.
    case journal
    /// `ts=… level=… msg=… key=value`.
    case logfmt
    /// An object a line.
    case json

    /// The format that was asked for; logfmt leaves out what the journal adds.
    init(_ format: LogOptions.Format) {
      switch format {
      case .json: self = .json
      case .logfmt: self = Self.goesToJournal ? .journal : .logfmt
      }
    }

    /// Whether standard error is the stream of `systemd.exec(5)`.
    ///
    /// Programs started by a service inherit the variable even if their output goes elsewhere.
    private static var goesToJournal: Bool {
      guard let stream = environmentVariable("JOURNAL_STREAM"),
        let facts = try? standardErrorFacts()
      else { return false }
      return stream == "\(facts.device):\(facts.inode)"
    }
  }

  var level: Logger.Level
  var message: String
  var fields: [(name: String, value: String)]
  var nanosecondsSince1970: Int64

  func bytes(_ style: Style) -> [UInt8] {
    let line: String
    switch style {
    case .journal: line = "<\(level.priority)>\(text)"
    case .logfmt:
      line = "ts=\(timestamp) level=\(level.rawValue) msg=\(Self.quoted(message))\(logfmtFields)"
    case .json:
      let all =
        [("ts", timestamp), ("level", level.rawValue), ("msg", message)]
        + fields.map { ($0.name, $0.value) }
      line =
        "{" + all.map { "\(JSON.quoted($0.0)):\(JSON.quoted($0.1))" }.joined(separator: ",") + "}"
    }
    return Array((line + "\n").utf8)
  }

  /// The entry for the journal: the line for people, and what it is made of.
  var journalFields: [(name: String, value: String)] {
    [
      ("MESSAGE", text), ("PRIORITY", String(level.priority)),
      ("SYSLOG_IDENTIFIER", "procvitals"),
    ]
      + fields.compactMap { field in
        Journal.name(for: field.name).map { ($0, field.value) }
      }
  }

  private var text: String { Self.printable(message) + logfmtFields }

  private var logfmtFields: String {
    fields.map { " \($0.name)=\(Self.quoted($0.value))" }.joined()
  }

  private var timestamp: String {
    var (seconds, rest) = nanosecondsSince1970.quotientAndRemainder(dividingBy: 1_000_000_000)
    if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1_000_000_000) }
    let date = UTCDate(secondsSince1970: seconds)
    let milliseconds = rest / 1_000_000
    return "\(UTCDate.padded(date.year, to: 4))-\(UTCDate.padded(date.month))-"
      + "\(UTCDate.padded(date.day))T\(UTCDate.padded(date.hour)):\(UTCDate.padded(date.minute)):"
      + "\(UTCDate.padded(date.second)).\(UTCDate.padded(milliseconds, to: 3))Z"
  }

  /// A value as logfmt has it: in quotes when it holds anything but plain characters.
  private static func quoted(_ text: String) -> String {
    let isPlain =
      !text.isEmpty
      && text.utf8.allSatisfy {
        $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
          && $0 != UInt8(ascii: "\\")
      }
    return isPlain ? text : JSON.quoted(text)
  }

  /// A message without what would end the line or steer a terminal.
  private static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { JSON.isControl($0) ? " " : $0 }))
  }
}

extension Logger.Level {
  /// The priority of `sd-daemon(3)`.
  fileprivate var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}

/// Makes log lines of what is logged.
struct LineHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  let sink: LogSink

  init(logLevel: Logger.Level, sink: LogSink) {
    self.logLevel = logLevel
    self.sink = sink
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }
    sink.add(
      LogLine(
        level: event.level, message: event.message.description,
        fields: fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) },
        nanosecondsSince1970: wallClockNanoseconds()))
  }
}
