import HTTPServer

/// What a person finds at `/`.
enum Landing {
  /// The page.
  ///
  /// - Parameters:
  ///   - metrics: The path of the metrics among the endpoints.
  ///   - paths: Where the endpoints are.
  /// - Returns: The page, with an entity tag.
  static func page(metrics: String, _ paths: WebPaths) -> Response {
    func link(_ path: String) -> String { escaped(paths.link(path)) }
    let html = """
      <!DOCTYPE html>
      <html lang="en">
      <head><meta charset="utf-8"><title>procvitals</title></head>
      <body>
      <h1>procvitals</h1>
      <p>Vital signs of chosen processes. Version \(Version.number).</p>
      <ul>
      <li><a href="\(link(metrics))">Metrics</a></li>
      <li><a href="\(link("/health"))">Health of the targets</a></li>
      <li><a href="\(link("/api/v1/targets"))">All that is known of the targets</a></li>
      <li><a href="\(link("/api/v1/config"))">Settings</a></li>
      <li><a href="\(link("/sd"))">Service discovery: each target by itself, at <code>/probe</code></a></li>
      <li><a href="\(link("/-/healthy"))">Healthy?</a></li>
      <li><a href="\(link("/-/ready"))">Ready?</a></li>
      </ul>
      </body>
      </html>

      """
    return .html(html)
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}

extension Response {
  /// What a page may do: nothing but what it needs from here.
  private static let contentSecurityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    + "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

  /// A page for people that stays the same as long as the daemon runs.
  static func html(_ text: String) -> Response {
    let body = Array(text.utf8)
    return Response(
      .ok, contentType: "text/html; charset=utf-8", body: body,
      fields: [
        ("Content-Security-Policy", contentSecurityPolicy), ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache"),
        ("ETag", entityTag(body)),
      ])
  }

  /// A strong entity tag: equal for equal bytes only, as far as 64 bits can tell (FNV-1a).
  static func entityTag(_ bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return "\"\(String(hash, radix: 16))\""
  }

  /// 304 if the client has this already, else the answer itself.
  func unlessKnown(to request: Request) -> Response {
    guard let tag = fields.first(where: { $0.name == "ETag" })?.value, request.alreadyHas(tag: tag)
    else { return self }
    return Response(
      .notModified, contentType: nil, body: [], fields: fields.filter { $0.name != "Content-Type" })
  }
}
