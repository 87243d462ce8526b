import Glibc
import Linux
import TestSupport
import Testing

@testable import OTLP

/// What fails before anything goes over the network; the rest is for the end-to-end tests.
@Suite struct TransportTests {
  private func push(_ url: String, _ change: (inout Settings) -> Void = { _ in }) throws -> Verdict
  {
    var settings = Settings()
    settings.receiver = try Settings.Receiver(url)
    change(&settings)
    return Transport().push([1, 2, 3], settings, until: .now + .seconds(20))
  }

  private func expect(_ verdict: Verdict, _ words: String) {
    guard case .unavailable(let text, nil) = verdict, text.contains(words) else {
      Issue.record("\(verdict) says nothing of \(words)")
      return
    }
  }

  @Test func nobodyListens() throws {
    let sockets = TestSockets()
    let port = TestSockets.port(try sockets.bound(SOCK_STREAM))
    expect(try push("http://127.0.0.1:\(port)"), "refused")
  }

  @Test func filesThatCannotBeRead() throws {
    for change: (inout Settings) -> Void in [
      { $0.fieldFiles = [Settings.Field("A", "/nonexistent/a")] },
      { $0.encryption.authorityFile = "/nonexistent/a" },
    ] {
      expect(try push("https://127.0.0.1:1", change), "cannot read /nonexistent/a")
    }
    expect(
      try push("https://127.0.0.1:1") { $0.encryption.authorityFile = "/dev/null" },
      "failed to find any PEM data in CA input")
  }

  @Test func aHeaderIsOneLine() throws {
    let verdict = try push("http://127.0.0.1:1") {
      $0.fieldFiles = [Settings.Field("A", "/etc/passwd")]
    }
    expect(verdict, "expected one line")
    guard case .unavailable(let text, _) = verdict else { return }
    #expect(!text.contains("root"))
  }

  @Test func tooLargePagesAreNotSent() throws {
    var settings = Settings()
    settings.receiver = try Settings.Receiver("http://127.0.0.1:1")
    let page = [UInt8](repeating: 0, count: Limits.requestBytes + 1)
    #expect(Transport().push(page, settings, until: .now).outcome == .rejected)
  }
}
