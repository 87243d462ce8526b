import Collector
import Targets

/// What is answered at `/api/v1/history`.
///
/// - Shape: docs/endpoint.md has it; what a later version adds are new members only.
enum HistoryText {
  static func write(
    _ history: History, _ around: Surroundings, _ look: Look, at now: Double
  ) -> [UInt8] {
    let all = history.sorted.filter { look.target == nil || $0.vitals.key.name == look.target }
    let shown = all.prefix(PageLimits.targets)
    let frames = history.frames(of: look.span, since: look.since)
    let places = Measure.all.indices.filter { place in
      look.metrics.map { $0.contains(Measure.all[place].key) } ?? true
    }
    let columns = max(1, shown.count * (places.count + 1))
    let step = max(
      1, (frames.count * columns + PageLimits.historyNumbers - 1) / PageLimits.historyNumbers)
    var text = Markup()
    text.raw(#"{"version":1,"now":"#)
    text.json(now)
    text.raw(#","exporter":"#)
    write(history, around, at: now, &text)
    text.raw(#","times":["#)
    let last = frames.count - 1
    for (index, frame) in frames.enumerated() where ends(index, step, last) {
      if index >= step { text.raw(",") }
      text.raw(Int(frame.milliseconds))
    }
    text.raw(#"],"targets":["#)
    for (index, entry) in shown.enumerated() {
      if index > 0 { text.raw(",") }
      write(
        entry, places, frames, step, tellsCommandLines: look.tellsCommandLines, &text)
    }
    text.raw(#"],"omitted":"#)
    text.raw(all.count - shown.count)
    text.raw("}\n")
    return text.bytes
  }

  /// Whether a group of moments ends at a place; the last moment ends the last group.
  private static func ends(_ index: Int, _ step: Int, _ last: Int) -> Bool {
    index == last || index % step == step - 1
  }

  private static func write(
    _ entry: History.Entry, _ places: [Int], _ frames: ArraySlice<History.Frame>, _ step: Int,
    tellsCommandLines: Bool, _ text: inout Markup
  ) {
    let vitals = entry.vitals
    text.raw("{\"id\":\(entry.id),\"name\":")
    text.json(vitals.key.name)
    text.raw(#","labels":{"#)
    for (index, label) in vitals.key.labels.enumerated() {
      if index > 0 { text.raw(",") }
      text.json(label.name)
      text.raw(":")
      text.json(label.value)
    }
    text.raw(
      "},\"status\":\"\(vitals.status.rawValue)\",\"state\":\"\(entry.state.word)\"")
    text.raw(",\"processes\":\(vitals.processes),\"pids\":[")
    text.raw(vitals.pids.map(String.init).joined(separator: ","))
    text.raw(#"],"command":"#)
    text.json(vitals.command)
    text.raw(#","command_line":"#)
    text.raw(tellsCommandLines ? vitals.commandLine.map(quoted) ?? "null" : "null")
    text.raw(#","states":{"#)
    text.raw(vitals.states.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ","))
    text.raw(#"},"start_time":"#)
    text.json(vitals.startSeconds)
    text.raw(",\"restarts\":\(vitals.restarts),\"reasons\":[")
    text.raw(vitals.reasons.map(quoted).joined(separator: ","))
    text.raw("]")
    for (name, value) in [
      ("memory_limit_bytes", vitals.memoryLimitBytes), ("max_fds", vitals.descriptorLimit),
      ("fd_usage_ratio", vitals.descriptorRatio),
      ("memory_usage_ratio", Measure.share(Measure.memory, vitals)),
    ] {
      text.raw(",\"\(name)\":")
      text.json(value)
    }
    text.raw(#","values":{"#)
    var isFirst = true
    for place in places {
      var isKnown = false
      frames.walk(entry.id, place) { isKnown = isKnown || !$1.isNaN }
      guard isKnown else { continue }
      text.raw(isFirst ? "\"" : ",\"")
      text.raw(Measure.all[place].key)
      text.raw("\":")
      write(entry.id, place, frames, step, &text)
      isFirst = false
    }
    text.raw(#"},"starts":"#)
    write(entry.id, Measure.all.count, frames, step, &text)
    text.raw("}")
  }

  private static func write(
    _ id: Int, _ place: Int, _ frames: ArraySlice<History.Frame>, _ step: Int, _ text: inout Markup
  ) {
    var (index, peak) = (0, Float.nan)
    text.raw("[")
    frames.walk(id, place) { _, value in
      if !value.isNaN { peak = peak.isNaN ? value : max(peak, value) }
      if ends(index, step, frames.count - 1) {
        if index >= step { text.raw(",") }
        // As many digits as the number has.
        if peak.isNaN {
          text.raw("null")
        } else if let whole = Int64(exactly: peak) {
          text.raw(Int(whole))
        } else {
          text.raw("\(peak)")
        }
        peak = .nan
      }
      index += 1
    }
    text.raw("]")
  }

  private static func write(
    _ history: History, _ around: Surroundings, at now: Double, _ text: inout Markup
  ) {
    text.raw(#"{"version":"#)
    text.json(around.version)
    text.raw(#","host":"#)
    text.json(around.host)
    text.raw(#","start_time":"#)
    text.json(around.startSeconds)
    text.raw(",\"status\":\"\(history.status(around).rawValue)\"")
    for (name, value) in [
      ("cpu_cores", history.own?.cores), ("resident_bytes", history.own?.usage.residentBytes),
      ("open_fds", history.own?.usage.openDescriptors),
    ] {
      text.raw(",\"\(name)\":")
      text.json(value)
    }
    text.raw(#","last_scrape":"#)
    if let scrape = around.scrape {
      text.raw(#"{"client":"#)
      text.json(scrape.client)
      text.raw(#","time":"#)
      text.json(scrape.seconds)
      text.raw(#","seconds":"#)
      text.json(scrape.duration)
      text.raw(#","format":"#)
      text.json(scrape.format)
      text.raw(",\"compressed\":\(scrape.isCompressed),\"bytes\":\(scrape.bytes)}")
    } else {
      text.raw("null")
    }
    text.raw(#","scrapes_per_minute":["#)
    text.raw(around.scrapesPerMinute.map(String.init).joined(separator: ","))
    text.raw(#"],"collection_seconds":"#)
    if let (half, most) = around.quantiles {
      text.raw("{\"p50\":\(half),\"p99\":\(most)}")
    } else {
      text.raw("null")
    }
    for (name, error) in [
      ("configuration_error", around.settings.error),
      ("web_configuration_error", around.webSettings?.error),
    ] {
      text.raw(",\"\(name)\":")
      text.raw(error.map(quoted) ?? "null")
    }
    text.raw(#","errors":["#)
    for (index, failure) in around.failures.enumerated() {
      text.raw(index > 0 ? #",{"subject":"# : #"{"subject":"#)
      text.json(failure.subject)
      text.raw(#","message":"#)
      text.json(failure.message)
      text.raw(",\"count\":\(failure.count),\"first\":")
      text.json(failure.first)
      text.raw(#","last":"#)
      text.json(failure.last)
      text.raw("}")
    }
    text.raw("]}")
  }
}
