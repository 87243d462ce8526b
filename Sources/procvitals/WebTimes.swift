import ArgumentParser
import Config
import HTTPServer

/// How long clients may take.
struct WebTimes: ParsableArguments {
  @Option(
    name: .customLong("web.read-timeout"),
    help: ArgumentHelp(
      "How long a client may take for each part of a request: its TLS handshake, its first byte, its header, its body.",
      valueName: "duration"))
  var read = "10s"

  @Option(
    name: .customLong("web.write-timeout"),
    help: ArgumentHelp("How long a client may take to receive an answer.", valueName: "duration"))
  var write = "30s"

  @Option(
    name: .customLong("web.idle-timeout"),
    help: ArgumentHelp(
      "How long a connection is kept open between requests.", valueName: "duration"))
  var idle = "75s"

  private static let range = Duration.milliseconds(100)...Duration.seconds(3600)

  func apply(to limits: inout Limits) throws {
    let read = try Self.duration("--web.read-timeout", read)
    limits.handshakeTime = read
    limits.firstByteTime = read
    limits.headerTime = read
    limits.bodyTime = read
    limits.writeTime = try Self.duration("--web.write-timeout", write)
    limits.writeProgressTime = min(limits.writeProgressTime, limits.writeTime)
    limits.idleTime = try Self.duration("--web.idle-timeout", idle)
  }

  private static func duration(_ name: String, _ text: String) throws -> Duration {
    guard let duration = Duration(prometheus: text), range.contains(duration) else {
      throw Failure.usage(
        "\(name)=\(text): expected a duration from 100ms to 1h, for example 10s or 1m30s")
    }
    return duration
  }
}
