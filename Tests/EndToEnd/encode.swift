// Compiled with the sources of the room Metrics: writes pages of a few and of many samples in each
// format, and says how often memory was asked for, by the file that ALLOCATIONS names.
import Glibc

func requests() -> UInt64 {
  var count: UInt64 = 0
  let file = open(String(cString: getenv("ALLOCATIONS")), O_RDONLY)
  _ = read(file, &count, 8)
  close(file)
  return count
}

/// Requests for memory of the fourth page; the first ones take what all pages share.
func requests(_ count: Int, _ format: Format) -> UInt64 {
  let family = PreparedFamily(
    Family("process_cpu_seconds_total", .counter, .seconds, labels: ["kind"], help: "Time."),
    format)
  let summary = PreparedFamily(
    Family("go_gc_duration_seconds", .summary, .seconds, points: [0, 0.5, 1], help: "Time."), format
  )
  let histogram = PreparedFamily(
    Family("go_sched_latencies_seconds", .histogram, .seconds, points: [0.5, 2], help: "Time."),
    format)
  let pauses = Distribution(points: [.real(0.1), .absent, .whole(3)], sum: 1.5, count: 300)
  let waits = Distribution(buckets: [7, 0, 300], sum: 1e9 / 7)
  let labels = PreparedLabels([Label("target", "a name that no small string holds")], format.style)
  var encoder = PageEncoder()
  var before: UInt64 = 0
  for page in 0..<4 {
    if page == 3 { before = requests() }
    encoder.begin(format, writesCreated: true)
    encoder.begin(family)
    for number in 0..<count {
      encoder.sample(labels, .real(Double(number) / 7), created: 1_700_000_000.25)
      encoder.sample(
        labels, ["kind"], ["a \"value\" that no small string holds"], .whole(UInt64(number)),
        created: 1_700_000_000.25)
    }
    encoder.begin(summary)
    for _ in 0..<count { encoder.sample(labels, pauses, created: 1_700_000_000.25) }
    encoder.begin(histogram)
    for _ in 0..<count { encoder.sample(labels, waits, created: 1_700_000_000.25) }
    encoder.end()
  }
  return requests() - before
}

for format in Format.allCases {
  print(format.rawValue, requests(10, format), requests(10_000, format))
}
