import Gzip
import HTTPClient
import Linux
import Synchronization
import TLS

/// Sends pages; it waits, so it belongs to a thread of its own, which it has to itself.
final class Transport: Sendable {
  private struct State {
    var compressor: Compressor?
    /// That of the last push, if it succeeded.
    var context: (settings: Settings.Encryption, context: ClientContext)?
  }

  private struct Trouble: Error { let text: String }

  private let state = Mutex(State())

  /// Pushes a page.
  ///
  /// - Parameters:
  ///   - page: An `ExportMetricsServiceRequest`.
  ///   - settings: Where to and how.
  ///   - deadline: When to give up.
  /// - Returns: What came of it.
  func push(_ page: [UInt8], _ settings: Settings, until deadline: Instant) -> Verdict {
    if page.count > Limits.requestBytes {
      return .rejected(
        "the page has \(page.count) bytes, more than the \(Limits.requestBytes) that receivers take;"
          + " watch fewer targets or collect fewer groups")
    }
    return state.withLock { state in
      do throws(Trouble) {
        let verdict = try Self.push(page, settings, deadline, &state)
        // Some refuse a certificate with a status.
        if verdict.outcome == .unavailable || verdict.outcome == .rejected { state.context = nil }
        return verdict
      } catch {
        // What stands in files may be better the next time.
        state.context = nil
        return .unavailable(error.text)
      }
    }
  }

  private static func push(
    _ page: [UInt8], _ settings: Settings, _ deadline: Instant, _ state: inout State
  ) throws(Trouble) -> Verdict {
    guard let endpoint = settings.receiver?.endpoint else {
      throw Trouble(text: "there is no endpoint")
    }
    var fields = [
      ("User-Agent", "procvitals"), ("Content-Type", "application/x-protobuf"),
      ("Accept", "application/x-protobuf"),
    ]
    var body = page
    if settings.isCompressed {
      let compressor = state.compressor ?? Compressor()
      state.compressor = compressor
      if let compressor {
        body = compressor.gzip(page)
        fields.append(("Content-Encoding", "gzip"))
      }
    }
    fields += settings.fields.map { ($0.name, $0.value) }
    for field in settings.fieldFiles {
      fields.append((field.name, try value(of: field)))
    }
    var encryption: Client.Encryption?
    if endpoint.isEncrypted {
      if state.context?.settings != settings.encryption {
        state.context = (settings.encryption, try context(settings.encryption))
      }
      encryption = state.context.map {
        Client.Encryption($0.context, serverName: settings.encryption.serverName)
      }
    }
    let client = Client(
      isLoopbackOnly: false, bodyLimit: Limits.answerBytes, encryption: encryption)
    do throws(Client.Failure) {
      let answer = try client.ask(
        endpoint, "POST", fields: fields, body: body, until: deadline)
      return Verdict(answer, now: wallClockNanoseconds() / 1_000_000_000)
    } catch {
      return .unavailable(sentence(error))
    }
  }

  private static func sentence(_ failure: Client.Failure) -> String {
    switch failure {
    case .network(.unreachable): "there is no such host, or no way to it"
    case .network(let errno): "\(errno)"
    case .notLoopback: "it is another machine"
    case .malformed(let part): "its answer is not HTTP/1.1: \(part)"
    case .tooLarge(let limit): "its answer is longer than \(limit) bytes"
    case .tls(.untrusted(let words)): "its certificate is not accepted: \(words)"
    case .tls(.failed(let words)): "no encrypted connection: \(words)"
    case .tls(.closed): "it closes the connection instead of encrypting it"
    }
  }

  private static func context(
    _ settings: Settings.Encryption
  ) throws(Trouble) -> ClientContext {
    let authorities = try settings.authorityFile.map(content)
    let certificate = try settings.certificateFile.map(content)
    let key = try settings.keyFile.map(content)
    do throws(ContextError) {
      let context = try ClientContext(
        isVerified: !settings.skipsVerification, authorities: authorities)
      if let certificate, let key { try context.identify(chain: certificate, privateKey: key) }
      return context
    } catch {
      throw Trouble(text: "\(error)")
    }
  }

  private static func value(of field: Settings.Field) throws(Trouble) -> String {
    let text = try content(of: field.value)
    let end = text.lastIndex { $0 > 0x20 } ?? -1
    let value = text[...end]
    guard value.allSatisfy({ $0 == 9 || $0 >= 0x20 && $0 != 0x7f }) else {
      throw Trouble(
        text: "\(field.value): expected one line, the value of the header \(field.name)")
    }
    return String(decoding: value, as: UTF8.self)
  }

  private static func content(of path: String) throws(Trouble) -> [UInt8] {
    do throws(Errno) {
      var buffer = ReadBuffer(capacity: 1 << 12, limit: Limits.fileBytes)
      // A FIFO would wait for a writer that may never come.
      try buffer.readAll(try openFile(path, [.read, .nonBlocking]))
      return buffer.content
    } catch {
      throw Trouble(text: "cannot read \(path): \(error)")
    }
  }
}
