import Collector
import Linux
import Targets

/// Writes targets: a card for each, or the row of a table.
struct TargetText {
  let frames: ArraySlice<History.Frame>
  /// In seconds.
  let span: Int
  /// How many points a line may have.
  let points: Int
  /// The path of `/probe`.
  let probe: String
  /// Whether command lines are told.
  let tellsCommandLines: Bool
  /// In seconds since 1970.
  let now: Double

  // MARK: Cards

  func card(_ entry: History.Entry, _ text: inout Markup) {
    let vitals = entry.vitals
    text.raw(
      "<article class=\"card \(vitals.status.rawValue)\" data-id=\"\(entry.id)\">\n<header><h2>")
    name(vitals, &text)
    text.raw("</h2>")
    state(entry, &text)
    text.raw("</header>\n<p class=\"facts\">")
    text.text(vitals.facts(at: now))
    text.raw("</p>\n")
    if tellsCommandLines {
      text.raw(
        vitals.commandLine == nil ? "<p class=\"argv\" hidden><code>" : "<p class=\"argv\"><code>")
      text.text(vitals.commandLine ?? "")
      text.raw("</code></p>\n")
    }
    reasons(vitals, &text)
    let isGone = vitals.processes == 0 && !hasHistory(entry)
    text.raw("<div class=\"vitals\"\(isGone ? " hidden" : "")>\n<div class=\"charts\">\n")
    for place in 0..<Measure.onDemand { figure(place, entry, &text) }
    text.raw(
      "</div>\n<details><summary>Input, faults, switches, states</summary><div class=\"charts\">\n")
    for place in Measure.onDemand..<Measure.all.count { figure(place, entry, &text) }
    text.raw(
      "</div><p>Processes: <span class=\"states\">\(entry.stateWords)</span></p></details>\n")
    text.raw("</div>\n</article>\n")
  }

  /// Whether there is anything that could be drawn.
  private func hasHistory(_ entry: History.Entry) -> Bool {
    var isKnown = false
    for place in Measure.all.indices {
      frames.walk(entry.id, place) { isKnown = isKnown || !$1.isNaN }
    }
    return isKnown
  }

  /// What the script makes new targets from.
  func template(isTable: Bool, _ text: inout Markup) {
    let entry = History.Entry(
      id: 0, vitals: Vitals(key: TargetKey(name: ""), status: .ok),
      now: Measure.all.map { _ in nil })
    if isTable {
      text.raw("<table><tbody>")
      row(entry, &text)
      text.raw("</tbody></table>")
    } else {
      card(entry, &text)
    }
  }

  /// The name, which leads to the target's own metrics.
  private func name(_ vitals: Vitals, _ text: inout Markup) {
    text.raw("<a href=\"")
    text.text(probe + "?target=" + vitals.key.name.percentEncoded)
    for label in vitals.key.labels {
      text.text("&" + label.name.percentEncoded + "=" + label.value.percentEncoded)
    }
    text.raw("\"><bdi>")
    text.text(vitals.key.name)
    text.raw("</bdi></a>")
  }

  private func state(_ entry: History.Entry, _ text: inout Markup) {
    let (sign, word) = entry.state
    text.raw(
      "<span class=\"state\(sign == "▲" ? " warn" : "")\"><span aria-hidden=\"true\">\(sign)</span> \(word)</span>"
    )
  }

  private func reasons(_ vitals: Vitals, _ text: inout Markup) {
    text.raw("<ul class=\"reasons\"")
    text.raw(vitals.reasons.isEmpty ? " hidden>" : ">")
    for reason in vitals.reasons {
      text.raw("<li>")
      text.text(reason)
      text.raw("</li>")
    }
    // A list is never empty.
    text.raw(vitals.reasons.isEmpty ? "<li></li></ul>\n" : "</ul>\n")
  }

  private func figure(_ place: Int, _ entry: History.Entry, _ text: inout Markup) {
    let measure = Measure.all[place]
    let limit = Measure.limit(place, entry.vitals)
    let line = Sparkline(entry.id, place, frames, span: span, points: points, limit: limit)
    let current = entry.now[place].map(measure.unit.words) ?? "–"
    let isThere = place < Measure.always || line.high != nil
    let closeness = Measure.share(place, entry.vitals).map(Closeness.init) ?? .far
    text.raw("<figure data-m=\"\(measure.key)\"")
    if closeness != .far { text.raw(" class=\"\(closeness.rawValue)\"") }
    text.raw(isThere ? ">" : " hidden>")
    text.raw("<figcaption>\(measure.title) <b>\(current)</b></figcaption>")
    text.raw("<svg viewBox=\"0 0 600 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"")
    text.raw(
      "\(measure.title), last \(Words.age(Double(span))): \(range(line, measure, joint: " to "))\">"
    )
    paths(line, &text)
    text.raw("</svg><p><span class=\"range\">\(range(line, measure))</span> <span class=\"of\">")
    text.raw(of(place, entry.vitals))
    text.raw("</span></p></figure>\n")
  }

  private func paths(_ line: Sparkline, _ text: inout Markup) {
    text.raw("<path class=\"area\" d=\"\(line.area)\"/><path class=\"line\" d=\"\(line.line)\"/>")
    text.raw("<path class=\"limit\" d=\"\(line.limitHeight.map { "M0 \($0)h600" } ?? "")\"/>")
    text.raw("<path class=\"mark\" d=\"\(line.marks)\"/>")
  }

  /// "of 1024, 85 %".
  private func of(_ place: Int, _ vitals: Vitals) -> String {
    guard let share = Measure.share(place, vitals) else { return "" }
    let limit = Measure.limit(place, vitals).map { "of \(Measure.all[place].unit.words($0)), " }
    return Closeness(share).sign + (limit ?? "worst ") + Words.percent(share)
  }

  private func range(_ line: Sparkline, _ measure: Measure, joint: String = " – ") -> String {
    guard let low = line.low, let high = line.high else { return "" }
    return Words.range(measure.unit.words(low), measure.unit.words(high), joint)
  }

  // MARK: Table

  func table(_ entries: ArraySlice<History.Entry>, _ text: inout Markup) {
    text.raw(
      "<table>\n<thead><tr><th scope=\"col\">Target</th><th scope=\"col\">State</th><th scope=\"col\">Processes</th>"
    )
    for place in 0..<Measure.onDemand {
      text.raw("<th scope=\"col\">\(Measure.all[place].title)</th>")
      if place == Measure.cpu { text.raw("<td></td>") }
    }
    text.raw("</tr></thead>\n<tbody>\n")
    for entry in entries { row(entry, &text) }
    text.raw("</tbody>\n</table>\n")
  }

  private func row(_ entry: History.Entry, _ text: inout Markup) {
    let vitals = entry.vitals
    text.raw("<tr class=\"\(vitals.status.rawValue)\" data-id=\"\(entry.id)\"><th scope=\"row\">")
    name(vitals, &text)
    reasons(vitals, &text)
    text.raw("</th><td>")
    state(entry, &text)
    text.raw("</td><td class=\"facts\">")
    text.text(vitals.facts(at: now))
    text.raw("</td>")
    for place in 0..<Measure.onDemand {
      let measure = Measure.all[place]
      let closeness = Measure.share(place, vitals).map(Closeness.init) ?? .far
      text.raw("<td class=\"n \(closeness.rawValue)\" data-m=\"\(measure.key)\"><b>")
      text.raw(entry.now[place].map(measure.unit.words) ?? "–")
      text.raw("</b>")
      if let share = Measure.share(place, vitals) {
        text.raw(" <span class=\"of\">\(Closeness(share).sign)\(Words.percent(share))</span>")
      }
      text.raw("</td>")
      guard place == Measure.cpu else { continue }
      text.raw(
        "<td data-m=\"cpu\"><svg viewBox=\"0 0 600 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
      )
      let line = Sparkline(entry.id, place, frames, span: span, points: points, limit: nil)
      text.raw(
        "<path class=\"line\" d=\"\(line.line)\"/><path class=\"mark\" d=\"\(line.marks)\"/>")
      text.raw("</svg></td>")
    }
    text.raw("</tr>\n")
  }
}
