package import Collector
import HTTPClient
import Metrics
package import OTLP

/// To whom metrics are pushed, and what they have beside the values.
package struct Pushing: Sendable, Hashable {
  package var settings = Settings()
  package var page = Push()
}

extension ValueType where Value == Settings.Receiver? {
  static var receiver: Self {
    ValueType<Settings.Receiver>.scalar(
      "URL", expected: "a URL such as http://127.0.0.1:4318", show: { $0.shown }
    ) { text throws(Mismatch) in
      do throws(Endpoint.ParseError) {
        return try Settings.Receiver(text)
      } catch {
        switch error {
        case .scheme: throw .unexpected(hint: "begin it with http:// or https://")
        case .userInformation:
          throw .impossible("a password in the URL would be seen; use headers: {Authorization: …}")
        case .port: throw .unexpected(hint: "a port is 1 to 65535")
        case .host, .target: throw .unexpected()
        }
      }
    }.optional
  }
}

extension ValueType where Value == Bool {
  /// Whether a request is compressed.
  static var compression: Self {
    .scalar("`gzip` or `none`", expected: "gzip or none", show: { $0 ? "gzip" : "none" }) {
      text throws(Mismatch) in
      guard text == "gzip" || text == "none" else { throw .unexpected() }
      return text == "gzip"
    }
  }
}

extension ValueType {
  /// A mapping of names to texts.
  fileprivate static func pairs<Item>(
    _ name: String, example: String, limit: Int,
    read: @escaping (_ entry: Node.Entry, _ key: String, _ problems: inout Problems) -> Item?,
    show: @escaping (Item) -> String
  ) -> Self where Value == [Item] {
    ValueType(
      name: name, expected: "a \(name)",
      read: { node, key, problems in
        guard case .mapping(let entries) = node.content else {
          // What stands there may be a secret.
          if !node.isInvalid {
            problems.add(
              node.position, "\(key): expected a \(name), found \(node.kind); write \(example)")
          }
          return nil
        }
        if entries.count > limit {
          problems.add(
            node.position, "\(key): expected at most \(limit) entries, found \(entries.count)")
          return nil
        }
        let before = problems.total
        let items = entries.compactMap { read($0, key, &problems) }
        return problems.total == before ? items : nil
      },
      show: { $0.isEmpty ? nil : "{" + $0.map(show).joined(separator: ", ") + "}" })
  }

}

extension ValueType where Value == [Settings.Field] {
  /// Fields of a request, whose values are secrets.
  static var headers: Self {
    pairs(
      "mapping of names to secrets", example: "{Authorization: Bearer …}", limit: Limits.headers,
      read: { entry, key, problems in
        guard let name = headerName(entry, key, &problems) else { return nil }
        guard case .scalar(let value, _) = entry.value.content, !entry.value.isNull,
          value.utf8.count <= Limits.webFieldBytes, !hasControlCharacters(value)
        else {
          if !entry.value.isInvalid {
            problems.add(
              entry.value.position,
              "\(key): the value of \(name) has to be a text without control characters, of at most"
                + " \(Limits.webFieldBytes) bytes")
          }
          return nil
        }
        return Settings.Field(name, value)
      },
      show: { "\($0.name): <secret>" })
  }

  /// Fields of a request, and the files that have their values.
  static var headerFiles: Self {
    let path = ValueType<String>.absolutePath
    return pairs(
      "mapping of names to absolute paths", example: "{Authorization: /etc/procvitals/token}",
      limit: Limits.headers,
      read: { entry, key, problems in
        guard let name = headerName(entry, key, &problems) else { return nil }
        return path.read(entry.value, "\(key).\(name)", &problems).map { Settings.Field(name, $0) }
      },
      show: { "\($0.name): \($0.value)" })
  }

}

extension ValueType where Value == [Label] {
  /// Attributes of resources.
  static var attributes: Self {
    let text = ValueType<String>.text(bytes: 1...Limits.labelBytes)
    return pairs(
      "mapping of names to texts", example: "{deployment.environment.name: production}",
      limit: Limits.labels,
      read: { entry, key, problems in
        let name = quoted(entry.key)
        let isOwn =
          ["target", "service.name", "service.instance.id"].contains(entry.key)
          || entry.key.hasPrefix("process.")
        if isOwn {
          problems.add(
            entry.position,
            "\(key): \(name) is different for each target; the label service of a target sets its"
              + " service.name")
        } else if entry.key.isEmpty || entry.key.utf8.count > Limits.labelBytes
          || hasControlCharacters(entry.key)
        {
          problems.add(entry.position, "\(key): \(name) cannot be the name of an attribute")
        }
        return text.read(entry.value, "\(key).\(name)", &problems).map { Label(entry.key, $0) }
      },
      show: { "\($0.name): \($0.value)" })
  }
}

/// The name of a field that may be set.
private func headerName(_ entry: Node.Entry, _ key: String, _ problems: inout Problems) -> String? {
  let name = entry.key
  let isToken =
    (1...100).contains(name.utf8.count)
    && name.utf8.allSatisfy {
      $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || $0 &- 48 < 10 || $0 == 0x2d || $0 == 0x5f
    }
  if isToken, !ownHeaders.contains(name.lowercased()) { return name }
  problems.add(
    entry.position,
    isToken
      ? "\(key): \(quoted(name)) is set by the daemon itself; leave it out"
      : "\(key): \(quoted(name)) cannot be the name of a header; expected letters, digits, - and _")
  return nil
}

private let ownHeaders: Set<String> = [
  "accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type",
  "expect", "host", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
]

extension Reader {
  /// Reports settings of a push that make no sense without others.
  mutating func checkPushing() {
    let settings = draft.pushing.settings
    let encryption = settings.encryption
    var problem: String?
    if settings.receiver == nil {
      // Without one, nothing else may be set; a wrong one was reported.
      if draft.pushing != Pushing(), placeGiven("otlp.endpoint") == nil {
        problem = "otlp has no endpoint; add one, or leave all of it out"
      }
    } else if (encryption.certificateFile == nil) != (encryption.keyFile == nil) {
      problem = "otlp needs both cert_file and key_file, or none of them"
    } else if encryption != Settings.Encryption(), settings.receiver?.endpoint.isEncrypted == false
    {
      problem =
        "otlp has settings for TLS (ca_file, cert_file, key_file, server_name or"
        + " insecure_skip_verify), but its endpoint begins with http://"
    }
    let first = table.keys(of: "otlp").compactMap { placeGiven($0.path) }.first
    guard let problem, let place = placeGiven("otlp.endpoint") ?? first else { return }
    problems.source = place.source
    problems.add(place.position, problem)
  }
}
