import Collector
import Linux

/// What stands below the targets: errors, the configuration, how to scrape this.
enum NotesText {
  // MARK: Errors

  static func errors(_ failures: [Activity.Failure], at now: Double, _ text: inout Markup) {
    text.raw("<div id=\"errors\"><h2>Last errors</h2>\n")
    if failures.isEmpty {
      text.raw("<p>0 errors</p>")
    } else {
      text.raw(
        "<table><thead><tr><th scope=\"col\">What</th><th scope=\"col\">Count</th><th scope=\"col\">First</th><th scope=\"col\">Last</th></tr></thead>\n<tbody>"
      )
      for failure in failures {
        text.raw("<tr><td>")
        text.text("\(failure.subject): \(failure.message)")
        text.raw("</td><td class=\"n\">\(failure.count)</td>")
        for seconds in [failure.first, failure.last] {
          text.raw("<td>\(Words.age(now - seconds)) ago</td>")
        }
        text.raw("</tr>\n")
      }
      text.raw("</tbody></table>")
    }
    text.raw("</div>\n")
  }

  // MARK: Configuration

  static func configuration(_ around: Surroundings, at now: Double, _ text: inout Markup) {
    text.raw("<div id=\"configuration\"><h2>Configuration</h2>\n<ul class=\"pairs\">\n")
    settings("Files", around.settings, "built in", at: now, &text)
    if let settings = around.webSettings {
      self.settings("Web configuration", settings, "none", at: now, &text)
    }
    line(
      "Security",
      "\(around.isEncrypted ? "TLS" : "no TLS"), "
        + (around.needsPassword ? "users need a password" : "everybody may look"), &text)
    if let seconds = around.certificateExpiration { certificate(seconds, at: now, &text) }
    line("Listening", around.listening.joined(separator: ", "), &text)
    text.raw("<li><small>More</small> <span><a href=\"")
    text.text(around.links.config)
    text.raw("\">all settings</a>, <a href=\"")
    text.text(around.links.targets)
    text.raw("\">all that is known of the targets</a>, <a href=\"")
    text.text(around.links.health)
    text.raw("\">health</a></span></li>\n</ul></div>\n")
  }

  private static func settings(
    _ name: String, _ settings: Surroundings.Settings, _ none: String, at now: Double,
    _ text: inout Markup
  ) {
    let files = settings.files.isEmpty ? none : settings.files.joined(separator: ", ")
    line(name, "\(files), loaded \(Words.age(now - settings.loadedSeconds)) ago", &text)
    if let error = settings.error {
      text.raw("<li class=\"failing\"><small>✕ Not in force</small> <span>")
      text.text(error)
      text.raw("</span></li>\n")
    }
  }

  /// "until 2027-01-03, 42 days".
  private static func certificate(_ end: Double, at now: Double, _ text: inout Markup) {
    let left = end - now
    let (style, sign) =
      left <= 0
      ? ("failing", "✕ ") : left < PageLimits.certificateWarning ? ("degraded", "▲ ") : ("", "")
    let date = UTCDate(secondsSince1970: Int64(max(-1e12, min(end, 1e12))))
    let days = Int(left.magnitude / 86_400)
    let rest = "\(days) \(days == 1 ? "day" : "days")"
    text.raw("<li class=\"\(style)\"><small>Certificate</small> <span>\(sign)until ")
    text.raw("\(date.year)-\(UTCDate.padded(date.month))-\(UTCDate.padded(date.day)), ")
    text.raw(left <= 0 ? "over for \(rest)" : rest)
    text.raw("</span></li>\n")
  }

  private static func line(_ name: String, _ value: String, _ text: inout Markup) {
    text.raw("<li><small>\(name)</small> <span>")
    text.text(value)
    text.raw("</span></li>\n")
  }

  // MARK: Scraping

  /// What Prometheus needs to know of this very instance.
  static func snippet(_ around: Surroundings, _ access: Access) -> String {
    let scheme = access.isSecure ? "https" : "http"
    let login =
      around.needsPassword
      ? "    basic_auth: {username: USER, password_file: FILE}\n" : ""
    let secure = access.isSecure ? "    scheme: https\n" : ""
    let http =
      "      - url: \(quoted("\(scheme)://\(access.address)\(around.links.discovery)"))\n"
      + (around.needsPassword ? "        basic_auth: {username: USER, password_file: FILE}\n" : "")
    return """
      scrape_configs:
        - job_name: procvitals
      \(secure)\(login)    metrics_path: \(around.links.metrics)
          static_configs:
            - targets: [\(quoted(access.address))]
        # Or each target by itself:
        - job_name: procvitals-targets
      \(secure)\(login)    http_sd_configs:
      \(http)
      """
  }

  static func scraping(_ around: Surroundings, _ access: Access, _ text: inout Markup) {
    text.raw("<div id=\"scraping\"><h2>Scrape it</h2>\n<pre>")
    for line in snippet(around, access).split(separator: "\n") {
      text.text(String(line))
      text.raw("\n")
    }
    text.raw("</pre>\n<p><a href=\"")
    text.text(around.links.metrics)
    text.raw("\">metrics</a>, <a href=\"")
    text.text(around.links.metrics + "?names=namedprocess")
    text.raw("\">by process-exporter’s names</a>, <a href=\"")
    text.text(around.links.discovery)
    text.raw(
      "\">service discovery</a>; the format follows from <code>Accept</code>: text, OpenMetrics or protobuf. A target’s name leads to what it is scraped as by itself.</p></div>\n"
    )
  }
}
