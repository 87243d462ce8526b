@testable package import HTTPServer

/// Feeds bytes to a parser in pieces and writes down what comes out.
///
/// Traps where the parser breaks one of its own promises, whatever the bytes are.
///
/// - Parameters:
///   - bytes: What a client sends.
///   - cuts: Where one read ends and the next begins, in order.
///   - limits: The bounds to keep.
/// - Returns: What ``RequestCase/expected`` describes.
package func outcome(
  of bytes: [UInt8], cutAt cuts: [Int] = [], _ limits: Limits = Limits()
) -> String {
  var parser = RequestParser()
  var events: [String] = []
  var start = 0
  pieces: for end in cuts + [bytes.count] {
    // A piece with bytes around it, so that nothing outside the piece can be used.
    let piece = [UInt8(ascii: "?")] + bytes[start..<end] + [UInt8(ascii: "?")]
    var position = 1
    start = end
    while position < piece.count - 1 {
      switch parser.parse(piece, &position, piece.count - 1, limits) {
      case .incomplete:
        precondition(position == piece.count - 1, "an incomplete request has taken all bytes")
        continue pieces
      case .continueExpected:
        precondition(parser.request != nil && parser.isInBody)
        events.append("100")
      case .complete(let request):
        precondition(parser.isEmpty, "a complete request leaves nothing behind")
        check(request, limits)
        events.append(describe(request))
      case .failed(let error):
        events.append(String(error.status.code))
        return events.joined(separator: "; ")
      }
    }
  }
  if !parser.isEmpty { events.append("...") }
  return events.joined(separator: "; ")
}

/// Traps unless the bytes come to the same however they are cut.
package func checkThatCutsDoNotMatter(_ bytes: [UInt8]) {
  let whole = outcome(of: bytes)
  // Deterministic, so that a finding can be repeated.
  let sum = Int(bytes.reduce(UInt32(17)) { $0 &* 31 &+ UInt32($1) })
  let cut = bytes.isEmpty ? 0 : sum % bytes.count
  var ways = [[cut / 2, cut], [cut]]
  if bytes.count <= 600 { ways.append(Array(0..<bytes.count)) }
  for cuts in ways {
    let parts = outcome(of: bytes, cutAt: cuts)
    precondition(parts == whole, "cut at \(cuts): \(parts) instead of \(whole)")
  }
}

/// What holds for every request that a handler gets.
private func check(_ request: Request, _ limits: Limits) {
  precondition(request.path.hasPrefix("/") || request.path == "*" && request.method == .options)
  precondition(!request.path.utf8.contains(0), "no NUL in the path")
  precondition(!request.path.split(separator: "/").contains { $0 == "." || $0 == ".." })
  precondition(request.body.count <= limits.bodyBytes)
  precondition(request.version == .http10 || request.authority != nil, "1.1 names a host")
  let fields = request.fields
  precondition(fields.count <= limits.fieldLines)
  for field in fields {
    precondition(!field.name.isEmpty && field.name.utf8.allSatisfy { $0 > 32 && $0 < 127 })
    precondition(!field.value.utf8.contains { $0 < 32 && $0 != 9 || $0 == 127 })
    precondition(request.field(field.name) != nil)
  }
}

private func describe(_ request: Request) -> String {
  var text = "\(request.method.rawValue) \(request.path)"
  if request.version == .http10 { text += " 1.0" }
  let query = request.query
  if !query.isEmpty {
    text += " ?" + query.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
  }
  if request.target.lowercased().hasPrefix("http"), let authority = request.authority {
    text += " @\(authority)"
  }
  if request.version == .http11, !request.keepsAlive { text += " close" }
  if request.version == .http10, request.keepsAlive { text += " keep-alive" }
  if !request.body.isEmpty { text += " [\(String(decoding: request.body, as: UTF8.self))]" }
  return text
}
