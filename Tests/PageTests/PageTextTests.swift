import Collector
import Foundation
import Gzip
import Targets
import TestSupport
import Testing

@testable import Page

@Suite struct PageTextTests {
  private static let hostile = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
    "</title><script>", "&lt;script&gt;", "a\u{202e}txt.exe", "\u{2066}x\u{2069}",
    "a\nb\u{0}c\u{7f}",
    String(decoding: [0x61, 0xff, 0xfe, 0x62] as [UInt8], as: UTF8.self), "</template></main>",
    "{{name}}${x}`", String(repeating: "<", count: 10_000),
  ]

  /// A history whose every text is the same.
  private func look(_ text: String) -> (History, Surroundings) {
    var target = vitals(text)
    target.key.labels = [TargetKey.Label(name: text, value: text)]
    target.command = text
    target.commandLine = text
    target.states = [("disk_sleep", 1), ("sleeping", 2)]
    target.status = .degraded
    target.troubles = [(Trouble(.pidFile, .stale), text)]
    var down = vitals(text + "!")
    (down.processes, down.pids, down.status) = (0, [], .failing)
    down.selector = Selector(pidFile: text)
    var history = History()
    history.add(Sight(seconds: begin, targets: [target, down]))
    var surroundings = around
    surroundings.host = text
    surroundings.settings = .init(files: [text], loadedSeconds: begin, error: text)
    surroundings.webSettings = surroundings.settings
    surroundings.listening = [text]
    surroundings.scrape = Activity.Scrape(
      client: text, seconds: begin, duration: 0.018, format: "text", isCompressed: true, bytes: 9600
    )
    var activity = Activity()
    activity.note("scrape", text, at: begin)
    surroundings.failures = activity.failures
    return (history, surroundings)
  }

  /// Markup with all text taken out.
  private func skeleton(_ page: String) -> [Substring] {
    page.split(separator: "<").compactMap { $0.split(separator: ">").first }
      .map { $0.prefix { $0 != " " && $0 != "\n" } }
  }

  @Test(arguments: hostile)
  func hostileTextIsOnlyText(_ text: String) {
    let (history, surroundings) = look(text)
    let written = page(history, surroundings)
    let (plain, plainly) = look("x")
    #expect(skeleton(written) == skeleton(page(plain, plainly)))
    #expect(written.count { $0 == "\"" } == page(plain, plainly).count { $0 == "\"" })
    for scalar in written.unicodeScalars {
      #expect(scalar == "\n" || !isControl(scalar), "\(scalar.value)")
    }
    #expect(!written.contains("onerror=") || written.contains("src=x onerror"))
    #expect(!written.contains("<script>alert") && !written.contains("<img"))
  }

  @Test(arguments: hostile)
  func hostileTextInTheHistoryIsJSON(_ text: String) throws {
    let (history, surroundings) = look(text)
    let bytes = HistoryText.write(history, surroundings, Look(.history), at: begin + 5)
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    let targets = try #require(answer["targets"] as? [[String: Any]])
    #expect(targets.count == 2 && targets[1]["name"] as? String == text)
    #expect(targets[1]["labels"] as? [String: String] == [text: text])
    #expect(
      targets[0]["state"] as? String == "gone" && targets[1]["state"] as? String == "degraded")
    #expect((answer["exporter"] as? [String: Any])?["host"] as? String == text)
    let all = String(decoding: bytes, as: UTF8.self)
    #expect(all.unicodeScalars.allSatisfy { $0 == "\n" || !isControl($0) })
  }

  @Test func targetsSayWhatIsAboveAThreshold() {
    var target = vitals("a")
    for (levels, status, word) in [
      (Threshold.Levels(degraded: 0.5), Health.Status.degraded, "▲</span> degraded"),
      (Threshold.Levels(degraded: 0.5, failing: 0.75), .failing, "✕</span> failing"),
    ] {
      target.status = status
      target.crossed = [.init(name: "open_fds_ratio", levels: levels, value: 0.98765)]
      var history = History()
      history.add(Sight(seconds: begin, targets: [target]))
      let text = page(history)
      let limit = levels.failing ?? 0.5
      #expect(text.contains("<article class=\"card \(status.rawValue)\""))
      #expect(text.contains(word))
      #expect(
        text.contains("<li>open_fds_ratio is 0.9877, above \(limit) (\(status.rawValue))</li>"))
    }
  }

  @Test func nothingIsInlineOrFromElsewhere() {
    let (history, surroundings) = look("x")
    let text = page(history, surroundings)
    #expect(!text.contains("style=") && !text.contains(" on") || !text.contains(" onclick"))
    for attribute in ["src=\"", "href=\""] {
      for part in text.components(separatedBy: attribute).dropFirst() {
        #expect(part.hasPrefix("/") || part.hasPrefix("?") || part.hasPrefix("data:image/svg+xml,"))
      }
    }
    for asset in [Assets.style, Assets.script] {
      let source = String(decoding: asset, as: UTF8.self)
      #expect(asset.count > 1000)
      #expect(
        !source.contains("//fonts") && !source.contains("@import") && !source.contains("url("))
      #expect(!source.contains("innerHTML") && !source.contains("eval("))
      #expect(
        !source.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "").contains("http"))
    }
  }

  /// Figures that differ as much as they can.
  private func crowd(_ count: Int, looks: Int) -> History {
    var random = SeededGenerator(seed: 8)
    var history = History()
    var used = [Double](repeating: 0, count: count)
    for look in 0..<looks {
      let targets = (0..<count).map { number in
        used[number] += Double.random(in: 0...2, using: &random)
        var target = vitals("service-\(number)", cpu: used[number])
        target.residentBytes = Double.random(in: 1e6...9e9, using: &random)
        target.openDescriptors = Double(Int.random(in: 1...99, using: &random))
        target.threads = Double(Int.random(in: 1...99, using: &random))
        target.goroutines = Double(Int.random(in: 1...9999, using: &random))
        target.heapBytes = Double.random(in: 1e6...9e9, using: &random)
        target.pids = [Int32.random(in: 1...4_000_000, using: &random)]
        return target
      }
      history.add(Sight(seconds: begin + Double(look) * 2, targets: targets))
    }
    return history
  }

  @Test(arguments: [0, 1, 12, 50, 51, 500])
  func weight(_ count: Int) throws {
    let history = crowd(count, looks: 150)
    let bytes = Array(page(history).utf8)
    let compressor = try #require(Compressor())
    let all = compressor.gzip(bytes).count + compressor.gzip(Assets.style + Assets.script).count
    #expect(all < 60_000, "\(count) targets: \(all) bytes")
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.components(separatedBy: "data-id=").count == count + 2)
    #expect(text.contains("data-mode=\"\(count > 50 ? "table" : "cards")\""))
    #expect(text.contains("<p class=\"empty\">") == (count == 0))
  }

  @Test func theHistoryIsBounded() throws {
    let history = crowd(1100, looks: 60)
    let bytes = HistoryText.write(history, around, Look(.history, span: 900), at: begin + 120)
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    let times = try #require(answer["times"] as? [Double])
    let targets = try #require(answer["targets"] as? [[String: Any]])
    #expect(targets.count == 1000 && answer["omitted"] as? Int == 100)
    #expect(times.count * targets.count * History.width <= PageLimits.historyNumbers + 10_000)
    #expect(times.last == (begin + 118) * 1000)
    for target in targets {
      let values = try #require(target["values"] as? [String: [Any]])
      #expect(values.values.allSatisfy { $0.count == times.count })
      #expect((target["starts"] as? [Any])?.count == times.count)
    }
    // What is new since a moment, of one target.
    let look = Look(.history, span: 900, since: Int64(begin * 1000) + 116_000, target: "service-3")
    let news = try #require(
      try JSONSerialization.jsonObject(
        with: Data(HistoryText.write(history, around, look, at: begin + 120))) as? [String: Any])
    #expect((news["times"] as? [Double])?.count == 1)
    #expect((news["targets"] as? [[String: Any]])?.first?["name"] as? String == "service-3")
  }

  @Test func onlyTheMetricsThatAreWanted() throws {
    let look = Look(.history, span: 900, metrics: ["cpu", "heap"])
    let bytes = HistoryText.write(crowd(3, looks: 5), around, look, at: begin + 10)
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    for target in try #require(answer["targets"] as? [[String: Any]]) {
      let values = try #require(target["values"] as? [String: [Any]])
      #expect(Set(values.keys) == ["cpu", "heap"] && values["heap"]?.count == 5)
      #expect((target["starts"] as? [Any])?.count == 5)
    }
    #expect(Measure.keys.count == Measure.all.count)
  }

  @Test func closenessIsSaidWithoutColour() {
    var history = History()
    var target = vitals("a")
    (target.openDescriptors, target.descriptorRatio) = (85, 0.85)
    (target.memoryLimitBytes, target.residentBytes) = (1000, 960)
    history.add(Sight(seconds: begin, targets: [target]))
    let text = page(history)
    #expect(text.contains("<figure data-m=\"fds\" class=\"near\">"))
    #expect(text.contains("▲ of 100, 85 %"))
    #expect(text.contains("<figure data-m=\"memory\" class=\"critical\">"))
    #expect(text.contains("✕ of 0.98 KiB, 96 %"))
    // The line of the limit.
    #expect(text.contains("<path class=\"limit\" d=\"M0 5h600\"/>"))
  }

  @Test func commandLinesAreOnlyForThoseWhoMaySeeThem() throws {
    let (history, _) = look("--token=<s3cret>")
    var named = history.entries[0].vitals
    named.key = TargetKey(name: "a")
    named.command = "app"
    named.troubles = []
    var other = History()
    other.add(Sight(seconds: begin, targets: [named]))
    for may in [false, true] {
      let page = Look(.page, tellsCommandLines: may)
      let html = String(
        decoding: PageText.write(other, around, page, at: begin), as: UTF8.self)
      #expect(html.contains("<code>--token=&lt;s3cret&gt;</code>") == may)
      #expect(html.contains("class=\"argv\"") == may && html.contains("s3cret") == may)
      #expect(html.contains("1 disk sleep, 2 sleeping"))
      let look = Look(.history, tellsCommandLines: may)
      let json = String(
        decoding: HistoryText.write(other, around, look, at: begin), as: UTF8.self)
      #expect(json.contains(#""command_line":"--token=<s3cret>""#) == may)
      #expect(json.contains("s3cret") == may)
      #expect(json.contains(#""states":{"disk_sleep":1,"sleeping":2}"#))
    }
  }

  @Test(
    arguments: [
      (
        42.5,
        "<li class=\"\"><small>Certificate</small> <span>until 2025-07-28, 42 days</span></li>"
      ),
      (14, "<li class=\"\"><small>Certificate</small> <span>until 2025-06-29, 14 days</span></li>"),
      (
        13.9,
        "<li class=\"degraded\"><small>Certificate</small> <span>▲ until 2025-06-29, 13 days</span></li>"
      ),
      (
        1,
        "<li class=\"degraded\"><small>Certificate</small> <span>▲ until 2025-06-16, 1 day</span></li>"
      ),
      (
        -3.2,
        "<li class=\"failing\"><small>Certificate</small> <span>✕ until 2025-06-12, over for 3 days</span></li>"
      ),
    ])
  func certificate(_ days: Double, _ line: String) {
    var around = around
    #expect(!page(history([1]), around).contains("Certificate"))
    around.certificateExpiration = begin + 60 + days * 86_400
    #expect(page(history([1]), around).contains(line))
  }

  @Test func aFirstLookHasValuesWithoutLines() {
    let text = page(history([1024 * 1024]))
    #expect(text.contains("Memory <b>1.00 MiB</b>"))
    #expect(text.contains("CPU cores <b>–</b>"))
    #expect(text.contains("<noscript><meta http-equiv=\"refresh\""))
  }

  @Test func howToScrapeThis() {
    var around = around
    #expect(
      NotesText.snippet(around, Access(address: "h:9656")) == """
        scrape_configs:
          - job_name: procvitals
            metrics_path: /metrics
            static_configs:
              - targets: ["h:9656"]
          # Or each target by itself:
          - job_name: procvitals-targets
            http_sd_configs:
              - url: "http://h:9656/sd"

        """)
    around.needsPassword = true
    around.links = .init(prefix: "/p", metrics: "/metrics")
    #expect(
      NotesText.snippet(around, Access(address: "h:1", probe: "/p/probe", isSecure: true)) == """
        scrape_configs:
          - job_name: procvitals
            scheme: https
            basic_auth: {username: USER, password_file: FILE}
            metrics_path: /p/metrics
            static_configs:
              - targets: ["h:1"]
          # Or each target by itself:
          - job_name: procvitals-targets
            scheme: https
            basic_auth: {username: USER, password_file: FILE}
            http_sd_configs:
              - url: "https://h:1/p/sd"
                basic_auth: {username: USER, password_file: FILE}

        """)
  }
}
