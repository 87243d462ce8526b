import Arguments
import Config
import HTTPServer

/// How long clients may take.
struct WebTimes: Options {
  var read = Duration.seconds(10)
  var write = Duration.seconds(30)
  var idle = Duration.seconds(75)

  static var options: [Option<Self>] {
    [
      Option(
        "web.read-timeout", time, into: \.read,
        "How long a client may take for each part of a request: its TLS handshake, its first byte, its header, its body."
      ),
      Option(
        "web.write-timeout", time, into: \.write,
        "How long a client may take to receive an answer."),
      Option(
        "web.idle-timeout", time, into: \.idle,
        "How long a connection is kept open between requests."),
    ]
  }

  private static let range = Duration.milliseconds(100)...Duration.seconds(3600)

  private static var time: Value<Duration> {
    Value(
      "duration", expected: "a duration from 100ms to 1h, for example 10s or 1m30s",
      read: { text in
        Duration(prometheus: text).flatMap { range.contains($0) ? $0 : nil }
      }, show: { "\($0.components.seconds)s" })
  }

  func apply(to limits: inout Limits) {
    limits.handshakeTime = read
    limits.firstByteTime = read
    limits.headerTime = read
    limits.bodyTime = read
    limits.writeTime = write
    limits.writeProgressTime = min(limits.writeProgressTime, write)
    limits.idleTime = idle
  }
}
