import HTTPServer

/// What a person finds at `/`.
enum Landing {
  static func page(metrics: String) -> Response {
    let html = """
      <!DOCTYPE html>
      <html lang="en">
      <head><meta charset="utf-8"><title>procvitals</title></head>
      <body>
      <h1>procvitals</h1>
      <p>Vital signs of chosen processes. Version \(Version.number).</p>
      <ul>
      <li><a href="\(escaped(metrics))">Metrics</a></li>
      <li><a href="/health">Health of the targets</a></li>
      <li><a href="/api/v1/targets">All that is known of the targets</a></li>
      <li><a href="/sd">Service discovery: each target by itself, at <code>/probe</code></a></li>
      <li><a href="/-/healthy">Healthy?</a></li>
      <li><a href="/-/ready">Ready?</a></li>
      </ul>
      </body>
      </html>

      """
    return Response(
      .ok, contentType: "text/html; charset=utf-8", body: Array(html.utf8),
      fields: [
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
      ])
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
