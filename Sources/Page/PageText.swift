import Collector
import Targets

/// What a person finds at `/`: complete without the script, which keeps it up to date.
enum PageText {
  static func write(
    _ history: History, _ around: Surroundings, _ look: Look, at now: Double
  ) -> [UInt8] {
    let sorted = history.sorted
    let shown = sorted.prefix(PageLimits.targets)
    let isTable = shown.count > PageLimits.cards
    var text = Markup()
    begin(around, look, &text)
    header(history, around, at: now, &text)
    controls(look, count: shown.count, &text)
    let charts = TargetText(
      frames: history.frames(of: look.span), span: history.visibleSpan(look.span),
      points: min(
        PageLimits.pointsOfLine.upperBound,
        max(
          PageLimits.pointsOfLine.lowerBound,
          PageLimits.points / max(1, shown.count * (isTable ? 1 : Measure.onDemand)))),
      probe: around.links.probe, tellsCommandLines: look.tellsCommandLines, now: now)
    text.raw("<main id=\"targets\" data-mode=\"\(isTable ? "table" : "cards")\">\n")
    if shown.isEmpty {
      text.raw(
        "<p class=\"empty\">There are no targets: name some below <code>targets:</code> in the configuration, or with <code>--target=NAME=SELECTOR</code>.</p>\n"
      )
    }
    if isTable {
      charts.table(shown, &text)
    } else {
      for entry in shown { charts.card(entry, &text) }
    }
    text.raw("</main>\n<template id=\"new\">")
    charts.template(isTable: isTable, &text)
    text.raw("</template>\n")
    if sorted.count > shown.count {
      text.raw("<p class=\"more\">\(sorted.count - shown.count) more targets are at <a href=\"")
      text.text(around.links.targets)
      text.raw("\">\(quotedPath(around.links.targets))</a>.</p>\n")
    }
    text.raw("<section class=\"notes\">\n")
    NotesText.errors(around.failures, at: now, &text)
    NotesText.configuration(around, at: now, &text)
    NotesText.scraping(around, look.access, &text)
    text.raw("</section>\n</body>\n</html>\n")
    return text.bytes
  }

  private static func quotedPath(_ path: String) -> String {
    var text = Markup()
    text.text(path)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  private static func begin(_ around: Surroundings, _ look: Look, _ text: inout Markup) {
    text.raw(
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <title>
      """)
    text.text(around.host.isEmpty ? "procvitals" : "\(around.host) · procvitals")
    text.raw(
      """
      </title>
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 9h3l2-6 3 10 2-4h4' fill='none' stroke='%232a78d6' stroke-width='2'/%3E%3C/svg%3E">
      <link rel="stylesheet" href="
      """)
    text.text(around.links.style)
    text.raw("\">\n<script src=\"")
    text.text(around.links.script)
    text.raw(
      """
      " defer></script>
      <noscript><meta http-equiv="refresh" content="5"></noscript>
      </head>
      <body data-history="
      """)
    text.text(around.links.history)
    text.raw("\" data-probe=\"")
    text.text(around.links.probe)
    text.raw("\" data-span=\"\(look.span)\">\n")
  }

  private static func header(
    _ history: History, _ around: Surroundings, at now: Double, _ text: inout Markup
  ) {
    let status = history.status(around)
    let sign = ["ok": "●", "degraded": "▲", "failing": "✕"][status.rawValue] ?? ""
    text.raw("<header class=\"top\">\n<h1>procvitals <small>")
    text.text(around.version)
    text.raw("</small></h1>\n<p id=\"status\" class=\"pill \(status.rawValue)\" role=\"status\">")
    text.raw("\(sign) \(status.rawValue.uppercased())</p>\n<ul class=\"pairs\">")
    fact("Host", "host", around.host, &text)
    fact("Up", "up", Words.age(now - around.startSeconds), &text)
    let count = history.entries.count
    let up = history.entries.count { $0.vitals.processes > 0 }
    fact("Targets up", "targets-up", "\(up) of \(count)", &text)
    fact("Last scrape", "scrape", around.scrape.map { $0.words(at: now) } ?? "none yet", &text)
    fact(
      "Scrapes a minute", "rate",
      around.scrapesPerMinute.dropLast().last.map(String.init) ?? "–", &text,
      bars: around.scrapesPerMinute)
    fact(
      "Collection p50, p99", "collection",
      around.quantiles.map { "\(Words.seconds($0.half)), \(Words.seconds($0.most))" } ?? "–", &text)
    fact("Itself", "own", history.ownWords, &text)
    text.raw("</ul>\n</header>\n")
  }

  private static func fact(
    _ name: String, _ id: String, _ value: String, _ text: inout Markup, bars: [Int] = []
  ) {
    text.raw("<li><small>\(name)</small> <span><span id=\"\(id)\">")
    text.text(value)
    text.raw("</span>")
    if let most = bars.max(), most > 0 {
      text.raw(
        "<svg class=\"bars\" viewBox=\"0 0 60 16\" aria-hidden=\"true\"><path id=\"bars\" d=\"")
      for (place, count) in bars.enumerated() where count > 0 {
        text.raw("M\(place * 4 + 2) 16v-\(max(1, count * 15 / most))")
      }
      text.raw("\"/></svg>")
    }
    text.raw("</span></li>\n")
  }

  /// What needs the script; the spans do not.
  private static func controls(_ look: Look, count: Int, _ text: inout Markup) {
    text.raw("<nav class=\"controls\" aria-label=\"Charts\">\n<span id=\"spans\">")
    for span in PageLimits.spans {
      let isChosen = span == look.span ? " aria-current=\"true\"" : ""
      text.raw("<a href=\"?span=\(span)\" data-span=\"\(span)\"\(isChosen)>\(span / 60) min</a>")
    }
    text.raw(
      "</span>\n<button id=\"pause\" type=\"button\" aria-pressed=\"false\" hidden>Pause</button>\n"
    )
    text.raw(
      "<label id=\"filter\" hidden>Filter <input type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\n"
    )
    text.raw(
      "<label id=\"when\" hidden>Time <input type=\"range\" min=\"0\" max=\"600\" value=\"600\"> <output>now</output></label>\n"
    )
    text.raw("<span id=\"live\" role=\"status\"></span>\n</nav>\n")
  }
}

extension History {
  fileprivate var ownWords: String {
    guard let own else { return "–" }
    var parts = [
      own.cores.map { "\(Words.digits($0)) cores" } ?? "–", Words.bytes(own.usage.residentBytes),
    ]
    if let open = own.usage.openDescriptors { parts.append("\(Words.count(open)) fds") }
    return parts.joined(separator: ", ")
  }
}

extension Activity.Scrape {
  /// "Prometheus/3.5.3, 4 s ago, 18 ms, openmetrics-1.0.0 gzip 9.60 KiB".
  fileprivate func words(at now: Double) -> String {
    let name = client.isEmpty ? "somebody" : client
    return "\(name), \(Words.age(now - seconds)) ago, \(Words.seconds(duration)), \(format)"
      + "\(isCompressed ? " gzip" : "") \(Words.bytes(Double(bytes)))"
  }
}
