import Linux
import TLS

/// One client's connection: reads requests, has them answered in order, keeps the deadlines.
///
/// Between requests it owns no buffer. All changes of state go through `enter`, which also sets
/// the deadline, so no state can be without one.
final class Connection: EventHandler {
  /// What follows when the output is sent.
  enum Sequel {
    case nextRequest
    case body
    case close
  }

  let server: Server
  let socket: OwnedFD
  /// What bytes go through on their way to the socket and back; nil where they are plain.
  var session: Session?
  private(set) var token: EventToken?
  var state = State.new
  private var interest = Readiness.readable

  private var parser = RequestParser()
  /// Bytes received behind the request that is being answered.
  private var readAhead: [UInt8] = []
  private var readAheadStart = 0
  private var isParsing = false

  /// The request that is being answered.
  private(set) var requestNumber: UInt64 = 0
  private var requestIsHead = false
  private var requestVersion = Version.http11
  private var requestKeepsAlive = false

  private var outputHead: [UInt8] = []
  private var outputBody: [UInt8] = []
  private var sentBytes = 0
  private var sequel = Sequel.nextRequest
  /// Set while the client does not take the output as fast as it could be sent.
  private var writeDeadline: Instant?
  /// When it has to have taken more of it; and when a handshake has to be complete.
  var progressDeadline = Instant.now
  private var lingeredBytes = 0

  var limits: Limits { server.limits }

  init(_ socket: consuming OwnedFD, _ server: Server) {
    self.socket = socket
    self.server = server
  }

  /// Begins to read.
  ///
  /// - Throws: `ENOSPC`, `ENOMEM`; the connection closes when it is released then.
  func open() throws(Errno) -> EventToken {
    if server.tls != nil { state = .handshake }
    let token = try server.loop.add(socket, interest, self)
    self.token = token
    server.evictionOrder.append(token.slot, to: .unanswered)
    enter(state)
    return token
  }

  // MARK: Events

  func ready(_ token: EventToken, _ readiness: Readiness) {
    // Nothing that is sent now would arrive.
    if !readiness.isDisjoint(with: .hungUp) {
      if state == .handshake { server.counts.count(.closed) }
      return close()
    }
    switch state {
    case .handshake: shakeHands()
    case .new, .idle, .readingHeader, .readingBody:
      // Writable is what a connection waits for that has read ahead and lets others go first.
      if readAhead.isEmpty { receive() } else { parseReadAhead() }
    case .waiting:
      // More requests or the end of input; both can wait, but not in a busy loop.
      setInterest([])
    case .writing: transmit()
    case .closing: discard()
    case .closed: break
    }
  }

  func expired(_ token: EventToken) {
    switch state {
    case .handshake where server.loop.now < progressDeadline:
      server.loop.setDeadline(token, progressDeadline)
      server.noteStalledHandshake(token.slot)
    case .handshake:
      server.counts.timeouts.handshake &+= 1
      close()
    case .readingHeader where server.isDraining, .readingBody where server.isDraining:
      refuse(.serviceUnavailable, "the server is stopping")
    case .new:
      server.counts.timeouts.firstByte &+= 1
      close()
    case .idle:
      server.counts.timeouts.idle &+= 1
      close()
    case .readingHeader:
      server.counts.timeouts.header &+= 1
      refuse(.requestTimeout, "the header section was not complete in time")
    case .readingBody:
      server.counts.timeouts.body &+= 1
      refuse(.requestTimeout, "the body was not complete in time")
    case .waiting:
      server.counts.timeouts.answer &+= 1
      let id = requestID
      refuse(.serviceUnavailable, "the answer was not ready in time")
      server.abandoned(id)
    case .writing where server.loop.now < progressDeadline:
      server.evictionOrder.append(token.slot, to: .stalled)
      server.loop.setDeadline(token, progressDeadline)
    case .writing:
      server.counts.timeouts.write &+= 1
      // The kernel would keep the rest for a client that does not want it.
      resetWhenClosed(socket)
      close()
    case .closing:
      server.counts.timeouts.linger &+= 1
      close()
    case .closed: break
    }
  }

  // MARK: Receiving

  private func receive() {
    let count: Int
    do throws(Errno) {
      if let session {
        count = try session.receive(into: &server.receiveBuffer)
      } else {
        count = try Linux.receive(socket, into: &server.receiveBuffer)
      }
    } catch .wouldBlock {
      return setInterest(receivingInterest)
    } catch {
      return close()
    }
    if count == 0 { return endInput() }
    var position = 0
    let event = parser.parse(server.receiveBuffer, &position, count, limits)
    // Copied before anybody else can receive into the same buffer.
    if position < count {
      readAhead = Array(server.receiveBuffer[position..<count])
      readAheadStart = 0
    }
    isParsing = true
    handle(event)
    isParsing = false
    parseReadAhead()
  }

  /// The client has shut its side; answers to what it asked are on their way already.
  private func endInput() {
    if parser.isEmpty {
      close()
    } else {
      refuse(.badRequest, "the request is not complete")
    }
  }

  /// Goes on with bytes that came behind an earlier request, until one has to wait.
  private func parseReadAhead() {
    // An answer that is given while this runs comes back to the loop below.
    if isParsing { return }
    isParsing = true
    defer { isParsing = false }
    var events = 0
    while state.isReading, readAheadStart < readAhead.count {
      if events == limits.requestsPerTurn { return setInterest(.writable) }
      events += 1
      handle(parser.parse(readAhead, &readAheadStart, readAhead.count, limits))
    }
    if readAheadStart >= readAhead.count {
      readAhead = []
      readAheadStart = 0
    }
    if state.isReading { setInterest(receivingInterest) }
  }

  private func handle(_ event: consuming RequestParser.Event) {
    switch consume event {
    case .incomplete: noteProgress()
    case .continueExpected:
      noteProgress()
      if let request = parser.request, let refusal = server.refusal(request) {
        // Whether the body still comes cannot be told, so nothing else is read.
        (requestIsHead, parser) = (request.method == .head, RequestParser())
        send(refusal, keepsAlive: false)
      } else {
        output(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), [], then: .body)
      }
    case .complete(let request): dispatch(request)
    case .failed(let error): refuse(error.status, error.explanation)
    }
  }

  /// Starts the deadline of the phase that the unfinished request has reached.
  private func noteProgress() {
    if parser.isInBody {
      if state != .readingBody { enter(.readingBody) }
    } else if !parser.isEmpty, state != .readingHeader {
      enter(.readingHeader)
    }
  }

  // MARK: Answering

  private var requestID: RequestID { RequestID(slot: token?.slot ?? -1, number: requestNumber) }

  private func dispatch(_ request: Request) {
    requestIsHead = request.method == .head
    requestVersion = request.version
    requestKeepsAlive = request.keepsAlive
    requestNumber = server.nextRequestNumber()
    state = .waiting
    if let token { server.evictionOrder.remove(token.slot) }
    if request.path == "*" {
      return respond(.options(allow: [.get, .head, .options]))
    }
    let number = requestNumber
    switch server.handler(request, requestID) {
    case .now(let response): respond(response)
    case .later:
      // The handler may have answered already, before it returned.
      if state == .waiting, requestNumber == number { enter(.waiting) }
    }
  }

  /// Sends the answer to the request that waits for it.
  func respond(_ response: Response) {
    guard state == .waiting else { return }
    let keepsAlive = requestKeepsAlive && !server.isDraining
    send(response, keepsAlive: keepsAlive)
  }

  /// Answers something that no handler sees and ends the connection.
  private func refuse(_ status: Status, _ explanation: String) {
    if state != .waiting { requestIsHead = parser.isHead }
    parser = RequestParser()
    let fields = status == .serviceUnavailable ? [("Retry-After", "1")] : []
    let text = "\(status.code) \(status.reason): \(explanation)\n"
    send(.text(status, text, fields: fields), keepsAlive: false)
  }

  private func send(_ response: Response, keepsAlive: Bool) {
    state = .writing
    server.counts.countResponse(response.status)
    let connection = !keepsAlive ? "close" : requestVersion == .http10 ? "keep-alive" : nil
    let head = response.head(date: server.dateLine.current(), connection: connection)
    let hasBody = response.status.allowsContent && !requestIsHead
    output(head, hasBody ? response.body : [], then: keepsAlive ? .nextRequest : .close)
  }

  func output(_ head: [UInt8], _ body: [UInt8], then sequel: Sequel) {
    outputHead = head
    outputBody = body
    sentBytes = 0
    self.sequel = sequel
    transmit()
  }

  private func transmit() {
    let before = takenBytes
    do throws(Errno) {
      try sendOutput()
    } catch .wouldBlock {
      if writeDeadline == nil || takenBytes != before { enter(.writing) }
      return
    } catch {
      return close()
    }
    outputHead = []
    outputBody = []
    writeDeadline = nil
    switch sequel {
    case .nextRequest:
      enter(.idle)
      if server.isDraining { drainBehindAnswer() }
    case .body: if state == .writing { enter(.readingBody) }
    case .close: return finish()
    }
    parseReadAhead()
  }

  /// How much the kernel has taken: encrypted, that is not what was to be sent.
  private var takenBytes: Int { session?.sentBytes ?? sentBytes }

  private func sendOutput() throws(Errno) {
    let total = outputHead.count + outputBody.count
    while sentBytes < total {
      if let session {
        sentBytes += try session.send(head: outputHead, body: outputBody, from: sentBytes)
      } else {
        sentBytes += try Linux.send(socket, head: outputHead, body: outputBody, from: sentBytes)
      }
    }
    if sequel == .close { try session?.close() }
  }

  // MARK: Closing

  /// Lets the client read the last answer before the connection goes.
  ///
  /// Closing at once would send a reset if the client has sent more, and a reset throws away
  /// what it has not read yet (RFC 9112, section 9.6).
  func finish() {
    readAhead = []
    readAheadStart = 0
    parser = RequestParser()
    session = nil
    shutDownSending(socket)
    enter(.closing)
  }

  private func discard() {
    do throws(Errno) {
      let count = try Linux.receive(socket, into: &server.receiveBuffer)
      lingeredBytes += count
      if count == 0 { return close() }
      // Closing now would reset the connection before the client may have read the answer.
      if lingeredBytes > limits.lingerBytes { setInterest([]) }
    } catch .wouldBlock {
      return
    } catch {
      close()
    }
  }

  /// Gives everything back at once.
  func close() {
    if state == .closed { return }
    let wasWaiting = state == .waiting
    // An end that is meant; in the middle of an answer there is none.
    if state == .new || state == .idle { try? session?.close() }
    session = nil
    state = .closed
    readAhead = []
    outputHead = []
    outputBody = []
    if let token {
      server.loop.remove(token)
      server.forget(token.slot)
    }
    if wasWaiting { server.abandoned(requestID) }
  }

  /// Answers what has arrived already; what has begun to arrive, and the first request of a client
  /// that has just connected, may come to its end, but soon.
  func drain() {
    if state.isReading, readAhead.isEmpty { receive() }
    switch state {
    case .idle where readAhead.isEmpty: close()
    case .handshake, .new, .readingHeader, .readingBody: enter(state)
    default: break
    }
  }

  /// Ends behind an answer that said that the connection stays, unless more has arrived by now.
  private func drainBehindAnswer() {
    if readAhead.isEmpty { receive() }
    guard state == .idle, readAhead.isEmpty else { return }
    try? session?.close()
    finish()
  }

  // MARK: State

  func enter(_ next: State) {
    guard let token, state != .closed else { return }
    let before = state
    state = next
    let now = server.loop.now
    let deadline: Instant
    switch next {
    case .handshake:
      deadline = beforeEnd(now + limits.handshakeTime)
      progressDeadline = deadline
    case .new: deadline = beforeEnd(now + limits.firstByteTime)
    case .idle:
      deadline = now + limits.idleTime
      server.evictionOrder.append(token.slot, to: .idle)
    case .readingHeader, .readingBody:
      let time = next == .readingHeader ? limits.headerTime : limits.bodyTime
      deadline = beforeEnd(now + time)
      if before == .idle || before == .writing {
        server.evictionOrder.append(token.slot, to: .unanswered)
      }
    case .waiting: deadline = now + limits.answerTime
    case .writing:
      let last = writeDeadline ?? now + limits.writeTime
      writeDeadline = last
      progressDeadline = min(last, now + limits.writeProgressTime)
      deadline = min(progressDeadline, now + limits.writeStallTime)
      server.evictionOrder.remove(token.slot)
      setInterest(.writable)
    case .closing:
      deadline = now + limits.lingerTime
      server.evictionOrder.append(token.slot, to: .closing)
      setInterest(.readable)
    case .closed: return
    }
    server.loop.setDeadline(token, deadline)
  }

  /// A moment, or an earlier one if the server stops.
  private func beforeEnd(_ moment: Instant) -> Instant {
    server.readingEnd.map { min($0, moment) } ?? moment
  }

  func setInterest(_ wanted: Readiness) {
    guard let token, interest != wanted else { return }
    interest = wanted
    server.loop.modify(token, wanted)
  }
}
