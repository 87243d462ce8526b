/// Why a request is refused before any handler sees it; the connection ends with the answer.
enum RequestError: Error, Equatable {
  /// The message breaks a rule of RFC 9110 or RFC 9112.
  case malformed(StaticString)
  case targetTooLong
  case headerTooLarge(StaticString)
  case bodyTooLarge
  case unknownExpectation
  case unknownMethod
  case unknownTransferCoding
  case unsupportedVersion

  var status: Status {
    switch self {
    case .malformed: .badRequest
    case .targetTooLong: .uriTooLong
    case .headerTooLarge: .requestHeaderFieldsTooLarge
    case .bodyTooLarge: .contentTooLarge
    case .unknownExpectation: .expectationFailed
    case .unknownMethod, .unknownTransferCoding: .notImplemented
    case .unsupportedVersion: .httpVersionNotSupported
    }
  }

  /// What is wrong and what would be right, for whoever debugs the client.
  ///
  /// Never the beginning of a status line: clients under test count those.
  var explanation: String {
    switch self {
    case .malformed(let rule): "\(rule)"
    case .targetTooLong: "the request line is too long"
    case .headerTooLarge(let what): "\(what)"
    case .bodyTooLarge: "the request body is too large"
    case .unknownExpectation: "the only expectation understood is 100-continue"
    case .unknownMethod: "the method is not known here; methods are case-sensitive"
    case .unknownTransferCoding: "the only transfer coding understood is chunked"
    case .unsupportedVersion: "only versions 1.1 and 1.0 are spoken here"
    }
  }

  static func == (left: RequestError, right: RequestError) -> Bool {
    left.status == right.status && left.explanation == right.explanation
  }
}
