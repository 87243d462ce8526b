// Compiled with the sources of the room Metrics: distributions FORMAT [created] writes a page with
// summaries and histograms to standard output.
import Glibc

guard let format = Format(rawValue: CommandLine.arguments[1]) else { exit(2) }
let summary = Family(
  "go_gc_duration_seconds", .summary, .seconds, points: [0, 0.25, 0.5, 0.75, 1], help: "Pauses.")
let histogram = Family(
  "go_sched_latencies_seconds", .histogram, .seconds,
  points: [6.399999999999999e-08, 0.0009175039999999999, 0.5, 1, 2], help: "Waits.")
let counter = Family("go_cpu_seconds_total", .counter, .seconds, help: "A neighbour.")

var encoder = PageEncoder()
encoder.begin(format, writesCreated: CommandLine.arguments.count > 2)
encoder.begin(PreparedFamily(counter, format))
encoder.sample(PreparedLabels([], format.style), .real(1.5), created: 1_700_000_000.25)
for (family, samples) in [
  (
    summary,
    [
      Distribution(points: (0..<5).map { .real(Double($0) / 1e6) }, sum: 1.25, count: 300),
      Distribution(points: [.whole(0), .absent, .real(0.1), .absent, .real(7)], sum: 0, count: 1),
    ]
  ),
  (
    histogram,
    [
      Distribution(buckets: [1, 200, 0, 1 << 40, 5, 0], sum: 0.001),
      Distribution(buckets: [0, 0, 0, 0, 0, 0], sum: 0),
    ]
  ),
] {
  encoder.begin(PreparedFamily(family, format))
  for (target, sample) in zip(["", "a \"b\"\\ {}"], samples) {
    let labels = target.isEmpty ? [] : [Label("target", target)]
    encoder.sample(PreparedLabels(labels, format.style), sample, created: 1_700_000_000.25)
  }
}
encoder.end()
let page = encoder.page
_ = page.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
