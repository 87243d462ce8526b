import HTTPClient

/// What became of a push.
package enum Verdict: Sendable, Equatable {
  case success
  /// Some data points were not taken, or (of 0) the receiver wants to say something.
  case partial(rejected: UInt64, String)
  /// It can be tried again.
  case unavailable(String, retryAfter: Duration? = nil)
  /// It would be the same the next time.
  case rejected(String)

  /// The value of the label `outcome`.
  package var outcome: Outcome {
    switch self {
    case .success: .success
    case .partial: .partial
    case .unavailable: .unavailable
    case .rejected: .rejected
    }
  }

  package enum Outcome: Int, Sendable, CaseIterable {
    case success, partial, unavailable, rejected

    package var name: String { ["success", "partial", "unavailable", "rejected"][rawValue] }
  }
}

extension Verdict {
  /// What an answer says.
  ///
  /// - Source: OTLP 1.x, sections "OTLP/HTTP Response" and "Partial Success".
  /// - Parameters:
  ///   - answer: The answer.
  ///   - now: Seconds since 1970.
  init(_ answer: Client.Answer, now: Int64) {
    let type = answer.field("content-type")?.lowercased() ?? ""
    let isMessage = type.hasPrefix("application/x-protobuf")
    switch answer.status {
    case 200..<300:
      if type.hasPrefix("text/html") {
        self = .rejected("it answers with a page for people; is the endpoint an OTLP receiver?")
      } else if isMessage {
        self = Self.success(answer.body)
      } else {
        self = .success
      }
    default:
      var text = "HTTP status \(answer.status)"
      if (300..<400).contains(answer.status), let location = answer.field("location") {
        text += ", redirected to \(Self.excerpt(Array(location.utf8))), which is not followed"
      } else {
        // google.rpc.Status: its message.
        let words = isMessage ? Message(answer.body).bytes(2) ?? [] : answer.body[...]
        let excerpt = type.hasPrefix("text/html") ? "" : Self.excerpt(Array(words))
        if !excerpt.isEmpty { text += ": \(excerpt)" }
      }
      self =
        [429, 502, 503, 504].contains(answer.status)
        ? .unavailable(
          text, retryAfter: answer.field("retry-after").flatMap { Self.wait($0, now: now) })
        : .rejected(text)
    }
  }

  /// What an `ExportMetricsServiceResponse` says.
  private static func success(_ body: [UInt8]) -> Verdict {
    let response = Message(body)
    guard response.isWhole else { return .rejected("its answer is no message of OTLP") }
    guard let content = response.bytes(1) else { return .success }
    let partial = Message(content)
    guard partial.isWhole else { return .rejected("its answer is no message of OTLP") }
    let rejected = partial.number(1) ?? 0
    let message = excerpt(Array(partial.bytes(2) ?? []))
    if rejected == 0, message.isEmpty { return .success }
    // A negative number means nothing.
    return .partial(rejected: rejected > UInt64(Int64.max) ? 0 : rejected, message)
  }

  /// Words of the receiver, on one line and not too many.
  static func excerpt(_ bytes: [UInt8]) -> String {
    var text = String(decoding: bytes.prefix(4 * Limits.excerpt), as: UTF8.self)
    text.unicodeScalars.removeAll { $0.properties.generalCategory == .control }
    return String(text.prefix(Limits.excerpt))
  }

  /// How long to wait by the field `Retry-After`: seconds, or a date as servers write it today.
  ///
  /// - Source: RFC 9110, sections 10.2.3 and 5.6.7.
  static func wait(_ field: String, now: Int64) -> Duration? {
    let text = field.utf8.filter { $0 != UInt8(ascii: " ") }
    if !text.isEmpty, text.allSatisfy({ $0 &- 48 < 10 }) {
      let seconds = Int64(String(decoding: text, as: UTF8.self)) ?? .max
      return .seconds(min(seconds, Limits.longestRetryAfter.components.seconds))
    }
    guard let date = secondsSince1970(httpDate: field) else { return nil }
    return .seconds(min(max(0, date - now), Limits.longestRetryAfter.components.seconds))
  }
}

/// The time of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else.
func secondsSince1970(httpDate: String) -> Int64? {
  let words = httpDate.split { $0 == " " || $0 == "," || $0 == ":" }
  let months = "JanFebMarAprMayJunJulAugSepOctNovDec"
  guard words.count == 8, words[7] == "GMT", words[2].utf8.count == 3,
    let place = (0..<12).first(where: { months.dropFirst(3 * $0).hasPrefix(words[2]) })
  else { return nil }
  let numbers = [1, 3, 4, 5, 6].map { index -> Int64 in
    words[index].utf8.allSatisfy { $0 &- 48 < 10 } ? Int64(words[index]) ?? -1 : -1
  }
  guard (1...31).contains(numbers[0]), (1970...9999).contains(numbers[1]),
    (0...23).contains(numbers[2]), (0...59).contains(numbers[3]), (0...60).contains(numbers[4])
  else { return nil }
  // Years from March on, so that a leap day is the last one of a year.
  let month = Int64(place + 10) % 12
  let year = numbers[1] - (month >= 10 ? 1 : 0)
  let days = 365 * year + year / 4 - year / 100 + year / 400 + (306 * month + 5) / 10 + numbers[0]
  return (days - 719_469) * 86_400 + numbers[2] * 3600 + numbers[3] * 60 + numbers[4]
}
