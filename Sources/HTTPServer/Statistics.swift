package import TLS

/// What a server has done and what it is doing; counters wrap.
package struct ServerStatistics: Sendable {
  /// Connections accepted and kept.
  package internal(set) var accepted: UInt64 = 0
  /// Connections closed to make room for new ones.
  package internal(set) var evicted: UInt64 = 0
  package internal(set) var rejected = Rejected()
  package internal(set) var timeouts = Timeouts()
  /// Connections by what they are doing now.
  package internal(set) var open = Open()
  /// Complete and valid requests.
  package internal(set) var requests: UInt64 = 0
  /// TLS handshakes that came to their end.
  package internal(set) var handshakes: UInt64 = 0
  private var handshakeFailures = [UInt64](repeating: 0, count: HandshakeError.allCases.count)

  /// Connections refused or lost before their first byte.
  package struct Rejected: Sendable {
    /// All places taken by connections that are being answered.
    package internal(set) var limit: UInt64 = 0
    /// No file descriptor or memory was left.
    package internal(set) var resources: UInt64 = 0
    /// The client or the network gave up before the connection was accepted.
    package internal(set) var aborted: UInt64 = 0
  }

  /// Deadlines that passed.
  package struct Timeouts: Sendable {
    package internal(set) var handshake: UInt64 = 0
    package internal(set) var firstByte: UInt64 = 0
    package internal(set) var idle: UInt64 = 0
    package internal(set) var header: UInt64 = 0
    package internal(set) var body: UInt64 = 0
    package internal(set) var answer: UInt64 = 0
    package internal(set) var write: UInt64 = 0
    package internal(set) var linger: UInt64 = 0
  }

  /// Numbers of connections.
  package struct Open: Sendable, Equatable {
    /// The TLS handshake is not complete.
    package internal(set) var handshake = 0
    /// Nothing of a request has come.
    package internal(set) var idle = 0
    /// Part of a request has come.
    package internal(set) var reading = 0
    /// The handler will answer later.
    package internal(set) var waiting = 0
    /// The client has not taken the whole answer yet.
    package internal(set) var writing = 0
    /// Everything is sent; the client may take note and close.
    package internal(set) var closing = 0

    package var total: Int { handshake + idle + reading + waiting + writing + closing }
  }

  /// By status code less 200.
  private var responses = [UInt64](repeating: 0, count: 400)

  /// Answers by status code, 1xx left out, lowest code first.
  package var responsesByStatus: [(code: Int, count: UInt64)] {
    responses.indices.filter { responses[$0] > 0 }.map { (code: $0 + 200, count: responses[$0]) }
  }

  /// TLS handshakes that failed for a reason, deadlines aside.
  package func handshakeFailures(_ reason: HandshakeError) -> UInt64 {
    HandshakeError.allCases.firstIndex(of: reason).map { handshakeFailures[$0] } ?? 0
  }

  mutating func count(_ failure: HandshakeError) {
    guard let index = HandshakeError.allCases.firstIndex(of: failure) else { return }
    handshakeFailures[index] &+= 1
  }

  mutating func countResponse(_ status: Status) {
    let index = status.code - 200
    if responses.indices.contains(index) { responses[index] &+= 1 }
  }
}
