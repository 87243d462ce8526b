extension Connection {
  /// What a connection is doing; each state has a deadline of its own.
  enum State {
    /// Accepted; the TLS handshake is not complete.
    case handshake
    /// Accepted; nothing has come.
    case new
    /// Answered; nothing of a next request has come.
    case idle
    case readingHeader
    case readingBody
    /// The handler has the request.
    case waiting
    /// The client has not taken all of the output.
    case writing
    /// All is sent and our side is shut; what still comes is thrown away.
    case closing
    case closed

    var isReading: Bool {
      switch self {
      case .new, .idle, .readingHeader, .readingBody: true
      case .handshake, .waiting, .writing, .closing, .closed: false
      }
    }
  }
}
