/// Turns received bytes into requests.
///
/// Holds one unfinished request and nothing else: it costs no memory of its own between requests.
/// Bytes are looked at once, so the result does not depend on the pieces they arrive in.
///
/// - Source: RFC 9112.
struct RequestParser {
  enum Event {
    /// All bytes are used and the request is not complete.
    case incomplete
    /// The header section is complete, and the client waits for a word before it sends the body.
    case continueExpected
    case complete(Request)
    case failed(RequestError)
  }

  private enum Stage {
    case requestLine
    case fields
    case sizedBody(remaining: Int)
    case chunkedBody(ChunkedBody)
    case trailer
  }

  private var stage = Stage.requestLine
  /// All complete lines and the unfinished one behind them.
  private var head: [UInt8] = []
  private var lineStart = 0
  private var emptyLines = 0
  private var fieldLines: [FieldLine] = []
  private var trailerLines = 0
  private var trailerBytes = 0
  private var body: [UInt8] = []

  private var requestLine: RequestLine?
  private var headerStart = 0
  private var host: Range<Int>?
  private var keepsAlive = false

  /// Whether no byte of a request has come, empty lines aside.
  var isEmpty: Bool {
    if case .requestLine = stage { return head.isEmpty }
    return false
  }

  /// Whether the unfinished request is HEAD, whose answer has no body.
  var isHead: Bool { requestLine?.method == .head }

  /// Whether the header section is complete.
  var isInBody: Bool {
    switch stage {
    case .requestLine, .fields: false
    case .sizedBody, .chunkedBody, .trailer: true
    }
  }

  /// Looks at received bytes until a request is complete or they are used up.
  ///
  /// - Parameters:
  ///   - input: Received bytes.
  ///   - position: Where to go on; moved behind what was used.
  ///   - end: Where the received bytes end.
  ///   - limits: The bounds to keep.
  /// - Returns: What came of it. After `failed` nothing may be parsed any more.
  mutating func parse(
    _ input: [UInt8], _ position: inout Int, _ end: Int, _ limits: Limits
  ) -> Event {
    do throws(RequestError) {
      while true {
        switch stage {
        case .requestLine:
          guard let line = try takeLine(input, &position, end, limits) else { return .incomplete }
          try takeRequestLine(line, limits)
        case .fields:
          guard let line = try takeLine(input, &position, end, limits) else { return .incomplete }
          if !line.isEmpty {
            try takeFieldLine(line, limits)
          } else if let event = try endHeader(limits) {
            return event
          }
        case .sizedBody(let remaining):
          if position == end { return .incomplete }
          let count = min(remaining, end - position)
          if limits.keepsBodies { body.append(contentsOf: input[position..<position + count]) }
          position += count
          if count == remaining { return complete() }
          stage = .sizedBody(remaining: remaining - count)
        case .chunkedBody(var chunks):
          if position == end { return .incomplete }
          let isDone = try chunks.decode(input, &position, end, into: &body, limits)
          stage = isDone ? .trailer : .chunkedBody(chunks)
        case .trailer:
          guard let line = try takeLine(input, &position, end, limits) else { return .incomplete }
          if line.isEmpty { return complete() }
          try checkTrailerLine(line, limits)
        }
      }
    } catch {
      return .failed(error)
    }
  }

  // MARK: Lines

  /// Moves the bytes of one line to `head` and checks them one by one.
  ///
  /// - Returns: The line without its end, or nil if it is not complete.
  private mutating func takeLine(
    _ input: [UInt8], _ position: inout Int, _ end: Int, _ limits: Limits
  ) throws(RequestError) -> Range<Int>? {
    if position == end { return nil }
    let start = position
    let known = head.count
    var isAfterReturn = known > lineStart && head[known - 1] == .carriageReturn
    let room = lineLimit(limits) - (known - lineStart)
    let isRequestLine = if case .requestLine = stage { true } else { false }
    // Room for a usual request, so that not every line makes the array grow.
    if known == 0 { head.reserveCapacity(min(512, end - start)) }
    let bytes = input.span
    var index = start
    while index < end {
      let byte = bytes[index]
      if isAfterReturn {
        guard byte == .lineFeed else { throw .malformed("CR must be followed by LF") }
        head.append(contentsOf: input[start...index])
        position = index + 1
        return lineStart..<head.count - 2
      }
      if byte &- 0x20 >= 0x5f {
        if byte == .carriageReturn {
          isAfterReturn = true
          index += 1
          continue
        }
        if byte == .lineFeed { throw .malformed("a line must end in CR LF, not in LF alone") }
        if isRequestLine || !byte.isFieldCharacter {
          throw .malformed("there is a character that is not allowed")
        }
      }
      if index - start >= room { throw lineTooLong(input, start, index, limits) }
      index += 1
    }
    head.append(contentsOf: input[start..<end])
    position = end
    return nil
  }

  private func lineLimit(_ limits: Limits) -> Int {
    switch stage {
    case .requestLine: limits.requestLineBytes
    default:
      min(
        limits.fieldLineBytes,
        limits.headerSectionBytes - (lineStart - headerStart) - trailerBytes)
    }
  }

  private func lineTooLong(
    _ input: [UInt8], _ start: Int, _ index: Int, _ limits: Limits
  ) -> RequestError {
    guard case .requestLine = stage else {
      return .headerTooLarge("a field line or the header section is too long")
    }
    let line = head[lineStart...] + input[start..<index]
    return line.prefix(limits.methodBytes + 1).contains(.space)
      ? .targetTooLong : .malformed("the method is too long")
  }

  // MARK: Request line

  private mutating func takeRequestLine(
    _ line: Range<Int>, _ limits: Limits
  ) throws(RequestError) {
    if line.isEmpty {
      emptyLines += 1
      if emptyLines > limits.emptyLines {
        throw .malformed("there are empty lines before the request line")
      }
      head = []
      return
    }
    requestLine = try RequestLine(head.span, line, limits)
    lineStart = head.count
    headerStart = head.count
    stage = .fields
    fieldLines.reserveCapacity(12)
  }

  // MARK: Header and trailer section

  private mutating func takeFieldLine(
    _ line: Range<Int>, _ limits: Limits
  ) throws(RequestError) {
    if fieldLines.count >= limits.fieldLines { throw .headerTooLarge("there are too many fields") }
    fieldLines.append(try FieldLine(head.span, line))
    lineStart = head.count
  }

  /// - Returns: An event, or nil if the body is to be read now.
  private mutating func endHeader(_ limits: Limits) throws(RequestError) -> Event? {
    let version = requestLine?.version ?? .http11
    let framing = try Framing(head.span, fieldLines, version, limits)
    if requestLine?.method == nil { throw .unknownMethod }
    host = framing.host
    keepsAlive = framing.keepsAlive
    lineStart = head.count
    switch framing.body {
    case .none: return complete()
    case .sized(let count): stage = .sizedBody(remaining: count)
    case .chunked: stage = .chunkedBody(ChunkedBody())
    }
    return framing.expectsContinue ? .continueExpected : nil
  }

  /// Trailer fields are checked and dropped: none of them means anything here.
  private mutating func checkTrailerLine(
    _ line: Range<Int>, _ limits: Limits
  ) throws(RequestError) {
    trailerLines += 1
    if fieldLines.count + trailerLines > limits.fieldLines {
      throw .headerTooLarge("there are too many fields")
    }
    _ = try FieldLine(head.span, line)
    trailerBytes += head.count - lineStart
    head.removeSubrange(lineStart...)
  }

  private mutating func complete() -> Event {
    head.removeSubrange(lineStart...)
    guard let request else { return .failed(.unknownMethod) }
    self = RequestParser()
    return .complete(request)
  }

  /// The request with as much of its body as has come, once the header section is complete.
  var request: Request? {
    guard let line = requestLine, let method = line.method else { return nil }
    return Request(
      method: method, version: line.version, path: line.target.path, body: body, head: head,
      targetRange: line.targetRange, queryRange: line.target.query,
      authorityRange: line.target.authority ?? host, fieldLines: fieldLines,
      keepsAlive: keepsAlive)
  }
}
