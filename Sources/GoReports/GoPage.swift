package import GoRuntime

/// The families of Go's client library on a page in Prometheus' text format.
///
/// Families that the catalogue does not have are left out, and samples with labels that they do not
/// have there: those are about something else.
/// - Source: prometheus.io, "Exposition formats".
package struct GoPage {
  /// Bytes of a number.
  private static let lengthLimit = 32
  /// Numbers that are looked at; Go's client library has about 100.
  private static let numberLimit = 1000
  /// The types of the families that are taken.
  package static let kinds: [String: String] = {
    var kinds = [
      "go_gc_duration_seconds": "summary", "go_sched_latencies_seconds": "histogram",
      "go_sched_pauses_total_gc_seconds": "histogram",
    ]
    let others = [
      "gc_gogc_percent", "gc_gomemlimit_bytes", "goroutines", "info",
      "memstats_gc_cpu_fraction", "memstats_last_gc_time_seconds", "sched_gomaxprocs_threads",
      "threads",
    ]
    let memory = fields.values.map { "memstats_\($0)" }
    let times = classes.map { "cpu_classes_\($0.name)_cpu_seconds_total" }
    for name in others + memory + times {
      kinds["go_\(name)"] = name.hasSuffix("_total") ? "counter" : "gauge"
    }
    return kinds
  }()

  /// By name, with the value of a label behind a blank.
  private var numbers: [String: String] = [:]
  private var version = ""

  /// Reads a page.
  ///
  /// - Throws: That it is no such page, or has a family of another type.
  package init(_ bytes: [UInt8]) throws(Refusal) {
    guard bytes.last == UInt8(ascii: "\n") else { throw .inconsistent("no line at its end") }
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = bytes[start..<end]
      if line.starts(with: Self.sampleStart) {
        try readSample(line)
      } else if line.starts(with: Self.typeStart) {
        try checkType(line)
      }
      start = end + 1
    }
  }

  private static let sampleStart = Array("go_".utf8)
  private static let typeStart = Array("# TYPE go_".utf8)

  private func checkType(_ line: ArraySlice<UInt8>) throws(Refusal) {
    let words = line.split(separator: UInt8(ascii: " "))
    guard words.count == 4 else { throw Self.malformed(line) }
    let (name, type) = (Self.text(words[2]), Self.text(words[3]))
    guard let kind = Self.kinds[name], type != "untyped", type != kind else { return }
    throw .inconsistent("\(name) is a \(type), expected a \(kind)")
  }

  private mutating func readSample(_ line: ArraySlice<UInt8>) throws(Refusal) {
    let nameEnd = line.firstIndex { !Self.isName($0) } ?? line.endIndex
    var name = Self.text(line[..<nameEnd])
    var base = name
    for suffix in ["_sum", "_count", "_bucket"] where Self.kinds[base] == nil {
      if name.hasSuffix(suffix) { base = String(name.dropLast(suffix.utf8.count)) }
    }
    guard let kind = Self.kinds[base] else { return }
    var rest = line[nameEnd...]
    var labels: [(name: String, value: String)] = []
    if rest.first == UInt8(ascii: "{") {
      guard let found = Self.labels(&rest) else { throw Self.malformed(line) }
      labels = found
    }
    let words = rest.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    // Behind the number may be a time.
    guard let number = words.first, words.count <= 2, number.count <= Self.lengthLimit,
      numbers.count < Self.numberLimit
    else { throw Self.malformed(line) }
    let expected: String? =
      switch kind {
      case "summary" where name == base: "quantile"
      case "histogram" where name != base && name.hasSuffix("_bucket"): "le"
      default: base == "go_info" ? "version" : nil
      }
    guard labels.map(\.name) == (expected.map { [$0] } ?? []) else { return }
    if base == "go_info" {
      version = labels[0].value
      return
    }
    if let label = labels.first {
      // As it is written differs, so that it is compared as a number.
      guard let point = Double(label.value) else { throw Self.malformed(line) }
      name += " \(point)"
    }
    if numbers.updateValue(Self.text(number), forKey: name) != nil {
      throw .inconsistent("\(name) twice")
    }
  }

  /// Takes labels from the front; nil if they are not as they should be.
  private static func labels(
    _ rest: inout ArraySlice<UInt8>
  ) -> [(name: String, value: String)]? {
    var labels: [(String, String)] = []
    rest = rest.dropFirst()
    while rest.first != UInt8(ascii: "}") {
      rest = rest.drop { $0 == UInt8(ascii: " ") }
      let name = rest.prefix(while: isName)
      rest = rest[name.endIndex...]
      guard !name.isEmpty, rest.starts(with: [UInt8(ascii: "="), UInt8(ascii: "\"")]) else {
        return nil
      }
      rest = rest.dropFirst(2)
      var value: [UInt8] = []
      while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
        guard byte == UInt8(ascii: "\\") else {
          value.append(byte)
          continue
        }
        guard let escaped = rest.popFirst() else { return nil }
        value.append(escaped == UInt8(ascii: "n") ? 0x0a : escaped)
      }
      labels.append((text(name[...]), text(value[...])))
      if rest.first == UInt8(ascii: ",") { rest = rest.dropFirst() }
    }
    rest = rest.dropFirst()
    return labels
  }

  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
      true
    default: false
    }
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  private static func malformed(_ line: ArraySlice<UInt8>) -> Refusal {
    .inconsistent("a line that is no sample: \(text(line.prefix(60)))")
  }
}

extension GoPage {
  /// What of the page the catalogue has; a group is refused if a family of it is missing that Go's
  /// client library has had in every version.
  package var sample: GoSample {
    var sample = GoSample(
      version: version, heap: Result { () throws(Refusal) in try heap() },
      scheduler: Result { () throws(Refusal) in try scheduler() },
      collector: Result { () throws(Refusal) in try collector() })
    sample.latencies = histogram("go_sched_latencies_seconds").map { .success($0) }
    sample.pauses = histogram("go_sched_pauses_total_gc_seconds").map { .success($0) }
    sample.cpuTimes = cpuTimes.map { .success($0) }
    return sample
  }

  /// What the library calls the fields of `runtime.MemStats`, behind `go_memstats_`.
  private static let fields = [
    "Alloc": "alloc_bytes", "TotalAlloc": "alloc_bytes_total", "Mallocs": "mallocs_total",
    "Frees": "frees_total", "HeapAlloc": "heap_alloc_bytes", "HeapSys": "heap_sys_bytes",
    "HeapIdle": "heap_idle_bytes", "HeapInuse": "heap_inuse_bytes",
    "HeapReleased": "heap_released_bytes", "HeapObjects": "heap_objects",
    "StackInuse": "stack_inuse_bytes", "StackSys": "stack_sys_bytes",
    "MSpanInuse": "mspan_inuse_bytes", "MSpanSys": "mspan_sys_bytes",
    "MCacheInuse": "mcache_inuse_bytes", "MCacheSys": "mcache_sys_bytes",
    "BuckHashSys": "buck_hash_sys_bytes", "GCSys": "gc_sys_bytes", "OtherSys": "other_sys_bytes",
    "Sys": "sys_bytes", "NextGC": "next_gc_bytes",
  ]

  private func heap() throws(Refusal) -> HeapFigures {
    try HeapFigures { field throws(Refusal) in
      try whole("go_memstats_\(Self.fields[field] ?? field)")
    }
  }

  private func scheduler() throws(Refusal) -> SchedulerFigures {
    var scheduler = SchedulerFigures()
    scheduler.goroutines = try whole("go_goroutines")
    scheduler.threads = try whole("go_threads")
    scheduler.processors = (try? whole("go_sched_gomaxprocs_threads")) ?? 0
    return scheduler
  }

  private func collector() throws(Refusal) -> CollectorFigures {
    let pauses = "go_gc_duration_seconds"
    var collector = CollectorFigures()
    collector.cycles = try whole(pauses + "_count")
    collector.pauseTotal = try nanoseconds(pauses + "_sum")
    collector.lastEnd = try nanoseconds("go_memstats_last_gc_time_seconds")
    // The quantiles of five numbers are these numbers.
    for quantile in CollectorFigures.pauseQuantiles {
      collector.pauses.append(try nanoseconds("\(pauses) \(quantile)"))
    }
    // These came later, or are left out by later versions.
    collector.cpuFraction = numbers["go_memstats_gc_cpu_fraction"].flatMap { Double($0) } ?? .nan
    collector.percent = (try? whole("go_gc_gogc_percent")).flatMap { Int32(exactly: $0) } ?? -1
    collector.memoryLimit =
      (try? whole("go_gc_gomemlimit_bytes")).map { Int64(clamping: $0) } ?? .max
    return collector
  }

  /// A histogram that has the same buckets as the catalogue's.
  private func histogram(_ name: String) -> TimeHistogram? {
    var histogram = TimeHistogram()
    var below: UInt64 = 0
    for (place, bound) in (TimeHistogram.bounds + [.infinity]).enumerated() {
      guard let count = try? whole("\(name)_bucket \(bound)"), count >= below else { return nil }
      histogram.counts[place] = count - below
      below = count
    }
    return histogram
  }

  private var cpuTimes: CPUTimes? {
    var times = CPUTimes()
    for (name, field) in Self.classes {
      guard let time = try? nanoseconds("go_cpu_classes_\(name)_cpu_seconds_total") else {
        return nil
      }
      times[keyPath: field] = time
    }
    return times
  }

  private static let classes:
    [(name: String, field: any WritableKeyPath<CPUTimes, UInt64> & Sendable)] =
      [
        ("gc_mark_assist", \.assist), ("gc_mark_dedicated", \.dedicated),
        ("gc_mark_idle", \.idleMark), ("gc_pause", \.pause), ("gc_total", \.collection),
        ("idle", \.idle), ("scavenge_assist", \.scavengeAssist),
        ("scavenge_background", \.scavengeBackground), ("scavenge_total", \.scavenge),
        ("total", \.total), ("user", \.user),
      ]

  private func number(_ name: String) throws(Refusal) -> Double {
    guard let text = numbers[name], let number = Double(text) else {
      throw .inconsistent("no number \(name) without other labels")
    }
    return number
  }

  private func whole(_ name: String) throws(Refusal) -> UInt64 {
    if let text = numbers[name], let whole = UInt64(text) { return whole }
    guard let whole = UInt64(exactly: try number(name)) else {
      throw .inconsistent("\(name) is not a whole number")
    }
    return whole
  }

  private func nanoseconds(_ name: String) throws(Refusal) -> UInt64 {
    let number = try number(name)
    guard (0..<1e10).contains(number) else { throw .inconsistent("\(name) is not a time") }
    // Apart, so that nothing is lost of a moment.
    let seconds = number.rounded(.down)
    return UInt64(seconds) * 1_000_000_000 + UInt64(((number - seconds) * 1e9).rounded())
  }
}
