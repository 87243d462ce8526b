import TestSupport
import Testing

@testable import HTTPClient
@testable import OTLP

@Suite struct VerdictTests {
  private func verdict(
    _ status: Int, _ fields: [(name: String, value: String)] = [], _ body: [UInt8] = []
  ) -> Verdict {
    Verdict(Client.Answer(status: status, fields: fields, body: body), now: 784_111_777)
  }

  private let protobuf = [(name: "content-type", value: "application/x-protobuf")]

  @Test(arguments: [200, 202, 204])
  func success(status: Int) {
    #expect(verdict(status) == .success)
    #expect(verdict(status, protobuf) == .success)
    // An empty partial success is none.
    #expect(verdict(status, protobuf, [10, 0]) == .success)
    #expect(verdict(status, [("content-type", "application/json")], Array("{}".utf8)) == .success)
  }

  @Test func partialSuccess() {
    #expect(
      verdict(200, protobuf, [10, 7, 8, 200, 1, 18, 2, 97, 10]) == .partial(rejected: 200, "a"))
    #expect(verdict(200, protobuf, [10, 3, 18, 1, 97]) == .partial(rejected: 0, "a"))
    // Of unknown fields nothing is made, and a negative number is none.
    #expect(
      verdict(
        200, protobuf, [16, 1, 10, 14, 8] + [UInt8](repeating: 255, count: 9) + [1, 18, 1, 98])
        == .partial(rejected: 0, "b"))
  }

  @Test(
    arguments: [[10], [10, 5, 8], [10, 1, 8], [3], [0, 0], [10, 2, 18, 200], [255]] as [[UInt8]])
  func whatIsNoAnswerOfAReceiver(body: [UInt8]) {
    #expect(verdict(200, protobuf, body) == .rejected("its answer is no message of OTLP"))
  }

  @Test func aPageForPeopleIsNoSuccess() {
    #expect(verdict(200, [("content-type", "text/html; charset=utf-8")]).outcome == .rejected)
  }

  @Test(arguments: [429, 502, 503, 504])
  func worthAnotherTry(status: Int) {
    #expect(verdict(status) == .unavailable("HTTP status \(status)"))
    #expect(
      verdict(status, [("retry-after", "7")], Array("full".utf8))
        == .unavailable("HTTP status \(status): full", retryAfter: .seconds(7)))
  }

  @Test(arguments: [400, 401, 404, 413, 415, 500, 501])
  func notWorthAnotherTry(status: Int) {
    #expect(verdict(status) == .rejected("HTTP status \(status)"))
    // google.rpc.Status
    #expect(
      verdict(status, protobuf, [8, 3, 18, 3, 98, 97, 100])
        == .rejected("HTTP status \(status): bad"))
  }

  @Test func redirectionsAreNotFollowed() {
    #expect(
      verdict(307, [("location", "http://a/\u{1b}")])
        == .rejected("HTTP status 307, redirected to http://a/, which is not followed"))
  }

  @Test func wordsOfAReceiverAreCut() {
    let verdict = verdict(400, [], [UInt8](repeating: 0xC3, count: 10_000))
    guard case .rejected(let text) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(text.count < 300)
  }

  @Test(
    arguments: [
      ("0", 0), (" 120 ", 120), ("99999999999999999999", 3600), ("4000", 3600),
      ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
      ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("Tue, 29 Feb 2028 00:00:00 GMT", 3600), ("", nil),
      ("-1", nil), ("1.5", nil), ("soon", nil), ("Sun, 06 Nov 1994 08:49:37", nil),
      ("Sun, 06 Foo 1994 08:49:37 GMT", nil), ("Sun, 99 Nov 1994 08:49:37 GMT", nil),
      ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", nil),
    ] as [(String, Int64?)])
  func retryAfter(field: String, seconds: Int64?) {
    #expect(Verdict.wait(field, now: 784_111_777) == seconds.map { .seconds($0) })
  }

  @Test(
    arguments: [
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
      ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
      ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
      ("Fri, 31 Dec 1999 23:59:59 GMT", 946_684_799),
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
    ] as [(String, Int64)])
  func dates(text: String, seconds: Int64) {
    #expect(secondsSince1970(httpDate: text) == seconds)
  }

  /// Whatever comes is taken apart or refused.
  @Test func hostileMessages() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<40, using: &random)
      var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      if count > 0, Bool.random(using: &random) { bytes[0] = 10 }
      let whole = verdict(200, protobuf, bytes)
      #expect(whole.outcome != .unavailable, "seed \(seed): \(bytes)")
    }
  }
}
