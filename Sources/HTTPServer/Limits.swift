/// Every bound of the server: sizes of messages, numbers of things and deadlines.
package struct Limits: Sendable {
  // MARK: Messages

  /// Longest request line without its line end; a longer one is answered 414 (RFC 9112, section 3).
  package var requestLineBytes = 8 << 10
  /// Longest method; a longer one is answered 400.
  package var methodBytes = 32
  /// Empty lines tolerated before a request line (RFC 9112, section 2.2).
  package var emptyLines = 2
  /// Longest field line without its line end; a longer one is answered 431.
  package var fieldLineBytes = 8 << 10
  /// Longest header section, trailer section included; a longer one is answered 431.
  package var headerSectionBytes = 32 << 10
  /// Most field lines, trailer fields included; more are answered 431.
  package var fieldLines = 100
  /// Longest request body; a longer one is answered 413.
  package var bodyBytes = 64 << 10
  /// Largest number accepted as a chunk size; beyond it the size is an error, not only too large.
  package var chunkSizeBytes = 1 << 31
  /// Most digits of a chunk size, leading zeros included.
  package var chunkSizeDigits = 16
  /// Longest chunk extensions of one body, all chunks together.
  package var chunkExtensionBytes = 4 << 10
  /// Whether handlers get request bodies; if not, bodies are checked and dropped as they come.
  package var keepsBodies = true

  // MARK: Numbers

  /// Most connections at a time; a new one beyond that takes the place of one that waits.
  package var maxConnections = 512
  /// From this many connections on, memory is given back once three quarters of them have gone.
  package var crowd = 64
  /// Most connections accepted before other work gets its turn.
  package var acceptsPerTurn = 64
  /// Most pipelined requests answered to one client before other work gets its turn.
  package var requestsPerTurn = 16
  /// Most bytes received at once; hence also the most that are read ahead of a running request.
  package var receiveBytes = 16 << 10

  /// Most TLS handshakes under way, each of which takes memory before anybody knows who asks; others
  /// wait without any.
  package var handshakes = 64
  /// Most bytes of a client's certificate and those above it.
  package var clientCertificateBytes = 64 << 10
  /// Most passwords that wait to be compared; one more takes the place of one that waits, whose
  /// requests are answered 503.
  package var passwordQueue = 16
  /// Most requests that wait for a comparison; one more takes the place of one that waits, which is
  /// answered 503.
  package var passwordAskers = 32
  /// Most outcomes of comparisons that are remembered.
  package var passwordVerdicts = 100

  // MARK: Deadlines

  /// From accepting a connection to the end of the TLS handshake.
  package var handshakeTime = Duration.seconds(10)
  /// From its first byte a handshake may take that long before it makes room for one that waits.
  package var handshakeStallTime = Duration.milliseconds(500)
  /// From accepting a connection, or the end of its handshake, to its first byte.
  package var firstByteTime = Duration.seconds(10)
  /// From the first byte of a request to the end of its header section.
  package var headerTime = Duration.seconds(10)
  /// From the end of the header section to the end of the body.
  package var bodyTime = Duration.seconds(10)
  /// Between the end of an answer and the next request.
  package var idleTime = Duration.seconds(75)
  /// Until a handler that said it would answer later has answered; then 503 is sent.
  package var answerTime = Duration.seconds(120)
  /// From the first byte of an answer that the client does not take at once to its last.
  package var writeTime = Duration.seconds(30)
  /// From then on a client that takes no byte of an answer may be closed to make room.
  package var writeStallTime = Duration.seconds(1)
  /// Longest time in which a client takes no byte of an answer.
  package var writeProgressTime = Duration.seconds(10)
  /// How long a client may take to close after the last answer, so that no reset destroys it.
  package var lingerTime = Duration.seconds(1)
  /// When the server stops: how long a client may take to complete a request that it has begun, or
  /// that it has just connected for.
  package var stopTime = Duration.seconds(1)
  /// Most bytes thrown away after the last answer; what still comes stays in the kernel.
  package var lingerBytes = 64 << 10
  /// Pause of a listener when the system has no room for another connection.
  package var acceptPause = Duration.milliseconds(100)

  /// The default limits.
  package init() {}
}
